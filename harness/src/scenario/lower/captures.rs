//! The book of captures: which have a value where, and which are ever used.

use super::super::case::Mode;
use super::super::written::{Gate, LineKind};
use super::State;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The captures so far.
#[derive(Default)]
pub(super) struct Captures {
    /// Those that have a value.
    pub(super) set: BTreeMap<String, Capture>,
    /// Those of the `|` lines that are being read: their order is open, so none of them can be
    /// used before all have come.
    pending: BTreeMap<String, Capture>,
}

/// One capture.
pub(super) struct Capture {
    pub(super) file: Arc<SourceFile>,
    pub(super) span: Span,
    /// The gate of its section.
    pub(super) gate: Option<Gate>,
    /// Whether its line may be missing.
    pub(super) optional: bool,
    pub(super) used: bool,
    /// Whether checks see a number.
    number: bool,
}

impl Captures {
    /// Ends a group of `|` lines.
    pub(super) fn settle(&mut self) {
        self.set.append(&mut self.pending);
    }

    /// Names and values of the right type, for trying checks.
    pub(super) fn examples(&self) -> impl Iterator<Item = (String, serde_json::Value)> {
        self.set.iter().map(|(name, capture)| match capture.number {
            true => (name.clone(), 1.into()),
            false => (name.clone(), "x".into()),
        })
    }

    pub(super) fn known(&self) -> BTreeSet<String> {
        self.set.keys().cloned().collect()
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = (&String, &Capture)> {
        self.set.iter().filter(|(_, capture)| !capture.used)
    }
}

impl State<'_> {
    /// Notes a capture, and reports if there cannot be one here.
    pub(super) fn capture(
        &mut self,
        file: &Arc<SourceFile>,
        mode: Mode,
        (name, number): (&str, bool),
        span: Span,
        found: &mut Diagnostics,
    ) {
        if mode == Mode::Forbidden {
            let message = "a line that must not come cannot give a capture its value";
            let one = Diagnostic::error("forbidden-capture", message).at(file, span, "");
            found.push(one.help("leave the name out: `{{:int}}`"));
            return;
        }
        if self.names.get(&[name.to_owned()]).is_ok() {
            let message = format!("`{name}` is a variable already");
            found.push(Diagnostic::error("duplicate-name", message).at(file, span, ""));
            return;
        }
        let earlier = self
            .captures
            .set
            .get(name)
            .or_else(|| self.captures.pending.get(name));
        let used = match earlier {
            None => false,
            // The same capture in the two arms of a gate is one capture.
            Some(earlier) if exclude(earlier.gate.as_ref(), self.section.gate.as_ref()) => {
                earlier.used
            }
            Some(earlier) => {
                let message = format!("there is another capture `{name}`");
                found.push(
                    Diagnostic::error("duplicate-name", message)
                        .at(file, span, "")
                        .at(&earlier.file, earlier.span, "the first one")
                        .help(format!(
                            "to expect the same value again, write `${{{name}}}`"
                        )),
                );
                return;
            }
        };
        let capture = Capture {
            file: Arc::clone(file),
            span,
            gate: match earlier {
                // Both arms give it a value, so it always has one.
                Some(_) => None,
                None => self.section.gate.clone(),
            },
            optional: mode == Mode::Optional,
            used,
            number,
        };
        self.captures.set.remove(name);
        self.captures.pending.insert(name.to_owned(), capture);
        if !matches!(mode, Mode::AnyOrder | Mode::Optional) {
            self.captures.settle();
        }
    }

    /// Notes that a capture is used, and reports if it may have no value here.
    pub(super) fn used(
        &mut self,
        file: &Arc<SourceFile>,
        span: Span,
        name: &str,
        found: &mut Diagnostics,
    ) {
        let Some(capture) = self.captures.set.get_mut(name) else {
            return;
        };
        capture.used = true;
        let reason = if capture.optional {
            "its line may be missing"
        } else if capture.gate.is_some() && capture.gate != self.section.gate {
            "its section is left out on some devices"
        } else {
            return;
        };
        found.push(
            Diagnostic::error("unset-capture", format!("`{name}` may have no value here"))
                .at(file, span, "")
                .at(&capture.file, capture.span, reason),
        );
    }

    /// Where a capture of this name stands, whether it has a value yet or not.
    fn capture_anywhere(&self, name: &str) -> Option<(Arc<SourceFile>, Span)> {
        for unit in self.scenario.units() {
            for line in &unit.written.lines {
                let LineKind::Expect { text, .. } = &line.kind else {
                    continue;
                };
                let at = [":", "="]
                    .iter()
                    .find_map(|then| text.value.find(&format!("{{{{{name}{then}")));
                if let Some(at) = at {
                    let start = text.span.start + at;
                    let span = Span::new(start, start + 2 + name.len());
                    return Some((Arc::clone(&unit.written.file), span));
                }
            }
        }
        None
    }

    /// Reports a capture that has no value yet; whether that is what is wrong with the name.
    pub(super) fn too_early(
        &self,
        file: &Arc<SourceFile>,
        span: Span,
        name: &str,
        found: &mut Diagnostics,
    ) -> bool {
        let Some((other, at)) = self.capture_anywhere(name) else {
            return false;
        };
        found.push(
            Diagnostic::error("unset-capture", format!("`{name}` has no value yet"))
                .at(file, span, "")
                .at(
                    &other,
                    at,
                    "it gets one only when this line and its neighbours have come",
                ),
        );
        true
    }
}

/// Whether two sections can never both be part of a case.
pub(super) fn exclude(a: Option<&Gate>, b: Option<&Gate>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.capability == b.capability && a.negated != b.negated,
        _ => false,
    }
}
