//! `AT+FS…`: the file system (note 3.2 and 4.7; SIM5320 manual chapter 12). Names have no quotes.

use super::{Answer, Command, ERROR, Flow, Test};
use crate::at::value::Values;
use crate::core::Core;
use crate::files::path::{DriveName, ModulePath};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        read: Some(|core| {
            say_directory(core);
            Ok(Flow::Done)
        }),
        set: Some(change_directory),
        ..Command::new("+FSCD")
    },
    Command {
        test: Test::Lines(&["+FSLS: (0-2)"]),
        read: Some(|core| {
            let listing = core.files.list(&core.directory).map_err(|_| ERROR)?;
            core.say(format!(
                "+FSLS: SUBDIRECTORIES: {}, FILES: {}",
                listing.directories.len(),
                listing.files.len()
            ));
            Ok(Flow::Done)
        }),
        set: Some(|core, mut values| {
            let which = values.number(0..=2)?;
            values.end()?;
            list(core, which)
        }),
        execute: Some(|core| list(core, 0)),
        ..Command::new("+FSLS")
    },
    Command {
        set: Some(|core, values| {
            let path = only_path(core, values)?;
            core.files.make_directory(&path).map_err(|_| ERROR)?;
            Ok(Flow::Done)
        }),
        ..Command::new("+FSMKDIR")
    },
    Command {
        set: Some(remove_directory),
        ..Command::new("+FSRMDIR")
    },
    Command {
        set: Some(delete),
        ..Command::new("+FSDEL")
    },
    Command {
        set: Some(rename),
        ..Command::new("+FSRENAME")
    },
    Command {
        set: Some(|core, values| {
            let path = only_path(core, values)?;
            let file = core.files.attributes(&path).map_err(|_| ERROR)?;
            let written = file.written.strftime("%Y/%m/%d %H:%M:%S %a");
            core.say(format!("+FSATTRI: {}, {written}", file.size));
            Ok(Flow::Done)
        }),
        ..Command::new("+FSATTRI")
    },
    Command {
        execute: Some(|core| {
            let drive = core.directory.drive();
            let (capacity, used) = core.files.capacity_and_used(drive).map_err(|_| ERROR)?;
            core.say(format!("+FSMEM: {drive}({capacity}, {used})"));
            Ok(Flow::Done)
        }),
        ..Command::new("+FSMEM")
    },
    Command {
        test: Test::Line(|core| {
            let drives = if core.files.has(DriveName::Card) {
                "(0,1)"
            } else {
                "(0)"
            };
            format!("+FSLOCA: {drives}")
        }),
        read: Some(|core| {
            core.say(format!("+FSLOCA: {}", core.mail_drive.number()));
            Ok(Flow::Done)
        }),
        set: Some(choose_drive),
        ..Command::new("+FSLOCA")
    },
];

/// Where mails are saved (note chapter 2: "C:/Email" or "D:/Email").
fn choose_drive(core: &mut Core, mut values: Values<'_>) -> Answer {
    let drive = DriveName::numbered(values.number(0..=1)?);
    values.end()?;
    if !core.files.has(drive) {
        return Err(ERROR);
    }
    core.mail_drive = drive;
    Ok(Flow::Done)
}

fn say_directory(core: &mut Core) {
    core.say(format!("+FSCD: {}", core.directory.as_directory()));
}

fn change_directory(core: &mut Core, mut values: Values<'_>) -> Answer {
    let text = values.word()?;
    values.end()?;
    // The module prints directories with a slash at the end, so it takes them so.
    let text = text
        .strip_suffix('/')
        .filter(|text| !text.is_empty())
        .unwrap_or(&text);
    let path = core.directory.resolve(text).map_err(|_| ERROR)?;
    if !core.files.is_directory(&path) {
        return Err(ERROR);
    }
    core.directory = path;
    say_directory(core);
    Ok(Flow::Done)
}

/// A block that would be empty is left out (note 3.2 and 4.7).
fn list(core: &mut Core, which: u32) -> Answer {
    let listing = core.files.list(&core.directory).map_err(|_| ERROR)?;
    let blocks = [
        (1, "+FSLS: SUBDIRECTORIES:", listing.directories),
        (2, "+FSLS: FILES:", listing.files),
    ];
    for (number, head, mut names) in blocks {
        if (which == 0 || which == number) && !names.is_empty() {
            names.insert(0, head.to_owned());
            core.say_all(&names);
        }
    }
    Ok(Flow::Done)
}

fn only_path(core: &Core, mut values: Values<'_>) -> Result<ModulePath, super::Refusal> {
    let text = values.word()?;
    values.end()?;
    core.directory.resolve(&text).map_err(|_| ERROR)
}

fn remove_directory(core: &mut Core, values: Values<'_>) -> Answer {
    let path = only_path(core, values)?;
    // The directory that the DTE is in stays.
    if path.holds(&core.directory) {
        return Err(ERROR);
    }
    core.files.remove_directory(&path).map_err(|_| ERROR)?;
    Ok(Flow::Done)
}

fn delete(core: &mut Core, mut values: Values<'_>) -> Answer {
    let text = values.word()?;
    values.end()?;
    if text != "*.*" {
        let path = core.directory.resolve(&text).map_err(|_| ERROR)?;
        core.files.remove_file(&path).map_err(|_| ERROR)?;
        return Ok(Flow::Done);
    }
    for name in core.files.list(&core.directory).map_err(|_| ERROR)?.files {
        let path = core.directory.child(&name).map_err(|_| ERROR)?;
        core.files.remove_file(&path).map_err(|_| ERROR)?;
    }
    Ok(Flow::Done)
}

fn rename(core: &mut Core, mut values: Values<'_>) -> Answer {
    let (from, to) = (values.word()?, values.word()?);
    values.end()?;
    let from = core.directory.child(&from).map_err(|_| ERROR)?;
    let to = core.directory.child(&to).map_err(|_| ERROR)?;
    core.files.rename(&from, &to).map_err(|_| ERROR)?;
    Ok(Flow::Done)
}
