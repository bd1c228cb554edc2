//! `AT+CCLK`: the real time clock (TS 27.007 section 8.15).

use super::{Answer, Command, Errors, Flow, Refusal};
use crate::at::value::Values;
use crate::core::Core;

pub(super) const COMMANDS: &[Command] = &[Command {
    read: Some(|core| {
        core.say(format!("+CCLK: \"{}\"", core.rtc.text()));
        Ok(Flow::Done)
    }),
    set: Some(set),
    errors: Errors::Numbered,
    ..Command::new("+CCLK")
}];

/// Characters of the form with a time zone.
const TEXT_MAX: usize = 20;

fn set(core: &mut Core, mut values: Values<'_>) -> Answer {
    let text = values.text(TEXT_MAX)?;
    values.end()?;
    core.rtc.set(text.parse().map_err(|_| Refusal::Value)?);
    Ok(Flow::Done)
}
