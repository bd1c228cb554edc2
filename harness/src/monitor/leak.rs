//! What a server says stays on the wire.

use super::account::{Account, Kind, contains};
use super::{Basis, Found, Monitor};
use std::collections::BTreeSet;
use urcheck_reports::{EventKind, Protocol};

pub(super) const MONITORS: &[Monitor] = &[Monitor {
    id: "leak.server-text",
    about: "keeps the replies of a server out of its own lines",
    basis: Basis::Document("note 1, tables of URCs"),
    watch: server_text,
}];

/// Shortest text that cannot be a coincidence.
const SHORTEST: usize = 8;

/// Most lines that are looked at, and how much of each.
const MOST_LINES: usize = 500;
const MOST_OF_LINE: usize = 1024;

/// Most texts that are looked for.
const MOST_TEXTS: usize = 500;

fn server_text(account: &Account<'_>) -> Vec<Found> {
    let suspects: Vec<_> = account
        .lines
        .iter()
        .filter(|line| matches!(line.kind, Kind::Information | Kind::Error))
        .filter(|line| line.range.len() >= SHORTEST && !account.may_be_foreign(line))
        .take(MOST_LINES)
        .collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let texts = reply_texts(account);
    let mut found = Vec::new();
    for line in suspects {
        let text = account.text(line);
        let text = text.get(..MOST_OF_LINE).unwrap_or(text);
        let leaked = texts
            .iter()
            .find(|reply| contains(text, reply) && !account.was_sent(reply));
        if let Some(reply) = leaked {
            let text = text.escape_ascii();
            let reply = reply.escape_ascii();
            let message =
                format!("`{text}` is what a server said (`{reply}`), not a result of the device");
            found.push(Found::new(line.event, message));
        }
    }
    found
}

/// What the servers replied: each line, with and without its code.
fn reply_texts<'a>(account: &'a Account<'_>) -> BTreeSet<&'a [u8]> {
    let mut texts = BTreeSet::new();
    for event in account.events {
        let EventKind::FromServer {
            protocol, bytes, ..
        } = &event.kind
        else {
            continue;
        };
        for line in bytes.split(|byte| matches!(byte, b'\r' | b'\n')) {
            let line = line.trim_ascii();
            let rest = match protocol {
                Protocol::Smtp => line.get(4..).filter(|_| is_code(line)),
                Protocol::Pop3 => line
                    .strip_prefix(b"+OK")
                    .or_else(|| line.strip_prefix(b"-ERR")),
            };
            // The lines of a mail come to the DTE on purpose.
            let Some(rest) = rest else { continue };
            for text in [line, rest.trim_ascii()] {
                let speaks = text.iter().any(u8::is_ascii_alphabetic);
                if text.len() >= SHORTEST && speaks && texts.len() < MOST_TEXTS {
                    texts.insert(text);
                }
            }
        }
    }
    texts
}

fn is_code(line: &[u8]) -> bool {
    line.get(..3)
        .is_some_and(|code| code.iter().all(u8::is_ascii_digit))
        && matches!(line.get(3), Some(b' ' | b'-'))
}

#[cfg(test)]
#[path = "tests/leak.rs"]
mod tests;
