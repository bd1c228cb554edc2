//! `urcheck coverage`: which scenario proves which clause, which faults provoke which URC of the
//! note, and which faults no scenario provokes.

use crate::exit::Exit;
use crate::fault_list::{Certainty, Fault};
use crate::suite::Suite;
use std::collections::BTreeMap;
use urcheck_reports::{Class, Protocol};

/// Three tables. Fails if nothing covers a `must`, or nothing provokes a fault whose consequence
/// is certain.
pub fn coverage(suite: &Suite) -> (String, Exit) {
    let mut text = String::new();
    let mut whole = clauses(suite, &mut text);
    urcs(suite, &mut text);
    whole &= faults(suite, &mut text);
    let exit = match whole {
        true => Exit::Passed,
        false => Exit::Failed,
    };
    (text, exit)
}

/// Clause × scenario; whether each `must` has one.
fn clauses(suite: &Suite, text: &mut String) -> bool {
    let mut by_clause: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scenario in suite.scenarios() {
        for clause in &scenario.unit.front.covers {
            by_clause
                .entry(&clause.value)
                .or_default()
                .push(&scenario.id);
        }
    }
    let width = suite.clauses().ids().map(str::len).max().unwrap_or(0);
    let mut open: BTreeMap<Class, usize> = BTreeMap::new();
    let mut all: BTreeMap<Class, usize> = BTreeMap::new();
    for clause in suite.clauses().iter() {
        let id = clause.id.value.as_str();
        let class = clause.class;
        *all.entry(class).or_default() += 1;
        let scenarios = by_clause.get(id).map(|list| list.join(", "));
        if scenarios.is_none() {
            *open.entry(class).or_default() += 1;
        }
        let scenarios = scenarios.unwrap_or_else(|| "-".to_owned());
        let section = &clause.section;
        text.push_str(&format!(
            "{id:width$}  {section:6}  {:6}  {scenarios}\n",
            class.word()
        ));
    }
    text.push('\n');
    for (class, count) in &all {
        let open = open.get(class).copied().unwrap_or(0);
        text.push_str(&format!(
            "{:6}  {} of {count} covered\n",
            class.word(),
            count - open
        ));
    }
    !open.contains_key(&Class::Must)
}

/// The rows of the note's tables of URCs, each with the faults that provoke it and in how many
/// cases. A case belongs to the rows of the clauses that it covers.
fn urcs(suite: &Suite, text: &mut String) {
    let mut rows: Vec<&str> = Vec::new();
    for urc in suite.clauses().iter().filter_map(|one| one.urc.as_deref()) {
        if !rows.contains(&urc) {
            rows.push(urc);
        }
    }
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    text.push_str("\nURCs of the note, with the faults that provoke them (cases)\n\n");
    for row in rows {
        let mut by_fault: BTreeMap<&str, usize> = BTreeMap::new();
        let mut without = 0;
        for entry in suite.entries() {
            let mut covers = entry.scenario.unit.front.covers.iter();
            let urc = |id| suite.clauses().get(id)?.urc.as_deref();
            if !covers.any(|clause| urc(&clause.value) == Some(row)) {
                continue;
            }
            let mut faults = entry.scenario.faults(entry.row).peekable();
            if faults.peek().is_none() {
                without += 1;
            }
            faults.for_each(|fault| *by_fault.entry(fault).or_default() += 1);
        }
        let mut cells: Vec<String> = suite
            .faults()
            .iter()
            .filter_map(|fault| {
                let id = fault.id.value.as_str();
                Some(format!("{id} ({})", by_fault.get(id)?))
            })
            .collect();
        if without > 0 {
            cells.push(format!("without a fault ({without})"));
        }
        if cells.is_empty() {
            cells.push("-".to_owned());
        }
        text.push_str(&format!("{row:width$}  {}\n", cells.join(", ")));
    }
}

/// How many cases provoke a fault, for each protocol.
type Counts<'a> = BTreeMap<(&'a str, Protocol), usize>;

/// Fault × number of cases; whether each fault with a certain consequence has one.
fn faults(suite: &Suite, text: &mut String) -> bool {
    if suite.faults().iter().next().is_none() {
        return true;
    }
    let counts = counts(suite);
    let of = |fault: &Fault, protocol| {
        let found = counts.get(&(fault.id.value.as_str(), protocol));
        found.copied().unwrap_or(0)
    };
    text.push_str("\nFaults, with the number of cases that provoke them\n\n");
    text.push_str("id    SMTP     POP3     what happens\n");
    let mut all: BTreeMap<Certainty, (usize, usize)> = BTreeMap::new();
    let mut without = Vec::new();
    for fault in suite.faults().iter() {
        let mut cell = |protocol: Protocol| {
            let Some((_, expected)) = fault.expected().find(|(one, _)| *one == protocol) else {
                return "-".to_owned();
            };
            let count = of(fault, protocol);
            let (found, sum) = all.entry(expected.certainty).or_default();
            if count > 0 || fault.not_by_wire.is_none() {
                *sum += 1;
            }
            if count > 0 {
                *found += 1;
            } else {
                without.push((fault, protocol, expected));
            }
            format!("{} {count}", expected.certainty.letter())
        };
        let (smtp, pop3) = (cell(Protocol::Smtp), cell(Protocol::Pop3));
        let id = &fault.id.value;
        text.push_str(&format!("{id:4}  {smtp:7}  {pop3:7}  {}\n", fault.title));
    }
    text.push('\n');
    for (certainty, (found, count)) in &all {
        let letter = certainty.letter();
        text.push_str(&format!("{letter}  {found} of {count} provoked\n"));
    }
    let mut whole = true;
    for (fault, protocol, expected) in without {
        let reason = match &fault.not_by_wire {
            Some(reason) => format!("no server can cause it: {reason}"),
            None if expected.certainty.binding() => {
                whole = false;
                format!("expected is {}", expected.urc)
            }
            None => format!("open: {}", expected.urc),
        };
        let (id, certainty) = (&fault.id.value, expected.certainty.letter());
        text.push_str(&format!(
            "no scenario provokes {id} for {protocol} ({certainty}): {reason}\n"
        ));
    }
    whole
}

/// A case counts for the protocols that the clauses it covers belong to.
fn counts(suite: &Suite) -> Counts<'_> {
    let mut counts = Counts::new();
    for entry in suite.entries() {
        let covers = &entry.scenario.unit.front.covers;
        for (protocol, prefix) in [(Protocol::Smtp, "smtp."), (Protocol::Pop3, "pop3.")] {
            if !covers.iter().any(|clause| clause.value.starts_with(prefix)) {
                continue;
            }
            for fault in entry.scenario.faults(entry.row) {
                *counts.entry((fault, protocol)).or_default() += 1;
            }
        }
    }
    counts
}
