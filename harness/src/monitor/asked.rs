//! The device does at the servers what the DTE asked for, and nothing else.

use super::account::{Account, Exchange, Kind};
use super::context::{Login, Said, asked_number, later, logins, murky, opened, said, verdict};
use super::{Basis, Found, Monitor};
use urcheck_reports::{EventKind, Protocol};
use urcheck_servers::fault::Position;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "asked.connections",
        about: "opens one connection for each AT+SMTPSEND and AT+POP3IN, and none of its own accord",
        basis: Basis::Clause("smtp.tcp"),
        watch: connections,
    },
    Monitor {
        id: "asked.retr",
        about: "retrieves an e-mail only for AT+POP3GET, or to show its header",
        basis: Basis::Clause("pop3.inquire-only"),
        watch: retr,
    },
    Monitor {
        id: "asked.dele",
        about: "marks an e-mail only for AT+POP3DEL with its number",
        basis: Basis::Clause("pop3.retrieve-keep"),
        watch: dele,
    },
    Monitor {
        id: "asked.quit",
        about: "takes leave of the POP3 server only for AT+POP3OUT: QUIT is what deletes",
        basis: Basis::Clause("pop3.out"),
        watch: quit,
    },
];

fn connections(account: &Account<'_>) -> Vec<Found> {
    if murky(account) {
        return Vec::new();
    }
    let mut found = connections_to(account, Protocol::Smtp, "+SMTPSEND", "+SMTPSTOP");
    found.extend(connections_to(
        account,
        Protocol::Pop3,
        "+POP3IN",
        "+POP3STOP",
    ));
    found
}

fn connections_to(
    account: &Account<'_>,
    protocol: Protocol,
    opens: &str,
    stops: &str,
) -> Vec<Found> {
    let mut found = Vec::new();
    let asked: Vec<&Exchange> = account
        .exchanges
        .iter()
        .filter(|e| e.executes(opens))
        .collect();
    let first = asked.first().map_or(account.events.len(), |e| e.event);
    for connection in opened(account, protocol, 0..first) {
        let message = format!("a connection was opened before any AT{opens}");
        found.push(Found::new(connection.event, message));
    }
    // A connection that was refused or left unanswered is none, even if it came about first.
    let refused = |number: u32| {
        let rules = match protocol {
            Protocol::Smtp => &account.case.smtp.fault,
            Protocol::Pop3 => &account.case.pop3.fault,
        };
        account.events.iter().any(|event| match &event.kind {
            EventKind::Fault {
                protocol: of,
                connection,
                rule,
                ..
            } => {
                let rule = rules.get(*rule);
                (*of, *connection) == (protocol, number)
                    && rule.is_none_or(|rule| rule.when == Position::Connect)
            }
            _ => false,
        })
    };
    let mut may_come_late = false;
    for (index, exchange) in asked.iter().enumerate() {
        let until = asked
            .get(index + 1)
            .map_or(account.events.len(), |e| e.event);
        let lines = exchange.commands().filter(|c| c.executes(opens)).count();
        let mut these = opened(account, protocol, exchange.event..until);
        these.retain(|connection| !refused(connection.number));
        let most = lines + usize::from(may_come_late);
        if let Some(more) = these.get(most) {
            let message = format!("{} connections were opened for one AT{opens}", these.len());
            found.push(Found::new(more.event, message));
        }
        let within = account
            .exchanges
            .iter()
            .filter(|e| (exchange.event..until).contains(&e.event));
        let stop = within
            .filter(|e| e.executes(stops) && account.result(e) == Some(true))
            .find_map(|e| account.answer(e).iter().find(|l| l.kind.is_final()));
        let after = stop.and_then(|ok| these.iter().find(|c| later(account, c.at, ok.done)));
        if let Some(after) = after.filter(|_| these.len() <= most) {
            let message =
                format!("a connection was opened after AT{stops} had been answered with OK");
            found.push(Found::new(after.event, message));
        }
        may_come_late = these.is_empty() && stop.is_some();
    }
    found
}

/// A login, and what the device said in its session, for those whose requests are all known.
fn sessions<'a>(account: &'a Account<'_>) -> Vec<(Login<'a>, Vec<Said>)> {
    if murky(account) {
        return Vec::new();
    }
    let logins = logins(account).into_iter();
    logins
        .filter_map(|login| {
            let lines = said(account, login.connection?);
            Some((login, lines))
        })
        .collect()
}

/// How often these commands asked for this number before an event.
fn asks(
    account: &Account<'_>,
    login: &Login<'_>,
    names: &[&str],
    number: u64,
    event: usize,
) -> usize {
    login
        .exchanges(account)
        .filter(|exchange| exchange.event < event)
        .flat_map(|exchange| exchange.commands())
        .filter(|command| names.contains(&command.name.as_str()))
        .filter(|command| command.arguments().first().and_then(|a| a.number()) == Some(number))
        .count()
}

/// Every line with this verb that nobody asked for.
fn unasked(account: &Account<'_>, verb: &str, names: &[&str], by: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for (login, lines) in sessions(account) {
        let mut seen = Vec::new();
        for line in &lines {
            let Some(argument) = line.after(verb).filter(|rest| !rest.is_empty()) else {
                continue;
            };
            let Ok(number) = argument.parse::<u64>() else {
                continue;
            };
            seen.push(number);
            let count = seen.iter().filter(|seen| **seen == number).count();
            let asked = asks(account, &login, names, number, line.event);
            if asked == 0 {
                let message = format!("the device sent `{}`, which no {by} asked for", line.text);
                found.push(Found::new(line.event, message));
            } else if count > asked {
                let message = format!(
                    "the device sent `{}` {count} times, and {by} asked for it {asked} times",
                    line.text
                );
                found.push(Found::new(line.event, message));
            }
        }
    }
    found
}

fn retr(account: &Account<'_>) -> Vec<Found> {
    unasked(
        account,
        "RETR ",
        &["+POP3GET", "+POP3HDR"],
        "AT+POP3GET or AT+POP3HDR",
    )
}

fn dele(account: &Account<'_>) -> Vec<Found> {
    unasked(account, "DELE ", &["+POP3DEL"], "AT+POP3DEL")
}

fn quit(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (login, lines) in sessions(account) {
        let Some(quit) = lines
            .iter()
            .find(|line| line.text.eq_ignore_ascii_case("QUIT"))
        else {
            continue;
        };
        let logged_in = account
            .exchanges
            .get(login.exchange)
            .and_then(|exchange| verdict(account, exchange, Kind::Pop3))
            .is_some_and(|(report, _)| report == "SUCCESS");
        let asked = login
            .exchanges(account)
            .any(|exchange| exchange.executes("+POP3OUT") && exchange.event < quit.event);
        // FILE SYSTEM ERROR closes the session, and the note does not say how.
        let full = login
            .exchanges(account)
            .filter(|exchange| asked_number(exchange, "+POP3GET").is_some())
            .any(|exchange| {
                let report = verdict(account, exchange, Kind::Pop3);
                report.is_none_or(|(report, _)| report == "FILE SYSTEM ERROR")
            });
        let stopped = login
            .exchanges(account)
            .any(|exchange| exchange.executes("+POP3STOP") && exchange.event < quit.event);
        if logged_in && !asked && (!full || stopped) {
            let how = if stopped {
                "AT+POP3STOP"
            } else {
                "no AT+POP3OUT"
            };
            let message =
                format!("the device took leave with QUIT on {how}, which deletes what is marked");
            found.push(Found::new(quit.event, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use rstest::rstest;
    use urcheck_reports::Protocol::Pop3;

    fn logged_in() -> Story {
        Story::new()
            .send("AT+POP3IN")
            .connected_pop3(1)
            .server(Pop3, 1, "+OK ready")
            .says("+POP3: SUCCESS")
            .says("OK")
    }

    #[rstest]
    #[case::get("asked.retr", "AT+POP3GET=1", &["RETR 1"], 0)]
    #[case::peek("asked.retr", "AT+POP3HDR=1", &["TOP 1 0", "RETR 1"], 0)]
    #[case::unasked("asked.retr", "AT+POP3LIST=1", &["RETR 1"], 1)]
    #[case::wrong_number("asked.retr", "AT+POP3GET=1", &["RETR 2"], 1)]
    #[case::twice("asked.retr", "AT+POP3GET=1", &["RETR 1", "RETR 1"], 1)]
    #[case::delete("asked.dele", "AT+POP3DEL=1", &["DELE 1"], 0)]
    #[case::delete_after_get("asked.dele", "AT+POP3GET=1", &["RETR 1", "DELE 1"], 1)]
    #[case::wrong_deletion("asked.dele", "AT+POP3DEL=1", &["DELE 2"], 1)]
    #[case::leave("asked.quit", "AT+POP3OUT", &["QUIT"], 0)]
    #[case::leave_on_stop("asked.quit", "AT+POP3STOP", &["QUIT"], 1)]
    #[case::leave_unasked("asked.quit", "AT+POP3NUM", &["STAT", "QUIT"], 1)]
    fn commands(#[case] id: &str, #[case] line: &str, #[case] said: &[&str], #[case] count: usize) {
        let story = said.iter().fold(logged_in().send(line), |story, said| {
            story.client(Pop3, 1, said)
        });
        assert_eq!(story.says("OK").found(id).len(), count);
    }

    #[test]
    fn a_full_storage_may_end_in_quit() {
        let story = logged_in()
            .send("AT+POP3GET=1")
            .says("OK")
            .client(Pop3, 1, "QUIT")
            .says("+POP3: FILE SYSTEM ERROR")
            // What clears up later is no reason for what was before.
            .send("AT+POP3STOP")
            .says("ERROR");
        assert!(story.found("asked.quit").is_empty());
    }

    #[test]
    fn one_connection_for_each_command() {
        let id = "asked.connections";
        assert_eq!(Story::new().connected_smtp(1).found(id).len(), 1);
        let one = || {
            Story::new()
                .send("AT+SMTPSEND")
                .connected_smtp(1)
                .says("OK")
        };
        assert!(one().found(id).is_empty());
        assert_eq!(one().connected_smtp(2).found(id).len(), 1);
        assert!(
            one()
                .send("AT+SMTPSEND")
                .connected_smtp(2)
                .found(id)
                .is_empty()
        );
        assert_eq!(logged_in().connected_pop3(2).found(id).len(), 1);
        assert!(one().send_raw(b"A/").connected_smtp(2).found(id).is_empty());
    }

    #[rstest]
    #[case(0.0, 0)]
    #[case(1.0, 1)]
    #[case(1.000_000_1, 0)]
    fn no_connection_after_stop(#[case] seconds: f64, #[case] count: usize) {
        let story = Story::new()
            .send("AT+SMTPSEND")
            .says("OK")
            .send("AT+SMTPSTOP")
            .says("OK")
            .after(seconds)
            .connected_smtp(1);
        assert_eq!(story.found("asked.connections").len(), count);
    }
}
