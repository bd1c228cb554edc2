//! The suite: all scenarios of a folder with what they refer to.
//!
//! Loading reads every file once and lowers nothing, so that listing is quick.

mod declared;
mod library;
mod select;

pub use library::{Library, LibraryError, read_file};
pub use select::{SelectError, Selection};

use crate::clause::Clauses;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dispute::Disputes;
use crate::fault_list::FaultList;
use crate::profile::Profile;
use crate::scenario::case::Case;
use crate::scenario::front::{Role, Row};
use crate::scenario::lower::{self, Bench, Given, Purpose};
use crate::scenario::table::Kind;
use crate::scenario::unit::{Scenario, Unit};
use crate::scenario::{lint, parser};
use crate::source::{SourceFile, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// The folder of the scenarios that ask a device for a capability.
const PROBES: &str = "probes/";

/// All scenarios of a folder.
#[derive(Debug)]
pub struct Suite {
    library: Library,
    paths: Vec<String>,
    scenarios: Vec<Scenario>,
    fragments: BTreeMap<String, Arc<Unit>>,
    /// How to ask a device for a capability, by its name.
    probes: BTreeMap<String, Scenario>,
    found: Diagnostics,
    clauses: OnceLock<(Clauses, Diagnostics)>,
    faults: OnceLock<(FaultList, Diagnostics)>,
    disputes: OnceLock<(Disputes, Diagnostics)>,
}

/// One case, not yet lowered.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: String,
    /// Its scenario.
    pub scenario: &'a Scenario,
    /// Its row.
    pub row: &'a Row,
}

impl Entry<'_> {
    /// The scenario's title with the row's own values, as far as they are plain.
    pub fn title(&self) -> String {
        let front = &self.scenario.unit.front;
        let mut title = front.title.value.clone();
        for (name, value) in self.row.variables.iter().chain(&front.lets) {
            if let Kind::String(text) | Kind::Integer(text) | Kind::Float(text) = &value.value {
                title = title.replace(&format!("${{{}}}", name.value), text);
            }
        }
        title
    }
}

impl Suite {
    /// Reads all scenarios and fragments.
    ///
    /// # Errors
    /// If the folder cannot be read. Mistakes in files are in [`Suite::diagnostics`].
    pub fn load(library: Library) -> Result<Self, LibraryError> {
        let paths = library.paths()?;
        let mut suite = Self {
            library,
            paths,
            scenarios: Vec::new(),
            fragments: BTreeMap::new(),
            probes: BTreeMap::new(),
            found: Diagnostics::new(),
            clauses: OnceLock::new(),
            faults: OnceLock::new(),
            disputes: OnceLock::new(),
        };
        let mut units = Vec::new();
        for path in suite.paths.iter().filter(|path| path.ends_with(".att")) {
            let role = match path.starts_with("fragments/") {
                true => Role::Fragment,
                false => Role::Scenario,
            };
            let file = match source(&suite.library, path) {
                Ok(file) => file,
                Err(one) => {
                    suite.found.push(*one);
                    continue;
                }
            };
            let unit = Arc::new(Unit::read(&file, role, &mut suite.found));
            let id = path.trim_end_matches(".att").to_owned();
            match role {
                Role::Fragment => {
                    let name = id.trim_start_matches("fragments/").to_owned();
                    suite.fragments.insert(name, unit);
                }
                Role::Scenario => units.push((id, unit)),
            }
        }
        for (id, unit) in units {
            let mut fragments = Vec::new();
            let mut found = Diagnostics::new();
            suite.collect(&unit, &mut vec![], &mut fragments, &mut found);
            suite.found.append(found);
            let probe = id.strip_prefix(PROBES).map(str::to_owned);
            let scenario = Scenario {
                id,
                unit,
                fragments,
            };
            match probe {
                Some(capability) => _ = suite.probes.insert(capability, scenario),
                None => suite.scenarios.push(scenario),
            }
        }
        // A folder of somebody's own scenarios need not bring probes along, as with `source`.
        if suite.library != Library::Embedded && suite.probes.is_empty() {
            suite.probes = Self::load(Library::Embedded)?.probes;
        }
        Ok(suite)
    }

    /// Where the files come from.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The scenario that a device passes if it has this capability.
    pub fn probe(&self, capability: &str) -> Option<Entry<'_>> {
        let scenario = self.probes.get(capability)?;
        let row = scenario.unit.front.rows.first()?;
        Some(Entry {
            id: scenario.case_id(row),
            scenario,
            row,
        })
    }

    /// The scenarios in the order of their paths.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The mistakes that were found while loading.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.found
    }

    /// All cases in the order of the paths and, within a scenario, of its rows.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.scenarios.iter().flat_map(|scenario| {
            scenario.unit.front.rows.iter().map(move |row| Entry {
                id: scenario.case_id(row),
                scenario,
                row,
            })
        })
    }

    /// The clauses.
    pub fn clauses(&self) -> &Clauses {
        &self.clauses_and_mistakes().0
    }

    fn clauses_and_mistakes(&self) -> &(Clauses, Diagnostics) {
        self.clauses
            .get_or_init(|| self.list("clauses.toml", Clauses::read))
    }

    /// The faults that there are.
    pub fn faults(&self) -> &FaultList {
        &self.faults_and_mistakes().0
    }

    fn faults_and_mistakes(&self) -> &(FaultList, Diagnostics) {
        self.faults
            .get_or_init(|| self.list("faults.toml", FaultList::read))
    }

    /// A list that stands in a file of its own.
    fn list<L: Default>(
        &self,
        path: &str,
        read: impl Fn(&Arc<SourceFile>, &mut Diagnostics) -> L,
    ) -> (L, Diagnostics) {
        let mut found = Diagnostics::new();
        let list = match source(&self.library, path) {
            Ok(file) => read(&file, &mut found),
            Err(one) => {
                found.push(*one);
                L::default()
            }
        };
        (list, found)
    }

    /// Where the note can be read in more than one way.
    pub fn disputes(&self) -> &Disputes {
        &self.disputes_and_mistakes().0
    }

    fn disputes_and_mistakes(&self) -> &(Disputes, Diagnostics) {
        self.disputes
            .get_or_init(|| self.list("disputes.toml", Disputes::read))
    }

    /// The names of the profiles of the suite.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.paths
            .iter()
            .filter_map(|path| path.strip_prefix("profiles/")?.strip_suffix(".toml"))
    }

    /// Reads a profile: one of the suite by its name, or else a file by its path.
    ///
    /// # Errors
    /// The mistakes in it, among them that there is none.
    pub fn profile(&self, name: &str) -> Result<Profile, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut profile = Profile::default();
        let mut chain: Vec<Arc<SourceFile>> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            let file = match self.profile_file(&name) {
                Ok(file) => file,
                Err(mut one) => {
                    if let Some(heir) = chain.last() {
                        let start = heir.text.find("inherits").unwrap_or(0);
                        *one = one.at(heir, start..start + "inherits".len(), "");
                    }
                    found.push(*one);
                    return Err(found);
                }
            };
            if chain.contains(&file) {
                let message = format!("profile `{name}` inherits from itself");
                found.push(Diagnostic::error("cycle", message).at(&file, 0..0, ""));
                return Err(found);
            }
            next = Profile::parent(&file);
            chain.push(file);
        }
        for file in chain.iter().rev() {
            profile.read(file, &mut found);
        }
        let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
        profile.name = stem.trim_end_matches(".toml").to_owned();
        if found.has_errors() {
            Err(found)
        } else {
            Ok(profile)
        }
    }

    fn profile_file(&self, name: &str) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
        if self.profiles().any(|known| known == name) {
            return source(&self.library, &format!("profiles/{name}.toml"));
        }
        if let Ok(bytes) = read_file(std::path::Path::new(name)) {
            return parser::source(name, &bytes);
        }
        source(&self.library, &format!("profiles/{name}.toml")).map_err(|_| {
            let one = Diagnostic::error("unknown-profile", format!("there is no profile `{name}`"));
            Box::new(one.suggest(name, self.profiles()))
        })
    }

    /// Lowers a case.
    ///
    /// # Errors
    /// The mistakes in it.
    pub fn case(
        &self,
        entry: &Entry<'_>,
        profile: &Profile,
        bench: &Bench,
    ) -> Result<Case, Diagnostics> {
        let mut found = Diagnostics::new();
        let given = Given {
            profile,
            bench,
            library: &self.library,
            disputes: self.disputes(),
        };
        let case = lower::lower(entry.scenario, entry.row, given, Purpose::Run, &mut found);
        // What a device lacks may be what a skipped case speaks of.
        if found.has_errors() && case.skip.is_none() {
            Err(found)
        } else {
            Ok(case)
        }
    }

    /// Every mistake in the given scenarios, in what they use, and in the files of the suite.
    pub fn lint<'a>(
        &'a self,
        profile: &Profile,
        scenarios: impl IntoIterator<Item = &'a Scenario>,
    ) -> Diagnostics {
        let mut found = self.found.clone();
        let (clauses, mistakes) = self.clauses_and_mistakes();
        found.append(mistakes.clone());
        let (faults, mistakes) = self.faults_and_mistakes();
        found.append(mistakes.clone());
        let (disputes, mistakes) = self.disputes_and_mistakes();
        found.append(mistakes.clone());
        // Those of the built-in suite speak of its own clauses.
        if self.paths.iter().any(|path| path == "disputes.toml") {
            disputes.check_clauses(clauses, &mut found);
        }
        let capabilities = self.declared(profile, &mut found);
        let known = lint::Known {
            clauses,
            faults,
            capabilities: &capabilities,
        };
        let bench = Bench::default();
        let given = Given {
            profile,
            bench: &bench,
            library: &self.library,
            disputes: self.disputes(),
        };
        // The others speak of what this device has not.
        let asked = profile.in_doubt().filter_map(|name| self.probes.get(name));
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for scenario in scenarios.into_iter().chain(asked) {
            for unit in scenario.units() {
                if seen.insert(&unit.written.file.path) {
                    lint::check(unit, &known, &mut found);
                }
            }
            for row in &scenario.unit.front.rows {
                lower::lower(scenario, row, given, Purpose::Lint, &mut found);
            }
        }
        found.sort();
        found
    }

    /// The fragments of a unit, each after those that it uses itself, each once.
    fn collect(
        &self,
        unit: &Arc<Unit>,
        open: &mut Vec<String>,
        to: &mut Vec<Arc<Unit>>,
        found: &mut Diagnostics,
    ) {
        let file = &unit.written.file;
        for Text { span, value: name } in &unit.front.uses {
            let Some(fragment) = self.fragments.get(name) else {
                let message = format!("there is no fragment `{name}`");
                let one = Diagnostic::error("unknown-fragment", message).at(file, *span, "");
                found.push(one.suggest(name, self.fragments.keys().map(String::as_str)));
                continue;
            };
            if open.contains(name) {
                let message = format!("fragment `{name}` uses itself");
                found.push(Diagnostic::error("cycle", message).at(file, *span, ""));
                continue;
            }
            if to.iter().any(|known| Arc::ptr_eq(known, fragment)) {
                continue;
            }
            open.push(name.clone());
            self.collect(fragment, open, to, found);
            open.pop();
            to.push(Arc::clone(fragment));
        }
    }
}

/// Reads a file of the suite. A folder of somebody's own scenarios need not bring clauses and
/// profiles along: what it does not have is taken from the built-in suite.
fn source(library: &Library, path: &str) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    let built_in = |error| match path.ends_with(".toml") {
        true => Library::Embedded.read(path).map_err(|_| error),
        false => Err(error),
    };
    match library.read(path).or_else(built_in) {
        Ok(bytes) => parser::source(path, &bytes),
        Err(error) => {
            let empty = Arc::new(SourceFile::new(path, ""));
            Err(Box::new(
                Diagnostic::error("unreadable", error.to_string()).at(&empty, 0..0, ""),
            ))
        }
    }
}
