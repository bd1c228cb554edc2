//! What the server remembers for checks: sessions and delivered mail, in bounded memory.

use super::content::{self, Digest};
use super::incoming::{KEPT, Message};
use crate::allowance::Allowance;
use crate::engine::{Connection, End};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// How many sessions and messages are remembered; later ones are only counted.
const RECORDS: usize = 1000;
/// How much text of all sessions together is remembered.
const TALK: usize = 4 * 1024 * 1024;
/// Messages up to this size are kept as they are and read when somebody asks.
const SMALL: usize = 64 * 1024;
/// How many lines and replies of one session are remembered.
const LINES: usize = 1000;
/// What remembering one of them takes besides its octets.
const OVERHEAD: usize = 64;
/// How many octets of each of them.
const LINE: usize = 2048;

/// All that one server remembers.
pub(super) struct Store {
    made: Instant,
    state: Mutex<State>,
    /// What the messages may take, delivered or on their way.
    mail: Allowance,
    /// What the lines and replies of all sessions may take.
    talk: Allowance,
}

#[derive(Default)]
struct State {
    sessions: Vec<Arc<Record>>,
    sessions_omitted: u64,
    delivered: Vec<Mail>,
    delivered_omitted: u64,
}

/// A delivered message.
struct Mail {
    session: u32,
    envelope: Envelope,
    at: f64,
    size: u64,
    sha256: String,
    content: Content,
}

enum Content {
    Raw(Vec<u8>),
    Read(Box<Digest>),
}

/// Sender and recipients of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// Reverse-path; empty for `<>`.
    pub(super) from: String,
    /// Forward-paths in the order in which they were accepted.
    pub(super) recipients: Vec<String>,
}

/// What is remembered of one session.
pub(super) struct Record {
    id: u32,
    peer: String,
    opened: f64,
    facts: Mutex<Facts>,
}

pub(super) struct Facts {
    talk: Allowance,
    closed: Option<(f64, End)>,
    pub(super) secure: bool,
    pub(super) helo: Option<String>,
    pub(super) extended: bool,
    pub(super) user: Option<String>,
    pub(super) mechanism: Option<String>,
    pub(super) quit: bool,
    commands: Vec<String>,
    verbs: Vec<String>,
    replies: Vec<String>,
    lints: Vec<(&'static str, String)>,
    omitted: u64,
}

impl Store {
    pub(super) fn new(made: Instant) -> Self {
        Self {
            made,
            state: Mutex::default(),
            mail: Allowance::new(KEPT),
            talk: Allowance::new(TALK),
        }
    }

    /// What the messages may take, delivered or on their way.
    pub(super) fn mail_allowance(&self) -> Allowance {
        self.mail.clone()
    }

    /// Begins a session.
    pub(super) fn open(&self, connection: &Connection) -> Arc<Record> {
        let record = Arc::new(Record {
            id: connection.id,
            peer: connection.peer.clone(),
            opened: self.seconds(connection.opened),
            facts: Mutex::new(Facts::new(self.talk.clone(), connection.secure)),
        });
        let mut state = lock(&self.state);
        if state.sessions.len() < RECORDS {
            state.sessions.push(Arc::clone(&record));
        } else {
            state.sessions_omitted += 1;
        }
        record
    }

    /// Ends a session.
    pub(super) fn close(&self, record: &Record, end: End) {
        let now = self.seconds(Instant::now());
        record.facts().closed = Some((now, end));
    }

    /// Remembers a message that the client was told to be delivered.
    pub(super) fn deliver(&self, session: u32, envelope: Envelope, message: Message) {
        let at = self.seconds(Instant::now());
        let Message {
            kept, size, sha256, ..
        } = message;
        // A large message is read now, so that what is remembered of it is small.
        let content = if kept.octets().len() <= SMALL {
            Content::Raw(kept.into_octets())
        } else {
            let digest = Digest::read(kept.octets());
            drop(kept);
            Content::Read(Box::new(digest))
        };
        let octets = match &content {
            Content::Raw(raw) => raw.len(),
            Content::Read(digest) => digest.octets(),
        };
        let mail = Mail {
            session,
            envelope,
            at,
            size,
            sha256,
            content,
        };
        let mut state = lock(&self.state);
        if state.delivered.len() < RECORDS && self.mail.take_all(octets) {
            state.delivered.push(mail);
        } else {
            state.delivered_omitted += 1;
        }
    }

    /// Everything, as `docs/checks.md` describes it.
    pub(super) fn view(&self) -> Value {
        let state = lock(&self.state);
        let sessions: Vec<Value> = state.sessions.iter().map(|record| record.view()).collect();
        let delivered: Vec<Value> = state.delivered.iter().map(Mail::view).collect();
        json!({
            "sessions": sessions,
            "sessions_omitted": state.sessions_omitted,
            "delivered": delivered,
            "delivered_omitted": state.delivered_omitted,
        })
    }

    fn seconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.made).as_secs_f64()
    }
}

impl Record {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    fn view(&self) -> Value {
        let facts = self.facts();
        let lints: Vec<Value> = facts
            .lints
            .iter()
            .map(|(id, message)| json!({"id": id, "message": message}))
            .collect();
        json!({
            "id": self.id,
            "peer": self.peer,
            "opened": self.opened,
            "closed": facts.closed.map(|(at, _)| at),
            "closed_by": facts.closed.map(|(_, end)| end.name()),
            "secure": facts.secure,
            "helo": facts.helo,
            "extended": facts.extended,
            "user": facts.user,
            "mechanism": facts.mechanism,
            "commands": facts.commands,
            "verbs": facts.verbs,
            "replies": facts.replies,
            "quit": facts.quit,
            "lints": lints,
            "omitted": facts.omitted,
        })
    }
}

impl Facts {
    fn new(talk: Allowance, secure: bool) -> Self {
        Self {
            talk,
            closed: None,
            secure,
            helo: None,
            extended: false,
            user: None,
            mechanism: None,
            quit: false,
            commands: Vec::new(),
            verbs: Vec::new(),
            replies: Vec::new(),
            lints: Vec::new(),
            omitted: 0,
        }
    }

    /// Remembers a line of the client.
    pub(super) fn command(&mut self, line: &[u8]) {
        self.omitted += u64::from(!keep(&mut self.commands, line, &self.talk));
    }

    /// Remembers which command it was.
    pub(super) fn verb(&mut self, verb: &str) {
        keep(&mut self.verbs, verb.as_bytes(), &self.talk);
    }

    /// Remembers what the client was told.
    pub(super) fn reply(&mut self, bytes: &[u8]) {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.omitted += u64::from(!keep(&mut self.replies, text, &self.talk));
    }

    /// Remembers a lint.
    pub(super) fn lint(&mut self, id: &'static str, message: &str) {
        if self.lints.len() < LINES && self.talk.take_all(message.len() + OVERHEAD) {
            self.lints.push((id, message.to_owned()));
        } else {
            self.omitted += 1;
        }
    }
}

impl Mail {
    fn view(&self) -> Value {
        let read;
        let digest = match &self.content {
            Content::Read(digest) => digest,
            Content::Raw(raw) => {
                read = Digest::read(raw);
                &read
            }
        };
        let mut view = json!({
            "session": self.session,
            "from": self.envelope.from,
            "recipients": self.envelope.recipients,
            "at": self.at,
            "size": self.size,
            "sha256": self.sha256,
        });
        content::add(&mut view, digest);
        view
    }
}

/// Whether there was room.
fn keep(list: &mut Vec<String>, bytes: &[u8], talk: &Allowance) -> bool {
    let bytes = bytes.get(..LINE).unwrap_or(bytes);
    let room = list.len() < LINES && talk.take_all(bytes.len() + OVERHEAD);
    if room {
        let text = String::from_utf8_lossy(bytes);
        list.push(text.replace("\r\n", "\n"));
    }
    room
}

/// A poisoned lock only says that some other task panicked; the state behind it is plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
