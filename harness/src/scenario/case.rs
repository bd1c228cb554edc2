//! What a scenario *means*: one case with everything resolved that can be known before it runs.
//!
//! The written form (with fragments, matrices, gates and `${…}`) is [`super::written`]; lowering
//! turns it into cases. Only captures are still open here: they get their values while it runs.

use crate::dispute::{Alternative, Lean};
use std::sync::Arc;
use std::time::Duration;
use urcheck_reports::{Class, Place, Protocol};

/// One case: a scenario with one row of its matrix or case table.
#[derive(Clone, Debug)]
pub struct Case {
    /// Path of the scenario without extension, then the row's name in brackets if it has one.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// How binding it is.
    pub class: Class,
    /// Ids of the clauses that it covers.
    pub clauses: Vec<String>,
    /// Ids of the faults that it provokes.
    pub faults: Vec<String>,
    /// Why it cannot run on this profile (the capability that is missing), if so.
    pub skip: Option<String>,
    /// How the fake SMTP server is set up.
    pub smtp: urcheck_servers::smtp::Setup,
    /// How the fake POP3 server is set up.
    pub pop3: urcheck_servers::pop3::Setup,
    /// What checks can see besides captures and server state: the profile's values, the row's and
    /// the scenario's own variables.
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// The dialogue. Section changes are visible in [`Step::section`].
    pub steps: Vec<Step>,
    /// How many steps at the beginning are of set-up fragments.
    pub prepared: usize,
}

/// The name of fault rules that wait for the end of the set-up.
pub const AFTER_SET_UP: &str = "after the set-up";

/// One line of the dialogue.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// The line as written, for reports.
    pub text: String,
    /// Index of the section, counted over fragments and the scenario itself.
    pub section: usize,
    /// Name of the section.
    pub section_name: String,
    /// What to do or to expect.
    pub action: Action,
}

/// What to do or to expect.
#[derive(Clone, Debug)]
pub enum Action {
    /// `>`: send the text and the profile's line end.
    Send(Template),
    /// `>>`: send the bytes as they are.
    SendRaw(Template),
    /// `<`, `|`, `?`, `!`.
    Expect(Expect),
    /// `<<<`: these lines, in order, with nothing between them, byte for byte.
    Block(Vec<String>),
    /// `~ 2s`: let time pass; what arrives meanwhile is judged as always.
    Pause(Duration),
    /// `~ settle`: wait until the line and the servers are quiet.
    Settle,
    /// `@smtp …`, `@pop3 …`, `@device …`.
    Act {
        /// Whom to act on.
        target: Target,
        /// The words after the target, at least one.
        words: Vec<String>,
    },
    /// `=`: an expression of the Common Expression Language that must be true.
    Check(String),
    /// `%`: an expression whose value is recorded, without a verdict.
    Record(Record),
}

/// A value for the record.
#[derive(Clone, Debug)]
pub struct Record {
    /// The expression.
    pub expression: String,
    /// What its value is.
    pub what: Recorded,
}

/// What a recorded value is.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// `% key = …`: an entry of the behaviour sheet.
    Behaviour(String),
    /// `% reading dispute = …`: the id of the reading that the device follows.
    Reading {
        /// Id of the dispute.
        dispute: String,
        /// Its readings, each with whether the profile accepts it.
        readings: Vec<(urcheck_reports::Reading, bool)>,
    },
}

/// Whom an action acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The fake SMTP server.
    Smtp,
    /// The fake POP3 server.
    Pop3,
    /// The device under test.
    Device,
}

impl Target {
    /// The word after `@`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
            Self::Device => "device",
        }
    }

    /// The protocol, if it is a server.
    pub fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Smtp => Some(Protocol::Smtp),
            Self::Pop3 => Some(Protocol::Pop3),
            Self::Device => None,
        }
    }
}

/// An expected, allowed or forbidden line.
#[derive(Clone, Debug)]
pub struct Expect {
    /// What the line is to the dialogue.
    pub mode: Mode,
    /// When it may come, counted from the last send; for [`Mode::Forbidden`] how long to watch
    /// after the lines before it have come. `None`: the profile's answer time, or, for a
    /// forbidden line, until the section ends.
    pub window: Option<Window>,
    /// What the line looks like.
    pub pattern: Pattern,
}

/// What a line is to the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `<`: mandatory, in order.
    Ordered,
    /// `|`: mandatory, in any order among its neighbouring `|` and `?` lines.
    AnyOrder,
    /// `?`: may appear once, here or among the neighbouring `|` lines.
    Optional,
    /// `!`: must not appear until the section ends, or while its window lasts.
    Forbidden,
}

/// A span of time after the last send, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before this.
    pub from: Duration,
    /// Not after this.
    pub to: Duration,
}

/// What a line looks like.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// `{{...}}` alone: any number of lines of any text, until the next expectation matches.
    AnyLines,
    /// One line.
    Line(Vec<Piece>),
}

/// A part of a line pattern.
#[derive(Clone, Debug)]
pub enum Piece {
    /// This text.
    Text(Template),
    /// `{{name:kind}}`, `{{:kind}}`, `{{name=/regex/}}`, `{{=/regex/}}`, `{{*}}`.
    Hole {
        /// The capture's name, if its value is kept.
        name: Option<String>,
        /// Regular expression source, without anchors and without capture groups.
        regex: String,
        /// Whether the value is a number in checks.
        number: bool,
        /// The hole for people: what stands between the braces, without the name (`:int`,
        /// `=/regex/`, `*`).
        written: String,
    },
    /// `{{name:term}}`, `{{:term}}`: a text that depends on how the note is read.
    Term(Arc<Term>),
}

/// A term of a dispute, with what the profile makes of it.
#[derive(Debug)]
pub struct Term {
    /// The capture's name, if the text is kept.
    pub name: Option<String>,
    /// The hole for people, as that of [`Piece::Hole`].
    pub written: String,
    /// All texts that it can stand for, also those that the profile does not accept.
    pub alternatives: Vec<Alternative>,
    /// The disputes that it leans on.
    pub leans: Vec<Lean>,
}

impl Pattern {
    /// The terms in it.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        let pieces = match self {
            Self::AnyLines => [].as_slice(),
            Self::Line(pieces) => pieces.as_slice(),
        };
        pieces.iter().filter_map(|piece| match piece {
            Piece::Term(term) => Some(&**term),
            _ => None,
        })
    }
}

/// Text with captures still open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<TemplatePart>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The value of the capture with this name.
    Capture(String),
}
