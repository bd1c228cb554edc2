//! Lowering: from what a scenario says to what it means.
//!
//! A [`Scenario`], one row of it, a profile and the addresses of the servers become a [`Case`].
//! With [`Purpose::Lint`] all gates stand open and what only lint looks for is looked for as well.

mod captures;
mod expression;
mod line;
mod readings;
mod rules;

use super::case::{AFTER_SET_UP, Case, Step};
use super::front::{Mail, Row};
use super::names::{Names, Variable};
use super::setup;
use super::table::{self, Value};
use super::unit::{Scenario, Unit};
use super::written::{Gate, LineKind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dispute::Disputes;
use crate::profile::Profile;
use crate::source::{SourceFile, Span, Text};
use crate::suite::Library;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use urcheck_servers::event::Protocol;
use urcheck_servers::fault::{Position, Rule};

/// No case has more steps than this.
pub const MAX_STEPS: usize = 10_000;

/// All mails of a case together are no larger than this.
const MAX_MAIL_BYTES: usize = 64 << 20;

/// No mail has more copies than this.
const MAX_COPIES: u64 = 10_000;

/// Where a server listens, as the device is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Where the fake servers listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bench {
    /// The SMTP server.
    pub smtp: Address,
    /// The POP3 server.
    pub pop3: Address,
    /// Where nobody listens.
    pub closed: Address,
}

impl Default for Bench {
    /// The addresses that the application note uses.
    fn default() -> Self {
        Self {
            smtp: Address {
                host: "smtp.server.com".to_owned(),
                port: 25,
            },
            pop3: Address {
                host: "pop3.server.com".to_owned(),
                port: 110,
            },
            closed: Address {
                host: "closed.server.com".to_owned(),
                port: 9,
            },
        }
    }
}

/// What lowering needs besides the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The device.
    pub profile: &'a Profile,
    /// The servers.
    pub bench: &'a Bench,
    /// Where mail files come from.
    pub library: &'a Library,
    /// Where the note can be read in more than one way.
    pub disputes: &'a Disputes,
}

/// What lowering is done for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run the case: gated sections that the profile does not open are left out.
    Run,
    /// To find mistakes: all sections are looked at, checks are compiled, what is never used is
    /// reported.
    Lint,
}

/// What a scenario means with one of its rows. Not to be used if `found` got an error.
pub fn lower(
    scenario: &Scenario,
    row: &Row,
    given: Given<'_>,
    purpose: Purpose,
    found: &mut Diagnostics,
) -> Case {
    let (all, mut own) = (found, Diagnostics::new());
    let found = &mut own;
    let unit = &scenario.unit;
    let mut names = names(scenario, row, given, found);
    let skip = skip(scenario, row, given.profile);
    if skip.is_some() {
        names.allow_any_file();
    }
    let front = &unit.front;
    let file = &unit.written.file;
    let mut state = State {
        scenario,
        given,
        purpose,
        names: &names,
        steps: Vec::new(),
        captures: captures::Captures::default(),
        section: Section::default(),
        recorded: BTreeMap::new(),
    };
    let title = names
        .text(file, &front.title, false, found)
        .unwrap_or_default();
    let (smtp, mut pop3) = state.servers(unit, found);
    let mut prepared = 0;
    for unit in scenario.units() {
        // The scenario itself comes last.
        prepared = state.steps.len();
        state.unit(unit, found);
    }
    // Of a case with a hole in it, these would say what is not so.
    if purpose == Purpose::Lint && !found.has_errors() {
        rules::check(scenario, &state, &smtp, &pop3, found);
    }
    if state.steps.len() > MAX_STEPS {
        let message = format!("this case has more than {MAX_STEPS} steps");
        found.push(Diagnostic::error("too-many-steps", message).at(file, 0..3, ""));
        state.steps.clear();
    }
    all.append(own);
    if prepared > 0 {
        hold_until_prepared(&mut pop3.fault);
    }
    Case {
        id: scenario.case_id(row),
        title,
        class: front.class,
        clauses: front
            .covers
            .iter()
            .map(|clause| clause.value.clone())
            .collect(),
        faults: scenario.faults(row).map(str::to_owned).collect(),
        skip,
        smtp,
        pop3,
        steps: std::mem::take(&mut state.steps),
        prepared,
        variables: names.variables(),
    }
}

/// Lets the rules for commands that a device may send of its own accord when it has logged in
/// wait for the end of the set-up: they mean what the DTE asks for later.
fn hold_until_prepared(rules: &mut [Rule]) {
    let own_accord = [
        Position::Stat,
        Position::List,
        Position::ListBody,
        Position::Uidl,
        Position::UidlBody,
        Position::Noop,
    ];
    for rule in rules {
        if own_accord.contains(&rule.when) && rule.name.is_none() && !rule.off {
            rule.name = Some(AFTER_SET_UP.to_owned());
            rule.off = true;
        }
    }
}

/// Why the case cannot run on this profile.
fn skip(scenario: &Scenario, row: &Row, profile: &Profile) -> Option<String> {
    scenario
        .requires(row)
        .find(|gate| !gate.open(profile.has(&gate.capability.value)))
        .map(|gate| match gate.negated {
            false => format!("the device has no `{}`", gate.capability.value),
            true => format!("the device has `{}`", gate.capability.value),
        })
}

/// Row, then the scenario's `[let]`, then those of its fragments: the first of a name wins.
fn names(scenario: &Scenario, row: &Row, given: Given<'_>, found: &mut Diagnostics) -> Names {
    let mut outer = given.profile.names();
    let Bench { smtp, pop3, closed } = given.bench;
    for (name, address) in [("smtp", smtp), ("pop3", pop3), ("closed", closed)] {
        outer.insert(
            name.to_owned(),
            json!({ "host": address.host, "port": address.port }),
        );
    }
    let variable = |file: &Arc<SourceFile>, entry: &(Text, Value)| Variable {
        name: entry.0.clone(),
        file: Arc::clone(file),
        value: entry.1.clone(),
    };
    let own = &scenario.unit.written.file;
    let mut variables: Vec<Variable> = row
        .variables
        .iter()
        .map(|entry| variable(own, entry))
        .collect();
    let from_fragments = scenario.fragments.iter().rev();
    for unit in std::iter::once(&scenario.unit).chain(from_fragments) {
        let file = &unit.written.file;
        variables.extend(unit.front.lets.iter().map(|entry| variable(file, entry)));
    }
    Names::new(outer, variables, found)
}

/// What has been made so far.
struct State<'a> {
    scenario: &'a Scenario,
    given: Given<'a>,
    purpose: Purpose,
    names: &'a Names,
    steps: Vec<Step>,
    captures: captures::Captures,
    section: Section,
    /// The names under which values are recorded.
    recorded: BTreeMap<String, Vec<readings::Place>>,
}

/// The section that is being read.
#[derive(Default)]
struct Section {
    /// How many there have been.
    count: usize,
    name: String,
    gate: Option<Gate>,
}

impl State<'_> {
    fn unit(&mut self, unit: &Unit, found: &mut Diagnostics) {
        let file = &unit.written.file;
        let mut inside = false;
        let mut open = true;
        for line in &unit.written.lines {
            match &line.kind {
                LineKind::Blank | LineKind::Comment(_) => {}
                LineKind::Section { name, gate } => {
                    inside = true;
                    self.captures.settle();
                    self.section = Section {
                        count: self.section.count + 1,
                        name: name.value.clone(),
                        gate: gate.clone(),
                    };
                    open = self.purpose == Purpose::Lint
                        || gate.as_ref().is_none_or(|gate| {
                            gate.open(self.given.profile.has(&gate.capability.value))
                        });
                }
                _ if !inside => {
                    let one = Diagnostic::error("no-section", "this line stands in no section");
                    found.push(one.at(file, line.span, "").help("put `== name` before it"));
                    // One such message is enough.
                    inside = true;
                }
                _ if open && self.steps.len() <= MAX_STEPS => self.line(file, line, found),
                _ => {}
            }
        }
        self.captures.settle();
    }

    /// The set-ups of both servers.
    fn servers(
        &mut self,
        unit: &Unit,
        found: &mut Diagnostics,
    ) -> (urcheck_servers::smtp::Setup, urcheck_servers::pop3::Setup) {
        let file = &unit.written.file;
        let smtp = self.filled(file, unit.front.smtp.as_ref(), found);
        let pop3 = self.filled(file, unit.front.pop3.as_ref(), found);
        let smtp_setup: urcheck_servers::smtp::Setup = setup::read(file, smtp.clone(), found);
        let mut pop3_setup: urcheck_servers::pop3::Setup = setup::read(file, pop3.clone(), found);
        if let Some(smtp) = smtp {
            setup::check_rules(file, &smtp, &smtp_setup.fault, Protocol::Smtp, found);
        }
        if let Some(pop3) = pop3 {
            setup::check_rules(file, &pop3, &pop3_setup.fault, Protocol::Pop3, found);
        }
        let mut bytes = 0;
        for mail in &unit.front.mails {
            self.mail(file, mail, &mut bytes, &mut pop3_setup.mail, found);
        }
        (smtp_setup, pop3_setup)
    }

    /// A table with all `${…}` replaced.
    fn filled(
        &self,
        file: &Arc<SourceFile>,
        value: Option<&Value>,
        found: &mut Diagnostics,
    ) -> Option<Value> {
        let mut value = value?.clone();
        table::replace(&mut value, &mut |text, span| {
            self.names
                .value(file, &Text::new(span, text.to_owned()), found)
        });
        Some(value)
    }

    fn mail(
        &self,
        file: &Arc<SourceFile>,
        mail: &Mail,
        bytes: &mut usize,
        to: &mut Vec<Vec<u8>>,
        found: &mut Diagnostics,
    ) {
        let mistake = |message: String, span: Span, found: &mut Diagnostics| {
            found.push(Diagnostic::error("bad-mail", message).at(file, span, ""));
        };
        if mail.count > MAX_COPIES {
            mistake(
                format!("there may be at most {MAX_COPIES} copies of a mail"),
                mail.span,
                found,
            );
            return;
        }
        let mut one = Vec::new();
        if let Some(path) = &mail.file {
            let Some(name) = self.names.text(file, path, false, found) else {
                return;
            };
            match self.given.library.read(&name) {
                Ok(content) => one = content.into_owned(),
                Err(error) => return mistake(error.to_string(), path.span, found),
            }
        }
        let size = match &mail.size {
            None => 0,
            Some(size) => match self.size(file, size, found) {
                Some(size) => size,
                None => return,
            },
        };
        for number in 1..=mail.count {
            let mut made = match &mail.text {
                None => one.clone(),
                Some(text) => {
                    let numbered = text.value.replace("${n}", &number.to_string());
                    let numbered = Text::new(text.span, numbered);
                    match self.names.text(file, &numbered, false, found) {
                        Some(text) => with_crlf(&text),
                        None => return,
                    }
                }
            };
            *bytes += made.len().max(size);
            if *bytes <= MAX_MAIL_BYTES {
                fill_up(&mut made, size);
            } else {
                let message = format!("all mails together are larger than {MAX_MAIL_BYTES} bytes");
                found.push(Diagnostic::error("bad-mail", message).at(file, mail.span, ""));
                return;
            }
            to.push(made);
        }
    }

    /// The octets that `size` of a mail asks for.
    fn size(&self, file: &Arc<SourceFile>, text: &Text, found: &mut Diagnostics) -> Option<usize> {
        let value = self.names.text(file, text, false, found)?;
        match super::duration::size(&value) {
            Ok(size) => usize::try_from(size).ok(),
            Err(error) => {
                let one = Diagnostic::error("bad-mail", error.to_string());
                found.push(one.at(file, text.span, ""));
                None
            }
        }
    }

    /// The names of the captures that have a value here.
    fn known_captures(&self) -> BTreeSet<String> {
        self.captures.known()
    }
}

/// Every line end as CR LF.
/// Adds lines until there are at least `size` octets.
fn fill_up(mail: &mut Vec<u8>, size: usize) {
    const LINE: &[u8] =
        b"This line is here to make the e-mail larger; it says nothing else at all.\r\n";
    while mail.len() < size {
        mail.extend_from_slice(LINE);
    }
}

fn with_crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}
