//! A received message, taken apart.
//!
//! The structure is walked here rather than by the MIME library, because a stranger chooses how
//! deep and how wide it is; the library reads single headers and decodes single bodies.

use super::HeaderFields;
use super::part::{Disposition, Part, Shape};

/// Levels of multipart that are opened; what is deeper is kept as it is.
const DEPTH_LIMIT: usize = 16;

/// Parts that are looked at, over all levels; the rest is passed over.
const PARTS_LIMIT: usize = 1_000;

/// Attachments that are taken out; the rest is passed over.
const ATTACHMENTS_LIMIT: usize = 256;

/// A received message, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// The header fields that the module shows.
    pub fields: HeaderFields,
    /// The text: decoded, in UTF-8 if its character set is known and as it came otherwise. The
    /// plain text if there is any, else the text of the HTML.
    pub text: Vec<u8>,
    /// The attachments, in order, at most 256.
    pub attachments: Vec<LetterAttachment>,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterAttachment {
    /// The name that the message offers, decoded but not to be trusted; see
    /// [`super::FileNames::assign`].
    pub name: Option<String>,
    /// Its octets, decoded; as they came if they cannot be decoded.
    pub bytes: Vec<u8>,
}

impl Letter {
    /// Takes `message` apart. Whatever it is, the result is bounded by its size, and so is the
    /// time it takes.
    #[must_use]
    pub fn parse(message: &[u8]) -> Self {
        let mut walk = Walk {
            parts: 0,
            plain: Vec::new(),
            html: None,
            attachments: Vec::new(),
        };
        walk.visit(&Part::new(message, false), 0, false);
        let text = match (walk.plain.is_empty(), walk.html) {
            (true, Some(html)) => html.into_bytes(),
            _ => walk.plain,
        };
        Self {
            fields: HeaderFields::parse(message),
            text,
            attachments: walk.attachments,
        }
    }

    /// What `AT+POP3READ` prints, and what lies in the message's file: `Date`, `From`, `To` and
    /// `Subject` as far as the message has them, an empty line, the text (note section 4.4).
    #[must_use]
    pub fn listing(&self) -> Vec<u8> {
        let HeaderFields {
            date,
            from,
            to,
            subject,
        } = &self.fields;
        let mut out = Vec::with_capacity(self.text.len() + 512);
        for (name, value) in [
            ("Date", date),
            ("From", from),
            ("To", to),
            ("Subject", subject),
        ] {
            if let Some(value) = value {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b": ");
                out.extend_from_slice(value);
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.text);
        out
    }
}

/// What has been found on the way through the parts.
struct Walk {
    parts: usize,
    plain: Vec<u8>,
    html: Option<String>,
    attachments: Vec<LetterAttachment>,
}

impl Walk {
    fn visit(&mut self, part: &Part<'_>, depth: usize, in_alternative: bool) {
        if self.parts >= PARTS_LIMIT {
            return;
        }
        self.parts += 1;
        match part.shape() {
            Shape::Multipart {
                boundary,
                alternative,
                digest,
            } if depth < DEPTH_LIMIT => {
                let children = part.split(&boundary, PARTS_LIMIT.saturating_sub(self.parts));
                if children.is_empty() {
                    // The boundary never comes: whatever this is, it can be read.
                    self.add_text(part.body());
                }
                for child in children {
                    self.visit(
                        &Part::new(child, digest),
                        depth + 1,
                        in_alternative || alternative,
                    );
                }
            }
            Shape::Text { html } if part.disposition() == Disposition::Inline => {
                let text = part.text();
                if !html {
                    self.add_text(&text);
                } else if self.html.is_none() && (in_alternative || self.plain.is_empty()) {
                    self.html = Some(html_text(&text));
                } else {
                    self.attach(part);
                }
            }
            Shape::Multipart { .. } | Shape::Text { .. } | Shape::Other => self.attach(part),
        }
    }

    fn add_text(&mut self, text: &[u8]) {
        if !self.plain.is_empty() && !self.plain.ends_with(b"\n") {
            self.plain.extend_from_slice(b"\r\n");
        }
        self.plain.extend_from_slice(text);
    }

    fn attach(&mut self, part: &Part<'_>) {
        if self.attachments.len() < ATTACHMENTS_LIMIT {
            let bytes = part.decoded().into_owned();
            self.attachments.push(LetterAttachment {
                name: part.file_name(),
                bytes,
            });
        }
    }
}

fn html_text(html: &[u8]) -> String {
    let text = mail_parser::decoders::html::html_to_text(&String::from_utf8_lossy(html));
    let lines: Vec<_> = text.lines().collect();
    lines.join("\r\n")
}
