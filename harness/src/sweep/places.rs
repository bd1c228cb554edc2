//! Where in a dialogue something can go wrong. The fault engine itself tells: a probing run has a
//! rule without effect for every place there could be, and those that fired are the places.

use crate::scenario::case::Case;
use serde::Deserialize;
use std::time::Duration;
use toml::{Table, Value};
use urcheck_reports::{Event, EventKind, Protocol};
use urcheck_servers::fault::Rule;

/// Connections of one flow that are looked at.
const CONNECTIONS: u32 = 3;

/// How often one connection may come to the same place.
const VISITS: u32 = 12;

/// Places of SMTP that have a reply, the more special one first where a reply has two.
const SMTP: &[&str] = &[
    "greeting",
    "ehlo",
    "helo",
    "starttls",
    "auth-user",
    "auth-password",
    "auth",
    "auth-done",
    "mail",
    "rcpt",
    "data",
    "dot",
    "rset",
    "noop",
    "vrfy",
    "expn",
    "help",
    "quit",
    "unknown",
];

/// Places of POP3 that have a reply.
const POP3: &[&str] = &[
    "greeting",
    "capa",
    "capa-body",
    "stls",
    "auth-user",
    "auth-password",
    "auth",
    "auth-done",
    "user",
    "pass",
    "apop",
    "stat",
    "list",
    "list-body",
    "uidl",
    "uidl-body",
    "retr",
    "retr-body",
    "top",
    "top-body",
    "dele",
    "rset",
    "noop",
    "quit",
    "unknown",
];

/// A place that the flow comes to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Of which server.
    pub protocol: Protocol,
    /// Number of the connection.
    pub connection: u32,
    /// The `when` of a rule.
    pub when: &'static str,
    /// The how manieth time on its connection.
    pub nth: u32,
    /// The reply there; for `body` the message.
    pub bytes: Vec<u8>,
}

impl Place {
    /// The place as the beginning of a rule.
    pub(super) fn rule(&self) -> Table {
        let mut rule = Table::new();
        rule.insert("when".to_owned(), Value::String(self.when.to_owned()));
        if !matches!(self.when, "connect" | "body") {
            rule.insert("nth".to_owned(), Value::Integer(i64::from(self.nth)));
        }
        rule.insert(
            "connection".to_owned(),
            Value::Integer(i64::from(self.connection)),
        );
        rule
    }

    /// The place in one word.
    pub(super) fn name(&self) -> String {
        let mut name = format!("{}-{}", self.protocol, self.when);
        if self.nth > 1 {
            name.push_str(&format!("-{}", self.nth));
        }
        if self.connection > 1 {
            name.push_str(&format!("-connection-{}", self.connection));
        }
        name
    }
}

/// A rule from a table, as a scenario file would have it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn rule(table: &Table) -> Result<Rule, toml::de::Error> {
    Rule::deserialize(table.clone())
}

/// Puts a rule without effect at every place there could be.
///
/// # Errors
/// A place that the fault engine does not know: a defect of this program.
pub(super) fn probe(case: &mut Case) -> Result<(), toml::de::Error> {
    case.smtp.fault = probing(SMTP, true)?;
    case.pop3.fault = probing(POP3, false)?;
    Ok(())
}

/// All places to probe, in the order of their rules.
fn candidates(
    places: &'static [&'static str],
    body: bool,
) -> impl Iterator<Item = (u32, &'static str, u32)> {
    (1..=CONNECTIONS).flat_map(move |connection| {
        let replies = places
            .iter()
            .flat_map(move |when| (1..=VISITS).map(move |nth| (connection, *when, nth)));
        replies.chain(body.then_some((connection, "body", 1)))
    })
}

fn probing(places: &'static [&'static str], body: bool) -> Result<Vec<Rule>, toml::de::Error> {
    let rules = candidates(places, body).map(|(connection, when, nth)| {
        let place = Place {
            protocol: Protocol::Smtp,
            connection,
            when,
            nth,
            bytes: Vec::new(),
        };
        let mut table = place.rule();
        table.insert("do".to_owned(), Value::String("delay".to_owned()));
        table.insert("delay".to_owned(), Value::String("0ms".to_owned()));
        rule(&table)
    });
    rules.collect()
}

/// The places that a probing run came to, in order, each connection itself first.
pub(super) fn reached(events: &[Event]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let smtp: Vec<_> = candidates(SMTP, true).collect();
    let pop3: Vec<_> = candidates(POP3, false).collect();
    for event in events {
        match &event.kind {
            EventKind::Connected {
                protocol,
                connection,
            } => places.push(Place {
                protocol: *protocol,
                connection: *connection,
                when: "connect",
                nth: 1,
                bytes: Vec::new(),
            }),
            EventKind::Fault { protocol, rule, .. } => {
                let candidates = match protocol {
                    Protocol::Smtp => &smtp,
                    Protocol::Pop3 => &pop3,
                };
                if let Some((connection, when, nth)) = candidates.get(*rule) {
                    places.push(Place {
                        protocol: *protocol,
                        connection: *connection,
                        when,
                        nth: *nth,
                        bytes: Vec::new(),
                    });
                }
            }
            EventKind::FromServer {
                protocol,
                connection,
                bytes,
                ..
            } => last(&mut places, *protocol, *connection, |place| {
                if !matches!(place.when, "connect" | "body") {
                    place.bytes.extend_from_slice(bytes);
                }
            }),
            EventKind::FromClient {
                protocol,
                connection,
                bytes,
                ..
            } => last(&mut places, *protocol, *connection, |place| {
                // A reply that has begun ends here; a message goes on.
                if place.when == "body" {
                    place.bytes.extend_from_slice(bytes);
                }
            }),
            _ => {}
        }
    }
    places
}

fn last(
    places: &mut [Place],
    protocol: Protocol,
    connection: u32,
    change: impl FnOnce(&mut Place),
) {
    let of_it = |place: &&mut Place| place.protocol == protocol && place.connection == connection;
    if let Some(place) = places.iter_mut().rev().find(of_it) {
        change(place);
    }
}

/// A length of time as a rule has it: whole milliseconds.
pub(super) fn span(time: Duration) -> Value {
    Value::String(format!("{}ms", time.as_millis()))
}
