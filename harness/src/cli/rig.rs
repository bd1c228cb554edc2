//! Where cases run: the device under test, what is known of it, and the servers around it.

use super::{Device, Refusal};
use crate::exit::Exit;
use crate::judge::Policy;
use crate::profile::Profile;
use crate::runner::Pace;
use crate::runner::schedule::{self, Ran, Session, Watcher};
use crate::scenario::case::{Action, Case, TemplatePart};
use crate::scenario::lower::Bench as Addresses;
use crate::suite::{Selection, Suite};
use crate::testbed::external::{Bind, Listeners};
use crate::testbed::{SmtpEngine, embedded};
use crate::transport::{Endpoint, Port, open};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use urcheck_device::mutant;

/// What the command line says of the device and the servers.
#[derive(Debug, Args)]
pub(super) struct Rig {
    /// The device under test: sim, sim:MUTANT, a serial port or PTY (/dev/ttyUSB2@115200), pty:COMMAND or
    /// tcp:HOST:PORT
    #[arg(long, value_name = "DEVICE", default_value = "sim")]
    pub(super) dut: Endpoint,
    #[command(flatten)]
    pub(super) device: Device,
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
}

/// The servers' places, known before the device is touched.
pub(super) struct Stand {
    listeners: Option<Listeners>,
    addresses: Addresses,
}

/// The open line to the device.
pub(super) enum Line {
    /// A module of its own for each case.
    Embedded {
        settings: Box<urcheck_device::Settings>,
        jobs: NonZeroUsize,
    },
    /// One device for all.
    External {
        port: Box<Port>,
        listeners: Listeners,
    },
}

impl Rig {
    /// Takes the ports of the servers.
    pub(super) fn stand(&self) -> Result<Stand, Refusal> {
        let listeners = match &self.dut {
            Endpoint::Sim | Endpoint::Build { .. } => None,
            _ => Some(Listeners::bind(&self.bind()).map_err(fatal)?),
        };
        let addresses = match &listeners {
            Some(listeners) => listeners.addresses().clone(),
            None => Addresses::default(),
        };
        Ok(Stand {
            listeners,
            addresses,
        })
    }

    /// Opens the line to the device.
    pub(super) async fn connect(&self, stand: Stand, profile: &Profile) -> Result<Line, Refusal> {
        let Some(listeners) = stand.listeners else {
            let mut settings = embedded::settings(profile);
            if let Endpoint::Build { name } = &self.dut {
                settings.firmware = mutant::find(name).unwrap_or_default();
            }
            return Ok(Line::Embedded {
                settings: Box::new(settings),
                jobs: self.jobs.unwrap_or_else(cores),
            });
        };
        let baud = u32::try_from(profile.baud).unwrap_or(u32::MAX);
        let port = open(&self.dut, baud).await.map_err(fatal)?;
        Ok(Line::External {
            port: Box::new(port),
            listeners,
        })
    }

    /// These cases on the device; see [`session`].
    pub(super) fn session(
        &self,
        cases: Vec<Case>,
        profile: &Profile,
        keep_timelines: bool,
    ) -> Result<Session, Refusal> {
        session(cases, profile, self.smtp_engine, keep_timelines)
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
}

impl Stand {
    /// What the device is told.
    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }
}

impl Line {
    /// Runs the cases of a session.
    pub(super) async fn run(
        &mut self,
        session: Session,
        stop: CancellationToken,
        watcher: &mut dyn Watcher,
    ) -> Ran {
        match self {
            Self::Embedded { settings, jobs } => {
                let settings = settings.as_ref().clone();
                schedule::embedded(Arc::new(session), settings, *jobs, stop, watcher).await
            }
            Self::External { port, listeners } => {
                schedule::external(&session, port, listeners, stop, watcher).await
            }
        }
    }
}

/// The selected cases, for this device and these servers.
pub(super) fn cases(
    suite: &Suite,
    selection: &Selection<'_>,
    profile: &Profile,
    addresses: &Addresses,
) -> Result<Vec<Case>, Refusal> {
    let cases = selection.entries.iter().map(|entry| {
        let case = suite.case(entry, profile, addresses);
        case.map_err(|found| Refusal::mistakes(&found))
    });
    cases.collect()
}

/// These cases on a device that the profile describes. A case that would send what must never be
/// sent is skipped.
pub(super) fn session(
    mut cases: Vec<Case>,
    profile: &Profile,
    smtp_engine: SmtpEngine,
    keep_timelines: bool,
) -> Result<Session, Refusal> {
    for case in &mut cases {
        case.skip = case.skip.take().or_else(|| forbidden(case, profile));
    }
    let policy = Policy::of(profile).map_err(|error| Refusal {
        text: format!("profile {}: {error}", profile.name),
        exit: Exit::Scenario,
    })?;
    Ok(Session {
        cases,
        policy,
        pace: Pace::of(profile),
        smtp_engine,
        keep_timelines,
    })
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
pub(super) fn interrupt() -> CancellationToken {
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

pub(super) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn fatal(error: impl std::fmt::Display) -> Refusal {
    Refusal::infrastructure(error.to_string())
}
