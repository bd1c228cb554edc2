//! Selectors: which cases a command is about.

use super::{Entry, Suite};
use crate::diagnostic::nearest;
use crate::scenario::unit::Scenario;
use globset::{GlobBuilder, GlobMatcher};
use std::collections::BTreeSet;
use thiserror::Error;

/// The chosen cases, in the order of the suite, each once.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The cases.
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Selection<'a> {
    /// The scenarios that the cases are of, each once.
    pub fn scenarios(&self) -> Vec<&'a Scenario> {
        let mut scenarios: Vec<_> = self.entries.iter().map(|entry| entry.scenario).collect();
        // The rows of a scenario stand together.
        scenarios.dedup_by(|a, b| a.id == b.id);
        scenarios
    }
}

/// Why a selector selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SelectError {
    /// Nothing is called so.
    #[error("nothing is selected by `{selector}`{hint}")]
    Nothing {
        /// What was written.
        selector: String,
        /// What was perhaps meant.
        hint: String,
    },
    /// It is no glob.
    #[error("`{selector}` is no pattern: {reason}")]
    Glob {
        /// What was written.
        selector: String,
        /// Why not.
        reason: String,
    },
}

impl Suite {
    /// The cases that any of the selectors selects; all where there is no selector.
    ///
    /// A selector is the path of a scenario (with or without `.att`) or of a folder, the id of a
    /// case (`path[row]`), a glob over either, the id of a clause, `clause:GLOB`, `fault:GLOB`, or
    /// `section:3.2`, a section of the application note.
    ///
    /// # Errors
    /// Each selector that selects nothing.
    pub fn select(&self, selectors: &[String]) -> Result<Selection<'_>, Vec<SelectError>> {
        let entries: Vec<Entry<'_>> = self.entries().collect();
        if selectors.is_empty() {
            return Ok(Selection { entries });
        }
        let mut chosen = BTreeSet::new();
        let mut errors = Vec::new();
        for selector in selectors {
            match self.chosen(selector, &entries) {
                Ok(found) if found.is_empty() => errors.push(SelectError::Nothing {
                    selector: selector.clone(),
                    hint: self.hint(selector, &entries),
                }),
                Ok(found) => chosen.extend(found),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let selected = entries
            .into_iter()
            .enumerate()
            .filter(|(at, _)| chosen.contains(at))
            .map(|(_, entry)| entry)
            .collect();
        Ok(Selection { entries: selected })
    }

    fn chosen(&self, selector: &str, entries: &[Entry<'_>]) -> Result<Vec<usize>, SelectError> {
        let where_ = |test: &dyn Fn(&Entry<'_>) -> bool| -> Vec<usize> {
            let positions = entries.iter().enumerate();
            positions
                .filter(|(_, entry)| test(entry))
                .map(|(at, _)| at)
                .collect()
        };
        let covers = |entry: &Entry<'_>, test: &dyn Fn(&str) -> bool| {
            entry
                .scenario
                .unit
                .front
                .covers
                .iter()
                .any(|clause| test(&clause.value))
        };
        if let Some(pattern) = selector.strip_prefix("clause:") {
            let pattern = glob(selector, pattern, false)?;
            return Ok(where_(&|entry| {
                covers(entry, &|clause| pattern.is_match(clause))
            }));
        }
        if let Some(pattern) = selector.strip_prefix("fault:") {
            let pattern = glob(selector, pattern, false)?;
            return Ok(where_(&|entry| {
                let mut faults = entry.scenario.faults(entry.row);
                faults.any(|fault| pattern.is_match(fault))
            }));
        }
        if let Some(section) = selector.strip_prefix("section:") {
            let inside = |clause: &str| {
                self.clauses().get(clause).is_some_and(|clause| {
                    let rest = clause.section.strip_prefix(section);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
            };
            return Ok(where_(&|entry| covers(entry, &inside)));
        }
        let path = bare(selector);
        let found = where_(&|entry| entry.id == path || entry.scenario.id == path);
        if !found.is_empty() {
            return Ok(found);
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let found = where_(&|entry| entry.scenario.id.starts_with(&folder));
        if !found.is_empty() {
            return Ok(found);
        }
        if path.contains(['*', '?', '{']) {
            let pattern = glob(selector, &path, true)?;
            return Ok(where_(&|entry| {
                pattern.is_match(&entry.id) || pattern.is_match(&entry.scenario.id)
            }));
        }
        Ok(where_(&|entry| covers(entry, &|clause| clause == selector)))
    }

    fn hint(&self, selector: &str, entries: &[Entry<'_>]) -> String {
        if self
            .clauses()
            .get(selector.trim_start_matches("clause:"))
            .is_some()
        {
            return ": no scenario covers this clause".to_owned();
        }
        // `[a-l]*` is a glob elsewhere.
        if let Some((_, behind)) = selector.split_once(']')
            && !behind.is_empty()
        {
            return ": `[…]` is a case of a scenario; one letter of several is `{a,b}`".to_owned();
        }
        let names = entries.iter().map(|entry| entry.scenario.id.as_str());
        match nearest(&bare(selector), names.chain(self.clauses().ids())) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        }
    }
}

/// A path as ids are written: `./scenarios/smtp/a.att` is `smtp/a`.
fn bare(selector: &str) -> String {
    let path = selector.replace('\\', "/");
    let path = path.trim_start_matches("./");
    let path = path
        .rsplit_once("scenarios/")
        .map_or(path, |(_, inside)| inside);
    path.strip_suffix(".att").unwrap_or(path).to_owned()
}

fn glob(selector: &str, pattern: &str, path: bool) -> Result<GlobMatcher, SelectError> {
    // The brackets of a case id are no character class.
    let pattern = pattern.replace('[', "\\[").replace(']', "\\]");
    GlobBuilder::new(&pattern)
        .literal_separator(path && !pattern.contains("**"))
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| SelectError::Glob {
            selector: selector.to_owned(),
            reason: error.kind().to_string(),
        })
}
