//! Mutation score: how many deliberately broken modules the suite catches, and that it lets every
//! conforming variant pass.
//!
//! ```text
//! (mutants + variants) × cases ─► verdicts ─► score, survivors, false alarms
//!                                         └─► [`cover`]: redundant cases, a small set with the same score
//!                                         └─► [`pattern`]: what each bug looks like, for diagnosis
//! ```
//!
//! Knows the builds of the reference module only by their public table.

pub mod cover;
pub mod pattern;

use crate::judge::HEALTH;
use crate::monitor;
use crate::profile::Profile;
use crate::runner::schedule::{Ran, Session, one_embedded};
use crate::scenario::case::Case;
use pattern::Features;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use urcheck_device::{Firmware, Settings, mutant};
use urcheck_reports::sheet::Mixture;
use urcheck_reports::{CaseReport, Finding, Grade, Source, Timeline, Verdict};

/// A build of the reference module that the suite is tried on.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// What it does: one sentence without a full stop.
    pub about: &'static str,
    /// What it breaks, or what allows it: ids of clauses, sections of standards.
    pub rests_on: &'static str,
    /// Whether it is right all the same.
    pub conforming: bool,
    firmware: Firmware,
}

/// Every mutant, then every variant.
pub fn subjects() -> Vec<Subject> {
    let mutants = mutant::ALL.iter().map(|mutant| Subject {
        name: mutant.name,
        about: mutant.about,
        rests_on: mutant.breaks,
        conforming: false,
        firmware: mutant.firmware,
    });
    let variants = mutant::VARIANTS.iter().map(|variant| Subject {
        name: variant.name,
        about: variant.about,
        rests_on: variant.allows,
        conforming: true,
        firmware: variant.firmware,
    });
    mutants.chain(variants).collect()
}

/// What came of one case on one subject that did not pass it.
#[derive(Clone, Debug, PartialEq)]
pub struct Caught {
    /// Index of the case.
    pub case: usize,
    /// Its verdict.
    pub verdict: Verdict,
    /// The worst finding, in words.
    pub message: String,
    /// What caught it: `expectation`, `check`, the id of a monitor, ….
    pub monitor: String,
    /// Every monitor that found something.
    pub monitors: BTreeSet<String>,
    /// What the finding pattern of a bug is made of.
    pub features: Features,
}

/// What came of a subject.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Index of the subject.
    pub subject: usize,
    /// How many cases it was given.
    pub cases: usize,
    /// The cases that it did not pass, in the order in which they were tried.
    pub caught: Vec<Caught>,
    /// Disputes in which a variant does not keep to one reading, each in a sentence: that fails a
    /// run of which every case passes.
    pub mixtures: Vec<String>,
}

impl Tried {
    /// The cases that failed it. A case that came to no verdict kills no mutant.
    pub fn killers(&self) -> impl Iterator<Item = &Caught> {
        self.caught
            .iter()
            .filter(|caught| caught.verdict == Verdict::Fail)
    }

    /// Whether the suite would clear it.
    pub fn survives(&self) -> bool {
        self.killers().next().is_none()
    }

    /// Whether a run has nothing at all against it.
    pub fn is_clean(&self) -> bool {
        self.caught.is_empty() && self.mixtures.is_empty()
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// A mutant is done with at the first case that it fails.
    FirstKill,
    /// Every case on every mutant.
    Full,
}

/// Tries the subjects, `jobs` at a time; `done` hears of each as it ends, in any order. The answer
/// is in their order, without those that were not reached before `stop`.
pub async fn try_all(
    subjects: &[Subject],
    session: Arc<Session>,
    settings: &Settings,
    depth: Depth,
    jobs: NonZeroUsize,
    stop: CancellationToken,
    mut done: impl FnMut(&Tried),
) -> Vec<Tried> {
    let (news, mut heard) = mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(0));
    let subjects: Arc<[Subject]> = subjects.into();
    let workers: Vec<_> = (0..jobs.get())
        .map(|_| {
            let (session, next, stop) = (Arc::clone(&session), Arc::clone(&next), stop.clone());
            let (settings, news) = (settings.clone(), news.clone());
            let subjects = Arc::clone(&subjects);
            std::thread::spawn(move || {
                while !stop.is_cancelled() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(subject) = subjects.get(at) else {
                        break;
                    };
                    let tried = try_one(at, subject, &session, &settings, depth, &stop);
                    if tried.is_none_or(|tried| news.send(tried).is_err()) {
                        break;
                    }
                }
            })
        })
        .collect();
    drop(news);
    let mut all = Vec::new();
    while let Some(tried) = heard.recv().await {
        done(&tried);
        all.push(tried);
    }
    for worker in workers {
        // A worker that panicked has sent nothing for its subject, which is then missing.
        let _ended = worker.join();
    }
    all.sort_by_key(|tried| tried.subject);
    all
}

/// `None`: stopped in between.
fn try_one(
    at: usize,
    subject: &Subject,
    session: &Session,
    settings: &Settings,
    depth: Depth,
    stop: &CancellationToken,
) -> Option<Tried> {
    let mut settings = settings.clone();
    settings.firmware = subject.firmware;
    let mut tried = Tried {
        subject: at,
        cases: 0,
        caught: Vec::new(),
        mixtures: Vec::new(),
    };
    let mut passed = Ran::default();
    for index in order(subject, &session.cases) {
        if stop.is_cancelled() {
            return None;
        }
        let Some(case) = session.cases.get(index).filter(|case| case.skip.is_none()) else {
            continue;
        };
        let mut report = one_embedded(case, session, &settings);
        tried.cases += 1;
        if let Some(caught) = caught(index, &report) {
            let killed = caught.verdict == Verdict::Fail;
            tried.caught.push(caught);
            if killed && !subject.conforming && depth == Depth::FirstKill {
                break;
            }
        }
        if subject.conforming {
            report.timeline = Timeline::default();
            passed.reports.push(report);
        }
    }
    let run = passed.report(subject.name, &Profile::default(), Duration::ZERO);
    let mixtures = run.readings().mixtures;
    tried.mixtures = mixtures.iter().map(Mixture::message).collect();
    Some(tried)
}

/// Cases in the order in which a subject is tried: those first that cover a clause which it
/// breaks. So a mutant dies early, and always by the same case.
fn order(subject: &Subject, cases: &[Case]) -> Vec<usize> {
    let broken: Vec<&str> = subject.rests_on.split([',', ' ']).collect();
    let covers = |case: &Case| case.clauses.iter().any(|id| broken.contains(&id.as_str()));
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|at| !cases.get(*at).is_some_and(covers));
    order
}

fn caught(index: usize, report: &CaseReport) -> Option<Caught> {
    if matches!(
        report.verdict,
        Verdict::Pass | Verdict::Marginal | Verdict::Skipped
    ) {
        return None;
    }
    let worst = report.findings.first();
    let counted = report.findings.iter().filter(|finding| counts(finding));
    let monitors = counted.filter(|finding| by_monitor(finding));
    Some(Caught {
        case: index,
        verdict: report.verdict,
        message: worst.map_or_else(String::new, |finding| finding.message.clone()),
        monitor: worst.map_or_else(String::new, |finding| finding.monitor.clone()),
        monitors: monitors.map(|finding| finding.monitor.clone()).collect(),
        features: pattern::features(report),
    })
}

/// Whether a finding counts against the device.
fn counts(finding: &Finding) -> bool {
    finding.source == Source::Device && finding.grade != Grade::Observation
}

/// Whether a finding is that of a monitor, and not of what a scenario expects.
fn by_monitor(finding: &Finding) -> bool {
    monitor::is_monitor(&finding.monitor) || finding.monitor == HEALTH
}
