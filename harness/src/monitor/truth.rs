//! What the device reports of a sending is what happened.

use super::account::{Account, Connection, Message, Sending};
use super::context::{
    Said, answer, connections_of, disturbed, fired, later, murky, said, smtp_session,
};
use super::{Basis, Found, Monitor};
use urcheck_reports::Grade;
use urcheck_servers::fault::{Action, Position};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "truth.success",
        about: "reports `+SMTP: SUCCESS` only for a message that the server accepted",
        basis: Basis::Clause("smtp.urc.success"),
        watch: false_success,
    },
    Monitor {
        id: "truth.failure",
        about: "reports no failure for a message that the server accepted",
        basis: Basis::Clause("smtp.urc.success"),
        watch: false_failure,
    },
    Monitor {
        id: "truth.duplicate",
        about: "delivers a message once for each `AT+SMTPSEND`",
        basis: Basis::Clause("smtp.send"),
        watch: duplicate,
    },
    Monitor {
        id: "truth.stopped",
        about: "delivers nothing after `AT+SMTPSTOP` was answered with OK",
        basis: Basis::Clause("smtp.stop"),
        watch: delivered_after_stop,
    },
    Monitor {
        id: "truth.bad-rcpt",
        about: "names in `+SMTP: BAD RCPT` an address that the server refused",
        basis: Basis::Clause("smtp.urc.bad-rcpt"),
        watch: bad_rcpt,
    },
    Monitor {
        id: "truth.auth-error",
        about: "reports `+SMTP: AUTH ERROR` only when the server did not accept the login",
        basis: Basis::Clause("smtp.urc.auth-error"),
        watch: auth_error,
    },
    Monitor {
        id: "truth.param-error",
        about: "reports `+SMTP: PARAM ERROR` before it names a recipient to the server",
        basis: Basis::Clause("smtp.urc.param-error"),
        watch: param_error,
    },
];

/// What a message that was not sent can be reported as; the user's own stop is none of them.
const FAILURES: [&str; 5] = [
    "NETWORK ERROR",
    "SERVER ERROR",
    "AUTH REQUIRED",
    "AUTH ERROR",
    "PARAM ERROR",
];

/// Whether the server kept everything that there is to know of its connections.
fn complete(account: &Account<'_>) -> bool {
    let smtp = &account.servers.smtp;
    smtp.delivered_omitted == 0 && smtp.sessions_omitted == 0
}

fn delivered<'a>(account: &'a Account<'_>, connections: &[&Connection]) -> Vec<&'a Message> {
    let of_it = |m: &&Message| connections.iter().any(|c| c.number == m.session);
    account
        .servers
        .smtp
        .delivered
        .iter()
        .filter(of_it)
        .collect()
}

/// The first report of a sending that is one of these: what it says, and its event.
fn first<'a>(
    account: &'a Account<'_>,
    sending: &Sending,
    codes: &[&str],
) -> Option<(&'a str, usize)> {
    sending.reports.iter().find_map(|at| {
        let line = account.lines.get(*at)?;
        let report = account.report(line)?;
        codes.contains(&report).then_some((report, line.event))
    })
}

fn false_success(account: &Account<'_>) -> Vec<Found> {
    if account.servers.smtp.delivered_omitted > 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for sending in account.sendings() {
        let accepted = delivered(account, &connections_of(account, &sending));
        if let Some((_, event)) = first(account, &sending, &["SUCCESS"])
            && accepted.is_empty()
        {
            let message = "`+SMTP: SUCCESS` was reported, but the server accepted no message";
            found.push(Found::new(event, message).graded(Grade::FalseSuccess));
        }
    }
    found
}

fn false_failure(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings().iter().filter(|s| s.stop.is_none()) {
        let connections = connections_of(account, sending);
        let [connection] = connections.as_slice() else {
            continue;
        };
        let accepted = delivered(account, &connections);
        let Some((report, event)) = first(account, sending, &FAILURES) else {
            continue;
        };
        // A reset can destroy the answer that was on its way.
        let reset = smtp_session(account, connection.number)
            .is_none_or(|s| s.closed_by.as_deref() == Some("server-reset"));
        if accepted.is_empty() || reset || disturbed(account, connection) {
            continue;
        }
        let message =
            format!("`+SMTP: {report}` was reported, but the server accepted the message");
        found.push(Found::new(event, message).graded(Grade::FalseFailure));
    }
    found
}

fn duplicate(account: &Account<'_>) -> Vec<Found> {
    if murky(account) || !complete(account) {
        return Vec::new();
    }
    let mut found = Vec::new();
    // Every `AT+SMTPSEND` counts, also one that was refused: it may have been taken up all the
    // same, which is another matter.
    let asked = |from: usize, until: usize| {
        let sends = account.exchanges.iter().filter(|e| e.executes("+SMTPSEND"));
        sends.filter(|e| (from..until).contains(&e.event)).count()
    };
    for sending in account.sendings() {
        let connections = connections_of(account, &sending);
        let count = delivered(account, &connections).len();
        let from = account.exchanges.get(sending.exchange).map(|e| e.event);
        let asked = asked(from.unwrap_or_default(), sending.until);
        if let Some(last) = connections.last()
            && count > asked
        {
            let message = format!("one `AT+SMTPSEND` delivered {count} messages");
            found.push(Found::new(last.event, message));
        }
    }
    found
}

fn delivered_after_stop(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let stop = sending.stop.and_then(|at| account.exchanges.get(at));
        let Some(ok) = stop.and_then(|e| account.answer(e).iter().find(|l| l.kind.is_final()))
        else {
            continue;
        };
        for connection in connections_of(account, &sending) {
            if delivered(account, &[connection]).is_empty() {
                continue;
            }
            let dot = said(account, connection)
                .into_iter()
                .rfind(|line| line.text == ".");
            if let Some(dot) = dot.filter(|dot| later(account, dot.at, ok.done)) {
                let message = "the message was finished and delivered after `AT+SMTPSTOP` had been answered with OK";
                found.push(Found::new(dot.event, message));
            }
        }
    }
    found
}

/// The address between `RCPT TO:<` and `>`.
fn path(argument: &str) -> Option<&str> {
    let rest = argument.trim().strip_prefix('<')?;
    rest.split_once('>').map(|(path, _)| path)
}

/// Whether the server said yes to this recipient, if it was named once.
fn accepted(account: &Account<'_>, connection: &Connection, address: &str) -> Option<bool> {
    let names_it = |path: Option<&str>| path.is_some_and(|path| path.eq_ignore_ascii_case(address));
    let lines = said(account, connection);
    let mut asked = lines
        .iter()
        .filter(|line| names_it(line.after("RCPT TO:").and_then(path)));
    let line = asked.next()?;
    if asked.next().is_some() {
        return None;
    }
    if !is_batched(&lines, connection) {
        let (_, bytes) = answer(account, connection, line.event)?;
        return Some(bytes.first() == Some(&b'2'));
    }
    // Where lines go out together, the next answer is that to the first of them (RFC 2920 3.1).
    let session =
        smtp_session(account, connection.number).filter(|session| session.omitted == 0)?;
    let mut answered = session.commands.iter().zip(session.replies.iter().skip(1));
    let (_, reply) = answered.find(|(command, _)| {
        let rest = command.split_at_checked("RCPT TO:".len());
        let rest = rest.filter(|(verb, _)| verb.eq_ignore_ascii_case("RCPT TO:"));
        names_it(rest.and_then(|(_, rest)| path(rest)))
    })?;
    Some(reply.starts_with('2'))
}

/// Whether the client sent a command before the server had answered the one before.
fn is_batched(lines: &[Said], connection: &Connection) -> bool {
    let commands = lines.split_inclusive(|line| line.after("DATA").is_some());
    let commands = commands.take(1).flatten().collect::<Vec<_>>();
    commands
        .iter()
        .zip(commands.iter().skip(1))
        .any(|(one, next)| {
            let mut between = connection.traffic.iter();
            !between.any(|t| !t.from_client && t.event > one.event && t.event < next.event)
        })
}

fn bad_rcpt(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings().iter().filter(|s| s.stop.is_none()) {
        let connections = connections_of(account, sending);
        let [connection] = connections.as_slice() else {
            continue;
        };
        // Injected answers may belong to any line.
        let shifted = fired(account, connection).iter().any(|(_, rule)| {
            rule.is_none_or(|r| {
                matches!(r.action, Action::Inject | Action::Reply | Action::Endless)
                    && r.when != Position::Rcpt
            })
        });
        let pipelined = smtp_session(account, connection.number)
            .is_none_or(|s| s.lints.iter().any(|l| l.id == "smtp.pipelining"));
        if shifted || pipelined {
            continue;
        }
        for at in &sending.reports {
            let Some(line) = account.lines.get(*at) else {
                continue;
            };
            let Some(named) = account
                .report(line)
                .and_then(|r| r.strip_prefix("BAD RCPT"))
            else {
                continue;
            };
            let named = named.trim_matches([' ', '[', ']', '<', '>', '"', ',', ':']);
            if !named.is_empty() && accepted(account, connection, named) == Some(true) {
                let message = format!("`+SMTP: BAD RCPT` names {named}, which the server accepted");
                found.push(Found::new(line.event, message).graded(Grade::FalseFailure));
            }
            let refused = said(account, connection).iter().any(|line| {
                let path = line.after("RCPT TO:").and_then(path);
                path.is_some_and(|path| accepted(account, connection, path) != Some(true))
            });
            if named.is_empty()
                && !refused
                && !disturbed(account, connection)
                && !delivered(account, &connections).is_empty()
            {
                let message = "`+SMTP: BAD RCPT` was reported, but the server accepted every recipient and the message";
                found.push(Found::new(line.event, message).graded(Grade::FalseFailure));
            }
        }
    }
    found
}

fn auth_error(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings().iter().filter(|s| s.stop.is_none()) {
        let connections = connections_of(account, sending);
        let Some((_, event)) = first(account, sending, &["AUTH ERROR"]) else {
            continue;
        };
        if let [connection] = connections.as_slice() {
            let session = smtp_session(account, connection.number);
            let user = session.and_then(|session| session.user.as_deref());
            if let Some(user) = user.filter(|_| !connection.faulty) {
                let message =
                    format!("`+SMTP: AUTH ERROR` was reported, but the server let {user:?} log in");
                found.push(Found::new(event, message).graded(Grade::FalseFailure));
            }
        }
    }
    found
}

fn param_error(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings().iter().filter(|s| s.stop.is_none()) {
        // When a parameter is looked at, the note does not say; but none is missing of an e-mail for
        // which the server was asked to take a recipient.
        let asked = connections_of(account, sending)
            .into_iter()
            .any(|connection| {
                let lines = said(account, connection);
                lines.iter().any(|line| line.after("RCPT TO:").is_some())
            });
        let codes = [FAILURES.as_slice(), &["SUCCESS"]].concat();
        if let Some(("PARAM ERROR", event)) = first(account, sending, &codes)
            && asked
        {
            let message =
                "`+SMTP: PARAM ERROR` was reported, but the server had been told a recipient";
            found.push(Found::new(event, message));
        }
    }
    found
}

#[cfg(test)]
#[path = "truth_tests.rs"]
mod tests;
