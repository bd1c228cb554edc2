//! Reads a scenario file into its written form.
//!
//! Line by line, and never stops at a mistake: a line that cannot be read is reported and left
//! out. Front matter is only cut out here; [`super::front`] reads it.

use super::case::{Mode, Target};
use super::written::{Gate, Line, LineKind, Written};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;

/// No file may be larger than this.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Reads a file. The result is whole where `found` got no error.
pub fn parse(file: &Arc<SourceFile>, found: &mut Diagnostics) -> Written {
    let mut parser = Parser {
        file,
        found,
        lines: Vec::new(),
    };
    let (front, body) = parser.front();
    parser.body(body);
    Written {
        file: Arc::clone(file),
        front,
        lines: parser.lines,
    }
}

/// Reads bytes as a source file: bounded, UTF-8, no byte order mark.
///
/// # Errors
/// One diagnostic that says why the bytes are not the text of a scenario.
pub fn source(path: &str, bytes: &[u8]) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    let error = |code, message: String| {
        let empty = Arc::new(SourceFile::new(path, ""));
        Box::new(Diagnostic::error(code, message).at(&empty, 0..0, ""))
    };
    if bytes.len() > MAX_FILE_BYTES {
        let size = bytes.len();
        return Err(error(
            "file-too-large",
            format!("{path} has {size} bytes, more than {MAX_FILE_BYTES}"),
        ));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(SourceFile::new(path, text))),
        Err(at) => Err(error(
            "not-utf8",
            format!("{path} is not UTF-8 text from byte {} on", at.valid_up_to()),
        )),
    }
}

struct Parser<'a> {
    file: &'a Arc<SourceFile>,
    found: &'a mut Diagnostics,
    lines: Vec<Line>,
}

impl Parser<'_> {
    fn error(&mut self, code: &'static str, message: &str, span: Span, help: &str) {
        let mut one = Diagnostic::error(code, message).at(self.file, span, "");
        if !help.is_empty() {
            one = one.help(help);
        }
        self.found.push(one);
    }

    /// The front matter, and where the dialogue starts.
    fn front(&mut self) -> (Text, usize) {
        let text = &self.file.text;
        let mut lines = Lines { text, at: 0 };
        let first = lines.next();
        if first.is_none_or(|(_, line)| line.trim_end() != "+++") {
            let span = first.map_or(Span::default(), |(start, line)| {
                Span::new(start, start + line.len())
            });
            self.error(
                "no-front-matter",
                "a scenario starts with front matter between two `+++` lines",
                span,
                "put `+++`, `format = 1`, `title = \"…\"`, `+++` at the top",
            );
            return (Text::default(), 0);
        }
        let start = lines.at;
        while let Some((at, line)) = lines.next() {
            if line.trim_end() == "+++" {
                let span = Span::new(start, at);
                return (Text::new(span, self.file.slice(span).to_owned()), lines.at);
            }
        }
        self.error(
            "open-front-matter",
            "the front matter has no closing `+++`",
            Span::new(0, 3),
            "",
        );
        (Text::default(), text.len())
    }

    fn body(&mut self, from: usize) {
        let file = Arc::clone(self.file);
        let mut lines = Lines {
            text: &file.text,
            at: from,
        };
        while let Some((start, line)) = lines.next() {
            let span = Span::new(start, start + line.len());
            if let Some(at) = line.find(|c: char| c.is_control() && c != '\t') {
                self.error(
                    "control-character",
                    "control characters cannot be seen, so they may not stand in a scenario",
                    Span::new(start + at, start + at + 1),
                    "send them with `>>` and an escape such as `\\x1a`",
                );
                continue;
            }
            if line.trim() == "<<<" {
                self.block(span, &mut lines);
            } else if let Some(kind) = self.line(start, line) {
                self.lines.push(Line { span, kind });
            }
        }
    }

    /// A verbatim block, of which `open` is the first line.
    fn block(&mut self, open: Span, lines: &mut Lines<'_>) {
        let mut inside = Vec::new();
        for (start, line) in lines.by_ref() {
            if line.trim() == "<<<" {
                if inside.is_empty() {
                    self.error("empty-block", "this verbatim block is empty", open, "");
                }
                let span = Span::new(open.start, start + line.len());
                let kind = LineKind::Block(inside);
                self.lines.push(Line { span, kind });
                return;
            }
            inside.push(line.to_owned());
        }
        let message = "this verbatim block has no closing `<<<`";
        self.error("open-block", message, open, "");
    }

    fn line(&mut self, start: usize, line: &str) -> Option<LineKind> {
        let indent = line.len() - line.trim_start().len();
        let (start, line) = (start + indent, line.trim_start());
        let span = Span::new(start, start + line.len());
        let rest = |length: usize| text_after(start, line, length);
        let Some(first) = line.chars().next() else {
            return Some(LineKind::Blank);
        };
        if line.starts_with("==") {
            return self.section(trimmed(rest(2)));
        }
        if line.starts_with(">>") {
            return self.filled(rest(2), span).map(LineKind::SendRaw);
        }
        match first {
            '#' => {
                let text = line.get(1..).unwrap_or_default().trim();
                Some(LineKind::Comment(text.to_owned()))
            }
            '>' => self.filled(rest(1), span).map(LineKind::Send),
            '<' => self.expect(Mode::Ordered, start, line),
            '|' => self.expect(Mode::AnyOrder, start, line),
            '?' => self.expect(Mode::Optional, start, line),
            '!' => self.expect(Mode::Forbidden, start, line),
            '~' => self.filled(trimmed(rest(1)), span).map(LineKind::Pause),
            '@' => self.act(rest(1)),
            '=' => self.filled(trimmed(rest(1)), span).map(LineKind::Check),
            '%' => self.record(&trimmed(rest(1)), span),
            _ => {
                let help = if line
                    .get(..2)
                    .is_some_and(|at| at.eq_ignore_ascii_case("AT"))
                {
                    format!("to send it, write `> {line}`")
                } else {
                    format!("to expect it from the device, write `< {line}`")
                };
                let message = "this line has no prefix";
                self.error("no-prefix", message, span, &help);
                None
            }
        }
    }

    /// Reports a line that has nothing behind its prefix.
    fn filled(&mut self, text: Text, span: Span) -> Option<Text> {
        if text.value.is_empty() {
            let message = "there is nothing behind the prefix of this line";
            let help = "to send a bare line end, write `>> \\r`";
            let help = if self.file.slice(span).starts_with('>') {
                help
            } else {
                ""
            };
            self.error("empty-line", message, span, help);
            return None;
        }
        Some(text)
    }

    /// `% key = expression`.
    fn record(&mut self, text: &Text, span: Span) -> Option<LineKind> {
        const HELP: &str = "write `% key = expression` or `% reading dispute = expression`";
        let Some((head, tail)) = text.value.split_once('=') else {
            let message = "this line does not say what it records";
            self.error("bad-record", message, span, HELP);
            return None;
        };
        let words = words(&Text::new(
            text.span.start..text.span.start + head.len(),
            head.to_owned(),
        ));
        let (reading, key) = match words.as_slice() {
            [key] => (false, key),
            [word, key] if word.value == "reading" => (true, key),
            _ => {
                let message = "a value is recorded under one name";
                self.error("bad-record", message, span, HELP);
                return None;
            }
        };
        let part = |part: &str| {
            let mut chars = part.chars();
            let head = chars.next().is_some_and(|c| c.is_ascii_lowercase());
            head && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if !reading && !key.value.split('.').all(part) {
            let message = format!("a value cannot be recorded as `{}`", key.value);
            let help = "a name has lower-case letters, digits and `-`, in parts with `.` between";
            self.error("bad-record", &message, key.span, help);
            return None;
        }
        let start = text.span.start + head.len() + 1;
        let blanks = tail.len() - tail.trim_start().len();
        let expression = Text::new(
            start + blanks..start + tail.trim_end().len().max(blanks),
            tail.trim().to_owned(),
        );
        if expression.value.is_empty() {
            let message = "there is no expression behind the `=` of this line";
            self.error("empty-line", message, span, HELP);
            return None;
        }
        Some(LineKind::Record {
            reading,
            key: key.clone(),
            expression,
        })
    }

    fn section(&mut self, text: Text) -> Option<LineKind> {
        let (mut name, mut gate) = (text.clone(), None);
        if let Some(open) = text.value.rfind('[') {
            let at = Span::new(text.span.start + open, text.span.end);
            let written = text.value.get(open..).unwrap_or_default();
            let condition = written
                .strip_prefix("[if ")
                .and_then(|rest| rest.strip_suffix(']'))
                .map(str::trim)
                .filter(|inner| !inner.trim_start_matches('!').is_empty());
            let head = text.value.get(..open).unwrap_or_default().trim_end();
            name = Text::new(
                text.span.start..text.span.start + head.len(),
                head.to_owned(),
            );
            match condition {
                None => self.error(
                    "bad-gate",
                    &format!("`{written}` is no condition"),
                    at,
                    "write `[if capability]` or `[if !capability]`",
                ),
                Some(condition) => {
                    let capability = condition.strip_prefix('!').unwrap_or(condition).trim();
                    let start = at.start + written.find(capability).unwrap_or(0);
                    let span = start..start + capability.len();
                    gate = Some(Gate {
                        negated: condition.starts_with('!'),
                        capability: Text::new(span, capability.to_owned()),
                    });
                }
            }
        }
        if name.value.is_empty() {
            let message = "this section has no name";
            self.error("unnamed-section", message, text.span, "");
            return None;
        }
        Some(LineKind::Section { name, gate })
    }

    fn expect(&mut self, mode: Mode, start: usize, line: &str) -> Option<LineKind> {
        let mut window = None;
        let mut used = 1;
        if line.get(1..).is_some_and(|rest| rest.starts_with('[')) {
            let Some(close) = closing_bracket(line, 2) else {
                let span = Span::new(start + 1, start + line.len());
                self.error("open-window", "this window has no closing `]`", span, "");
                return None;
            };
            let inner = line.get(2..close).unwrap_or_default();
            window = Some(Text::new(start + 2..start + close, inner.to_owned()));
            used = close + 1;
        }
        let text = text_after(start, line, used);
        if text.value.is_empty() && matches!(mode, Mode::Forbidden | Mode::AnyOrder) {
            let span = Span::new(start, start + line.len());
            let message = "there is nothing behind the prefix of this line";
            self.error("empty-line", message, span, "");
            return None;
        }
        if mode != Mode::Ordered && text.value.trim() == "{{...}}" && mode != Mode::Optional {
            let message = "`{{...}}` stands for any lines, and only behind `<` or `?`";
            self.error(
                "any-lines",
                message,
                text.span,
                "for any one line write `{{*}}`",
            );
            return None;
        }
        Some(LineKind::Expect { mode, window, text })
    }

    fn act(&mut self, text: Text) -> Option<LineKind> {
        let mut words = words(&text).into_iter();
        let targets = Target::ALL.map(Target::word);
        let Some(name) = words.next() else {
            let message = "`@` needs a target: `@smtp`, `@pop3` or `@device`";
            let span = Span::new(text.span.start.saturating_sub(1), text.span.end);
            self.error("empty-line", message, span, "");
            return None;
        };
        let target = Target::ALL
            .into_iter()
            .find(|target| target.word() == name.value);
        let words: Vec<Text> = words.collect();
        let Some(target) = target else {
            let message = format!("unknown target `@{}`", name.value);
            let one = Diagnostic::error("unknown-target", message).at(self.file, name.span, "");
            self.found.push(one.suggest(&name.value, targets));
            return None;
        };
        match words.first() {
            None => {
                let message = format!("`@{}` is told nothing", target.word());
                let help = format!("known are: {}", target.verbs().join(", "));
                self.error("unknown-action", &message, name.span, &help);
                None
            }
            Some(verb)
                if !verb.value.contains("${") && !target.verbs().contains(&verb.value.as_str()) =>
            {
                let message = format!("`@{}` cannot `{}`", target.word(), verb.value);
                let one = Diagnostic::error("unknown-action", message).at(self.file, verb.span, "");
                let verbs = target.verbs().iter().copied();
                self.found.push(one.suggest(&verb.value, verbs));
                None
            }
            Some(_) => {
                if let Some(extra) = words.get(1) {
                    let message = "there is one word too many";
                    self.error("unknown-action", message, extra.span, "");
                }
                Some(LineKind::Act { target, words })
            }
        }
    }
}

/// Lines with their offsets, without line ends.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let line = match rest.split_once('\n') {
            Some((line, _)) => {
                self.at += line.len() + 1;
                line
            }
            None => {
                self.at = self.text.len();
                rest
            }
        };
        Some((start, line.strip_suffix('\r').unwrap_or(line)))
    }
}

/// The text behind the first `length` bytes of a line, without the blanks before it.
fn text_after(start: usize, line: &str, length: usize) -> Text {
    let rest = line.get(length..).unwrap_or_default();
    let text = rest.trim_start();
    let at = start + length + (rest.len() - text.len());
    Text::new(at..at + text.len(), text.to_owned())
}

fn trimmed(text: Text) -> Text {
    let value = text.value.trim_end().to_owned();
    Text::new(text.span.start..text.span.start + value.len(), value)
}

/// The next `]` that does not stand within `${…}`.
fn closing_bracket(line: &str, from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in line.char_indices().skip_while(|(at, _)| *at < from) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ']' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn words(text: &Text) -> Vec<Text> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.value.split([' ', '\t']) {
        if !word.is_empty() {
            let start = text.span.start + at;
            found.push(Text::new(start..start + word.len(), word.to_owned()));
        }
        at += word.len() + 1;
    }
    found
}
