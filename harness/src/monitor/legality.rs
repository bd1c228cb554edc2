//! What the servers saw the device do wrong: each lint with the document that it rests on, and
//! when the device is not to blame for it.

use super::account::{Account, Connection};
use super::context::{connections_of, fired, late, said};
use super::{Basis, Found, Monitor};
use std::collections::BTreeSet;
use urcheck_reports::{EventKind, Protocol};
use urcheck_servers::fault::{Action, Position};

macro_rules! monitor {
    ($id:literal, $about:literal, $basis:literal, $protocol:ident) => {
        Monitor {
            id: $id,
            about: $about,
            basis: Basis::Document($basis),
            watch: |account| judge(account, Protocol::$protocol),
        }
    };
}

pub(super) const MONITORS: &[Monitor] = &[
    monitor!(
        "legal.smtp",
        "speaks SMTP and writes messages by the rules",
        "RFC 5321, RFC 5322",
        Smtp
    ),
    monitor!(
        "legal.pop3",
        "speaks POP3 by the rules",
        "RFC 1939, RFC 2449",
        Pop3
    ),
];

/// When a device is not to blame for a lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excuse {
    /// Never.
    None,
    /// It had to leave: it was stopped, it was reset or taken off the network, its timer ran out,
    /// or the server was none or had gone.
    Leave,
    /// It had to leave, or reported that the sending failed.
    GaveUp,
    /// The server said something that was not due, or nothing, so that the order is lost.
    Order,
    /// The DTE gave it an address or account that no line can hold.
    Given,
    /// The DTE asked for an e-mail of this number.
    Asked,
    /// An optional command may be tried, and what happens if it is not known is the client's
    /// business (RFC 1939 7).
    Optional,
    /// Nothing forbids it, or another monitor judges it better.
    Always,
}

/// Each lint: its id, the document, and the excuse.
const LINTS: &[(&str, &str, Excuse)] = &[
    ("smtp.talk-before-greeting", "RFC 5321 4.3.1", Excuse::Order),
    ("smtp.pipelining", "RFC 2920 3.1", Excuse::Order),
    ("smtp.bare-lf", "RFC 5321 2.3.8", Excuse::Given),
    ("smtp.bare-cr", "RFC 5321 2.3.8", Excuse::Given),
    ("smtp.control-character", "RFC 5321 4.1.2", Excuse::Given),
    ("smtp.8bit-command", "RFC 5321 2.4", Excuse::Given),
    ("smtp.line-too-long", "RFC 5321 4.5.3.1.4", Excuse::Given),
    ("smtp.trailing-space", "RFC 5321 4.1.1", Excuse::Given),
    ("smtp.space-after-colon", "RFC 5321 3.3", Excuse::None),
    ("smtp.missing-brackets", "RFC 5321 4.1.2", Excuse::None),
    ("smtp.hello-name", "RFC 5321 4.1.4", Excuse::None),
    ("smtp.bad-syntax", "RFC 5321 4.1.1", Excuse::Given),
    ("smtp.bad-address", "RFC 5321 4.1.2", Excuse::Given),
    ("smtp.unknown-command", "RFC 5321 4.1.1", Excuse::Order),
    ("smtp.no-hello", "RFC 5321 4.1.4", Excuse::Order),
    ("smtp.bad-sequence", "RFC 5321 4.1.4", Excuse::Order),
    ("smtp.parameter-not-offered", "RFC 5321 2.2.1", Excuse::None),
    ("smtp.auth-not-offered", "RFC 4954 4", Excuse::Order),
    ("smtp.auth-base64", "RFC 4954 4", Excuse::Order),
    ("smtp.auth-response", "RFC 4954 4", Excuse::Order),
    ("smtp.bytes-before-handshake", "RFC 3207 4.2", Excuse::None),
    ("smtp.data-without-recipient", "RFC 5321 3.3", Excuse::Order),
    ("smtp.body-bare-lf", "RFC 5321 2.3.8", Excuse::None),
    ("smtp.body-bare-cr", "RFC 5321 2.3.8", Excuse::None),
    ("smtp.body-nul", "RFC 5322 2.2", Excuse::None),
    ("smtp.body-line-too-long", "RFC 5322 2.1.1", Excuse::None),
    ("smtp.unstuffed-dot", "RFC 5321 4.5.2", Excuse::None),
    ("smtp.bare-lf-dot", "RFC 5321 4.1.1.4", Excuse::None),
    ("smtp.8bit-without-8bitmime", "RFC 6152 3", Excuse::None),
    ("smtp.size-too-small", "RFC 1870 6", Excuse::None),
    ("smtp.header-missing", "RFC 5322 3.6", Excuse::None),
    ("smtp.header-duplicate", "RFC 5322 3.6", Excuse::None),
    ("smtp.header-malformed", "RFC 5322 2.2", Excuse::None),
    ("smtp.bcc-header", "RFC 5321 7.2", Excuse::None),
    ("smtp.mime-version", "RFC 2045 4", Excuse::None),
    ("smtp.mime-boundary", "RFC 2046 5.1", Excuse::None),
    ("smtp.abandoned-message", "RFC 5321 4.1.1.10", Excuse::Leave),
    ("smtp.no-quit", "RFC 5321 4.1.1.10", Excuse::GaveUp),
    ("smtp.talk-after-421", "RFC 5321 3.8", Excuse::Order),
    ("smtp.talk-after-quit", "RFC 5321 4.1.1.10", Excuse::Order),
    ("smtp.helo-without-ehlo", "RFC 5321 4.1.1.1", Excuse::Always),
    ("smtp.bad-date", "RFC 5322 3.3", Excuse::None),
    ("smtp.base64-line-too-long", "RFC 2045 6.8", Excuse::None),
    ("pop3.talk-before-greeting", "RFC 1939 3", Excuse::Order),
    ("pop3.pipelined", "RFC 1939 3, RFC 2449 6.6", Excuse::Order),
    ("pop3.bare-lf", "RFC 1939 3", Excuse::Given),
    ("pop3.line-too-long", "RFC 2449 4", Excuse::Given),
    ("pop3.double-space", "RFC 1939 3", Excuse::Given),
    ("pop3.trailing-blank", "RFC 1939 3", Excuse::Given),
    ("pop3.not-printable", "RFC 1939 3", Excuse::Given),
    ("pop3.unknown-command", "RFC 1939 9", Excuse::Order),
    ("pop3.not-offered", "RFC 2449 5", Excuse::Optional),
    ("pop3.arguments", "RFC 1939 9", Excuse::Given),
    ("pop3.top-arguments", "RFC 1939 7", Excuse::None),
    ("pop3.wrong-state", "RFC 1939 3", Excuse::Order),
    ("pop3.pass-without-user", "RFC 1939 7", Excuse::Order),
    ("pop3.bad-number", "RFC 1939 5", Excuse::Asked),
    ("pop3.no-such-message", "RFC 1939 5", Excuse::Asked),
    ("pop3.deleted-message", "RFC 1939 5", Excuse::Asked),
    ("pop3.apop-digest", "RFC 1939 7", Excuse::None),
    ("pop3.sasl-response", "RFC 5034 4", Excuse::Order),
    ("pop3.sasl-initial-response", "RFC 5034 4", Excuse::None),
    ("pop3.talk-before-tls", "RFC 2595 4", Excuse::None),
    // RFC 1939 lets a client go; what it reports then is for `truth.logout` and `asked.quit`.
    ("pop3.no-quit", "RFC 1939 6", Excuse::Always),
    ("pop3.talk-after-quit", "RFC 1939 6", Excuse::Order),
];

fn judge(account: &Account<'_>, of: Protocol) -> Vec<Found> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, event) in account.events.iter().enumerate() {
        let EventKind::Lint {
            protocol,
            connection,
            id,
            message,
        } = &event.kind
        else {
            continue;
        };
        if *protocol != of || !seen.insert((*connection, id.as_str())) {
            continue;
        }
        let Some((_, section, excuse)) = LINTS.iter().find(|(known, ..)| known == id) else {
            continue;
        };
        let mut connections = account.connections_to(of);
        let Some(connection) = connections.find(|c| c.number == *connection) else {
            continue;
        };
        if !is_excused(account, connection, *excuse, index) {
            let mut breach = Found::new(index, format!("{message} ({id})"));
            breach.details.push((*section).to_owned());
            found.push(breach);
        }
    }
    found
}

fn is_excused(
    account: &Account<'_>,
    connection: &Connection,
    excuse: Excuse,
    event: usize,
) -> bool {
    match excuse {
        Excuse::None => false,
        Excuse::Always => true,
        Excuse::Leave => had_to_leave(account, connection),
        Excuse::GaveUp => had_to_leave(account, connection) || gave_up(account, connection),
        Excuse::Order => order_is_lost(account, connection, event),
        Excuse::Given => gave_what_no_line_can_hold(account),
        Excuse::Asked => asked_for(account, connection, event),
        Excuse::Optional => {
            let lines = said(account, connection);
            let line = lines.iter().rfind(|line| line.event <= event);
            line.is_none_or(|line| {
                let verb = line.text.split(' ').next().unwrap_or_default();
                let optional = ["TOP", "UIDL", "CAPA"];
                optional
                    .iter()
                    .any(|known| verb.eq_ignore_ascii_case(known))
            })
        }
    }
}

/// Commands that take a device off the network, or restart it.
const LEAVES: [&str; 9] = [
    "+CGATT",
    "+CFUN",
    "+COPS",
    "+CGACT",
    "+NETCLOSE",
    "+CIPSHUT",
    "+CRESET",
    "+CPOF",
    "+CSOCKSETPN",
];

fn had_to_leave(account: &Account<'_>, connection: &Connection) -> bool {
    let left = connection.closed_by_client;
    let until = left.map_or(account.events.len(), |end| end.event);
    let stopped = account.exchanges.iter().any(|exchange| {
        let mut commands = exchange.commands();
        exchange.event > connection.event
            && exchange.event < until
            && commands.any(|command| {
                let name = command.name.as_str();
                matches!(name, "+SMTPSTOP" | "Z" | "&F") || LEAVES.contains(&name)
            })
    });
    let unread = account.exchanges.iter().any(|exchange| {
        exchange.command.is_none() && exchange.event > connection.event && exchange.event < until
    });
    let acted = account
        .events
        .get(connection.event..until)
        .unwrap_or_default();
    let acted = acted
        .iter()
        .any(|event| matches!(event.kind, EventKind::Acted { .. }));
    let left_at = left.map_or(account.end(), |end| end.at);
    let whole = left_at.saturating_sub(connection.at);
    let refused_to_greet = connection
        .traffic
        .iter()
        .find(|traffic| !traffic.from_client)
        .is_none_or(|first| !super::context::bytes(account, first).starts_with(b"220"));
    let gone = connection.closed_by_server.is_some();
    // Inside a message QUIT would be text of it; only a server that behaved leaves no reason to.
    stopped
        || unread
        || acted
        || gone
        || refused_to_greet
        || whole >= late(account, connection.protocol)
        || garbled(account, connection)
}

/// Whether the sending on this connection was reported as failed. The note knows no leave-taking,
/// and says of a stop that it closes the session directly: only a success has to end in order.
fn gave_up(account: &Account<'_>, connection: &Connection) -> bool {
    account.sendings().iter().any(|sending| {
        let mine = connections_of(account, sending);
        let reports = sending.reports.iter();
        mine.iter().any(|one| one.event == connection.event)
            && reports
                .filter(|line| account.ends_sending(**line))
                .filter_map(|line| account.lines.get(*line))
                .any(|line| account.report(line) != Some("SUCCESS"))
    })
}

/// Whether the server said something that is no answer, or broke off.
fn garbled(account: &Account<'_>, connection: &Connection) -> bool {
    fired(account, connection).iter().any(|(_, rule)| {
        rule.is_none_or(|rule| {
            let answers = matches!(rule.action, Action::Delay | Action::Split | Action::Drip)
                || rule.action == Action::Reply && rule.raw.is_none();
            !answers || rule.when == Position::Body
        })
    })
}

fn order_is_lost(account: &Account<'_>, connection: &Connection, event: usize) -> bool {
    let before = fired(account, connection).iter().any(|(index, rule)| {
        *index < event && rule.is_none_or(|r| !matches!(r.action, Action::Delay | Action::Split))
    });
    // A client whose timer has run out does not wait any longer.
    let at = account
        .events
        .get(event)
        .map(|event| event.at)
        .unwrap_or_default();
    let waited = at.saturating_sub(connection.at) >= late(account, connection.protocol);
    let acted = account
        .events
        .get(connection.event..event)
        .unwrap_or_default();
    let acted = acted
        .iter()
        .any(|event| matches!(event.kind, EventKind::Acted { .. }));
    before || waited || acted
}

/// Whether an argument that goes into a line of the client is one that does not fit there.
fn gave_what_no_line_can_hold(account: &Account<'_>) -> bool {
    let names = ["+SMTPFROM", "+SMTPRCPT", "+SMTPAUTH", "+POP3SRV"];
    let plain = |bytes: &[u8]| {
        bytes.len() <= 100 && !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
    };
    let address = |bytes: &[u8]| {
        let mut parts = bytes.split(|&byte| byte == b'@');
        let word = |part: &[u8]| {
            let mark =
                |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
            part.split(|&byte| byte == b'.')
                .all(|atom| !atom.is_empty() && atom.iter().all(mark))
        };
        let (Some(local), Some(domain), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        word(local) && word(domain)
    };
    account.exchanges.iter().any(|exchange| {
        let unread = exchange.command.is_none() && !exchange.data;
        unread
            || exchange
                .commands()
                .filter(|command| names.contains(&command.name.as_str()))
                .any(|command| {
                    let mut arguments = command.arguments().iter().enumerate();
                    arguments.any(|(index, argument)| {
                        let super::account::Argument::Quoted(bytes) = argument else {
                            return false;
                        };
                        match (command.name.as_str(), index) {
                            ("+SMTPFROM", 0) | ("+SMTPRCPT", 2) => !address(bytes) || !plain(bytes),
                            ("+SMTPFROM" | "+SMTPRCPT", _) => false,
                            _ => !plain(bytes),
                        }
                    })
                })
    })
}

fn asked_for(account: &Account<'_>, connection: &Connection, event: usize) -> bool {
    let lines = said(account, connection);
    let Some(line) = lines.iter().rfind(|line| line.event <= event) else {
        return true;
    };
    let number = line
        .text
        .split_ascii_whitespace()
        .nth(1)
        .unwrap_or_default();
    account.exchanges.iter().any(|exchange| {
        let unread = exchange.command.is_none() && !exchange.data;
        unread
            || exchange
                .commands()
                .filter(|command| command.name.starts_with("+POP3"))
                .filter_map(|command| command.arguments().first()?.text())
                .any(|asked| {
                    let same = asked.parse::<u128>().ok();
                    asked == number || same.is_some() && same == number.parse().ok()
                })
    })
}

#[cfg(test)]
#[path = "legality_tests.rs"]
mod tests;
