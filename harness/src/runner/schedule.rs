//! Which case runs when and where: threads for the embedded module, one after the other on a
//! real device.

use super::recorder::Recorder;
use super::{Pace, SyncError, report, run_case, skipped, synchronise};
use crate::judge::{CRASH, Judged, LINK, Policy};
use crate::profile::Profile;
use crate::scenario::case::Case;
use crate::testbed::SmtpEngine;
use crate::testbed::embedded::Embedded;
use crate::testbed::external::Listeners;
use crate::transport::Port;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use urcheck_reports::{
    CaseReport, Event, EventKind, Finding, Observed, RunReport, Source, Timeline, Verdict,
};

/// After so many cases in a row before which the device did not answer, it counts as gone.
const GIVE_UP: usize = 3;

/// What is to be run.
#[derive(Debug)]
pub struct Session {
    /// The cases, in the order of the selection.
    pub cases: Vec<Case>,
    /// What the judge must know of the device.
    pub policy: Policy,
    /// Times that the runner needs.
    pub pace: Pace,
    /// Who answers behind the SMTP wire.
    pub smtp_engine: SmtpEngine,
    /// Whether the timelines of cases without findings are kept.
    pub keep_timelines: bool,
}

/// Tells how far a run is.
pub trait Watcher {
    /// This case has begun.
    fn started(&mut self, case: &Case);
    /// This case is over. Called in the order of the selection.
    fn ended(&mut self, report: &CaseReport);
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Ran {
    /// The cases that were run or skipped, in the order of the selection.
    pub reports: Vec<CaseReport>,
    /// Ids of the cases that were not.
    pub not_run: Vec<String>,
    /// Why the run ended early, if it did.
    pub ended_early: Option<String>,
    /// What the timelines of the reports take, in bytes.
    kept: usize,
}

/// Most bytes that the timelines of a whole run may take. Those of a usual suite take some
/// kilobytes each; a device that floods every case would take megabytes for each of them.
const MOST_KEPT: usize = 12 * 1024 * 1024;

enum News {
    Started(usize),
    Ended(usize, Box<CaseReport>),
}

/// Runs every case on an embedded module of its own, `jobs` at a time, under virtual time.
pub async fn embedded(
    session: Arc<Session>,
    settings: urcheck_device::Settings,
    jobs: NonZeroUsize,
    stop: CancellationToken,
    watcher: &mut dyn Watcher,
) -> Ran {
    let (news, mut heard) = mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(0));
    let jobs = jobs.get().min(session.cases.len());
    let workers = (0..jobs).map(|_| {
        let (session, next, stop) = (Arc::clone(&session), Arc::clone(&next), stop.clone());
        let (settings, news) = (settings.clone(), news.clone());
        std::thread::spawn(move || {
            while !stop.is_cancelled() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = session.cases.get(at) else {
                    break;
                };
                let ended = News::Ended(at, Box::new(one_embedded(case, &session, &settings)));
                if news
                    .send(News::Started(at))
                    .and_then(|()| news.send(ended))
                    .is_err()
                {
                    break;
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    drop(news);
    let mut ran = Ran::default();
    let mut early = BTreeMap::new();
    while let Some(news) = heard.recv().await {
        match news {
            News::Started(at) => {
                if let Some(case) = session.cases.get(at) {
                    watcher.started(case);
                }
            }
            News::Ended(at, report) => {
                early.insert(at, *report);
                while let Some(report) = early.remove(&ran.reports.len()) {
                    ran.keep(report, &session, watcher);
                }
            }
        }
    }
    let mut panicked = false;
    for worker in workers {
        panicked |= worker.join().is_err();
    }
    // What is left over stands behind a case that never ended.
    for report in early.into_values() {
        ran.keep(report, &session, watcher);
    }
    if panicked {
        ran.end(
            &session,
            "a defect of the harness or of the reference module".to_owned(),
        );
    } else if stop.is_cancelled() {
        ran.end(&session, "interrupted".to_owned());
    }
    ran
}

/// Runs one case on an embedded module of its own, under virtual time.
pub fn one_embedded(
    case: &Case,
    session: &Session,
    settings: &urcheck_device::Settings,
) -> CaseReport {
    if let Some(reason) = &case.skip {
        return skipped(case, reason);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            let recorder = Recorder::start();
            let (mut bench, mut port) =
                match Embedded::start(case, settings, session.smtp_engine, &recorder) {
                    Ok(started) => started,
                    Err(error) => return broken(case, error.to_string()),
                };
            match synchronise(&mut port, &session.policy, session.pace).await {
                Ok(()) => {
                    recorder.restart();
                    let Session { policy, pace, .. } = session;
                    run_case(case, policy, *pace, &mut port, &mut bench, &recorder).await
                }
                Err(error) => out_of_step(case, &error),
            }
        }),
        Err(error) => broken(case, format!("failed to make the runtime: {error}")),
    }
}

/// Runs the cases one after the other on the device behind `port`.
pub async fn external(
    session: &Session,
    port: &mut Port,
    listeners: &Listeners,
    stop: CancellationToken,
    watcher: &mut dyn Watcher,
) -> Ran {
    let mut ran = Ran::default();
    let mut silent = 0;
    for case in &session.cases {
        if let Some(reason) = &case.skip {
            ran.keep(skipped(case, reason), session, watcher);
            continue;
        }
        watcher.started(case);
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => {
                ran.end(session, "interrupted".to_owned());
                break;
            }
            outcome = one_external(case, session, port, listeners) => outcome,
        };
        match outcome {
            Outcome::Judged(report) => {
                silent = 0;
                ran.keep(report, session, watcher);
            }
            Outcome::Silent(report) => {
                silent += 1;
                ran.keep(report, session, watcher);
                if silent >= GIVE_UP {
                    let why =
                        format!("the device did not get in step before {GIVE_UP} cases in a row");
                    ran.end(session, why);
                    break;
                }
            }
            Outcome::Lost(report, why) => {
                // Without a report the line broke before the case, which then was not run.
                if let Some(report) = report {
                    ran.keep(report, session, watcher);
                }
                ran.end(session, why);
                break;
            }
        }
    }
    ran
}

enum Outcome {
    Judged(CaseReport),
    /// The device did not answer before the case.
    Silent(CaseReport),
    /// The line is lost.
    Lost(Option<CaseReport>, String),
}

async fn one_external(
    case: &Case,
    session: &Session,
    port: &mut Port,
    listeners: &Listeners,
) -> Outcome {
    let Session { policy, pace, .. } = session;
    match synchronise(port, policy, *pace).await {
        Ok(()) => {}
        Err(SyncError::Lost(lost)) => return Outcome::Lost(None, lost.to_string()),
        Err(error) => return Outcome::Silent(out_of_step(case, &error)),
    }
    let recorder = Recorder::start();
    let mut bench = match listeners.start(case, session.smtp_engine, &recorder) {
        Ok(bench) => bench,
        Err(error) => return Outcome::Judged(broken(case, error.to_string())),
    };
    let report = run_case(case, policy, *pace, port, &mut bench, &recorder).await;
    let lost = report
        .findings
        .iter()
        .find(|finding| [LINK, CRASH].contains(&finding.monitor.as_str()));
    match lost.map(|finding| finding.message.clone()) {
        Some(why) => Outcome::Lost(Some(report), why),
        None => Outcome::Judged(report),
    }
}

impl Ran {
    /// The report of the run.
    pub fn report(self, dut: &str, profile: &Profile, duration: Duration) -> RunReport {
        RunReport {
            tool: concat!("urcheck ", env!("CARGO_PKG_VERSION")).to_owned(),
            dut: dut.to_owned(),
            profile: profile.name.clone(),
            cases: self.reports,
            not_run: self.not_run,
            ended_early: self.ended_early,
            probes: Vec::new(),
            likenesses: Vec::new(),
            duration,
        }
    }

    fn keep(&mut self, mut report: CaseReport, session: &Session, watcher: &mut dyn Watcher) {
        if report.findings.is_empty() && !session.keep_timelines {
            report.timeline = Timeline::default();
        }
        watcher.ended(&report);
        let size = report.timeline.events.iter().map(footprint).sum::<usize>();
        if self.kept + size > MOST_KEPT {
            report.timeline = Timeline::default();
            if let Some(finding) = report.findings.first_mut() {
                let why = "the timeline is not kept: those of the run have become too large";
                finding.details.push(why.to_owned());
            }
        } else {
            self.kept += size;
        }
        self.reports.push(report);
    }

    fn end(&mut self, session: &Session, why: String) {
        let done: Vec<_> = self
            .reports
            .iter()
            .map(|report| report.id.as_str())
            .collect();
        let rest = session.cases.iter().map(|case| &case.id);
        self.not_run = rest
            .filter(|id| !done.contains(&id.as_str()))
            .cloned()
            .collect();
        self.ended_early = (!self.not_run.is_empty()).then_some(why);
    }
}

/// The report of a case before which the device did not get in step.
fn out_of_step(case: &Case, error: &SyncError) -> CaseReport {
    if !matches!(error, SyncError::Wrong { .. }) {
        return broken(case, error.to_string());
    }
    let judged = Judged {
        verdict: Verdict::Fail,
        findings: vec![Finding::new("sync", error.to_string(), Duration::ZERO)],
        observed: Observed::default(),
    };
    report(case, judged, Timeline::default())
}

/// About how much memory an event takes.
fn footprint(event: &Event) -> usize {
    let bytes = match &event.kind {
        EventKind::Sent { bytes, .. }
        | EventKind::Received { bytes }
        | EventKind::FromClient { bytes, .. }
        | EventKind::FromServer { bytes, .. } => bytes.len(),
        _ => 0,
    };
    size_of::<Event>() + bytes
}

/// The report of a case that the bench could not run.
fn broken(case: &Case, message: String) -> CaseReport {
    let finding = Finding {
        source: Source::Bench,
        ..Finding::new("bench", message, Duration::ZERO)
    };
    let judged = Judged {
        verdict: Verdict::Error,
        findings: vec![finding],
        observed: Observed::default(),
    };
    report(case, judged, Timeline::default())
}
