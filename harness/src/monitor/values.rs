//! Numbers that the device shows are those that the server told.

use super::account::{Account, Argument, Kind, Line};
use super::vocabulary::numbers;
use super::{Basis, Found, MOST, Monitor};
use std::collections::{BTreeMap, BTreeSet};
use urcheck_reports::{EventKind, Protocol};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "value.number",
        about: "shows at `AT+POP3NUM` the number and size that the server told",
        basis: Basis::Clause("pop3.num"),
        watch: number,
    },
    Monitor {
        id: "value.listing",
        about: "shows at `AT+POP3LIST` the ids and sizes that the server told",
        basis: Basis::Clause("pop3.list.one"),
        watch: listing,
    },
];

/// Two numbers without leading zeros. They may be larger than any integer.
type Pair<'a> = (&'a str, &'a str);

/// What the POP3 server told.
#[derive(Debug, Default)]
struct Told {
    /// Every pair of numbers: of STAT, of LIST with and without a number.
    pairs: BTreeSet<(String, String)>,
    /// Number and total of every listing.
    totals: BTreeSet<(String, String)>,
}

impl Told {
    /// `None`: not everything was recorded.
    fn by(account: &Account<'_>) -> Option<Self> {
        let mut told = Self::default();
        let mut said: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for event in account.events {
            if let EventKind::FromServer {
                protocol: Protocol::Pop3,
                connection,
                bytes,
                omitted,
            } = &event.kind
            {
                if *omitted > 0 {
                    return None;
                }
                said.entry(*connection)
                    .or_default()
                    .extend_from_slice(bytes);
            }
        }
        for bytes in said.values() {
            told.read(&String::from_utf8_lossy(bytes));
        }
        Some(told)
    }

    fn read(&mut self, said: &str) {
        let (mut count, mut total) = (0u64, Some(0u64));
        for line in said.lines() {
            let status = line.strip_prefix("+OK");
            let mut words = status.unwrap_or(line).split_ascii_whitespace();
            let pair = (words.next(), words.next());
            if let (Some(first), Some(second)) = pair
                && let Some(pair) = pair_of(first, second)
            {
                self.pairs.insert((pair.0.to_owned(), pair.1.to_owned()));
                if status.is_none() {
                    count += 1;
                    let size = pair.1.parse::<u64>().ok();
                    total = total.zip(size).and_then(|(a, b)| a.checked_add(b));
                    continue;
                }
            }
            // A listing ends with its dot; whatever else comes ends it as well.
            if let Some(total) = total {
                self.totals.insert((count.to_string(), total.to_string()));
            }
            (count, total) = (0, Some(0));
        }
    }

    fn has(&self, pair: Pair<'_>) -> bool {
        self.pairs.contains(&(pair.0.to_owned(), pair.1.to_owned()))
    }

    fn has_total(&self, pair: Pair<'_>) -> bool {
        self.totals
            .contains(&(pair.0.to_owned(), pair.1.to_owned()))
    }
}

fn pair_of<'a>(first: &'a str, second: &'a str) -> Option<Pair<'a>> {
    let plain = |text: &'a str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let short = text.trim_start_matches('0');
        digits.then_some(if short.is_empty() { "0" } else { short })
    };
    plain(first).zip(plain(second))
}

/// The pair that a `+POP3:` line shows.
fn shown<'a>(account: &'a Account<'_>, line: &Line) -> Option<Pair<'a>> {
    if line.kind != Kind::Pop3 || account.may_be_foreign(line) {
        return None;
    }
    let (first, second) = numbers(account.report(line)?)?;
    pair_of(first, second)
}

fn number(account: &Account<'_>) -> Vec<Found> {
    let Some(told) = Told::by(account) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for exchange in account.exchanges.iter().filter(|e| e.asks("+POP3NUM")) {
        if told.pairs.is_empty() || exchange.asks("+POP3LIST") {
            continue;
        }
        // "Unread" (note 2): a device may leave out what it has fetched.
        let fetched = account
            .exchanges
            .iter()
            .any(|earlier| earlier.event < exchange.event && earlier.asks("+POP3GET"));
        for line in account.answer(exchange) {
            let Some(pair) = shown(account, line) else {
                continue;
            };
            if !fetched && found.len() < MOST && !told.has(pair) && !told.has_total(pair) {
                let (count, size) = pair;
                let message = format!(
                    "`AT+POP3NUM` shows {count} e-mails of {size} bytes, which the server never told"
                );
                found.push(Found::new(line.event, message));
            }
        }
    }
    found
}

fn listing(account: &Account<'_>) -> Vec<Found> {
    let Some(told) = Told::by(account) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for exchange in account.exchanges.iter().filter(|e| e.asks("+POP3LIST")) {
        if told.pairs.is_empty() || exchange.asks("+POP3NUM") {
            continue;
        }
        let only = exchange.command.as_ref().and_then(|line| line.only());
        let asked = only.and_then(|command| command.arguments().first());
        let asked = asked.and_then(Argument::number);
        for line in account.answer(exchange) {
            let pair = match line.kind {
                Kind::Information if !account.may_be_foreign(line) => {
                    let text = std::str::from_utf8(account.text(line)).ok();
                    text.and_then(numbers).and_then(|(a, b)| pair_of(a, b))
                }
                _ => shown(account, line),
            };
            let Some((id, size)) = pair.filter(|_| found.len() < MOST) else {
                continue;
            };
            let other = asked.is_some_and(|asked| id != asked.to_string());
            if other {
                let message = format!("`AT+POP3LIST` shows e-mail {id}, which was not asked for");
                found.push(Found::new(line.event, message));
            } else if !told.has((id, size)) {
                let message = format!(
                    "`AT+POP3LIST` shows {size} bytes for e-mail {id}, which the server never told"
                );
                found.push(Found::new(line.event, message));
            }
        }
    }
    found
}

#[cfg(test)]
#[path = "tests/values.rs"]
mod tests;
