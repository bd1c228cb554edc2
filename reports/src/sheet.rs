//! What all cases of a run together say of a device: the readings that it follows, whether it
//! keeps to them, and its behaviour sheet.
//!
//! Pure functions of the case reports, so that old evidence can be judged again.

use crate::model::{CaseReport, Class, RunReport, Verdict};
use crate::observed::{Leaning, Reading};
use std::collections::{BTreeMap, BTreeSet};

/// A reading that the device was seen to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed<'a> {
    /// Id of the dispute.
    pub dispute: &'a str,
    /// Id of the reading.
    pub reading: &'a str,
    /// Whether a device may follow different readings in different circumstances.
    pub varies: bool,
    /// The cases that show it, in the order of the run.
    pub cases: Vec<&'a str>,
}

/// One case that shows a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness<'a> {
    /// Id of the reading.
    pub reading: &'a str,
    /// Id of the case.
    pub case: &'a str,
    /// What the device said there.
    pub leaning: &'a Leaning,
}

/// A dispute of which the device follows two readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixture<'a> {
    /// Id of the dispute.
    pub dispute: &'a str,
    /// The first case that shows a reading.
    pub first: Witness<'a>,
    /// The first one that shows another.
    pub second: Witness<'a>,
}

impl Mixture<'_> {
    /// The finding in one sentence.
    pub fn message(&self) -> String {
        let one = |witness: &Witness<'_>| {
            format!(
                "`{}` ({}, in {}) follows `{}`",
                witness.leaning.saw, witness.leaning.place, witness.case, witness.reading
            )
        };
        format!(
            "the device follows two readings of {}: {}, {}",
            self.dispute,
            one(&self.first),
            one(&self.second)
        )
    }
}

/// What a run shows of the disputes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings<'a> {
    /// The readings that were seen, by dispute.
    pub followed: Vec<Followed<'a>>,
    /// The disputes that the device does not keep to one reading of.
    pub mixtures: Vec<Mixture<'a>>,
}

/// An entry of the behaviour sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// What it is about.
    pub key: &'a str,
    /// The values that were seen, each with the cases that show it; more than one is not wrong.
    pub values: Vec<(&'a serde_json::Value, Vec<&'a str>)>,
}

/// A line that leans on disputes, with the readings that can still be behind it.
struct Open<'a> {
    case: &'a CaseReport,
    leaning: &'a Leaning,
    under: Vec<BTreeMap<&'a str, &'a str>>,
}

impl RunReport {
    /// Which readings the device follows, and where it follows two.
    ///
    /// What more than one reading allows decides nothing by itself; it does so as soon as other
    /// cases have decided the readings that it depends on. Cases of class `info` and known
    /// failures are no reason for a mixture.
    pub fn readings(&self) -> Readings<'_> {
        let mut open: Vec<Open<'_>> = self.cases.iter().flat_map(strict).collect();
        let mut decided: BTreeMap<&str, Witness<'_>> = BTreeMap::new();
        let mut mixtures: BTreeMap<&str, Mixture<'_>> = BTreeMap::new();
        loop {
            let before = (open.len(), decided.len());
            open.retain_mut(|one| !settle(one, &mut decided, &mut mixtures));
            if before == (open.len(), decided.len()) {
                break;
            }
        }
        Readings {
            followed: followed(self),
            mixtures: mixtures.into_values().collect(),
        }
    }

    /// What the device does where the note is silent, by key.
    pub fn behaviour(&self) -> Vec<Entry<'_>> {
        let mut entries: BTreeMap<&str, Vec<(&serde_json::Value, Vec<&str>)>> = BTreeMap::new();
        for case in &self.cases {
            for one in &case.observed.behaviour {
                let values = entries.entry(&one.key).or_default();
                match values.iter_mut().find(|(value, _)| **value == one.value) {
                    Some((_, cases)) if cases.last() == Some(&case.id.as_str()) => {}
                    Some((_, cases)) => cases.push(&case.id),
                    None => values.push((&one.value, vec![&case.id])),
                }
            }
        }
        entries
            .into_iter()
            .map(|(key, values)| Entry { key, values })
            .collect()
    }
}

/// The lines of a case that a device must keep to one reading for.
fn strict(case: &CaseReport) -> Vec<Open<'_>> {
    if case.class == Class::Info || case.verdict == Verdict::KnownFail {
        return Vec::new();
    }
    let leanings = case.observed.readings.iter().map(|leaning| Open {
        case,
        leaning,
        under: leaning
            .under
            .iter()
            .map(|together| {
                let strict = together.iter().filter(|reading| !reading.varies);
                strict
                    .map(
                        |Reading {
                             dispute, reading, ..
                         }| (dispute.as_str(), reading.as_str()),
                    )
                    .collect()
            })
            .collect(),
    });
    // What is right under no particular reading says nothing.
    leanings
        .filter(|one| one.under.iter().all(|together| !together.is_empty()))
        .collect()
}

/// Draws the conclusions from one line. `true`: there are no more to draw.
fn settle<'a>(
    one: &mut Open<'a>,
    decided: &mut BTreeMap<&'a str, Witness<'a>>,
    mixtures: &mut BTreeMap<&'a str, Mixture<'a>>,
) -> bool {
    let witness = |reading| Witness {
        reading,
        case: one.case.id.as_str(),
        leaning: one.leaning,
    };
    let clash = |together: &BTreeMap<&'a str, &'a str>| {
        together.iter().find_map(|(dispute, reading)| {
            let first = decided
                .get(dispute)
                .filter(|known| known.reading != *reading)?;
            Some((*dispute, *reading, first.clone()))
        })
    };
    let clashes: Vec<_> = one.under.iter().map(clash).collect();
    if clashes.iter().all(Option::is_some) {
        if let Some((dispute, reading, first)) = clashes.into_iter().flatten().next() {
            let second = witness(reading);
            mixtures.entry(dispute).or_insert(Mixture {
                dispute,
                first,
                second,
            });
        }
        return true;
    }
    let left: Vec<_> = one
        .under
        .iter()
        .zip(&clashes)
        .filter(|(_, clash)| clash.is_none())
        .map(|(together, _)| together)
        .collect();
    let Some((head, rest)) = left.split_first() else {
        return true;
    };
    for (dispute, reading) in *head {
        let everywhere = rest
            .iter()
            .all(|together| together.get(dispute) == Some(reading));
        if everywhere && !decided.contains_key(dispute) {
            decided.insert(dispute, witness(reading));
        }
    }
    rest.is_empty()
}

/// The readings that single lines decide.
fn followed(run: &RunReport) -> Vec<Followed<'_>> {
    let mut seen: BTreeMap<&Reading, Vec<&str>> = BTreeMap::new();
    for case in &run.cases {
        let decided: BTreeSet<&Reading> = case
            .observed
            .readings
            .iter()
            .flat_map(|leaning| {
                let (head, rest) = match leaning.under.split_first() {
                    Some((head, rest)) => (head.as_slice(), rest),
                    None => ([].as_slice(), [].as_slice()),
                };
                head.iter()
                    .filter(|reading| rest.iter().all(|together| together.contains(reading)))
            })
            .collect();
        for reading in decided {
            seen.entry(reading).or_default().push(&case.id);
        }
    }
    seen.into_iter()
        .map(|(reading, cases)| Followed {
            dispute: &reading.dispute,
            reading: &reading.reading,
            varies: reading.varies,
            cases,
        })
        .collect()
}
