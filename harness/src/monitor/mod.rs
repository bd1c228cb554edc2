//! Monitors: rules that every case is held to, whatever its author thought of.
//!
//! A monitor is a pure function of what happened ([`Account`]). It knows the note and the RFCs,
//! and of a scenario only how it set the servers up; what the scenario expects is not its
//! business. Where the timeline does not prove a breach, it is silent: a false alarm is as bad as
//! a missed bug. On the embedded module the order of the two sides *within* one instant is no
//! evidence, and on a real line what was under way arrives late; see [`Account`].
//!
//! Must not know: transports, runtimes, the reference module.

pub mod account;
mod truth;

#[cfg(test)]
mod story;

use crate::judge::Policy;
use crate::scenario::case::Case;
use account::Account;
use urcheck_reports::{Event, EventKind, Finding, Grade};

/// Most findings of one monitor in one case that are kept.
const MOST: usize = 10;

/// A rule that every case is held to.
#[derive(Clone, Copy, Debug)]
pub struct Monitor {
    /// Stable id, as it stands in a finding.
    pub id: &'static str,
    /// What a device has to do, in one sentence.
    pub about: &'static str,
    /// What it rests on.
    pub basis: Basis,
    /// Looks for breaches.
    watch: fn(&Account<'_>) -> Vec<Found>,
}

/// What a monitor rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A clause of the application note, by its id in `clauses.toml`.
    Clause(&'static str),
    /// Another document, with its section.
    Document(&'static str),
}

/// A breach that a monitor found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// One sentence: what the device did and what it should have done.
    pub message: String,
    /// Index of the event that shows it.
    pub event: usize,
    /// How bad it is.
    pub grade: Grade,
    /// What else a reader should know.
    pub details: Vec<String>,
}

impl Found {
    /// A deviation that the event with this index shows.
    pub fn new(event: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            event,
            grade: Grade::Deviation,
            details: Vec::new(),
        }
    }

    /// The same, graded.
    pub fn graded(self, grade: Grade) -> Self {
        Self { grade, ..self }
    }
}

/// Every monitor, in the order in which they are listed.
pub const ALL: &[&[Monitor]] = &[truth::MONITORS];

/// Every monitor, one after the other.
pub fn all() -> impl Iterator<Item = &'static Monitor> {
    ALL.iter().copied().flatten()
}

/// Whether a finding's `monitor` names one of [`all`], and not an expectation of the scenario.
pub fn is_monitor(id: &str) -> bool {
    all().any(|monitor| monitor.id == id)
}

/// Holds a case against every monitor.
///
/// `events` is the timeline of the case with the final snapshot; what comes after that is the
/// harness's own. `cut_short` says that the dialogue was left before its end.
pub fn watch(case: &Case, policy: &Policy, events: &[Event], cut_short: bool) -> Vec<Finding> {
    let last = events.iter().rposition(
        |event| matches!(event.kind, EventKind::Snapshot { step, .. } if step == case.steps.len()),
    );
    let events = match last {
        Some(last) => events.get(..=last).unwrap_or_default(),
        None => events,
    };
    let account = Account::of(case, policy, events, cut_short);
    let mut findings = Vec::new();
    for monitor in all() {
        let found = (monitor.watch)(&account);
        findings.extend(found.into_iter().take(MOST).map(|found| {
            let at = events.get(found.event).map(|event| event.at);
            let (clause, source) = match monitor.basis {
                Basis::Clause(id) => (Some(id.to_owned()), None),
                Basis::Document(section) => (None, Some(section.to_owned())),
            };
            Finding {
                clause,
                grade: found.grade,
                details: source.into_iter().chain(found.details).collect(),
                event: Some(found.event),
                ..Finding::new(monitor.id, found.message, at.unwrap_or_default())
            }
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_clauses_exist() {
        let ids: BTreeSet<_> = all().map(|monitor| monitor.id).collect();
        assert_eq!(ids.len(), all().count());
        let clauses = include_str!("../../../scenarios/clauses.toml");
        for monitor in all() {
            if let Basis::Clause(id) = monitor.basis {
                assert!(clauses.contains(&format!("id = \"{id}\"")), "{id}");
            }
        }
    }
}
