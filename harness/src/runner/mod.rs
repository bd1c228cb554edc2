//! Replays cases against a device: carries out what the judge wants and records what happens.
//!
//! Must not know: what a verdict depends on (that is the judge's), how a report looks.

mod probe;
pub mod recorder;
pub mod schedule;

pub use probe::SyncError;

use crate::judge::{Judge, Judged, Policy, Want};
use crate::monitor;
use crate::profile::Profile;
use crate::scenario::case::{AFTER_SET_UP, Case, Target};
use crate::testbed::Bench;
use crate::transport::{LineLost, Port};
use recorder::Recorder;
use std::time::Duration;
use tokio::time::Instant;
use urcheck_reports::{CaseReport, EventKind, Observed, Protocol, QuotedStep, Timeline, Verdict};

/// How long the device may take to accept what is sent to it.
const WRITE: Duration = Duration::from_secs(30);

/// How long the harness waits for quiet before it goes on all the same.
const QUIET_LIMIT: Duration = Duration::from_secs(20);

/// The action that waits for a fault.
const AWAIT_FAULT: &str = "await-fault";

/// What comes within this time is one piece, once there are very many.
const AT_ONCE: Duration = Duration::from_millis(2);

/// So many bytes are a piece whatever comes behind them.
const LARGE_PIECE: usize = 4096;

/// How often the harness looks whether a fault has fired.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Times that the runner needs, from the profile.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long nothing may happen before line and servers count as quiet.
    pub settle: Duration,
    /// How long a device may take to answer plain commands.
    pub answer: Duration,
    /// How long a device may take to run into a fault that a scenario waits for.
    pub fault: Duration,
    /// How long a device may take to come back to its senses before a case.
    pub boot: Duration,
}

impl Pace {
    /// What a profile says of the device.
    pub fn of(profile: &Profile) -> Self {
        let timers = &profile.timers;
        Self {
            settle: timers.settle,
            answer: timers.answer,
            fault: timers.smtp.max(timers.pop3) + timers.tolerance,
            boot: timers.boot,
        }
    }
}

/// Replays one case on a device that is in step with the harness. The line stays open.
pub async fn run_case(
    case: &Case,
    policy: &Policy,
    pace: Pace,
    port: &mut Port,
    bench: &mut dyn Bench,
    recorder: &Recorder,
) -> CaseReport {
    let mut run = Run {
        port,
        bench,
        recorder,
        pace,
        fed: 0,
        held: case
            .pop3
            .fault
            .iter()
            .any(|rule| rule.name.as_deref() == Some(AFTER_SET_UP))
            .then_some(case.prepared),
        judge: Judge::new(case, policy),
    };
    run.dialogue().await;
    for fault in run.bench.unreached(case) {
        run.judge.unreached(&fault);
    }
    // Before the health probe ends what the case left running.
    let state = run.bench.state();
    recorder.push(EventKind::Snapshot {
        step: case.steps.len(),
        state,
    });
    if !run.line_is_lost() {
        let undo = match run.judge.is_cut_short() {
            true => probe::undo(case),
            false => Vec::new(),
        };
        let health = probe::health(run.port, pace, &policy.line_end, &undo).await;
        match health {
            Ok(None) => {}
            Ok(Some(stuck)) => run.judge.unhealthy(stuck),
            Err(lost) => run.lose(&lost),
        }
    }
    let timeline = recorder.take();
    if !run.judge.is_flooded() {
        let cut_short = run.judge.is_cut_short();
        let found = monitor::watch(case, policy, &timeline.events, cut_short);
        run.judge.watched(found);
    }
    let judged = run.judge.finish();
    report(case, judged, timeline)
}

/// The report of a case.
pub fn report(case: &Case, judged: Judged, timeline: Timeline) -> CaseReport {
    let duration = timeline
        .events
        .last()
        .map(|event| event.at)
        .unwrap_or_default();
    let steps = case.steps.iter().map(|step| QuotedStep {
        place: step.place.clone(),
        text: step.text.clone(),
        section: step.section_name.clone(),
    });
    CaseReport {
        id: case.id.clone(),
        title: case.title.clone(),
        verdict: judged.verdict,
        class: case.class,
        clauses: case.clauses.clone(),
        faults: case.faults.clone(),
        duration,
        reason: None,
        findings: judged.findings,
        observed: judged.observed,
        steps: steps.collect(),
        timeline,
    }
}

/// The report of a case that was not run because the device lacks something.
pub fn skipped(case: &Case, reason: &str) -> CaseReport {
    let judged = Judged {
        verdict: Verdict::Skipped,
        findings: Vec::new(),
        observed: Observed::default(),
    };
    let mut report = report(case, judged, Timeline::default());
    report.reason = Some(reason.to_owned());
    report
}

/// Brings device and harness in step before a case; see [`SyncError`].
///
/// # Errors
/// The line is lost, or the device does not answer `AT`.
pub async fn synchronise(port: &mut Port, policy: &Policy, pace: Pace) -> Result<(), SyncError> {
    probe::synchronise(port, policy, pace).await
}

struct Run<'a> {
    port: &'a mut Port,
    bench: &'a mut dyn Bench,
    recorder: &'a Recorder,
    pace: Pace,
    /// How many events of the timeline the judge has seen.
    fed: usize,
    /// The step with which rules that wait for the end of the set-up come into force.
    held: Option<usize>,
    judge: Judge<'a>,
}

impl Run<'_> {
    async fn dialogue(&mut self) {
        loop {
            self.feed();
            match self.judge.want() {
                Want::Done => break,
                Want::Send { step, bytes } => self.send(step, &bytes).await,
                Want::Wait { until } => {
                    let until = self.recorder.started() + until;
                    if !self.read(until).await {
                        self.recorder.push(EventKind::Tick);
                    }
                }
                Want::Act {
                    step,
                    target,
                    words,
                } => {
                    let what = self.act(target, &words).await;
                    self.recorder.push(EventKind::Acted { step, what });
                }
                Want::Quiet { step } => {
                    self.quiet(false).await;
                    self.recorder.push(EventKind::Acted {
                        step,
                        what: "quiet".to_owned(),
                    });
                }
                Want::Snapshot { step } => {
                    self.quiet(true).await;
                    let state = self.bench.state();
                    self.recorder.push(EventKind::Snapshot { step, state });
                }
            }
        }
    }

    fn feed(&mut self) {
        // One by one: a copy of them all could be as large as the timeline.
        while let Some(event) = self.recorder.event(self.fed) {
            self.fed += 1;
            self.judge.observe(&event);
        }
    }

    async fn send(&mut self, step: usize, bytes: &[u8]) {
        if self.held.is_some_and(|prepared| step >= prepared) {
            self.held = None;
            let words = ["fault", "on", AFTER_SET_UP].map(str::to_owned);
            if let Err(error) = self.bench.act(Target::Pop3, &words).await {
                self.judge.bench_failed(error);
            }
        }
        self.recorder.push(EventKind::Sent {
            step: Some(step),
            bytes: bytes.to_vec(),
        });
        let recorder = self.recorder;
        let received = |bytes| recorder.push(EventKind::Received { bytes });
        if let Err(lost) = self
            .port
            .write(bytes, Instant::now() + WRITE, received)
            .await
        {
            self.lose(&lost);
        }
    }

    /// Reads from the device until something comes. `false`: nothing came.
    async fn read(&mut self, until: Instant) -> bool {
        match self.port.read(until).await {
            Ok(Some(bytes)) => self.received(bytes).await,
            Ok(None) => return false,
            Err(lost) => self.lose(&lost),
        }
        true
    }

    /// Records a piece. Behind very many of them, what comes at once is recorded as one.
    async fn received(&mut self, mut bytes: Vec<u8>) {
        let mut lost = None;
        if self.recorder.has_many_pieces() {
            let until = Instant::now() + AT_ONCE;
            while bytes.len() < LARGE_PIECE && Instant::now() < until {
                match self.port.read(until).await {
                    Ok(Some(more)) => bytes.extend(more),
                    Ok(None) => break,
                    Err(error) => {
                        lost = Some(error);
                        break;
                    }
                }
            }
        }
        self.recorder.push(EventKind::Received { bytes });
        if let Some(lost) = lost {
            self.lose(&lost);
        }
    }

    async fn act(&mut self, target: Target, words: &[String]) -> String {
        let said = format!("{} {}", target.word(), words.join(" "));
        if let ([word], Some(protocol)) = (words, target.protocol())
            && word == AWAIT_FAULT
        {
            let fired = self.await_fault(protocol).await;
            return format!(
                "{said}: {}",
                if fired {
                    "fired"
                } else {
                    "did not fire in time"
                }
            );
        }
        match self.bench.act(target, words).await {
            Ok(what) => format!("{said}: {what}"),
            Err(error) => {
                self.judge
                    .bench_failed(format!("failed to carry out `@{said}`: {error}"));
                format!("{said}: {error}")
            }
        }
    }

    /// Reads from the device until a fault of this server has fired. One that does not is told at
    /// the end of the case, as every fault that was never reached.
    async fn await_fault(&mut self, protocol: Protocol) -> bool {
        let limit = Instant::now() + self.pace.fault;
        while !self.line_is_lost() && Instant::now() < limit {
            if self.recorder.has_fault(protocol) {
                return true;
            }
            self.read(Instant::now() + LOOK_AGAIN).await;
            self.feed();
        }
        false
    }

    /// Waits until neither the line nor a server has shown anything for the settle time; if
    /// `all_said`, no server holds back a reply either, which may change what a check sees.
    async fn quiet(&mut self, all_said: bool) {
        let limit = Instant::now() + QUIET_LIMIT;
        let mut quiet_from = Instant::now();
        while !self.line_is_lost() {
            self.feed();
            quiet_from = quiet_from.max(self.recorder.last_activity());
            if all_said && self.bench.is_owing() {
                quiet_from = Instant::now();
            }
            let until = (quiet_from + self.pace.settle).min(limit);
            if Instant::now() >= until {
                break;
            }
            self.read(until).await;
        }
    }

    fn lose(&mut self, lost: &LineLost) {
        self.recorder.push(EventKind::LineLost {
            message: lost.to_string(),
            by_device: lost.by_device,
        });
        self.feed();
    }

    fn line_is_lost(&self) -> bool {
        self.judge.line_is_lost()
    }
}
