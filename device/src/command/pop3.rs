//! `AT+POP3…` (note chapters 2 and 4; SIM5320 manual 18.2 for forms and states).

use super::print::{Shape, Source};
use super::smtp::{host, port};
use super::{Answer, Command, ERROR, Flow, Refusal, Test};
use crate::at::value::{Values, quoted};
use crate::core::{Action, Core, Request};
use crate::files::path::{DriveName, ModulePath};
use crate::pop3::Account;

/// The POP3 application.
#[derive(Debug)]
pub(crate) struct Pop3 {
    pub(crate) account: Account,
    /// Where the session is.
    pub(crate) phase: Phase,
    /// The mail that was received last.
    pub(crate) last_mail: Option<ModulePath>,
}

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is none.
    LoggedOut,
    /// The server has been asked for something.
    Busy,
    /// It waits for the next command.
    LoggedIn,
}

/// The port of a server that names none.
const PORT: u16 = 110;

impl Default for Pop3 {
    fn default() -> Self {
        Self {
            account: Account {
                server: String::new(),
                port: PORT,
                user: String::new(),
                password: String::new(),
            },
            phase: Phase::LoggedOut,
            last_mail: None,
        }
    }
}

impl Pop3 {
    /// Whether there is no session.
    pub(crate) fn is_free(&self) -> bool {
        self.phase == Phase::LoggedOut
    }
}

pub(super) const COMMANDS: &[Command] = &[
    Command {
        test: Test::Lines(&["+POP3SRV: (1-65535)"]),
        read: Some(|core| {
            let Account {
                server,
                port,
                user,
                password,
            } = &core.pop3.account;
            let (server, user, password) = (quoted(server), quoted(user), quoted(password));
            let line = format!("+POP3SRV: {server}, {user}, {password}, {port}");
            core.say(line);
            Ok(Flow::Done)
        }),
        set: Some(set_server),
        execute: Some(clear_server),
        ..Command::new("+POP3SRV")
    },
    Command {
        read: Some(|core| {
            core.say(if core.pop3.is_free() {
                "+POP3IN: NULL".to_owned()
            } else {
                format!("+POP3IN: \"{}\"", core.pop3.account.server)
            });
            Ok(Flow::Done)
        }),
        execute: Some(log_in),
        ..Command::new("+POP3IN")
    },
    Command {
        execute: Some(|core| ask(core, Request::Number)),
        ..Command::new("+POP3NUM")
    },
    Command {
        set: Some(|core, values| ask(core, Request::List(only_number(values)?))),
        execute: Some(|core| ask(core, Request::ListAll)),
        ..Command::new("+POP3LIST")
    },
    Command {
        set: Some(|core, values| ask(core, Request::Header(only_number(values)?))),
        ..Command::new("+POP3HDR")
    },
    Command {
        set: Some(retrieve),
        ..Command::new("+POP3GET")
    },
    Command {
        set: Some(|core, values| ask(core, Request::Delete(only_number(values)?))),
        ..Command::new("+POP3DEL")
    },
    Command {
        execute: Some(|core| ask(core, Request::LogOut)),
        ..Command::new("+POP3OUT")
    },
    Command {
        execute: Some(stop),
        ..Command::new("+POP3STOP")
    },
    Command {
        set: Some(read_mail),
        execute: Some(read_last),
        ..Command::new("+POP3READ")
    },
];

fn set_server(core: &mut Core, mut values: Values<'_>) -> Answer {
    let longest = core.settings.limits.server;
    let server = host(values.text(longest)?)?;
    let user = values.text(longest)?;
    let password = values.optional_text(longest)?.ok_or(Refusal::Value)?;
    let port = port(&mut values, PORT)?;
    values.end()?;
    free(core)?.account = Account {
        server,
        port,
        user,
        password,
    };
    Ok(Flow::Done)
}

fn clear_server(core: &mut Core) -> Answer {
    let pop3 = free(core)?;
    *pop3 = Pop3 {
        last_mail: pop3.last_mail.take(),
        ..Pop3::default()
    };
    Ok(Flow::Done)
}

/// The application, for a change; during a session none is allowed.
fn free(core: &mut Core) -> Result<&mut Pop3, Refusal> {
    if core.pop3.is_free() {
        Ok(&mut core.pop3)
    } else {
        Err(ERROR)
    }
}

fn log_in(core: &mut Core) -> Answer {
    let pop3 = free(core)?;
    if pop3.account.server.is_empty() {
        return Err(ERROR);
    }
    let account = pop3.account.clone();
    if core.rivals.is_any_open() {
        return Err(ERROR);
    }
    if !core.network.is_available() {
        core.report(&[crate::urc::pop3_failure(crate::pop3::Failure::NetworkError)]);
        return Err(ERROR);
    }
    begin(core, Request::LogIn(account));
    Ok(Flow::Wait)
}

/// Asks the server; only one thing at a time, and only after the log-in.
fn ask(core: &mut Core, request: Request) -> Answer {
    if core.pop3.phase != Phase::LoggedIn {
        return Err(ERROR);
    }
    begin(core, request);
    Ok(Flow::Wait)
}

/// The result of `AT+POP3GET` comes before the mail (note 4.4).
fn retrieve(core: &mut Core, values: Values<'_>) -> Answer {
    let number = only_number(values)?;
    let request = Request::Retrieve {
        number,
        files: core.files.clone(),
        drive: core.mail_drive,
        rtc: core.rtc.clone(),
    };
    ask(core, request)?;
    Ok(Flow::Done)
}

fn begin(core: &mut Core, request: Request) {
    core.pop3.phase = Phase::Busy;
    core.actions.push_back(Action::Ask(request));
}

/// Message numbers as far as they are numbers at all: that there is no such mail is for the server
/// to say, and becomes `SERVER ERROR` ("wrong e-mail's ID").
fn only_number(mut values: Values<'_>) -> Result<u32, Refusal> {
    let number = values.number(0..=u32::MAX)?;
    values.end()?;
    Ok(number)
}

fn stop(core: &mut Core) -> Answer {
    if core.pop3.is_free() {
        return Err(ERROR);
    }
    core.pop3.phase = Phase::LoggedOut;
    core.actions.push_back(Action::StopPop3);
    Ok(Flow::Done)
}

fn read_last(core: &mut Core) -> Answer {
    let path = core.pop3.last_mail.clone().ok_or(ERROR)?;
    print(core, &path)
}

/// The names of stored mails, and the longest of them with its directory.
const MAIL_NAME_MAX: usize = 254;

/// The location is that of `AT+FSLOCA`: 0 is drive `C:`, 1 is drive `D:`.
fn read_mail(core: &mut Core, mut values: Values<'_>) -> Answer {
    let drive = DriveName::numbered(values.number(0..=1)?);
    let name = values.text(MAIL_NAME_MAX)?;
    values.end()?;
    let (directory, file) = name.split_once('/').ok_or(Refusal::Value)?;
    let is_mail = file.starts_with("EMAIL") && file.ends_with(".TXT");
    let email = crate::mail_store::directory(drive).map_err(|_| ERROR)?;
    let path = email
        .child(directory)
        .and_then(|directory| directory.child(file));
    print(core, &path.ok().filter(|_| is_mail).ok_or(Refusal::Value)?)
}

fn print(core: &mut Core, path: &ModulePath) -> Answer {
    if core.pop3.phase == Phase::Busy {
        return Err(ERROR);
    }
    let file = core.files.file(path).map_err(|_| ERROR)?;
    let source = Source::begin(file, Shape::Text, core).map_err(|_| ERROR)?;
    Ok(Flow::Print(source))
}
