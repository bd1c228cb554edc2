//! Real sockets for a real device: two listeners for the whole run, fresh servers for each case.

use super::{Bench, BenchError, Servers, SmtpEngine, sink, unreached};
use crate::judge::Unreached;
use crate::runner::recorder::Recorder;
use crate::scenario::case::{Case, Target};
use crate::scenario::lower::{Address, Bench as Addresses};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use tokio::net::TcpSocket;
use tokio_util::sync::{CancellationToken, DropGuard};
use urcheck_servers::net::TcpPort;

/// Where the servers listen, and how the device calls that place.
#[derive(Clone, Debug)]
pub struct Bind {
    /// Address that the servers listen on.
    pub address: IpAddr,
    /// Port of the SMTP server; 0: any.
    pub smtp: u16,
    /// Port of the POP3 server; 0: any.
    pub pop3: u16,
    /// Name or address under which the device reaches the listening address.
    pub advertise: String,
}

/// The listeners of a run.
#[derive(Debug)]
pub struct Listeners {
    smtp: TcpPort,
    pop3: TcpPort,
    /// Bound and never listening: whoever connects is refused, and nobody else can take the port.
    _closed: TcpSocket,
    addresses: Addresses,
}

impl Listeners {
    /// Binds the ports.
    ///
    /// # Errors
    /// A port that is taken or not allowed, by name.
    pub fn bind(bind: &Bind) -> Result<Self, BenchError> {
        let listen = |port| {
            let address = SocketAddr::new(bind.address, port);
            let failed = |source| BenchError::Listen { address, source };
            let taken = TcpPort::bind(address).map_err(failed)?;
            let port = taken.local_addr().port();
            Ok::<_, BenchError>((
                taken,
                Address {
                    host: bind.advertise.clone(),
                    port,
                },
            ))
        };
        let (smtp, smtp_address) = listen(bind.smtp)?;
        let (pop3, pop3_address) = listen(bind.pop3)?;
        let address = SocketAddr::new(bind.address, 0);
        let failed = |source| BenchError::Listen { address, source };
        let closed = match bind.address {
            IpAddr::V4(_) => TcpSocket::new_v4(),
            IpAddr::V6(_) => TcpSocket::new_v6(),
        };
        let closed = closed.map_err(failed)?;
        closed.bind(address).map_err(failed)?;
        let closed_port = closed.local_addr().map_err(failed)?.port();
        let addresses = Addresses {
            smtp: smtp_address,
            pop3: pop3_address,
            closed: Address {
                host: bind.advertise.clone(),
                port: closed_port,
            },
        };
        Ok(Self {
            smtp,
            pop3,
            _closed: closed,
            addresses,
        })
    }

    /// The names and ports for the device.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Starts the servers of one case on the runtime that this is called on. Connections that a
    /// device opened between the cases are closed first.
    ///
    /// # Errors
    /// The system does not hand out another descriptor for a listener.
    pub fn start(
        &self,
        case: &Case,
        engine: SmtpEngine,
        recorder: &Recorder,
    ) -> Result<External, BenchError> {
        let servers = Servers::new(case, engine, sink(recorder.clone()))?;
        let stop = CancellationToken::new();
        let again = |port: &TcpPort| port.listener().map_err(BenchError::Runtime);
        servers.serve_smtp(again(&self.smtp)?, stop.clone());
        servers.serve_pop3(again(&self.pop3)?, stop.clone());
        Ok(External {
            servers,
            _stop: stop.drop_guard(),
        })
    }
}

/// The servers of one case.
#[derive(Debug)]
pub struct External {
    servers: Servers,
    /// Ends the servers with the bench.
    _stop: DropGuard,
}

impl Bench for External {
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
            match target {
                Target::Device => Err("the harness has no switch for this device".to_owned()),
                _ => self.servers.act(target, words),
            }
        })
    }
}
