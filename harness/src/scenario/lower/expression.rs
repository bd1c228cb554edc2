//! Lowering of checks, and what lint can say of them before they run.

use super::super::check::{Check, CheckError, FUNCTIONS};
use super::super::names::{Meaning, plain};
use super::super::text::{Reader, SegmentKind};
use super::{Purpose, State};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;

/// What a check sees of the two sides.
const OBSERVED: [&str; 4] = ["smtp", "pop3", "lines", "section_lines"];

impl State<'_> {
    /// The expression with `${…}` replaced; compiled when linting.
    pub(super) fn check(
        &mut self,
        file: &Arc<SourceFile>,
        text: &Text,
        wanted: Wanted<'_>,
        found: &mut Diagnostics,
    ) -> Option<String> {
        let segments = Reader {
            file,
            found,
            exact: true,
        }
        .template(text);
        let mut source = String::new();
        // Where each part of the result comes from.
        let mut origin: Vec<(usize, Span, bool)> = Vec::new();
        let captures = self.known_captures();
        for segment in &segments {
            let literal = matches!(segment.kind, SegmentKind::Literal(_));
            origin.push((source.len(), segment.span, literal));
            match self.names.meaning(file, segment, &captures, found)? {
                Meaning::Value(value) if literal => source.push_str(value.as_str()?),
                Meaning::Value(value) => {
                    let text = plain(file, segment.span, &value, found)?;
                    source.push_str(&escaped(&text));
                }
                Meaning::Capture(name) => {
                    let message = "a check uses a capture by its name";
                    let one = Diagnostic::error("capture-in-check", message);
                    found.push(
                        one.at(file, segment.span, "")
                            .help(format!("write `{name}`")),
                    );
                    return None;
                }
            }
        }
        if self.purpose == Purpose::Lint {
            let place = |offset: usize| {
                let part = origin.iter().rev().find(|(start, ..)| *start <= offset);
                match part {
                    Some((start, span, true)) => {
                        let at = (span.start + offset - start).min(span.end);
                        Span::new(at, (at + 1).min(span.end.max(at)))
                    }
                    Some((_, span, false)) => *span,
                    None => text.span,
                }
            };
            self.compile(file, (text, wanted), &source, &place, found);
        }
        Some(source)
    }

    fn compile(
        &mut self,
        file: &Arc<SourceFile>,
        (text, wanted): (&Text, Wanted<'_>),
        source: &str,
        place: &dyn Fn(usize) -> Span,
        found: &mut Diagnostics,
    ) {
        let check = match Check::compile(source) {
            Ok(check) => check,
            Err(error) => {
                let span = match error {
                    CheckError::Syntax { offset, .. } => place(offset),
                    _ => text.span,
                };
                found.push(Diagnostic::error("bad-check", error.to_string()).at(file, span, ""));
                return;
            }
        };
        let before = found.count(Severity::Error);
        let variables = check.variables();
        if variables.is_empty() {
            let message = match wanted {
                Wanted::Truth => "this check uses nothing that could make it false, or true",
                Wanted::Value | Wanted::OneOf(_) => "this value is always the same",
            };
            found.push(Diagnostic::error("vacuous", message).at(file, text.span, ""));
        }
        let captures = self.known_captures();
        let known = self.names.variables();
        for name in &variables {
            let span = word(source, name).map_or(text.span, |at| {
                let start = place(at).start;
                Span::new(start, start + name.len())
            });
            if captures.contains(*name) {
                self.used(file, span, name, found);
            } else if known.contains_key(*name) {
                self.names.mark(name);
            } else if !OBSERVED.contains(name) && !self.too_early(file, span, name, found) {
                let all = known
                    .keys()
                    .chain(&captures)
                    .map(String::as_str)
                    .chain(OBSERVED);
                let one = Diagnostic::error("unknown-name", format!("unknown name `{name}`"));
                found.push(one.at(file, span, "").suggest(name, all));
            }
        }
        for function in check.functions() {
            if !FUNCTIONS.contains(&function) {
                let span = word(source, function).map_or(text.span, |at| {
                    let start = place(at).start;
                    Span::new(start, start + function.len())
                });
                let message = format!("unknown function `{function}`");
                let one = Diagnostic::error("unknown-function", message).at(file, span, "");
                found.push(one.suggest(function, FUNCTIONS));
            }
        }
        if found.count(Severity::Error) == before {
            let mut variables = known;
            variables.extend(self.captures.examples());
            for name in ["lines", "section_lines"] {
                variables.insert(name.to_owned(), vec!["OK"; 4].into());
            }
            let reason = match wanted {
                Wanted::Truth => check.trial(&variables),
                Wanted::Value => check.trial_value(&variables),
                Wanted::OneOf(known) => check.trial_text(&variables, known),
            };
            if let Some(reason) = reason {
                found.push(Diagnostic::error("bad-check", reason).at(file, text.span, ""));
            }
        }
    }
}

/// What an expression is to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// True or false.
    Truth,
    /// Anything.
    Value,
    /// One of these texts, or an empty one.
    OneOf(&'a [String]),
}

/// A text as it can stand in a quoted text of an expression.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out
}

/// Where a word stands in a text.
fn word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|tail| tail.chars().next());
        let is_method = before == Some('.');
        (is_method || !before.is_some_and(part))
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
