//! What several monitors ask of an account: what is provably later, which connection belongs to
//! what the DTE asked for, what the device said on it, and whether the server was honest.

use super::account::{
    Account, Connection, Exchange, Kind, Pop3Session, Sending, SmtpSession, Traffic,
};
use std::time::Duration;
use urcheck_reports::{EventKind, Protocol};
use urcheck_servers::fault::{Action, Position, Rule};

/// A line from the device to a server.
#[derive(Debug)]
pub(super) struct Said {
    /// Index of the event that brought its end.
    pub(super) event: usize,
    /// When.
    pub(super) at: Duration,
    /// The line, without its end.
    pub(super) text: String,
}

impl Said {
    /// The rest of the line behind these words, compared without case.
    pub(super) fn after(&self, words: &str) -> Option<&str> {
        let (head, rest) = self.text.split_at_checked(words.len())?;
        head.eq_ignore_ascii_case(words).then(|| rest.trim())
    }
}

/// How much later than another thing something must come to be proved later: nothing on a paused
/// clock, whose times are whole milliseconds because its timers are; on a real one the tolerance
/// of the profile, because what is under way arrives late.
pub(super) fn margin(account: &Account<'_>) -> Duration {
    let whole = |at: Duration| at.subsec_nanos().is_multiple_of(1_000_000);
    match account.events.iter().all(|event| whole(event.at)) {
        true => Duration::ZERO,
        false => account.policy.timers.tolerance,
    }
}

/// Whether `at` is provably later than `than`.
pub(super) fn later(account: &Account<'_>, at: Duration, than: Duration) -> bool {
    at > than.saturating_add(margin(account))
}

/// The timer of the note for this protocol.
pub(super) fn timer(account: &Account<'_>, protocol: Protocol) -> Duration {
    match protocol {
        Protocol::Smtp => account.policy.timers.smtp,
        Protocol::Pop3 => account.policy.timers.pop3,
    }
}

/// How late an answer may be and still be in time, as `${late.smtp}` and `${late.pop3}` have it.
pub(super) fn late(account: &Account<'_>, protocol: Protocol) -> Duration {
    let timer = timer(account, protocol);
    timer
        .saturating_sub(account.policy.timers.tolerance)
        .max(timer / 2)
}

/// Whether something was sent that might be a command and that only the device can read: then
/// nobody knows what the DTE has asked for.
pub(super) fn murky(account: &Account<'_>) -> bool {
    account.exchanges.iter().any(|exchange| {
        let text = exchange.sent.trim_ascii();
        exchange.command.is_none() && !exchange.data && !text.is_empty()
    })
}

/// The connections that were opened within these events.
pub(super) fn opened<'a>(
    account: &'a Account<'_>,
    protocol: Protocol,
    events: std::ops::Range<usize>,
) -> Vec<&'a Connection> {
    account
        .connections_to(protocol)
        .filter(|connection| events.contains(&connection.event))
        .collect()
}

/// The connections of a sending.
pub(super) fn connections_of<'a>(
    account: &'a Account<'_>,
    sending: &Sending,
) -> Vec<&'a Connection> {
    let from = account.exchanges.get(sending.exchange).map(|e| e.event);
    opened(
        account,
        Protocol::Smtp,
        from.unwrap_or(sending.until)..sending.until,
    )
}

/// What the SMTP server keeps of a connection.
pub(super) fn smtp_session<'a>(account: &'a Account<'_>, number: u32) -> Option<&'a SmtpSession> {
    let sessions = &account.servers.smtp.sessions;
    sessions.iter().find(|session| session.id == number)
}

/// What the POP3 server keeps of a connection.
pub(super) fn pop3_session<'a>(account: &'a Account<'_>, number: u32) -> Option<&'a Pop3Session> {
    let sessions = &account.servers.pop3.sessions;
    sessions.iter().find(|session| session.id == number)
}

/// The lines that the device sent on a connection, a message included.
pub(super) fn said(account: &Account<'_>, connection: &Connection) -> Vec<Said> {
    let mut all = Vec::new();
    let mut open = Vec::new();
    for traffic in connection.traffic.iter().filter(|t| t.from_client) {
        for &byte in bytes(account, traffic) {
            if byte != b'\n' {
                open.push(byte);
                continue;
            }
            if open.last() == Some(&b'\r') {
                open.pop();
            }
            let text = String::from_utf8_lossy(&std::mem::take(&mut open)).into_owned();
            all.push(Said {
                event: traffic.event,
                at: traffic.at,
                text,
            });
        }
    }
    all
}

/// The first bytes that the server sent after this event.
pub(super) fn answer<'a>(
    account: &'a Account<'_>,
    connection: &'a Connection,
    event: usize,
) -> Option<(&'a Traffic, &'a [u8])> {
    let next = connection.traffic.iter().find(|t| t.event > event)?;
    (!next.from_client).then(|| (next, bytes(account, next)))
}

/// Whether the timeline has everything that went over a connection.
pub(super) fn is_whole(account: &Account<'_>, connection: &Connection) -> bool {
    connection.traffic.iter().all(|traffic| {
        let kept = bytes(account, traffic).len();
        u64::try_from(kept).is_ok_and(|kept| kept == traffic.length)
    })
}

/// The bytes of a read or write.
pub(super) fn bytes<'a>(account: &'a Account<'_>, traffic: &Traffic) -> &'a [u8] {
    match account.events.get(traffic.event).map(|event| &event.kind) {
        Some(EventKind::FromClient { bytes, .. } | EventKind::FromServer { bytes, .. }) => bytes,
        _ => &[],
    }
}

/// The rules that fired on a connection, with the index of the event.
pub(super) fn fired<'a>(
    account: &'a Account<'_>,
    of: &Connection,
) -> Vec<(usize, Option<&'a Rule>)> {
    let rules = match of.protocol {
        Protocol::Smtp => &account.case.smtp.fault,
        Protocol::Pop3 => &account.case.pop3.fault,
    };
    let events = account.events.iter().enumerate();
    events
        .filter_map(|(index, event)| match &event.kind {
            EventKind::Fault {
                protocol,
                connection,
                rule,
                ..
            } if (*protocol, *connection) == (of.protocol, of.number) => {
                Some((index, rules.get(*rule)))
            }
            _ => None,
        })
        .collect()
}

/// Whether the server did something on a connection that can end a conforming dialogue: any fault
/// but an answer that is late in time, or in pieces; and an end of its own, unless it came after
/// the client had taken leave. What happens at QUIT comes too late to matter.
pub(super) fn disturbed(account: &Account<'_>, connection: &Connection) -> bool {
    let honest = |rule: Option<&Rule>| {
        rule.is_some_and(|rule| match (rule.when, rule.action) {
            (Position::Quit, _) | (_, Action::Delay) => true,
            (_, Action::Split) => rule.text.is_none() && rule.raw.is_none(),
            _ => false,
        })
    };
    !fired(account, connection)
        .iter()
        .all(|(_, rule)| honest(*rule))
        || !in_time(account, connection)
}

/// Whether every answer came in time, and all of them together as well: the note does not say
/// what its timer counts.
pub(super) fn in_time(account: &Account<'_>, connection: &Connection) -> bool {
    let late = late(account, connection.protocol);
    let mut waited = Duration::ZERO;
    let mut since = connection.at;
    for traffic in &connection.traffic {
        if !traffic.from_client {
            waited = waited.saturating_add(traffic.at.saturating_sub(since));
        }
        since = traffic.at;
    }
    // An answer that the client gave up waiting for has been waited for as well, unless it is that
    // to QUIT, which comes too late to matter.
    let leaves = |last: &Traffic| {
        bytes(account, last)
            .to_ascii_uppercase()
            .starts_with(b"QUIT")
    };
    let last = connection.traffic.last();
    let unanswered = last.is_none_or(|last| last.from_client && !leaves(last));
    if let Some(left) = connection.closed_by_client.filter(|_| unanswered) {
        waited = waited.saturating_add(left.at.saturating_sub(since));
    }
    waited <= late
}

/// The last report of this kind in the answer of an exchange, and its line.
pub(super) fn verdict<'a>(
    account: &'a Account<'_>,
    exchange: &Exchange,
    kind: Kind,
) -> Option<(&'a str, usize)> {
    let range = exchange.lines.clone();
    range.rev().find_map(|at| {
        let line = account.lines.get(at).filter(|line| line.kind == kind)?;
        Some((account.report(line)?, line.event))
    })
}

/// The number that the only command of an exchange gives to `name`.
pub(super) fn asked_number(exchange: &Exchange, name: &str) -> Option<u64> {
    let mut commands = exchange.commands().filter(|command| command.name == name);
    commands.find_map(|command| command.arguments().first()?.number())
}

/// What came of an `AT+POP3IN`: everything until the next one.
#[derive(Debug)]
pub(super) struct Login<'a> {
    /// The exchange of the command.
    pub(super) exchange: usize,
    /// Index of the event before which the next one begins.
    pub(super) until: usize,
    /// Its connection, if it has just one.
    pub(super) connection: Option<&'a Connection>,
    /// What the server keeps of that.
    pub(super) session: Option<&'a Pop3Session>,
}

impl<'a> Login<'a> {
    /// The exchanges of this login, its own first.
    pub(super) fn exchanges(&self, account: &'a Account<'_>) -> impl Iterator<Item = &'a Exchange> {
        let until = self.until;
        let from = account.exchanges.get(self.exchange..).unwrap_or_default();
        from.iter().take_while(move |e| e.event < until)
    }
}

/// Every `AT+POP3IN` of the case.
pub(super) fn attempts<'a>(account: &'a Account<'_>) -> Vec<Login<'a>> {
    windows(account, |_| true)
}

/// Every `AT+POP3IN` that opened a connection. One that opened none, because it was refused in a
/// session that goes on, leaves what follows to that session.
pub(super) fn logins<'a>(account: &'a Account<'_>) -> Vec<Login<'a>> {
    let mut connected = windows(account, |_| true);
    connected.retain(|login| {
        let from = account.exchanges.get(login.exchange).map(|e| e.event);
        let events = from.unwrap_or(login.until)..login.until;
        !opened(account, Protocol::Pop3, events).is_empty()
    });
    let connected: Vec<usize> = connected.iter().map(|login| login.exchange).collect();
    windows(account, |at| connected.contains(&at))
}

fn windows<'a>(account: &'a Account<'_>, counts: impl Fn(usize) -> bool) -> Vec<Login<'a>> {
    let ins: Vec<(usize, usize)> = account
        .exchanges
        .iter()
        .enumerate()
        .filter(|(at, exchange)| exchange.executes("+POP3IN") && counts(*at))
        .map(|(at, exchange)| (at, exchange.event))
        .collect();
    let mut all = Vec::new();
    for (index, &(exchange, from)) in ins.iter().enumerate() {
        let next = ins.get(index + 1).map(|(_, event)| *event);
        let until = next.unwrap_or(account.events.len());
        let connections = opened(account, Protocol::Pop3, from..until);
        let connection = match connections.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        all.push(Login {
            exchange,
            until,
            connection,
            session: connection.and_then(|c| pop3_session(account, c.number)),
        });
    }
    all
}

/// The arguments of a server's verb with the status line that each got, in order.
pub(super) fn told<'a>(session: &'a Pop3Session, verb: &str) -> Vec<(&'a str, &'a str)> {
    let replies = session.replies.iter().skip(1);
    let lines = session.commands.iter().zip(replies);
    lines
        .filter_map(|(line, reply)| {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            let is_it = head.eq_ignore_ascii_case(verb);
            is_it.then(|| (rest.trim(), reply.as_str()))
        })
        .collect()
}
