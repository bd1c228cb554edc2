//! One file with its front matter read, and a scenario with the fragments that it uses.

use super::front::{Front, Role};
use super::parser;
use super::written::Written;
use crate::diagnostic::Diagnostics;
use crate::source::SourceFile;
use std::sync::Arc;

/// A scenario file or a fragment.
#[derive(Clone, Debug)]
pub struct Unit {
    /// As it is written.
    pub written: Written,
    /// Its front matter.
    pub front: Front,
    /// What it is.
    pub role: Role,
}

impl Unit {
    /// Reads a file.
    pub fn read(file: &Arc<SourceFile>, role: Role, found: &mut Diagnostics) -> Self {
        let written = parser::parse(file, found);
        let front = Front::read(&written, role, found);
        Self {
            written,
            front,
            role,
        }
    }
}

/// A scenario with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Path without the extension.
    pub id: String,
    /// The file itself.
    pub unit: Arc<Unit>,
    /// The fragments in the order in which they run, each once.
    pub fragments: Vec<Arc<Unit>>,
}

impl Scenario {
    /// The fragments, then the file itself.
    pub fn units(&self) -> impl Iterator<Item = &Arc<Unit>> {
        self.fragments.iter().chain(std::iter::once(&self.unit))
    }

    /// Ids of the faults that a row provokes: those of the scenario, then its own.
    pub fn faults<'a>(&'a self, row: &'a super::front::Row) -> impl Iterator<Item = &'a str> {
        let all = self.unit.front.faults.iter().chain(&row.faults);
        all.map(|fault| fault.value.as_str())
    }

    /// What a device must have, or must not, for a row: what the scenario and its fragments ask for,
    /// then what the row does.
    pub fn requires<'a>(
        &'a self,
        row: &'a super::front::Row,
    ) -> impl Iterator<Item = &'a super::written::Gate> {
        let units = self.units().flat_map(|unit| &unit.front.requires);
        units.chain(&row.requires)
    }

    /// Id of the case of a row.
    pub fn case_id(&self, row: &super::front::Row) -> String {
        match &row.name {
            Some(name) => format!("{}[{name}]", self.id),
            None => self.id.clone(),
        }
    }
}
