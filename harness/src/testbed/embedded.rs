//! The reference module in memory, under virtual time: a fresh one for each case.

use super::{Bench, BenchError, Servers, SmtpEngine, sink, unreached};
use crate::judge::Unreached;
use crate::profile::Profile;
use crate::runner::recorder::Recorder;
use crate::scenario::case::{Case, Target};
use crate::scenario::lower::Bench as Addresses;
use crate::transport::Port;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use urcheck_device::net::{Dialer, Dialing, Stream};
use urcheck_device::{Echo, Module, Settings};
use urcheck_servers::net::Loopback;

/// How many bytes fit into the line before the writer has to wait; as large as a PTY's buffer.
const LINE_BUFFER: usize = 16 * 1024;

/// The reference module and its two servers.
#[derive(Debug)]
pub struct Embedded {
    servers: Servers,
    power: mpsc::UnboundedSender<()>,
    /// Ends the servers with the bench.
    _stop: DropGuard,
}

impl Embedded {
    /// Starts servers and module for one case, on the runtime that this is called on.
    ///
    /// # Errors
    /// The module's storage cannot be made.
    pub fn start(
        case: &Case,
        settings: &Settings,
        engine: SmtpEngine,
        recorder: &Recorder,
    ) -> Result<(Self, Port), BenchError> {
        let network = Loopback::new();
        let servers = Servers::new(case, engine, sink(recorder.clone()))?;
        let stop = CancellationToken::new();
        let Addresses { smtp, pop3, closed } = Addresses::default();
        servers.serve_smtp(network.listener(&smtp.host, smtp.port), stop.clone());
        servers.serve_pop3(network.listener(&pop3.host, pop3.port), stop.clone());
        // A listener that is dropped leaves a known host behind that refuses.
        drop(network.listener(&closed.host, closed.port));

        let mut module = Module::new(settings.clone(), Arc::new(MemoryDialer(network)))
            .map_err(|error| BenchError::Module(error.to_string()))?;
        let (ours, mut theirs) = tokio::io::duplex(LINE_BUFFER);
        let (power, mut cycles) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    result = module.run(&mut theirs) => return result,
                    cycle = cycles.recv() => match cycle {
                        Some(()) => module.power_cycle(),
                        None => return Ok(()),
                    },
                }
            }
        });
        let port = Port::new("sim".to_owned(), Box::new(ours));
        Ok((
            Self {
                servers,
                power,
                _stop: stop.drop_guard(),
            },
            port,
        ))
    }
}

impl Bench for Embedded {
    fn state(&self) -> serde_json::Value {
        self.servers.state()
    }

    fn unreached(&self, case: &Case) -> Vec<Unreached> {
        unreached(&self.servers, case)
    }

    fn is_owing(&self) -> bool {
        self.servers.is_owing()
    }

    fn act<'a>(
        &'a mut self,
        target: Target,
        words: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(async move {
            if target != Target::Device {
                return self.servers.act(target, words);
            }
            match words {
                [word] if word == "reset" => {
                    self.power
                        .send(())
                        .map_err(|_| "the module has ended".to_owned())?;
                    Ok("power cycled".to_owned())
                }
                _ => Err(format!("`{}` is no action of a device", words.join(" "))),
            }
        })
    }
}

/// The settings of a module that is what the profile says of the device.
pub fn settings(profile: &Profile) -> Settings {
    let mut settings = Settings::default();
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    settings.timers.smtp = profile.timers.smtp;
    settings.timers.pop3 = profile.timers.pop3;
    settings.limits.subject = count(profile.limits.subject);
    settings.limits.body = count(profile.limits.body);
    settings.limits.attachments = count(profile.limits.attachments);
    settings.limits.attachments_total = profile.limits.attachments_total;
    settings.limits.recipients = count(profile.limits.recipients);
    settings.storage.free = Some(profile.storage_free);
    settings.echo = if profile.echo { Echo::On } else { Echo::Off };
    settings
}

/// Lets the module dial into the servers' network in memory.
struct MemoryDialer(Loopback);

impl Dialer for MemoryDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            let stream = self.0.connect(host, port).await?;
            Ok(Box::new(stream) as Box<dyn Stream>) as io::Result<_>
        })
    }
}
