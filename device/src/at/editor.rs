//! From bytes to command lines (V.250 5.2): prefix, termination, editing, `A/`.

use super::LineSettings;

/// Collects one command line.
#[derive(Debug)]
pub(crate) struct Editor {
    state: State,
    /// What stands between the prefix and the terminator; never longer than `limit`.
    body: Vec<u8>,
    /// Whether more than `limit` bytes have come, and the line is lost.
    too_long: bool,
    limit: usize,
}

/// What a byte completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Nothing yet.
    Nothing,
    /// A command line, without prefix and terminator.
    Line(Vec<u8>),
    /// A command line that was longer than the module takes.
    TooLong,
    /// `A/`: the line before, once more.
    Repeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Whatever comes is ignored until an `A` or `a`.
    Hunting,
    /// After this `A` or `a`.
    Prefix(u8),
    /// After the prefix.
    Body,
}

impl Editor {
    /// An editor for lines of at most `limit` bytes after the prefix.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: State::Hunting,
            body: Vec::new(),
            too_long: false,
            limit,
        }
    }

    /// Takes one byte.
    pub(crate) fn take(&mut self, byte: u8, line: &LineSettings) -> Typed {
        match (self.state, byte) {
            (State::Body, _) => return self.take_body(byte, line),
            (State::Prefix(_), b'/') => {
                self.state = State::Hunting;
                return Typed::Repeat;
            }
            // The prefix is AT or at; nothing is said of At and aT.
            (State::Prefix(b'A'), b'T') | (State::Prefix(b'a'), b't') => {
                self.state = State::Body;
                self.body.clear();
                self.too_long = false;
            }
            (_, b'A' | b'a') => self.state = State::Prefix(byte),
            _ => self.state = State::Hunting,
        }
        Typed::Nothing
    }

    fn take_body(&mut self, byte: u8, line: &LineSettings) -> Typed {
        // V.250 5.2.2: the terminator is looked for before the editing character.
        if byte == line.terminator {
            self.state = State::Hunting;
            if self.too_long {
                self.body.clear();
                return Typed::TooLong;
            }
            return Typed::Line(std::mem::take(&mut self.body));
        }
        if byte == line.editing {
            self.body.pop();
        } else if byte < 0x20 {
            // Other control characters are ignored.
        } else if self.body.len() < self.limit {
            self.body.push(byte);
        } else {
            self.too_long = true;
        }
        Typed::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn typed(bytes: &[u8]) -> Vec<Typed> {
        let line = LineSettings::factory(true);
        let mut editor = Editor::new(20);
        bytes
            .iter()
            .map(|byte| editor.take(*byte, &line))
            .filter(|typed| *typed != Typed::Nothing)
            .collect()
    }

    fn line(text: &str) -> Typed {
        Typed::Line(text.into())
    }

    #[rstest]
    #[case(b"AT\r", vec![line("")])]
    #[case(b"at+csq\r", vec![line("+csq")])]
    #[case(b"AT+CSQ\r\nATI\r\n", vec![line("+CSQ"), line("I")])]
    #[case(b"\x00\xffxyz AT+CSQ\r", vec![line("+CSQ")])]
    #[case(b"AAAT\r", vec![line("")])]
    #[case(b"aAT\r", vec![line("")])]
    #[case(b"hello\r", vec![])]
    #[case(b"At\raT\r", vec![])]
    #[case(b"AT+CX\x08SQ\r", vec![line("+CSQ")])]
    #[case(b"ATX\x08\x08\x08\x08I\r", vec![line("I")])]
    #[case(b"AT\x01\n\x1bI\r", vec![line("I")])]
    #[case(b"A/", vec![Typed::Repeat])]
    #[case(b"a/a/", vec![Typed::Repeat, Typed::Repeat])]
    #[case(b"A\x08/", vec![])]
    #[case(b"AT12345678901234567890\r", vec![line("12345678901234567890")])]
    #[case(b"AT123456789012345678901\rAT\r", vec![Typed::TooLong, line("")])]
    fn lines_are_collected(#[case] bytes: &[u8], #[case] expected: Vec<Typed>) {
        assert_eq!(typed(bytes), expected);
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let settings = LineSettings::factory(true);
        let mut editor = Editor::new(100);
        editor.take(b'A', &settings);
        editor.take(b'T', &settings);
        for _ in 0..1_000_000 {
            assert_eq!(editor.take(b'x', &settings), Typed::Nothing);
        }
        assert!(editor.body.capacity() < 1000);
        assert_eq!(editor.take(b'\r', &settings), Typed::TooLong);
    }

    #[test]
    fn terminator_and_editing_character_follow_s3_and_s5() {
        let settings = LineSettings {
            terminator: b'!',
            editing: b'#',
            ..LineSettings::factory(true)
        };
        let mut editor = Editor::new(100);
        let mut last = Typed::Nothing;
        for byte in b"AT+CX#SQ!" {
            last = editor.take(*byte, &settings);
        }
        assert_eq!(last, line("+CSQ"));
    }
}
