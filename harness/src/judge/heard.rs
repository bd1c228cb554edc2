//! What the device has said lately: since the last send, and since the section began.

use urcheck_reports::Arrived;

/// No more lines are remembered than this.
const MOST_REMEMBERED: usize = 400;

/// Lines without echo and empty ones.
#[derive(Debug, Default)]
pub(super) struct Heard {
    since_send: Vec<Arrived>,
    in_section: Vec<Arrived>,
    section: Option<usize>,
}

impl Heard {
    /// Since the last send.
    pub(super) fn since_send(&self) -> &[Arrived] {
        &self.since_send
    }

    /// Since the section began.
    pub(super) fn in_section(&self) -> &[Arrived] {
        &self.in_section
    }

    /// Something is sent.
    pub(super) fn sent(&mut self) {
        self.since_send.clear();
    }

    /// What comes next stands in this section.
    pub(super) fn enter_section(&mut self, section: usize) {
        if self.section.replace(section) != Some(section) {
            self.in_section.clear();
        }
    }

    /// A line came.
    pub(super) fn line(&mut self, line: &Arrived) {
        for lines in [&mut self.since_send, &mut self.in_section] {
            if lines.len() < MOST_REMEMBERED {
                lines.push(line.clone());
            }
        }
    }
}
