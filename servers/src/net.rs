//! Where connections come from: TCP, or a network in memory whose time is the runtime's.
//!
//! Sockets are touched here and nowhere else in this crate.

mod memory;
mod port;
mod tcp;

pub use memory::{Loopback, MemoryListener, MemoryStream};
pub use port::{TcpPort, TcpPortListener};

use std::{future::Future, io, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream to one client. `shutdown` is a half-close; dropping it is a close.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {
    /// Ends the connection with a reset: what was written before is still delivered where the
    /// network allows it, then the peer gets `ConnectionReset`.
    fn reset(self);

    /// Waits until the peer is gone, even when there are octets of it that nobody has read. Where
    /// the network cannot tell a peer that only says nothing more from one that does not listen
    /// either (TCP: both are a FIN), the first counts as gone too.
    fn gone(&self) -> impl Future<Output = ()> + Send;
}

/// Where connections come from. It must be bound already.
pub trait Listener: Send {
    /// The connections it gives.
    type Stream: Stream;

    /// Waits for the next connection; the text is the peer's address.
    ///
    /// Must be cancel safe.
    ///
    /// # Errors
    /// Whatever the network says.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, String)>> + Send;

    /// Asks `gate` what to do with each attempt to connect, before it succeeds. Returns `false`
    /// if this kind of network cannot: the server then does what it can after the fact.
    fn set_gate(&mut self, gate: Gate) -> bool {
        let _ = gate;
        false
    }

    /// Makes the port itself treat every attempt to connect like this, until it is told otherwise.
    /// Returns `false`, and leaves the port open, if this kind of listener cannot: the server then
    /// does what it can after the fact.
    fn shut(&mut self, door: Door) -> bool {
        door == Door::Open
    }

    /// Whether somebody has met the port while it was shut, as far as that can be known.
    fn was_met(&mut self) -> bool {
        false
    }
}

/// Decides about an attempt to connect.
pub type Gate = Arc<dyn Fn() -> Door + Send + Sync>;

/// What happens to an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// It succeeds.
    Open,
    /// It is refused.
    Refuse,
    /// It is never answered.
    BlackHole,
}
