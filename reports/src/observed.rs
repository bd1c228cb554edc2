//! What a case shows of a device besides its verdict: the readings that it follows where the note
//! can be read in more than one way, what it does where the note is silent, and how much of its
//! time was left.

use crate::model::Place;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one case recorded. None of it is a verdict by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The lines that lean on a dispute, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Leaning>,
    /// The entries for the behaviour sheet, in the order of the scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behaviour: Vec<Behaviour>,
    /// How much time was left, for each line that came within a window of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub margins: Vec<Margin>,
}

impl Observed {
    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty() && self.behaviour.is_empty() && self.margins.is_empty()
    }
}

/// One reading of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// Id of the dispute.
    pub dispute: String,
    /// Id of the reading.
    pub reading: String,
    /// A device may follow another reading in other circumstances, so a mixture is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varies: bool,
}

/// Something that a device did and that only some readings allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaning {
    /// The scenario line that it met.
    pub place: Place,
    /// What the device said, with what is not printable escaped.
    pub saw: String,
    /// Time since the start of the case.
    pub at: Duration,
    /// The readings that allow it: all of one inner list together. A device that said so follows
    /// one of these lists; with one list alone that is decided.
    pub under: Vec<Vec<Reading>>,
}

/// One entry of the behaviour sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behaviour {
    /// What it is about, such as `smtp.quit-after-failure`.
    pub key: String,
    /// What the device did; null where it has no value.
    pub value: serde_json::Value,
    /// Why it has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The scenario line that records it.
    pub place: Place,
    /// Time since the start of the case.
    pub at: Duration,
}

/// How much time was left when a line came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    /// The scenario line.
    pub place: Place,
    /// That line as written.
    pub expected: String,
    /// When it came, since the start of the case.
    pub at: Duration,
    /// Time to the nearer end of its window.
    pub left: Duration,
    /// Which end that is.
    pub end: End,
    /// With less than this left, it is marginal.
    pub least: Duration,
}

impl Margin {
    /// Whether there was less left than there should be.
    pub fn is_marginal(&self) -> bool {
        self.left < self.least
    }
}

/// An end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Nearly too early.
    Start,
    /// Nearly too late.
    End,
}
