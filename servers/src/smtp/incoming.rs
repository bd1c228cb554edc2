//! A message on its way in (RFC 5321 §4.1.1.4 and §4.5.2): finds its end, takes the stuffing
//! out, keeps what fits into memory and counts the rest.

use crate::allowance::Allowance;
use sha2::{Digest, Sha256};

/// How much of all messages together is kept: 10 MiB of attachments in base64 and then some. What
/// reads a message may need as much again, and both shall stay within 32 MiB.
pub(super) const KEPT: usize = 14 * 1024 * 1024;
/// How much of the allowance is taken at a time.
const PIECE: usize = 256 * 1024;
/// RFC 5321 §4.5.3.1.6: 1000 octets with CRLF.
const LINE: usize = 998;

/// A message on its way in.
pub(super) struct Incoming {
    state: State,
    kept: Kept,
    size: u64,
    hash: Sha256,
    line: usize,
    longest: usize,
    /// What came before was a bare LF, so that a dot now looks like an end to careless servers.
    after_lf: bool,
    /// The line after a bare LF is a dot so far, and nothing else.
    lone_dot: bool,
    faults: Faults,
}

/// A message that has ended.
pub(super) struct Message {
    /// Its octets without stuffing, as many of them as could be kept.
    pub(super) kept: Kept,
    /// How many octets it has.
    pub(super) size: u64,
    /// SHA-256 of all of it, as hexadecimal digits.
    pub(super) sha256: String,
    /// What was wrong with its form.
    pub(super) faults: Faults,
    /// Length of its longest line, if it is longer than allowed.
    pub(super) overlong: Option<usize>,
}

/// The octets of a message that are kept. While they are, they count against what all messages
/// together may take.
pub(super) struct Kept {
    octets: Vec<u8>,
    granted: usize,
    full: bool,
    allowance: Allowance,
}

impl Kept {
    fn new(allowance: Allowance) -> Self {
        Self {
            octets: Vec::new(),
            granted: 0,
            full: false,
            allowance,
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The octets themselves. Whoever takes them answers for their memory.
    pub(super) fn into_octets(mut self) -> Vec<u8> {
        let mut octets = std::mem::take(&mut self.octets);
        octets.shrink_to_fit();
        octets
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.full {
            return;
        }
        let wanted = self.octets.len() + bytes.len();
        if wanted > self.granted {
            let step = (wanted - self.granted).max(PIECE);
            self.granted += self.allowance.take(step);
        }
        let room = self.granted - self.octets.len();
        // A later octet must not follow one that is missing.
        self.full = bytes.len() > room;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        if self.octets.capacity() - self.octets.len() < bytes.len() {
            // Doubling without looking at the cap would reserve up to twice as much.
            let cap = KEPT.saturating_sub(self.octets.len()).max(bytes.len());
            let more = self.octets.len().clamp(bytes.len(), cap);
            self.octets.reserve_exact(more);
        }
        self.octets.extend_from_slice(bytes);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.allowance.give_back(self.granted);
    }
}

/// How often each rule about the form of a message was broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) bare_lf: u64,
    pub(super) bare_cr: u64,
    pub(super) unstuffed: u64,
    pub(super) bare_lf_dot: u64,
    pub(super) eight_bit: bool,
    pub(super) nul: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    Start,
    /// In a line.
    Text,
    /// After a CR.
    Cr,
    /// After a dot at the start of a line.
    Dot,
    /// After a dot and a CR at the start of a line.
    DotCr,
}

impl Incoming {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self {
            state: State::Start,
            kept: Kept::new(allowance),
            size: 0,
            hash: Sha256::new(),
            line: 0,
            longest: 0,
            after_lf: false,
            lone_dot: false,
            faults: Faults::default(),
        }
    }

    /// Takes octets. Returns how many belong to the message, and whether it has ended with them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if matches!(byte, b'\r' | b'\n') && std::mem::take(&mut self.lone_dot) {
                self.faults.bare_lf_dot += 1;
            }
            match (self.state, byte) {
                (State::Text | State::Start, b'\r') => self.state = State::Cr,
                (State::Start, b'.') => {
                    self.state = State::Dot;
                }
                (State::Text | State::Start, b'\n') => {
                    self.faults.bare_lf += 1;
                    self.push(b"\n");
                    self.end_line();
                    self.after_lf = true;
                    self.state = State::Text;
                }
                (State::Text | State::Start, _) => {
                    // Whole runs at a time: this is where the megabytes go through.
                    let run = bytes.get(at..).unwrap_or_default();
                    let length = run.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                    let run = run.get(..length.unwrap_or(run.len())).unwrap_or_default();
                    // The end of the line may only come with the next read.
                    self.lone_dot = std::mem::take(&mut self.after_lf) && run == b".";
                    self.push(run);
                    self.line += run.len();
                    self.state = State::Text;
                    at += run.len();
                    continue;
                }
                (State::Cr, b'\n') => {
                    self.push(b"\r\n");
                    self.end_line();
                    self.after_lf = false;
                    self.state = State::Start;
                }
                (State::Cr, _) => {
                    self.faults.bare_cr += 1;
                    self.push(b"\r");
                    self.line += 1;
                    self.state = State::Text;
                    continue;
                }
                (State::Dot, b'\r') => self.state = State::DotCr,
                (State::Dot, b'.') => {
                    self.push(b".");
                    self.line += 1;
                    self.state = State::Text;
                }
                (State::Dot, b'\n') => {
                    self.faults.bare_lf_dot += 1;
                    self.state = State::Text;
                    continue;
                }
                (State::Dot, _) => {
                    self.faults.unstuffed += 1;
                    self.state = State::Text;
                    continue;
                }
                (State::DotCr, b'\n') => return (at + 1, true),
                (State::DotCr, _) => {
                    self.faults.unstuffed += 1;
                    self.state = State::Cr;
                    continue;
                }
            }
            at += 1;
        }
        (at, false)
    }

    pub(super) fn finish(self) -> Message {
        Message {
            size: self.size,
            sha256: hex(&self.hash.finalize()),
            faults: self.faults,
            overlong: (self.longest > LINE).then_some(self.longest),
            kept: self.kept,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hash.update(bytes);
        if !bytes.is_ascii() {
            self.faults.eight_bit = true;
        }
        if bytes.contains(&0) {
            self.faults.nul = true;
        }
        self.kept.push(bytes);
    }

    fn end_line(&mut self) {
        self.longest = self.longest.max(self.line);
        self.line = 0;
    }
}

/// Octets as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn read(pieces: &[&[u8]]) -> Option<(Vec<u8>, Faults, usize)> {
        let mut incoming = Incoming::new(Allowance::new(KEPT));
        let mut total = 0;
        for piece in pieces {
            let (taken, ended) = incoming.take(piece);
            total += taken;
            if ended {
                let message = incoming.finish();
                assert_eq!(message.size, message.kept.octets().len() as u64);
                return Some((message.kept.into_octets(), message.faults, total));
            }
            assert_eq!(taken, piece.len());
        }
        None
    }

    #[rstest]
    #[case(b".\r\n", b"")]
    #[case(b"a\r\n.\r\nQUIT", b"a\r\n")]
    #[case(b"..\r\n...x\r\n.\r\n", b".\r\n..x\r\n")]
    #[case(b"a.\r\n.\r\n", b"a.\r\n")]
    fn stuffing_comes_out(#[case] wire: &[u8], #[case] message: &[u8]) {
        let (kept, faults, taken) = read(&[wire]).unwrap();
        assert_eq!(kept, message);
        assert_eq!(faults, Faults::default());
        assert!(wire[..taken].ends_with(b".\r\n"));
    }

    #[rstest]
    #[case(b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n", Faults { bare_lf: 2, bare_lf_dot: 1, ..Faults::default() })]
    #[case(b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", Faults { bare_lf: 1, bare_lf_dot: 1, ..Faults::default() })]
    #[case(b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n", Faults { bare_lf: 1, bare_lf_dot: 1, ..Faults::default() })]
    #[case(b".x\r\n.\r\n", b"x\r\n", Faults { unstuffed: 1, ..Faults::default() })]
    #[case(b"a\rb\r\r\n.\r\n", b"a\rb\r\r\n", Faults { bare_cr: 2, ..Faults::default() })]
    #[case(b".\rx\r\n.\r\n", b"\rx\r\n", Faults { unstuffed: 1, bare_cr: 1, ..Faults::default() })]
    #[case(b"\xff\0\r\n.\r\n", b"\xff\0\r\n", Faults { eight_bit: true, nul: true, ..Faults::default() })]
    fn only_crlf_dot_crlf_ends(
        #[case] wire: &[u8],
        #[case] message: &[u8],
        #[case] faults: Faults,
    ) {
        let (kept, found, taken) = read(&[wire]).unwrap();
        assert_eq!((kept.as_slice(), found), (message, faults));
        assert_eq!(taken, wire.len());
    }

    #[rstest]
    #[case(b"a\n.\r\nb\r\n.\r\n", 1)]
    #[case(b"a\n.\nb\r\n.\r\n", 1)]
    #[case(b"a\n..\nb\r\n.\r\n", 0)]
    #[case(b"a\n.x\r\n.\r\n", 0)]
    fn a_lone_dot_is_seen_however_it_was_cut(#[case] wire: &[u8], #[case] dots: u64) {
        for cut in 0..wire.len() {
            let (one, two) = wire.split_at(cut);
            let (_, faults, _) = read(&[one, two]).unwrap();
            assert_eq!(faults.bare_lf_dot, dots, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_beyond_the_cap_is_counted_and_hashed() {
        let allowance = Allowance::new(KEPT);
        let mut incoming = Incoming::new(allowance.clone());
        let line = [&[b'x'; 998][..], b"\r\n"].concat();
        let block = line.repeat(1000);
        for _ in 0..20 {
            assert_eq!(incoming.take(&block), (block.len(), false));
        }
        assert_eq!(incoming.take(b".\r\n"), (3, true));
        let message = incoming.finish();
        let kept = message.kept.octets().len();
        assert_eq!((message.size, kept), (20_000_000, KEPT));
        // Another message at the same time finds nothing left, and is counted all the same.
        let mut other = Incoming::new(allowance.clone());
        assert_eq!(other.take(b"x\r\n.\r\n"), (6, true));
        let other = other.finish();
        assert_eq!((other.size, other.kept.octets().len()), (3, 0));
        drop(other);
        assert_eq!(message.overlong, None);
        let expected = Sha256::digest(block.repeat(20));
        assert_eq!(message.sha256, hex(&expected));
        drop(message);
        assert!(allowance.take_all(KEPT), "everything was given back");
    }

    proptest! {
        /// A correctly stuffed message comes out as it was, however the network cut it.
        #[test]
        fn a_stuffed_message_survives(
            lines in prop::collection::vec("[.a]{0,4}", 0..8),
            cut in 0usize..64,
        ) {
            let mut message = String::new();
            let mut wire = String::new();
            for line in &lines {
                message.push_str(&format!("{line}\r\n"));
                let dot = if line.starts_with('.') { "." } else { "" };
                wire.push_str(&format!("{dot}{line}\r\n"));
            }
            wire.push_str(".\r\n");
            let (one, two) = wire.as_bytes().split_at(cut.min(wire.len()));
            let (kept, faults, _) = read(&[one, two]).unwrap();
            prop_assert_eq!(kept, message.as_bytes());
            prop_assert_eq!(faults, Faults::default());
        }
    }
}
