//! `{{…}}`: captures and wildcards.

use super::{Hole, Reader, SegmentKind};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Text};

/// The kinds with their regular expressions.
const KINDS: [(&str, &str); 4] = [
    ("int", "-?[0-9]+"),
    ("word", r"[^ \t\r\n]+"),
    // The characters that a path cannot have: facts.md §1.5.
    ("path", r#"[A-Za-z]:/[^\\:*?"<>|,;\r\n]*"#),
    ("line", r"[^\r\n]+"),
];

impl Reader<'_> {
    /// `{{…}}` at `at`, as [`Reader::insert`] does for `${…}`.
    pub(super) fn hole(&mut self, text: &Text, at: usize) -> Option<(Option<SegmentKind>, usize)> {
        let rest = text.value.get(at + 2..).unwrap_or_default();
        let name_length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, tail) = rest.split_at(name_length);
        let closing = if tail.starts_with("=/") { "/}}" } else { "}}" };
        let skip = if closing == "/}}" { 2 } else { 0 };
        let close = tail.get(skip..).and_then(|tail| tail.find(closing));
        let Some(close) = close else {
            let span = self.span(text, at, text.value.len());
            let help = "for literal braces write `{{=/\\{\\{/}}`";
            self.error(
                "open-hole",
                format!("this `{{{{` has no closing `{closing}`"),
                span,
                help,
            );
            return None;
        };
        let inner = tail.get(skip..skip + close).unwrap_or_default();
        let end = at + 2 + name_length + skip + close + closing.len();
        let span = self.span(text, at, end);
        let hole = if closing == "/}}" {
            self.regex(name, inner, span)
        } else if name.is_empty() && inner == "*" {
            Some(Hole {
                name: None,
                regex: r"[^\r\n]*".to_owned(),
                number: false,
                anything: true,
                term: None,
                written: "*".to_owned(),
            })
        } else if name.is_empty() && inner == "..." {
            let message = "`{{...}}` stands for whole lines, so it must stand alone".to_owned();
            self.error(
                "any-lines",
                message,
                span,
                "for any text within a line write `{{*}}`",
            );
            None
        } else if let Some(kind) = inner.strip_prefix(':') {
            self.kind(name, kind, span)
        } else {
            let message = format!("`{{{{{name}{inner}}}}}` is no hole");
            let help = "write `{{name:kind}}`, `{{name=/regex/}}` or `{{*}}`; \
                        to use a value, write `${name}`";
            self.error("bad-hole", message, span, help);
            None
        };
        Some((hole.map(SegmentKind::Hole), end))
    }

    fn kind(&mut self, name: &str, kind: &str, span: Span) -> Option<Hole> {
        // The names of terms have a dot, those of kinds have none.
        if kind.contains('.') {
            return Some(Hole {
                name: self.capture(name, span)?,
                regex: String::new(),
                number: false,
                anything: false,
                term: Some(kind.to_owned()),
                written: format!(":{kind}"),
            });
        }
        let known = KINDS.iter().find(|(known, _)| *known == kind);
        let Some((_, regex)) = known else {
            let message = format!("unknown kind of hole `{kind}`");
            let one = Diagnostic::error("unknown-kind", message).at(self.file, span, "");
            self.found
                .push(one.suggest(kind, KINDS.map(|(known, _)| known)));
            return None;
        };
        Some(Hole {
            name: self.capture(name, span)?,
            regex: (*regex).to_owned(),
            number: kind == "int",
            anything: false,
            term: None,
            written: format!(":{kind}"),
        })
    }

    fn regex(&mut self, name: &str, source: &str, span: Span) -> Option<Hole> {
        let regex = match regex::Regex::new(source) {
            Ok(regex) => regex,
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim();
                let reason = reason.trim_start_matches("error: ").to_owned();
                self.error(
                    "bad-regex",
                    format!("`{source}` is no regular expression"),
                    span,
                    &reason,
                );
                return None;
            }
        };
        if regex.captures_len() > 1 {
            let message = "a regular expression in a hole has no groups of its own".to_owned();
            self.error(
                "bad-regex",
                message,
                span,
                "write `(?:…)` in place of `(…)`",
            );
            return None;
        }
        if source.starts_with('^') || (source.ends_with('$') && !source.ends_with("\\$")) {
            let message = "a regular expression in a hole has no anchors".to_owned();
            let help = "the hole matches exactly what stands between its neighbours";
            self.error("bad-regex", message, span, help);
            return None;
        }
        Some(Hole {
            name: self.capture(name, span)?,
            regex: source.to_owned(),
            number: false,
            anything: matches!(source, ".*"),
            term: None,
            written: format!("=/{source}/"),
        })
    }

    /// The name of a capture, if it has one; nothing if it cannot be one.
    #[expect(
        clippy::option_option,
        reason = "no name and a wrong name are two things"
    )]
    fn capture(&mut self, name: &str, span: Span) -> Option<Option<String>> {
        if name.is_empty() {
            return Some(None);
        }
        match crate::scenario::names::check_name(name) {
            Ok(()) => Some(Some(name.to_owned())),
            Err(reason) => {
                self.error(
                    "bad-name",
                    format!("a capture cannot be called `{name}`"),
                    span,
                    reason,
                );
                None
            }
        }
    }
}
