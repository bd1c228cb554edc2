//! What is kept of one session for the checks of a scenario.
//!
//! Everything here is bounded: a client that talks for ever fills no memory.

use super::lint::Lint;
use crate::allowance::Allowance;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// So many lines are kept per session; what comes later is only counted.
pub(super) const LINES_KEPT: usize = 10_000;
/// So many characters are kept of each line.
pub(super) const LINE_KEPT: usize = 1024;
/// So many lints are kept per session.
const LINTS_KEPT: usize = 1_000;
/// So much text of all sessions together is kept, in octets.
pub(super) const TALK: usize = 4 * 1024 * 1024;
/// What keeping one line takes besides its octets.
const OVERHEAD: usize = 64;

/// The states of RFC 1939 section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// The client has to say who it is.
    Authorization,
    /// The maildrop is open.
    Transaction,
    /// QUIT was answered in the TRANSACTION state.
    Update,
}

/// One session, as it goes on.
#[derive(Debug)]
pub(super) struct Record {
    talk: Allowance,
    taken: usize,
    pub(super) id: u32,
    pub(super) peer: String,
    pub(super) opened: Duration,
    pub(super) closed: Option<Duration>,
    pub(super) closed_by: Option<&'static str>,
    pub(super) secure: bool,
    pub(super) user: Option<String>,
    pub(super) mechanism: Option<String>,
    pub(super) commands: Vec<String>,
    pub(super) verbs: Vec<String>,
    pub(super) replies: Vec<String>,
    /// Lines beyond [`LINES_KEPT`].
    pub(super) omitted: u64,
    pub(super) quit: bool,
    pub(super) state: State,
    /// Message numbers.
    pub(super) retrieved: Vec<usize>,
    /// Message numbers.
    pub(super) deleted: BTreeSet<usize>,
    pub(super) lints: Vec<(Lint, String, Duration)>,
}

impl Record {
    pub(super) fn new(
        talk: Allowance,
        id: u32,
        peer: String,
        opened: Duration,
        secure: bool,
    ) -> Record {
        Record {
            talk,
            taken: 0,
            id,
            peer,
            opened,
            closed: None,
            closed_by: None,
            secure,
            user: None,
            mechanism: None,
            commands: Vec::new(),
            verbs: Vec::new(),
            replies: Vec::new(),
            omitted: 0,
            quit: false,
            state: State::Authorization,
            retrieved: Vec::new(),
            deleted: BTreeSet::new(),
            lints: Vec::new(),
        }
    }

    /// A line of the client; `verb` unless it answers a challenge.
    pub(super) fn command(&mut self, line: &[u8], verb: Option<&str>) {
        let text = clip(line);
        if self.commands.len() >= LINES_KEPT || !self.afford(text.len() + OVERHEAD) {
            self.omitted += 1;
            return;
        }
        self.commands.push(text);
        self.verbs.extend(verb.map(str::to_owned));
    }

    /// What the client was told, of which the first line is kept.
    pub(super) fn reply(&mut self, told: &[u8]) {
        if self.replies.len() <= LINES_KEPT {
            let line = told.split(|&b| b == b'\n').next().unwrap_or_default();
            let text = clip(line.strip_suffix(b"\r").unwrap_or(line));
            if self.afford(text.len() + OVERHEAD) {
                self.replies.push(text);
            }
        }
    }

    pub(super) fn retrieved(&mut self, number: usize) {
        if self.retrieved.len() < LINES_KEPT && self.afford(size_of::<usize>()) {
            self.retrieved.push(number);
        }
    }

    pub(super) fn lint(&mut self, lint: Lint, message: String, at: Duration) {
        if self.lints.len() < LINTS_KEPT && self.afford(message.len() + OVERHEAD) {
            self.lints.push((lint, message, at));
        }
    }

    /// Takes memory from what all sessions share, if there is as much.
    fn afford(&mut self, octets: usize) -> bool {
        let granted = self.talk.take_all(octets);
        self.taken += if granted { octets } else { 0 };
        granted
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.talk.give_back(self.taken);
    }
}

fn clip(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.get(..LINE_KEPT).unwrap_or(line));
    text.into_owned()
}
