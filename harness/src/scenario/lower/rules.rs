//! What only lint looks for once a case is lowered: things that are never used, never reached, or
//! can never fail.

use super::super::case::{Action, Mode, TemplatePart};
use super::super::setup::rule_places;
use super::super::unit::Scenario;
use super::State;
use crate::diagnostic::{Diagnostic, Diagnostics};
use urcheck_servers::{pop3, smtp};

pub(super) fn check(
    scenario: &Scenario,
    state: &State<'_>,
    smtp: &smtp::Setup,
    pop3: &pop3::Setup,
    found: &mut Diagnostics,
) {
    unused(scenario, state, found);
    before_any_send(scenario, state, found);
    unreachable_faults(scenario, state, [smtp.fault.len(), pop3.fault.len()], found);
}

fn unused(scenario: &Scenario, state: &State<'_>, found: &mut Diagnostics) {
    for (name, capture) in state.captures.unused() {
        let message = format!("the capture `{name}` is never used");
        found.push(
            Diagnostic::warning("unused-capture", message)
                .at(&capture.file, capture.span, "")
                .help("leave its name out if only its form matters: `{{:int}}`"),
        );
    }
    let rows = scenario
        .unit
        .front
        .rows
        .iter()
        .flat_map(|row| &row.variables);
    let own = &scenario.unit;
    for name in state.names.unused() {
        let defined = rows
            .clone()
            .chain(&own.front.lets)
            .find(|(variable, _)| variable.value == name);
        // Of a fragment's variables, a scenario may need only some.
        if let Some((variable, _)) = defined {
            let message = format!("the variable `{name}` is never used");
            let one = Diagnostic::warning("unused-variable", message);
            found.push(one.at(&own.written.file, variable.span, ""));
        }
    }
}

/// A device that was not spoken to has nothing to answer.
fn before_any_send(scenario: &Scenario, state: &State<'_>, found: &mut Diagnostics) {
    for step in &state.steps {
        match &step.action {
            Action::Send(_) | Action::SendRaw(_) | Action::Act { .. } => return,
            Action::Expect(expect) if expect.mode != Mode::Forbidden => {}
            Action::Block(_) => {}
            _ => continue,
        }
        let message = "this is expected before anything has been sent";
        let file = scenario
            .units()
            .map(|unit| &unit.written.file)
            .find(|file| file.path == step.place.file);
        if let Some(file) = file {
            let line = file
                .text
                .lines()
                .nth(step.place.line - 1)
                .unwrap_or_default();
            let start = line.as_ptr().addr() - file.text.as_ptr().addr();
            let span = start..start + line.len();
            found.push(Diagnostic::error("nothing-sent", message).at(file, span, ""));
        }
        return;
    }
}

/// Rules of a server that no command of the case makes the device talk to.
fn unreachable_faults(
    scenario: &Scenario,
    state: &State<'_>,
    rules: [usize; 2],
    found: &mut Diagnostics,
) {
    let front = &scenario.unit.front;
    let file = &scenario.unit.written.file;
    let kinds = [
        ("SMTP", &front.smtp, "AT+SMTPSEND"),
        ("POP3", &front.pop3, "AT+POP3IN"),
    ];
    for ((protocol, table, command), count) in kinds.into_iter().zip(rules) {
        let Some(table) = table.as_ref().filter(|_| count > 0) else {
            continue;
        };
        let needle = command.trim_start_matches("AT+");
        let reached = state.steps.iter().any(|step| match &step.action {
            Action::Send(text) | Action::SendRaw(text) => text.0.iter().any(|part| match part {
                TemplatePart::Bytes(bytes) => String::from_utf8_lossy(bytes)
                    .to_uppercase()
                    .contains(needle),
                TemplatePart::Capture(_) => true,
            }),
            _ => false,
        });
        if !reached {
            let span = rule_places(table).first().copied().unwrap_or(table.span);
            let message =
                format!("no line of this case makes the device talk to the {protocol} server");
            let one = Diagnostic::error("fault-unreachable", message).at(file, span, "");
            found.push(one.help(format!("it does so on `{command}`")));
        }
    }
}
