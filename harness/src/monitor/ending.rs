//! How a session ends: at once after a stop, without a word more, and not before it has to.

use super::account::{Account, Connection, Kind, Line};
use super::context::{
    asked_number, connections_of, disturbed, later, logins, margin, murky, verdict,
};
use super::{Basis, Found, Monitor};
use std::time::Duration;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "ending.smtp-silence",
        about: "sends nothing more to the SMTP server after AT+SMTPSTOP was answered with OK",
        basis: Basis::Clause("smtp.stop"),
        watch: smtp_silence,
    },
    Monitor {
        id: "ending.pop3-silence",
        about: "sends nothing more to the POP3 server after AT+POP3STOP was answered with OK",
        basis: Basis::Clause("pop3.stop"),
        watch: pop3_silence,
    },
    Monitor {
        id: "ending.smtp-stop-closes",
        about: "closes the SMTP connection for AT+SMTPSTOP",
        basis: Basis::Clause("smtp.stop"),
        watch: smtp_stop_closes,
    },
    Monitor {
        id: "ending.pop3-stop-closes",
        about: "closes the POP3 connection for AT+POP3STOP",
        basis: Basis::Clause("pop3.stop"),
        watch: pop3_stop_closes,
    },
    Monitor {
        id: "ending.smtp-closed",
        about: "has closed the connection when it reports what came of a sending",
        basis: Basis::Clause("smtp.urc.success"),
        watch: smtp_closed,
    },
    Monitor {
        id: "ending.pop3-closed",
        about: "closes the connection when AT+POP3OUT succeeds",
        basis: Basis::Clause("pop3.out"),
        watch: pop3_closed,
    },
    Monitor {
        id: "ending.full-storage-closes",
        about: "closes the session with the POP3 server on `+POP3: FILE SYSTEM ERROR`",
        basis: Basis::Clause("pop3.urc.file-system-error-closes"),
        watch: full_storage_closes,
    },
    Monitor {
        id: "ending.session-kept",
        about: "keeps the POP3 session when a command fails with `+POP3: SERVER ERROR`",
        basis: Basis::Clause("pop3.urc.session-kept"),
        watch: session_kept,
    },
];

/// The connections that a stop ended, with the line that said OK to it.
fn smtp_stopped<'a>(account: &'a Account<'_>) -> Vec<(&'a Connection, &'a Line)> {
    let mut all = Vec::new();
    for sending in account.sendings() {
        let stop = sending.stop.and_then(|at| account.exchanges.get(at));
        let ok = stop.and_then(|e| account.answer(e).iter().find(|l| l.kind.is_final()));
        if let Some(ok) = ok {
            let connections = connections_of(account, &sending).into_iter();
            all.extend(connections.map(|connection| (connection, ok)));
        }
    }
    all
}

fn pop3_stopped<'a>(account: &'a Account<'_>) -> Vec<(&'a Connection, &'a Line)> {
    let mut all = Vec::new();
    for login in logins(account) {
        let mut exchanges = login.exchanges(account);
        let stop = exchanges.find(|exchange| {
            exchange.executes("+POP3STOP") && account.result(exchange) == Some(true)
        });
        let ok = stop.and_then(|e| account.answer(e).iter().find(|l| l.kind.is_final()));
        if let (Some(ok), Some(connection)) = (ok, login.connection) {
            all.push((connection, ok));
        }
    }
    all
}

fn silence(account: &Account<'_>, stopped: &[(&Connection, &Line)], command: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for (connection, ok) in stopped {
        let mut after = connection.traffic.iter();
        let after = after.find(|t| t.from_client && later(account, t.at, ok.done));
        if let Some(traffic) = after {
            let message = format!(
                "the device went on sending to the server after {command} had been answered with OK"
            );
            found.push(Found::new(traffic.event, message));
        }
    }
    found
}

fn smtp_silence(account: &Account<'_>) -> Vec<Found> {
    silence(account, &smtp_stopped(account), "AT+SMTPSTOP")
}

fn pop3_silence(account: &Account<'_>) -> Vec<Found> {
    silence(account, &pop3_stopped(account), "AT+POP3STOP")
}

/// Whether the device left a connection open although it had time to close it after `since`. One
/// that the server has closed may wait for its last bytes.
fn left_open(account: &Account<'_>, connection: &Connection, since: Duration) -> bool {
    let due = since
        .saturating_add(account.policy.answer)
        .saturating_add(margin(account));
    let closed = connection.closed_by_client.map(|end| end.at);
    connection.closed_by_server.is_none()
        && account.end() > due
        && closed.is_none_or(|closed| closed > due)
}

fn stays_open(
    account: &Account<'_>,
    of: impl IntoIterator<Item = (usize, Duration, Option<usize>)>,
    after: &str,
) -> Vec<Found> {
    let mut found = Vec::new();
    for (connection, since, event) in of {
        let Some(connection) = account.connections.get(connection) else {
            continue;
        };
        if left_open(account, connection, since) {
            let message = format!("the device left the connection open after {after}");
            found.push(Found::new(event.unwrap_or(connection.event), message));
        }
    }
    found
}

/// Where a connection stands in the account.
fn place(account: &Account<'_>, connection: &Connection) -> usize {
    let event = connection.event;
    account
        .connections
        .partition_point(|other| other.event < event)
}

fn stop_closes(
    account: &Account<'_>,
    stopped: &[(&Connection, &Line)],
    command: &str,
) -> Vec<Found> {
    let of = stopped
        .iter()
        .map(|(connection, ok)| (place(account, connection), ok.done, Some(ok.event)));
    stays_open(account, of.collect::<Vec<_>>(), command)
}

fn smtp_stop_closes(account: &Account<'_>) -> Vec<Found> {
    stop_closes(account, &smtp_stopped(account), "AT+SMTPSTOP")
}

fn pop3_stop_closes(account: &Account<'_>) -> Vec<Found> {
    stop_closes(account, &pop3_stopped(account), "AT+POP3STOP")
}

fn smtp_closed(account: &Account<'_>) -> Vec<Found> {
    let mut of = Vec::new();
    for sending in account.sendings() {
        let mut reports = sending
            .reports
            .iter()
            .filter_map(|at| account.lines.get(*at));
        // An address that was refused need not be the end of it.
        let last = reports.find(|line| {
            let report = account.report(line).unwrap_or_default();
            !report.starts_with("BAD RCPT") && !matches!(report, "OK" | "ONGOING")
        });
        if let Some(line) = last {
            let connections = connections_of(account, &sending).into_iter();
            of.extend(connections.map(|c| {
                // QUIT may still wait for its answer.
                let wait = if c.faulty {
                    account.policy.timers.smtp
                } else {
                    Duration::ZERO
                };
                (place(account, c), line.done + wait, Some(line.event))
            }));
        }
    }
    stays_open(account, of, "it had reported what came of the sending")
}

fn pop3_closed(account: &Account<'_>) -> Vec<Found> {
    let mut of = Vec::new();
    for login in logins(account) {
        let Some(connection) = login.connection else {
            continue;
        };
        let out = login.exchanges(account).filter(|e| e.executes("+POP3OUT"));
        let report = out.filter_map(|e| verdict(account, e, Kind::Pop3));
        if let Some((_, event)) = report.into_iter().find(|(report, _)| *report == "SUCCESS") {
            let at = account
                .events
                .get(event)
                .map(|event| event.at)
                .unwrap_or_default();
            let wait = if connection.faulty {
                account.policy.timers.pop3
            } else {
                Duration::ZERO
            };
            of.push((place(account, connection), at + wait, Some(event)));
        }
    }
    stays_open(account, of, "AT+POP3OUT had succeeded")
}

fn full_storage_closes(account: &Account<'_>) -> Vec<Found> {
    let mut of = Vec::new();
    for login in logins(account) {
        let Some(connection) = login.connection else {
            continue;
        };
        for exchange in login.exchanges(account) {
            let full = verdict(account, exchange, Kind::Pop3)
                .filter(|(report, _)| *report == "FILE SYSTEM ERROR")
                .filter(|_| asked_number(exchange, "+POP3GET").is_some());
            if let Some((_, event)) = full {
                let at = account
                    .events
                    .get(event)
                    .map(|event| event.at)
                    .unwrap_or_default();
                of.push((place(account, connection), at, Some(event)));
            }
        }
    }
    stays_open(account, of, "`+POP3: FILE SYSTEM ERROR`")
}

fn session_kept(account: &Account<'_>) -> Vec<Found> {
    if murky(account) {
        return Vec::new();
    }
    let ends = ["+POP3OUT", "+POP3STOP"];
    let mut found = Vec::new();
    for login in logins(account) {
        let Some(connection) = login.connection else {
            continue;
        };
        let Some(closed) = connection.closed_by_client else {
            continue;
        };
        // A server that fails in another way than by saying no is no one to keep a session with.
        if disturbed(account, connection)
            || connection.closed().is_some_and(|c| c.event != closed.event)
        {
            continue;
        }
        let mut exchanges: Vec<_> = login.exchanges(account).collect();
        exchanges.retain(|exchange| exchange.event < closed.event);
        let reset = account.events.iter().any(|event| {
            matches!(&event.kind, urcheck_reports::EventKind::Acted { what, .. } if what.contains("power"))
        });
        let benign = |name: &str| name.starts_with("+POP3") || name.starts_with("+FS");
        let ended = exchanges.iter().any(|exchange| {
            let mut commands = exchange.commands();
            commands.any(|c| ends.contains(&c.name.as_str()) || !benign(&c.name))
        });
        let Some(last) = exchanges.last().filter(|_| !ended && !reset) else {
            continue;
        };
        let named = ["+POP3LIST", "+POP3HDR", "+POP3GET", "+POP3DEL"];
        let number = named.iter().find_map(|name| asked_number(last, name));
        let refused =
            verdict(account, last, Kind::Pop3).is_some_and(|(report, _)| report == "SERVER ERROR");
        if number.is_some() && refused {
            let message =
                "the device closed the session after `+POP3: SERVER ERROR` for a wrong ID";
            found.push(Found::new(closed.event, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use rstest::rstest;
    use urcheck_reports::Protocol::{Pop3, Smtp};
    use urcheck_reports::{EventKind, Protocol};

    fn stopped(protocol: Protocol) -> Story {
        let begun = match protocol {
            Smtp => Story::new().send("AT+SMTPSEND").connected_smtp(1),
            Pop3 => Story::new().send("AT+POP3IN").connected_pop3(1),
        };
        let stop = match protocol {
            Smtp => "AT+SMTPSTOP",
            Pop3 => "AT+POP3STOP",
        };
        begun.says("OK").send(stop).says("OK")
    }

    #[rstest]
    #[case::same_instant(0.0, false)]
    #[case::later(0.5, true)]
    #[case::under_way(0.500_000_1, false)]
    #[case::not_under_way_any_more(5.500_000_1, true)]
    fn silence_after_stop(#[case] seconds: f64, #[case] breach: bool) {
        for (protocol, id) in [(Smtp, "ending.smtp-silence"), (Pop3, "ending.pop3-silence")] {
            let story = stopped(protocol).after(seconds).client(protocol, 1, "QUIT");
            assert_eq!(!story.found(id).is_empty(), breach, "{id}");
        }
    }

    #[rstest]
    #[case::closed(true, 60.0, false)]
    #[case::open(false, 60.0, true)]
    #[case::too_early_to_tell(false, 3.0, false)]
    fn the_connection_is_closed(#[case] closes: bool, #[case] wait: f64, #[case] breach: bool) {
        let ends = |id: &str, protocol: Protocol, story: Story| {
            let story = match closes {
                true => story.wire(protocol, 1, "client closed"),
                false => story,
            };
            let story = story.after(wait).push(EventKind::Tick);
            assert_eq!(!story.found(id).is_empty(), breach, "{id}");
        };
        ends("ending.smtp-stop-closes", Smtp, stopped(Smtp));
        ends("ending.pop3-stop-closes", Pop3, stopped(Pop3));
        let sent = Story::new()
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .says("+SMTP: SUCCESS");
        ends("ending.smtp-closed", Smtp, sent);
        let session = || Story::new().send("AT+POP3IN").connected_pop3(1).says("OK");
        let out = session()
            .send("AT+POP3OUT")
            .says("+POP3: SUCCESS")
            .says("OK");
        ends("ending.pop3-closed", Pop3, out);
        let full = session()
            .send("AT+POP3GET=1")
            .says("OK")
            .says("+POP3: FILE SYSTEM ERROR");
        ends("ending.full-storage-closes", Pop3, full);
    }

    #[test]
    fn a_refused_recipient_need_not_be_the_end() {
        let story = Story::new()
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .says("+SMTP: BAD RCPT a@b.test")
            .after(60.0)
            .push(EventKind::Tick);
        assert!(story.found("ending.smtp-closed").is_empty());
    }

    #[rstest]
    #[case::closed("AT+POP3LIST=9", "client closed", 1)]
    #[case::by_the_server("AT+POP3LIST=9", "server closed", 0)]
    #[case::logged_out("AT+POP3OUT", "client closed", 0)]
    fn the_session_is_kept(#[case] line: &str, #[case] end: &str, #[case] count: usize) {
        let story = Story::new()
            .send("AT+POP3IN")
            .connected_pop3(1)
            .says("+POP3: SUCCESS")
            .says("OK")
            .send(line)
            .says("+POP3: SERVER ERROR")
            .says("ERROR")
            .after(1.0)
            .wire(Pop3, 1, end);
        assert_eq!(story.found("ending.session-kept").len(), count);
    }

    #[rstest]
    #[case::at_once(0.0, 1)]
    #[case::given_up(30.0, 0)]
    fn a_session_in_which_nothing_is_answered_may_end(#[case] wait: f64, #[case] count: usize) {
        let story = Story::new()
            .send("AT+POP3IN")
            .connected_pop3(1)
            .server(Pop3, 1, "+OK ready")
            .says("+POP3: SUCCESS")
            .says("OK")
            .send("AT+POP3LIST=1")
            .client(Pop3, 1, "LIST 1")
            .after(wait)
            .says("+POP3: SERVER ERROR")
            .says("ERROR")
            .wire(Pop3, 1, "client closed");
        assert_eq!(story.found("ending.session-kept").len(), count);
    }
}
