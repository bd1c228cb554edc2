//! What is wrong in a file that a person wrote: where, what, and what was probably meant.
//!
//! Diagnostics are collected, never thrown: whoever finds a mistake reports it and goes on.

use crate::source::{SourceFile, Span};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::sync::Arc;

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and is probably not what was meant.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable id of the kind of mistake, such as `unknown-key`.
    pub code: &'static str,
    /// One sentence without a full stop.
    pub message: String,
    /// Places; the first is the one that the mistake is about.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The place in it.
    pub span: Span,
    /// A few words, or nothing.
    pub text: String,
}

impl Diagnostic {
    /// A mistake that makes the file unusable.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Something that is probably not what was meant.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, span: impl Into<Span>, text: &str) -> Self {
        self.labels.push(Label {
            file: Arc::clone(file),
            span: span.into(),
            text: text.to_owned(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says which known name was probably meant, or which there are if there are few.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(name, known.iter().copied()) {
            return self.help(format!("did you mean `{near}`?"));
        }
        match known.len() {
            0 => self,
            1..=12 => self.help(format!("known are: {}", known.join(", "))),
            _ => self,
        }
    }

    /// File, line and column of the first place, for sorting and for short messages.
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        let label = self.labels.first()?;
        let (line, column) = label.file.line_column(label.span.start);
        Some((&label.file.path, line, column))
    }
}

/// The mistakes found so far. The same mistake found twice (once for each row of a matrix, say)
/// counts once.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless it is known already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// Adds those of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        other.found.into_iter().for_each(|one| self.push(one));
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|one| one.severity == Severity::Error)
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.found
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    }

    /// Sorts by file and place.
    pub fn sort(&mut self) {
        self.found
            .sort_by(|a, b| a.place().cmp(&b.place()).then(a.message.cmp(&b.message)));
    }

    /// All of them as text, as a compiler would print them.
    pub fn render(&self, colour: bool) -> String {
        render(&self.found, colour)
    }
}

/// Diagnostics as text, each with an empty line after it.
pub fn render(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&render_one(diagnostic, &renderer));
        out.push_str("\n\n");
    }
    out
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code);
    let mut group = annotate_snippets::Group::with_title(title);
    let mut files: Vec<&Arc<SourceFile>> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&&label.file) {
            files.push(&label.file);
        }
    }
    for file in files {
        let mut snippet = Snippet::source(file.text.as_str()).path(file.path.as_str());
        for (index, label) in diagnostic.labels.iter().enumerate() {
            if !Arc::ptr_eq(&label.file, file) && label.file != *file {
                continue;
            }
            let kind = if index == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let span = kind.span(within(file, label.span));
            snippet = snippet.annotation(if label.text.is_empty() {
                span
            } else {
                span.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The span cut to the file and to whole characters, so that no span can make the renderer panic.
fn within(file: &SourceFile, span: Span) -> std::ops::Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(file.text.len());
        while !file.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// The known name that a mistyped one probably means: the one with the fewest slips of the
/// finger, if these are few for its length, or else one that is much alike.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let allowed = match name.chars().count() {
        0..3 => 0,
        3..6 => 1,
        _ => 2,
    };
    known
        .into_iter()
        .filter_map(|one| {
            let other = one.to_lowercase();
            let slips = strsim::osa_distance(&lower, &other);
            let likeness = strsim::jaro_winkler(&lower, &other);
            (slips <= allowed || likeness > 0.82).then_some((slips, likeness, one))
        })
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(.., one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line_with_a_caret() {
        let file = Arc::new(SourceFile::new("a.att", "+++\ntitel = \"x\"\n+++\n"));
        let mut found = Diagnostics::new();
        let one = Diagnostic::error("unknown-key", "unknown key `titel`")
            .at(&file, 4..9, "")
            .suggest("titel", ["title", "class"]);
        found.push(one.clone());
        found.push(one);
        insta::assert_snapshot!(found.render(false), @r#"
        error[unknown-key]: unknown key `titel`
         --> a.att:2:1
          |
        2 | titel = "x"
          | ^^^^^
          |
          = help: did you mean `title`?
        "#);
    }

    #[test]
    fn a_span_behind_the_end_is_cut() {
        let file = Arc::new(SourceFile::new("a.att", "ü"));
        let found = [Diagnostic::error("x", "y").at(&file, 1..99, "")];
        assert!(render(&found, false).contains("a.att:1"));
    }
}
