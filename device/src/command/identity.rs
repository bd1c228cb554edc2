//! Who the module is: `ATI`, `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN` (TS 27.007 chapter 5).

use super::{Command, Flow};
use crate::core::Core;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        execute: Some(|core| {
            core.say(core.settings.identity.manufacturer.clone());
            Ok(Flow::Done)
        }),
        ..Command::new("+CGMI")
    },
    Command {
        execute: Some(|core| {
            core.say(core.settings.identity.model.clone());
            Ok(Flow::Done)
        }),
        ..Command::new("+CGMM")
    },
    Command {
        execute: Some(|core| {
            core.say(format!("+CGMR: {}", core.settings.identity.revision));
            Ok(Flow::Done)
        }),
        ..Command::new("+CGMR")
    },
    Command {
        execute: Some(|core| {
            core.say(core.settings.identity.serial.clone());
            Ok(Flow::Done)
        }),
        ..Command::new("+CGSN")
    },
];

/// `ATI`.
pub(super) fn inform(core: &mut Core) {
    let identity = &core.settings.identity;
    let lines = [
        format!("Manufacturer: {}", identity.manufacturer),
        format!("Model: {}", identity.model),
        format!("Revision: {}", identity.revision),
        format!("IMEI: {}", identity.serial),
    ];
    core.say_all(&lines);
}
