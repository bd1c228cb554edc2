//! What stands around a device while a case runs: the two fake servers and the network.
//!
//! On the embedded reference module everything lives in memory and time is virtual; a real device
//! gets real sockets.

pub mod embedded;
pub mod external;

use crate::judge::Unreached;
use crate::scenario::case::{AFTER_SET_UP, Case, Target};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use urcheck_reports::{EventKind, Protocol};
use urcheck_servers::event::{EventKind as WireKind, EventSink, WireEvent};
use urcheck_servers::fault::Rule;
use urcheck_servers::net::Listener;
use urcheck_servers::pop3::Pop3;
use urcheck_servers::server::{Server, SetupError};
use urcheck_servers::smtp::Smtp;

/// The servers of one case, as the runner sees them.
pub trait Bench: Send {
    /// The state of both servers for checks: `{"smtp": …, "pop3": …}`.
    fn state(&self) -> serde_json::Value;

    /// The fault rules of the case that had to fire and never did.
    fn unreached(&self, case: &Case) -> Vec<Unreached>;

    /// Whether a server holds back a reply that it will still say.
    fn is_owing(&self) -> bool;

    /// Carries out an action line; the answer says what was done.
    fn act<'a>(
        &'a mut self,
        target: Target,
        words: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;
}

/// Who answers behind the SMTP wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SmtpEngine {
    /// The strict engine of this project
    #[default]
    BuiltIn,
    /// The independent crate `mailin-embedded`, with the built-in engine listening in
    #[cfg(feature = "mailin-embedded")]
    MailinEmbedded,
}

#[derive(Clone)]
enum SmtpServer {
    BuiltIn(Server<Smtp>),
    #[cfg(feature = "mailin-embedded")]
    MailinEmbedded(urcheck_servers::upstream::Server),
}

/// The same call on whichever engine there is: the two servers have different types.
macro_rules! each_engine {
    ($server:expr, $name:ident => $call:expr) => {
        match $server {
            SmtpServer::BuiltIn($name) => $call,
            #[cfg(feature = "mailin-embedded")]
            SmtpServer::MailinEmbedded($name) => $call,
        }
    };
}

/// The two servers of one case.
#[derive(Clone)]
pub(crate) struct Servers {
    smtp: SmtpServer,
    pop3: Server<Pop3>,
}

impl Servers {
    fn new(case: &Case, engine: SmtpEngine, sink: EventSink) -> Result<Self, BenchError> {
        let setup = case.smtp.clone();
        let smtp = match engine {
            SmtpEngine::BuiltIn => Server::new(setup, Arc::clone(&sink)).map(SmtpServer::BuiltIn),
            #[cfg(feature = "mailin-embedded")]
            SmtpEngine::MailinEmbedded => {
                Server::new(setup, Arc::clone(&sink)).map(SmtpServer::MailinEmbedded)
            }
        };
        Ok(Self {
            smtp: smtp.map_err(BenchError::Server)?,
            pop3: Server::new(case.pop3.clone(), sink).map_err(BenchError::Server)?,
        })
    }

    fn serve_smtp<L: Listener + 'static>(&self, mut listener: L, stop: CancellationToken) {
        let server = self.smtp.clone();
        tokio::spawn(async move { each_engine!(server, s => s.serve(&mut listener, stop).await) });
    }

    fn serve_pop3<L: Listener + 'static>(&self, mut listener: L, stop: CancellationToken) {
        let server = self.pop3.clone();
        tokio::spawn(async move { server.serve(&mut listener, stop).await });
    }

    fn state(&self) -> serde_json::Value {
        let smtp = each_engine!(&self.smtp, server => server.view());
        serde_json::json!({ "smtp": smtp, "pop3": self.pop3.view() })
    }

    fn is_owing(&self) -> bool {
        each_engine!(&self.smtp, server => server.is_owing()) || self.pop3.is_owing()
    }

    fn act(&self, target: Target, words: &[String]) -> Result<String, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = match target {
            Target::Smtp => each_engine!(&self.smtp, server => server.act(&words)),
            Target::Pop3 => self.pop3.act(&words),
            Target::Device => return Err("a device is no server".to_owned()),
        };
        done.map_err(|error| error.to_string())
    }
}

/// The fault rules of a case that had to fire and never did.
fn unreached(servers: &Servers, case: &Case) -> Vec<Unreached> {
    let never = |fired: Vec<u32>, rules: &[Rule], protocol: &str| {
        let unfired = fired
            .into_iter()
            .zip(rules)
            .enumerate()
            .filter(|(_, (times, rule))| *times == 0 && rule.needed);
        let word = |at: usize, rule: &Rule| match &rule.name {
            Some(name) => format!("{protocol} fault `{name}`"),
            None => format!("{protocol} fault {} (at {:?})", at + 1, rule.when),
        };
        unfired
            .map(|(at, (_, rule))| Unreached {
                fault: word(at, rule),
                held: rule.name.as_deref() == Some(AFTER_SET_UP),
            })
            .collect::<Vec<_>>()
    };
    let smtp = each_engine!(&servers.smtp, server => server.fired());
    let mut all = never(smtp, &case.smtp.fault, "smtp");
    all.extend(never(servers.pop3.fired(), &case.pop3.fault, "pop3"));
    all
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Servers")
    }
}

/// Why the surroundings of a device cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A server's port cannot be had.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// Address and port.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A server cannot be set up as the scenario asks.
    #[error("failed to set up a server: {0}")]
    Server(SetupError),
    /// The runtime cannot be made, or has no descriptor left.
    #[error("failed to set up the bench: {0}")]
    Runtime(io::Error),
    /// The reference module cannot be started.
    #[error("failed to start the reference module: {0}")]
    Module(String),
}

/// A sink that puts what the servers see on the timeline.
pub(crate) fn sink(recorder: crate::runner::recorder::Recorder) -> EventSink {
    Arc::new(move |event| {
        if let Some(kind) = translate(event) {
            recorder.push(kind);
        }
    })
}

fn translate(event: WireEvent) -> Option<EventKind> {
    let protocol = match event.protocol {
        urcheck_servers::event::Protocol::Smtp => Protocol::Smtp,
        urcheck_servers::event::Protocol::Pop3 => Protocol::Pop3,
    };
    let connection = event.connection;
    let wire = |what: &str| EventKind::Wire {
        protocol,
        connection,
        what: what.to_owned(),
    };
    Some(match event.kind {
        WireKind::Connected { .. } => EventKind::Connected {
            protocol,
            connection,
        },
        WireKind::FromClient { bytes, omitted } => EventKind::FromClient {
            protocol,
            connection,
            bytes,
            omitted,
        },
        WireKind::FromServer { bytes, omitted } => EventKind::FromServer {
            protocol,
            connection,
            bytes,
            omitted,
        },
        WireKind::TlsStarted => wire("TLS started"),
        WireKind::ClientClosed => wire("client closed"),
        WireKind::ServerClosed => wire("server closed"),
        WireKind::Reset { by_server: true } => wire("server reset the connection"),
        WireKind::Reset { by_server: false } => wire("client reset the connection"),
        WireKind::Lint { id, message } => EventKind::Lint {
            protocol,
            connection,
            id: id.to_owned(),
            message,
        },
        WireKind::Fired { rule, what } => EventKind::Fault {
            protocol,
            connection,
            rule,
            what,
        },
        WireKind::Note(note) => wire(&note),
        _ => return None,
    })
}
