//! Set-ups of the fake servers, made from the tables of a scenario.
//!
//! What the keys mean is the servers' business; this only brings their complaints back to the
//! place in the file that they are about.

use super::table::{self, Kind, Value};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use toml::de::ValueDeserializer;
use urcheck_servers::event::Protocol;
use urcheck_servers::fault::Rule;

/// Reads `[smtp]` or `[pop3]`. The default where there is none or it is wrong.
pub fn read<S: DeserializeOwned + Default>(
    file: &Arc<SourceFile>,
    table: Option<Value>,
    found: &mut Diagnostics,
) -> S {
    let Some(table) = table else {
        return S::default();
    };
    if !matches!(table.value, Kind::Table(_)) {
        table::mismatch(file, &table, "a table", found);
        return S::default();
    }
    let whole = table.span;
    match S::deserialize(ValueDeserializer::from(table::for_serde(&table))) {
        Ok(setup) => setup,
        Err(error) => {
            found.push(complaint(file, whole, &error));
            S::default()
        }
    }
}

/// Reports rules that cannot work. `table` is what they were read from.
pub fn check_rules(
    file: &Arc<SourceFile>,
    table: &Value,
    rules: &[Rule],
    protocol: Protocol,
    found: &mut Diagnostics,
) {
    let places = rule_places(table);
    for error in Rule::check(rules, protocol) {
        let span = places.get(error.index).copied().unwrap_or(table.span);
        found.push(Diagnostic::error("bad-fault", error.problem.to_string()).at(file, span, ""));
    }
}

/// Where each `[[….fault]]` stands.
pub fn rule_places(table: &Value) -> Vec<Span> {
    let Kind::Table(keys) = &table.value else {
        return Vec::new();
    };
    match keys.iter().find(|(key, _)| key.value == "fault") {
        Some((
            _,
            Value {
                value: Kind::Array(rules),
                ..
            },
        )) => rules.iter().map(|rule| rule.span).collect(),
        _ => Vec::new(),
    }
}

/// serde's message, with its list of known names turned into a suggestion.
fn complaint(file: &Arc<SourceFile>, whole: Span, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().map_or(whole, Span::from);
    let message = error.message().trim().to_owned();
    let (head, known) = match message.split_once(", expected ") {
        Some((head, known)) if head.starts_with("unknown ") => (head, known),
        _ => (message.as_str(), ""),
    };
    let code = match head {
        head if head.starts_with("unknown field") => "unknown-key",
        head if head.starts_with("unknown variant") => "unknown-word",
        _ => "bad-setup",
    };
    let names = || head.split('`').nth(1).unwrap_or_default();
    let shown = head
        .replace("unknown field", "unknown key")
        .replace("unknown variant", "unknown word");
    let one = Diagnostic::error(code, shown).at(file, span, "");
    if known.is_empty() {
        return one;
    }
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match crate::diagnostic::nearest(names(), known.iter().copied()) {
        Some(near) => one.help(format!("did you mean `{near}`?")),
        None => one.help(format!("known are: {}", known.join(", "))),
    }
}
