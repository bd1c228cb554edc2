//! A sending has one outcome, and its reports come when something was asked for.

use super::account::{Account, Exchange, Line, Sending};
use super::vocabulary::{bad_recipients, forward_path, is_smtp};
use super::{Basis, Found, MOST, Monitor};
use std::time::Duration;
use urcheck_reports::{Grade, Protocol};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "report.second",
        about: "reports one outcome of a sending, and `+SMTP: OK` at most once and before it",
        basis: Basis::Clause("smtp.send"),
        watch: second,
    },
    Monitor {
        id: "report.missing",
        about: "reports an outcome of every sending that was not stopped",
        basis: Basis::Clause("smtp.timer"),
        watch: missing,
    },
    Monitor {
        id: "report.unasked",
        about: "reports nothing of a sending that nobody asked for",
        basis: Basis::Clause("smtp.send"),
        watch: unasked,
    },
    Monitor {
        id: "report.after-stop",
        about: "reports no failure of a sending after `AT+SMTPSTOP` was answered",
        basis: Basis::Clause("smtp.stop"),
        watch: after_stop,
    },
    Monitor {
        id: "report.session",
        about: "reports `+SMTP: OK` only when a TCP session is there",
        basis: Basis::Clause("smtp.urc.ok"),
        watch: session,
    },
];

/// Most bad recipients of one sending that are remembered.
const MOST_REMEMBERED: usize = 200;

/// How much later something must be for its order to be evidence: reports may wait for a result
/// that is being sent, and what the other side did may be told late.
const MARGIN: Duration = Duration::from_secs(1);

/// The reports of a sending that are statements of the device and worded as they should be.
fn reports<'a>(
    account: &'a Account<'_>,
    sending: &'a Sending,
) -> impl Iterator<Item = (&'a Line, &'a str)> {
    let disturbed = account.disturbed();
    let lines = sending
        .reports
        .iter()
        .filter_map(|at| account.lines.get(*at));
    lines
        .filter(move |line| line.event < disturbed && !account.may_be_foreign(line))
        .filter(|line| is_smtp(account.text(line)))
        .filter_map(|line| Some((line, account.report(line)?)))
        // The one is said of another sending, the other of a file.
        .filter(|(_, code)| !matches!(*code, "ONGOING" | "OVERSIZE"))
}

/// Whether the DTE asked for a stop while this sending was the last one.
fn stop_asked<'a>(account: &'a Account<'_>, sending: &Sending) -> Option<&'a Exchange> {
    let span = sending.until;
    let later = account
        .exchanges
        .get(sending.exchange..)
        .unwrap_or_default();
    later.iter().find(|exchange| {
        exchange.event < span
            && (exchange.asks("+SMTPSTOP") || exchange.command.is_none() && !exchange.data)
    })
}

fn second(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    // Whether nothing of an earlier sending can still come.
    let mut earlier_over = true;
    for sending in account.sendings() {
        let mut outcome: Option<&str> = None;
        let mut started = false;
        let mut refused: Vec<&str> = Vec::new();
        let stop = stop_asked(account, &sending);
        for (line, code) in reports(account, &sending) {
            let wrong = match (code, outcome) {
                ("USER CANCEL", _) if stop.is_some() => None,
                ("OK", None) if !started => {
                    started = true;
                    None
                }
                ("OK", None) => Some("`+SMTP: OK` came twice for one sending".to_owned()),
                (code, None | Some("BAD RCPT")) if code.starts_with("BAD RCPT") => {
                    outcome = Some("BAD RCPT");
                    let addresses = bad_recipients(account, line);
                    let again = addresses
                        .iter()
                        .find(|one| refused.contains(one) && given(account, one) < 2);
                    let again = again.map(|one| {
                        format!("`+SMTP: BAD RCPT` came twice for `{one}` in one sending")
                    });
                    refused.extend(
                        addresses
                            .into_iter()
                            .take(MOST_REMEMBERED - refused.len().min(MOST_REMEMBERED)),
                    );
                    again
                }
                // What is sent to the others after a bad recipient has an outcome of its own.
                (code, None | Some("BAD RCPT")) if code != "OK" => {
                    outcome = Some(code);
                    None
                }
                (code, before) => {
                    let before = before.unwrap_or_default();
                    Some(format!(
                        "`+SMTP: {code}` came after `+SMTP: {before}` of the same sending"
                    ))
                }
            };
            if let Some(message) = wrong.filter(|_| earlier_over && found.len() < MOST) {
                found.push(Found::new(line.event, message));
            }
        }
        earlier_over = outcome.is_some() && stop.is_none();
    }
    found
}

/// How many times an address was given as a recipient, at most.
fn given(account: &Account<'_>, address: &str) -> usize {
    let sessions = account.servers.smtp.sessions.iter();
    let on_the_wire = sessions
        .flat_map(|session| &session.commands)
        .filter(|command| forward_path(command) == Some(address))
        .count();
    let set = account.exchanges.iter().flat_map(Exchange::commands);
    let set = set.filter(|command| {
        let mut arguments = command.arguments().iter();
        command.name == "+SMTPRCPT" && arguments.any(|one| one.text() == Some(address))
    });
    on_the_wire.max(set.count())
}

fn missing(account: &Account<'_>) -> Vec<Found> {
    if !account.reports_come() {
        return Vec::new();
    }
    let timers = &account.policy.timers;
    let timer = timers.smtp + timers.tolerance;
    let mut found = Vec::new();
    for sending in account.sendings() {
        let Some(exchange) = account.exchanges.get(sending.exchange) else {
            continue;
        };
        let ended = sending
            .reports
            .iter()
            .any(|line| account.ends_sending(*line));
        let stop = stop_asked(account, &sending);
        let stopped = stop.is_some_and(|stop| account.result(stop) != Some(false));
        if ended || stopped || account.result(exchange) != Some(true) {
            continue;
        }
        let end = match account.events.get(sending.until) {
            Some(event) => event.at,
            None => account.end(),
        };
        let span = exchange.event + 1..sending.until;
        let mut connections = account
            .connections_to(Protocol::Smtp)
            .filter(|connection| span.contains(&connection.event));
        let left = connections.all(|connection| connection.closed_by_client.is_some());
        let (since, allowed) = match account.last_traffic(Protocol::Smtp, span) {
            // The device itself has closed: it knows what came of it.
            Some(traffic) if left => (traffic, timer.min(timers.answer + timers.tolerance)),
            Some(traffic) => (traffic, timer),
            // The name of the server and its port may time out one after the other.
            None => (exchange.at, timer * 2),
        };
        let silent = end.saturating_sub(since.max(exchange.at));
        if silent > allowed {
            let silent = silent.as_secs_f64();
            let message = format!(
                "a sending was taken up, but nothing was reported of it; its dialogue ended {silent:.1} s before"
            );
            found.push(Found::new(exchange.event, message));
        }
    }
    found
}

fn unasked(account: &Account<'_>) -> Vec<Found> {
    let of_sendings: Vec<usize> = account
        .sendings()
        .into_iter()
        .flat_map(|sending| sending.reports)
        .collect();
    let disturbed = account.disturbed();
    let mut found = Vec::new();
    for (index, line) in account.lines.iter().enumerate() {
        // Before anything was sent it may belong to what was done before the case.
        let Some(at) = line.exchange.filter(|_| is_smtp(account.text(line))) else {
            continue;
        };
        let before = account.exchanges.get(..=at).unwrap_or_default();
        let unreadable = before.iter().any(|e| e.command.is_none() && !e.data);
        let asked = before.iter().any(|exchange| exchange.asks("+SMTPSEND"));
        let code = account.report(line).unwrap_or_default();
        let excused = match code {
            // Said to other commands, or late after a stop.
            "ONGOING" | "OVERSIZE" | "USER CANCEL" => true,
            "OK" | "SUCCESS" => false,
            // Why a sending was refused may come behind its result.
            _ => asked,
        };
        let over = line.event >= disturbed || account.may_be_foreign(line);
        if excused || unreadable || over || of_sendings.binary_search(&index).is_ok() {
            continue;
        }
        let grade = match code {
            "SUCCESS" => Grade::FalseSuccess,
            _ => Grade::Deviation,
        };
        if found.len() < MOST {
            let message = format!("`+SMTP: {code}` came although no sending was taken up");
            found.push(Found::new(line.event, message).graded(grade));
        }
    }
    found
}

fn after_stop(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let stop = sending.stop.and_then(|at| account.exchanges.get(at));
        let answer = stop.and_then(|stop| account.answer(stop).iter().find(|l| l.kind.is_final()));
        let Some(answered) = answer else {
            continue;
        };
        for (line, code) in reports(account, &sending) {
            // Whether a late success is true is another monitor's question.
            let late = line.at > answered.done + MARGIN;
            if late && !matches!(code, "USER CANCEL" | "SUCCESS") && found.len() < MOST {
                let message =
                    format!("`+SMTP: {code}` came although `AT+SMTPSTOP` had ended the sending");
                found.push(Found::new(line.event, message));
            }
        }
    }
    found
}

fn session(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let Some(exchange) = account.exchanges.get(sending.exchange) else {
            continue;
        };
        let Some((line, _)) = reports(account, &sending).find(|(_, code)| *code == "OK") else {
            continue;
        };
        // One that is still open from before counts as well.
        let mut usable = account.connections_to(Protocol::Smtp).filter(|connection| {
            connection.event < sending.until
                && connection
                    .closed()
                    .is_none_or(|end| end.event > exchange.event)
        });
        let message = match usable.next() {
            None => {
                "`+SMTP: OK` was reported, but no connection to the server was opened".to_owned()
            }
            Some(first) if first.at > line.done + MARGIN => {
                let later = (first.at - line.done).as_secs_f64();
                format!("`+SMTP: OK` was reported {later:.1} s before the connection was opened")
            }
            Some(_) => continue,
        };
        found.push(Found::new(line.event, message));
    }
    found
}

#[cfg(test)]
#[path = "tests/reports.rs"]
mod tests;
