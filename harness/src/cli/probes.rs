//! What a device has, by asking it: before a run, the capabilities that its profile is not sure of.

use super::Refusal;
use super::rig::{self, Line, Rig};
use crate::profile::Profile;
use crate::runner::schedule::Watcher;
use crate::scenario::case::Case;
use crate::scenario::lower::Bench as Addresses;
use crate::scenario::unit::Scenario;
use crate::scenario::written::LineKind;
use crate::suite::{Selection, Suite};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;
use urcheck_reports::{CaseReport, Finding, Probe, Verdict};

/// What only the embedded module has: between others and the servers there are buffers.
const MEMORY_NETWORK: &str = "memory-network";

/// A device that is connected, and of which is known what it has.
pub(super) struct Known {
    pub(super) line: Line,
    /// Where the servers are.
    pub(super) addresses: Addresses,
    /// The selected cases, for what the device has.
    pub(super) cases: Vec<Case>,
    /// What it was asked, and what it lacks.
    pub(super) probes: Vec<Probe>,
}

/// Connects the device of the rig and asks it for what the profile doubts. Mistakes of the suite
/// are found before the device is touched.
pub(super) async fn connect(
    rig: &Rig,
    suite: &Suite,
    selection: &Selection<'_>,
    profile: &mut Profile,
    stop: &CancellationToken,
) -> Result<Known, Refusal> {
    let stand = rig.stand()?;
    let addresses = stand.addresses().clone();
    rig::cases(suite, selection, profile, &addresses)?;
    let mut line = rig.connect(stand, profile).await?;
    let doubts = Doubts {
        suite,
        selection,
        addresses: &addresses,
        stop,
    };
    let probes = doubts.ask(rig, &mut line, profile).await?;
    // Also where nothing was asked: what only the embedded module has is gone from the profile.
    let cases = rig::cases(suite, selection, profile, &addresses)?;
    Ok(Known {
        line,
        addresses,
        cases,
        probes,
    })
}

/// What is asked, and why.
struct Doubts<'a> {
    suite: &'a Suite,
    /// What the answers matter to.
    selection: &'a Selection<'a>,
    addresses: &'a Addresses,
    stop: &'a CancellationToken,
}

impl Doubts<'_> {
    /// Asks the device for what the profile doubts and the selected scenarios need, and takes from
    /// the profile what it lacks. The embedded module is known, and is not asked.
    async fn ask(
        &self,
        rig: &Rig,
        line: &mut Line,
        profile: &mut Profile,
    ) -> Result<Vec<Probe>, Refusal> {
        if matches!(line, Line::Embedded { .. }) {
            return Ok(Vec::new());
        }
        profile.lose(MEMORY_NETWORK);
        let scenarios = self.selection.scenarios().into_iter();
        let needed: BTreeSet<&str> = scenarios.flat_map(needs).collect();
        let doubted = profile.in_doubt().filter(|name| needed.contains(name));
        let doubted: Vec<String> = doubted.map(str::to_owned).collect();
        let mut asking = Asking::default();
        let mut answers = Vec::new();
        for capability in doubted {
            // Lint has found out that there is one.
            let Some(entry) = self.suite.probe(&capability) else {
                continue;
            };
            let case = self.suite.case(&entry, profile, self.addresses);
            let case = case.map_err(|found| Refusal::mistakes(&found))?;
            let session = rig.session(vec![case], profile, false)?;
            let ran = line.run(session, self.stop.clone(), &mut asking).await;
            // A device that cannot be asked is not one that lacks something: the run will tell.
            let Some(report) = ran.reports.first().filter(|report| decided(report)) else {
                break;
            };
            // What it would take, and what came instead.
            let missing = lacking(report).map(|why| format!("{}: {why}", report.title));
            if missing.is_some() {
                profile.lose(&capability);
            }
            answers.push(Probe {
                capability,
                missing,
            });
        }
        asking.bar.finish_and_clear();
        Ok(answers)
    }
}

/// The capabilities on which it depends what is run of a scenario.
fn needs(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let rows = scenario.unit.front.rows.iter();
    let required = rows.flat_map(|row| scenario.requires(row));
    let lines = scenario.units().flat_map(|unit| &unit.written.lines);
    let sections = lines.filter_map(|line| match &line.kind {
        LineKind::Section { gate, .. } => gate.as_ref(),
        _ => None,
    });
    required
        .chain(sections)
        .map(|gate| gate.capability.value.as_str())
}

fn decided(report: &CaseReport) -> bool {
    !matches!(report.verdict, Verdict::Error | Verdict::Skipped)
}

/// Why the device counts as one without the capability: it did not do what the probe expects. What
/// it says or does besides is for the cases of the run to judge.
fn lacking(report: &CaseReport) -> Option<String> {
    let asked = |finding: &&Finding| ["expectation", "check"].contains(&finding.monitor.as_str());
    let unmet = report.findings.iter().find(asked)?;
    Some(unmet.message.clone())
}

/// One moving line while the device is asked; there is none where standard error is no terminal.
struct Asking {
    bar: ProgressBar,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
        }
    }
}

impl Watcher for Asking {
    fn started(&mut self, case: &Case) {
        self.bar
            .set_message(format!("asking the device: {}", case.title));
        self.bar.tick();
    }

    fn ended(&mut self, _report: &CaseReport) {}
}
