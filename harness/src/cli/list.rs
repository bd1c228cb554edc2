//! `urcheck list`: the cases of a selection.

use crate::exit::Exit;
use crate::suite::{Entry, Selection};
use serde_json::json;

/// A line for each case, or a JSON list.
pub fn list(selection: &Selection<'_>, as_json: bool) -> (String, Exit) {
    if selection.entries.is_empty() {
        return (String::new(), Exit::Nothing);
    }
    let text = if as_json {
        let cases: Vec<_> = selection.entries.iter().map(as_value).collect();
        let mut text = serde_json::Value::Array(cases).to_string();
        text.push('\n');
        text
    } else {
        let width = selection
            .entries
            .iter()
            .map(|entry| entry.id.len())
            .max()
            .unwrap_or(0)
            .min(60);
        selection
            .entries
            .iter()
            .map(|entry| {
                let front = &entry.scenario.unit.front;
                let (class, title) = (front.class.word(), entry.title());
                format!("{:width$}  {class:6}  {title}\n", entry.id)
            })
            .collect()
    };
    (text, Exit::Passed)
}

fn as_value(entry: &Entry<'_>) -> serde_json::Value {
    let front = &entry.scenario.unit.front;
    let mut requires: Vec<String> = Vec::new();
    for gate in entry.scenario.requires(entry.row) {
        let word = gate.word();
        // A fragment often asks for what its scenario asks for as well.
        if !requires.contains(&word) {
            requires.push(word);
        }
    }
    json!({
        "id": entry.id,
        "title": entry.title(),
        "class": front.class.word(),
        "clauses": front.covers.iter().map(|clause| &clause.value).collect::<Vec<_>>(),
        "faults": entry.scenario.faults(entry.row).collect::<Vec<_>>(),
        "requires": requires,
        "file": entry.scenario.unit.written.file.path,
    })
}
