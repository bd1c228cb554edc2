//! Clauses: what the application note demands, and which scenarios prove it.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::table::{Table, document};
use crate::source::{SourceFile, Span, Text};
use std::collections::BTreeMap;
use std::sync::Arc;
use urcheck_reports::Class;

/// One demand.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Its id.
    pub id: Text,
    /// Section of the application note.
    pub section: String,
    /// How binding it is.
    pub class: Class,
    /// The words of the note.
    pub quote: String,
    /// How they are read; often empty.
    pub note: String,
    /// The row of the note's tables of URCs that it is taken from.
    pub urc: Option<String>,
}

/// All of them, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Clauses {
    list: Vec<Clause>,
    by_id: BTreeMap<String, usize>,
}

impl Clauses {
    /// Reads `clauses.toml`.
    pub fn read(file: &Arc<SourceFile>, found: &mut Diagnostics) -> Self {
        let span = Span::new(0, file.text.len());
        let mut top = Table::new(
            file,
            span,
            "the list of clauses",
            document(file, span, found),
        );
        let mut clauses = Self::default();
        for mut table in top.tables("clause", "[[clause]]", found) {
            let at = table.span();
            let id = table.text("id", found);
            let class = table.text("class", found);
            let clause = Clause {
                id: id.unwrap_or_else(|| Text::new(at, String::new())),
                section: table.text("section", found).unwrap_or_default().value,
                class: match class.as_ref().map(|class| class.value.as_str()) {
                    Some("should") => Class::Should,
                    Some("info") => Class::Info,
                    _ => Class::Must,
                },
                quote: table.text("quote", found).unwrap_or_default().value,
                note: table.text("note", found).unwrap_or_default().value,
                urc: table.text("urc", found).map(|urc| urc.value),
            };
            table.finish(found);
            if let Some(class) = class
                && class.value != clause.class.word()
            {
                let message = format!("unknown class `{}`", class.value);
                let one = Diagnostic::error("unknown-class", message).at(file, class.span, "");
                found.push(one.suggest(&class.value, ["must", "should", "info"]));
            }
            clauses.add(file, clause, found);
        }
        top.finish(found);
        clauses
    }

    fn add(&mut self, file: &Arc<SourceFile>, clause: Clause, found: &mut Diagnostics) {
        if clause.id.value.is_empty() || clause.section.is_empty() || clause.quote.is_empty() {
            let message = "a clause has an `id`, a `section` and a `quote`";
            found.push(Diagnostic::error("bad-clause", message).at(file, clause.id.span, ""));
            return;
        }
        if self.by_id.contains_key(&clause.id.value) {
            let message = format!("there is another clause `{}`", clause.id.value);
            found.push(Diagnostic::error("duplicate-clause", message).at(file, clause.id.span, ""));
            return;
        }
        self.by_id.insert(clause.id.value.clone(), self.list.len());
        self.list.push(clause);
    }

    /// The clause of this id.
    pub fn get(&self, id: &str) -> Option<&Clause> {
        self.list.get(*self.by_id.get(id)?)
    }

    /// All, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Clause> {
        self.list.iter()
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_found_by_id_and_kept_in_order() {
        let text = r#"
[[clause]]
id = "b"
section = "1"
quote = "Q"

[[clause]]
id = "a"
section = "3.2"
class = "info"
quote = "R"
note = "N"
"#;
        let file = Arc::new(SourceFile::new("clauses.toml", text));
        let mut found = Diagnostics::new();
        let clauses = Clauses::read(&file, &mut found);
        assert!(found.is_empty());
        assert_eq!(
            clauses
                .iter()
                .map(|one| one.id.value.as_str())
                .collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert_eq!(clauses.get("a").map(|one| one.class), Some(Class::Info));
        assert!(clauses.get("c").is_none());
    }
}
