//! The octets of a reply on their way out, part by part.

use crate::engine::{More, Reply, TOLD_LIMIT};

/// What is still to be written of a reply.
#[derive(Clone)]
pub(super) struct Octets {
    head: Vec<u8>,
    more: Option<Box<dyn More>>,
    tail: Vec<u8>,
}

impl Octets {
    /// All of a reply.
    pub(super) fn of(reply: Reply) -> Self {
        Self {
            head: reply.bytes,
            more: reply.more,
            tail: Vec::new(),
        }
    }

    /// These, and nothing more.
    pub(super) fn only(bytes: Vec<u8>) -> Self {
        Self {
            head: bytes,
            more: None,
            tail: Vec::new(),
        }
    }

    /// Puts octets before the first one, so that they go out in the same write.
    pub(super) fn put_before(&mut self, mut bytes: Vec<u8>) {
        self.lead();
        bytes.append(&mut self.head);
        self.head = bytes;
    }

    /// Puts octets after the last one, so that they go out in the same write.
    pub(super) fn put_after(&mut self, bytes: Vec<u8>) {
        self.tail.extend(bytes);
    }

    /// The first part, for changing it.
    pub(super) fn first(&mut self) -> &mut Vec<u8> {
        self.lead();
        &mut self.head
    }

    /// All octets `count` times, if they are there already.
    pub(super) fn repeated(&mut self, count: usize, limit: usize) -> bool {
        let fits = self.more.is_none() && self.head.len().saturating_mul(count) <= limit;
        if fits {
            self.head = self.head.repeat(count);
        }
        fits
    }

    /// The next part; never an empty one.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        self.lead();
        let mut part = std::mem::take(&mut self.head);
        // What comes after the last part belongs into its write, so look whether there is one.
        self.lead();
        if self.head.is_empty() {
            part.append(&mut self.tail);
        }
        (!part.is_empty()).then_some(part)
    }

    /// Makes sure that `head` has something in it as long as there is something.
    fn lead(&mut self) {
        while self.head.is_empty() {
            match self.more.as_mut().and_then(|more| more.next_part()) {
                Some(part) => self.head = part,
                None => {
                    self.more = None;
                    return;
                }
            }
        }
    }
}

/// Adds to what an engine is told, as far as it wants to know.
pub(super) fn keep(told: &mut Vec<u8>, part: &[u8]) {
    let room = TOLD_LIMIT - told.len().min(TOLD_LIMIT);
    told.extend_from_slice(part.get(..room).unwrap_or(part));
}
