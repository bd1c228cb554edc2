//! The 30 seconds of the note (1, NOTE), as far as they are beyond dispute.
//!
//! The note does not say whether its timer counts each answer, a time without progress, or the
//! whole. So too late is only what is too late for the longest of these, counted from the last
//! octet on the connection, and too early only what is too early for the shortest, counted from
//! its beginning.

use super::account::{Account, Connection, Exchange, Kind};
use super::context::{bytes, connections_of, fired, late, logins, margin, said, timer};
use super::{Basis, Found, Monitor};
use std::time::Duration;
use urcheck_reports::{Event, EventKind, Protocol};
use urcheck_servers::fault::Action;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "timers.smtp-late",
        about: "reports a silent SMTP server when the timer of 30 s expires",
        basis: Basis::Clause("smtp.timer"),
        watch: smtp_late,
    },
    Monitor {
        id: "timers.smtp-early",
        about: "does not give up on an SMTP server that may still answer in time",
        basis: Basis::Clause("smtp.timer"),
        watch: smtp_early,
    },
    Monitor {
        id: "timers.pop3-late",
        about: "reports a silent POP3 server when the timer of 30 s expires",
        basis: Basis::Clause("pop3.timer"),
        watch: pop3_late,
    },
    Monitor {
        id: "timers.pop3-early",
        about: "does not give up on a POP3 server that may still answer in time",
        basis: Basis::Clause("pop3.timer"),
        watch: pop3_early,
    },
];

/// A connection on which the server said nothing more.
struct Silence<'a> {
    connection: &'a Connection,
    /// When the last octet went over it.
    since: Duration,
}

/// Whether the last word on a connection is the device's, and the server kept silent after it
/// without closing.
fn silence<'a>(account: &Account<'_>, connection: &'a Connection) -> Option<Silence<'a>> {
    let last = connection.traffic.last();
    if connection.closed_by_server.is_some() || last.is_some_and(|last| !last.from_client) {
        return None;
    }
    // A line that is not complete is not yet the server's to answer.
    if last.is_some_and(|last| !bytes(account, last).ends_with(b"\n")) {
        return None;
    }
    Some(Silence {
        connection,
        since: last.map_or(connection.at, |last| last.at),
    })
}

/// When a report of this silence is too late.
fn due(account: &Account<'_>, silence: &Silence<'_>) -> Duration {
    silence
        .since
        .saturating_add(timer(account, silence.connection.protocol))
        .saturating_add(account.policy.timers.tolerance)
        .saturating_add(margin(account))
}

/// Whether the server was as it should be but for its silence, and waits for no leave-taking.
fn is_only_silent(account: &Account<'_>, silence: &Silence<'_>) -> bool {
    let connection = silence.connection;
    let honest = fired(account, connection).iter().all(|(_, rule)| {
        rule.is_some_and(|rule| {
            let silent = matches!(rule.action, Action::Delay | Action::Stall | Action::Swallow);
            silent && rule.text.is_none() && rule.raw.is_none()
        })
    });
    let refused = connection
        .traffic
        .iter()
        .filter(|t| !t.from_client)
        .any(|traffic| {
            let first = bytes(account, traffic).first();
            matches!(first, Some(b'4' | b'5' | b'-'))
        });
    let verbs = [
        "EHLO", "HELO", "AUTH", "MAIL", "RCPT", "DATA", "USER", "PASS", "APOP", "STAT", "LIST",
        "RETR", "DELE", "TOP",
    ];
    let last = said(account, connection).pop();
    let waits = last.is_none_or(|line| {
        let verb = line.text.split(' ').next().unwrap_or_default();
        line.text == "." || verbs.iter().any(|known| verb.eq_ignore_ascii_case(known))
    });
    // A server that nothing was done to answers at once: then it is the network that is silent.
    let acted = |event: &Event| matches!(event.kind, EventKind::Acted { .. });
    let made = !fired(account, connection).is_empty() || account.events.iter().any(acted);
    made && honest && !refused && waits
}

/// Whether the DTE did something between these times that may end a wait: more than asking
/// whether it goes on.
fn interfered(account: &Account<'_>, after: usize, until: Duration) -> bool {
    let later = account.exchanges.get(after + 1..).unwrap_or_default();
    let harmless = ["+SMTPSEND", "+CSQ", "+CREG", "+POP3NUM"];
    later.iter().take_while(|e| e.at <= until).any(|exchange| {
        let mut commands = exchange.commands();
        exchange.command.is_none() || commands.any(|c| !harmless.contains(&c.name.as_str()))
    })
}

fn smtp_late(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let Some(silence) = connections_of(account, &sending)
            .last()
            .and_then(|connection| silence(account, connection))
        else {
            continue;
        };
        let due = due(account, &silence);
        let reported = sending
            .reports
            .iter()
            .filter(|line| account.ends_sending(**line))
            .filter_map(|line| account.lines.get(*line))
            .map(|line| line.at)
            .next();
        let until = account
            .events
            .get(sending.until)
            .map_or(account.end(), |event| event.at);
        if reported.is_none_or(|at| at > due)
            && until > due
            && !interfered(account, sending.exchange, due)
        {
            let event = silence
                .connection
                .traffic
                .last()
                .map_or(silence.connection.event, |t| t.event);
            let message =
                "the SMTP server has been silent since, and the timer of the device did not expire";
            found.push(Found::new(event, message));
        }
    }
    found
}

fn smtp_early(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings().iter().filter(|s| s.stop.is_none()) {
        let connections = connections_of(account, sending);
        let [connection] = connections.as_slice() else {
            continue;
        };
        let Some(silence) = silence(account, connection) else {
            continue;
        };
        let report = sending
            .reports
            .iter()
            .find(|line| account.ends_sending(**line));
        let report = report.and_then(|line| account.lines.get(*line));
        let Some(line) = report.filter(|line| account.report(line) != Some("SUCCESS")) else {
            continue;
        };
        if is_early(account, &silence, connection.at, line.done)
            && !interfered(account, sending.exchange, line.done)
        {
            let message = gave_up(line.done.saturating_sub(silence.since), "SMTP");
            found.push(Found::new(line.event, message));
        }
    }
    found
}

/// Whether a failure at `at` came before any reading of the timer has it; `from` is when the
/// whole began.
fn is_early(account: &Account<'_>, silence: &Silence<'_>, from: Duration, at: Duration) -> bool {
    let protocol = silence.connection.protocol;
    let early = at.saturating_sub(from).saturating_add(margin(account)) < late(account, protocol);
    // In one instant the order of the two sides is no evidence: there may have been no wait.
    early && at > silence.since && is_only_silent(account, silence)
}

fn gave_up(after: Duration, server: &str) -> String {
    format!(
        "the device gave up on the {server} server after {:.1} s of silence",
        after.as_secs_f64()
    )
}

/// The POP3 commands that wait for the server, as exchanges of one command each, with the
/// connection that they wait on.
fn waits<'a>(account: &'a Account<'_>) -> Vec<(usize, &'a Exchange, Silence<'a>)> {
    let names = [
        "+POP3IN",
        "+POP3NUM",
        "+POP3LIST",
        "+POP3HDR",
        "+POP3GET",
        "+POP3DEL",
    ];
    let mut all = Vec::new();
    for login in logins(account) {
        let Some(silence) = login.connection.and_then(|c| silence(account, c)) else {
            continue;
        };
        let last = login
            .exchanges(account)
            .zip(login.exchange..)
            .filter(|(exchange, _)| exchange.at <= silence.since)
            .last();
        let Some((exchange, index)) = last else {
            continue;
        };
        let only = exchange.command.as_ref().and_then(|line| line.only());
        if only.is_some_and(|command| names.contains(&command.name.as_str())) {
            all.push((index, exchange, silence));
        }
    }
    all
}

/// When the outcome of a POP3 command was reported, its event, and whether it is a failure.
fn outcome(account: &Account<'_>, exchange: &Exchange) -> Option<(Duration, usize, bool)> {
    let gets = exchange
        .commands()
        .any(|command| command.name == "+POP3GET");
    account.answer(exchange).iter().find_map(|line| {
        let report = (line.kind == Kind::Pop3)
            .then(|| account.report(line))
            .flatten();
        let failed = report.is_some_and(|r| r.ends_with("ERROR") || r == "FAILURE");
        let over = match line.kind {
            Kind::Pop3 => true,
            Kind::Ok => !gets,
            Kind::Error => true,
            _ => false,
        };
        over.then_some((line.done, line.event, failed))
    })
}

fn pop3_late(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, exchange, silence) in waits(account) {
        let due = due(account, &silence);
        let reported = outcome(account, exchange);
        let next = account.exchanges.get(index + 1).map(|next| next.at);
        let until = next.unwrap_or(account.end());
        if reported.is_none_or(|(at, ..)| at > due) && until > due {
            let event = silence
                .connection
                .traffic
                .last()
                .map_or(silence.connection.event, |t| t.event);
            let message =
                "the POP3 server has been silent since, and the timer of the device did not expire";
            found.push(Found::new(event, message));
        }
    }
    found
}

fn pop3_early(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (_, exchange, silence) in waits(account) {
        let Some((at, event, true)) = outcome(account, exchange) else {
            continue;
        };
        if is_early(account, &silence, exchange.at, at) {
            let message = gave_up(
                at.saturating_sub(silence.since),
                &Protocol::Pop3.to_string().to_uppercase(),
            );
            found.push(Found::new(event, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use rstest::rstest;
    use urcheck_reports::EventKind;
    use urcheck_reports::Protocol::{Pop3, Smtp};

    const ALL: [&str; 4] = [
        "timers.smtp-late",
        "timers.smtp-early",
        "timers.pop3-late",
        "timers.pop3-early",
    ];

    fn paused() -> Story {
        Story::new().push(EventKind::Acted {
            step: 0,
            what: "paused".to_owned(),
        })
    }

    fn fired(story: Story) -> Vec<&'static str> {
        let story = story.push(EventKind::Tick);
        let fires = |id: &&str| !story.found(id).is_empty();
        ALL.into_iter().filter(fires).collect()
    }

    #[rstest]
    #[case::in_time(30.0, &[])]
    #[case::within_tolerance(34.0, &[])]
    #[case::too_early(10.0, &["timers.smtp-early"])]
    #[case::at_once(0.0, &[])]
    #[case::too_late(50.0, &["timers.smtp-late"])]
    fn a_silent_smtp_server(#[case] seconds: f64, #[case] monitors: &[&str]) {
        let story = paused()
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .server(Smtp, 1, "220 ready")
            .says("+SMTP: OK")
            .says("OK")
            .client(Smtp, 1, "EHLO x")
            .after(seconds)
            .says("+SMTP: SERVER ERROR");
        assert_eq!(fired(story), monitors);
    }

    #[test]
    fn a_report_that_never_comes_is_late() {
        let story = |seconds| {
            Story::new()
                .send("AT+SMTPSEND")
                .connected_smtp(1)
                .after(seconds)
        };
        assert!(fired(story(20.0)).is_empty());
        assert_eq!(fired(story(60.0)), ["timers.smtp-late"]);
        let stopped = story(5.0).send("AT+SMTPSTOP").says("OK").after(60.0);
        assert!(fired(stopped).is_empty());
    }

    #[test]
    fn a_refusal_is_no_silence() {
        let story = paused()
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .server(Smtp, 1, "220 ready")
            .client(Smtp, 1, "MAIL FROM:<a@b>")
            .server(Smtp, 1, "550 no")
            .client(Smtp, 1, "QUIT")
            .after(1.0)
            .says("+SMTP: SERVER ERROR");
        assert!(fired(story).is_empty());
    }

    #[rstest]
    #[case::in_time("AT+POP3NUM", "STAT", 30.0, &[])]
    #[case::too_early("AT+POP3NUM", "STAT", 10.0, &["timers.pop3-early"])]
    #[case::too_late("AT+POP3NUM", "STAT", 50.0, &["timers.pop3-late"])]
    #[case::leave("AT+POP3OUT", "QUIT", 1.0, &[])]
    fn a_silent_pop3_server(
        #[case] line: &str,
        #[case] said: &str,
        #[case] seconds: f64,
        #[case] monitors: &[&str],
    ) {
        let story = paused()
            .send("AT+POP3IN")
            .connected_pop3(1)
            .server(Pop3, 1, "+OK ready")
            .says("+POP3: SUCCESS")
            .says("OK")
            .after(100.0)
            .send(line)
            .client(Pop3, 1, said)
            .after(seconds)
            .says("+POP3: SERVER ERROR")
            .says("ERROR");
        assert_eq!(fired(story), monitors);
    }
}
