//! What the device sent, cut into lines that still know their very bytes.

use std::ops::Range;
use std::time::Duration;

/// All bytes of one direction, with the events that brought them.
#[derive(Debug, Default)]
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where each read began: offset, index of its event, time.
    reads: Vec<(usize, usize, Duration)>,
}

impl Stream {
    pub(super) fn push(&mut self, event: usize, at: Duration, bytes: &[u8]) {
        self.reads.push((self.bytes.len(), event, at));
        self.bytes.extend_from_slice(bytes);
    }

    /// Index of the event that brought the byte at this offset, and when it came.
    pub fn origin(&self, offset: usize) -> (usize, Duration) {
        let after = self.reads.partition_point(|(start, ..)| *start <= offset);
        let read = after.checked_sub(1).and_then(|at| self.reads.get(at));
        read.map_or((0, Duration::ZERO), |(_, event, at)| (*event, *at))
    }

    /// These bytes.
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// CR LF, as V.250 5.7.1 wants it.
    CrLf,
    /// LF alone.
    Lf,
    /// More than one CR, then LF. An echoed CR before the header of a response looks so too.
    CrCrLf,
    /// No line end: the line was open when the DTE sent again, or at the end of the case.
    Open,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or white space alone.
    Blank,
    /// The echo of what the DTE sent (V.250 6.2.4).
    Echo,
    /// `OK`.
    Ok,
    /// `ERROR` or `+CME ERROR: …`.
    Error,
    /// `+SMTP: …`.
    Smtp,
    /// `+POP3: …`.
    Pop3,
    /// What the profile lists as coming from the network.
    Network,
    /// `>` or `>>`, after which the device takes text (note 2; SIM5320 manual 18.1.6).
    Prompt,
    /// Text that the device only passes on: a mail, a header, a file.
    Verbatim,
    /// Anything else.
    Information,
}

impl Kind {
    /// Whether it ends a command line.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ok | Self::Error)
    }
}

/// One line from the device.
#[derive(Clone, Debug)]
pub struct Line {
    /// Index of the exchange after whose sending it came; `None`: before anything was sent.
    pub exchange: Option<usize>,
    /// Index of the timeline's event that brought its last byte.
    pub event: usize,
    /// When its first byte came.
    pub at: Duration,
    /// When its last byte came.
    pub done: Duration,
    /// Where its text stands in the stream.
    pub range: Range<usize>,
    /// How it ends.
    pub end: End,
    /// What it is.
    pub kind: Kind,
}
