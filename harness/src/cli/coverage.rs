//! `urcheck coverage`: which scenario proves which clause.

use crate::exit::Exit;
use crate::suite::Suite;
use std::collections::BTreeMap;
use urcheck_reports::Class;

/// Each clause with the scenarios that cover it. Fails if nothing covers a `must`.
pub fn coverage(suite: &Suite) -> (String, Exit) {
    let mut by_clause: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scenario in suite.scenarios() {
        for clause in &scenario.unit.front.covers {
            by_clause
                .entry(&clause.value)
                .or_default()
                .push(&scenario.id);
        }
    }
    let width = suite.clauses().ids().map(str::len).max().unwrap_or(0);
    let mut text = String::new();
    let mut open: BTreeMap<Class, usize> = BTreeMap::new();
    let mut all: BTreeMap<Class, usize> = BTreeMap::new();
    for clause in suite.clauses().iter() {
        let id = clause.id.value.as_str();
        let class = clause.class;
        *all.entry(class).or_default() += 1;
        let scenarios = by_clause.get(id).map(|list| list.join(", "));
        if scenarios.is_none() {
            *open.entry(class).or_default() += 1;
        }
        let scenarios = scenarios.unwrap_or_else(|| "-".to_owned());
        let section = &clause.section;
        text.push_str(&format!(
            "{id:width$}  {section:6}  {:6}  {scenarios}\n",
            class.word()
        ));
    }
    text.push('\n');
    for (class, count) in &all {
        let open = open.get(class).copied().unwrap_or(0);
        text.push_str(&format!(
            "{:6}  {} of {count} covered\n",
            class.word(),
            count - open
        ));
    }
    let exit = match open.contains_key(&Class::Must) {
        true => Exit::Failed,
        false => Exit::Passed,
    };
    (text, exit)
}
