//! Mistakes that can be seen in a file as it is written, whatever the profile and the row.

use super::case::Mode;
use super::text::{ANY_LINES, Reader, SegmentKind};
use super::unit::Unit;
use super::written::{Gate, Line, LineKind};
use crate::clause::Clauses;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::fault_list::FaultList;
use std::collections::{BTreeMap, BTreeSet};

/// Names that a file may use.
#[derive(Debug)]
pub struct Known<'a> {
    /// The clauses.
    pub clauses: &'a Clauses,
    /// The faults.
    pub faults: &'a FaultList,
    /// Capabilities of `capabilities.toml` and of all profiles.
    pub capabilities: &'a BTreeSet<String>,
}

/// Reports the mistakes of one file.
pub fn check(unit: &Unit, known: &Known<'_>, found: &mut Diagnostics) {
    let file = &unit.written.file;
    for clause in &unit.front.covers {
        if known.clauses.get(&clause.value).is_none() {
            let message = format!("unknown clause `{}`", clause.value);
            let one = Diagnostic::error("unknown-clause", message).at(file, clause.span, "");
            found.push(one.suggest(&clause.value, known.clauses.ids()));
        }
    }
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    for clause in &unit.front.covers {
        if seen.insert(&clause.value, ()).is_some() {
            let message = format!("`{}` is listed twice", clause.value);
            found.push(Diagnostic::warning("duplicate-clause", message).at(file, clause.span, ""));
        }
    }
    faults(unit, known, found);
    let of_rows = unit.front.rows.iter().flat_map(|row| &row.requires);
    for gate in unit.front.requires.iter().chain(of_rows) {
        capability(unit, gate, known, found);
    }
    // What looks empty may be what could not be read.
    let whole = !found.iter().any(|one| {
        one.severity == Severity::Error && one.labels.iter().any(|label| label.file == *file)
    });
    if whole && !unit.written.lines.iter().any(|line| event(&line.kind)) {
        let one = Diagnostic::error("no-steps", "there is nothing to do in this file");
        found.push(one.at(file, file.text.len()..file.text.len(), ""));
    }
    sections(unit, known, whole, found);
}

/// Faults that nobody declared, or that a row has twice.
fn faults(unit: &Unit, known: &Known<'_>, found: &mut Diagnostics) {
    let file = &unit.written.file;
    let front = &unit.front;
    for fault in front
        .faults
        .iter()
        .chain(front.rows.iter().flat_map(|row| &row.faults))
    {
        if known.faults.get(&fault.value).is_none() {
            let message = format!("unknown fault `{}`", fault.value);
            let one = Diagnostic::error("unknown-fault", message).at(file, fault.span, "");
            found.push(one.suggest(&fault.value, known.faults.ids()));
        }
    }
    for row in &front.rows {
        let mut seen = BTreeSet::new();
        for fault in front.faults.iter().chain(&row.faults) {
            if !seen.insert(&fault.value) {
                let message = format!("`{}` is listed twice", fault.value);
                let one = Diagnostic::warning("duplicate-fault", message);
                found.push(one.at(file, fault.span, ""));
            }
        }
    }
}

fn capability(unit: &Unit, gate: &Gate, known: &Known<'_>, found: &mut Diagnostics) {
    let name = &gate.capability;
    if !known.capabilities.contains(&name.value) {
        let message = format!("unknown capability `{}`", name.value);
        let one = Diagnostic::error("unknown-capability", message);
        let all = known.capabilities.iter().map(String::as_str);
        found.push(
            one.at(&unit.written.file, name.span, "")
                .suggest(&name.value, all),
        );
    }
}

/// Whether a line is a step.
fn event(kind: &LineKind) -> bool {
    !matches!(
        kind,
        LineKind::Blank | LineKind::Comment(_) | LineKind::Section { .. }
    )
}

fn sections(unit: &Unit, known: &Known<'_>, whole: bool, found: &mut Diagnostics) {
    let file = &unit.written.file;
    let mut names: BTreeMap<(&str, Option<bool>), &Line> = BTreeMap::new();
    let starts: Vec<usize> = unit
        .written
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| matches!(line.kind, LineKind::Section { .. }))
        .map(|(at, _)| at)
        .collect();
    for (number, start) in starts.iter().enumerate() {
        let end = starts
            .get(number + 1)
            .copied()
            .unwrap_or(unit.written.lines.len());
        let Some((head, lines)) = unit
            .written
            .lines
            .get(*start..end)
            .and_then(<[Line]>::split_first)
        else {
            continue;
        };
        let LineKind::Section { name, gate } = &head.kind else {
            continue;
        };
        if let Some(gate) = gate {
            capability(unit, gate, known, found);
        }
        let negated = gate.as_ref().map(|gate| gate.negated);
        if let Some(first) = names.insert((&name.value, negated), head) {
            let message = format!("there is another section `{}`", name.value);
            found.push(
                Diagnostic::error("duplicate-section", message)
                    .at(file, name.span, "")
                    .at(file, first.span, "the first one"),
            );
        }
        let steps: Vec<&Line> = lines.iter().filter(|line| event(&line.kind)).collect();
        if whole && steps.is_empty() {
            let one = Diagnostic::error("empty-section", "this section is empty");
            found.push(one.at(file, name.span, ""));
        }
        for (at, line) in steps.iter().enumerate() {
            let before = steps.get(..at).unwrap_or_default();
            let after = steps.get(at + 1..).unwrap_or_default();
            expectation(unit, line, before, after, found);
        }
    }
}

/// Looks at one line; `before` and `after` are those around it in its section.
fn expectation(
    unit: &Unit,
    line: &Line,
    before: &[&Line],
    after: &[&Line],
    found: &mut Diagnostics,
) {
    let LineKind::Expect { mode, window, text } = &line.kind else {
        return;
    };
    let file = &unit.written.file;
    if text.value.trim() == ANY_LINES {
        if window.is_some() {
            let message = "`{{...}}` has no window: it ends when the next expectation matches";
            found.push(Diagnostic::error("any-lines", message).at(file, line.span, ""));
        }
        let ends = |next: &&&Line| match &next.kind {
            LineKind::Block(_) => true,
            LineKind::Expect { mode, text, .. } => {
                matches!(mode, Mode::Ordered | Mode::AnyOrder) && text.value.trim() != ANY_LINES
            }
            _ => false,
        };
        // As an allowance it may also hold to the end of a section, behind a line that must come.
        let event_of_dialogue = |next: &&Line| {
            matches!(
                next.kind,
                LineKind::Expect { .. }
                    | LineKind::Block(_)
                    | LineKind::Send(_)
                    | LineKind::SendRaw(_)
            )
        };
        let to_the_end = *mode == Mode::Optional
            && before.last().is_some_and(|last| ends(&last))
            && !after.iter().any(event_of_dialogue);
        if !to_the_end && after.first().filter(ends).is_none() {
            let message = "nothing says where `{{...}}` ends";
            let one = Diagnostic::error("any-lines", message).at(file, line.span, "");
            found.push(one.help("put a `<`, `|` or `<<<` line behind it"));
        }
        return;
    }
    if *mode == Mode::Forbidden && window.is_none() {
        let takes_time = |next: &&Line| match &next.kind {
            LineKind::Expect { mode, .. } => matches!(mode, Mode::Ordered | Mode::AnyOrder),
            LineKind::Check(_) => false,
            kind => event(kind),
        };
        if !after.iter().any(takes_time) {
            let message = "nothing follows in this section, so nothing is watched";
            let one = Diagnostic::error("vacuous", message).at(file, line.span, "");
            found.push(one.help("give it a window, `![3s]`, or put it before what it guards"));
        }
    }
    // Mistakes within the text are reported when it is lowered.
    let mut ignored = Diagnostics::new();
    let mut reader = Reader {
        file,
        found: &mut ignored,
        exact: true,
    };
    let segments = reader.pattern(text);
    let anything = !segments.is_empty()
        && segments.iter().all(|segment| match &segment.kind {
            SegmentKind::Hole(hole) => hole.anything,
            _ => false,
        });
    if anything && *mode != Mode::Ordered {
        let message = match mode {
            Mode::Forbidden => "this forbids every line",
            Mode::Optional => "this allows any line",
            Mode::Ordered | Mode::AnyOrder => "this is met by any line",
        };
        let one = Diagnostic::error("vacuous", message).at(file, text.span, "");
        found.push(one.help("say what the line looks like"));
    }
}
