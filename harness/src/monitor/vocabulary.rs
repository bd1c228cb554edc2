//! Reports are worded as the note words them, and come where it lets them.

use super::account::{Account, Exchange, Kind, Line, contains};
use super::{Basis, Found, MOST, Monitor};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "urc.spelling",
        about: "words every `+SMTP:` and `+POP3:` line exactly as the note or the manual does",
        basis: Basis::Document("note 1; SIM5320 manual 18"),
        watch: spelling,
    },
    Monitor {
        id: "urc.place",
        about: "uses a report only for the commands that it can belong to",
        basis: Basis::Document("note 1; SIM5320 manual 18"),
        watch: place,
    },
    Monitor {
        id: "urc.recipient",
        about: "names in `+SMTP: BAD RCPT` an address that it was given",
        basis: Basis::Clause("smtp.urc.bad-rcpt"),
        watch: recipient,
    },
];

/// What stands after `+SMTP: `, but for `BAD RCPT`. The last two are the manual's.
const SMTP: &[&str] = &[
    "OK",
    "SUCCESS",
    "ONGOING",
    "PARAM ERROR",
    "NETWORK ERROR",
    "SERVER ERROR",
    "AUTH REQUIRED",
    "AUTH ERROR",
    "USER CANCEL",
    "OVERSIZE",
];

/// What stands after `+POP3: `, but for numbers. The last one is the manual's.
const POP3: &[&str] = &[
    "SUCCESS",
    "FAILURE",
    "NETWORK ERROR",
    "SERVER ERROR",
    "INVALID UN",
    "INVALID UN/PWD",
    "FILE SYSTEM ERROR",
    "EMPTY",
];

const BAD_RCPT: &str = "BAD RCPT";

fn spelling(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for line in &account.lines {
        if !account.was_plain(line) || account.may_be_foreign(line) {
            continue;
        }
        let text = account.text(line);
        let wrong = match line.kind {
            Kind::Smtp => !is_smtp(text),
            Kind::Pop3 => !is_pop3(text),
            Kind::Information => looks_like_one(text) && !account.was_sent(text.trim_ascii()),
            _ => false,
        };
        if wrong && found.len() < MOST {
            let message = format!("`{}` is no line of the note's tables", text.escape_ascii());
            found.push(Found::new(line.event, message));
        }
    }
    found
}

/// Whether a line is one of the SMTP table.
pub(super) fn is_smtp(text: &[u8]) -> bool {
    let Some(code) = after(text, "+SMTP: ") else {
        return false;
    };
    SMTP.contains(&code)
        || code == BAD_RCPT
        || code.strip_prefix(BAD_RCPT).is_some_and(|rest| {
            // Brackets are the note's way to say `optional`, or meant as they stand.
            let address = rest.strip_prefix(' ').unwrap_or_default();
            !address.is_empty() && address.trim() == address && !address.contains(char::is_control)
        })
}

fn is_pop3(text: &[u8]) -> bool {
    // The head of a listing, with or without the blank that the manual prints.
    if matches!(text, b"+POP3:" | b"+POP3: ") {
        return true;
    }
    let code = after(text, "+POP3: ");
    code.is_some_and(|code| POP3.contains(&code) || numbers(code).is_some())
}

fn after<'a>(text: &'a [u8], start: &str) -> Option<&'a str> {
    std::str::from_utf8(text).ok()?.strip_prefix(start)
}

/// The two numbers of `2, 2134` (note 4.2) or `2 2134` (note 4.3).
pub(super) fn numbers(text: &str) -> Option<(&str, &str)> {
    let (first, second) = text.split_once(", ").or_else(|| text.split_once(' '))?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(first) && is_number(second)).then_some((first, second))
}

/// Whether a line that does not begin like a report has the letters and digits of one.
fn looks_like_one(text: &[u8]) -> bool {
    let trimmed = text.trim_ascii();
    let starts = |start: &[u8]| {
        let head = trimmed.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    if starts(b"+SMTP:") || starts(b"+POP3:") {
        return true;
    }
    let letters = |text: &[u8]| -> Vec<u8> {
        let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
        kept.map(u8::to_ascii_uppercase).collect()
    };
    let bare = letters(trimmed);
    let is_one = |start: &[u8], codes: &[&str]| {
        let code = bare.strip_prefix(start);
        code.is_some_and(|code| codes.iter().any(|one| letters(one.as_bytes()) == code))
    };
    is_one(b"SMTP", SMTP) || is_one(b"POP3", POP3) || bare.starts_with(b"SMTPBADRCPT")
}

fn place(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for line in &account.lines {
        let Some(at) = line.exchange.filter(|_| line.kind == Kind::Pop3) else {
            continue;
        };
        if account.may_be_foreign(line) {
            continue;
        }
        let Some(code) = after(account.text(line), "+POP3: ") else {
            continue;
        };
        let belongs_to: &[&str] = match code {
            // No e-mail is got, or saved, by any other command.
            "FAILURE" | "FILE SYSTEM ERROR" => &["+POP3GET", "+POP3READ", "+POP3HDR"],
            "INVALID UN" | "INVALID UN/PWD" => &["+POP3IN"],
            "EMPTY" => &["+POP3LIST"],
            code if numbers(code).is_some() => &["+POP3NUM", "+POP3LIST"],
            _ => continue,
        };
        let until_here = account.exchanges.get(..=at).unwrap_or_default();
        let may = |exchange: &Exchange| {
            (exchange.command.is_none() && !exchange.data)
                || belongs_to.iter().any(|name| exchange.asks(name))
        };
        if !until_here.iter().any(may) && found.len() < MOST {
            let names: Vec<_> = belongs_to
                .iter()
                .map(|name| format!("`AT{name}`"))
                .collect();
            let message = format!("`+POP3: {code}` came without {}", names.join(" or "));
            found.push(Found::new(line.event, message));
        }
    }
    found
}

fn recipient(account: &Account<'_>) -> Vec<Found> {
    let sessions = &account.servers.smtp.sessions;
    let omitted = account.servers.smtp.sessions_omitted > 0
        || sessions.iter().any(|session| session.omitted > 0);
    let on_the_wire: Vec<&str> = sessions
        .iter()
        .flat_map(|session| &session.commands)
        .filter_map(|command| forward_path(command))
        .collect();
    // Without a dialogue the address may be left from before the case.
    if omitted || on_the_wire.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for line in account.lines.iter().filter(|line| line.kind == Kind::Smtp) {
        if account.may_be_foreign(line) || found.len() >= MOST {
            continue;
        }
        let unknown = bad_recipients(account, line)
            .into_iter()
            .find(|address| !on_the_wire.contains(address) && !was_configured(account, address));
        if let Some(address) = unknown {
            let message = format!("`+SMTP: BAD RCPT` names `{address}`, which is no recipient");
            found.push(Found::new(line.event, message));
        }
    }
    found
}

/// Whether the DTE named an address as a recipient, or may have.
fn was_configured(account: &Account<'_>, address: &str) -> bool {
    account.exchanges.iter().any(|exchange| {
        let mut arguments = exchange
            .commands()
            .filter(|command| command.name == "+SMTPRCPT")
            .flat_map(|command| command.arguments());
        let unreadable = exchange.command.is_none() && !exchange.data;
        arguments.any(|one| one.text() == Some(address))
            || unreadable && contains(&exchange.sent, address.as_bytes())
    })
}

/// The addresses of a `+SMTP: BAD RCPT` line.
pub(super) fn bad_recipients<'a>(account: &'a Account<'_>, line: &Line) -> Vec<&'a str> {
    let text = after(account.text(line), "+SMTP: ");
    let Some(addresses) = text.and_then(|code| code.strip_prefix(BAD_RCPT)) else {
        return Vec::new();
    };
    let between = |c: char| matches!(c, '[' | ']' | '<' | '>' | '"' | ',' | ';' | ' ');
    addresses
        .split(between)
        .filter(|one| !one.is_empty())
        .collect()
}

/// The address of a `RCPT TO:<…>`.
pub(super) fn forward_path(command: &str) -> Option<&str> {
    let head = command.get(..8)?;
    if !head.eq_ignore_ascii_case("RCPT TO:") {
        return None;
    }
    let path = command.get(8..)?.trim_start().strip_prefix('<')?;
    path.split_once('>').map(|(path, _)| path)
}

#[cfg(test)]
#[path = "tests/vocabulary.rs"]
mod tests;
