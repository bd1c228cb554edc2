//! Faults: what a mail server, or the way to it, can do to a device, and what is expected then.
//!
//! The list is data (`faults.toml`); scenarios name the ids that they provoke, and `urcheck
//! coverage` shows which ids no scenario provokes.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::table::{self, Table, document};
use crate::source::{SourceFile, Span, Text};
use std::collections::BTreeMap;
use std::sync::Arc;
use urcheck_reports::Protocol;

/// How sure it is what a conforming device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The application note says it.
    Said,
    /// It follows clearly from the note, or from an RFC that the note builds on.
    Inferred,
    /// The note is silent or ambiguous: what a device does is recorded.
    Open,
}

impl Certainty {
    const ALL: [Self; 3] = [Self::Said, Self::Inferred, Self::Open];

    /// The letter for it in `faults.toml`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Said => "D",
            Self::Inferred => "I",
            Self::Open => "Q",
        }
    }

    /// Whether a suite without a scenario for it is incomplete.
    pub fn binding(self) -> bool {
        self != Self::Open
    }
}

/// What is expected of one protocol.
#[derive(Clone, Debug)]
pub struct Expected {
    /// How sure that is.
    pub certainty: Certainty,
    /// The URC, or the set of them, in words.
    pub urc: String,
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its id, such as `S10`.
    pub id: Text,
    /// A few words.
    pub title: String,
    /// What is expected of an SMTP client, if it can meet this fault.
    pub smtp: Option<Expected>,
    /// What is expected of a POP3 client, if it can meet this fault.
    pub pop3: Option<Expected>,
    /// Why a server cannot cause it, if so; then it needs no scenario.
    pub not_by_wire: Option<String>,
}

impl Fault {
    /// What is expected of each protocol that can meet it.
    pub fn expected(&self) -> impl Iterator<Item = (Protocol, &Expected)> {
        [(Protocol::Smtp, &self.smtp), (Protocol::Pop3, &self.pop3)]
            .into_iter()
            .filter_map(|(protocol, one)| Some((protocol, one.as_ref()?)))
    }
}

/// All of them, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct FaultList {
    list: Vec<Fault>,
    by_id: BTreeMap<String, usize>,
}

impl FaultList {
    /// Reads `faults.toml`.
    pub fn read(file: &Arc<SourceFile>, found: &mut Diagnostics) -> Self {
        let span = Span::new(0, file.text.len());
        let entries = document(file, span, found);
        let mut top = Table::new(file, span, "the list of faults", entries);
        let mut faults = Self::default();
        for mut table in top.tables("fault", "[[fault]]", found) {
            let at = table.span();
            let id = table.text("id", found);
            let fault = Fault {
                id: id.unwrap_or_else(|| Text::new(at, String::new())),
                title: table.text("title", found).unwrap_or_default().value,
                smtp: expected(file, table.table("smtp", "smtp", found), found),
                pop3: expected(file, table.table("pop3", "pop3", found), found),
                not_by_wire: table.text("not_by_wire", found).map(|text| text.value),
            };
            table.finish(found);
            faults.add(file, fault, found);
        }
        top.finish(found);
        faults
    }

    fn add(&mut self, file: &Arc<SourceFile>, fault: Fault, found: &mut Diagnostics) {
        let span = fault.id.span;
        if fault.id.value.is_empty() || fault.title.is_empty() || fault.expected().count() == 0 {
            let message = "a fault has an `id`, a `title`, and `smtp` or `pop3`";
            found.push(Diagnostic::error("bad-fault-entry", message).at(file, span, ""));
            return;
        }
        if self.by_id.contains_key(&fault.id.value) {
            let message = format!("there is another fault `{}`", fault.id.value);
            found.push(Diagnostic::error("duplicate-fault", message).at(file, span, ""));
            return;
        }
        self.by_id.insert(fault.id.value.clone(), self.list.len());
        self.list.push(fault);
    }

    /// The fault of this id.
    pub fn get(&self, id: &str) -> Option<&Fault> {
        self.list.get(*self.by_id.get(id)?)
    }

    /// All, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }
}

fn expected(
    file: &Arc<SourceFile>,
    table: Option<Table<'_>>,
    found: &mut Diagnostics,
) -> Option<Expected> {
    let mut table: table::Table<'_> = table?;
    let span = table.span();
    let letter = table.text("certainty", found);
    let urc = table.text("urc", found);
    table.finish(found);
    let (Some(letter), Some(urc)) = (letter, urc) else {
        let message = "what is expected has a `certainty` and a `urc`";
        found.push(Diagnostic::error("bad-fault-entry", message).at(file, span, ""));
        return None;
    };
    let certainty = Certainty::ALL
        .into_iter()
        .find(|one| one.letter() == letter.value);
    if certainty.is_none() {
        let message = format!("unknown certainty `{}`", letter.value);
        let one = Diagnostic::error("unknown-certainty", message).at(file, letter.span, "");
        found.push(one.help("D: the note says so; I: clear inference; Q: silent or ambiguous"));
    }
    Some(Expected {
        certainty: certainty?,
        urc: urc.value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_by_id_and_kept_in_order() {
        let text = r#"
[[fault]]
id = "T02"
title = "Nobody answers"
smtp = { certainty = "D", urc = "SERVER ERROR" }
pop3 = { certainty = "I", urc = "NETWORK ERROR" }

[[fault]]
id = "T01"
title = "No network"
pop3 = { certainty = "Q", urc = "anything" }
not_by_wire = "the network is the device's"
"#;
        let file = Arc::new(SourceFile::new("faults.toml", text));
        let mut found = Diagnostics::new();
        let faults = FaultList::read(&file, &mut found);
        assert!(found.is_empty(), "{}", found.render(false));
        let ids: Vec<_> = faults.iter().map(|one| one.id.value.as_str()).collect();
        assert_eq!(ids, ["T02", "T01"]);
        let of = |id: &str| -> Vec<_> {
            let fault = faults.get(id).unwrap();
            let expected = fault.expected();
            expected
                .map(|(protocol, one)| (protocol, one.certainty))
                .collect()
        };
        assert_eq!(
            of("T02"),
            [
                (Protocol::Smtp, Certainty::Said),
                (Protocol::Pop3, Certainty::Inferred)
            ]
        );
        assert_eq!(of("T01"), [(Protocol::Pop3, Certainty::Open)]);
        assert!(faults.get("T01").unwrap().not_by_wire.is_some());
        assert!(faults.get("T03").is_none());
    }
}
