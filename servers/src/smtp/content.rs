//! What is in a message (RFC 5322, MIME), for checks.

use super::incoming::hex;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use serde_json::{Map, Value, json};
use sha2::Digest as _;

/// How much of the raw text and of the body is kept.
const TEXT: usize = 64 * 1024;
/// How many header fields and attachments are kept.
pub(super) const PARTS: usize = 200;
/// How much of one header field is kept.
const FIELD: usize = 8 * 1024;

/// What is in a message.
pub(super) struct Digest {
    headers: Map<String, Value>,
    header_lines: Vec<String>,
    body: String,
    raw: String,
    attachments: Vec<Value>,
}

impl Digest {
    /// Reads a message. There is no message that cannot be read.
    pub(super) fn read(message: &[u8]) -> Self {
        let parser = MessageParser::new()
            .with_mime_headers()
            .default_header_text();
        let mut digest = Self {
            headers: Map::new(),
            header_lines: Vec::new(),
            body: String::new(),
            raw: text(message.get(..TEXT).unwrap_or(message)),
            attachments: Vec::new(),
        };
        let Some(parsed) = parser.parse(message) else {
            return digest;
        };
        for header in parsed.headers().iter().take(PARTS) {
            let span = header.offset_start as usize..header.offset_end as usize;
            let raw = text(message.get(span).unwrap_or_default());
            let unfolded = unfold(&raw);
            let decoded = match header.value() {
                HeaderValue::Text(value) => value.to_string(),
                HeaderValue::TextList(values) => values.join(" "),
                _ => unfolded.clone(),
            };
            let name = header.name().to_ascii_lowercase();
            let value = cut(decoded.trim(), FIELD).to_owned();
            // The first one counts; `header_lines` has them all.
            digest
                .headers
                .entry(name)
                .or_insert_with(|| Value::String(value));
            let line = format!("{}: {unfolded}", header.name());
            digest.header_lines.push(cut(&line, FIELD).to_owned());
        }
        if let Some(body) = parsed.body_text(0) {
            digest.body = cut(&body, TEXT).replace("\r\n", "\n");
        }
        for part in parsed.attachments().take(PARTS) {
            let kind = part.content_type().map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()),
                None => kind.ctype().to_owned(),
            });
            digest.attachments.push(json!({
                "name": part.attachment_name().unwrap_or_default(),
                "type": kind.unwrap_or_default().to_ascii_lowercase(),
                "size": part.contents().len(),
                "sha256": hex(&sha2::Sha256::digest(part.contents())),
            }));
        }
        digest
    }

    /// About how much memory it takes.
    pub(super) fn octets(&self) -> usize {
        let lines: usize = self.header_lines.iter().map(String::len).sum();
        2 * lines + self.body.len() + self.raw.len() + 256 * self.attachments.len()
    }
}

/// Adds what is in a message to its view.
pub(super) fn add(view: &mut Value, digest: &Digest) {
    if let Value::Object(view) = view {
        view.insert("headers".into(), digest.headers.clone().into());
        view.insert("header_lines".into(), digest.header_lines.clone().into());
        view.insert("body".into(), digest.body.clone().into());
        view.insert("raw".into(), digest.raw.clone().into());
        view.insert("attachments".into(), digest.attachments.clone().into());
    }
}

/// Takes the folding out and the blanks around off.
pub(super) fn unfold(raw: &str) -> String {
    raw.replace("\r\n", "")
        .replace(['\r', '\n'], "")
        .trim()
        .to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first `limit` octets, less what would cut a character.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::form::{lints, tests::GOOD};
    use rstest::rstest;

    #[test]
    fn a_message_is_read_for_checks() {
        let mut view = json!({});
        add(&mut view, &Digest::read(GOOD.as_bytes()));
        assert_eq!(view["headers"]["subject"], "Grüße folded");
        assert_eq!(view["headers"]["from"], "\"A\" <a@b.test>");
        assert_eq!(
            view["headers"]["content-type"],
            "multipart/mixed; boundary=\"xx\""
        );
        assert_eq!(
            view["header_lines"][3],
            "Subject: =?utf-8?B?R3LDvMOfZQ==?= folded"
        );
        assert_eq!(view["body"], "hello\n.dot");
        assert_eq!(
            view["attachments"],
            json!([{
                "name": "a.bin",
                "type": "application/octet-stream",
                "size": 3,
                "sha256": "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc",
            }])
        );
        assert_eq!(lints(GOOD.as_bytes()), []);
    }

    #[rstest]
    #[case(b"")]
    #[case(b"\r\n")]
    #[case(b"no header at all")]
    #[case(b"Subject: x")]
    #[case(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a")]
    fn odd_messages_are_read_too(#[case] message: &[u8]) {
        let digest = Digest::read(message);
        assert_eq!(digest.raw.as_bytes(), message);
        assert!(!lints(message).is_empty());
    }
}
