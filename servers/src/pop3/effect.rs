//! What the client was told, and what becomes of the session by it.
//!
//! A reply is only a proposal; whoever reads this file sees every way in which a session changes.

use super::auth::Exchange;
use super::record::State;
use super::session::Session;
use crate::engine::Next;
use crate::maildrop::Lease;

/// What becomes of the session when the client has been told.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Greeted,
    /// A positive reply to USER: PASS may follow.
    Named(String),
    /// A negative reply to PASS: the client has to begin with USER again.
    Forgotten,
    LoggedIn {
        user: String,
        mechanism: &'static str,
        lease: Lease,
    },
    Challenged(Exchange),
    CapaShown,
    Secured,
    Retrieved(usize),
    Marked(usize),
    Unmarked,
    Quit,
}

#[derive(Debug)]
pub(super) struct Proposed {
    pub(super) effect: Effect,
    /// What the client makes of it if it arrives as it is.
    pub(super) heard: Heard,
    /// Whether it is, or begins with, a status line.
    pub(super) status: bool,
}

/// What a client makes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Positive,
    Challenge,
    Other,
    Nothing,
}

impl Heard {
    pub(super) fn of(told: &[u8]) -> Heard {
        // A line that is not complete is no reply.
        let Some(end) = told.iter().position(|&b| b == b'\n') else {
            return if told.is_empty() {
                Heard::Nothing
            } else {
                Heard::Other
            };
        };
        match told.get(..end).unwrap_or_default() {
            [b'+', b'O', b'K'] | [b'+', b'O', b'K', b' ' | b'\r', ..] => Heard::Positive,
            [b'+', b' ' | b'\r', ..] | [b'+'] => Heard::Challenge,
            _ => Heard::Other,
        }
    }
}

impl Session {
    /// The client has heard what `heard` says; `honest` if it was the whole reply as meant.
    pub(super) fn apply(&mut self, effect: Effect, heard: Heard, honest: bool) {
        match effect {
            Effect::None => {}
            Effect::Named(user) => self.user = (heard == Heard::Positive).then_some(user),
            Effect::Forgotten => {
                self.user = None;
                self.misled = heard == Heard::Positive;
            }
            Effect::LoggedIn {
                user,
                mechanism,
                lease,
            } if heard == Heard::Positive => {
                {
                    let mut record = self.record();
                    record.user = Some(user);
                    record.mechanism = Some(mechanism.to_owned());
                }
                self.lease = Some(lease);
                self.user = None;
                self.enter(State::Transaction);
            }
            // The lease goes with it, and so does the lock.
            Effect::LoggedIn { .. } => self.user = None,
            Effect::Challenged(exchange) if heard == Heard::Challenge => {
                self.exchange = Some(exchange);
            }
            Effect::Secured if heard == Heard::Positive => self.next = Next::StartTls,
            Effect::Marked(position) if heard == Heard::Positive => {
                self.marks.insert(position);
                self.record().deleted.insert(position + 1);
            }
            Effect::Unmarked if heard == Heard::Positive => {
                self.marks.clear();
                self.record().deleted.clear();
            }
            Effect::Quit if heard != Heard::Nothing => self.leave(heard == Heard::Positive),
            Effect::Retrieved(number) if honest => self.record().retrieved(number),
            Effect::CapaShown => self.capa_told = honest,
            Effect::Greeted => self.greeted = heard == Heard::Positive,
            Effect::Challenged(_)
            | Effect::Secured
            | Effect::Marked(_)
            | Effect::Unmarked
            | Effect::Quit
            | Effect::Retrieved(_) => {}
        }
    }

    /// QUIT was answered. Only a positive answer in the TRANSACTION state removes messages.
    fn leave(&mut self, positive: bool) {
        self.next = Next::Close;
        if self.state == State::Transaction {
            self.enter(State::Update);
            if let Some(lease) = self.lease.take()
                && positive
            {
                lease.remove(&self.marks, self.shared.now());
            }
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.record().state = state;
    }
}
