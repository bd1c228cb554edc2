//! Multi-line answers (RFC 1939 section 3): dot-unstuffing up to CR LF `.` CR LF.

/// Takes a multi-line answer over any division into segments.
#[derive(Debug, Default)]
pub(super) struct Unstuffing {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    #[default]
    Start,
    /// After a dot at the start of a line; it has not been passed on.
    Dot,
    /// After such a dot and a CR; neither has been passed on.
    DotReturn,
    /// Inside a line.
    Text,
    /// After a CR inside a line.
    Return,
    /// After the end.
    End,
}

impl Unstuffing {
    /// Appends the text in `input` to `out`. Returns how many octets belonged to the answer: fewer
    /// than given only if it ended there.
    pub(super) fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        for (index, byte) in input.iter().enumerate() {
            if self.state == State::End {
                return index;
            }
            self.state = match (self.state, byte) {
                (State::Start, b'.') => State::Dot,
                (State::Dot, b'\r') => State::DotReturn,
                (State::DotReturn, b'\n') => State::End,
                (state, byte) => {
                    if state == State::DotReturn {
                        out.push(b'\r');
                    }
                    out.push(*byte);
                    match (state, byte) {
                        (_, b'\r') => State::Return,
                        (State::Return, b'\n') => State::Start,
                        _ => State::Text,
                    }
                }
            };
        }
        input.len()
    }

    /// Whether the final dot has been taken.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::End
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn take(segments: &[&[u8]]) -> (String, usize, bool) {
        let mut unstuffing = Unstuffing::default();
        let mut out = Vec::new();
        let used = segments
            .iter()
            .map(|segment| unstuffing.take(segment, &mut out))
            .sum();
        (
            String::from_utf8(out).unwrap(),
            used,
            unstuffing.is_complete(),
        )
    }

    #[rstest]
    #[case::empty(".\r\n", "", true)]
    #[case::plain("a\r\n.\r\n", "a\r\n", true)]
    #[case::stuffed("..\r\n..x\r\n.\r\n", ".\r\n.x\r\n", true)]
    #[case::not_stuffed(".x\r\n.\r\n", "x\r\n", true)]
    #[case::line_feeds_end_nothing("a\n.\nb\r\n.\n", "a\n.\nb\r\n\n", false)]
    #[case::dot_after_bare_return("a\r.\r\n.\r\n", "a\r.\r\n", true)]
    #[case::dot_return_text(".\ra\r\n.\r\n", "\ra\r\n", true)]
    #[case::dot_return_return(".\r\r\n.\r\n", "\r\r\n", true)]
    #[case::unfinished("a\r\n.\r", "a\r\n", false)]
    fn answers(#[case] wire: &str, #[case] text: &str, #[case] complete: bool) {
        let (out, used, is_complete) = take(&[wire.as_bytes()]);
        assert_eq!(
            (out.as_str(), used, is_complete),
            (text, wire.len(), complete)
        );
    }

    #[test]
    fn what_follows_the_end_is_not_taken() {
        assert_eq!(take(&[b"a\r\n.\r\n+OK"]), ("a\r\n".to_owned(), 6, true));
    }

    proptest! {
        #[test]
        fn a_stuffed_text_comes_back(
            lines in prop::collection::vec("\\.{0,3}[a.\r]{0,3}", 0..8),
            cut in 1_usize..7,
        ) {
            // Written as RFC 1939 says it: a line that starts with a dot gets one more.
            let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed: String = text
                .split_inclusive("\r\n")
                .map(|line| if line.starts_with('.') { format!(".{line}") } else { line.to_owned() })
                .collect();
            let wire = format!("{stuffed}.\r\nrest");
            let (out, used, complete) = take(&wire.as_bytes().chunks(cut).collect::<Vec<_>>());
            prop_assert_eq!(out, text);
            prop_assert!(complete);
            prop_assert_eq!(used, stuffed.len() + 3);
        }
    }
}
