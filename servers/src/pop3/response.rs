//! Responses: one status line, and for a multi-line response a body that is made in parts, so that
//! neither a huge message nor a long listing has to exist a second time.
//!
//! Knows the form of responses (RFC 1939 section 3), not what they mean.

use crate::engine::More;
use crate::maildrop::Mail;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest status line, CRLF included (RFC 1939 section 3).
pub(super) const STATUS_LIMIT: usize = 512;

/// What the server answers.
#[derive(Debug)]
pub(super) struct Response {
    /// The status line without its CRLF: begins with `+OK` or `-ERR`, or with `+ ` when it is a
    /// challenge of AUTH (RFC 5034 section 4).
    pub(super) status: String,
    /// What follows the status line, with its terminator; `None` for a single-line response.
    pub(super) body: Option<Body>,
}

impl Response {
    /// `+OK` and a text.
    pub(super) fn ok(text: impl AsRef<str>) -> Response {
        Response::line("+OK", text.as_ref())
    }

    /// `-ERR` and a text, which begins with a response code in brackets where there is one.
    pub(super) fn err(text: impl AsRef<str>) -> Response {
        Response::line("-ERR", text.as_ref())
    }

    /// `+ ` and a challenge in base64.
    pub(super) fn challenge(base64: &str) -> Response {
        Response {
            status: format!("+ {base64}"),
            body: None,
        }
    }

    pub(super) fn with(mut self, body: Body) -> Response {
        self.body = Some(body);
        self
    }

    /// The status line with its CRLF.
    pub(super) fn status_octets(&self) -> Vec<u8> {
        format!("{}\r\n", self.status).into_bytes()
    }

    fn line(indicator: &str, text: &str) -> Response {
        let mut status = indicator.to_owned();
        if !text.is_empty() {
            status.push(' ');
            // A set-up may bring any text; a status line is printable and has a limit.
            let room = STATUS_LIMIT - 2 - status.len();
            status.extend(text.chars().filter(|c| matches!(c, ' '..='~')).take(room));
        }
        Response { status, body: None }
    }
}

/// The rest of a multi-line response, given out in parts.
#[derive(Clone, Debug)]
pub(super) struct Body {
    source: Source,
    finished: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Lines(std::vec::IntoIter<String>),
    Listing {
        mails: Arc<[Mail]>,
        hidden: BTreeSet<usize>,
        next: usize,
        line: fn(&Mail) -> String,
    },
    Message {
        octets: Arc<Vec<u8>>,
        at: usize,
        end: usize,
    },
}

impl Body {
    /// A part is about this long, in octets; a line of a listing is never split.
    pub(super) const PART: usize = 16 * 1024;

    /// These lines.
    pub(super) fn lines(lines: Vec<String>) -> Body {
        Body::of(Source::Lines(lines.into_iter()))
    }

    /// `number text` for each message that is not hidden.
    pub(super) fn listing(
        mails: Arc<[Mail]>,
        hidden: BTreeSet<usize>,
        line: fn(&Mail) -> String,
    ) -> Body {
        Body::of(Source::Listing {
            mails,
            hidden,
            next: 0,
            line,
        })
    }

    /// The whole message.
    pub(super) fn message(mail: &Mail) -> Body {
        Body::of(Source::Message {
            octets: mail.octets().clone(),
            at: 0,
            end: mail.size(),
        })
    }

    /// The header, the empty line and the first `lines` lines of the body (TOP).
    pub(super) fn top(mail: &Mail, lines: u64) -> Body {
        let end = end_of_top(mail.octets(), lines);
        Body::of(Source::Message {
            octets: mail.octets().clone(),
            at: 0,
            end,
        })
    }

    fn of(source: Source) -> Body {
        Body {
            source,
            finished: false,
        }
    }
}

impl More for Body {
    /// The next part, byte-stuffed; the last one ends with the terminator `.` CRLF. `None` after
    /// that.
    fn next_part(&mut self) -> Option<Vec<u8>> {
        if self.finished {
            return None;
        }
        let mut part = Vec::with_capacity(Body::PART / 4);
        self.finished = match &mut self.source {
            Source::Lines(lines) => lines_part(lines, &mut part),
            Source::Listing {
                mails,
                hidden,
                next,
                line,
            } => listing_part(mails, hidden, next, *line, &mut part),
            Source::Message { octets, at, end } => message_part(octets, at, *end, &mut part),
        };
        if self.finished {
            part.extend_from_slice(b".\r\n");
        }
        Some(part)
    }

    fn again(&self) -> Box<dyn More> {
        Box::new(self.clone())
    }
}

/// Fills `part`; true when the source is used up. So do the two below.
fn lines_part(lines: &mut std::vec::IntoIter<String>, part: &mut Vec<u8>) -> bool {
    while part.len() < Body::PART {
        let Some(line) = lines.next() else {
            return true;
        };
        push_line(part, &line);
    }
    false
}

fn listing_part(
    mails: &[Mail],
    hidden: &BTreeSet<usize>,
    next: &mut usize,
    line: fn(&Mail) -> String,
    part: &mut Vec<u8>,
) -> bool {
    while part.len() < Body::PART {
        let position = *next;
        let Some(mail) = mails.get(position) else {
            return true;
        };
        *next += 1;
        if !hidden.contains(&position) {
            push_line(part, &format!("{} {}", position + 1, line(mail)));
        }
    }
    false
}

fn push_line(part: &mut Vec<u8>, line: &str) {
    if line.starts_with('.') {
        part.push(b'.');
    }
    part.extend_from_slice(line.as_bytes());
    part.extend_from_slice(b"\r\n");
}

fn message_part(octets: &[u8], at: &mut usize, end: usize, part: &mut Vec<u8>) -> bool {
    let stop = end.min(*at + Body::PART);
    let mut rest = octets.get(*at..stop).unwrap_or_default();
    let mut line_start = *at == 0 || ends_line(octets, *at);
    while !rest.is_empty() {
        let length = rest
            .iter()
            .position(|&b| b == b'\n')
            .map_or(rest.len(), |i| i + 1);
        let (line, tail) = rest.split_at(length);
        if line_start && line.first() == Some(&b'.') {
            part.push(b'.');
        }
        part.extend_from_slice(line);
        *at += length;
        line_start = ends_line(octets, *at);
        rest = tail;
    }
    if *at < end {
        return false;
    }
    // An excerpt may stop at a bare line feed; the terminator must stand on its own line.
    if end > 0 && !line_start {
        part.extend_from_slice(b"\r\n");
    }
    true
}

/// Whether a line ends just before `at`. Only CRLF counts: after a bare line feed a `.` is not at
/// the start of a line (RFC 1939 section 3).
fn ends_line(octets: &[u8], at: usize) -> bool {
    octets
        .get(..at)
        .is_some_and(|before| before.ends_with(b"\r\n"))
}

/// Where the excerpt of TOP ends. A bare line feed ends a line here, so that an excerpt of a
/// message with broken line ends is still an excerpt.
fn end_of_top(octets: &[u8], lines: u64) -> usize {
    let mut at = 0;
    let mut wanted = None;
    for line in octets.split_inclusive(|&b| b == b'\n') {
        if wanted == Some(0) {
            break;
        }
        at += line.len();
        wanted = match wanted {
            Some(left) => Some(left - 1),
            None if line == b"\r\n" || line == b"\n" => Some(lines),
            None => None,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Reply;
    use crate::fault::Position;
    use crate::maildrop::Maildrops;
    use proptest::prelude::*;
    use rstest::rstest;

    fn mail(octets: &[u8]) -> Mail {
        let drops = Maildrops::new();
        drops.deliver("un", octets.to_vec());
        drops.mails("un").remove(0)
    }

    fn octets(body: Body) -> Vec<u8> {
        Reply::new(Position::RetrBody, [])
            .with_more(body)
            .into_octets()
    }

    #[rstest]
    #[case::empty(b"", b".\r\n")]
    #[case::plain(b"a\r\n", b"a\r\n.\r\n")]
    #[case::lone_dot(b".\r\n", b"..\r\n.\r\n")]
    #[case::dots(b"..\r\n.x\r\n", b"...\r\n..x\r\n.\r\n")]
    #[case::dot_inside(b"a.\r\n", b"a.\r\n.\r\n")]
    #[case::dot_after_bare_lf(b"a\n.\r\n", b"a\n.\r\n.\r\n")]
    fn messages_are_stuffed(#[case] message: &[u8], #[case] sent: &[u8]) {
        assert_eq!(octets(Body::message(&mail(message))), sent);
    }

    #[rstest]
    #[case::header_only(0, b"S: x\r\n\r\n.\r\n")]
    #[case::one(1, b"S: x\r\n\r\n..1\r\n.\r\n")]
    #[case::all(2, b"S: x\r\n\r\n..1\r\n2\r\n.\r\n")]
    #[case::more_than_all(99, b"S: x\r\n\r\n..1\r\n2\r\n.\r\n")]
    #[case::huge(u64::MAX, b"S: x\r\n\r\n..1\r\n2\r\n.\r\n")]
    fn top_gives_the_header_and_so_many_lines(#[case] lines: u64, #[case] sent: &[u8]) {
        assert_eq!(
            octets(Body::top(&mail(b"S: x\r\n\r\n.1\r\n2\r\n"), lines)),
            sent
        );
    }

    #[rstest]
    #[case::no_empty_line(b"S: x\r\nT: y\r\n", b"S: x\r\nT: y\r\n.\r\n")]
    #[case::bare_lf(b"S: x\n\nbody\n", b"S: x\n\n\r\n.\r\n")]
    fn top_of_a_broken_message_is_terminated(#[case] message: &[u8], #[case] sent: &[u8]) {
        assert_eq!(octets(Body::top(&mail(message), 0)), sent);
    }

    #[test]
    fn a_long_message_comes_in_bounded_parts() {
        let big = mail(&b".23456789012345678901234567890\r\n".repeat(100_000));
        let mut body = Body::message(&big);
        let (mut sum, mut longest) = (0, 0);
        while let Some(part) = body.next_part() {
            sum += part.len();
            longest = longest.max(part.len());
        }
        assert_eq!(sum, 33 * 100_000 + 3);
        assert!(longest <= 2 * Body::PART, "{longest}");
    }

    #[test]
    fn a_status_line_is_printable_and_bounded() {
        let reply = Response::ok("ü\r\n+OK ".to_owned() + &"x".repeat(1000));
        assert_eq!(reply.status.len(), STATUS_LIMIT - 2);
        assert!(reply.status.starts_with("+OK +OK xxx"));
    }

    /// What RFC 1939 section 3 tells a client to do.
    fn unstuff(sent: &[u8]) -> Vec<u8> {
        let text = sent.strip_suffix(b".\r\n").unwrap();
        let mut message = Vec::new();
        let mut line_start = true;
        for &byte in text {
            if line_start && byte == b'.' {
                line_start = false;
                continue;
            }
            message.push(byte);
            line_start = message.ends_with(b"\r\n");
        }
        message
    }

    proptest! {
        #[test]
        fn a_client_gets_back_what_is_stored(
            pieces in prop::collection::vec(
                prop::sample::select(vec![&b"."[..], b"\r\n", b"\r", b"\n", b"a", b".."]), 0..60),
            padding in 0..Body::PART + 3,
        ) {
            let mut message = b"x".repeat(padding);
            message.extend(pieces.concat());
            let mail = mail(&message);
            let sent = octets(Body::message(&mail));
            prop_assert!(!sent.strip_suffix(b".\r\n").unwrap().windows(5).any(|w| w == b"\r\n.\r\n"));
            prop_assert_eq!(&unstuff(&sent), mail.octets().as_slice());
        }
    }
}
