//! The POP3 server: RFC 1939, CAPA and response codes (RFC 2449, RFC 3206), STLS (RFC 2595),
//! AUTH (RFC 5034).
//!
//! It tolerates what real servers tolerate and records every slip of the client as a [`Lint`].
//! Messages are removed in the UPDATE state only, after a QUIT in the TRANSACTION state that was
//! answered `+OK`. The wire may change any reply on its way out, so a session becomes what the
//! client was *told*: a `DELE` whose `+OK` was replaced by `-ERR` marks nothing.
//!
//! * `command` takes a line apart, `authorization` and `transaction` answer it, `session`
//!   holds what is common to them, `effect` says what comes of an answer that was heard;
//! * `auth` judges credentials, `response` makes the octets;
//! * `record` keeps what `view` shows to the checks of a scenario.

mod auth;
mod authorization;
mod command;
mod effect;
mod lint;
mod record;
mod response;
mod session;
mod setup;
mod transaction;
pub mod view;

pub use lint::Lint;
pub use setup::Setup;

use crate::allowance::Allowance;
use crate::engine::{Connection, Engine, Options, Service};
use crate::event::Protocol;
use crate::maildrop::{Lease, Maildrops};
use crate::server::ActionError;
use record::Record;
use session::Session;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A fake POP3 server.
pub type Server = crate::server::Server<Pop3>;

/// So many sessions are remembered; then the oldest is forgotten.
const SESSIONS_KEPT: usize = 10_000;
/// So many connections may be open at a time.
const CONNECTIONS: usize = 64;
/// The session number that holds a lock taken by the action `lock`.
const NOBODY: u64 = 0;

/// The POP3 service of one server: accounts, maildrops, session records.
#[derive(Debug)]
pub struct Pop3(Arc<Shared>);

/// What all sessions share.
#[derive(Debug)]
struct Shared {
    setup: Setup,
    accounts: BTreeMap<String, String>,
    /// As offered, in upper case.
    mechanisms: Vec<String>,
    /// Host name, fit for a status line.
    domain: String,
    made: Instant,
    drops: Maildrops,
    sessions: Mutex<VecDeque<Arc<Mutex<Record>>>>,
    /// What the lines and replies of all sessions may take.
    talk: Allowance,
    /// Leases held by the action `lock`, by user.
    locks: Mutex<BTreeMap<String, Lease>>,
}

impl Shared {
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.made)
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<Arc<Mutex<Record>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locks(&self) -> MutexGuard<'_, BTreeMap<String, Lease>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pop3 {
    /// The maildrops, so that messages can be delivered while the server runs.
    #[must_use]
    pub fn maildrops(&self) -> &Maildrops {
        &self.0.drops
    }

    fn user(&self, named: Option<&&str>) -> Result<String, ActionError> {
        let accounts = &self.0.accounts;
        match named {
            None => Ok(accounts.keys().next().cloned().unwrap_or_default()),
            Some(user) if accounts.contains_key(*user) => Ok((*user).to_owned()),
            Some(user) => {
                let known: Vec<&str> = accounts.keys().map(String::as_str).collect();
                let known = known.join(", ");
                Err(ActionError::Bad(format!(
                    "no account {user:?}; there is {known}"
                )))
            }
        }
    }

    /// Takes the lock of a maildrop, as another session would: the next login gets `[IN-USE]`.
    fn lock(&self, user: &str) -> Result<String, ActionError> {
        let lease = self.0.drops.open(user, NOBODY);
        let lease = lease.map_err(|in_use| ActionError::Bad(in_use.to_string()))?;
        self.0.locks().insert(user.to_owned(), lease);
        Ok(format!("maildrop of {user:?} is locked"))
    }

    fn unlock(&self, user: &str) -> Result<String, ActionError> {
        match self.0.locks().remove(user) {
            Some(_) => Ok(format!("maildrop of {user:?} is free")),
            None => Err(ActionError::Bad(format!(
                "maildrop of {user:?} was not locked by `lock`"
            ))),
        }
    }
}

impl Service for Pop3 {
    type Setup = Setup;
    const PROTOCOL: Protocol = Protocol::Pop3;

    fn new(mut setup: Setup, made: Instant) -> Pop3 {
        let drops = Maildrops::new();
        let accounts = setup.effective_accounts();
        for mail in std::mem::take(&mut setup.mail).into_iter().map(Arc::new) {
            for user in accounts.keys() {
                drops.deliver(user, mail.clone());
            }
        }
        Pop3(Arc::new(Shared {
            mechanisms: setup
                .sasl
                .iter()
                .map(|name| name.to_ascii_uppercase())
                .collect(),
            domain: setup.printable_domain(),
            accounts,
            setup,
            made,
            drops,
            sessions: Mutex::default(),
            talk: Allowance::new(record::TALK),
            locks: Mutex::default(),
        }))
    }

    fn options(&self) -> Options {
        let setup = &self.0.setup;
        Options {
            faults: setup.fault.clone(),
            implicit_tls: setup.implicit_tls,
            start_tls: setup.stls,
            domain: self.0.domain.clone(),
            idle: setup.autologout.0,
            connections: CONNECTIONS,
            too_many: b"-ERR [SYS/TEMP] too many connections\r\n".to_vec(),
        }
    }

    fn open(&self, connection: Connection) -> Box<dyn Engine> {
        let opened = connection.opened.saturating_duration_since(self.0.made);
        let peer = connection.peer.clone();
        let talk = self.0.talk.clone();
        let record = Record::new(talk, connection.id, peer, opened, connection.secure);
        let record = Arc::new(Mutex::new(record));
        let mut sessions = self.0.sessions();
        if sessions.len() >= SESSIONS_KEPT {
            sessions.pop_front();
        }
        sessions.push_back(record.clone());
        Box::new(Session::new(self.0.clone(), &connection, record))
    }

    fn view(&self) -> serde_json::Value {
        view::view(&self.0)
    }

    /// `lock [USER]` and `unlock [USER]`: the maildrop is open in some other session, or no more.
    /// Without a name the first account is meant.
    fn act(&self, words: &[&str]) -> Option<Result<String, ActionError>> {
        match words {
            ["lock", user @ ..] if user.len() < 2 => {
                Some(self.user(user.first()).and_then(|user| self.lock(&user)))
            }
            ["unlock", user @ ..] if user.len() < 2 => {
                Some(self.user(user.first()).and_then(|user| self.unlock(&user)))
            }
            _ => None,
        }
    }
}
