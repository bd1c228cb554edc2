//! Writes the transcript: events with their time, in bounded memory.

use crate::event::{EventKind, EventSink, Protocol, WireEvent};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::time::Instant;

/// How many octets of one connection are recorded; later ones are only counted.
const BUDGET: u64 = 256 * 1024;

/// Where the events of a server go.
#[derive(Clone)]
pub(crate) struct Sinks {
    pub(crate) protocol: Protocol,
    pub(crate) sink: EventSink,
    pub(crate) last: Arc<Mutex<Instant>>,
    /// How many replies are held back for a while by a rule.
    pub(crate) due: Arc<AtomicUsize>,
}

/// As long as it lives, a reply is still to come.
pub(crate) struct Due(Arc<AtomicUsize>);

impl Drop for Due {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sinks {
    pub(crate) fn emit(&self, connection: u32, kind: EventKind) {
        let at = Instant::now();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = at;
        (self.sink)(WireEvent {
            at,
            protocol: self.protocol,
            connection,
            kind,
        });
    }
}

/// The transcript of one connection.
pub(crate) struct Recorder {
    sinks: Sinks,
    connection: u32,
    left: AtomicU64,
}

impl Recorder {
    pub(crate) fn new(sinks: Sinks, connection: u32) -> Self {
        Self {
            sinks,
            connection,
            left: AtomicU64::new(BUDGET),
        }
    }

    pub(crate) fn connection(&self) -> u32 {
        self.connection
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        self.sinks.emit(self.connection, kind);
    }

    /// Says that a reply is still to come.
    pub(crate) fn due(&self) -> Due {
        self.sinks.due.fetch_add(1, Ordering::Relaxed);
        Due(Arc::clone(&self.sinks.due))
    }

    pub(crate) fn client_said(&self, bytes: &[u8]) {
        let (bytes, omitted) = self.cut(bytes);
        self.emit(EventKind::FromClient { bytes, omitted });
    }

    pub(crate) fn server_said(&self, bytes: &[u8]) {
        let (bytes, omitted) = self.cut(bytes);
        self.emit(EventKind::FromServer { bytes, omitted });
    }

    fn cut(&self, bytes: &[u8]) -> (Vec<u8>, u64) {
        // One task writes one transcript; the atomic only spares a `mut` everywhere.
        let left = self.left.load(Ordering::Relaxed);
        let keep = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.left.store(left - keep as u64, Ordering::Relaxed);
        let kept = bytes.get(..keep).unwrap_or_default();
        (kept.to_vec(), (bytes.len() - keep) as u64)
    }
}
