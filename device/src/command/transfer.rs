//! `AT+CFTRANRX` and `AT+CFTRANTX`: files between DTE and drive (SIM5320 manual chapter 12).

use super::entry::{Entry, Upload};
use super::print::{Shape, Source};
use super::{Answer, Command, ERROR, Flow, Refusal, Test};
use crate::at::value::Values;
use crate::core::Core;
use crate::files::path::ModulePath;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        test: Test::Lines(&["+CFTRANRX: [{non-ascii}]\"FILEPATH\""]),
        set: Some(receive),
        ..Command::new("+CFTRANRX")
    },
    Command {
        test: Test::Lines(&["+CFTRANTX: [{non-ascii}]\"FILEPATH\""]),
        set: Some(transmit),
        ..Command::new("+CFTRANTX")
    },
];

/// Characters of a full path.
const PATH_MAX: usize = 254;

/// A file that is there already is replaced.
fn receive(core: &mut Core, mut values: Values<'_>) -> Answer {
    let path = full_path(core, &mut values)?;
    let length = u64::from(values.number(1..=u32::MAX)?);
    values.end()?;
    let replaced = core.files.attributes(&path).ok();
    let regained = replaced.map_or(0, |file| file.size);
    let room = core
        .files
        .free(path.drive())
        .map_err(|_| ERROR)?
        .saturating_add(regained);
    if room < length {
        return Err(ERROR);
    }
    if replaced.is_some() {
        core.files.remove_file(&path).map_err(|_| ERROR)?;
    }
    let writer = core
        .files
        .create(&path, core.rtc.local())
        .map_err(|_| ERROR)?;
    core.output.prompt(&core.line, ">");
    Ok(Flow::Enter(Entry::Upload(Upload::new(writer, length))))
}

fn transmit(core: &mut Core, mut values: Values<'_>) -> Answer {
    let path = full_path(core, &mut values)?;
    values.end()?;
    let file = core.files.file(&path).map_err(|_| ERROR)?;
    let source = Source::begin(file, Shape::Blocks, core).map_err(|_| ERROR)?;
    Ok(Flow::Print(source))
}

fn full_path(core: &Core, values: &mut Values<'_>) -> Result<ModulePath, Refusal> {
    let text = values.text(PATH_MAX)?;
    let path = core.directory.resolve(&text).map_err(|_| ERROR)?;
    if path.name().is_none() {
        Err(ERROR)
    } else {
        Ok(path)
    }
}
