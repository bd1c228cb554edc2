//! What happens on the wire, told to whoever listens.
//!
//! Events carry the clock reading and the connection number, so that a listener can put the
//! events of several servers and of the device on one timeline.

use std::sync::Arc;
use tokio::time::Instant;

/// Which protocol a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 5321.
    Smtp,
    /// RFC 1939.
    Pop3,
}

impl Protocol {
    /// The name as it stands in lint ids and in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
        }
    }
}

/// Who listens. Called on the task of the connection: it must not block.
pub type EventSink = Arc<dyn Fn(WireEvent) + Send + Sync>;

/// A listener that lets every event go.
pub fn ignore_events() -> EventSink {
    Arc::new(|_| {})
}

/// One thing that happened on one connection.
#[derive(Clone, Debug)]
pub struct WireEvent {
    /// When, on the runtime's clock.
    pub at: Instant,
    /// Protocol of the server.
    pub protocol: Protocol,
    /// Number of the connection at this server, from 1; 0 for what concerns no connection.
    pub connection: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A client connected.
    Connected {
        /// The client's address as the listener gives it.
        peer: String,
    },
    /// One read from the client, exactly as it arrived.
    FromClient {
        /// The bytes, as far as the transcript budget of the connection reaches.
        bytes: Vec<u8>,
        /// How many bytes after `bytes` were not kept.
        omitted: u64,
    },
    /// One write to the client.
    FromServer {
        /// The bytes, as far as the transcript budget of the connection reaches.
        bytes: Vec<u8>,
        /// How many bytes after `bytes` were not kept.
        omitted: u64,
    },
    /// The TLS handshake is done; the bytes of later events are the decrypted ones.
    TlsStarted,
    /// The client closed its side in good order (FIN).
    ClientClosed,
    /// The server closed its side in good order (FIN).
    ServerClosed,
    /// The connection ended with a reset.
    Reset {
        /// Whether the server did it.
        by_server: bool,
    },
    /// The client broke a rule of its protocol.
    Lint {
        /// Stable id, such as `smtp.bare-lf`.
        id: &'static str,
        /// What was wrong, in one sentence.
        message: String,
    },
    /// A fault rule fired.
    Fired {
        /// Index of the rule in the setup's list.
        rule: usize,
        /// What it did, in plain words.
        what: String,
    },
    /// Something else worth knowing, in plain words.
    Note(String),
}
