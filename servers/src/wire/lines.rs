//! Splits what the client sends into lines, in bounded memory.

use crate::engine::LineEnd;

/// How many octets of a line are kept. RFC 4954 §4.3 asks for 12,288 in an authentication
/// exchange; everything else that is legal is shorter.
pub(crate) const LINE_LIMIT: usize = 12_288;

/// Octets from the client that nobody has dealt with.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    start: usize,
    /// How far the buffer was searched for a line end in vain.
    searched: usize,
    /// The beginning of a line that is longer than the limit.
    overlong: Option<Overlong>,
}

struct Overlong {
    head: Vec<u8>,
    omitted: u64,
    last: u8,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) text: Vec<u8>,
    pub(crate) end: LineEnd,
    pub(crate) omitted: u64,
}

impl Lines {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    pub(crate) fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Marks octets as dealt with.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
        self.searched = self.searched.max(self.start);
    }

    /// Throws everything away; how much that was.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.len();
        *self = Self::default();
        count
    }

    /// Takes the next line if all of it is there.
    pub(crate) fn take(&mut self) -> Option<Found> {
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(offset) = fresh.iter().position(|&byte| byte == b'\n') else {
            self.searched = self.buffer.len();
            // Two more than the limit, for a line end that is still incomplete.
            if self.overlong.is_some() || self.len() > LINE_LIMIT + 1 {
                self.overflow(self.len());
            }
            return None;
        };
        let length = self.searched + offset - self.start;
        if self.overlong.is_some() || length > LINE_LIMIT + 1 {
            self.overflow(length);
        }
        let found = match self.overlong.take() {
            Some(long) => {
                let cr = long.last == b'\r';
                Found {
                    text: long.head,
                    end: if cr { LineEnd::CrLf } else { LineEnd::Lf },
                    omitted: long.omitted.saturating_sub(u64::from(cr)),
                }
            }
            None => {
                let raw = self.waiting().get(..length).unwrap_or_default();
                let (text, end) = match raw.strip_suffix(b"\r") {
                    Some(text) => (text, LineEnd::CrLf),
                    None => (raw, LineEnd::Lf),
                };
                let kept = text.get(..LINE_LIMIT).unwrap_or(text);
                let found = Found {
                    text: kept.to_vec(),
                    end,
                    omitted: (text.len() - kept.len()) as u64,
                };
                self.consume(length);
                found
            }
        };
        self.consume(1);
        Some(found)
    }

    /// Moves the next `count` octets into the overlong line.
    fn overflow(&mut self, count: usize) {
        let mut long = self.overlong.take().unwrap_or(Overlong {
            head: Vec::new(),
            omitted: 0,
            last: 0,
        });
        let bytes = self.waiting().get(..count).unwrap_or_default();
        let room = LINE_LIMIT - long.head.len();
        let kept = bytes.get(..room).unwrap_or(bytes);
        long.head.extend_from_slice(kept);
        long.omitted += (bytes.len() - kept.len()) as u64;
        long.last = bytes.last().copied().unwrap_or(long.last);
        self.overlong = Some(long);
        self.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(pieces: &[&[u8]]) -> Vec<Found> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.take() {
                found.push(line);
            }
            assert!(lines.len() <= LINE_LIMIT + 2);
        }
        found
    }

    fn line(text: &[u8], end: LineEnd) -> Found {
        Found {
            text: text.to_vec(),
            end,
            omitted: 0,
        }
    }

    #[test]
    fn line_ends_are_told_apart() {
        assert_eq!(
            split(&[b"EHLO a\r\nNO", b"OP\n\r", b"\nA\rB\r\nhalf"]),
            [
                line(b"EHLO a", LineEnd::CrLf),
                line(b"NOOP", LineEnd::Lf),
                line(b"", LineEnd::CrLf),
                line(b"A\rB", LineEnd::CrLf),
            ]
        );
    }

    #[test]
    fn a_long_line_is_counted_but_not_kept() {
        let flood = vec![b'x'; 1_000_000];
        let found = split(&[&flood, &flood, b"\r", b"\nQUIT\r\n"]);
        assert_eq!(found[0].text.len(), LINE_LIMIT);
        assert_eq!(found[0].omitted, 2_000_000 - LINE_LIMIT as u64);
        assert_eq!(found[0].end, LineEnd::CrLf);
        assert_eq!(found[1], line(b"QUIT", LineEnd::CrLf));
    }

    proptest! {
        /// How the octets were cut into reads makes no difference.
        #[test]
        fn reads_do_not_matter(
            text in "[ab\r\n]{0,60}",
            long in 0usize..3,
            cuts in prop::collection::vec(0usize..40_000, 0..6),
        ) {
            let mut bytes = vec![b'y'; long * LINE_LIMIT / 2 + long];
            bytes.extend_from_slice(text.as_bytes());
            let whole = split(&[&bytes]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut from = 0;
            let mut pieces = Vec::new();
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            prop_assert_eq!(split(&pieces), whole);
        }
    }
}
