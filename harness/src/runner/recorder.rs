//! Puts everything that happens in one case on one timeline.

use crate::judge::{FLOOD, FLOOD_PIECES};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use urcheck_reports::{Event, EventKind, Protocol, Timeline};

/// Most bytes that the timeline of one case keeps; of later events only that they happened.
const BUDGET: usize = 4 * 1024 * 1024;

/// Most bytes from the device that the timeline keeps: more than the judge takes for a flood.
const MOST_RECEIVED: usize = FLOOD + 64 * 1024;

/// Most pieces from the device that the timeline keeps: more than the judge takes for a flood.
const MOST_PIECES: usize = FLOOD_PIECES + 1000;

/// Most events of the servers that the timeline of one case keeps. The harness's own are always
/// kept: the judge waits for them, and a scenario bounds their number.
const MOST_EVENTS: usize = 50_000;

/// So many more events are kept if they are not what a server sends, and so many more bytes that a
/// client sends in small pieces: what a device does after a large e-mail is judged, too.
const SPARE_EVENTS: usize = 5_000;
const SPARE_BYTES: usize = 256 * 1024;

/// A command of a client is no larger than this.
const SMALL: usize = 1024;

/// From so many pieces on those that come at once are put together. What a judge says about a few
/// milliseconds is not measured behind so many.
const MANY_PIECES: usize = 10_000;

/// The growing timeline of one case. Cheap to clone; all clones write to the same timeline.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    events: Vec<Event>,
    /// Bytes of the servers' dialogues.
    kept: usize,
    /// Bytes from the device.
    received: usize,
    /// Pieces from the device.
    pieces: usize,
    /// Events of the servers.
    served: usize,
    last: Instant,
}

impl Recorder {
    /// Starts the case's clock at zero.
    pub fn start() -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner::start())),
        }
    }

    /// Forgets everything and sets the case's clock to zero again.
    pub fn restart(&self) {
        *self.lock() = Inner::start();
    }

    /// Adds an event that happens now.
    pub fn push(&self, mut kind: EventKind) {
        let mut inner = self.lock();
        // Read under the lock, so that times never decrease.
        let now = Instant::now();
        if !matches!(kind, EventKind::Tick | EventKind::Snapshot { .. }) {
            inner.last = now;
        }
        match &kind {
            EventKind::Received { bytes } => {
                if inner.received > MOST_RECEIVED || inner.pieces > MOST_PIECES {
                    return;
                }
                inner.received += bytes.len();
                inner.pieces += 1;
            }
            EventKind::Sent { .. }
            | EventKind::Acted { .. }
            | EventKind::Snapshot { .. }
            | EventKind::Tick
            | EventKind::LineLost { .. } => {}
            kind => {
                let most = match kind {
                    EventKind::FromServer { .. } => MOST_EVENTS,
                    _ => MOST_EVENTS + SPARE_EVENTS,
                };
                if inner.served >= most {
                    return;
                }
                inner.served += 1;
            }
        }
        let budget = match &kind {
            EventKind::FromClient { bytes, .. } if bytes.len() <= SMALL => BUDGET + SPARE_BYTES,
            _ => BUDGET,
        };
        if let EventKind::FromClient { bytes, omitted, .. }
        | EventKind::FromServer { bytes, omitted, .. } = &mut kind
        {
            let room = budget.saturating_sub(inner.kept);
            if bytes.len() > room {
                *omitted += (bytes.len() - room) as u64;
                bytes.truncate(room);
            }
            inner.kept += bytes.len();
        }
        let at = now.duration_since(inner.start);
        inner.events.push(Event { at, kind });
    }

    /// The event with this number, from 0, if it has happened.
    pub fn event(&self, number: usize) -> Option<Event> {
        self.lock().events.get(number).cloned()
    }

    /// Whether the device has sent so many pieces that those that come at once are to be put
    /// together.
    pub fn has_many_pieces(&self) -> bool {
        self.lock().pieces > MANY_PIECES
    }

    /// Whether a fault of this server has fired.
    pub fn has_fault(&self, of: Protocol) -> bool {
        let fault = |event: &Event| matches!(event.kind, EventKind::Fault { protocol, .. } if protocol == of);
        self.lock().events.iter().any(fault)
    }

    /// When the last event happened that was not the harness's own.
    pub fn last_activity(&self) -> Instant {
        self.lock().last
    }

    /// The moment of the case's time zero.
    pub fn started(&self) -> Instant {
        self.lock().start
    }

    /// Takes the timeline; what is pushed later is on a new one.
    pub fn take(&self) -> Timeline {
        Timeline {
            events: std::mem::take(&mut self.lock().events),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere cannot leave a half-pushed event behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn start() -> Self {
        let start = Instant::now();
        Self {
            start,
            events: Vec::new(),
            kept: 0,
            received: 0,
            pieces: 0,
            served: 0,
            last: start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_does_after_a_large_mail_is_kept() {
        let (protocol, connection, omitted) = (Protocol::Pop3, 1, 0);
        let recorder = Recorder::start();
        for _ in 0..MOST_EVENTS + 100 {
            recorder.push(EventKind::FromServer {
                protocol,
                connection,
                bytes: vec![b'x'; 100],
                omitted,
            });
        }
        let bytes = b"QUIT\r\n".to_vec();
        recorder.push(EventKind::FromClient {
            protocol,
            connection,
            bytes: bytes.clone(),
            omitted,
        });
        let events = recorder.take().events;
        assert_eq!(events.len(), MOST_EVENTS + 1);
        let last = events.last().map(|event| &event.kind);
        assert!(matches!(last, Some(EventKind::FromClient { bytes: kept, .. }) if *kept == bytes));
    }
}
