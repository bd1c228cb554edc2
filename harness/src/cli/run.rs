//! `urcheck run`: from the command line to a report and an exit code.

use super::progress::{Live, Reports};
use super::{Choice, Device, Refusal};
use crate::exit::Exit;
use crate::judge::Policy;
use crate::profile::Profile;
use crate::runner::Pace;
use crate::runner::schedule::{self, Ran, Session};
use crate::scenario::case::{Action, Case, TemplatePart};
use crate::scenario::lower::Bench as Addresses;
use crate::suite::Suite;
use crate::testbed::external::{Bind, Listeners};
use crate::testbed::{SmtpEngine, embedded};
use crate::transport::{Endpoint, open};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use urcheck_reports::{Detail, Outcome, RunReport};

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
    /// The device under test: sim, a serial port or PTY (/dev/ttyUSB2@115200), pty:COMMAND or
    /// tcp:HOST:PORT
    #[arg(long, value_name = "DEVICE", default_value = "sim")]
    dut: Endpoint,
    #[command(flatten)]
    device: Device,
    /// Cases at a time on the embedded module; a real device has one [default: number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Address that the fake servers listen on for a real device
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Port of the fake SMTP server; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    smtp_port: u16,
    /// Port of the fake POP3 server; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pop3_port: u16,
    /// Name or address under which the device reaches the fake servers [default: the --bind
    /// address]
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// Who answers behind the SMTP wire: built-in, or (if built with that feature) mailin-embedded
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        default_value_t,
        hide_possible_values = true
    )]
    smtp_engine: SmtpEngine,
    /// Write a report to a file: json=FILE; may be repeated
    #[arg(long, value_name = "KIND=FILE", value_parser = report_target)]
    report: Vec<PathBuf>,
    /// Print only what needs attention, and the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the timeline of every case
    #[arg(short, long)]
    verbose: bool,
}

impl Run {
    pub(super) fn run(self) -> Result<Exit, Refusal> {
        let suite = self.choice.folder.suite()?;
        let profile = self.device.profile(&suite)?;
        let selection = self.choice.select(&suite)?;
        let scenarios = selection.entries.iter().map(|entry| entry.scenario);
        let found = suite.lint(&profile, scenarios);
        if found.has_errors() {
            return Err(Refusal::mistakes(&found));
        }
        if selection.entries.is_empty() {
            return Err(Refusal {
                text: "there is no scenario".to_owned(),
                exit: Exit::Nothing,
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Refusal::infrastructure(format!("no runtime: {error}")))?;
        runtime.block_on(self.drive(&suite, &selection, &profile))
    }

    async fn drive(
        &self,
        suite: &Suite,
        selection: &crate::suite::Selection<'_>,
        profile: &Profile,
    ) -> Result<Exit, Refusal> {
        let start = Instant::now();
        let stop = interrupt();
        let listeners = match &self.dut {
            Endpoint::Sim => None,
            _ => Some(Listeners::bind(&self.bind()).map_err(fatal)?),
        };
        let addresses = match &listeners {
            Some(listeners) => listeners.addresses().clone(),
            None => Addresses::default(),
        };
        let session = self.session(suite, selection, profile, &addresses)?;
        let line = match listeners {
            None => None,
            Some(listeners) => {
                let baud = u32::try_from(profile.baud).unwrap_or(u32::MAX);
                let port = open(&self.dut, baud).await.map_err(fatal)?;
                Some((port, listeners))
            }
        };
        // Not before the port is open: a run that never begins leaves an older report alone.
        let reports = self.reports()?;
        let mut live = Live::new(session.cases.len(), reports);
        let ran = match line {
            None => {
                let settings = embedded::settings(profile);
                let jobs = self.jobs.unwrap_or_else(cores);
                let session = Arc::new(session);
                schedule::embedded(session, settings, jobs, stop, &mut live).await
            }
            Some((mut port, listeners)) => {
                schedule::external(&session, &mut port, &listeners, stop, &mut live).await
            }
        };
        let Ran {
            reports,
            not_run,
            ended_early,
            ..
        } = ran;
        let report = RunReport {
            tool: concat!("urcheck ", env!("CARGO_PKG_VERSION")).to_owned(),
            dut: self.dut.to_string(),
            profile: profile.name.clone(),
            cases: reports,
            not_run,
            ended_early,
            duration: start.elapsed(),
        };
        live.finish(&report).map_err(Refusal::infrastructure)?;
        Ok(match report.outcome() {
            Outcome::Passed => Exit::Passed,
            Outcome::Failures => Exit::Failed,
            Outcome::Undecided => Exit::Infrastructure,
            Outcome::NothingRun => Exit::Nothing,
        })
    }

    fn bind(&self) -> Bind {
        Bind {
            address: self.bind,
            smtp: self.smtp_port,
            pop3: self.pop3_port,
            advertise: self
                .advertise
                .clone()
                .unwrap_or_else(|| self.bind.to_string()),
        }
    }

    fn session(
        &self,
        suite: &Suite,
        selection: &crate::suite::Selection<'_>,
        profile: &Profile,
        addresses: &Addresses,
    ) -> Result<Session, Refusal> {
        let mut cases = Vec::with_capacity(selection.entries.len());
        for entry in &selection.entries {
            let mut case: Case = suite
                .case(entry, profile, addresses)
                .map_err(|found| Refusal::mistakes(&found))?;
            case.skip = case.skip.take().or_else(|| forbidden(&case, profile));
            cases.push(case);
        }
        let policy = Policy::of(profile).map_err(|error| Refusal {
            text: format!("profile {}: {error}", profile.name),
            exit: Exit::Scenario,
        })?;
        let pace = Pace::of(profile);
        Ok(Session {
            cases,
            policy,
            pace,
            smtp_engine: self.smtp_engine,
            keep_timelines: self.verbose,
        })
    }

    fn reports(&self) -> Result<Reports, Refusal> {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        Reports::new(detail, &self.report).map_err(Refusal::usage)
    }
}

/// Why a case must not be run: it would send what the profile says must never be sent.
fn forbidden(case: &Case, profile: &Profile) -> Option<String> {
    let sent = case.steps.iter().filter_map(|step| match &step.action {
        Action::Send(template) | Action::SendRaw(template) => template.0.first(),
        _ => None,
    });
    let upper = |bytes: &[u8]| {
        let text = bytes.iter().filter(|byte| **byte != b' ');
        text.map(u8::to_ascii_uppercase).collect::<Vec<u8>>()
    };
    for part in sent {
        let TemplatePart::Bytes(bytes) = part else {
            continue;
        };
        let line = upper(bytes);
        let never = profile
            .never
            .iter()
            .find(|never| line.starts_with(&upper(never.as_bytes())));
        if let Some(never) = never {
            return Some(format!("the profile says never to send `{never}`"));
        }
    }
    None
}

/// Cancelled at the first Ctrl-C; the second one ends the process as usual.
fn interrupt() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            token.cancel();
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(i32::from(Exit::Infrastructure as u8));
            }
        }
    });
    stop
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn fatal(error: impl std::fmt::Display) -> Refusal {
    Refusal::infrastructure(error.to_string())
}

fn report_target(text: &str) -> Result<PathBuf, String> {
    match text.split_once('=') {
        Some(("json", file)) if !file.is_empty() => Ok(PathBuf::from(file)),
        Some((kind, _)) if kind != "json" => Err(format!("unknown kind `{kind}`: there is json")),
        _ => Err(format!("`{text}` is not KIND=FILE, as in json=run.json")),
    }
}
