//! Lowering of what leans on disputes, and of what is recorded.

use super::super::case::{Piece, Record, Recorded, Term};
use super::super::names::plain;
use super::super::text::Hole;
use super::super::written::Gate;
use super::State;
use super::captures::exclude;
use super::expression::Wanted;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dispute::{Disputes, TermError};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;

/// Where a value is recorded.
pub(super) struct Place {
    /// The gate of its section.
    gate: Option<Gate>,
    file: Arc<SourceFile>,
    span: Span,
}

impl State<'_> {
    /// A hole that stands for a term of a dispute.
    pub(super) fn term(
        &self,
        file: &Arc<SourceFile>,
        hole: Hole,
        span: Span,
        found: &mut Diagnostics,
    ) -> Option<Piece> {
        let term = hole.term.as_deref().unwrap_or_default();
        let value = |keys: &[String]| {
            let value = self.names.get(keys).ok()?;
            plain(file, span, value, &mut Diagnostics::new())
        };
        let chosen = &self.given.profile.disputes;
        let disputes = self.given.disputes;
        let alternatives = match disputes.alternatives(term, chosen, &value) {
            Ok(alternatives) => alternatives,
            Err(error) => {
                let code = match error {
                    TermError::Unknown(_) => "unknown-term",
                    TermError::Needs { .. } => "unknown-name",
                    _ => "bad-term",
                };
                let one = Diagnostic::error(code, error.to_string()).at(file, span, "");
                found.push(match error {
                    TermError::Unknown(term) => one.suggest(&term, disputes.terms()),
                    TermError::Needs { name, .. } => {
                        one.help(format!("give it a value in `[let]`: `{name} = \"…\"`"))
                    }
                    _ => one,
                });
                return None;
            }
        };
        let leans = Disputes::leans(&alternatives, chosen);
        Some(Piece::Term(Arc::new(Term {
            name: hole.name,
            written: hole.written,
            alternatives,
            leans,
        })))
    }

    /// A `%` line.
    pub(super) fn record(
        &mut self,
        file: &Arc<SourceFile>,
        reading: bool,
        key: &Text,
        expression: &Text,
        found: &mut Diagnostics,
    ) -> Option<Record> {
        let what = match reading {
            true => self.followed(file, key, found)?,
            false => Recorded::Behaviour(key.value.clone()),
        };
        let gate = self.section.gate.clone();
        let others = self.recorded.entry(key.value.clone()).or_default();
        let other = others
            .iter()
            .find(|other| !exclude(other.gate.as_ref(), gate.as_ref()));
        if let Some(first) = other.filter(|_| !reading) {
            let message = format!("`{}` is recorded twice", key.value);
            let one = Diagnostic::error("duplicate-name", message).at(file, key.span, "");
            found.push(one.at(&first.file, first.span, "the first one"));
            return None;
        }
        others.push(Place {
            gate,
            file: Arc::clone(file),
            span: key.span,
        });
        let known: Vec<String> = match &what {
            Recorded::Behaviour(_) => Vec::new(),
            Recorded::Reading { readings, .. } => readings
                .iter()
                .map(|(reading, _)| reading.reading.clone())
                .collect(),
        };
        let wanted = match reading {
            true => Wanted::OneOf(&known),
            false => Wanted::Value,
        };
        let expression = self.check(file, expression, wanted, found)?;
        Some(Record { expression, what })
    }

    fn followed(
        &self,
        file: &Arc<SourceFile>,
        key: &Text,
        found: &mut Diagnostics,
    ) -> Option<Recorded> {
        let disputes = self.given.disputes;
        let Some(dispute) = disputes.get(&key.value) else {
            let message = format!("unknown dispute `{}`", key.value);
            let one = Diagnostic::error("unknown-dispute", message).at(file, key.span, "");
            let known = disputes.iter().map(|dispute| dispute.id.as_str());
            found.push(one.suggest(&key.value, known));
            return None;
        };
        let chosen = &self.given.profile.disputes;
        let one = |id: &str| (dispute.follows(id), dispute.accepts(id, chosen));
        Some(Recorded::Reading {
            dispute: dispute.id.clone(),
            readings: dispute
                .readings
                .iter()
                .map(|reading| one(&reading.id))
                .collect(),
        })
    }
}
