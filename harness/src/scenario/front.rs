//! Front matter: what a scenario or fragment says about itself.
//!
//! Values that may contain `${…}` are kept as written; [`super::lower`] fills them in.

use super::names;
use super::table::{self, Kind, Table, Value};
use super::written::{Gate, Written};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Text};
use std::collections::BTreeSet;
use std::sync::Arc;
use urcheck_reports::Class;

/// No scenario has more rows than this.
pub const MAX_ROWS: usize = 1000;

/// Longest slug of a row.
const MAX_SLUG: usize = 32;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A case, or several.
    Scenario,
    /// Something that scenarios use.
    Fragment,
}

/// Front matter.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// One sentence.
    pub title: Text,
    /// Ids of clauses.
    pub covers: Vec<Text>,
    /// Ids of the faults that every row provokes.
    pub faults: Vec<Text>,
    /// How binding it is.
    pub class: Class,
    /// What the device must have, or must not.
    pub requires: Vec<Gate>,
    /// Names of fragments.
    pub uses: Vec<Text>,
    /// `[let]`.
    pub lets: Vec<(Text, Value)>,
    /// `[smtp]`.
    pub smtp: Option<Value>,
    /// `[pop3]`, without the mails.
    pub pop3: Option<Value>,
    /// `[[pop3.mail]]`.
    pub mails: Vec<Mail>,
    /// The rows of `[matrix]` or `[[case]]`; one without a name where there is neither.
    pub rows: Vec<Row>,
}

/// `[[pop3.mail]]`.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where it stands.
    pub span: Span,
    /// A file, relative to the scenario folder.
    pub file: Option<Text>,
    /// Or the text itself.
    pub text: Option<Text>,
    /// How many copies.
    pub count: u64,
    /// How many octets it has at least; lines of filler are added to its end.
    pub size: Option<Text>,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What stands in brackets in the case's id.
    pub name: Option<String>,
    /// Ids of the faults that this row provokes, besides those of the scenario.
    pub faults: Vec<Text>,
    /// What the device must have, or must not, for this row besides.
    pub requires: Vec<Gate>,
    /// Its variables.
    pub variables: Vec<(Text, Value)>,
}

impl Front {
    /// Reads the front matter of a file.
    pub fn read(written: &Written, role: Role, found: &mut Diagnostics) -> Self {
        let file = &written.file;
        let span = written.front.span;
        if span == Span::default() {
            // There is none, which the parser has reported.
            return Self {
                rows: vec![Row::default()],
                ..Self::default()
            };
        }
        let document = table::document(file, span, found);
        let what = match role {
            Role::Scenario => "the front matter",
            Role::Fragment => "the front matter of a fragment",
        };
        let mut table = Table::new(file, span, what, document);
        let mut front = Self::default();
        match table.number("format", found) {
            Some(1) => {}
            other => {
                let message = match other {
                    None => "the front matter has no `format`".to_owned(),
                    Some(other) => format!("format {other} is not known"),
                };
                let top = Span::new(0, 3);
                let one = Diagnostic::error("format", message).at(file, top, "");
                found.push(one.help("write `format = 1`"));
            }
        }
        match table.text("title", found) {
            Some(title) if !title.value.trim().is_empty() => front.title = title,
            _ => {
                let one = Diagnostic::error("no-title", "the front matter has no `title`");
                found.push(one.at(file, Span::new(0, 3), "").help("write one sentence"));
            }
        }
        front.requires = requirements(&mut table, found);
        front.uses = table.texts("use", found);
        if let Some(mut lets) = table.table("let", "[let]", found) {
            front.lets = variables(file, lets.rest(), found);
        }
        front.rows = vec![Row::default()];
        if role == Role::Scenario {
            front.scenario(file, &mut table, found);
        }
        table.finish(found);
        front
    }

    /// The keys that only scenarios have.
    fn scenario(&mut self, file: &Arc<SourceFile>, table: &mut Table<'_>, found: &mut Diagnostics) {
        self.covers = table.texts("covers", found);
        self.faults = table.texts("faults", found);
        if let Some(class) = table.text("class", found) {
            let classes = [Class::Must, Class::Should, Class::Info];
            match classes.into_iter().find(|one| one.word() == class.value) {
                Some(class) => self.class = class,
                None => {
                    let message = format!("unknown class `{}`", class.value);
                    let one = Diagnostic::error("unknown-class", message).at(file, class.span, "");
                    found.push(one.suggest(&class.value, classes.map(Class::word)));
                }
            }
        }
        self.smtp = table.take("smtp");
        self.pop3 = table.take("pop3");
        if let Some(pop3) = &mut self.pop3 {
            self.mails = mails(file, pop3, found);
        }
        let matrix = table.table("matrix", "[matrix]", found);
        let cases = table.tables("case", "[[case]]", found);
        match (matrix, cases.is_empty()) {
            (None, true) => {}
            (Some(matrix), true) => self.rows = product(file, matrix, found),
            (None, false) => self.rows = case_rows(file, cases, found),
            (Some(matrix), false) => {
                let message = "a scenario has `[matrix]` or `[[case]]`, not both";
                let span = matrix.span();
                found.push(Diagnostic::error("matrix-and-case", message).at(file, span, ""));
                self.rows = product(file, matrix, found);
            }
        }
    }
}

/// `requires`.
fn requirements(table: &mut Table<'_>, found: &mut Diagnostics) -> Vec<Gate> {
    let texts = table.texts("requires", found);
    texts.iter().map(requirement).collect()
}

/// `cap` or `!cap`.
fn requirement(text: &Text) -> Gate {
    let capability = text
        .value
        .strip_prefix('!')
        .unwrap_or(&text.value)
        .trim()
        .to_owned();
    Gate {
        negated: text.value.starts_with('!'),
        capability: Text::new(text.span, capability),
    }
}

/// Variables, without those whose names cannot be.
fn variables(
    file: &Arc<SourceFile>,
    entries: Vec<(Text, Value)>,
    found: &mut Diagnostics,
) -> Vec<(Text, Value)> {
    let mut good = Vec::new();
    for (name, value) in entries {
        match names::check_name(&name.value) {
            Ok(()) => good.push((name, value)),
            Err(reason) => {
                let message = format!("a variable cannot be called `{}`", name.value);
                let one = Diagnostic::error("bad-name", message).at(file, name.span, "");
                found.push(one.help(reason));
            }
        }
    }
    good
}

/// Takes the mails out of `[pop3]`.
fn mails(file: &Arc<SourceFile>, pop3: &mut Value, found: &mut Diagnostics) -> Vec<Mail> {
    let Kind::Table(table) = &mut pop3.value else {
        return Vec::new();
    };
    let Some(at) = table.iter().position(|(key, _)| key.value == "mail") else {
        return Vec::new();
    };
    let (_, mails) = table.remove(at);
    let mut read = Vec::new();
    for value in table::list(file, mails, found) {
        let Some(mut table) = table::as_table(file, value, "[[pop3.mail]]", found) else {
            continue;
        };
        let mail = Mail {
            span: table.span(),
            file: table.text("file", found),
            text: table.text("text", found),
            count: table.number("count", found).unwrap_or(1),
            size: table.text("size", found),
        };
        table.finish(found);
        if mail.file.is_some() == mail.text.is_some() {
            let message = "a mail has either a `file` or a `text`";
            found.push(Diagnostic::error("bad-mail", message).at(file, mail.span, ""));
            continue;
        }
        read.push(mail);
    }
    read
}

/// All combinations of a matrix.
fn product(file: &Arc<SourceFile>, mut matrix: Table<'_>, found: &mut Diagnostics) -> Vec<Row> {
    let span = matrix.span();
    let mut axes: Vec<(Text, Vec<Value>)> = Vec::new();
    for (name, value) in variables(file, matrix.rest(), found) {
        let place = value.span;
        if !matches!(value.value, Kind::Array(_)) {
            table::mismatch(file, &value, "a list", found);
            continue;
        }
        let values = table::list(file, value, found);
        if values.is_empty() {
            let message = format!("`{}` has no values, so there would be no case", name.value);
            found.push(Diagnostic::error("empty-matrix", message).at(file, place, ""));
            continue;
        }
        axes.push((name, values));
    }
    let count = axes
        .iter()
        .try_fold(1usize, |count, (_, values)| count.checked_mul(values.len()));
    if count.is_none_or(|count| count > MAX_ROWS) {
        let message = format!("this matrix has more than {MAX_ROWS} combinations");
        found.push(Diagnostic::error("too-many-rows", message).at(file, span, ""));
        // One of them shows the other mistakes.
        axes.iter_mut().for_each(|(_, values)| values.truncate(1));
    }
    if axes.is_empty() {
        return vec![Row::default()];
    }
    let mut rows: Vec<Vec<(Text, Value)>> = vec![Vec::new()];
    for (name, values) in &axes {
        rows = rows
            .iter()
            .flat_map(|row| {
                values.iter().map(|value| {
                    let mut row = row.clone();
                    row.push((name.clone(), value.clone()));
                    row
                })
            })
            .collect();
    }
    named(rows.into_iter().map(|variables| Row {
        variables,
        ..Row::default()
    }))
}

fn case_rows(file: &Arc<SourceFile>, cases: Vec<Table<'_>>, found: &mut Diagnostics) -> Vec<Row> {
    if cases.len() > MAX_ROWS {
        let message = format!("there are more than {MAX_ROWS} cases");
        let span = cases.first().map_or_else(Span::default, Table::span);
        found.push(Diagnostic::error("too-many-rows", message).at(file, span, ""));
        return vec![Row::default()];
    }
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for mut table in cases {
        let name = table.text("name", found);
        if let Some(name) = &name
            && !seen.insert(slug(&name.value))
        {
            let message = format!("there is another case called `{}`", name.value);
            found.push(Diagnostic::error("duplicate-case", message).at(file, name.span, ""));
        }
        rows.push(Row {
            name: name.map(|name| name.value),
            faults: table.texts("faults", found),
            requires: requirements(&mut table, found),
            variables: variables(file, table.rest(), found),
        });
    }
    named(rows.into_iter())
}

/// Gives each row a name of its own.
fn named(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    rows.map(|row| {
        let wanted = match &row.name {
            Some(name) => slug(name),
            None => slug(
                &row.variables
                    .iter()
                    .map(|(_, value)| shown(value))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
        };
        let mut name = wanted.clone();
        let mut number = 1;
        while !seen.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        Row {
            name: Some(name),
            ..row
        }
    })
    .collect()
}

/// A value as it goes into a slug.
fn shown(value: &Value) -> String {
    match &value.value {
        Kind::String(text) => text.clone(),
        Kind::Integer(number) => number.clone(),
        Kind::Float(number) => number.clone(),
        Kind::Boolean(flag) => flag.to_string(),
        Kind::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        Kind::Table(_) | Kind::Datetime(_) => String::new(),
    }
}

/// Letters, digits and single hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() >= MAX_SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "row".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn rows(front: &str) -> Vec<String> {
        let text = format!("+++\nformat = 1\ntitle = \"t\"\n{front}\n+++\n");
        let file = Arc::new(SourceFile::new("a.att", text));
        let mut found = Diagnostics::new();
        let written = super::super::parser::parse(&file, &mut found);
        let front = Front::read(&written, Role::Scenario, &mut found);
        assert!(found.is_empty(), "{}", found.render(false));
        front
            .rows
            .into_iter()
            .map(|row| row.name.unwrap_or_default())
            .collect()
    }

    #[rstest]
    #[case("", &[""])]
    #[case("[matrix]\nb = [1, 2]\na = [\"x\", \"Y z\"]", &["1-x", "1-y-z", "2-x", "2-y-z"])]
    #[case("[matrix]\na = [\"!\", \"?\"]", &["row", "row-2"])]
    #[case(
        "[matrix]\na = [\"535 5.7.8 credentials rejected, go away\"]",
        &["535-5-7-8-credentials-rejected-g"]
    )]
    #[case("[[case]]\nname = \"No User\"\nx = 1\n[[case]]\nx = 2", &["no-user", "2"])]
    fn row_names(#[case] front: &str, #[case] names: &[&str]) {
        assert_eq!(rows(front), names);
    }
}
