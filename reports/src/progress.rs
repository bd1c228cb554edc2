//! The progress line, as text: whoever owns the terminal draws it.

use crate::text::{clean, cut, span};
use std::time::Duration;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Cases that have ended.
    pub done: usize,
    /// Cases in the selection.
    pub total: usize,
    /// Cases that have failed so far.
    pub failed: usize,
    /// Id of a case that is running, if any.
    pub running: Option<&'a str>,
    /// Real time since the run began.
    pub elapsed: Duration,
}

impl Progress<'_> {
    /// One line of at most `width` characters: position, estimate of the remaining time, failures
    /// so far, the running case.
    ///
    /// The estimate takes the mean over the cases that have ended, and is left out until there
    /// are three of them.
    pub fn text(&self, width: usize) -> String {
        let mut parts = vec![format!("{}/{}", self.done, self.total)];
        if let Some(left) = self.remaining() {
            parts.push(format!("about {} left", span(left)));
        }
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        if let Some(id) = self.running {
            parts.push(clean(id));
        }
        cut(&parts.join(" · "), width)
    }

    fn remaining(&self) -> Option<Duration> {
        if self.done < 3 || self.done >= self.total {
            return None;
        }
        let done = u32::try_from(self.done).ok()?;
        let left = u32::try_from(self.total - self.done).ok()?;
        (self.elapsed / done).checked_mul(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0, "0/150 · smtp/send")]
    #[case(2, 0, "2/150 · smtp/send")]
    #[case(50, 0, "50/150 · about 20.0 s left · smtp/send")]
    #[case(50, 3, "50/150 · about 20.0 s left · 3 failed · smtp/send")]
    #[case(150, 3, "150/150 · 3 failed · smtp/send")]
    #[case(200, 0, "200/150 · smtp/send")]
    fn one_line_says_how_far_it_is(#[case] done: usize, #[case] failed: usize, #[case] text: &str) {
        let progress = Progress {
            done,
            total: 150,
            failed,
            running: Some("smtp/send"),
            elapsed: Duration::from_secs(10),
        };
        assert_eq!(progress.text(80), text);
    }

    #[test]
    fn it_never_is_wider_than_the_terminal() {
        let progress = Progress {
            done: 3,
            total: 9,
            failed: 0,
            running: Some("pop3/retrieve/a-very-long-scenario-name [and its row]"),
            elapsed: Duration::from_secs(3),
        };
        assert_eq!(progress.text(24), "3/9 · about 6.0 s left …");
    }
}
