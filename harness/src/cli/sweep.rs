//! `urcheck sweep`: from flows that pass to everything that can go wrong in them.

use super::probes;
use super::progress::{Live, Reports};
use super::rig::{Line, Rig, interrupt};
use super::{Folder, Refusal, runtime, select, without_mistakes};
use crate::exit::Exit;
use crate::judge::UNREACHED;
use crate::profile::Profile;
use crate::runner::schedule::{Ran, Session, Watcher};
use crate::scenario::case::Case;
use crate::suite::{Selection, Suite};
use crate::sweep::{self, Flow, SweepError, Trial};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use urcheck_reports::{CaseReport, Detail, RunReport, Verdict};

/// The flows that are swept where none is named.
const FLOWS: [&str; 3] = ["note/3.2-send", "note/4.3-peek", "note/4.5-retrieve-delete"];

/// Most scenario files that one sweep writes.
const MOST_FILES: usize = 50;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  urcheck sweep                                 send, peek and retrieve-with-delete of the note
  urcheck sweep smtp/auth-mechanisms            the flows of one scenario
  urcheck sweep --dut /dev/ttyUSB2 --shallow 200 --seed 7
                                                200 of the trials, on slow hardware
  urcheck sweep --dut pty:./firmware --write found && urcheck run --scenarios found")]
pub(super) struct Sweep {
    /// Flows to sweep, chosen as for `run`; none may inject faults itself [default:
    /// note/3.2-send note/4.3-peek note/4.5-retrieve-delete]
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    rig: Rig,
    /// Run only so many of the trials, chosen by --seed
    #[arg(long, value_name = "N")]
    shallow: Option<usize>,
    /// Which trials --shallow chooses
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Write a scenario file for each finding into this folder
    #[arg(long, value_name = "DIR", default_value = "sweep-findings")]
    write: PathBuf,
    /// Write a report to a file: json=FILE; may be repeated
    #[arg(long, value_name = "KIND=FILE", value_parser = super::run::report_target)]
    report: Vec<PathBuf>,
    /// Print a line for every trial
    #[arg(short, long)]
    verbose: bool,
}

impl Sweep {
    pub(super) fn run(self) -> Result<Exit, Refusal> {
        let suite = self.folder.suite()?;
        let profile = self.rig.device.profile(&suite)?;
        let mut selectors = self.selectors.clone();
        if selectors.is_empty() {
            selectors = FLOWS.map(str::to_owned).to_vec();
        }
        let selection = select(&selectors, &suite)?;
        without_mistakes(&suite, &profile, &selection)?;
        let runtime = runtime()?;
        runtime.block_on(self.drive(&suite, &selection, profile))
    }

    async fn drive(
        &self,
        suite: &Suite,
        selection: &Selection<'_>,
        mut profile: Profile,
    ) -> Result<Exit, Refusal> {
        let start = Instant::now();
        let stop = interrupt();
        let known = probes::connect(&self.rig, suite, selection, &mut profile, &stop).await?;
        let (mut line, cases) = (known.line, known.cases);
        let addresses = known.addresses;
        let probing = cases.iter().map(sweep::probing);
        let probing = probing
            .collect::<Result<_, _>>()
            .map_err(|error| refuse(&error))?;
        let probing = self.rig.session(probing, &profile, true)?;
        let policy = probing.policy.clone();
        let reports = Reports::new(self.detail(), false, &self.report).map_err(Refusal::usage)?;
        let passed = line.run(probing, stop.clone(), &mut Silent).await;
        if let Some(refusal) = not_ready(&passed) {
            return Err(refusal);
        }

        let mut flows = Vec::new();
        for ((entry, case), report) in selection.entries.iter().zip(&cases).zip(&passed.reports) {
            let flow = Flow::new(entry, case, &policy, report, &profile, &addresses, suite);
            flows.push(flow.map_err(|error| refuse(&error))?);
        }
        let mut trials = Vec::new();
        for flow in &flows {
            trials.extend(flow.trials(&profile).map_err(|error| refuse(&error))?);
        }
        let all = trials.len();
        if let Some(count) = self.shallow {
            trials = sweep::shallow(trials, count, self.seed);
        }
        let places: usize = flows.iter().map(Flow::places).sum();
        anstream::println!(
            "{}, {}, {}{}",
            counted(flows.len(), "flow"),
            counted(places, "place"),
            counted(all, "trial"),
            if trials.len() < all {
                format!(", {} of them by seed {}", trials.len(), self.seed)
            } else {
                String::new()
            },
        );
        let session = self.session(&trials, &profile)?;
        let (report, exit) = self
            .sweep(session, &mut line, stop, reports, &profile, start)
            .await?;
        self.write_down(&report, &trials)?;
        Ok(exit)
    }

    fn detail(&self) -> Detail {
        if self.verbose {
            Detail::Normal
        } else {
            Detail::Quiet
        }
    }

    fn session(&self, trials: &[Trial<'_>], profile: &Profile) -> Result<Session, Refusal> {
        let cases = trials.iter().map(|trial| trial.case.clone()).collect();
        self.rig.session(cases, profile, false)
    }

    async fn sweep(
        &self,
        session: Session,
        line: &mut Line,
        stop: CancellationToken,
        reports: Reports,
        profile: &Profile,
        start: Instant,
    ) -> Result<(RunReport, Exit), Refusal> {
        let mut live = Live::new(session.cases.len(), reports);
        let ran = line.run(session, stop, &mut live).await;
        let report = ran.report(&self.rig.dut.to_string(), profile, start.elapsed());
        live.finish(&report).map_err(Refusal::infrastructure)?;
        let exit = Exit::of(report.outcome());
        Ok((report, exit))
    }

    /// Writes a scenario file for each finding, of those that are alike only the first.
    fn write_down(&self, report: &RunReport, trials: &[Trial<'_>]) -> Result<(), Refusal> {
        let failed = report
            .cases
            .iter()
            .filter(|case| case.verdict == Verdict::Fail);
        let mut alike: BTreeMap<Vec<&str>, (&Trial<'_>, usize)> = BTreeMap::new();
        for case in failed {
            let Some(trial) = trials.iter().find(|trial| trial.case.id == case.id) else {
                continue;
            };
            let messages = case.findings.iter().map(|finding| finding.message.as_str());
            alike
                .entry(messages.collect())
                .and_modify(|(_, count)| *count += 1)
                .or_insert((trial, 1));
        }
        if alike.is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.write).map_err(|error| failed_at(&self.write, &error))?;
        for (trial, count) in alike.values().take(MOST_FILES) {
            let path = self.write.join(trial.file_name());
            std::fs::write(&path, trial.text()).map_err(|error| failed_at(&path, &error))?;
            let more = match count {
                1 => String::new(),
                count => format!("   ({} more alike)", count - 1),
            };
            anstream::println!("wrote {}{more}", path.display());
        }
        let left = alike.len().saturating_sub(MOST_FILES);
        if left > 0 {
            anstream::println!("and no file for {left} other kinds of finding");
        }
        anstream::println!(
            "replay with: urcheck run --scenarios {}",
            self.write.display()
        );
        Ok(())
    }
}

/// `1 flow`, `3 flows`.
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Why the flows cannot be swept, if one of them did not pass.
fn not_ready(passed: &Ran) -> Option<Refusal> {
    if let Some(why) = &passed.ended_early {
        return Some(Refusal::infrastructure(why.clone()));
    }
    // The probing rules at places where the flow does not come are no fault of anybody.
    let real = |report: &CaseReport| {
        let mut findings = report.findings.iter();
        findings
            .find(|finding| finding.monitor != UNREACHED)
            .cloned()
    };
    let report = passed
        .reports
        .iter()
        .find(|case| real(case).is_some() || case.verdict == Verdict::Skipped)?;
    let why = match (&report.reason, real(report)) {
        (Some(reason), _) => reason.clone(),
        (None, Some(finding)) => finding.message.clone(),
        (None, None) => report.verdict.word().to_owned(),
    };
    let text = format!(
        "{} does not pass as it is, so it cannot be swept: {why}\n  see: urcheck run '{}'",
        report.id, report.id,
    );
    let exit = match report.verdict {
        Verdict::Fail => Exit::Failed,
        Verdict::Skipped => Exit::Nothing,
        _ => Exit::Infrastructure,
    };
    Some(Refusal { text, exit })
}

fn refuse(error: &SweepError) -> Refusal {
    match error {
        SweepError::Faulty(_) => Refusal::usage(error.to_string()),
        _ => Refusal::infrastructure(error.to_string()),
    }
}

fn failed_at(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::infrastructure(format!("failed to write {}: {error}", path.display()))
}

/// Nobody needs to see the flows pass.
struct Silent;

impl Watcher for Silent {
    fn started(&mut self, _case: &Case) {}
    fn ended(&mut self, _report: &CaseReport) {}
}
