//! Bytes from the device into lines.
//!
//! Knows of AT commands only which lines are final result codes: a line is what stands between
//! line feeds, without the carriage returns at its end. What has no line end yet can be looked at,
//! because a prompt never gets one.

/// Longest line that is kept; what a device sends beyond it is counted and thrown away.
const LONGEST_LINE: usize = 64 * 1024;

/// One line, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: Vec<u8>,
    /// How many bytes were thrown away after `text`, because the line was too long.
    pub omitted: usize,
}

impl Line {
    /// Whether nothing but white space stands in it.
    pub fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }
}

/// Collects bytes until they make a line.
#[derive(Debug, Default)]
pub struct LineAssembler {
    open: Vec<u8>,
    omitted: usize,
}

impl LineAssembler {
    /// Takes the bytes of one read and returns the next line that they complete, with the number
    /// of bytes used up; call again with the rest.
    pub fn push(&mut self, bytes: &[u8]) -> (Option<Line>, usize) {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (part, used) = match end {
            Some(at) => (bytes.get(..at).unwrap_or_default(), at + 1),
            None => (bytes, bytes.len()),
        };
        let room = LONGEST_LINE.saturating_sub(self.open.len());
        let (kept, lost) = part.split_at(part.len().min(room));
        self.open.extend_from_slice(kept);
        self.omitted += lost.len();
        if end.is_none() {
            return (None, used);
        }
        let mut text = std::mem::take(&mut self.open);
        while text.last() == Some(&b'\r') {
            text.pop();
        }
        (
            Some(Line {
                text,
                omitted: std::mem::take(&mut self.omitted),
            }),
            used,
        )
    }

    /// What has arrived since the last line end.
    pub fn open_line(&self) -> &[u8] {
        &self.open
    }

    /// Forgets what has arrived since the last line end.
    pub fn take_open_line(&mut self) -> Vec<u8> {
        self.omitted = 0;
        std::mem::take(&mut self.open)
    }
}

/// V.250 5.7.1: the results that end a command line.
pub(crate) fn is_final_result(line: &[u8]) -> bool {
    line == b"OK" || line == b"ERROR" || line.starts_with(b"+CME ERROR:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(reads: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut assembler = LineAssembler::default();
        let mut lines = Vec::new();
        for read in reads {
            let mut rest = *read;
            while !rest.is_empty() {
                let (line, used) = assembler.push(rest);
                rest = &rest[used..];
                lines.extend(line.map(|line| line.text));
            }
        }
        (lines, assembler.take_open_line())
    }

    proptest! {
        #[test]
        fn segmentation_changes_nothing(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200), cut in 0usize..200)
        {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(all(&[&bytes]), all(&[&bytes[..cut], &bytes[cut..]]));
        }
    }

    #[test]
    fn an_endless_line_is_bounded() {
        let mut assembler = LineAssembler::default();
        for _ in 0..100 {
            assembler.push(&[b'x'; 10_000]);
        }
        assert_eq!(assembler.open_line().len(), LONGEST_LINE);
        let (line, _) = assembler.push(b"\n");
        assert_eq!(line.unwrap().omitted, 1_000_000 - LONGEST_LINE);
    }
}
