//! Source files and places in them.
//!
//! Knows nothing of what the files mean.

use std::ops::Range;

/// A text file that a person wrote, kept for as long as something may point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as reports show it: relative to the scenario folder, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
}

impl SourceFile {
    /// Indexes the text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut lines = vec![0];
        lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self {
            path: path.into(),
            text,
            lines,
        }
    }

    /// Line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }

    /// Line and column (in characters) of a byte offset, both from 1.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset.min(self.text.len()));
        (line, before.map_or(1, |text| text.chars().count() + 1))
    }

    /// The text of a span; empty if the span does not lie in the file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

/// A range of bytes in a source file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One after the last byte.
    pub end: usize,
}

impl Span {
    /// From `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// As a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// A value with its place. Two are equal when their values are: where something stands is not
/// part of what it says, which is what the law of the printer is about.
#[derive(Clone, Debug, Default)]
pub struct Spanned<T> {
    /// Where it stands.
    pub span: Span,
    /// What stands there.
    pub value: T,
}

/// Text with its place.
pub type Text = Spanned<String>;

impl<T> Spanned<T> {
    /// Puts a value to its place.
    pub fn new(span: impl Into<Span>, value: T) -> Self {
        Self {
            span: span.into(),
            value,
        }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 1, 1)]
    #[case(3, 1, 4)]
    #[case(4, 2, 1)]
    #[case(7, 2, 3)] // behind the two bytes of ü
    #[case(99, 3, 1)]
    fn offsets_become_lines_and_columns(
        #[case] offset: usize,
        #[case] line: usize,
        #[case] column: usize,
    ) {
        let file = SourceFile::new("a.att", "abc\nüxy\n");
        assert_eq!(file.line_column(offset), (line, column));
    }
}
