//! `urcheck run`: from the command line to a report and an exit code.

use super::probes;
use super::progress::{Live, Reports};
use super::rig::{Rig, interrupt};
use super::{Choice, Refusal, runtime, without_mistakes};
use crate::exit::Exit;
use crate::mutation::pattern::Patterns;
use crate::profile::Profile;
use crate::suite::{Library, Suite};
use clap::Args;
use std::path::PathBuf;
use tokio::time::Instant;
use urcheck_reports::{Detail, Verdict};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  urcheck run                                   everything, on the embedded reference module
  urcheck run note/3.2-send 'pop3/*'            some scenarios
  urcheck run --dut /dev/ttyUSB2@115200 --bind 0.0.0.0 --smtp-port 2525 --pop3-port 2110 \\
      --advertise mail-test.example.com         a module on a serial port
  urcheck run --dut pty:./firmware --set timers.smtp=2s --report json=run.json")]
pub(super) struct Run {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    rig: Rig,
    /// Write a report to a file: json=FILE; may be repeated
    #[arg(long, value_name = "KIND=FILE", value_parser = report_target)]
    report: Vec<PathBuf>,
    /// Print only what needs attention, and the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the timeline of every case
    #[arg(short, long)]
    verbose: bool,
    /// Print the readings of the note that the device follows, and what it does where the note is
    /// silent
    #[arg(long)]
    behaviour: bool,
}

impl Run {
    pub(super) fn run(self) -> Result<Exit, Refusal> {
        let suite = self.choice.folder.suite()?;
        let profile = self.rig.device.profile(&suite)?;
        let selection = self.choice.select(&suite)?;
        without_mistakes(&suite, &profile, &selection)?;
        if selection.entries.is_empty() {
            return Err(Refusal {
                text: "there is no scenario".to_owned(),
                exit: Exit::Nothing,
            });
        }
        let runtime = runtime()?;
        runtime.block_on(self.drive(&suite, &selection, profile))
    }

    async fn drive(
        &self,
        suite: &Suite,
        selection: &crate::suite::Selection<'_>,
        mut profile: Profile,
    ) -> Result<Exit, Refusal> {
        let start = Instant::now();
        let stop = interrupt();
        let known = probes::connect(&self.rig, suite, selection, &mut profile, &stop).await?;
        let mut line = known.line;
        let session = self.rig.session(known.cases, &profile, self.verbose)?;
        // Not before the port is open: a run that never begins leaves an older report alone.
        let reports = self.reports()?;
        let mut live = Live::new(session.cases.len(), reports);
        let ran = line.run(session, stop, &mut live).await;
        let mut report = ran.report(&self.rig.dut.to_string(), &profile, start.elapsed());
        report.probes = known.probes;
        if report
            .cases
            .iter()
            .any(|case| case.verdict == Verdict::Fail)
        {
            report.likenesses = patterns(suite)?.diagnose(&report.cases);
        }
        live.finish(&report).map_err(Refusal::infrastructure)?;
        Ok(Exit::of(report.outcome()))
    }

    fn reports(&self) -> Result<Reports, Refusal> {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        Reports::new(detail, self.behaviour, &self.report).map_err(Refusal::usage)
    }
}

/// The stored finding patterns, of the suite or, where it has none, of the built-in one.
fn patterns(suite: &Suite) -> Result<Patterns, Refusal> {
    const FILE: &str = "patterns.json";
    let own = suite.library().read(FILE);
    let Ok(text) = own.or_else(|_| Library::Embedded.read(FILE)) else {
        return Ok(Patterns::default());
    };
    let broken = |error| Refusal::infrastructure(format!("{FILE} cannot be read: {error}"));
    Patterns::read(&text).map_err(broken)
}

pub(super) fn report_target(text: &str) -> Result<PathBuf, String> {
    match text.split_once('=') {
        Some(("json", file)) if !file.is_empty() => Ok(PathBuf::from(file)),
        Some((kind, _)) if kind != "json" => Err(format!("unknown kind `{kind}`: there is json")),
        _ => Err(format!("`{text}` is not KIND=FILE, as in json=run.json")),
    }
}
