//! What happened in a case, told from its timeline: which command lines the DTE sent, which lines
//! came back and what each of them is, what went over which connection, and what the servers hold
//! in the end.
//!
//! The account knows V.250, not the scenario: it says the same whatever its author expected.

mod command;
mod servers;
mod stream;
mod wire;

pub use command::{Argument, Command, CommandLine, Form};
pub use servers::{
    Attachment, Lint, Mail, Message, Pop3, Pop3Session, Removal, Servers, Smtp, SmtpSession,
};
pub use stream::{End, Kind, Line, Stream};
pub use wire::{Closed, Connection, Traffic};

use crate::judge::{Echo, Policy, is_final_result};
use crate::scenario::case::Case;
use std::ops::Range;
use std::time::Duration;
use urcheck_reports::{Event, EventKind, Protocol};

/// Everything that a monitor may look at.
#[derive(Debug)]
pub struct Account<'a> {
    /// The case. Its expectations are no monitor's business; its servers' set-up and faults are.
    pub case: &'a Case,
    /// What is known of the device.
    pub policy: &'a Policy,
    /// The timeline.
    pub events: &'a [Event],
    /// Every byte from the device.
    pub stream: Stream,
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// Everything that the DTE sent, in order.
    pub exchanges: Vec<Exchange>,
    /// The connections, in the order in which they were opened.
    pub connections: Vec<Connection>,
    /// The state of the servers at the end.
    pub servers: Servers,
    /// Whether the dialogue was left before its end, because an expectation failed: what is
    /// missing then may only not have come yet.
    pub cut_short: bool,
}

/// One sending of the DTE and what came until the next.
#[derive(Debug)]
pub struct Exchange {
    /// Index of the step in the case.
    pub step: Option<usize>,
    /// Index of the event.
    pub event: usize,
    /// When.
    pub at: Duration,
    /// What was sent.
    pub sent: Vec<u8>,
    /// The command line, where it is one that can be read.
    pub command: Option<CommandLine>,
    /// Whether it was sent at a prompt: text, not a command.
    pub data: bool,
    /// Whether results come in words and in the usual framing: nothing of `ATV0`, `ATQ1`, `ATS3`,
    /// `ATS4` is in force.
    pub plain: bool,
    /// Which lines came until the next sending.
    pub lines: Range<usize>,
}

impl Exchange {
    /// Whether a command of its line asks for the execution of `name`.
    pub fn executes(&self, name: &str) -> bool {
        self.commands().any(|command| command.executes(name))
    }

    /// The commands of its line.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.command.iter().flat_map(|line| &line.commands)
    }
}

/// One `AT+SMTPSEND` that the device took up.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The exchange of the command.
    pub exchange: usize,
    /// The `+SMTP:` lines that belong to it, in order.
    pub reports: Vec<usize>,
    /// The exchange of the `AT+SMTPSTOP` that the device answered with `OK` while it went on.
    pub stop: Option<usize>,
    /// Index of the event before which it is over: where the next one begins.
    pub until: usize,
}

impl<'a> Account<'a> {
    /// The account of a whole case.
    pub fn of(case: &'a Case, policy: &'a Policy, events: &'a [Event], cut_short: bool) -> Self {
        let mut account = Self {
            case,
            policy,
            events,
            stream: Stream::default(),
            lines: Vec::new(),
            exchanges: Vec::new(),
            connections: wire::connections(events),
            servers: last_state(events),
            cut_short,
        };
        let mut reader = Reader {
            echo: Echo::new(policy.echo),
            open_from: 0,
            open_exchange: None,
            verbatim: 0,
            prompted: false,
            switched: Switched::default(),
        };
        for (index, event) in events.iter().enumerate() {
            match &event.kind {
                EventKind::Sent { step, bytes } => {
                    reader.sent(&mut account, index, event.at, *step, bytes);
                }
                EventKind::Received { bytes } => {
                    account.stream.push(index, event.at, bytes);
                    reader.cut(&mut account);
                }
                _ => {}
            }
        }
        reader.leave_open(&mut account);
        let count = account.lines.len();
        if let Some(last) = account.exchanges.last_mut() {
            last.lines.end = count;
        }
        account.mark_passed_on();
        account
    }

    /// The text of a line.
    pub fn text(&self, line: &Line) -> &[u8] {
        self.stream.slice(&line.range)
    }

    /// What stands after `+SMTP: ` or `+POP3: ` in such a line.
    pub fn report(&self, line: &Line) -> Option<&str> {
        let text = std::str::from_utf8(self.text(line)).ok()?;
        let rest = text
            .strip_prefix("+SMTP:")
            .or_else(|| text.strip_prefix("+POP3:"))?;
        Some(rest.trim_start())
    }

    /// The lines of an exchange.
    pub fn answer(&self, exchange: &Exchange) -> &[Line] {
        self.lines.get(exchange.lines.clone()).unwrap_or_default()
    }

    /// The final result of an exchange, if it has one: whether it is `OK`.
    pub fn result(&self, exchange: &Exchange) -> Option<bool> {
        let result = self.answer(exchange).iter().find(|l| l.kind.is_final())?;
        Some(result.kind == Kind::Ok)
    }

    /// When the last event happened.
    pub fn end(&self) -> Duration {
        self.events.last().map(|event| event.at).unwrap_or_default()
    }

    /// The connections to one server.
    pub fn connections_to(&self, protocol: Protocol) -> impl Iterator<Item = &Connection> {
        self.connections
            .iter()
            .filter(move |connection| connection.protocol == protocol)
    }

    /// Every sending that the device took up. One that was refused because another goes on
    /// (`+SMTP: ONGOING`), or with `ERROR` and no word about why, is none.
    pub fn sendings(&self) -> Vec<Sending> {
        let mut all: Vec<Sending> = Vec::new();
        for (index, exchange) in self.exchanges.iter().enumerate() {
            let sends = exchange.executes("+SMTPSEND");
            let reports = self.reports(exchange.lines.clone(), Kind::Smtp);
            let ongoing = |line: &&usize| self.is_report(**line, "ONGOING");
            if sends
                && !reports.iter().any(|line| self.is_report(*line, "ONGOING"))
                && !(reports.is_empty() && self.result(exchange) == Some(false))
            {
                if let Some(last) = all.last_mut() {
                    last.until = exchange.event;
                }
                all.push(Sending {
                    exchange: index,
                    reports,
                    stop: None,
                    until: self.events.len(),
                });
                continue;
            }
            let Some(last) = all.last_mut() else {
                continue;
            };
            let stopped = exchange.executes("+SMTPSTOP") && self.result(exchange) == Some(true);
            if stopped && !last.reports.iter().any(|line| self.ends_sending(*line)) {
                last.stop.get_or_insert(index);
            }
            let of_last = reports.iter().filter(|line| !ongoing(line));
            last.reports.extend(of_last);
        }
        all
    }

    /// Whether a `+SMTP:` line says what came of a sending.
    pub fn ends_sending(&self, line: usize) -> bool {
        !self.is_report(line, "OK") && !self.is_report(line, "ONGOING")
    }

    /// Whether a line reports just this.
    pub fn is_report(&self, line: usize, code: &str) -> bool {
        let line = self.lines.get(line);
        line.and_then(|line| self.report(line)) == Some(code)
    }

    /// The lines of this kind in a range.
    fn reports(&self, lines: Range<usize>, kind: Kind) -> Vec<usize> {
        let of_kind = |at: &usize| self.lines.get(*at).is_some_and(|line| line.kind == kind);
        lines.filter(of_kind).collect()
    }

    /// A mail and its header are passed on as they are (`AT+POP3READ`, `AT+POP3HDR`): what looks
    /// like a result in them is none, but for the one that ends them.
    fn mark_passed_on(&mut self) {
        for exchange in &self.exchanges {
            let passes_on = |command: &Command| {
                matches!(command.name.as_str(), "+POP3READ" | "+POP3HDR")
                    && matches!(command.form, Form::Execute | Form::Write(_))
            };
            if !exchange.commands().any(passes_on) {
                continue;
            }
            let Some(lines) = self.lines.get_mut(exchange.lines.clone()) else {
                continue;
            };
            let last = lines.iter().rposition(|line| line.kind.is_final());
            let Some(last) = last.filter(|at| lines.get(*at).is_some_and(|l| l.kind == Kind::Ok))
            else {
                continue;
            };
            for line in lines.iter_mut().take(last) {
                if !matches!(line.kind, Kind::Blank | Kind::Echo | Kind::Network) {
                    line.kind = Kind::Verbatim;
                }
            }
        }
    }
}

/// The last state of the servers on the timeline.
fn last_state(events: &[Event]) -> Servers {
    let state = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Snapshot { state, .. } => Some(state),
        _ => None,
    });
    // Every member has a default, so what cannot be read is missing and not an error.
    state
        .and_then(|state| serde::Deserialize::deserialize(state).ok())
        .unwrap_or_default()
}

/// Reads the device's lines while the timeline goes by.
struct Reader {
    echo: Echo,
    /// Where the line begins that is still open.
    open_from: usize,
    /// After which exchange its first byte came.
    open_exchange: Option<usize>,
    /// How many bytes of a file are still to come.
    verbatim: usize,
    /// A prompt was given and no result since.
    prompted: bool,
    switched: Switched,
}

/// What of the usual form of results is switched off.
#[derive(Default)]
struct Switched {
    numeric: bool,
    quiet: bool,
    characters: bool,
}

impl Reader {
    fn sent(
        &mut self,
        account: &mut Account<'_>,
        event: usize,
        at: Duration,
        step: Option<usize>,
        bytes: &[u8],
    ) {
        let open = account
            .stream
            .bytes
            .get(self.open_from..)
            .unwrap_or_default();
        if matches!(open.trim_ascii(), b">" | b">>") {
            let end = account.stream.bytes.len();
            self.line(account, end, End::Open);
        }
        let command = if self.prompted {
            None
        } else {
            CommandLine::read(bytes)
        };
        self.echo.sent(bytes);
        for command in command.iter().flat_map(|line| &line.commands) {
            self.switched.follow(command);
        }
        let lines = account.lines.len();
        if let Some(last) = account.exchanges.last_mut() {
            last.lines.end = lines;
        }
        account.exchanges.push(Exchange {
            step,
            event,
            at,
            sent: bytes.to_vec(),
            command,
            data: self.prompted,
            plain: self.switched.is_plain(),
            lines: lines..lines,
        });
        if account.stream.bytes.len() == self.open_from {
            self.open_exchange = account.exchanges.len().checked_sub(1);
        }
    }

    /// Cuts off every line that is complete.
    fn cut(&mut self, account: &mut Account<'_>) {
        loop {
            let open = account
                .stream
                .bytes
                .get(self.open_from..)
                .unwrap_or_default();
            if open.is_empty() {
                return;
            }
            if self.verbatim > 0 {
                if open.len() < self.verbatim {
                    return;
                }
                let end = self.open_from + std::mem::take(&mut self.verbatim);
                self.push(account, end, end, End::Open, Kind::Verbatim);
                continue;
            }
            let Some(feed) = open.iter().position(|&byte| byte == b'\n') else {
                return;
            };
            let text = open.get(..feed).unwrap_or_default();
            let returns = text.iter().rev().take_while(|&&b| b == b'\r').count();
            let end = match returns {
                0 => End::Lf,
                1 => End::CrLf,
                _ => End::CrCrLf,
            };
            self.line(account, self.open_from + feed + 1, end);
        }
    }

    /// Whatever is left at the end of the case is a line as well.
    fn leave_open(&mut self, account: &mut Account<'_>) {
        let end = account.stream.bytes.len();
        if end > self.open_from {
            self.line(account, end, End::Open);
        }
    }

    /// Closes the open line at `end`, which is behind its line end.
    fn line(&mut self, account: &mut Account<'_>, end: usize, how: End) {
        let raw = account
            .stream
            .bytes
            .get(self.open_from..end)
            .unwrap_or_default();
        let unfed = raw.strip_suffix(b"\n").unwrap_or(raw);
        let returns = unfed.iter().rev().take_while(|&&b| b == b'\r').count();
        let text = unfed.get(..unfed.len() - returns).unwrap_or_default();
        let kind = self.kind(account, text, how);
        if kind.is_final() {
            self.prompted = false;
        }
        if kind == Kind::Prompt {
            self.prompted = true;
        }
        self.verbatim = announced(text).unwrap_or_default();
        let text_end = self.open_from + text.len();
        self.push(account, text_end, end, how, kind);
    }

    fn push(
        &mut self,
        account: &mut Account<'_>,
        text_end: usize,
        end: usize,
        how: End,
        kind: Kind,
    ) {
        let (_, at) = account.stream.origin(self.open_from);
        let (event, done) = account.stream.origin(end.saturating_sub(1));
        account.lines.push(Line {
            exchange: self.open_exchange,
            event,
            at,
            done,
            range: self.open_from..text_end,
            end: how,
            kind,
        });
        self.open_from = end;
        self.open_exchange = account.exchanges.len().checked_sub(1);
    }

    fn kind(&mut self, account: &Account<'_>, text: &[u8], how: End) -> Kind {
        if text.trim_ascii().is_empty() {
            Kind::Blank
        } else if how == End::Open && matches!(text.trim_ascii(), b">" | b">>") {
            Kind::Prompt
        } else if self.echo.is_echo(text) {
            Kind::Echo
        } else if text == b"OK" {
            Kind::Ok
        } else if is_final_result(text) {
            Kind::Error
        } else if text.starts_with(b"+SMTP:") {
            Kind::Smtp
        } else if text.starts_with(b"+POP3:") {
            Kind::Pop3
        } else if account.policy.ignores(text) {
            Kind::Network
        } else {
            Kind::Information
        }
    }
}

impl Switched {
    fn follow(&mut self, command: &Command) {
        let zero = command
            .arguments()
            .first()
            .and_then(Argument::number)
            .unwrap_or(0)
            == 0;
        match command.name.as_str() {
            "V" => self.numeric = zero,
            "Q" => self.quiet = !zero,
            "S3" | "S4" if matches!(command.form, Form::Write(_)) => self.characters = true,
            "Z" | "&F" => *self = Self::default(),
            _ => {}
        }
    }

    fn is_plain(&self) -> bool {
        !self.numeric && !self.quiet && !self.characters
    }
}

/// How many bytes of a file `+CFTRANTX: DATA,<length>` announces (SIM5320 manual 12).
fn announced(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"+CFTRANTX:")?.trim_ascii_start();
    let length = rest.strip_prefix(b"DATA,")?.trim_ascii();
    std::str::from_utf8(length).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
