//! A flow written anew as a scenario file of its own: everything that it uses is in the one file,
//! so that a finding can be handed around.

use crate::diagnostic::Diagnostics;
use crate::monitor::account::{Account, Exchange, Kind};
use crate::scenario::case::{Action, Case, Template, TemplatePart};
use crate::scenario::front::{Role, Row};
use crate::scenario::lower::{Given, Purpose, lower};
use crate::scenario::table;
use crate::scenario::unit::{Scenario, Unit};
use crate::source::SourceFile;
use crate::suite::{Entry, Library, Suite};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toml::{Table, Value};
use urcheck_reports::Protocol;

/// A final result code, whichever it is.
const RESULT: &str = "{{=/OK|ERROR|[+]CME ERROR: .*/}}";

/// What can come of a sending; a refused one needs no report (SIM5320 manual 18.1.9).
const SENT: &str = "{{=/ERROR|[+]CME ERROR: .*|[+]SMTP: (?:SUCCESS|PARAM ERROR|NETWORK ERROR|SERVER ERROR|AUTH REQUIRED|AUTH ERROR|BAD RCPT.*|USER CANCEL)/}}";

/// What can come of a retrieval.
const RETRIEVED: &str = "{{=/ERROR|[+]CME ERROR: .*|[+]POP3: (?:SUCCESS|FAILURE|NETWORK ERROR|SERVER ERROR|FILE SYSTEM ERROR)/}}";

/// A scenario file in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    front: Table,
    dialogue: String,
}

/// Why a flow cannot be written anew.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Its front matter has something that cannot be taken over.
    #[error("the front matter of {id} cannot be taken over: {reason}")]
    Front {
        /// The flow.
        id: String,
        /// What.
        reason: String,
    },
    /// What was written is not what can be read: a defect of this program.
    #[error("the draft of {id} cannot be read:\n{text}")]
    Unreadable {
        /// The flow.
        id: String,
        /// The diagnostics.
        text: String,
    },
}

impl Draft {
    /// The flow as it is, with the lines of its fragments in place.
    ///
    /// # Errors
    /// The front matter cannot be taken over.
    pub(super) fn strict(
        entry: &Entry<'_>,
        case: &Case,
        suite: &Suite,
    ) -> Result<Self, DraftError> {
        let mut dialogue = String::new();
        let mut section = None;
        for step in &case.steps {
            if section != Some(step.section) {
                section = Some(step.section);
                dialogue.push_str(&format!("\n== {}\n", step.section_name));
            }
            dialogue.push_str(&step.text);
            dialogue.push('\n');
        }
        Ok(Self {
            front: front(entry, suite, &dialogue, true)?,
            dialogue,
        })
    }

    /// What the flow sends, waiting for whatever comes of it: where in the recorded run a result
    /// or the outcome of a sending or a retrieval came, one must come again, but any.
    ///
    /// # Errors
    /// The front matter cannot be taken over.
    pub(super) fn loose(
        entry: &Entry<'_>,
        case: &Case,
        passed: &Account<'_>,
        suite: &Suite,
    ) -> Result<Self, DraftError> {
        let mut dialogue = String::new();
        let mut count = 0;
        for (index, step) in case.steps.iter().enumerate() {
            match &step.action {
                Action::Send(sent) | Action::SendRaw(sent) if is_closed(sent) => {
                    count += 1;
                    dialogue.push_str(&format!("\n== step {count}\n{}\n", step.text));
                    let of_it = |exchange: &&Exchange| exchange.step == Some(index);
                    if let Some(exchange) = passed.exchanges.iter().find(of_it) {
                        dialogue.push_str(&waiting(passed, exchange));
                    }
                }
                // A fault may be reached or not: nothing is waited for that may never come.
                Action::Act { words, .. } if words.iter().any(|word| word == "await-fault") => {}
                Action::Act { .. } | Action::Pause(_) | Action::Settle => {
                    dialogue.push_str(&format!("{}\n", step.text));
                }
                _ => {}
            }
        }
        Ok(Self {
            front: front(entry, suite, &dialogue, false)?,
            dialogue,
        })
    }

    /// The file, with one more fault.
    pub(super) fn text(&self, title: &str, fault: Option<(Protocol, &Table)>) -> String {
        let mut front = self.front.clone();
        front.insert("title".to_owned(), Value::String(title.to_owned()));
        if let Some((protocol, rule)) = fault {
            let server = front
                .entry(protocol.to_string())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(server) = server {
                let rules = server
                    .entry("fault")
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(rules) = rules {
                    rules.insert(0, Value::Table(rule.clone()));
                }
            }
        }
        format!("+++\n{front}+++\n{}", self.dialogue)
    }

    /// The case that the file means.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn case(
        &self,
        id: &str,
        text: String,
        given: Given<'_>,
    ) -> Result<Case, DraftError> {
        let file = Arc::new(SourceFile::new(format!("{id}.att"), text));
        let mut found = Diagnostics::new();
        let unit = Unit::read(&file, Role::Scenario, &mut found);
        let row = unit.front.rows.first().cloned().unwrap_or_default();
        let scenario = Scenario {
            id: id.to_owned(),
            unit: Arc::new(unit),
            fragments: Vec::new(),
        };
        let case = lower(&scenario, &row, given, Purpose::Run, &mut found);
        if found.has_errors() {
            return Err(DraftError::Unreadable {
                id: id.to_owned(),
                text: found.render(false),
            });
        }
        Ok(case)
    }
}

/// The lines that wait for what came in the recorded run.
fn waiting(passed: &Account<'_>, exchange: &Exchange) -> String {
    let answer = passed.answer(exchange);
    if let Some(prompt) = answer.iter().find(|line| line.kind == Kind::Prompt) {
        let prompt = String::from_utf8_lossy(passed.text(prompt))
            .trim()
            .to_owned();
        return format!("< {{{{=/{prompt} ?/}}}}\n");
    }
    if !answer.iter().any(|line| line.kind.is_final()) {
        return String::new();
    }
    let names = |prefix: &str| exchange.commands().any(|c| c.name.starts_with(prefix));
    let window = match (names("+SMTPS"), names("+POP3")) {
        (true, _) => "[${within.smtp}]",
        (_, true) => "[${within.pop3}]",
        _ => "",
    };
    let has = |kind: Kind| answer.iter().any(|line| line.kind == kind);
    let outcome = match exchange.commands().map(|c| c.name.as_str()).next() {
        Some("+SMTPSEND") if has(Kind::Smtp) => Some(SENT),
        Some("+POP3GET") if has(Kind::Pop3) => Some(RETRIEVED),
        _ => None,
    };
    match outcome {
        // A report and a result come in either order.
        Some(outcome) => format!("< {{{{...}}}}\n<{window} {outcome}\n? {{{{...}}}}\n~ settle\n"),
        None => format!("< {{{{...}}}}\n<{window} {RESULT}\n? {{{{...}}}}\n"),
    }
}

/// Whether the text is known without a capture.
fn is_closed(template: &Template) -> bool {
    let closed = |part: &TemplatePart| matches!(part, TemplatePart::Bytes(_));
    template.0.iter().all(closed)
}

/// The front matter with everything from elsewhere in it: the row's variables, those of the
/// fragments and what they require, and the texts of mails.
fn front(
    entry: &Entry<'_>,
    suite: &Suite,
    dialogue: &str,
    strict: bool,
) -> Result<Table, DraftError> {
    let refuse = |reason: String| DraftError::Front {
        id: entry.id.clone(),
        reason,
    };
    let unit = &entry.scenario.unit;
    let mut front: Table = unit
        .written
        .front
        .value
        .parse()
        .map_err(|error: toml::de::Error| refuse(error.message().to_owned()))?;
    for key in ["use", "matrix", "case", "covers"] {
        front.remove(key);
    }
    let mut requires: Vec<Value> = Vec::new();
    for gate in entry.scenario.requires(entry.row) {
        let word = Value::String(gate.word());
        if !requires.contains(&word) {
            requires.push(word);
        }
    }
    let mut lets = Table::new();
    for unit in entry.scenario.units() {
        let own: Table = unit.written.front.value.parse().unwrap_or_default();
        if let Some(Value::Table(own)) = own.get("let") {
            lets.extend(own.clone());
        }
    }
    lets.extend(variables(entry.row).map_err(refuse)?);
    front.remove("let");
    let rest = front.to_string();
    // What the flow expects may need a variable that no line names: a term of a dispute may.
    let needed = match strict {
        true => needed_by_terms(dialogue, suite),
        false => BTreeSet::new(),
    };
    lets.retain(|name, _| needed.contains(name) || dialogue.contains(name) || rest.contains(name));
    if !requires.is_empty() {
        front.insert("requires".to_owned(), Value::Array(requires));
    }
    if !lets.is_empty() {
        front.insert("let".to_owned(), Value::Table(lets));
    }
    let mails = front.get_mut("pop3").and_then(|pop3| pop3.get_mut("mail"));
    if let Some(Value::Array(mails)) = mails {
        for mail in mails.iter_mut().filter_map(Value::as_table_mut) {
            embed(mail, suite.library()).map_err(refuse)?;
        }
    }
    Ok(front)
}

/// The variables that the terms of disputes need, which stand in holes: `{{name:part.part}}`.
fn needed_by_terms(dialogue: &str, suite: &Suite) -> BTreeSet<String> {
    let needed = RefCell::new(BTreeSet::new());
    let note = |keys: &[String]| {
        needed.borrow_mut().extend(keys.first().cloned());
        Some(String::new())
    };
    for hole in dialogue.split("{{").skip(1) {
        let kind = hole
            .split_once("}}")
            .and_then(|(hole, _)| hole.split_once(':'));
        if let Some((_, terms)) = kind.filter(|(_, terms)| terms.contains('.')) {
            // A hole that is no term needs nothing.
            let _unknown = suite
                .disputes()
                .alternatives(terms, &BTreeMap::new(), &note);
        }
    }
    needed.into_inner()
}

/// Puts the text of a mail in place of its file, if it can stand in a scenario file.
fn embed(mail: &mut Table, library: &Library) -> Result<(), String> {
    let Some(Value::String(path)) = mail.get("file") else {
        return Ok(());
    };
    let bytes = library.read(path).map_err(|error| error.to_string())?;
    if let Ok(text) = std::str::from_utf8(&bytes)
        && !text.contains("${")
    {
        mail.remove("file");
        let text = text.replace("\r\n", "\n");
        mail.insert("text".to_owned(), Value::String(text));
    }
    Ok(())
}

fn variables(row: &Row) -> Result<Table, String> {
    let mut variables = Table::new();
    for (name, value) in &row.variables {
        let as_it_stands = &mut |text: &str, _| Some(serde_json::Value::from(text));
        let json = table::json(value, as_it_stands)
            .ok_or_else(|| format!("the value of `{}`", name.value))?;
        let value = Value::try_from(json).map_err(|error| error.to_string())?;
        variables.insert(name.value.clone(), value);
    }
    Ok(variables)
}
