//! One MIME part (RFC 2045, RFC 2046): its header, its body, and where its children begin.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};
use std::borrow::Cow;

/// Octets of a part's header that are read.
const HEADER_LIMIT: usize = 64 * 1024;

/// A part, or a whole message.
pub(super) struct Part<'a> {
    header: Option<Message<'a>>,
    body: &'a [u8],
    /// Whether it is a message unless it says otherwise (RFC 2046 section 5.1.5).
    in_digest: bool,
}

/// What kind of body a part has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Other parts, divided by a boundary.
    Multipart {
        boundary: String,
        alternative: bool,
        digest: bool,
    },
    /// Something to read.
    Text { html: bool },
    /// Anything else.
    Other,
}

/// How a part wants to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    Inline,
    Attachment,
}

impl<'a> Part<'a> {
    pub(super) fn new(octets: &'a [u8], in_digest: bool) -> Self {
        let (header, body) = octets
            .split_at_checked(header_length(octets))
            .unwrap_or((octets, b""));
        let header = header.get(..HEADER_LIMIT).unwrap_or(header);
        let header = if header.trim_ascii().is_empty() {
            None
        } else {
            MessageParser::new()
                .parse_headers(header)
                .filter(|message| !message.parts.is_empty())
        };
        Self {
            header,
            body,
            in_digest,
        }
    }

    /// The body as it came.
    pub(super) fn body(&self) -> &'a [u8] {
        self.body
    }

    pub(super) fn shape(&self) -> Shape {
        let Some(content_type) = self.content_type() else {
            return if self.in_digest {
                Shape::Other
            } else {
                Shape::Text { html: false }
            };
        };
        let subtype = content_type.subtype().unwrap_or_default();
        let is = |name: &str| content_type.ctype().eq_ignore_ascii_case(name);
        match content_type.attribute("boundary") {
            Some(boundary) if is("multipart") && !boundary.is_empty() => Shape::Multipart {
                boundary: boundary.to_owned(),
                alternative: subtype.eq_ignore_ascii_case("alternative"),
                digest: subtype.eq_ignore_ascii_case("digest"),
            },
            // A multipart without a boundary is one readable piece.
            _ if is("text") || is("multipart") => Shape::Text {
                html: subtype.eq_ignore_ascii_case("html"),
            },
            _ => Shape::Other,
        }
    }

    /// A part with a file name is a file, whatever else it says.
    pub(super) fn disposition(&self) -> Disposition {
        let disposition = self
            .header
            .as_ref()
            .and_then(MimeHeaders::content_disposition);
        let attached =
            disposition.is_some_and(|value| value.ctype().eq_ignore_ascii_case("attachment"));
        if attached || self.file_name().is_some() {
            Disposition::Attachment
        } else {
            Disposition::Inline
        }
    }

    /// The file name that it offers.
    pub(super) fn file_name(&self) -> Option<String> {
        self.header.as_ref()?.attachment_name().map(str::to_owned)
    }

    /// The body without its transfer encoding; as it came if that cannot be undone.
    pub(super) fn decoded(&self) -> Cow<'a, [u8]> {
        let encoding = self
            .header
            .as_ref()
            .and_then(|header| header.content_transfer_encoding());
        let decoded = match encoding.map(str::trim) {
            Some(name) if name.eq_ignore_ascii_case("base64") => base64_decode(self.body),
            Some(name) if name.eq_ignore_ascii_case("quoted-printable") => {
                quoted_printable_decode(self.body)
            }
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    /// The text in UTF-8, if its character set is known; decoded only otherwise.
    pub(super) fn text(&self) -> Cow<'a, [u8]> {
        let decoded = self.decoded();
        let charset = self
            .content_type()
            .and_then(|value| value.attribute("charset"));
        match charset.and_then(|name| charset_decoder(name.as_bytes())) {
            Some(decode) if std::str::from_utf8(&decoded).is_err() || !decoded.is_ascii() => {
                Cow::Owned(decode(&decoded).into_bytes())
            }
            _ => decoded,
        }
    }

    /// The first `limit` parts between the boundary lines. The last one may lack its end.
    pub(super) fn split(&self, boundary: &str, limit: usize) -> Vec<&'a [u8]> {
        let mut children = Vec::new();
        let mut start = None;
        let mut offset = 0;
        for line in self.body.split_inclusive(|byte| *byte == b'\n') {
            let line_start = offset;
            offset += line.len();
            let Some(rest) = line
                .strip_prefix(b"--")
                .and_then(|line| line.strip_prefix(boundary.as_bytes()))
            else {
                continue;
            };
            let rest = rest.trim_ascii();
            if !rest.is_empty() && rest != b"--" {
                continue;
            }
            if let Some(start) = start {
                children.push(without_line_end(
                    self.body.get(start..line_start).unwrap_or_default(),
                ));
            }
            start = rest.is_empty().then_some(offset);
            if start.is_none() || children.len() >= limit {
                return children;
            }
        }
        if let Some(start) = start {
            children.push(self.body.get(start..).unwrap_or_default());
        }
        children
    }

    fn content_type(&self) -> Option<&ContentType<'_>> {
        self.header.as_ref()?.content_type()
    }
}

/// Length of the header with the empty line that ends it.
fn header_length(octets: &[u8]) -> usize {
    let mut length = 0;
    for line in octets.split_inclusive(|byte| *byte == b'\n') {
        length += line.len();
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    length
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(octets: &[u8]) -> &[u8] {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.strip_suffix(b"\r").unwrap_or(octets)
}
