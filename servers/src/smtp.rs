//! The fake SMTP server: RFC 5321 with AUTH (4954), SIZE (1870), 8BITMIME (6152), PIPELINING
//! (2920), STARTTLS (3207) and enhanced status codes (2034).
//!
//! It tolerates what real servers tolerate and records each fault of the client as a lint. What
//! was delivered is what the client was told to be delivered: see [`crate::engine`].

mod address;
mod auth;
mod command;
mod content;
mod form;
mod incoming;
mod reply;
mod session;
mod setup;
mod store;

pub use setup::Setup;

use crate::{
    engine::{Connection, Engine, Options, Service},
    event::Protocol,
};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::time::Instant;

/// A fake SMTP server.
pub type Server = crate::server::Server<Smtp>;

/// SMTP as a service behind the wire: accounts, session records, delivered mail.
pub struct Smtp {
    setup: Arc<Setup>,
    store: Arc<Store>,
}

/// RFC 5321 §4.5.3.2.7: a server should wait at least five minutes for the next command.
const IDLE: Duration = Duration::from_secs(300);
/// More than any module opens; fewer than a process has descriptors.
const CONNECTIONS: usize = 200;

impl Service for Smtp {
    type Setup = Setup;
    const PROTOCOL: Protocol = Protocol::Smtp;

    fn new(setup: Setup, made: Instant) -> Self {
        Self {
            setup: Arc::new(setup),
            store: Arc::new(Store::new(made)),
        }
    }

    fn options(&self) -> Options {
        let domain = self.setup.domain.clone();
        Options {
            faults: self.setup.fault.clone(),
            implicit_tls: self.setup.implicit_tls,
            start_tls: self.setup.starttls,
            idle: self.setup.idle.map_or(IDLE, |span| span.0),
            connections: self.setup.connections.unwrap_or(CONNECTIONS),
            too_many: format!("421 {domain} Too many connections\r\n").into_bytes(),
            domain,
        }
    }

    fn open(&self, connection: Connection) -> Box<dyn Engine> {
        let setup = Arc::clone(&self.setup);
        let store = Arc::clone(&self.store);
        Box::new(session::Session::new(setup, store, connection))
    }

    fn view(&self) -> serde_json::Value {
        self.store.view()
    }
}
