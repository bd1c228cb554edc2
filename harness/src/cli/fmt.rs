//! `urcheck fmt`: scenario files in their canonical form.

use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::scenario::{parser, print};
use crate::suite::read_file;
use std::path::{Path, PathBuf};

/// Rewrites files, or with `check` only says which would change (and exits with
/// [`Exit::Failed`]). Folders are searched for `.att` files. Files with mistakes of form are left
/// alone and reported.
pub fn fmt(paths: &[PathBuf], check: bool, colour: bool) -> (String, Exit) {
    let mut text = String::new();
    let mut exit = Exit::Passed;
    let mut files = Vec::new();
    for path in paths {
        if let Err(error) = gather(path, &mut files, 0) {
            text.push_str(&format!("{}: {error}\n", path.display()));
            exit = Exit::Usage;
        }
    }
    files.sort();
    files.dedup();
    for path in files {
        match format_one(&path, check, colour) {
            Ok(None) => {}
            Ok(Some(changed)) => {
                text.push_str(&changed);
                if check && exit == Exit::Passed {
                    exit = Exit::Failed;
                }
            }
            Err(mistakes) => {
                text.push_str(&mistakes);
                exit = Exit::Scenario;
            }
        }
    }
    (text, exit)
}

/// Nothing if the file is as it should be, else a line that says what was or would be done.
fn format_one(path: &Path, check: bool, colour: bool) -> Result<Option<String>, String> {
    let name = path.display().to_string();
    let bytes = read_file(path).map_err(|error| format!("{error}\n"))?;
    let file =
        parser::source(&name, &bytes).map_err(|one| crate::diagnostic::render(&[*one], colour))?;
    let mut found = Diagnostics::new();
    let written = parser::parse(&file, &mut found);
    if found.has_errors() {
        return Err(found.render(colour));
    }
    let printed = print::print(&written);
    if printed == file.text {
        return Ok(None);
    }
    if check {
        return Ok(Some(format!("would change {name}\n")));
    }
    std::fs::write(path, &printed).map_err(|error| format!("failed to write {name}: {error}\n"))?;
    Ok(Some(format!("changed {name}\n")))
}

fn gather(path: &Path, to: &mut Vec<PathBuf>, depth: usize) -> Result<(), std::io::Error> {
    if !path.is_dir() {
        to.push(path.to_owned());
        return Ok(());
    }
    // Not for ever through links that go round in circles.
    if depth > 16 {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, to, depth + 1)?;
        } else if path.extension().is_some_and(|extension| extension == "att") {
            to.push(path);
        }
    }
    Ok(())
}
