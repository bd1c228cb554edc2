//! Verdicts, cases and runs.

pub use crate::finding::{Arrived, CheckPart, Due, Evidence, Finding, Grade, Source};
use crate::observed::Observed;
use crate::timeline::Timeline;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The outcome of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation was met.
    Pass,
    /// Every expectation was met, one of them with less than the tolerance left.
    Marginal,
    /// The device broke an expectation.
    Fail,
    /// The stimulus never reached the device, or the bench's own jitter ate the margin.
    Inconclusive,
    /// The harness or the link failed.
    Error,
    /// A capability is missing.
    Skipped,
    /// It failed, and the profile said that it would.
    KnownFail,
    /// It passed, and the profile said that it would fail.
    UnexpectedPass,
}

impl Verdict {
    /// All verdicts, in the order in which a summary counts them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Marginal,
        Self::Fail,
        Self::Inconclusive,
        Self::Error,
        Self::Skipped,
        Self::KnownFail,
        Self::UnexpectedPass,
    ];

    /// The word for it in reports and in the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Marginal => "marginal",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::KnownFail => "known-fail",
            Self::UnexpectedPass => "unexpected-pass",
        }
    }
}

/// How binding a scenario is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// What the application note itself says.
    #[default]
    Must,
    /// What clearly follows from the note or from an RFC that it builds on.
    Should,
    /// What only a manual or a driver says: observed, never a failure.
    Info,
}

impl Class {
    /// The word for it in scenarios and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Info => "info",
        }
    }
}

/// A place in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Path of the file, relative to the scenario folder.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A line of a scenario as the report quotes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotedStep {
    /// Where it stands.
    pub place: Place,
    /// The line as written.
    pub text: String,
    /// Name of the section that it stands in.
    pub section: String,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// Path of the scenario without its extension, with the case's name in brackets if it has one.
    pub id: String,
    /// The scenario's title.
    pub title: String,
    /// The outcome.
    pub verdict: Verdict,
    /// How binding it is.
    pub class: Class,
    /// Ids of the clauses that it covers.
    pub clauses: Vec<String>,
    /// Ids of the faults that it provokes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Time from the first to the last event, on the case's own (perhaps virtual) clock.
    pub duration: Duration,
    /// Why it was skipped, or is a known failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
    /// What it shows of the device besides: readings, behaviour, margins.
    #[serde(default, skip_serializing_if = "Observed::is_empty")]
    pub observed: Observed,
    /// The steps of the case, which the indices of the timeline refer to.
    pub steps: Vec<QuotedStep>,
    /// The evidence.
    pub timeline: Timeline,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Name and version of the tool.
    pub tool: String,
    /// The device under test, as given on the command line.
    pub dut: String,
    /// Name of the profile.
    pub profile: String,
    /// The cases, in the order of the selection.
    pub cases: Vec<CaseReport>,
    /// Cases that were selected and never started, because the run was interrupted or the line
    /// was lost.
    #[serde(default)]
    pub not_run: Vec<String>,
    /// Why the run ended early, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<String>,
    /// What the device was asked for before the run, and whether it has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// The known bugs that the failures look like, if they look like any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likenesses: Vec<Likeness>,
    /// Real time from start to end.
    pub duration: Duration,
}

/// A capability that the device was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The capability.
    pub capability: String,
    /// Why the device counts as one without it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// A known bug that a device behaves like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// The name of the build of the reference module that has it.
    pub name: String,
    /// What it does: one sentence without a full stop.
    pub about: String,
    /// How near: 1 is the same pattern of findings, 0 nothing in common.
    pub likeness: f64,
}

impl RunReport {
    /// How many cases have each verdict; verdicts that do not occur are left out.
    pub fn summary(&self) -> BTreeMap<Verdict, usize> {
        let mut counts = BTreeMap::new();
        for case in &self.cases {
            *counts.entry(case.verdict).or_insert(0) += 1;
        }
        counts
    }

    /// What the run as a whole says about the device. What a case of class `info` expects never
    /// changes it; such a case fails only where a monitor caught the device, and that counts. A
    /// device that does not keep to one reading of the note has failed as well.
    ///
    /// A failure outweighs everything else: it stands even if the run ended early. An unexpected
    /// pass is no failure of the device, it is an entry of the profile that has to go.
    pub fn outcome(&self) -> Outcome {
        let required = |verdicts: &[Verdict]| {
            self.cases
                .iter()
                .any(|case| case.class != Class::Info && verdicts.contains(&case.verdict))
        };
        let failed = |case: &CaseReport| case.verdict == Verdict::Fail;
        if self.cases.iter().any(failed) || !self.readings().mixtures.is_empty() {
            Outcome::Failures
        } else if required(&[Verdict::Inconclusive, Verdict::Error])
            || self.ended_early.is_some()
            || !self.not_run.is_empty()
        {
            Outcome::Undecided
        } else if self
            .cases
            .iter()
            .all(|case| case.verdict == Verdict::Skipped)
        {
            Outcome::NothingRun
        } else {
            Outcome::Passed
        }
    }
}

/// What a run as a whole says about the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything required passed.
    Passed,
    /// At least one required case failed.
    Failures,
    /// No required case failed, but at least one was not decided.
    Undecided,
    /// No case was run.
    NothingRun,
}

impl Outcome {
    /// The exit status of the command line for it.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failures => 1,
            Self::Undecided => 4,
            Self::NothingRun => 5,
        }
    }

    /// What that exit status means, as a sentence without its full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "everything required of the device passed",
            Self::Failures => "the device broke at least one required expectation",
            Self::Undecided => {
                "nothing required failed, but not everything could be judged; the device is not \
                 cleared"
            }
            Self::NothingRun => "no case was run, so nothing is known about the device",
        }
    }
}
