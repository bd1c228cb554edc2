//! The insides of a line: `${…}` and `{{…}}`.
//!
//! Only takes the text apart; what a name stands for is [`super::names`]' business.

mod escape;
mod hole;

pub use escape::unescape;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: SegmentKind,
}

/// What a part of a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Text that stands for itself.
    Literal(String),
    /// `${name}`: a path of keys.
    Name(Vec<String>),
    /// `${fill(N)}`: the expression N.
    Fill(String),
    /// `{{…}}`.
    Hole(Hole),
}

/// `{{…}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The name of the capture.
    pub name: Option<String>,
    /// What it matches.
    pub regex: String,
    /// Whether the value is a number.
    pub number: bool,
    /// Whether it matches any text at all (`{{*}}`).
    pub anything: bool,
    /// The term of a dispute that it stands for; then `regex` is empty.
    pub term: Option<String>,
    /// What stands between the braces, without the name.
    pub written: String,
}

/// The hole that stands for any number of lines.
pub const ANY_LINES: &str = "{{...}}";

/// Takes texts apart and reports what is wrong in them.
pub struct Reader<'a> {
    /// The file that the text stands in.
    pub file: &'a Arc<SourceFile>,
    /// Where mistakes go.
    pub found: &'a mut Diagnostics,
    /// Whether byte n of the text stands at byte n of its span. Not so in a TOML string with
    /// escapes: there a mistake is shown at the whole string.
    pub exact: bool,
}

impl Reader<'_> {
    /// A text with `${…}`.
    pub fn template(&mut self, text: &Text) -> Vec<Segment> {
        self.segments(text, false)
    }

    /// A text with `${…}` and `{{…}}`.
    pub fn pattern(&mut self, text: &Text) -> Vec<Segment> {
        self.segments(text, true)
    }

    fn segments(&mut self, text: &Text, holes: bool) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        let mut literal_at = 0;
        while let Some(rest) = text.value.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with("$${") {
                literal.push_str("${");
                at += 3;
                continue;
            }
            let part = if rest.starts_with("${") {
                Some(self.insert(text, at))
            } else if holes && rest.starts_with("{{") {
                Some(self.hole(text, at))
            } else {
                None
            };
            let Some(part) = part else {
                if let Some(c) = rest.chars().next() {
                    literal.push(c);
                    at += c.len_utf8();
                }
                continue;
            };
            if !literal.is_empty() {
                let kind = SegmentKind::Literal(std::mem::take(&mut literal));
                let span = self.span(text, literal_at, at);
                segments.push(Segment { span, kind });
            }
            let Some((kind, end)) = part else {
                return segments;
            };
            if let Some(kind) = kind {
                let span = self.span(text, at, end);
                segments.push(Segment { span, kind });
            }
            at = end;
            literal_at = end;
        }
        if !literal.is_empty() {
            let kind = SegmentKind::Literal(literal);
            let span = self.span(text, literal_at, at);
            segments.push(Segment { span, kind });
        }
        segments
    }

    fn span(&self, text: &Text, start: usize, end: usize) -> Span {
        if self.exact {
            Span::new(text.span.start + start, text.span.start + end)
        } else {
            text.span
        }
    }

    fn error(&mut self, code: &'static str, message: String, span: Span, help: &str) {
        let mut one = Diagnostic::error(code, message).at(self.file, span, "");
        if !help.is_empty() {
            one = one.help(help);
        }
        self.found.push(one);
    }

    /// `${…}` at `at`: what it is (nothing if that is wrong) and where it ends; nothing at all if
    /// it has no end.
    fn insert(&mut self, text: &Text, at: usize) -> Option<(Option<SegmentKind>, usize)> {
        let rest = text.value.get(at + 2..).unwrap_or_default();
        let Some(length) = unquoted_brace(rest) else {
            let span = self.span(text, at, text.value.len());
            let help = "for a literal `${` write `$${`";
            self.error(
                "open-insert",
                "this `${` has no closing `}`".into(),
                span,
                help,
            );
            return None;
        };
        let inner = rest.get(..length).unwrap_or_default().trim();
        let end = at + 2 + length + 1;
        let fill = inner
            .strip_prefix("fill(")
            .and_then(|rest| rest.strip_suffix(')'));
        let kind = match fill {
            Some(count) => Some(SegmentKind::Fill(count.to_owned())),
            None => path(inner).map(SegmentKind::Name),
        };
        if kind.is_none() {
            let span = self.span(text, at, end);
            let message = format!("`{inner}` is no name");
            let help = "write `${name}`, `${table.key}`, `${files[\"C:/a.txt\"].size}` or \
                        `${fill(N)}`; for a literal `${` write `$${`";
            self.error("bad-insert", message, span, help);
        }
        Some((kind, end))
    }
}

/// Length of the text before the `}` that is not within quotes.
fn unquoted_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '}') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A lone quote is no reason to swallow the line.
    text.find('}')
}

/// `a.b["c"].d` as its keys.
fn path(text: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix("[\"").filter(|_| !keys.is_empty()) {
            let (key, after) = quoted.split_once("\"]")?;
            keys.push(key.to_owned());
            rest = after;
        } else {
            let rest_of = match rest.strip_prefix('.') {
                Some(after) if !keys.is_empty() => after,
                None if keys.is_empty() => rest,
                _ => return None,
            };
            let length = rest_of
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                .unwrap_or(rest_of.len());
            let (key, after) = rest_of.split_at(length);
            if key.is_empty() {
                return None;
            }
            keys.push(key.to_owned());
            rest = after;
        }
        if rest.is_empty() {
            return Some(keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(text: &str) -> (Vec<Segment>, String) {
        let file = Arc::new(SourceFile::new("a.att", text));
        let mut found = Diagnostics::new();
        let mut reader = Reader {
            file: &file,
            found: &mut found,
            exact: true,
        };
        let segments = reader.pattern(&Text::new(0..text.len(), text.to_owned()));
        (
            segments,
            found.iter().map(|one| one.message.clone()).collect(),
        )
    }

    #[rstest]
    #[case("a${b}c", r#"a|b|c"#)]
    #[case("$${b} $ {", "${b} $ {")]
    #[case(r#"${files["C:/a}.txt"].size}"#, "files/C:/a}.txt/size")]
    #[case("${fill(limits.subject + 1)}x", "fill limits.subject + 1|x")]
    #[case(
        "+POP3: {{n:int}}{{=/,? ?/}}{{size:int}}",
        "+POP3: |n=-?[0-9]+|=,? ?|size=-?[0-9]+"
    )]
    #[case("{{*}} from", "=[^\\r\\n]*| from")]
    #[case("{{x=/a{1,2}/}}}", "x=a{1,2}|}")]
    #[case("+SMTP: {{x:smtp.misbehaviour}}", "+SMTP: |x=")]
    fn segments(#[case] text: &str, #[case] expected: &str) {
        let (segments, messages) = read(text);
        let shown: Vec<String> = segments
            .iter()
            .map(|segment| match &segment.kind {
                SegmentKind::Literal(text) => text.clone(),
                SegmentKind::Name(keys) => keys.join("/"),
                SegmentKind::Fill(count) => format!("fill {count}"),
                SegmentKind::Hole(hole) => {
                    format!(
                        "{}={}",
                        hole.name.as_deref().unwrap_or_default(),
                        hole.regex
                    )
                }
            })
            .collect();
        assert_eq!(shown.join("|"), expected);
        assert_eq!(messages, "");
    }

    #[rstest]
    #[case("${", "this `${` has no closing `}`")]
    #[case("${a b}", "`a b` is no name")]
    #[case("${}", "`` is no name")]
    #[case("${.a}", "`.a` is no name")]
    #[case("{{x:itn}}", "unknown kind of hole `itn`")]
    #[case("{{x}}", "`{{x}}` is no hole")]
    #[case("{{x=/(/}}", "`(` is no regular expression")]
    #[case(
        "{{x=/(a)/}}",
        "a regular expression in a hole has no groups of its own"
    )]
    #[case("{{x=/^a/}}", "a regular expression in a hole has no anchors")]
    #[case("{{x=/a", "this `{{` has no closing `/}}`")]
    #[case(
        "a {{...}}",
        "`{{...}}` stands for whole lines, so it must stand alone"
    )]
    #[case("{{smtp:int}}", "a capture cannot be called `smtp`")]
    fn mistakes(#[case] text: &str, #[case] message: &str) {
        assert_eq!(read(text).1, message);
    }
}
