//! What the device reports of a maildrop is what happened.

use super::account::{Account, Connection, Exchange, Kind};
use super::context::{
    Login, asked_number, attempts, disturbed, fired, later, logins, murky, pop3_session, told,
    verdict,
};
use super::{Basis, Found, Monitor};
use std::collections::BTreeSet;
use urcheck_reports::{Grade, Protocol};
use urcheck_servers::fault::Action;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "truth.login",
        about: "reports `+POP3: SUCCESS` for AT+POP3IN if, and only if, the server let it log in",
        basis: Basis::Clause("pop3.in"),
        watch: login,
    },
    Monitor {
        id: "truth.retrieved",
        about: "reports `+POP3: SUCCESS` for AT+POP3GET only for an e-mail that was sent whole, and no failure for one that was",
        basis: Basis::Clause("pop3.urc.success"),
        watch: retrieved,
    },
    Monitor {
        id: "truth.marked",
        about: "reports `+POP3: SUCCESS` for AT+POP3DEL if, and only if, the server marked the e-mail",
        basis: Basis::Clause("pop3.del"),
        watch: marked,
    },
    Monitor {
        id: "truth.logout",
        about: "reports `+POP3: SUCCESS` for AT+POP3OUT only when it took leave with QUIT",
        basis: Basis::Clause("pop3.out"),
        watch: logout,
    },
    Monitor {
        id: "truth.deleted",
        about: "has deleted what was marked when AT+POP3OUT succeeds",
        basis: Basis::Clause("pop3.del"),
        watch: deleted,
    },
    Monitor {
        id: "truth.only-marked",
        about: "deletes nothing unless the session is finished with AT+POP3OUT",
        basis: Basis::Clause("pop3.del.only-marks"),
        watch: deleted_without_logout,
    },
];

/// Whether a session of before goes on when this exchange begins.
fn session_before(account: &Account<'_>, exchange: &Exchange) -> bool {
    account
        .connections_to(Protocol::Pop3)
        .filter(|connection| connection.event < exchange.event)
        .any(|connection| {
            let ended = connection.closed();
            ended.is_none_or(|end| {
                !later(account, exchange.at, end.at) && end.event > exchange.event
            })
        })
}

fn login(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for login in attempts(account) {
        let Some(exchange) = account.exchanges.get(login.exchange) else {
            continue;
        };
        let Some((report, event)) = verdict(account, exchange, Kind::Pop3) else {
            continue;
        };
        if exchange
            .command
            .as_ref()
            .is_some_and(|line| line.only().is_none())
        {
            continue;
        }
        let sessions = super::context::opened(account, Protocol::Pop3, exchange.event..login.until);
        let known: Vec<_> = sessions
            .iter()
            .map(|connection| pop3_session(account, connection.number))
            .collect();
        if known.iter().any(Option::is_none) {
            continue;
        }
        let let_in = known.iter().flatten().any(|session| session.user.is_some());
        if report == "SUCCESS" && !let_in && !session_before(account, exchange) {
            let message = "`+POP3: SUCCESS` was reported for AT+POP3IN, but nobody is logged in at the server";
            found.push(Found::new(event, message).graded(Grade::FalseSuccess));
        }
        let failures = [
            "NETWORK ERROR",
            "SERVER ERROR",
            "INVALID UN",
            "INVALID UN/PWD",
        ];
        if let Some(connection) = login.connection
            && let_in
            && failures.contains(&report)
            && !disturbed(account, connection)
            && connection.closed_by_server.is_none()
        {
            let message = format!(
                "`+POP3: {report}` was reported for AT+POP3IN, but the server accepted the login"
            );
            found.push(Found::new(event, message).graded(Grade::FalseFailure));
        }
    }
    found
}

/// Whether nothing can be wrong with reading this e-mail: plain lines of ASCII in one part.
fn is_plain(mail: &[u8]) -> bool {
    let text = String::from_utf8_lossy(mail).to_ascii_lowercase();
    mail.is_ascii()
        && !text.contains("multipart/")
        && !text.contains("message/")
        && !text.contains("content-transfer-encoding")
        && text.contains("\r\n\r\n")
        && text.lines().all(|line| line.len() <= 998)
}

/// Why the server cannot have sent an e-mail whole on this connection.
fn cut_off(account: &Account<'_>, connection: &Connection) -> bool {
    fired(account, connection).iter().any(|(_, rule)| {
        rule.is_some_and(|rule| {
            use Action::{Fin, HalfClose, Rst, Stall, Swallow, Truncate};
            matches!(
                rule.action,
                Truncate | Fin | Rst | Stall | Swallow | HalfClose
            )
        })
    })
}

fn retrieved(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for login in logins(account) {
        let (Some(connection), Some(session)) = (login.connection, login.session) else {
            continue;
        };
        let exchanges: Vec<_> = login.exchanges(account).collect();
        for exchange in &exchanges {
            let Some(number) = asked_number(exchange, "+POP3GET") else {
                continue;
            };
            let Some((report, event)) = verdict(account, exchange, Kind::Pop3) else {
                continue;
            };
            let whole = session.retrieved.contains(&number);
            let lines = told(session, "RETR");
            let of_it: Vec<_> = lines
                .iter()
                .filter(|(argument, _)| argument.parse() == Ok(number))
                .collect();
            let granted = of_it.iter().any(|(_, reply)| reply.starts_with("+OK"));
            let honest = !disturbed(account, connection);
            if report == "SUCCESS"
                && !whole
                && session.omitted == 0
                && (honest || !granted || cut_off(account, connection))
            {
                let message = format!(
                    "`+POP3: SUCCESS` was reported for e-mail {number}, but the server did not send it whole"
                );
                found.push(Found::new(event, message).graded(Grade::FalseSuccess));
            }
            let asked = exchanges
                .iter()
                .filter(|e| asked_number(e, "+POP3GET") == Some(number));
            let mail = usize::try_from(number)
                .ok()
                .and_then(|number| account.case.pop3.mail.get(number.checked_sub(1)?));
            if matches!(report, "FAILURE" | "SERVER ERROR" | "NETWORK ERROR")
                && whole
                && asked.count() == 1
                && of_it.len() == 1
                && honest
                && connection.closed_by_server.is_none()
                && mail.is_some_and(|mail| is_plain(mail))
            {
                let message = format!(
                    "`+POP3: {report}` was reported for e-mail {number}, but the server sent it whole and in time"
                );
                found.push(Found::new(event, message).graded(Grade::FalseFailure));
            }
        }
    }
    found
}

fn marked(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for login in logins(account) {
        let (Some(connection), Some(session)) = (login.connection, login.session) else {
            continue;
        };
        let exchanges: Vec<_> = login.exchanges(account).collect();
        for exchange in &exchanges {
            let Some(number) = asked_number(exchange, "+POP3DEL") else {
                continue;
            };
            let Some((report, event)) = verdict(account, exchange, Kind::Pop3) else {
                continue;
            };
            // A success behind a refusal is that of a retrieval that still goes on.
            if report == "SUCCESS" && account.result(exchange) == Some(false) {
                continue;
            }
            let deles = told(session, "DELE");
            let of_it: Vec<_> = deles
                .iter()
                .filter(|(argument, _)| argument.parse() == Ok(number))
                .collect();
            let marked = of_it.iter().any(|(_, reply)| reply.starts_with("+OK"));
            // A device may keep the mark to itself until it takes leave.
            let settled = !of_it.is_empty() || session.quit;
            if report == "SUCCESS" && !marked && settled && session.omitted == 0 {
                let message = format!(
                    "`+POP3: SUCCESS` was reported for AT+POP3DEL={number}, but the server marked no such e-mail"
                );
                found.push(Found::new(event, message).graded(Grade::FalseSuccess));
            }
            let asked = exchanges
                .iter()
                .filter(|e| asked_number(e, "+POP3DEL") == Some(number));
            if report == "SERVER ERROR"
                && marked
                && of_it.len() == 1
                && asked.count() == 1
                && !disturbed(account, connection)
                && connection.closed_by_server.is_none()
            {
                let message = format!(
                    "`+POP3: SERVER ERROR` was reported for AT+POP3DEL={number}, but the server marked the e-mail"
                );
                found.push(Found::new(event, message).graded(Grade::FalseFailure));
            }
        }
    }
    found
}

/// The exchange of AT+POP3OUT in a login, and the event of its success.
fn succeeded_logout<'a>(account: &'a Account<'_>, login: &Login<'a>) -> Option<usize> {
    login.exchanges(account).find_map(|exchange| {
        let out = exchange.command.as_ref()?.only()?.executes("+POP3OUT");
        let (report, event) = verdict(account, exchange, Kind::Pop3)?;
        (out && report == "SUCCESS").then_some(event)
    })
}

fn logout(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for login in logins(account) {
        let (Some(connection), Some(session)) = (login.connection, login.session) else {
            continue;
        };
        // Whether a session that the server ended can be finished normally is open to dispute.
        if let Some(event) = succeeded_logout(account, &login)
            && !session.quit
            && connection.closed_by_server.is_none()
        {
            let message = "`+POP3: SUCCESS` was reported for AT+POP3OUT, but the device did not take leave with QUIT";
            found.push(Found::new(event, message).graded(Grade::FalseSuccess));
        }
    }
    found
}

fn deleted(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for login in logins(account) {
        let (Some(connection), Some(session)) = (login.connection, login.session) else {
            continue;
        };
        let Some(event) = succeeded_logout(account, &login) else {
            continue;
        };
        let faulty = connection.faulty || disturbed(account, connection);
        let marked: BTreeSet<u64> = login
            .exchanges(account)
            .filter(|e| verdict(account, e, Kind::Pop3).is_some_and(|(r, _)| r == "SUCCESS"))
            .filter_map(|exchange| asked_number(exchange, "+POP3DEL"))
            .collect();
        let removals = &account.servers.pop3.removed;
        let gone = removals.iter().filter(|r| r.session == session.id).count();
        if !faulty && gone < marked.len() {
            let message = format!(
                "AT+POP3DEL and AT+POP3OUT succeeded for {} e-mails, but the server deleted {gone}",
                marked.len()
            );
            found.push(Found::new(event, message).graded(Grade::FalseSuccess));
        }
    }
    found
}

fn deleted_without_logout(account: &Account<'_>) -> Vec<Found> {
    if murky(account) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let logins = logins(account);
    for connection in account.connections_to(Protocol::Pop3) {
        let removals = &account.servers.pop3.removed;
        let gone = removals.iter().filter(|r| r.session == connection.number);
        let gone = gone.count();
        if gone == 0 {
            continue;
        }
        let end = connection
            .closed()
            .map_or(account.events.len(), |end| end.event);
        let login = logins.iter().rfind(|login| {
            let exchange = account.exchanges.get(login.exchange);
            exchange.is_some_and(|exchange| exchange.event < connection.event)
        });
        let out = login.is_some_and(|login| {
            let mut exchanges = login.exchanges(account);
            exchanges.any(|exchange| exchange.executes("+POP3OUT") && exchange.event < end)
        });
        if !out {
            let message = format!("{gone} e-mails were deleted without AT+POP3OUT");
            found.push(Found::new(
                end.min(account.events.len().saturating_sub(1)),
                message,
            ));
        }
    }
    found
}

#[cfg(test)]
#[path = "truth_pop3_tests.rs"]
mod tests;
