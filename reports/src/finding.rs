//! Findings: what was wrong, who is at fault, how bad it is and what stands behind it.

use crate::model::Place;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One thing that was wrong, or worth recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What rule it comes from: the id of a monitor, or `expectation`, `check`, `health`, `link`.
    pub monitor: String,
    /// The clause that it breaks, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// One sentence: what was expected and what came instead.
    pub message: String,
    /// Time since the start of the case.
    pub at: Duration,
    /// Who is at fault.
    pub source: Source,
    /// How bad it is.
    #[serde(default)]
    pub grade: Grade,
    /// The scenario line that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The scenario line as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The nearest line that did arrive, or the values of the parts of a failed check, as plain
    /// text; where [`Finding::evidence`] has them in parts, notes that go beyond it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Index into the timeline of the event at which it was seen. On a paused clock many events
    /// share one instant, so the time alone does not say where in the dialogue it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<usize>,
    /// What stands behind it, in parts, so that a report can compare, align and count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl Finding {
    /// A deviation of the device without place, clause or evidence; the rest is set with struct
    /// update syntax, so that a later field breaks no caller.
    pub fn new(monitor: impl Into<String>, message: impl Into<String>, at: Duration) -> Self {
        Self {
            monitor: monitor.into(),
            clause: None,
            message: message.into(),
            at,
            source: Source::Device,
            grade: Grade::Deviation,
            place: None,
            expected: None,
            details: Vec::new(),
            event: None,
            evidence: None,
        }
    }
}

/// What stands behind a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// A line that was due did not come.
    Missing {
        /// The line as the scenario wants it: without its mark and window, captures filled in,
        /// holes (`{{…}}`) as written.
        pattern: String,
        /// When it was due, where a window is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Due>,
        /// The line most like it among those that did come; see [`crate::nearest()`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nearest: Option<Arrived>,
    },
    /// A line came that nothing allows here, or that is forbidden.
    Unexpected {
        /// The line that came.
        line: Arrived,
        /// The lines that could have come here, as written; empty when none could.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allowed: Vec<String>,
    },
    /// An expression was false.
    Check {
        /// The expression as written.
        expression: String,
        /// Its parts with their values, in the order in which they stand in the expression.
        parts: Vec<CheckPart>,
    },
}

/// When a line was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Time of the last send, since the start of the case.
    pub since: Duration,
    /// Not before this, counted from `since`.
    pub from: Duration,
    /// Not after this, counted from `since`.
    pub to: Duration,
}

/// A line from the device and when its first byte came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// The bytes, without the line end.
    #[serde(with = "crate::timeline::bytes")]
    pub line: Vec<u8>,
    /// Time since the start of the case.
    pub at: Duration,
}

/// A part of a failed check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPart {
    /// The part as it stands in the expression.
    pub expression: String,
    /// Its value, as the expression language writes it.
    pub value: String,
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The device under test.
    Device,
    /// The harness, its servers, the machine they run on or the cable.
    Bench,
    /// The scenario asks for something that cannot be judged.
    Scenario,
}

impl Source {
    /// Who that is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Device => "the device",
            Self::Bench => "the bench (harness, servers, machine or cable)",
            Self::Scenario => "the scenario",
        }
    }
}

/// How bad a finding is, worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The device reported success for something that did not happen.
    FalseSuccess,
    /// The device reported failure for something that did happen.
    FalseFailure,
    /// Any other deviation.
    #[default]
    Deviation,
    /// Recorded, never a reason to fail.
    Observation,
}

impl Grade {
    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::FalseSuccess => "false success",
            Self::FalseFailure => "false failure",
            Self::Deviation => "deviation",
            Self::Observation => "observation",
        }
    }
}
