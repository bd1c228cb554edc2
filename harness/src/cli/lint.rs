//! `urcheck lint`: every mistake in scenario, profile and clause files.

use crate::diagnostic::{Diagnostics, Severity};
use crate::exit::Exit;
use crate::profile::Profile;
use crate::suite::{Selection, Suite};

/// What is wrong, as a compiler would say it, and a last line with figures.
pub fn lint(
    suite: &Suite,
    selection: &Selection<'_>,
    profile: &Profile,
    colour: bool,
) -> (String, Exit) {
    let scenarios = selection.scenarios();
    let found = suite.lint(profile, scenarios.iter().copied());
    let mut text = found.render(colour);
    text.push_str(&summary(&found, scenarios.len(), selection.entries.len()));
    (text, exit(&found))
}

/// Mistakes alone, for commands that lint before they do their own work: nothing if there is no
/// error.
pub fn refuse(found: &Diagnostics, colour: bool) -> Option<(String, Exit)> {
    found
        .has_errors()
        .then(|| (found.render(colour), Exit::Scenario))
}

fn exit(found: &Diagnostics) -> Exit {
    if found.has_errors() {
        Exit::Scenario
    } else {
        Exit::Passed
    }
}

fn summary(found: &Diagnostics, scenarios: usize, cases: usize) -> String {
    let of = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let mut line = format!("{}, {}: ", of(scenarios, "scenario"), of(cases, "case"));
    let (errors, warnings) = (found.count(Severity::Error), found.count(Severity::Warning));
    line.push_str(&match (errors, warnings) {
        (0, 0) => "no mistakes".to_owned(),
        (0, warnings) => of(warnings, "warning"),
        (errors, 0) => of(errors, "error"),
        (errors, warnings) => format!("{}, {}", of(errors, "error"), of(warnings, "warning")),
    });
    line.push('\n');
    line
}
