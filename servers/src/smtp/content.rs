//! What is in a message (RFC 5322, MIME), for checks, and what is wrong with it.

use super::incoming::hex;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use serde_json::{Map, Value, json};
use sha2::Digest as _;

/// How much of the raw text and of the body is kept.
const TEXT: usize = 64 * 1024;
/// How many header fields and attachments are kept.
const PARTS: usize = 200;
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

/// What is wrong with a message as RFC 5322, RFC 2045 and secrecy (RFC 5321 §7.2) go.
pub(super) fn lints(message: &[u8]) -> Vec<(&'static str, String)> {
    let mut lints = Vec::new();
    let head = header_block(message);
    let fields = fields(head);
    let count = |name: &str| {
        let names = fields.iter().copied().filter_map(field_name);
        names.filter(|it| it.eq_ignore_ascii_case(name)).count()
    };
    for name in ["Date", "From"] {
        if count(name) == 0 {
            let message = format!("the message has no {name} field (RFC 5322 §3.6)");
            lints.push(("smtp.header-missing", message));
        }
    }
    let once = [
        "Date",
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Subject",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    for name in once {
        if count(name) > 1 {
            let message = format!("the message has {} {name} fields", count(name));
            lints.push(("smtp.header-duplicate", message));
        }
    }
    if count("Bcc") > 0 {
        lints.push((
            "smtp.bcc-header",
            "the message names its blind recipients in a Bcc field".into(),
        ));
    }
    if let Some(bad) = fields.iter().find(|field| field_name(field).is_none()) {
        let message = format!("{:?} is no header field", cut(bad, 80));
        lints.push(("smtp.header-malformed", message));
    }
    if (count("Content-Type") > 0 || count("Content-Transfer-Encoding") > 0)
        && count("MIME-Version") == 0
    {
        let message = "the message has MIME fields without MIME-Version (RFC 2045 §4)";
        lints.push(("smtp.mime-version", message.into()));
    }
    if let Some(problem) = multipart_problem(&fields, message.get(head.len()..)) {
        lints.push(("smtp.mime-boundary", problem));
    }
    lints
}

/// The octets before the first empty line. Where lines end with a bare line feed, an empty line is
/// one all the same: `smtp.body-bare-lf` speaks of that fault, and it is not to be taken for others.
fn header_block(message: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        end += line.len();
    }
    message.get(..end).unwrap_or(message)
}

/// The header's fields, each still folded.
fn fields(head: &[u8]) -> Vec<&str> {
    // Fields that are not UTF-8 are left out here: `smtp.8bit-without-8bitmime` speaks of them.
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        let folded = matches!(head.get(next), Some(b' ' | b'\t'));
        if !folded {
            if let Some(field) = head.get(start..next)
                && let Ok(field) = std::str::from_utf8(field)
            {
                fields.push(field.trim_end_matches(['\r', '\n']));
            }
            start = next;
        }
        at = next;
        if fields.len() > PARTS {
            break;
        }
    }
    fields
}

/// Its name, if it is a header field at all (RFC 5322 §2.2).
fn field_name(field: &str) -> Option<&str> {
    let (name, _) = field.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let fine = !name.is_empty() && name.bytes().all(|byte| matches!(byte, 33..=126));
    fine.then_some(name)
}

fn multipart_problem(fields: &[&str], body: Option<&[u8]>) -> Option<String> {
    let field = fields.iter().find(|field| {
        field_name(field).is_some_and(|name| name.eq_ignore_ascii_case("Content-Type"))
    })?;
    let value = unfold(field.split_once(':')?.1);
    if !value.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    let Some(at) = lower.find("boundary=") else {
        return Some("multipart without a boundary (RFC 2046 §5.1.1)".into());
    };
    let rest = value.get(at + "boundary=".len()..)?;
    let boundary = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([';', ' ', '\t']).next()?,
    };
    if boundary.is_empty() || boundary.len() > 70 {
        return Some("a boundary must have 1 to 70 characters (RFC 2046 §5.1.1)".into());
    }
    let has = |needle: String| {
        let body = body.unwrap_or_default();
        body.windows(needle.len())
            .any(|part| part == needle.as_bytes())
    };
    if !has(format!("\r\n--{boundary}")) {
        return Some(format!("no part begins with the boundary {boundary:?}"));
    }
    if !has(format!("\r\n--{boundary}--")) {
        return Some(format!("the boundary {boundary:?} is never closed"));
    }
    None
}

/// Takes the folding out and the blanks around off.
fn unfold(raw: &str) -> String {
    raw.replace("\r\n", "")
        .replace(['\r', '\n'], "")
        .trim()
        .to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first `limit` octets, less what would cut a character.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: &str = "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: \"A\" <a@b.test>\r\n\
        To: c@d.test\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n folded\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"xx\"\r\n\r\n\
        --xx\r\nContent-Type: text/plain\r\n\r\nhello\r\n.dot\r\n--xx\r\n\
        Content-Type: application/octet-stream; name=\"a.bin\"\r\n\
        Content-Disposition: attachment; filename=\"a.bin\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--xx--\r\n";

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
    #[case("To: c@d.test\r\n", "Bcc: x@y.test\r\n", "smtp.bcc-header")]
    #[case("To: c@d.test\r\n", "To: a@b\r\nTo: c@d\r\n", "smtp.header-duplicate")]
    #[case("From: ", "X-From: ", "smtp.header-missing")]
    #[case("MIME-Version: 1.0\r\n", "", "smtp.mime-version")]
    #[case("--xx--", "--xx", "smtp.mime-boundary")]
    #[case("boundary=\"xx\"", "boundary=\"yy\"", "smtp.mime-boundary")]
    #[case("; boundary=\"xx\"", "", "smtp.mime-boundary")]
    #[case("To: c@d.test\r\n", "no field\r\n", "smtp.header-malformed")]
    fn what_is_wrong_is_named(#[case] from: &str, #[case] to: &str, #[case] id: &str) {
        let message = GOOD.replacen(from, to, 1);
        let found = lints(message.as_bytes());
        let ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [id], "{found:?}");
    }

    #[test]
    fn a_bare_line_feed_ends_the_header_too() {
        let message = "Date: Tue, 9 Mar 2010 17:11:30 +0800\nFrom: a@b.test\n\nBcc: said he\n";
        assert_eq!(lints(message.as_bytes()), []);
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
