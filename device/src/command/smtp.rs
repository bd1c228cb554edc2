//! The parameters of `AT+SMTP…` (note chapter 2, 3.1 and 3.2; SIM5320 manual 18.1 for forms, limits
//! and the busy rule). Sending is next door, in [`super::sending`].

use super::entry::{Body, Entry};
use super::{Answer, Command, ERROR, Flow, Test};
use crate::at::value::{Values, quoted};
use crate::core::Core;
use crate::files::path::ModulePath;
use crate::smtp::{Address, Credentials, Outcome};
use crate::urc;
use std::collections::BTreeMap;

/// The SMTP application: parameters, the mail, and whether it is being sent.
#[derive(Debug)]
pub(crate) struct Smtp {
    pub(crate) server: String,
    pub(crate) port: u16,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) from: Option<Address>,
    /// By kind (0 TO, 1 CC, 2 BCC), then by index.
    pub(crate) recipients: [BTreeMap<u32, Address>; 3],
    pub(crate) subject: String,
    /// The text of the mail.
    pub(crate) body: String,
    pub(crate) files: BTreeMap<u32, ModulePath>,
    pub(crate) sending: bool,
    /// Sends since power-up.
    pub(crate) sends: u32,
}

/// The port of a server that names none.
const PORT: u16 = 25;

impl Default for Smtp {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: PORT,
            credentials: None,
            from: None,
            recipients: Default::default(),
            subject: String::new(),
            body: String::new(),
            files: BTreeMap::new(),
            sending: false,
            sends: 0,
        }
    }
}

impl Smtp {
    /// Whether a mail is being sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending
    }

    /// Notes how the sending ended: after success the mail is cleared, otherwise it is kept so
    /// that it can be sent again (SIM5320 manual). The parameters stay until reboot (note 3.1).
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        self.sending = false;
        if *outcome == Outcome::Success {
            self.recipients = Default::default();
            self.subject.clear();
            self.body.clear();
            self.files.clear();
        }
    }
}

pub(super) const COMMANDS: &[Command] = &[
    Command {
        test: Test::Lines(&["+SMTPSRV: (1-65535)"]),
        read: Some(|core| {
            core.say(format!(
                "+SMTPSRV: {}, {}",
                quoted(&core.smtp.server),
                core.smtp.port
            ));
            Ok(Flow::Done)
        }),
        set: Some(set_server),
        execute: Some(|core| {
            let smtp = idle(core)?;
            smtp.server.clear();
            smtp.port = PORT;
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPSRV")
    },
    Command {
        test: Test::Lines(&["+SMTPAUTH: (0,1)"]),
        read: Some(|core| {
            core.say(match &core.smtp.credentials {
                Some(Credentials { user, password }) => {
                    format!("+SMTPAUTH: 1, {}, {}", quoted(user), quoted(password))
                }
                None => "+SMTPAUTH: 0, \"\", \"\"".to_owned(),
            });
            Ok(Flow::Done)
        }),
        set: Some(set_authentication),
        execute: Some(|core| {
            idle(core)?.credentials = None;
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPAUTH")
    },
    Command {
        read: Some(|core| {
            let line = match &core.smtp.from {
                Some(Address { address, name }) => {
                    format!("+SMTPFROM: {}, {}", quoted(address), quoted(name))
                }
                None => "+SMTPFROM: \"\", \"\"".to_owned(),
            };
            core.say(line);
            Ok(Flow::Done)
        }),
        set: Some(set_sender),
        execute: Some(|core| {
            idle(core)?.from = None;
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPFROM")
    },
    Command {
        test: Test::Line(|core| {
            format!(
                "+SMTPRCPT: (0-2), (0-{})",
                core.settings.limits.recipients.saturating_sub(1)
            )
        }),
        read: Some(read_recipients),
        set: Some(set_recipient),
        execute: Some(|core| {
            idle(core)?.recipients = Default::default();
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPRCPT")
    },
    Command {
        read: Some(|core| {
            core.say(format!("+SMTPSUB: {}", quoted(&core.smtp.subject)));
            Ok(Flow::Done)
        }),
        set: Some(|core, mut values| {
            let subject = values.title(core.settings.limits.subject)?;
            values.end()?;
            idle(core)?.subject = subject;
            Ok(Flow::Done)
        }),
        execute: Some(|core| {
            idle(core)?.subject.clear();
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPSUB")
    },
    Command {
        read: Some(|core| {
            core.say(format!("+SMTPBODY: {}", quoted(&core.smtp.body)));
            Ok(Flow::Done)
        }),
        set: Some(|core, mut values| {
            let body = values.lines(core.settings.limits.body)?;
            values.end()?;
            idle(core)?.body = body;
            Ok(Flow::Done)
        }),
        execute: Some(enter_body),
        ..Command::new("+SMTPBODY")
    },
    Command {
        test: Test::Line(|core| format!("+SMTPFILE: (1-{})", core.settings.limits.attachments)),
        read: Some(read_files),
        set: Some(set_file),
        execute: Some(|core| {
            idle(core)?.files.clear();
            Ok(Flow::Done)
        }),
        ..Command::new("+SMTPFILE")
    },
];

/// The application, for a change; while a mail is being sent none is allowed.
fn idle(core: &mut Core) -> Result<&mut Smtp, super::Refusal> {
    if core.smtp.sending {
        Err(ERROR)
    } else {
        Ok(&mut core.smtp)
    }
}

fn set_server(core: &mut Core, mut values: Values<'_>) -> Answer {
    let server = host(values.text(core.settings.limits.server)?)?;
    let port = port(&mut values, PORT)?;
    values.end()?;
    let smtp = idle(core)?;
    (smtp.server, smtp.port) = (server, port);
    Ok(Flow::Done)
}

/// A server address is a word: a blank in it can only be a slip.
pub(super) fn host(server: String) -> Result<String, super::Refusal> {
    if server.contains(' ') {
        Err(super::Refusal::Value)
    } else {
        Ok(server)
    }
}

/// A port that may be left out.
pub(super) fn port(values: &mut Values<'_>, default: u16) -> Result<u16, super::Refusal> {
    let port = values.optional_number(1..=65535)?;
    Ok(port
        .and_then(|port| u16::try_from(port).ok())
        .unwrap_or(default))
}

fn set_authentication(core: &mut Core, mut values: Values<'_>) -> Answer {
    let longest = core.settings.limits.server;
    let credentials = match values.number(0..=1)? {
        0 => None,
        _ => {
            let user = values.text(longest)?;
            let password = values
                .optional_text(longest)?
                .ok_or(super::Refusal::Value)?;
            Some(Credentials { user, password })
        }
    };
    // With flag 0 user and password must be left out.
    values.end()?;
    idle(core)?.credentials = credentials;
    Ok(Flow::Done)
}

fn set_sender(core: &mut Core, mut values: Values<'_>) -> Answer {
    let address = address(core, &mut values)?;
    values.end()?;
    idle(core)?.from = Some(address);
    Ok(Flow::Done)
}

/// An address, and a name that may be left out.
fn address(core: &Core, values: &mut Values<'_>) -> Result<Address, super::Refusal> {
    let limits = &core.settings.limits;
    let address = values.text(limits.address)?;
    let name = values.optional_text(limits.name)?.unwrap_or_default();
    let address = Address::new(address, name);
    if address.is_transmissible() {
        Ok(address)
    } else {
        Err(super::Refusal::Value)
    }
}

fn read_recipients(core: &mut Core) -> Answer {
    let mut lines = Vec::new();
    for (kind, recipients) in core.smtp.recipients.iter().enumerate() {
        for (index, Address { address, name }) in recipients {
            let (address, name) = (quoted(address), quoted(name));
            lines.push(format!("+SMTPRCPT: {kind}, {index}, {address}, {name}"));
        }
    }
    core.say_all(&lines);
    Ok(Flow::Done)
}

fn set_recipient(core: &mut Core, mut values: Values<'_>) -> Answer {
    let kind = values.number(0..=2)?;
    let highest = u32::try_from(core.settings.limits.recipients.saturating_sub(1));
    let index = values.optional_number(0..=highest.unwrap_or(u32::MAX))?;
    let address = match values.clone().end() {
        Ok(()) => None,
        Err(_) => Some(address(core, &mut values)?),
    };
    values.end()?;
    let kind = usize::try_from(kind).map_err(|_| ERROR)?;
    let recipients = idle(core)?.recipients.get_mut(kind).ok_or(ERROR)?;
    match (index, address) {
        (None, None) => recipients.clear(),
        (Some(index), None) => drop(recipients.remove(&index)),
        (Some(index), Some(address)) => drop(recipients.insert(index, address)),
        (None, Some(_)) => return Err(super::Refusal::Value),
    }
    Ok(Flow::Done)
}

fn enter_body(core: &mut Core) -> Answer {
    idle(core)?.body.clear();
    core.output.prompt(&core.line, ">> ");
    Ok(Flow::Enter(Entry::Body(Body::default())))
}

fn read_files(core: &mut Core) -> Answer {
    let lines: Vec<_> = core
        .smtp
        .files
        .iter()
        .map(|(index, path)| {
            let size = core
                .files
                .attributes(path)
                .map_or(0, |attributes| attributes.size);
            format!("+SMTPFILE: {index}, \"{path}\", {size}")
        })
        .collect();
    core.say_all(&lines);
    Ok(Flow::Done)
}

fn set_file(core: &mut Core, mut values: Values<'_>) -> Answer {
    let highest = u32::try_from(core.settings.limits.attachments).unwrap_or(u32::MAX);
    let index = values.number(1..=highest)?;
    if values.clone().end().is_ok() {
        idle(core)?.files.remove(&index);
        return Ok(Flow::Done);
    }
    let name = values.text(usize::MAX)?;
    values.end()?;
    idle(core)?;
    let path = core.directory.child(&name).map_err(|_| ERROR)?;
    core.files.file(&path).map_err(|_| ERROR)?;
    let others = || core.smtp.files.iter().filter(|(other, _)| **other != index);
    if others().any(|(_, other)| *other == path) {
        return Err(ERROR);
    }
    if is_oversize(core, others().map(|(_, path)| path).chain([&path])) {
        core.report(&[urc::Smtp::Oversize.line()]);
        return Err(ERROR);
    }
    core.smtp.files.insert(index, path);
    Ok(Flow::Done)
}

pub(super) fn is_oversize<'a>(core: &Core, files: impl Iterator<Item = &'a ModulePath>) -> bool {
    let sizes = files.map(|path| core.files.attributes(path).map_or(0, |file| file.size));
    sizes.fold(0, u64::saturating_add) > core.settings.limits.attachments_total
}
