//! Line patterns with the values of captures filled in, ready to be matched.

use crate::dispute::Alternative;
use crate::scenario::case::{Pattern, Piece, Template, TemplatePart};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use urcheck_reports::Reading;

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
        Ok(match Source::of(pieces, captures, false)? {
            Source {
                expression: None,
                exact,
                ..
            } => Self::Exact(exact),
            Source {
                expression: Some(expression),
                names,
                ..
            } => Self::Holes(Regex::new(&expression)?, names),
        })
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
            Piece::Hole { name, written, .. } => {
                out.push_str(&hole(name.as_deref(), written));
            }
            Piece::Term(term) => out.push_str(&hole(term.name.as_deref(), &term.written)),
        }
    }
    Some(out)
}

fn hole(name: Option<&str>, written: &str) -> String {
    format!("{{{{{}{written}}}}}", name.unwrap_or_default())
}

/// The readings under which a line is what a pattern wants: for each of its terms the lists of
/// which one must hold.
///
/// # Errors
/// As those of [`Matcher::new`].
pub fn leanings(
    pattern: &Pattern,
    captures: &Captures,
    line: &[u8],
) -> Result<Vec<Vec<Vec<Reading>>>, PatternError> {
    let terms = alternatives(pattern, captures, line, false)?.unwrap_or_default();
    let under = terms.into_iter().map(|alternatives| {
        let mut lists: Vec<Vec<Reading>> = Vec::new();
        for one in alternatives {
            if !lists.contains(&one.under) {
                lists.push(one.under.clone());
            }
        }
        lists
    });
    Ok(under.collect())
}

/// The readings that allow a line and that the profile does not accept, where the profile is why
/// the line does not match.
///
/// # Errors
/// As those of [`Matcher::new`].
pub fn refused(
    pattern: &Pattern,
    captures: &Captures,
    line: &[u8],
) -> Result<Option<Vec<Reading>>, PatternError> {
    let terms = alternatives(pattern, captures, line, true)?.unwrap_or_default();
    let refused = terms
        .into_iter()
        .find(|alternatives| alternatives.iter().all(|one| !one.accepted));
    Ok(refused.and_then(|alternatives| alternatives.first().map(|one| one.under.clone())))
}

/// For each term of a pattern the alternatives that stand behind its text in a line; none if the
/// line does not match.
fn alternatives<'p>(
    pattern: &'p Pattern,
    captures: &Captures,
    line: &[u8],
    all: bool,
) -> Result<Option<Vec<Vec<&'p Alternative>>>, PatternError> {
    let Pattern::Line(pieces) = pattern else {
        return Ok(None);
    };
    let Some(expression) = Source::of(pieces, captures, all)?.expression else {
        return Ok(None);
    };
    let Some(found) = Regex::new(&expression)?.captures(line) else {
        return Ok(None);
    };
    let mut terms = Vec::new();
    for (at, term) in pattern.terms().enumerate() {
        let text = found.name(&format!("term{at}"));
        let text = text.map(|group| group.as_bytes()).unwrap_or_default();
        let mut matching = Vec::new();
        for one in term.alternatives.iter().filter(|one| all || one.accepted) {
            if Regex::new(&format!("^(?:{})$", one.regex))?.is_match(text) {
                matching.push(one);
            }
        }
        terms.push(matching);
    }
    Ok(Some(terms))
}

/// A pattern as it is matched.
struct Source {
    /// The bytes, if there are no holes.
    exact: Vec<u8>,
    /// The regular expression, if there are.
    expression: Option<String>,
    /// The names of the captures, and whether each is a number.
    names: Vec<(String, bool)>,
}

impl Source {
    /// With `all`, terms stand for what the profile does not accept as well.
    fn of(pieces: &[Piece], captures: &Captures, all: bool) -> Result<Self, PatternError> {
        let mut exact = Vec::new();
        let mut source = String::from("^");
        let mut names: Vec<(String, bool)> = Vec::new();
        let (mut holes, mut terms) = (false, 0);
        let mut open = |name: Option<&String>, number: bool| match name {
            Some(name) => {
                names.push((name.clone(), number));
                format!("(?P<hole{}>", names.len() - 1)
            }
            None => "(?:".to_owned(),
        };
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
                    source.push_str(&open(name.as_ref(), *number));
                    source.push_str(regex);
                    source.push(')');
                }
                Piece::Term(term) => {
                    holes = true;
                    source.push_str(&open(term.name.as_ref(), false));
                    let texts = term.alternatives.iter().filter(|one| all || one.accepted);
                    let texts: Vec<&str> = texts.map(|one| one.regex.as_str()).collect();
                    source.push_str(&format!("(?P<term{terms}>{}))", texts.join("|")));
                    terms += 1;
                }
            }
        }
        source.push('$');
        Ok(Self {
            exact,
            expression: holes.then_some(source),
            names,
        })
    }
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
