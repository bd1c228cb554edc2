//! Basic commands and S-registers (V.250 chapter 6), and `AT+CMEE`.

use super::{Answer, Command, Errors, Flow, Test};
use crate::at::LineSettings;
use crate::at::result::{ErrorStyle, ResultCode};
use crate::at::syntax::RegisterForm;
use crate::at::value::Values;
use crate::core::Core;
use crate::settings::Echo;

pub(super) const COMMANDS: &[Command] = &[Command {
    test: Test::Lines(&["+CMEE: (0-2)"]),
    read: Some(|core| {
        let style = match core.line.cmee {
            ErrorStyle::Plain => 0,
            ErrorStyle::Number => 1,
            ErrorStyle::Words => 2,
        };
        core.say(format!("+CMEE: {style}"));
        Ok(Flow::Done)
    }),
    set: Some(set_cmee),
    execute: Some(|core| {
        core.line.cmee = ErrorStyle::Plain;
        Ok(Flow::Done)
    }),
    errors: Errors::Numbered,
    ..Command::new("+CMEE")
}];

fn set_cmee(core: &mut Core, mut values: Values<'_>) -> Answer {
    let style = values.number(0..=2)?;
    values.end()?;
    core.line.cmee = match style {
        0 => ErrorStyle::Plain,
        1 => ErrorStyle::Number,
        _ => ErrorStyle::Words,
    };
    Ok(Flow::Done)
}

/// Parameters of the line that a module without calls and circuits only keeps and shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registers {
    /// `S0`: rings before an automatic answer.
    answer_after: u8,
    /// `&C`: what circuit 109 follows.
    carrier: u8,
    /// `&D`: what circuit 108/2 does.
    terminal_ready: u8,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            answer_after: 0,
            carrier: 1,
            terminal_ready: 2,
        }
    }
}

/// Carries out a basic command.
pub(crate) fn basic(core: &mut Core, letter: u8, number: Option<u32>) -> Result<(), ResultCode> {
    let number = number.unwrap_or_default();
    let line = &mut core.line;
    match (letter, number) {
        (b'E', 0 | 1) => line.echo = number == 1,
        (b'V', 0 | 1) => line.verbose = number == 1,
        (b'Q', 0 | 1) => line.quiet = number == 1,
        (b'X', 0..=4) => line.call_progress = small(number),
        (b'Z', 0) => {
            core.line = core.kept_line.clone();
            core.registers = Registers::default();
        }
        // There is no call to hang up, so it is hung up.
        (b'H', 0) => {}
        (b'I', 0) => super::identity::inform(core),
        _ => return Err(ResultCode::Error),
    }
    Ok(())
}

/// Carries out a basic command with `&`.
pub(crate) fn ampersand(
    core: &mut Core,
    letter: u8,
    number: Option<u32>,
) -> Result<(), ResultCode> {
    let number = number.unwrap_or_default();
    match (letter, number) {
        (b'F', 0) => {
            core.line = LineSettings::factory(core.settings.echo == Echo::On);
            core.registers = Registers::default();
        }
        (b'V', 0) => view(core),
        (b'W', 0) => core.kept_line = core.line.clone(),
        (b'C', 0 | 1) => core.registers.carrier = small(number),
        (b'D', 0..=2) => core.registers.terminal_ready = small(number),
        _ => return Err(ResultCode::Error),
    }
    Ok(())
}

/// Reads or sets an S-register.
pub(crate) fn register(
    core: &mut Core,
    register: u32,
    form: RegisterForm,
) -> Result<(), ResultCode> {
    let (slot, highest) = match register {
        0 => (&mut core.registers.answer_after, 255),
        3 => (&mut core.line.terminator, 127),
        4 => (&mut core.line.formatting, 127),
        5 => (&mut core.line.editing, 127),
        _ => return Err(ResultCode::Error),
    };
    match form {
        RegisterForm::Read => {
            // V.250 5.3.2: three digits.
            let text = format!("{slot:03}");
            core.say(text);
        }
        RegisterForm::Set(value) if value <= highest => *slot = small(value),
        RegisterForm::Set(_) => return Err(ResultCode::Error),
    }
    Ok(())
}

fn view(core: &mut Core) {
    let LineSettings {
        echo,
        verbose,
        quiet,
        call_progress,
        terminator,
        formatting,
        editing,
        ..
    } = core.line;
    let Registers {
        answer_after,
        carrier,
        terminal_ready,
    } = core.registers;
    core.say(format!(
        "&C: {carrier}; &D: {terminal_ready}; E: {}; Q: {}; V: {}; X: {call_progress}; \
         S0: {answer_after}; S3: {terminator}; S4: {formatting}; S5: {editing}",
        u8::from(echo),
        u8::from(quiet),
        u8::from(verbose),
    ));
}

/// Of numbers that were compared with their range before.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
