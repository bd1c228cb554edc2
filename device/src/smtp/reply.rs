//! Replies of the server (RFC 5321 section 4.2), line by line.

/// Lines of one reply whose text is kept.
const TEXTS_KEPT: usize = 256;

/// A reply with more lines than this is no reply.
const LINES_LIMIT: usize = 10_000;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The code.
    pub(super) code: u16,
    /// The text of each line, without code and separator.
    pub(super) texts: Vec<Vec<u8>>,
}

/// A line that cannot belong to a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Puts lines together to a reply.
#[derive(Debug, Default)]
pub(super) struct Collector {
    first: Option<u16>,
    differs: bool,
    lines: usize,
    texts: Vec<Vec<u8>>,
}

impl Collector {
    /// Takes the next line, without its line end; gives the reply once it is complete.
    ///
    /// Should the lines of one reply differ in their codes, the last one counts if it is a
    /// refusal; nobody could tell what the server took over otherwise.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        let code = code(line).ok_or(Malformed)?;
        let last = match line.get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(Malformed),
        };
        self.differs |= self.first.is_some_and(|first| first != code);
        self.first.get_or_insert(code);
        self.lines += 1;
        if self.texts.len() < TEXTS_KEPT {
            self.texts.push(line.get(4..).unwrap_or_default().to_vec());
        }
        if !last {
            return if self.lines < LINES_LIMIT {
                Ok(None)
            } else {
                Err(Malformed)
            };
        }
        if self.differs && code < 400 {
            return Err(Malformed);
        }
        Ok(Some(Reply {
            code,
            texts: std::mem::take(&mut self.texts),
        }))
    }
}

/// Three digits, the first 2 to 5 and the second 0 to 5.
fn code(line: &[u8]) -> Option<u16> {
    match line {
        [
            class @ b'2'..=b'5',
            category @ b'0'..=b'5',
            detail @ b'0'..=b'9',
            ..,
        ] => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Some(100 * digit(class) + 10 * digit(category) + digit(detail))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn collect(text: &str) -> Result<Option<Reply>, Malformed> {
        let mut collector = Collector::default();
        let mut result = Ok(None);
        for line in text.split('|') {
            result = collector.line(line.as_bytes());
            if result != Ok(None) {
                break;
            }
        }
        result
    }

    #[rstest]
    #[case::plain("250 OK", Ok(Some(250)))]
    #[case::bare("250", Ok(Some(250)))]
    #[case::several_lines("250-a|250-b|250 c", Ok(Some(250)))]
    #[case::bare_last("220-a|220", Ok(Some(220)))]
    #[case::unfinished("250-a|250-b", Ok(None))]
    #[case::last_refusal_counts("250-a|550 b", Ok(Some(550)))]
    #[case::last_acceptance_does_not("550-a|250 b", Err(Malformed))]
    #[case::two_digits("25 OK", Err(Malformed))]
    #[case::four_digits("2500 OK", Err(Malformed))]
    #[case::letters("abc OK", Err(Malformed))]
    #[case::out_of_range("999 x", Err(Malformed))]
    #[case::zero("000 x", Err(Malformed))]
    #[case::preliminary("150 x", Err(Malformed))]
    #[case::negative("-250 x", Err(Malformed))]
    #[case::leading_blank(" 250 OK", Err(Malformed))]
    #[case::no_separator("250OK", Err(Malformed))]
    #[case::empty("", Err(Malformed))]
    #[case::broken_inside("250-a|hello|250 b", Err(Malformed))]
    #[case::pop3("+OK ready", Err(Malformed))]
    #[case::http("HTTP/1.1 400 Bad Request", Err(Malformed))]
    fn codes(#[case] text: &str, #[case] code: Result<Option<u16>, Malformed>) {
        assert_eq!(
            collect(text).map(|reply| reply.map(|reply| reply.code)),
            code
        );
    }

    #[test]
    fn texts_are_kept_without_code() {
        let reply = collect("250-first line|250 SIZE 1000").unwrap().unwrap();
        assert_eq!(reply.texts, [b"first line".to_vec(), b"SIZE 1000".to_vec()]);
    }

    #[test]
    fn a_thousand_lines_are_a_reply_and_an_endless_one_is_none() {
        let mut collector = Collector::default();
        for _ in 0..1_000 {
            assert_eq!(collector.line(b"250-x"), Ok(None));
        }
        let reply = collector.line(b"250 x").unwrap().unwrap();
        assert_eq!(reply.texts.len(), TEXTS_KEPT);

        let mut collector = Collector::default();
        let end = (0..).find(|_| collector.line(b"250-x") == Err(Malformed));
        assert_eq!(end, Some(LINES_LIMIT - 1));
    }
}
