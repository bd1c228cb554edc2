//! Disputes: where the application note can be read in more than one way.
//!
//! `disputes.toml` lists them with their readings. Where a reading is a matter of what a line
//! says, it gives a text to a *term* (`says`), and scenarios write the term, `{{:smtp.misbehaviour}}`,
//! in place of the texts. A profile chooses readings, or takes every defensible one.

mod file;

use crate::scenario::text::{Segment, SegmentKind};
use crate::source::SourceFile;
use std::collections::BTreeMap;
use std::sync::Arc;
use urcheck_reports::Reading;

/// No term stands for more texts than this.
const MAX_TEXTS: usize = 64;

/// Terms stand no deeper in each other than this.
const MAX_DEPTH: usize = 4;

/// All disputes of a suite.
#[derive(Debug, Default)]
pub struct Disputes {
    file: Option<Arc<SourceFile>>,
    all: Vec<Dispute>,
    /// Which dispute gives a term its texts.
    terms: BTreeMap<String, usize>,
}

/// One dispute.
#[derive(Debug)]
pub struct Dispute {
    /// Its name.
    pub id: String,
    /// Clauses that it bears on.
    pub clauses: Vec<String>,
    /// What it is about.
    pub question: String,
    /// Ids of the readings that are accepted where a profile chooses none.
    pub default: Vec<String>,
    /// Whether one device may follow different readings in different circumstances.
    pub varies: bool,
    /// The readings, at least one.
    pub readings: Vec<OneReading>,
}

/// One reading of a dispute.
#[derive(Debug)]
pub struct OneReading {
    /// Its name.
    pub id: String,
    /// What it says, for people.
    pub text: String,
    /// Where it comes from: places in the note, manuals, RFCs.
    pub from: Vec<String>,
    /// The texts that it gives to terms.
    says: BTreeMap<String, Vec<Vec<Segment>>>,
}

/// One text that a term can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Regular expression source without anchors and capture groups.
    pub regex: String,
    /// The text for people.
    pub shown: String,
    /// The readings that give it, all of them together.
    pub under: Vec<Reading>,
    /// Whether the profile accepts them all.
    pub accepted: bool,
}

/// Which readings a line depends on, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lean {
    /// Id of the dispute.
    pub dispute: String,
    /// The reading that the profile chose.
    pub chosen: Option<String>,
    /// What is accepted: the text, and the reading that gives it.
    pub accepts: Vec<(String, String)>,
}

impl std::fmt::Display for Lean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "leans on dispute {}: the profile ", self.dispute)?;
        if let Some(chosen) = &self.chosen {
            let texts: Vec<_> = self.accepts.iter().map(|(text, _)| quoted(text)).collect();
            return write!(f, "chose `{chosen}`, that is {}", texts.join(" or "));
        }
        let texts: Vec<_> = self
            .accepts
            .iter()
            .map(|(text, reading)| format!("{} ({reading})", quoted(text)))
            .collect();
        write!(f, "accepts {}", texts.join(" or "))
    }
}

fn quoted(text: &str) -> String {
    match text.is_empty() {
        true => "no text".to_owned(),
        false => format!("`{text}`"),
    }
}

/// Why a term stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// No dispute has this term.
    #[error("no dispute has a term `{0}`")]
    Unknown(String),
    /// A text of it has a variable that the scenario does not have.
    #[error("the term `{term}` needs a variable `{name}`")]
    Needs {
        /// The term.
        term: String,
        /// The variable.
        name: String,
    },
    /// It stands for too many texts.
    #[error("the term `{0}` stands for too many texts")]
    TooMany(String),
    /// The profile's readings leave no text for it.
    #[error("the readings that the profile chose leave no text for `{0}`")]
    Nothing(String),
}

impl Disputes {
    /// The disputes in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Dispute> {
        self.all.iter()
    }

    /// The dispute with this id.
    pub fn get(&self, id: &str) -> Option<&Dispute> {
        self.all.iter().find(|dispute| dispute.id == id)
    }

    /// The terms that scenarios can use.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }

    /// The texts that a term stands for: those of all readings, with the information whether a
    /// profile that chose so accepts them. `value` knows the scenario's variables.
    ///
    /// # Errors
    /// If there is no such term, or it has no value here.
    pub fn alternatives(
        &self,
        term: &str,
        chosen: &BTreeMap<String, String>,
        value: &dyn Fn(&[String]) -> Option<String>,
    ) -> Result<Vec<Alternative>, TermError> {
        let all = self.either(term, chosen, value, MAX_DEPTH)?;
        match all.iter().any(|one| one.accepted) {
            true => Ok(all),
            false => Err(TermError::Nothing(term.to_owned())),
        }
    }

    /// Terms and plain texts with `|` between them.
    fn either(
        &self,
        terms: &str,
        chosen: &BTreeMap<String, String>,
        value: &dyn Fn(&[String]) -> Option<String>,
        depth: usize,
    ) -> Result<Vec<Alternative>, TermError> {
        let mut all = Vec::new();
        for one in terms.split('|') {
            // The names of terms have a dot.
            match one.contains('.') {
                true => all.append(&mut self.expand(one, chosen, value, depth)?),
                false => all.push(literal(one)),
            }
        }
        Ok(all)
    }

    fn expand(
        &self,
        term: &str,
        chosen: &BTreeMap<String, String>,
        value: &dyn Fn(&[String]) -> Option<String>,
        depth: usize,
    ) -> Result<Vec<Alternative>, TermError> {
        let dispute = self.terms.get(term).and_then(|at| self.all.get(*at));
        let dispute = dispute.ok_or_else(|| TermError::Unknown(term.to_owned()))?;
        let too_many = || TermError::TooMany(term.to_owned());
        let depth = depth.checked_sub(1).ok_or_else(too_many)?;
        let mut all: Vec<Alternative> = Vec::new();
        for reading in &dispute.readings {
            let start = Alternative {
                regex: String::new(),
                shown: String::new(),
                under: vec![dispute.follows(&reading.id)],
                accepted: dispute.accepts(&reading.id, chosen),
            };
            for segments in reading.says.get(term).into_iter().flatten() {
                let mut made = vec![start.clone()];
                for segment in segments {
                    let next = match &segment.kind {
                        SegmentKind::Literal(text) => vec![literal(text)],
                        SegmentKind::Name(keys) => match value(keys) {
                            Some(text) => vec![literal(&text)],
                            None => {
                                return Err(TermError::Needs {
                                    term: term.to_owned(),
                                    name: keys.join("."),
                                });
                            }
                        },
                        SegmentKind::Fill(_) => Vec::new(),
                        SegmentKind::Hole(hole) => match &hole.term {
                            Some(inner) => self.either(inner, chosen, value, depth)?,
                            None => vec![Alternative {
                                regex: format!("(?:{})", hole.regex),
                                shown: format!("{{{{{}}}}}", hole.written),
                                under: Vec::new(),
                                accepted: true,
                            }],
                        },
                    };
                    made = made
                        .iter()
                        .flat_map(|head| next.iter().filter_map(|tail| joined(head, tail)))
                        .collect();
                    if made.len() > MAX_TEXTS {
                        return Err(too_many());
                    }
                }
                all.append(&mut made);
            }
        }
        if all.len() > MAX_TEXTS {
            return Err(too_many());
        }
        Ok(all)
    }

    /// What a line with these alternatives leans on, one entry for each dispute.
    pub fn leans(alternatives: &[Alternative], chosen: &BTreeMap<String, String>) -> Vec<Lean> {
        let mut leans: Vec<Lean> = Vec::new();
        for one in alternatives.iter().filter(|one| one.accepted) {
            for Reading {
                dispute, reading, ..
            } in &one.under
            {
                let entry = (one.shown.clone(), reading.clone());
                match leans.iter_mut().find(|lean| lean.dispute == *dispute) {
                    Some(lean) if lean.accepts.contains(&entry) => {}
                    Some(lean) => lean.accepts.push(entry),
                    None => leans.push(Lean {
                        dispute: dispute.clone(),
                        chosen: chosen.get(dispute).cloned(),
                        accepts: vec![entry],
                    }),
                }
            }
        }
        leans
    }
}

impl Dispute {
    /// Whether a profile that chose so accepts this reading.
    pub fn accepts(&self, reading: &str, chosen: &BTreeMap<String, String>) -> bool {
        match chosen.get(&self.id) {
            Some(chosen) => chosen == reading,
            None => self.default.iter().any(|one| one == reading),
        }
    }

    /// One of its readings, as evidence.
    pub fn follows(&self, reading: &str) -> Reading {
        Reading {
            dispute: self.id.clone(),
            reading: reading.to_owned(),
            varies: self.varies,
        }
    }
}

fn literal(text: &str) -> Alternative {
    Alternative {
        regex: regex::escape(text),
        shown: text.to_owned(),
        under: Vec::new(),
        accepted: true,
    }
}

/// One text after the other; nothing if they need two readings of one dispute.
fn joined(head: &Alternative, tail: &Alternative) -> Option<Alternative> {
    let mut under = head.under.clone();
    for one in &tail.under {
        match under.iter().find(|known| known.dispute == one.dispute) {
            Some(known) if known.reading != one.reading => return None,
            Some(_) => {}
            None => under.push(one.clone()),
        }
    }
    Some(Alternative {
        regex: format!("{}{}", head.regex, tail.regex),
        shown: format!("{}{}", head.shown, tail.shown),
        under,
        accepted: head.accepted && tail.accepted,
    })
}
