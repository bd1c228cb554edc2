//! Memory that several users share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// So many octets and no more, shared by all clones.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    pub(crate) fn new(octets: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(octets)))
    }

    /// Takes up to `wanted` octets; how many it was.
    pub(crate) fn take(&self, wanted: usize) -> usize {
        let mut left = self.0.load(Ordering::Relaxed);
        loop {
            let taken = left.min(wanted);
            match self.0.compare_exchange_weak(
                left,
                left - taken,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return taken,
                Err(now) => left = now,
            }
        }
    }

    /// Takes all of `wanted` octets, or none.
    pub(crate) fn take_all(&self, wanted: usize) -> bool {
        let taken = self.take(wanted);
        if taken < wanted {
            self.give_back(taken);
        }
        taken == wanted
    }

    /// Gives octets back that were taken.
    pub(crate) fn give_back(&self, octets: usize) {
        self.0.fetch_add(octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_given_than_there_is() {
        let one = Allowance::new(10);
        let two = one.clone();
        assert_eq!(one.take(7), 7);
        assert!(!two.take_all(4));
        assert_eq!(two.take(4), 3);
        assert_eq!(one.take(1), 0);
        two.give_back(3);
        assert!(one.take_all(3));
    }
}
