//! What a bug looks like: the finding patterns of the mutants, and which of them an unknown device
//! is near to.
//!
//! A pattern is a set of features; a feature is a case with what went wrong in it, in the words of
//! the scenario (the line that was expected) or of a monitor, never with what the device said, so
//! that a device with the same bug and other texts looks alike.

use super::{by_monitor, counts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use urcheck_reports::{CaseReport, Likeness, Verdict};

/// The features of one or more cases.
pub type Features = BTreeSet<String>;

/// No more builds than this are named when a device looks like all of them.
const MOST_ALIKE: usize = 3;

/// From this likeness on a device is said to behave like a mutant; see [`Patterns::nearest`].
pub const NEAR: f64 = 0.5;

/// The stored patterns of the mutants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    /// All features there are.
    features: Vec<String>,
    /// Name of a mutant, what it does, and its features by their number.
    mutants: BTreeMap<String, Stored>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    about: String,
    features: Vec<usize>,
}

/// What went wrong in a case; empty if nothing that counts did.
pub fn features(report: &CaseReport) -> Features {
    if report.verdict != Verdict::Fail {
        return Features::new();
    }
    let counted = report.findings.iter().filter(|finding| counts(finding));
    let features = counted.map(|finding| {
        let what = match (&finding.expected, by_monitor(finding)) {
            (Some(line), false) => line.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => finding.monitor.clone(),
        };
        format!("{}\t{what}", report.id)
    });
    features.collect()
}

impl Patterns {
    /// The patterns of these mutants: name, what it does, features.
    pub fn of(mutants: impl IntoIterator<Item = (String, String, Features)>) -> Self {
        let mutants: Vec<_> = mutants.into_iter().collect();
        let all: BTreeSet<&String> = mutants.iter().flat_map(|(.., of)| of).collect();
        let features: Vec<String> = all.into_iter().cloned().collect();
        let number = |feature: &String| features.binary_search(feature).ok();
        let stored = mutants.iter().map(|(name, about, of)| {
            let stored = Stored {
                about: about.clone(),
                features: of.iter().filter_map(number).collect(),
            };
            (name.clone(), stored)
        });
        let mutants = stored.collect();
        Self { features, mutants }
    }

    /// Reads stored patterns.
    ///
    /// # Errors
    /// It is not what [`Patterns::text`] writes.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The patterns as they are stored.
    ///
    /// # Errors
    /// None that can come about: names and numbers can always be written.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }

    /// What a run looks like; nothing where nothing failed.
    pub fn diagnose(&self, cases: &[CaseReport]) -> Vec<Likeness> {
        let seen: Features = cases.iter().flat_map(features).collect();
        let ran = cases.iter().filter(|case| case.verdict != Verdict::Skipped);
        self.nearest(&seen, &ran.map(|case| case.id.as_str()).collect())
    }

    /// The mutants that a device with these features is nearest to, if it is near to any: one, or
    /// several that look the same. `ran` are the cases that it was given; of the patterns only
    /// what these can show is compared.
    ///
    /// The likeness is the weight of what both have over the weight of what either has; a feature
    /// weighs the more the fewer mutants have it.
    pub fn nearest(&self, seen: &Features, ran: &BTreeSet<&str>) -> Vec<Likeness> {
        if seen.is_empty() {
            return Vec::new();
        }
        let mut owners = vec![0_u32; self.features.len()];
        for feature in self.mutants.values().flat_map(|stored| &stored.features) {
            if let Some(count) = owners.get_mut(*feature) {
                *count += 1;
            }
        }
        let total = f64::from(u32::try_from(self.mutants.len()).unwrap_or(u32::MAX));
        let weight = |count: u32| (1.0 + total / f64::from(count.max(1))).ln();
        let known: BTreeMap<&str, u32> = self
            .features
            .iter()
            .map(String::as_str)
            .zip(owners.iter().copied())
            .collect();
        let seen_weight: f64 = seen
            .iter()
            .map(|feature| weight(known.get(feature.as_str()).copied().unwrap_or(1)))
            .sum();
        let mut near: Vec<Likeness> = Vec::new();
        for (name, stored) in &self.mutants {
            let (mut common, mut only_here) = (0.0, 0.0);
            for at in &stored.features {
                let (Some(feature), Some(count)) = (self.features.get(*at), owners.get(*at)) else {
                    continue;
                };
                let case = feature.split('\t').next().unwrap_or_default();
                if seen.contains(feature) {
                    common += weight(*count);
                } else if ran.contains(case) {
                    only_here += weight(*count);
                }
            }
            let likeness = common / (seen_weight + only_here);
            near.push(Likeness {
                name: name.clone(),
                about: stored.about.clone(),
                likeness,
            });
        }
        let best = near.iter().map(|one| one.likeness).fold(0.0, f64::max);
        near.retain(|one| one.likeness >= NEAR && one.likeness > best - 1e-9);
        // What looks like so many bugs looks like none of them.
        if near.len() > MOST_ALIKE {
            near.clear();
        }
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn features(of: &[&str]) -> Features {
        of.iter()
            .map(|feature| feature.replace(':', "\t"))
            .collect()
    }

    fn patterns() -> Patterns {
        Patterns::of([
            (
                "a".to_owned(),
                "Does a".to_owned(),
                features(&["one:x", "two:x", "all:OK"]),
            ),
            (
                "b".to_owned(),
                "Does b".to_owned(),
                features(&["one:y", "all:OK"]),
            ),
            (
                "c".to_owned(),
                "Does c".to_owned(),
                features(&["one:y", "all:OK"]),
            ),
        ])
    }

    fn nearest(seen: &[&str], ran: &[&str]) -> Vec<(String, f64)> {
        let near = patterns().nearest(&features(seen), &ran.iter().copied().collect());
        let rounded = |likeness: f64| (likeness * 100.0).round() / 100.0;
        near.into_iter()
            .map(|one| (one.name, rounded(one.likeness)))
            .collect()
    }

    #[rstest]
    #[case::the_same(&["one:x", "two:x", "all:OK"], &["one", "two", "all"], &[("a", 1.0)])]
    #[case::of_a_part_of_the_suite(&["one:x"], &["one"], &[("a", 1.0)])]
    #[case::two_look_alike(&["one:y", "all:OK"], &["one", "two", "all"], &[("b", 1.0), ("c", 1.0)])]
    #[case::nothing_wrong(&[], &["one", "two", "all"], &[])]
    #[case::nothing_like_it(&["three:z"], &["one", "two", "three"], &[])]
    #[case::what_all_have_says_little(&["all:OK", "three:z"], &["one", "two", "three", "all"], &[])]
    fn the_nearest_is_named_and_silence_kept_where_none_is(
        #[case] seen: &[&str],
        #[case] ran: &[&str],
        #[case] near: &[(&str, f64)],
    ) {
        let near: Vec<_> = near
            .iter()
            .map(|(name, likeness)| ((*name).to_owned(), *likeness))
            .collect();
        assert_eq!(nearest(seen, ran), near);
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let text = patterns().text().unwrap();
        assert_eq!(Patterns::read(text.as_bytes()).unwrap(), patterns());
    }
}
