//! A stretch of octets with rules that fire after so many of them.

use crate::fault::{Book, Position, Rule, Visit};
use std::collections::BTreeSet;

/// How many octets have gone by, and which rules were asked.
pub(super) struct Stretch {
    octets: u64,
    /// Rules that were asked already; `None` where there are none to ask.
    passed: Option<BTreeSet<usize>>,
}

impl Stretch {
    /// At its beginning.
    pub(super) fn of(book: &Book, place: Position) -> Self {
        Self {
            octets: 0,
            passed: book.has(place).then(BTreeSet::new),
        }
    }

    pub(super) fn count(&mut self, octets: usize) {
        self.octets += octets as u64;
    }

    /// The rule that fires here, if any.
    pub(super) fn due<'b>(
        &mut self,
        book: &'b Book,
        visit: Visit<'_>,
    ) -> Option<(usize, &'b Rule)> {
        book.due(visit, self.octets, self.passed.as_mut()?)
    }

    /// How many octets may go by until a rule has to be asked.
    pub(super) fn room(&self, book: &Book, visit: Visit<'_>) -> usize {
        let next = self.passed.as_ref();
        let next = next.and_then(|passed| book.next_due(visit, passed));
        next.map_or(usize::MAX, |next| {
            usize::try_from(next.saturating_sub(self.octets)).unwrap_or(usize::MAX)
        })
    }
}
