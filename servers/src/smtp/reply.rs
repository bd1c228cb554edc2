//! Replies (RFC 5321 §4.2) and the reading of what a client was told in their place.

use crate::{engine, fault::Position};

/// A reply with what it means once the client has got it.
pub(super) struct Reply {
    pub(super) position: Position,
    pub(super) also: Option<Position>,
    pub(super) code: u16,
    /// RFC 2034; empty where it does not apply.
    pub(super) enhanced: &'static str,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn new(
        position: Position,
        code: u16,
        enhanced: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            position,
            also: None,
            code,
            enhanced,
            lines: vec![text.into()],
        }
    }

    /// First digit of the code.
    pub(super) fn class(&self) -> u8 {
        u8::try_from(self.code / 100).unwrap_or(0)
    }

    pub(super) fn into_wire(self, with_enhanced: bool) -> engine::Reply {
        let mut bytes = Vec::new();
        let last = self.lines.len().saturating_sub(1);
        for (index, line) in self.lines.iter().enumerate() {
            let mark = if index == last { ' ' } else { '-' };
            let mut text = format!("{}{mark}", self.code);
            if with_enhanced && !self.enhanced.is_empty() {
                text.push_str(self.enhanced);
                text.push(' ');
            }
            text.push_str(line);
            // RFC 5321 §4.5.3.1.5: at most 512 octets with CRLF. Texts may quote the client.
            let mut end = text.len().min(510);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        let reply = engine::Reply::new(self.position, bytes);
        match self.also {
            Some(also) => reply.also(also),
            None => reply,
        }
    }
}

/// First digit of the code that a client takes from these octets: that of the last whole line, if
/// it is the last line of a reply (RFC 5321 §4.2: three digits, and no hyphen after them).
pub(super) fn class_of(told: &[u8]) -> Option<u8> {
    let end = told.iter().rposition(|&byte| byte == b'\n')?;
    let last = told.get(..end)?.rsplit(|&byte| byte == b'\n').next()?;
    match last {
        [_, _, _, b'-' | b'0'..=b'9', ..] => None,
        [digit @ b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => Some(digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"250 ok\r\n", Some(2))]
    #[case(b"250-a\r\n550 b\r\n", Some(5))]
    #[case(b"421\r\n", Some(4))]
    #[case(b"250 O", None)]
    #[case(b"250 a\n\r", Some(2))]
    #[case(b"250-a\r\n25", None)]
    #[case(b"250-a\r\n", None)]
    #[case(b"250-a\r\n250-b\r\n", None)]
    #[case(b"2500 OK\r\n", None)]
    #[case(b"250OK\r\n", Some(2))]
    #[case(b"25 OK\r\n", None)]
    #[case(b"", None)]
    fn what_the_client_understands(#[case] told: &[u8], #[case] class: Option<u8>) {
        assert_eq!(class_of(told), class);
    }
}
