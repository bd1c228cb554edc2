//! The commands that exclude e-mail (note chapter 5): one or two of each group.
//!
//! Only what the conflict needs is modelled: whether such an application is open. No octet is sent
//! over these sockets and no satellite is looked for.

use super::{Answer, Command, ERROR, Family, Flow, Test};
use crate::at::value::Values;
use crate::core::Core;

/// The applications that exclude e-mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rivals {
    /// `AT+NETOPEN` was used.
    network: bool,
    /// The links that `AT+CIPOPEN` opened, one bit each.
    links: u16,
    /// `AT+CMMSINIT` was used.
    mms: bool,
    /// `AT+CMMSEDIT=1` was used.
    mms_edit: bool,
    /// `AT+CGPS=1` was used.
    gps: bool,
}

impl Rivals {
    /// Whether one of them is open.
    pub(crate) fn is_any_open(&self) -> bool {
        self.network || self.links != 0 || self.mms || self.gps
    }
}

const fn rival(name: &'static str) -> Command {
    Command {
        family: Family::Rival,
        ..Command::new(name)
    }
}

pub(super) const COMMANDS: &[Command] = &[
    Command {
        read: Some(|core| {
            core.say(format!("+NETOPEN: {}", u8::from(core.rivals.network)));
            Ok(Flow::Done)
        }),
        execute: Some(|core| open(&mut core.rivals.network)),
        ..rival("+NETOPEN")
    },
    Command {
        execute: Some(close_network),
        ..rival("+NETCLOSE")
    },
    Command {
        test: Test::Lines(&["+CIPOPEN: (0-9),(\"TCP\",\"UDP\")"]),
        set: Some(open_link),
        ..rival("+CIPOPEN")
    },
    Command {
        test: Test::Lines(&["+CIPCLOSE: (0-9)"]),
        set: Some(close_link),
        ..rival("+CIPCLOSE")
    },
    Command {
        execute: Some(|core| open(&mut core.rivals.mms)),
        ..rival("+CMMSINIT")
    },
    Command {
        test: Test::Lines(&["+CMMSEDIT: (0,1)"]),
        read: Some(|core| {
            core.say(format!("+CMMSEDIT: {}", u8::from(core.rivals.mms_edit)));
            Ok(Flow::Done)
        }),
        set: Some(edit_mms),
        ..rival("+CMMSEDIT")
    },
    Command {
        execute: Some(|core| {
            close(&mut core.rivals.mms)?;
            core.rivals.mms_edit = false;
            Ok(Flow::Done)
        }),
        ..rival("+CMMSTERM")
    },
    Command {
        test: Test::Lines(&["+CGPS: (0-1),(1-3)"]),
        read: Some(|core| {
            core.say(format!("+CGPS: {},1", u8::from(core.rivals.gps)));
            Ok(Flow::Done)
        }),
        set: Some(set_gps),
        ..rival("+CGPS")
    },
    Command {
        // Without a fix every field is empty.
        execute: Some(|core| {
            core.say("+CGPSINFO:,,,,,,,,");
            Ok(Flow::Done)
        }),
        ..rival("+CGPSINFO")
    },
];

fn open(application: &mut bool) -> Answer {
    if std::mem::replace(application, true) {
        Err(ERROR)
    } else {
        Ok(Flow::Done)
    }
}

fn close(application: &mut bool) -> Answer {
    if std::mem::replace(application, false) {
        Ok(Flow::Done)
    } else {
        Err(ERROR)
    }
}

fn close_network(core: &mut Core) -> Answer {
    core.rivals.links = 0;
    close(&mut core.rivals.network)
}

fn open_link(core: &mut Core, mut values: Values<'_>) -> Answer {
    let link = 1_u16 << values.number(0..=9)?;
    let protocol = values.text(3)?;
    values.text(core.settings.limits.server)?;
    values.number(1..=65535)?;
    values.optional_number(1..=65535)?;
    values.end()?;
    let known = protocol == "TCP" || protocol == "UDP";
    if !known || !core.rivals.network || core.rivals.links & link != 0 {
        return Err(ERROR);
    }
    core.rivals.links |= link;
    Ok(Flow::Done)
}

fn close_link(core: &mut Core, mut values: Values<'_>) -> Answer {
    let link = 1_u16 << values.number(0..=9)?;
    values.end()?;
    if core.rivals.links & link == 0 {
        return Err(ERROR);
    }
    core.rivals.links &= !link;
    Ok(Flow::Done)
}

fn edit_mms(core: &mut Core, mut values: Values<'_>) -> Answer {
    let edit = values.number(0..=1)? == 1;
    values.end()?;
    if !core.rivals.mms {
        return Err(ERROR);
    }
    core.rivals.mms_edit = edit;
    Ok(Flow::Done)
}

fn set_gps(core: &mut Core, mut values: Values<'_>) -> Answer {
    let on = values.number(0..=1)? == 1;
    values.optional_number(1..=3)?;
    values.end()?;
    if on {
        open(&mut core.rivals.gps)
    } else {
        close(&mut core.rivals.gps)
    }
}
