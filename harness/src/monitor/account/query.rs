//! Questions that several monitors ask of an account.

use super::{Account, Command, Exchange, Form, Kind, Line};
use crate::scenario::case::{Action, Target};
use std::ops::Range;
use std::time::Duration;
use urcheck_reports::{EventKind, Protocol};

/// Commands after which reports may go elsewhere or stay away, or the device may start anew.
const REROUTING: &[&str] = &[
    "+CATR", "+CFBDURC", "+CFUN", "+CPOF", "+CRESET", "+CMUX", "D",
];

impl Exchange {
    /// Whether a command of its line prints text that is not the device's own: a mail, a header,
    /// a file, names of files. A line that cannot be read may do so as well (`A/`).
    pub fn passes_on(&self) -> bool {
        let passes_on = |command: &Command| {
            let name = command.name.as_str();
            let prints = matches!(name, "+POP3READ" | "+POP3HDR" | "+CFTRANTX");
            (prints || name.starts_with("+FS"))
                && matches!(command.form, Form::Execute | Form::Write(_))
        };
        self.command.is_none() || self.commands().any(passes_on)
    }

    /// Whether it asks for this command with or without arguments; not the test or read form.
    pub fn asks(&self, name: &str) -> bool {
        self.commands().any(|command| {
            command.name == name && matches!(command.form, Form::Execute | Form::Write(_))
        })
    }
}

impl Account<'_> {
    /// Whether a line may be text that the device passes on, or the echo of text: no statement
    /// of the device. A mail may still go on after the DTE has sent the next line.
    pub fn may_be_foreign(&self, line: &Line) -> bool {
        if line.kind == Kind::Verbatim {
            return true;
        }
        let Some(mut index) = line.exchange else {
            return false;
        };
        loop {
            let Some(exchange) = self.exchanges.get(index) else {
                return true;
            };
            if exchange.passes_on() {
                return true;
            }
            let before = index.checked_sub(1).and_then(|at| self.exchanges.get(at));
            if before.is_none_or(|before| self.result(before).is_some()) {
                return false;
            }
            index -= 1;
        }
    }

    /// Whether results came in words and in the usual framing when the line came.
    pub fn was_plain(&self, line: &Line) -> bool {
        let exchange = line.exchange.and_then(|at| self.exchanges.get(at));
        exchange.is_none_or(|exchange| exchange.plain)
    }

    /// Index of the first event after which the device may have forgotten everything: it was
    /// acted on, or its line was lost. Without one the number of events.
    pub fn disturbed(&self) -> usize {
        let disturbs = |kind: &EventKind| match kind {
            EventKind::LineLost { .. } => true,
            EventKind::Acted { step, .. } => {
                let action = self.case.steps.get(*step).map(|step| &step.action);
                matches!(
                    action,
                    Some(Action::Act {
                        target: Target::Device,
                        ..
                    })
                )
            }
            _ => false,
        };
        let first = self.events.iter().position(|event| disturbs(&event.kind));
        first.unwrap_or(self.events.len())
    }

    /// Whether nothing was done that may keep a report away, or send it elsewhere.
    pub fn reports_come(&self) -> bool {
        let rerouted = |exchange: &Exchange| {
            exchange
                .commands()
                .any(|command| REROUTING.contains(&command.name.as_str()))
        };
        self.disturbed() == self.events.len()
            && self.exchanges.iter().all(|e| e.plain && !rerouted(e))
    }

    /// Whether the DTE ever sent this text.
    pub fn was_sent(&self, text: &[u8]) -> bool {
        let contains = |exchange: &Exchange| contains(&exchange.sent, text);
        self.exchanges.iter().any(contains)
    }

    /// When the last of these events was one of the device or of a connection to this server;
    /// `None`: no connection took part.
    pub fn last_traffic(&self, protocol: Protocol, events: Range<usize>) -> Option<Duration> {
        let events = self.events.get(events).unwrap_or_default();
        let last = events.iter().rev().find(|event| match &event.kind {
            EventKind::Connected { protocol: of, .. }
            | EventKind::FromClient { protocol: of, .. }
            | EventKind::FromServer { protocol: of, .. }
            | EventKind::Fault { protocol: of, .. }
            | EventKind::Wire { protocol: of, .. } => *of == protocol,
            _ => false,
        });
        last.map(|event| event.at)
    }

    /// When the last of these events brought bytes from the device.
    pub fn last_received(&self, events: Range<usize>) -> Option<Duration> {
        let events = self.events.get(events).unwrap_or_default();
        let received = |kind: &EventKind| matches!(kind, EventKind::Received { .. });
        let last = events.iter().rev().find(|event| received(&event.kind));
        last.map(|event| event.at)
    }

    /// When what began at the exchange `index` ended: at the next one, or at the end of the case.
    pub fn until_next(&self, index: usize) -> (usize, Duration) {
        match self.exchanges.get(index + 1) {
            Some(next) => (next.event, next.at),
            None => (self.events.len(), self.end()),
        }
    }
}

/// Whether `text` stands in `whole`.
pub fn contains(whole: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && whole.windows(text.len()).any(|window| window == text)
}
