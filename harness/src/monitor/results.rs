//! A command line gets one final result code, and gets it in time.

use super::account::{Account, Command, Exchange, Form, Kind, Line};
use super::{Basis, Found, MOST, Monitor};
use std::time::Duration;
use urcheck_reports::Protocol;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "result.second",
        about: "sends one final result code for each command line, and none without one",
        basis: Basis::Document("ITU-T V.250 5.7"),
        watch: second,
    },
    Monitor {
        id: "result.missing",
        about: "answers every command line with a final result code in time",
        basis: Basis::Document("ITU-T V.250 5.7"),
        watch: missing,
    },
];

/// How long sending one byte may take: a little more than at 9600 bit/s.
const ONE_BYTE: Duration = Duration::from_micros(1100);

/// Commands that need no network, beside the test and read forms of the e-mail commands.
const LOCAL: &[&str] = &[
    "+SMTPSRV",
    "+SMTPAUTH",
    "+SMTPFROM",
    "+SMTPRCPT",
    "+SMTPSUB",
    "+SMTPBODY",
    "+SMTPBCH",
    "+SMTPFILE",
    "+POP3SRV",
    "+POP3READ",
    "+CMEE",
    "+CCLK",
    "+CGSOCKCONT",
    "+CSOCKSETPN",
    "+FSCD",
    "+FSLS",
    "+FSMKDIR",
    "+FSRMDIR",
    "+FSATTRI",
    "+FSMEM",
    "+FSLOCA",
    "E",
    "V",
    "Q",
];

const POP3: &[&str] = &[
    "+POP3IN",
    "+POP3NUM",
    "+POP3LIST",
    "+POP3HDR",
    "+POP3GET",
    "+POP3DEL",
    "+POP3OUT",
    "+POP3STOP",
];

/// Codes of V.250 and 27.005 that end a command line and that no e-mail command has.
const OTHER_RESULTS: &[&[u8]] = &[b"NO CARRIER", b"BUSY", b"NO ANSWER", b"NO DIALTONE"];

/// How many results are still due at most; more than that, and one of them is too many.
fn second(account: &Account<'_>) -> Vec<Found> {
    /// Results come in digits or not at all: nobody knows how many are due.
    const UNKNOWN: usize = usize::MAX;
    let disturbed = account.disturbed();
    let mut due = 0usize;
    let mut found = Vec::new();
    for exchange in &account.exchanges {
        if !exchange.plain {
            due = UNKNOWN;
            continue;
        }
        due = match due {
            // The last one may still be under way.
            UNKNOWN => 1,
            known => known,
        };
        due = due.saturating_add(results_due(exchange));
        for line in account
            .answer(exchange)
            .iter()
            .filter(|l| is_result(account, l))
        {
            // `NO CARRIER` and its like also come by themselves.
            let too_many = due == 0 && line.kind.is_final() && found.len() < MOST;
            if too_many && line.event < disturbed && !account.may_be_foreign(line) {
                let text = String::from_utf8_lossy(account.text(line));
                let message =
                    format!("`{text}` came although no command line was waiting for a result");
                found.push(Found::new(line.event, message));
            }
            due = due.saturating_sub(1);
        }
    }
    found
}

/// How many results a sending can bring at most.
fn results_due(exchange: &Exchange) -> usize {
    if exchange.command.is_some() {
        return 1;
    }
    let is_end = |byte: &u8| matches!(byte, 0x1a | 0x1b);
    let sent = exchange.sent.as_slice();
    let commands = match (exchange.data, sent.iter().position(is_end)) {
        // The result of the command that prompted is due already.
        (true, None) => return 0,
        (true, Some(end)) => sent.get(end + 1..).unwrap_or_default(),
        (false, _) => sent,
    };
    let ends = commands.iter().filter(|byte| **byte == b'\r').count();
    let repeats = commands
        .windows(2)
        .filter(|two| two.eq_ignore_ascii_case(b"A/"));
    ends + repeats.count()
}

fn is_result(account: &Account<'_>, line: &Line) -> bool {
    let text = account.text(line);
    line.kind.is_final() || OTHER_RESULTS.contains(&text) || text.starts_with(b"+CMS ERROR:")
}

/// What a command line needs for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Only the device.
    Nothing,
    /// A server.
    Server(Protocol),
    /// Who knows.
    Unknown,
}

impl Needs {
    fn of(exchange: &Exchange) -> Self {
        let mut needs = Self::Nothing;
        for command in exchange.commands() {
            let one = Self::of_command(command);
            match (needs, one) {
                (_, Self::Nothing) => {}
                (Self::Nothing, one) => needs = one,
                _ => return Self::Unknown,
            }
        }
        needs
    }

    fn of_command(command: &Command) -> Self {
        let name = command.name.as_str();
        let mail = name.starts_with("+SMTP") || name.starts_with("+POP3");
        match command.form {
            Form::Test | Form::Read if mail => Self::Nothing,
            _ if LOCAL.contains(&name) => Self::Nothing,
            _ if POP3.contains(&name) => Self::Server(Protocol::Pop3),
            _ if ["+SMTPSEND", "+SMTPSTOP"].contains(&name) => Self::Server(Protocol::Smtp),
            _ => Self::Unknown,
        }
    }
}

fn missing(account: &Account<'_>) -> Vec<Found> {
    let disturbed = account.disturbed();
    let mut found = Vec::new();
    let mut answered = true;
    for (index, exchange) in account.exchanges.iter().enumerate() {
        // What is sent while a command runs may abort it, or be lost (V.250 5.6.1).
        let alone = std::mem::replace(&mut answered, true);
        let (until, end) = account.until_next(index);
        if exchange.data || exchange.command.is_none() || !exchange.plain || until > disturbed {
            continue;
        }
        let answer = account.answer(exchange);
        if answer.iter().any(|line| line.kind == Kind::Prompt) {
            continue;
        }
        let result = answer.iter().find(|line| is_result(account, line));
        answered = result.is_some();
        if !alone {
            continue;
        }
        let (before, at) = match result {
            Some(line) => (account.stream.origin(line.range.start).0, line.at),
            None => (until, end),
        };
        let Some((silent, allowed)) = silence(account, exchange, before, at) else {
            continue;
        };
        if silent <= allowed {
            continue;
        }
        let line = shown(&exchange.sent);
        let silent = silent.as_secs_f64();
        let (event, message) = match result {
            Some(result) => (
                result.event,
                format!(
                    "the result of `{line}` came only after {silent:.1} s in which nothing happened"
                ),
            ),
            None => (
                exchange.event,
                format!("`{line}` got no final result code; nothing happened for {silent:.1} s"),
            ),
        };
        let allowed = format!("allowed are {:.1} s", allowed.as_secs_f64());
        found.push(Found {
            details: vec![allowed],
            ..Found::new(event, message)
        });
    }
    found
}

/// How long nothing happened that an answer could wait for, counted back from `at`, and how long
/// that may be. `None`: nobody knows how long the command takes.
fn silence(
    account: &Account<'_>,
    exchange: &Exchange,
    before: usize,
    at: Duration,
) -> Option<(Duration, Duration)> {
    let timers = &account.policy.timers;
    let after = exchange.event + 1..before;
    let received = account.last_received(after.clone()).unwrap_or_default();
    let bytes = u32::try_from(exchange.sent.len()).unwrap_or(u32::MAX);
    let sent = exchange.at + ONE_BYTE.saturating_mul(bytes);
    let since = received.max(sent);
    let (since, allowed) = match Needs::of(exchange) {
        Needs::Nothing => (since, timers.answer),
        Needs::Unknown => return None,
        Needs::Server(protocol) => {
            let timer = match protocol {
                Protocol::Smtp => timers.smtp,
                Protocol::Pop3 => timers.pop3,
            } + timers.tolerance;
            match account.last_traffic(protocol, after) {
                Some(traffic) => (since.max(traffic), timer),
                // The name of the server and its port may time out one after the other.
                None => (since, timer * 2),
            }
        }
    };
    Some((at.saturating_sub(since), allowed))
}

/// What was sent, for a message.
fn shown(sent: &[u8]) -> String {
    const MOST: usize = 60;
    let text = sent.trim_ascii();
    let short = text.get(..MOST).unwrap_or(text);
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_ascii())
}

#[cfg(test)]
#[path = "tests/results.rs"]
mod tests;
