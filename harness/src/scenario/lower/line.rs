//! Lowering of single lines.

use super::super::case::{
    Action, Expect, Mode, Pattern, Piece, Step, Target, Template, TemplatePart, Window,
};
use super::super::duration;
use super::super::names::{Meaning, plain};
use super::super::text::{ANY_LINES, Hole, Reader, Segment, SegmentKind, unescape};
use super::super::written::{Line, LineKind};
use super::State;
use super::expression::Wanted;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;
use urcheck_reports::Place;

impl State<'_> {
    pub(super) fn line(&mut self, file: &Arc<SourceFile>, line: &Line, found: &mut Diagnostics) {
        let grouped = matches!(
            line.kind,
            LineKind::Expect {
                mode: Mode::AnyOrder | Mode::Optional,
                ..
            }
        );
        if !grouped {
            self.captures.settle();
        }
        let Some(action) = self.action(file, &line.kind, found) else {
            return;
        };
        self.steps.push(Step {
            place: Place {
                file: file.path.clone(),
                line: file.line(line.span.start),
            },
            text: file.slice(line.span).trim().to_owned(),
            section: self.section.count.saturating_sub(1),
            section_name: self.section.name.clone(),
            action,
        });
    }

    fn action(
        &mut self,
        file: &Arc<SourceFile>,
        kind: &LineKind,
        found: &mut Diagnostics,
    ) -> Option<Action> {
        Some(match kind {
            LineKind::Blank | LineKind::Comment(_) | LineKind::Section { .. } => return None,
            LineKind::Send(text) => {
                self.trailing_blank(file, text, "\\x20` in a `>>` line", found);
                let segments = Reader {
                    file,
                    found,
                    exact: true,
                }
                .template(text);
                Action::Send(self.template(file, &segments, false, found)?)
            }
            LineKind::SendRaw(text) => {
                let segments = Reader {
                    file,
                    found,
                    exact: true,
                }
                .template(text);
                Action::SendRaw(self.template(file, &segments, true, found)?)
            }
            LineKind::Block(lines) => Action::Block(lines.clone()),
            LineKind::Act { target, words } => self.act(file, *target, words, found)?,
            LineKind::Pause(text) if text.value == "settle" => Action::Settle,
            LineKind::Pause(text) => {
                let value = self.names.text(file, text, true, found)?;
                match duration::duration(value.trim()) {
                    Ok(time) => Action::Pause(time),
                    Err(error) => {
                        let one = Diagnostic::error("bad-duration", error.to_string());
                        let help = "write `~ 2s` or `~ settle`";
                        found.push(one.at(file, text.span, "").help(help));
                        return None;
                    }
                }
            }
            LineKind::Check(text) => Action::Check(self.check(file, text, Wanted::Truth, found)?),
            LineKind::Record {
                reading,
                key,
                expression,
            } => Action::Record(self.record(file, *reading, key, expression, found)?),
            LineKind::Expect { mode, window, text } => {
                self.trailing_blank(file, text, "{{=/ /}}`", found);
                let window = match window {
                    None => None,
                    Some(window) => Some(self.window(file, window, found)?),
                };
                let pattern = self.pattern(file, *mode, text, found)?;
                Action::Expect(Expect {
                    mode: *mode,
                    window,
                    pattern,
                })
            }
        })
    }

    fn act(
        &self,
        file: &Arc<SourceFile>,
        target: Target,
        words: &[Text],
        found: &mut Diagnostics,
    ) -> Option<Action> {
        let mut filled = Vec::new();
        for word in words {
            let value = self.names.text(file, word, true, found)?;
            filled.extend(value.split_whitespace().map(str::to_owned));
        }
        let verb = filled.first().map(String::as_str).unwrap_or_default();
        if !target.verbs().contains(&verb) {
            let span = words.first().map_or_else(Span::default, |word| word.span);
            let message = format!("`@{}` cannot `{verb}`", target.word());
            let one = Diagnostic::error("unknown-action", message).at(file, span, "");
            found.push(one.suggest(verb, target.verbs().iter().copied()));
            return None;
        }
        Some(Action::Act {
            target,
            words: filled,
        })
    }

    fn window(
        &self,
        file: &Arc<SourceFile>,
        text: &Text,
        found: &mut Diagnostics,
    ) -> Option<Window> {
        let value = self.names.text(file, text, true, found)?;
        match duration::window(&value) {
            Ok(window) => Some(window),
            Err(error) => {
                let code = match error {
                    duration::AmountError::EmptyWindow(_) => "empty-window",
                    _ => "bad-window",
                };
                let one = Diagnostic::error(code, error.to_string()).at(file, text.span, "");
                found.push(one.help("write `[30s]` or `[27s..33s]`"));
                None
            }
        }
    }

    fn template(
        &mut self,
        file: &Arc<SourceFile>,
        segments: &[Segment],
        escapes: bool,
        found: &mut Diagnostics,
    ) -> Option<Template> {
        let mut parts = Vec::new();
        for segment in segments {
            if let (true, SegmentKind::Literal(text)) = (escapes, &segment.kind) {
                match unescape(text) {
                    Ok(bytes) => push_bytes(&mut parts, &bytes),
                    Err((at, length)) => {
                        let at = segment.span.start + at;
                        let one = Diagnostic::error("bad-escape", "there is no such escape").at(
                            file,
                            at..at + length,
                            "",
                        );
                        found.push(one.help("known are: \\r \\n \\t \\\\ \\0 \\xNN"));
                        return None;
                    }
                }
                continue;
            }
            if let SegmentKind::Name(keys) = &segment.kind
                && let [name] = keys.as_slice()
                && self.names.get(keys).is_err()
                && !self.captures.set.contains_key(name)
                && self.too_early(file, segment.span, name, found)
            {
                return None;
            }
            match self
                .names
                .meaning(file, segment, &self.known_captures(), found)?
            {
                Meaning::Capture(name) => {
                    self.used(file, segment.span, &name, found);
                    parts.push(TemplatePart::Capture(name));
                }
                Meaning::Value(value) => {
                    let text = plain(file, segment.span, &value, found)?;
                    push_bytes(&mut parts, text.as_bytes());
                }
            }
        }
        Some(Template(parts))
    }

    fn pattern(
        &mut self,
        file: &Arc<SourceFile>,
        mode: Mode,
        text: &Text,
        found: &mut Diagnostics,
    ) -> Option<Pattern> {
        if text.value.trim() == ANY_LINES {
            return Some(Pattern::AnyLines);
        }
        let mut reader = Reader {
            file,
            found,
            exact: true,
        };
        let segments = reader.pattern(text);
        let mut pieces = Vec::new();
        let mut captured = Vec::new();
        for segment in segments {
            if let SegmentKind::Hole(hole) = segment.kind {
                if let Some(name) = &hole.name {
                    captured.push((name.clone(), hole.number, segment.span));
                }
                if hole.term.is_some() {
                    pieces.push(self.term(file, hole, segment.span, found)?);
                    continue;
                }
                let Hole {
                    name,
                    regex,
                    number,
                    written,
                    ..
                } = hole;
                pieces.push(Piece::Hole {
                    name,
                    regex,
                    number,
                    written,
                });
            } else {
                let template = self.template(file, &[segment], false, found)?;
                pieces.push(Piece::Text(template));
            }
        }
        for (name, number, span) in captured {
            self.capture(file, mode, (&name, number), span, found);
        }
        Some(Pattern::Line(pieces))
    }

    fn trailing_blank(
        &self,
        file: &Arc<SourceFile>,
        text: &Text,
        instead: &str,
        found: &mut Diagnostics,
    ) {
        let length = text.value.len() - text.value.trim_end().len();
        if length > 0 {
            let span = Span::new(text.span.end - length, text.span.end);
            let message = "blanks at the end of a line cannot be seen";
            let one = Diagnostic::warning("trailing-blank", message).at(file, span, "");
            found.push(one.help(format!("if they are meant, write `{instead}")));
        }
    }
}

fn push_bytes(parts: &mut Vec<TemplatePart>, bytes: &[u8]) {
    match parts.last_mut() {
        Some(TemplatePart::Bytes(last)) => last.extend_from_slice(bytes),
        _ if bytes.is_empty() => {}
        _ => parts.push(TemplatePart::Bytes(bytes.to_vec())),
    }
}
