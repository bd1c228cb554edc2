//! What the DTE has configured in this case, as far as that is certain.
//!
//! Settings outlive a case on a real device ("only configure once until reboot"), and what
//! becomes of an e-mail's parts after a sending is for the manuals to say. So everything is
//! unknown at first, becomes known when a command line was answered with OK, and unknown again
//! when something happened that may have changed it.

use super::account::{Account, Argument, Command, Exchange, Form};
use std::collections::BTreeMap;
use urcheck_reports::EventKind;

/// A user name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// An address and the name that goes with it; `None`: not given, so it may be one of before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) address: String,
    pub(super) name: Option<String>,
}

/// The entries of a list; `complete` if there can be no others.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    pub(super) entries: BTreeMap<u64, T>,
    pub(super) complete: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            complete: false,
        }
    }
}

impl<T> List<T> {
    fn forget(&mut self) {
        *self = Self::default();
    }

    fn clear(&mut self) {
        self.forget();
        self.complete = true;
    }
}

/// What is configured; `None`: nobody knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Configured {
    /// `Some(None)`: no authentication.
    pub(super) auth: Option<Option<Login>>,
    pub(super) from: Option<Mailbox>,
    /// TO, CC, BCC.
    pub(super) recipients: [List<Mailbox>; 3],
    pub(super) subject: Option<String>,
    /// The readings of the body: escapes undone, and as it was typed.
    pub(super) body: Option<Vec<String>>,
    pub(super) files: List<String>,
    pub(super) maildrop: Option<Login>,
    /// What the DTE has typed so far, accepted or not.
    pub(super) typed: String,
    /// The body that is being typed at the prompt.
    prompt: Option<Vec<u8>>,
}

impl Configured {
    /// What is configured when this exchange begins.
    pub(super) fn before(account: &Account<'_>, exchange: usize) -> Self {
        let mut state = Self::default();
        let exchanges = account.exchanges.get(..exchange).unwrap_or_default();
        let mut seen = 0;
        for exchange in exchanges {
            state.act(account, seen..exchange.event);
            seen = exchange.event;
            state.follow(account, exchange);
        }
        let until = account.exchanges.get(exchange).map(|e| e.event);
        state.act(account, seen..until.unwrap_or(seen));
        state
    }

    /// A device that was restarted has forgotten what it pleases.
    fn act(&mut self, account: &Account<'_>, events: std::ops::Range<usize>) {
        let events = account.events.get(events).unwrap_or_default();
        let restarted = events.iter().any(|event| {
            matches!(&event.kind, EventKind::Acted { what, .. } if what.contains("power") || what.contains("reset"))
        });
        if restarted {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        *self = Self {
            typed,
            ..Self::default()
        };
    }

    fn follow(&mut self, account: &Account<'_>, exchange: &Exchange) {
        self.typed
            .push_str(&String::from_utf8_lossy(&exchange.sent));
        self.typed.push('\n');
        let result = account.result(exchange);
        if exchange.data {
            self.data(exchange, result);
            return;
        }
        let Some(line) = &exchange.command else {
            if !exchange.sent.trim_ascii().is_empty() {
                self.forget();
            }
            return;
        };
        self.prompt = None;
        let certain = exchange.plain && result == Some(true);
        let refused = exchange.plain && result == Some(false) && line.only().is_some();
        for command in &line.commands {
            if matches!(command.form, Form::Test | Form::Read)
                || refused && command.name != "+SMTPSEND"
            {
                continue;
            }
            if command.name == "+SMTPBODY" && command.form == Form::Execute {
                self.body = None;
                self.prompt = Some(Vec::new());
            } else if certain {
                let typed = line.only().map(|_| exchange.sent.as_slice());
                self.set(command, typed);
            } else {
                self.unset(command);
            }
        }
    }

    /// Text at the prompt of AT+SMTPBODY; anything but plain lines and the end is for the device
    /// to read.
    fn data(&mut self, exchange: &Exchange, result: Option<bool>) {
        let Some(typed) = &mut self.prompt else {
            return;
        };
        typed.extend_from_slice(&exchange.sent);
        if result != Some(true) {
            return;
        }
        let typed = self.prompt.take().unwrap_or_default();
        let text = typed.strip_suffix(b"\x1a").unwrap_or(b"\x1b");
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n');
        self.body = text
            .iter()
            .all(plain)
            .then(|| vec![String::from_utf8_lossy(text).into_owned()]);
    }

    /// A command was answered with OK.
    fn set(&mut self, command: &Command, sent: Option<&[u8]>) {
        let arguments = command.arguments();
        let quoted = |at: usize| match arguments.get(at) {
            Some(Argument::Quoted(bytes)) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        let number = |at: usize| arguments.get(at).and_then(Argument::number);
        let login = |user, password| {
            Some(Login {
                user: quoted(user)?,
                password: quoted(password)?,
            })
        };
        // Not every device undoes the escapes of V.250, and no manual says that it must: what such a
        // line sets, nobody knows. The body has a reading for each.
        let escapes = sent.is_some_and(|line| line.contains(&b'\\'));
        if escapes && command.name != "+SMTPBODY" {
            return self.unset(command);
        }
        match (command.name.as_str(), arguments.len()) {
            ("+SMTPAUTH", 1) if number(0) == Some(0) => self.auth = Some(None),
            ("+SMTPAUTH", 3) if number(0) == Some(1) => self.auth = login(1, 2).map(Some),
            ("+SMTPFROM", 1 | 2) => {
                self.from = quoted(0).map(|address| Mailbox {
                    address,
                    name: quoted(1),
                });
            }
            ("+POP3SRV", 3 | 4) => self.maildrop = login(1, 2),
            ("+SMTPSUB", 1) => self.subject = quoted(0),
            ("+SMTPBODY", 1) => {
                let typed = sent.and_then(typed_string);
                self.body = quoted(0).map(|body| [body].into_iter().chain(typed).collect());
            }
            ("+SMTPRCPT", length @ 1..=4) => {
                let kind = number(0).and_then(|kind| usize::try_from(kind).ok());
                let Some(list) = kind.and_then(|kind| self.recipients.get_mut(kind)) else {
                    return;
                };
                match (number(1), quoted(2)) {
                    (None, None) if length == 1 => list.clear(),
                    (Some(index), None) if length == 2 => {
                        list.entries.remove(&index);
                    }
                    (Some(index), Some(address)) => {
                        let name = quoted(3);
                        list.entries.insert(index, Mailbox { address, name });
                    }
                    _ => list.forget(),
                }
            }
            ("+SMTPFILE", 0) if command.form == Form::Execute => self.files.clear(),
            ("+SMTPFILE", length @ 1..=2) => match (number(0), quoted(1)) {
                (Some(index), None) if length == 1 => {
                    self.files.entries.remove(&index);
                }
                (Some(index), Some(name)) => {
                    self.files.entries.insert(index, name);
                }
                _ => self.files.forget(),
            },
            _ => self.unset(command),
        }
    }

    /// Nobody knows what a command has changed.
    fn unset(&mut self, command: &Command) {
        match command.name.as_str() {
            "+SMTPAUTH" => self.auth = None,
            "+SMTPFROM" => self.from = None,
            "+POP3SRV" => self.maildrop = None,
            "+SMTPSUB" => self.subject = None,
            "+SMTPBODY" => self.body = None,
            "+SMTPRCPT" => self.recipients.iter_mut().for_each(List::forget),
            "+SMTPFILE" => self.files.forget(),
            // What becomes of the parts of an e-mail that was sent, only the manuals say.
            "+SMTPSEND" => {
                self.subject = None;
                self.body = None;
                self.recipients.iter_mut().for_each(List::forget);
                self.files.forget();
            }
            "Z" | "&F" | "+CFUN" | "+CRESET" | "+CPOF" | "+SMTPCLEAN" => self.forget(),
            _ => {}
        }
    }
}

/// The text between the first quote after `=` and the last one, as it was typed.
fn typed_string(sent: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(sent).ok()?;
    let (_, rest) = text.split_once("=")?;
    let (_, rest) = rest.split_once('"')?;
    let (inner, _) = rest.rsplit_once('"')?;
    Some(inner.to_owned())
}
