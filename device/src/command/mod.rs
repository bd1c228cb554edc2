//! The one table of extended commands: name, forms, and what each form does.

pub(crate) mod basic;
pub(crate) mod clock;
pub(crate) mod conflict;
pub(crate) mod entry;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod network;
pub(crate) mod pop3;
pub(crate) mod print;
pub(crate) mod sending;
pub(crate) mod smtp;
pub(crate) mod transfer;

use crate::at::result::{CmeError, Failure, ResultCode};
use crate::at::syntax::Form;
use crate::at::value::{BadValue, Values};
use crate::core::Core;
use entry::Entry;
use print::Source;

/// An extended command.
pub(crate) struct Command {
    /// Its name with the `+`, in upper case.
    pub(crate) name: &'static str,
    /// `=?`: what it answers before `OK`.
    pub(crate) test: Test,
    /// `?`
    pub(crate) read: Option<fn(&mut Core) -> Answer>,
    /// `=…`
    pub(crate) set: Option<fn(&mut Core, Values<'_>) -> Answer>,
    /// Nothing after the name.
    pub(crate) execute: Option<fn(&mut Core) -> Answer>,
    /// How wrong values are told.
    pub(crate) errors: Errors,
    /// Whether it takes part in the conflict of note chapter 5.
    pub(crate) family: Family,
}

impl Command {
    /// A command that has only a test form yet; the tables fill in the rest.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            test: Test::Nothing,
            read: None,
            set: None,
            execute: None,
            errors: Errors::Plain,
            family: Family::Neutral,
        }
    }
}

/// What `=?` answers before `OK`.
pub(crate) enum Test {
    /// Nothing.
    Nothing,
    /// These lines.
    Lines(&'static [&'static str]),
    /// A line that depends on the limits.
    Line(fn(&Core) -> String),
}

/// How wrong values are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// As `ERROR`: e-mail and file commands have no numbers (TS 27.007 section 9.2).
    Plain,
    /// As `AT+CMEE` wants it.
    Numbered,
}

/// The sides of the conflict of note chapter 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Takes no part.
    Neutral,
    /// A TCP/IP, MMS or GPS command: cannot be used together with SMTP or POP3.
    Rival,
}

/// How a command goes on.
#[derive(Debug)]
pub(crate) enum Flow {
    /// It is done.
    Done,
    /// It takes what is typed next.
    Enter(Entry),
    /// It prints a file.
    Print(Source),
    /// Its result comes when the shell has done what was asked of it.
    Wait,
}

/// What a command says of itself.
pub(crate) type Answer = Result<Flow, Refusal>;

/// Why a command did not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A value is wrong.
    Value,
    /// Something else.
    Failure(Failure),
}

/// `ERROR`.
pub(crate) const ERROR: Refusal = Refusal::Failure(Failure::Plain);

impl From<BadValue> for Refusal {
    fn from(_: BadValue) -> Self {
        Self::Value
    }
}

impl From<CmeError> for Refusal {
    fn from(error: CmeError) -> Self {
        Self::Failure(error.into())
    }
}

/// The tables of all families.
static TABLES: &[&[Command]] = &[
    smtp::COMMANDS,
    sending::COMMANDS,
    pop3::COMMANDS,
    files::COMMANDS,
    transfer::COMMANDS,
    network::COMMANDS,
    clock::COMMANDS,
    identity::COMMANDS,
    basic::COMMANDS,
    conflict::COMMANDS,
];

/// Whether the module has an extended command of that name.
pub(crate) fn is_known(name: &[u8]) -> bool {
    find(name).is_some()
}

fn find(name: &[u8]) -> Option<&'static Command> {
    let mut commands = TABLES.iter().copied().flatten();
    commands.find(|command| command.name.as_bytes().eq_ignore_ascii_case(name))
}

/// Carries out an extended command; `name` is as it was typed.
pub(crate) fn extended(core: &mut Core, name: &[u8], form: Form<'_>) -> Result<Flow, ResultCode> {
    let command = find(name).ok_or(ResultCode::Error)?;
    let refused = command.family == Family::Rival
        && matches!(form, Form::Set(_) | Form::Execute)
        && core.is_mail_active();
    if refused {
        return Err(ResultCode::Error);
    }
    let answer = match (form, command) {
        (Form::Test, Command { test, .. }) => {
            test.answer(core);
            Ok(Flow::Done)
        }
        (
            Form::Read,
            Command {
                read: Some(read), ..
            },
        ) => read(core),
        (Form::Set(values), Command { set: Some(set), .. }) => set(core, Values::new(values)),
        (
            Form::Execute,
            Command {
                execute: Some(execute),
                ..
            },
        ) => execute(core),
        _ => Err(ERROR),
    };
    answer.map_err(|refusal| match (refusal, command.errors) {
        (Refusal::Failure(failure), _) => failure.into(),
        (Refusal::Value, Errors::Numbered) => ResultCode::Cme(CmeError::IncorrectParameters),
        (Refusal::Value, Errors::Plain) => ResultCode::Error,
    })
}

impl Test {
    fn answer(&self, core: &mut Core) {
        match self {
            Self::Nothing => {}
            Self::Lines(lines) => core.say_all(lines),
            Self::Line(line) => {
                let line = line(core);
                core.say(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_legal_and_stands_once() {
        let mut names = BTreeSet::new();
        for command in TABLES.iter().copied().flatten() {
            assert!(names.insert(command.name), "{} stands twice", command.name);
            assert!(command.name.starts_with('+') && command.name.len() <= 17);
            assert_eq!(command.name, command.name.to_ascii_uppercase());
        }
    }
}
