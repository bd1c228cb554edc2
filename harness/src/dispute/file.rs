//! Reading `disputes.toml`.

use super::{Dispute, Disputes, OneReading};
use crate::clause::Clauses;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::table::{self, Kind, Table, Value, document};
use crate::scenario::text::{Reader, Segment, SegmentKind};
use crate::source::{SourceFile, Span, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Disputes {
    /// Reads the file and reports every mistake in it.
    pub fn read(file: &Arc<SourceFile>, found: &mut Diagnostics) -> Self {
        let span = Span::new(0, file.text.len());
        let top = document(file, span, found);
        let mut top = Table::new(file, span, "the list of disputes", top);
        let mut disputes = Self {
            file: Some(Arc::clone(file)),
            ..Self::default()
        };
        for table in top.tables("dispute", "[[dispute]]", found) {
            let span = table.span();
            let Some(dispute) = dispute(file, table, found) else {
                continue;
            };
            if disputes.get(&dispute.id).is_some() {
                let message = format!("there are two disputes `{}`", dispute.id);
                found.push(Diagnostic::error("duplicate-dispute", message).at(file, span, ""));
                continue;
            }
            disputes.add_terms(&dispute, span, found);
            disputes.all.push(dispute);
        }
        top.finish(found);
        disputes.check_terms(found);
        disputes
    }

    /// Reports clauses that do not exist.
    pub fn check_clauses(&self, clauses: &Clauses, found: &mut Diagnostics) {
        let Some(file) = &self.file else { return };
        for clause in self.all.iter().flat_map(|dispute| &dispute.clauses) {
            if clauses.get(clause).is_none() {
                let quoted = format!("\"{clause}\"");
                let at = file.text.find(&quoted).unwrap_or_default();
                let one = Diagnostic::error("unknown-clause", format!("unknown clause `{clause}`"));
                let one = one.at(file, at..at + quoted.len(), "");
                found.push(one.suggest(clause, clauses.ids()));
            }
        }
    }

    fn add_terms(&mut self, dispute: &Dispute, span: Span, found: &mut Diagnostics) {
        let Some(file) = self.file.clone() else {
            return;
        };
        let mut mistake = |message: String| {
            found.push(Diagnostic::error("bad-term", message).at(&file, span, ""));
        };
        for reading in &dispute.readings {
            for term in reading.says.keys() {
                if !term.contains('.') {
                    mistake(format!("the term `{term}` has no `.` in its name"));
                }
                let other = dispute
                    .readings
                    .iter()
                    .find(|other| !other.says.contains_key(term));
                if let Some(other) = other {
                    mistake(format!(
                        "the reading `{}` has no text for `{term}`",
                        other.id
                    ));
                }
                let here = self.all.len();
                if self
                    .terms
                    .insert(term.clone(), here)
                    .is_some_and(|at| at != here)
                {
                    mistake(format!("another dispute has the term `{term}` already"));
                }
            }
        }
    }

    /// Terms in texts of terms: they must exist, and not stand in each other too deep.
    fn check_terms(&self, found: &mut Diagnostics) {
        let Some(file) = &self.file else { return };
        let segments = self
            .all
            .iter()
            .flat_map(|dispute| &dispute.readings)
            .flat_map(|reading| reading.says.values().flatten().flatten());
        let mut unknown = false;
        for Segment { span, kind } in segments {
            if let SegmentKind::Hole(hole) = kind
                && let Some(terms) = &hole.term
                && let mut terms = terms.split('|').filter(|term| term.contains('.'))
                && let Some(term) = terms.find(|term| !self.terms.contains_key(*term))
            {
                unknown = true;
                let one = Diagnostic::error("unknown-term", format!("unknown term `{term}`"));
                found.push(one.at(file, *span, "").suggest(term, self.terms()));
            }
        }
        let all = BTreeMap::new();
        for term in self.terms.keys().filter(|_| !unknown) {
            if let Err(error) = self.alternatives(term, &all, &|_| Some(String::new())) {
                let at = file.text.find(term.as_str()).unwrap_or_default();
                let one = Diagnostic::error("bad-term", error.to_string());
                found.push(one.at(file, at..at + term.len(), ""));
            }
        }
    }
}

fn dispute(
    file: &Arc<SourceFile>,
    mut table: Table<'_>,
    found: &mut Diagnostics,
) -> Option<Dispute> {
    let span = table.span();
    let mistake = |found: &mut Diagnostics, message: String, span: Span| {
        found.push(Diagnostic::error("bad-dispute", message).at(file, span, ""));
    };
    let id = table.text("id", found).map(|id| id.value);
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        mistake(found, "a dispute needs an `id`".to_owned(), span);
        return None;
    };
    let question = table.text("question", found).unwrap_or_default().value;
    if question.is_empty() {
        mistake(found, format!("dispute `{id}` has no `question`"), span);
    }
    let clauses = table.texts("clauses", found);
    let default = table.texts("default", found);
    let varies = table.flag("varies", found).unwrap_or(false);
    let mut readings: Vec<OneReading> = Vec::new();
    for mut one in table.tables("reading", "[[dispute.reading]]", found) {
        let span = one.span();
        let name = one.text("id", found).unwrap_or_default().value;
        let text = one.text("text", found).unwrap_or_default().value;
        let from = one.texts("from", found);
        let says = one.take("says");
        one.finish(found);
        if name.is_empty() || text.is_empty() || from.is_empty() {
            let message = "a reading needs an `id`, a `text` and where it comes `from`";
            mistake(found, message.to_owned(), span);
        }
        if readings.iter().any(|known| known.id == name) {
            mistake(found, format!("there are two readings `{name}`"), span);
        }
        readings.push(OneReading {
            says: says.map_or_else(BTreeMap::new, |says| said(file, &id, says, found)),
            id: name,
            text,
            from: from.into_iter().map(|from| from.value).collect(),
        });
    }
    if readings.is_empty() {
        mistake(found, format!("dispute `{id}` has no readings"), span);
        return None;
    }
    if default.is_empty() {
        mistake(
            found,
            format!("dispute `{id}` accepts nothing by `default`"),
            span,
        );
    }
    for Text { value, span } in &default {
        if !readings.iter().any(|reading| reading.id == *value) {
            let one = Diagnostic::error("unknown-reading", format!("unknown reading `{value}`"));
            let known = readings.iter().map(|reading| reading.id.as_str());
            found.push(one.at(file, *span, "").suggest(value, known));
        }
    }
    table.finish(found);
    let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.value).collect();
    Some(Dispute {
        id,
        clauses: texts(clauses),
        question,
        default: texts(default),
        varies,
        readings,
    })
}

/// The texts of a reading: one text or a list of them for the term that is called as the dispute,
/// or a table of terms.
fn said(
    file: &Arc<SourceFile>,
    dispute: &str,
    value: Value,
    found: &mut Diagnostics,
) -> BTreeMap<String, Vec<Vec<Segment>>> {
    let terms = match value.value {
        Kind::Table(entries) => entries
            .into_iter()
            .map(|(term, value)| (term.value, value))
            .collect(),
        _ => vec![(dispute.to_owned(), value)],
    };
    let mut said = BTreeMap::new();
    for (term, value) in terms {
        let values = match value.value {
            Kind::Array(values) => values,
            _ => vec![value],
        };
        let mut texts = Vec::new();
        for value in values {
            let Some(text) = table::text(file, &value, found) else {
                continue;
            };
            let exact = false;
            let segments = Reader { file, found, exact }.pattern(&text);
            let odd = segments.iter().find(|segment| match &segment.kind {
                SegmentKind::Hole(hole) => hole.name.is_some(),
                SegmentKind::Fill(_) => true,
                _ => false,
            });
            if let Some(odd) = odd {
                let message = "the text of a reading has no captures and no `${fill(…)}`";
                found.push(Diagnostic::error("bad-term", message).at(file, odd.span, ""));
                continue;
            }
            texts.push(segments);
        }
        said.insert(term, texts);
    }
    said
}
