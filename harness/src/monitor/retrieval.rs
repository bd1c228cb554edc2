//! What is asked of the POP3 client has one outcome, and nothing else has one.

use super::account::{Account, Exchange, Kind, Line};
use super::{Basis, Found, MOST, Monitor};
use std::time::Duration;
use urcheck_reports::Protocol;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "retrieval.unasked",
        about: "reports one outcome of each POP3 command, and none after `AT+POP3STOP`",
        basis: Basis::Document("note 1, POP3 URCs; 4.6"),
        watch: unasked,
    },
    Monitor {
        id: "retrieval.missing",
        about: "reports an outcome of every `AT+POP3GET` that it took up",
        basis: Basis::Clause("pop3.timer"),
        watch: missing,
    },
];

/// The commands that are answered with a `+POP3:` line.
const COMMANDS: &[&str] = &[
    "+POP3IN",
    "+POP3NUM",
    "+POP3LIST",
    "+POP3HDR",
    "+POP3GET",
    "+POP3DEL",
    "+POP3OUT",
    "+POP3READ",
];

/// What may still be under way when a stop is answered comes within this.
const MARGIN: Duration = Duration::from_secs(1);

/// How many commands of a line are answered with a `+POP3:` line at most.
fn asked(exchange: &Exchange) -> usize {
    COMMANDS.iter().filter(|name| exchange.asks(name)).count() * exchange.commands().count().max(1)
}

fn unasked(account: &Account<'_>) -> Vec<Found> {
    let disturbed = account.disturbed();
    let mut found = Vec::new();
    // Reports that can still come, by the exchange of their command.
    let mut due: Vec<(usize, usize)> = Vec::new();
    // Reports that a stop made void, but that may have been under way.
    let mut void: Option<(usize, Duration)> = None;
    for (index, exchange) in account.exchanges.iter().enumerate() {
        if !exchange.plain || (exchange.command.is_none() && !exchange.data) {
            // Nobody knows what was asked for, or in which form the answer comes.
            break;
        }
        due.retain(|(at, _)| {
            account
                .exchanges
                .get(*at)
                .is_some_and(|e| !is_over(account, e))
        });
        let asked = asked(exchange);
        if asked > 0 {
            due.push((index, asked));
        }
        let mut stopped = false;
        for line in account.answer(exchange) {
            if line.kind == Kind::Ok && exchange.executes("+POP3STOP") && !stopped {
                stopped = true;
                let open = due.drain(..).map(|(_, count)| count).sum();
                void = Some((open, line.done));
            }
            if line.kind != Kind::Pop3 || line.event >= disturbed || account.may_be_foreign(line) {
                continue;
            }
            if let Some(newest) = due.last_mut() {
                newest.1 -= 1;
                due.retain(|(_, count)| *count > 0);
                continue;
            }
            match &mut void {
                Some((open, since)) if *open > 0 && line.at <= *since + MARGIN => *open -= 1,
                _ if excused(account, line) || found.len() >= MOST => {}
                _ => {
                    let text = account.text(line).escape_ascii();
                    let message = format!("`{text}` came although nothing was asked for");
                    found.push(Found::new(line.event, message));
                }
            }
        }
    }
    found
}

/// Whether no report of an exchange can come any more: it was refused, or its result says all.
fn is_over(account: &Account<'_>, exchange: &Exchange) -> bool {
    let prints = exchange.asks("+POP3READ") || exchange.asks("+POP3HDR");
    match account.result(exchange) {
        Some(true) => {
            prints
                && exchange
                    .command
                    .as_ref()
                    .is_some_and(|line| line.only().is_some())
        }
        Some(false) => true,
        None => false,
    }
}

/// A session that the server ends may be reported by itself ("POP3 server released the session").
fn excused(account: &Account<'_>, line: &Line) -> bool {
    // Before anything was sent it may belong to what was done before the case.
    line.exchange.is_none()
        || !matches!(
            account.report(line),
            Some("SUCCESS" | "FAILURE" | "FILE SYSTEM ERROR" | "INVALID UN" | "INVALID UN/PWD")
        )
}

fn missing(account: &Account<'_>) -> Vec<Found> {
    if !account.reports_come() {
        return Vec::new();
    }
    let allowed = account.policy.timers.pop3 + account.policy.timers.tolerance;
    let mut found = Vec::new();
    for (index, exchange) in account.exchanges.iter().enumerate() {
        if !exchange.asks("+POP3GET") || account.result(exchange) != Some(true) {
            continue;
        }
        let later = account.exchanges.get(index + 1..).unwrap_or_default();
        let next = later.iter().find(|exchange| {
            let unreadable = exchange.command.is_none() && !exchange.data;
            unreadable || exchange.asks("+POP3STOP") || asked(exchange) > 0
        });
        let (until, end) = match next {
            Some(next) => (next.event, next.at),
            None => (account.events.len(), account.end()),
        };
        let span = exchange.event + 1..until;
        let reported = account
            .lines
            .iter()
            .any(|line| line.kind == Kind::Pop3 && span.contains(&line.event));
        let traffic = account
            .last_traffic(Protocol::Pop3, span)
            .unwrap_or_default();
        let silent = end.saturating_sub(traffic.max(exchange.at));
        if !reported && silent > allowed {
            let silent = silent.as_secs_f64();
            let message = format!(
                "`AT+POP3GET` was taken up, but nothing was reported of it; its dialogue ended {silent:.1} s before"
            );
            found.push(Found::new(exchange.event, message));
        }
    }
    found
}

#[cfg(test)]
#[path = "tests/retrieval.rs"]
mod tests;
