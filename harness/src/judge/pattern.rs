//! Line patterns with the values of captures filled in, ready to be matched.

use crate::scenario::case::{Pattern, Piece, Template, TemplatePart};
use regex::bytes::Regex;
use std::collections::BTreeMap;

/// Values of the captures so far.
pub type Captures = BTreeMap<String, Captured>;

/// The value of one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The text as it stood in the line; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Whether checks see a number.
    pub number: bool,
}

/// A pattern that can be matched against lines.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Any number of lines.
    AnyLines,
    /// A line without holes: exactly these bytes.
    Exact(Vec<u8>),
    /// A line with holes; the names of its captures, and whether each is a number.
    Holes(Regex, Vec<(String, bool)>),
}

/// Why a pattern or text cannot be used: both are faults of the scenario that lint would find.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// A capture has no value yet.
    #[error("capture `{0}` has no value yet")]
    Unset(String),
    /// The regular expression cannot be compiled.
    #[error("failed to compile the pattern: {0}")]
    Regex(#[from] regex::Error),
}

impl Matcher {
    /// Fills in the captures and compiles the pattern.
    ///
    /// # Errors
    /// A capture without a value, or a regular expression that does not compile.
    pub fn new(pattern: &Pattern, captures: &Captures) -> Result<Self, PatternError> {
        let Pattern::Line(pieces) = pattern else {
            return Ok(Self::AnyLines);
        };
        let mut exact = Vec::new();
        let mut source = String::from("^");
        let mut names = Vec::new();
        let mut holes = false;
        for piece in pieces {
            match piece {
                Piece::Text(template) => {
                    let bytes = fill(template, captures)?;
                    push_literal(&mut source, &bytes);
                    exact.extend_from_slice(&bytes);
                }
                Piece::Hole {
                    name,
                    regex,
                    number,
                    ..
                } => {
                    holes = true;
                    match name {
                        Some(name) => {
                            source.push_str(&format!("(?P<hole{}>", names.len()));
                            names.push((name.clone(), *number));
                        }
                        None => source.push_str("(?:"),
                    }
                    source.push_str(regex);
                    source.push(')');
                }
            }
        }
        if !holes {
            return Ok(Self::Exact(exact));
        }
        source.push('$');
        Ok(Self::Holes(Regex::new(&source)?, names))
    }

    /// Whether the line matches, and the captures that it gives.
    pub fn matches(&self, line: &[u8]) -> Option<Vec<(String, Captured)>> {
        match self {
            Self::AnyLines => Some(Vec::new()),
            Self::Exact(bytes) => (line == bytes.as_slice()).then(Vec::new),
            Self::Holes(regex, names) => {
                let found = regex.captures(line)?;
                let value = |at: usize| {
                    // By name: the expression may have groups of its own.
                    let bytes = found
                        .name(&format!("hole{at}"))
                        .map(|group| group.as_bytes());
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                Some(
                    names
                        .iter()
                        .enumerate()
                        .map(|(at, (name, number))| {
                            (
                                name.clone(),
                                Captured {
                                    text: value(at),
                                    number: *number,
                                },
                            )
                        })
                        .collect(),
                )
            }
        }
    }

    /// Whether what has arrived without a line end is a prompt that this waits for: prompts begin
    /// with `>`, and a blank may follow.
    pub fn matches_prompt(&self, open: &[u8]) -> bool {
        let text = open.trim_ascii_start();
        text.first() == Some(&b'>')
            && !matches!(self, Self::AnyLines)
            && (self.matches(text).is_some() || self.matches(text.trim_ascii_end()).is_some())
    }
}

/// The pattern for people: captures filled in, each hole as `{{…}}` with what it takes. `None` if a
/// capture has no value.
pub fn describe(pattern: &Pattern, captures: &Captures) -> Option<String> {
    let Pattern::Line(pieces) = pattern else {
        return Some("{{...}}".to_owned());
    };
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(template) => {
                out.push_str(&String::from_utf8_lossy(&fill(template, captures).ok()?));
            }
            Piece::Hole { name, written, .. } => match name {
                Some(name) => out.push_str(&format!("{{{{{name}{written}}}}}")),
                None => out.push_str(&format!("{{{{{written}}}}}")),
            },
        }
    }
    Some(out)
}

/// The bytes of a template.
///
/// # Errors
/// A capture without a value.
pub fn fill(template: &Template, captures: &Captures) -> Result<Vec<u8>, PatternError> {
    let mut out = Vec::new();
    for part in &template.0 {
        match part {
            TemplatePart::Bytes(bytes) => out.extend_from_slice(bytes),
            TemplatePart::Capture(name) => match captures.get(name) {
                Some(captured) => out.extend_from_slice(captured.text.as_bytes()),
                None => return Err(PatternError::Unset(name.clone())),
            },
        }
    }
    Ok(out)
}

/// Adds bytes as a literal to the source of a bytes regular expression.
fn push_literal(source: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => source.push_str(&regex::escape(text)),
        Err(_) => {
            for byte in bytes {
                source.push_str(&format!(r"(?-u:\x{byte:02X})"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn text(text: &str) -> Piece {
        Piece::Text(Template(vec![TemplatePart::Bytes(text.into())]))
    }

    fn hole(name: Option<&str>, regex: &str) -> Piece {
        Piece::Hole {
            name: name.map(Into::into),
            regex: regex.into(),
            number: false,
            written: format!("=/{regex}/"),
        }
    }

    #[rstest]
    #[case::literal(vec![text("+POP3: (1.5)")], "+POP3: (1.5)", true)]
    #[case::literal_is_not_a_regex(vec![text("+POP3: (1.5)")], "+POP3: 1x5", false)]
    #[case::trailing_blank(vec![text("OK")], "OK ", false)]
    #[case::leading_blank(vec![text("OK")], " OK", false)]
    #[case::hole(vec![text("+POP3: "), hole(None, "-?[0-9]+")], "+POP3: 17", true)]
    #[case::hole_is_anchored(vec![text("+POP3: "), hole(None, "[0-9]+")], "+POP3: 17x", false)]
    fn matches(#[case] pieces: Vec<Piece>, #[case] line: &str, #[case] expected: bool) {
        let matcher = Matcher::new(&Pattern::Line(pieces), &Captures::new()).unwrap();
        assert_eq!(matcher.matches(line.as_bytes()).is_some(), expected);
    }

    #[test]
    fn a_hole_gives_its_value() {
        let pieces = vec![
            text("a "),
            hole(Some("x"), "[0-9]+"),
            hole(None, ", ?"),
            text("b"),
        ];
        let matcher = Matcher::new(&Pattern::Line(pieces), &Captures::new()).unwrap();
        let found = matcher.matches(b"a 12, b").unwrap();
        assert_eq!(
            found,
            [(
                "x".into(),
                Captured {
                    text: "12".into(),
                    number: false
                }
            )]
        );
    }
}
