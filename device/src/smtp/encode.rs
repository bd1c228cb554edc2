//! Encodings of header fields and of the body text.
//!
//! Whatever was set on the AT interface comes in here, so this is also where a header field cannot
//! be broken out of: control characters never pass.

use super::Address;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fmt::Write;

/// The longest line without its line end (RFC 5322 section 2.1.1).
const LINE_LIMIT: usize = 998;

/// A header value up to this length is written on one line; with a field name and an address
/// beside it the line stays below [`LINE_LIMIT`].
const VALUE_LIMIT: usize = 600;

/// Octets of one section of a file name parameter.
const SECTION_LIMIT: usize = 200;

/// Octets of text in one encoded word, so that it has at most 75 characters.
const WORD_OCTETS: usize = 45;

/// An unstructured field value (`Subject`): as it is if it is plain, in encoded words otherwise.
pub(super) fn unstructured(text: &str) -> String {
    let text = without_controls(text);
    if is_plain(&text) && text.trim() == text {
        text
    } else {
        encoded_words(&text)
    }
}

/// `"name" <address>`, or only the address.
pub(super) fn mailbox(mailbox: &Address) -> String {
    let address: String = mailbox
        .address
        .chars()
        .filter(|character| character.is_ascii_graphic() && !matches!(character, '<' | '>'))
        .take(320)
        .collect();
    let name = without_controls(&mailbox.name);
    if name.is_empty() {
        return address;
    }
    if is_plain(&name) && name.len() <= VALUE_LIMIT / 4 {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    format!("{}\r\n <{address}>", encoded_words(&name))
}

/// The parameters that name a file, for `Content-Type` and `Content-Disposition`. A name that
/// cannot be quoted goes into RFC 2231 parameters.
pub(super) fn file_name_parameters(name: &str) -> (String, String) {
    let name = without_controls(name);
    if is_plain(&name) && name.len() <= VALUE_LIMIT && !name.contains(['"', '\\']) {
        return (
            format!(";\r\n name=\"{name}\""),
            format!(";\r\n filename=\"{name}\""),
        );
    }
    let mut sections = vec![String::new()];
    for character in name.chars() {
        let escaped = percent_encoded(character);
        match sections.last_mut() {
            // A section ends between two characters, for readers that decode them one by one.
            Some(section) if section.len() + escaped.len() <= SECTION_LIMIT => {
                section.push_str(&escaped);
            }
            _ => sections.push(escaped),
        }
    }
    let mut parameters = String::new();
    let single = sections.len() == 1;
    for (index, section) in sections.iter().enumerate() {
        let number = if single {
            String::new()
        } else {
            format!("*{index}")
        };
        let charset = if index == 0 { "utf-8''" } else { "" };
        parameters.push_str(&format!(";\r\n filename{number}*={charset}{section}"));
    }
    (String::new(), parameters)
}

/// A character in RFC 2231 form.
fn percent_encoded(character: char) -> String {
    if character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_') {
        return character.to_string();
    }
    let mut utf8 = [0; 4];
    character
        .encode_utf8(&mut utf8)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

/// The body text with its transfer encoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BodyText {
    pub(super) charset: &'static str,
    pub(super) transfer_encoding: &'static str,
    pub(super) octets: Vec<u8>,
}

impl BodyText {
    /// Plain text goes as it is; anything else as quoted-printable, so that it passes servers
    /// without 8BITMIME and any line length.
    pub(super) fn new(text: &str) -> Self {
        let text = with_line_ends(text);
        let charset = if text.is_ascii() { "us-ascii" } else { "utf-8" };
        let fits = text.split("\r\n").all(|line| line.len() <= LINE_LIMIT);
        if text.is_ascii() && fits && !text.contains('\0') {
            return Self {
                charset,
                transfer_encoding: "7bit",
                octets: text.into_bytes(),
            };
        }
        let octets = quoted_printable(&text).into_bytes();
        Self {
            charset,
            transfer_encoding: "quoted-printable",
            octets,
        }
    }
}

/// CR LF, lone CR and lone LF all end a line.
fn with_line_ends(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            other => out.push(other),
        }
    }
    out
}

/// RFC 2045 section 6.7, for text with CR LF line ends.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3 / 2);
    for (index, line) in text.split("\r\n").enumerate() {
        if index > 0 {
            out.push_str("\r\n");
        }
        let mut width = 0;
        for (at, byte) in line.bytes().enumerate() {
            let literal = match byte {
                b'=' => false,
                b' ' | b'\t' => at + 1 < line.len(),
                _ => byte.is_ascii_graphic(),
            };
            let cost = if literal { 1 } else { 3 };
            if width + cost > 75 {
                out.push_str("=\r\n");
                width = 0;
            }
            width += cost;
            if literal {
                out.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(out, "={byte:02X}");
            }
        }
    }
    out
}

/// Encoded words of UTF-8 text, folded.
fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if word.len() + character.len_utf8() > WORD_OCTETS {
            words.push(std::mem::take(&mut word));
        }
        word.push(character);
    }
    words.push(word);
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

/// Whether it can stand in a header field as it is, on one line, and is read as what it is.
fn is_plain(text: &str) -> bool {
    text.is_ascii() && text.len() <= VALUE_LIMIT && !text.contains("=?")
}

fn without_controls(text: &str) -> String {
    text.replace('\t', " ")
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("First Email", "First Email")]
    #[case::empty("", "")]
    #[case::injection("a\r\nBcc: evil@x\0", "aBcc: evil@x")]
    #[case::tab("a\tb", "a b")]
    #[case::edge_blanks(" a", "=?utf-8?B?IGE=?=")]
    #[case::lookalike("=?utf-8?Q?a?=", "=?utf-8?B?PT91dGYtOD9RP2E/PQ==?=")]
    #[case::umlaut("Grüße", "=?utf-8?B?R3LDvMOfZQ==?=")]
    fn subjects(#[case] text: &str, #[case] value: &str) {
        assert_eq!(unstructured(text), value);
    }

    #[rstest]
    #[case::name("mike", "mike@server.com", "\"mike\" <mike@server.com>")]
    #[case::no_name("", "mike@server.com", "mike@server.com")]
    #[case::quotes("a \"b\" \\", "m@s", "\"a \\\"b\\\" \\\\\" <m@s>")]
    #[case::injection("a\r\nX: y", "m@s>\r\nX: <y", "\"aX: y\" <m@sX:y>")]
    #[case::umlaut("Jörg", "m@s", "=?utf-8?B?SsO2cmc=?=\r\n <m@s>")]
    fn mailboxes(#[case] name: &str, #[case] address: &str, #[case] written: &str) {
        assert_eq!(mailbox(&Address::new(address, name)), written);
    }

    #[rstest]
    #[case::plain("a b.jpg", ";\r\n filename=\"a b.jpg\"")]
    #[case::quote("a\"b", ";\r\n filename*=utf-8''a%22b")]
    #[case::umlaut("ü.txt", ";\r\n filename*=utf-8''%C3%BC.txt")]
    #[case::injection("a\r\nX: y", ";\r\n filename=\"aX: y\"")]
    fn file_names(#[case] name: &str, #[case] disposition: &str) {
        assert_eq!(file_name_parameters(name).1, disposition);
    }

    #[rstest]
    #[case::plain("This is the first Email!", "7bit", "This is the first Email!")]
    #[case::line_ends("a\nb\rc\r\n.\r\n", "7bit", "a\r\nb\r\nc\r\n.\r\n")]
    #[case::longest_line(&"x".repeat(998), "7bit", &"x".repeat(998))]
    #[case::too_long(
        &"x".repeat(999),
        "quoted-printable",
        &(format!("{}=\r\n", "x".repeat(75)).repeat(13) + &"x".repeat(24))
    )]
    #[case::nul("a\0b", "quoted-printable", "a=00b")]
    #[case::umlaut("ü = \r\nx", "quoted-printable", "=C3=BC =3D=20\r\nx")]
    fn bodies(#[case] text: &str, #[case] encoding: &str, #[case] octets: &str) {
        let body = BodyText::new(text);
        assert_eq!(body.transfer_encoding, encoding);
        assert_eq!(String::from_utf8(body.octets).unwrap(), octets);
    }
}
