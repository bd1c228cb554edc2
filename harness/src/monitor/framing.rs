//! Lines are framed as V.250 wants it, and whole.

use super::account::{Account, End, Exchange, Kind, Line, contains};
use super::{Basis, Found, MOST, Monitor};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "line.framing",
        about: "puts CR LF before and after every result, and nothing else on its line; within one answer one line end may serve as both",
        basis: Basis::Document("ITU-T V.250 5.7.1"),
        watch: framing,
    },
    Monitor {
        id: "line.torn",
        about: "finishes every line, and sends no control characters within one",
        basis: Basis::Document("ITU-T V.250 5.7.1"),
        watch: torn,
    },
    Monitor {
        id: "line.echo",
        about: "returns the very bytes of a command line while echo is on, and nothing while it is off",
        basis: Basis::Document("ITU-T V.250 6.2.4"),
        watch: echo,
    },
];

fn framing(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut before: Option<&Line> = None;
    for line in &account.lines {
        let previous = before.replace(line);
        let blank = matches!(line.kind, Kind::Blank | Kind::Echo | Kind::Prompt);
        if blank || !account.was_plain(line) || account.may_be_foreign(line) {
            continue;
        }
        if found.len() >= MOST {
            break;
        }
        let text = account.text(line).escape_ascii();
        if line.end == End::Lf {
            let message = format!("`{text}` ends with LF alone instead of CR LF");
            found.push(Found::new(line.event, message));
        } else if let Some(how) = glued(account, line) {
            found.push(Found::new(line.event, format!("`{text}` {how}")));
        }
        if let Some(how) = headless(account, previous, line) {
            found.push(Found::new(line.event, format!("`{text}` {how}")));
        }
    }
    found
}

/// A result without the CR LF that comes before it.
fn headless(account: &Account<'_>, previous: Option<&Line>, line: &Line) -> Option<&'static str> {
    const NONE: &str = "does not begin with a CR LF of its own";
    if !matches!(line.kind, Kind::Ok | Kind::Error | Kind::Smtp | Kind::Pop3) {
        return None;
    }
    let Some(previous) = previous else {
        // Before the first sending it may be the rest of what came earlier.
        return line.exchange.map(|_| NONE);
    };
    match (previous.kind, previous.end) {
        (Kind::Blank, End::Lf) => Some("begins with LF alone instead of CR LF"),
        // What ends passed-on text and an echo is the affair of those; a prompt has no end.
        (Kind::Blank | Kind::Echo | Kind::Verbatim | Kind::Prompt, _) => None,
        _ if account.may_be_foreign(previous) => None,
        // The lines of one answer: the note prints them without their framing, the manuals with
        // and without a blank line between them. The line end before is then the one in front.
        _ if is_one_answer(previous, line) => None,
        _ => Some(NONE),
    }
}

/// Whether two lines belong to one answer that its final result code has not ended before.
fn is_one_answer(previous: &Line, line: &Line) -> bool {
    let goes_on = matches!(previous.kind, Kind::Information | Kind::Smtp | Kind::Pop3);
    goes_on && previous.end == End::CrLf && previous.exchange == line.exchange
}

/// A result in one line with something else.
fn glued(account: &Account<'_>, line: &Line) -> Option<&'static str> {
    if line.kind != Kind::Information {
        return None;
    }
    let text = account.text(line);
    for start in [b"+SMTP: ".as_slice(), b"+POP3: "] {
        let at = text.windows(start.len()).position(|part| part == start);
        let report = at.filter(|at| *at > 0).and_then(|at| text.get(at..));
        // A read form shows what the DTE set, whatever that looks like.
        if report.is_some() && !account.was_sent(start) {
            return Some("has a report within a line instead of on a line of its own");
        }
    }
    let mut rest = text;
    let mut results = 0;
    while let Some(after) = rest
        .strip_prefix(b"OK")
        .or_else(|| rest.strip_prefix(b"ERROR"))
    {
        results += 1;
        rest = after;
    }
    (results > 1 && rest.is_empty()).then_some("is two results without a line end between them")
}

fn torn(account: &Account<'_>) -> Vec<Found> {
    let disturbed = account.disturbed();
    let mut found = Vec::new();
    for (index, line) in account.lines.iter().enumerate() {
        let own = matches!(
            line.kind,
            Kind::Information | Kind::Error | Kind::Ok | Kind::Smtp | Kind::Pop3
        );
        if !own || !account.was_plain(line) || account.may_be_foreign(line) {
            continue;
        }
        if found.len() >= MOST {
            break;
        }
        let text = account.text(line);
        let shown = text.escape_ascii();
        let last = index + 1 == account.lines.len();
        let quiet = account.end().saturating_sub(line.done) >= account.policy.timers.settle;
        if line.end == End::Open && last && quiet && disturbed == account.events.len() {
            let message = format!("the line `{shown}` was never finished");
            found.push(Found::new(line.event, message));
        } else if text.contains(&b'\r') {
            let message = format!("`{shown}` has a CR without LF in it");
            found.push(Found::new(line.event, message));
        } else if let Some(byte) = text.iter().find(|byte| is_control(**byte)) {
            let message = format!("`{shown}` has the control character 0x{byte:02X} in it");
            found.push(Found::new(line.event, message));
        }
    }
    found
}

/// What has no place in a line. Tabs are text, and XON and XOFF are flow control.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | 0x11 | 0x13)
}

fn echo(account: &Account<'_>) -> Vec<Found> {
    let disturbed = account.disturbed();
    let mut found = Vec::new();
    // `None`: nobody knows.
    let mut on = Some(account.policy.echo);
    let mut alone = true;
    for exchange in &account.exchanges {
        let was_alone = std::mem::replace(&mut alone, account.result(exchange).is_some());
        if exchange.data {
            continue;
        }
        let now = on;
        on = after(account, exchange, on);
        // The line that switches echo may be echoed or not: its characters came before the switch.
        let switches = now != on || exchange.commands().any(|command| command.name == "E");
        let Some(now) = now.filter(|_| !switches && exchange.plain && exchange.command.is_some())
        else {
            continue;
        };
        if exchange.event > disturbed {
            break;
        }
        found.extend(match now {
            true if was_alone => not_echoed(account, exchange),
            true => None,
            false => echoed(account, exchange),
        });
    }
    found
}

/// The echo state after an exchange.
fn after(account: &Account<'_>, exchange: &Exchange, on: Option<bool>) -> Option<bool> {
    let line = exchange.command.as_ref()?;
    let switching = |name: &str| matches!(name, "E" | "Z" | "&F" | "+CFUN" | "+CRESET" | "&W");
    if !line.commands.iter().any(|one| switching(&one.name)) {
        return on;
    }
    let only = line.only().filter(|one| one.name == "E")?;
    let value = only
        .arguments()
        .first()
        .map_or(Some(0), |one| one.number())?;
    (account.result(exchange) == Some(true) && value <= 1).then_some(value == 1)
}

fn command_text(exchange: &Exchange) -> &[u8] {
    exchange.sent.trim_ascii_end()
}

/// A command line that came back although echo is off.
fn echoed(account: &Account<'_>, exchange: &Exchange) -> Option<Found> {
    let text = command_text(exchange);
    let line = account
        .answer(exchange)
        .iter()
        .find(|line| line.kind == Kind::Information && account.text(line).trim_ascii() == text)?;
    if account.may_be_foreign(line) {
        return None;
    }
    let message = format!("`{}` was echoed although echo is off", text.escape_ascii());
    Some(Found::new(line.event, message))
}

/// A command line that was answered and did not come back.
fn not_echoed(account: &Account<'_>, exchange: &Exchange) -> Option<Found> {
    let answer = account.answer(exchange);
    let result = answer.iter().position(|line| line.kind.is_final())?;
    let text = command_text(exchange);
    let lines = answer.get(..=result)?;
    if lines.iter().any(|line| line.kind == Kind::Echo) {
        return None;
    }
    let first = lines.iter().find(|line| line.kind != Kind::Blank)?;
    let shown = text.escape_ascii();
    let other = account.text(first);
    if other != text && other.eq_ignore_ascii_case(text) {
        let message = format!("`{shown}` was echoed as `{}`", other.escape_ascii());
        return Some(Found::new(first.event, message));
    }
    // A report may have come in the middle of the echo: pieces of it are an echo as well.
    let piece = |line: &Line| {
        let one = account.text(line).trim_ascii();
        !one.is_empty() && (contains(text, one) || contains(&one.to_ascii_uppercase(), b"AT"))
    };
    if lines.iter().take(result).any(piece) {
        return None;
    }
    let message = format!("`{shown}` was not echoed although echo is on");
    Some(Found::new(exchange.event, message))
}

#[cfg(test)]
#[path = "tests/framing.rs"]
mod tests;
