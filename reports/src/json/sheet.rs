//! Readings, behaviour and margins in the machine contract.

use super::seconds;
use crate::model::{Grade, Source};
use crate::observed::{self, End};
use crate::sheet;
use serde::Serialize;

/// A finding of the run: a dispute of which the device follows two readings.
#[derive(Serialize)]
pub(super) struct Mixed<'a> {
    monitor: &'static str,
    message: String,
    source: Source,
    grade: Grade,
    dispute: &'a str,
    seen: [Seen<'a>; 2],
}

impl<'a> From<&sheet::Mixture<'a>> for Mixed<'a> {
    fn from(mixture: &sheet::Mixture<'a>) -> Self {
        Self {
            monitor: "readings",
            message: mixture.message(),
            source: Source::Device,
            grade: Grade::Deviation,
            dispute: mixture.dispute,
            seen: [Seen::from(&mixture.first), Seen::from(&mixture.second)],
        }
    }
}

#[derive(Serialize)]
pub(super) struct Seen<'a> {
    reading: &'a str,
    case: &'a str,
    file: &'a str,
    line: usize,
    saw: &'a str,
    at: f64,
}

impl<'a> From<&sheet::Witness<'a>> for Seen<'a> {
    fn from(witness: &sheet::Witness<'a>) -> Self {
        Self {
            reading: witness.reading,
            case: witness.case,
            file: &witness.leaning.place.file,
            line: witness.leaning.place.line,
            saw: &witness.leaning.saw,
            at: seconds(witness.leaning.at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Followed<'a> {
    dispute: &'a str,
    reading: &'a str,
    varies: bool,
    cases: Vec<&'a str>,
}

impl<'a> From<sheet::Followed<'a>> for Followed<'a> {
    fn from(followed: sheet::Followed<'a>) -> Self {
        let sheet::Followed {
            dispute,
            reading,
            varies,
            cases,
        } = followed;
        Self {
            dispute,
            reading,
            varies,
            cases,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    key: &'a str,
    values: Vec<Value<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    value: &'a serde_json::Value,
    cases: Vec<&'a str>,
}

impl<'a> From<sheet::Entry<'a>> for Entry<'a> {
    fn from(entry: sheet::Entry<'a>) -> Self {
        let values = entry.values.into_iter();
        Self {
            key: entry.key,
            values: values
                .map(|(value, cases)| Value { value, cases })
                .collect(),
        }
    }
}

/// A line of a case that leans on disputes.
#[derive(Serialize)]
pub(super) struct Leant<'a> {
    file: &'a str,
    line: usize,
    saw: &'a str,
    at: f64,
    under: Vec<Vec<Reading<'a>>>,
}

#[derive(Serialize)]
struct Reading<'a> {
    dispute: &'a str,
    reading: &'a str,
}

impl<'a> From<&'a observed::Leaning> for Leant<'a> {
    fn from(leaning: &'a observed::Leaning) -> Self {
        let one = |reading: &'a observed::Reading| Reading {
            dispute: &reading.dispute,
            reading: &reading.reading,
        };
        let under = leaning.under.iter();
        Self {
            file: &leaning.place.file,
            line: leaning.place.line,
            saw: &leaning.saw,
            at: seconds(leaning.at),
            under: under
                .map(|together| together.iter().map(one).collect())
                .collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Recorded<'a> {
    key: &'a str,
    value: &'a serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    file: &'a str,
    line: usize,
    at: f64,
}

impl<'a> From<&'a observed::Behaviour> for Recorded<'a> {
    fn from(one: &'a observed::Behaviour) -> Self {
        Self {
            key: &one.key,
            value: &one.value,
            problem: one.problem.as_deref(),
            file: &one.place.file,
            line: one.place.line,
            at: seconds(one.at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Left<'a> {
    file: &'a str,
    line: usize,
    expected: &'a str,
    at: f64,
    left: f64,
    end: End,
    least: f64,
}

impl<'a> From<&'a observed::Margin> for Left<'a> {
    fn from(margin: &'a observed::Margin) -> Self {
        Self {
            file: &margin.place.file,
            line: margin.place.line,
            expected: &margin.expected,
            at: seconds(margin.at),
            left: seconds(margin.left),
            end: margin.end,
            least: seconds(margin.least),
        }
    }
}
