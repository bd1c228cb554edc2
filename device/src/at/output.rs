//! The one writer: echo, information text, unsolicited and final result codes, prompts.
//!
//! Every byte that the module sends goes through here, so framing is decided here only.

use super::LineSettings;
use super::result::{ErrorStyle, ResultCode};

/// What is said to the DTE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// A character that it typed.
    Echo,
    /// Information text: the lines of one block.
    Information,
    /// An unsolicited result code, with the lines that belong to it.
    Unsolicited,
    /// A final result code.
    Final,
}

/// Appends the octets of a block.
pub(crate) type Frame = fn(Block, &LineSettings, &[&[u8]], &mut Vec<u8>);

/// The framing of V.250 5.7.1: a line end before the lines of a block, and one after each of them;
/// the echo as it is; and with `V0` (V.250 6.2.6) nothing before, and nothing but the terminator
/// after the digit of a final result code.
pub(crate) fn framed(block: Block, line: &LineSettings, lines: &[&[u8]], out: &mut Vec<u8>) {
    if block == Block::Echo {
        out.extend(lines.iter().copied().flatten());
        return;
    }
    if line.verbose {
        out.extend([line.terminator, line.formatting]);
    }
    for text in lines {
        out.extend_from_slice(text);
        out.push(line.terminator);
        if line.verbose || !matches!((block, text), (Block::Final, [_])) {
            out.push(line.formatting);
        }
    }
}

/// Bytes on their way to the DTE.
#[derive(Debug)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    frame: Frame,
}

impl Output {
    /// Nothing yet.
    pub(crate) fn new(frame: Frame) -> Self {
        Self {
            bytes: Vec::new(),
            sent: 0,
            frame,
        }
    }

    /// What is still to be sent.
    pub(crate) fn pending(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Notes that the first `count` bytes of [`Output::pending`] were sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count);
        if self.sent >= self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// Forgets what was not sent.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    /// Sends bytes as they are: file contents.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Sends back a character, if the DTE wants that (V.250 6.2.4).
    pub(crate) fn echo(&mut self, line: &LineSettings, byte: u8) {
        if line.echo {
            (self.frame)(Block::Echo, line, &[&[byte]], &mut self.bytes);
        }
    }

    /// Information text (V.250 5.7.1): the lines of one block, framed once.
    pub(crate) fn information<T: AsRef<[u8]>>(&mut self, line: &LineSettings, lines: &[T]) {
        self.say(Block::Information, line, lines);
    }

    fn say<T: AsRef<[u8]>>(&mut self, block: Block, line: &LineSettings, lines: &[T]) {
        let lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
        (self.frame)(block, line, &lines, &mut self.bytes);
    }

    /// An unsolicited result code, with the lines that belong to it. Result codes are suppressed
    /// while `Q1` holds.
    pub(crate) fn unsolicited<T: AsRef<[u8]>>(&mut self, line: &LineSettings, lines: &[T]) {
        if !line.quiet {
            self.say(Block::Unsolicited, line, lines);
        }
    }

    /// A final result code.
    pub(crate) fn result(&mut self, line: &LineSettings, code: ResultCode) {
        if line.quiet {
            return;
        }
        let (word, number) = match (code, line.cmee) {
            (ResultCode::Ok, _) => ("OK", "0"),
            (ResultCode::Cme(error), ErrorStyle::Number) => {
                let text = format!("+CME ERROR: {}", error.number());
                return self.say(Block::Final, line, &[text]);
            }
            (ResultCode::Cme(error), ErrorStyle::Words) => {
                let text = format!("+CME ERROR: {}", error.text());
                return self.say(Block::Final, line, &[text]);
            }
            (ResultCode::Error | ResultCode::Cme(_), _) => ("ERROR", "4"),
        };
        self.say(
            Block::Final,
            line,
            &[if line.verbose { word } else { number }],
        );
    }

    /// A prompt: nothing follows it but what the DTE types.
    pub(crate) fn prompt(&mut self, line: &LineSettings, text: &str) {
        self.raw(&[line.terminator, line.formatting]);
        self.raw(text.as_bytes());
    }

    /// What stands before a text: a line end, but with `V0` nothing (V.250 6.2.6).
    pub(crate) fn header(&mut self, line: &LineSettings) {
        if line.verbose {
            self.raw(&[line.terminator, line.formatting]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::result::CmeError;
    use super::*;
    use rstest::rstest;

    const CME: ResultCode = ResultCode::Cme(CmeError::NotAllowed);

    #[rstest]
    #[case("", ResultCode::Ok, "\r\nOK\r\n")]
    #[case("", ResultCode::Error, "\r\nERROR\r\n")]
    #[case("", CME, "\r\nERROR\r\n")]
    #[case("1", CME, "\r\n+CME ERROR: 3\r\n")]
    #[case("2", CME, "\r\n+CME ERROR: operation not allowed\r\n")]
    #[case("V", ResultCode::Ok, "0\r")]
    #[case("V", ResultCode::Error, "4\r")]
    #[case("V2", CME, "+CME ERROR: operation not allowed\r\n")]
    #[case("Q", ResultCode::Ok, "")]
    #[case("Q2", CME, "")]
    #[case("S", ResultCode::Ok, "!?OK!?")]
    fn results_are_framed(#[case] how: &str, #[case] code: ResultCode, #[case] expected: &str) {
        let mut line = LineSettings::factory(true);
        for setting in how.chars() {
            match setting {
                'V' => line.verbose = false,
                'Q' => line.quiet = true,
                'S' => (line.terminator, line.formatting) = (b'!', b'?'),
                '1' => line.cmee = ErrorStyle::Number,
                _ => line.cmee = ErrorStyle::Words,
            }
        }
        let mut output = Output::new(framed);
        output.result(&line, code);
        assert_eq!(output.pending(), expected.as_bytes());
    }

    #[test]
    fn quiet_suppresses_result_codes_but_not_information() {
        let line = LineSettings {
            quiet: true,
            ..LineSettings::factory(true)
        };
        let mut output = Output::new(framed);
        output.unsolicited(&line, &["+SMTP: SUCCESS"]);
        assert_eq!(output.pending(), b"");
        output.information(&line, &["+FSLS: FILES:", "a.txt"]);
        assert_eq!(output.pending(), b"\r\n+FSLS: FILES:\r\na.txt\r\n");
    }

    #[test]
    fn what_was_sent_is_gone() {
        let mut output = Output::new(framed);
        output.raw(b"abcdef");
        output.advance(2);
        assert_eq!(output.pending(), b"cdef");
        output.advance(4);
        assert_eq!(output.pending(), b"");
        output.raw(b"g");
        assert_eq!(output.pending(), b"g");
    }
}
