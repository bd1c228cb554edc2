//! One SMTP session, without input or output: lines in, replies out.
//!
//! A reply carries an [`Effect`] that happens only when the client has been told what the reply
//! proposes (a reply of the same class). So whatever a fault rule makes of a reply, the state
//! here is what the client was led to believe.

mod commands;
mod login;
mod mail;
mod offered;

use super::{
    auth::Exchange,
    incoming::{Incoming, Message},
    reply::{Reply, class_of},
    setup::Setup,
    store::{Envelope, Record, Store},
};
use crate::{
    engine::{Connection, End, Engine, Line, Next, Output, Told},
    fault::Position,
};
use offered::Offered;
use std::{collections::VecDeque, sync::Arc};

/// The lints that a client cannot help when it was told something that is not so.
const OF_ORDER: [&str; 6] = [
    "smtp.bad-sequence",
    "smtp.data-without-recipient",
    "smtp.no-hello",
    "smtp.pipelining",
    "smtp.auth-not-offered",
    "smtp.unknown-command",
];

/// One session.
pub(super) struct Session {
    setup: Arc<Setup>,
    store: Arc<Store>,
    record: Arc<Record>,
    connection: Connection,
    phase: Phase,
    secure: bool,
    hello: Option<Hello>,
    user: Option<String>,
    transaction: Option<Envelope>,
    /// What the client declared with MAIL.
    declared: Declared,
    /// The effects of the replies that are being written, in their order.
    pending: VecDeque<Pending>,
    out: Vec<Output>,
    challenges: u32,
    /// The verb of the line before, for the rules of pipelining.
    last_verb: String,
    /// Whether the line came before the reply to the one before, and may.
    batched: bool,
    greeted: bool,
    tried_ehlo: bool,
    told_421: bool,
    /// What EHLO really offered to the client.
    offered: Offered,
    /// A fault told the client something that is not so: it is not to blame for what follows.
    misled: bool,
    /// The last reply did not reach the client: it may well leave without QUIT.
    unanswered: bool,
}

enum Phase {
    Command,
    Auth(Exchange, String),
    Data(Box<Incoming>),
    StartTls,
    Closing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hello {
    /// HELO.
    Plain,
    /// EHLO.
    Extended,
}

#[derive(Clone, Copy, Default)]
struct Declared {
    eight_bit: bool,
    size: Option<u64>,
}

/// A reply on its way.
struct Pending {
    position: Position,
    class: u8,
    octets: usize,
    effect: Effect,
}

/// What a reply means once the client has got it.
enum Effect {
    None,
    Hello(Hello, String),
    Challenge(Exchange, String),
    Authenticated(String, String),
    Mail(Envelope, Declared),
    Recipient(String),
    Data,
    Deliver(Box<Message>),
    Reset,
    StartTls,
    Close,
}

impl Session {
    pub(super) fn new(setup: Arc<Setup>, store: Arc<Store>, connection: Connection) -> Self {
        let record = store.open(&connection);
        Self {
            setup,
            store,
            record,
            phase: Phase::Command,
            secure: connection.secure,
            connection,
            hello: None,
            user: None,
            transaction: None,
            declared: Declared::default(),
            pending: VecDeque::new(),
            out: Vec::new(),
            challenges: 0,
            last_verb: String::new(),
            batched: false,
            greeted: false,
            tried_ehlo: false,
            told_421: false,
            offered: Offered::default(),
            misled: false,
            unanswered: false,
        }
    }

    fn reply(&mut self, reply: Reply, effect: Effect) {
        // RFC 2034 §4: not in the greeting and not in the reply to EHLO or HELO.
        let hello = matches!(
            reply.position,
            Position::Greeting | Position::Ehlo | Position::Helo
        );
        let enhanced = !hello && self.setup.offers("ENHANCEDSTATUSCODES");
        let (position, class) = (reply.position, reply.class());
        let reply = reply.into_wire(enhanced);
        self.pending.push_back(Pending {
            position,
            class,
            octets: reply.bytes.len(),
            effect,
        });
        self.out.push(reply.into());
    }

    fn say(&mut self, position: Position, code: u16, enhanced: &'static str, text: &str) {
        self.reply(Reply::new(position, code, enhanced, text), Effect::None);
    }

    fn lint(&mut self, id: &'static str, message: impl Into<String>) {
        if self.misled && OF_ORDER.contains(&id) {
            return;
        }
        let message = message.into();
        self.record.facts().lint(id, &message);
        self.out.push(Output::Lint { id, message });
    }

    fn done(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// Whether `keyword` was offered to the client in this session.
    fn has(&self, keyword: &str) -> bool {
        self.offered.keywords.iter().any(|it| it == keyword)
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::None => {}
            Effect::Hello(hello, name) => {
                self.hello = Some(hello);
                self.transaction = None;
                let mut facts = self.record.facts();
                facts.helo = Some(name);
                facts.extended = hello == Hello::Extended;
            }
            Effect::Challenge(exchange, mechanism) => {
                self.phase = Phase::Auth(exchange, mechanism);
            }
            Effect::Authenticated(user, mechanism) => {
                let mut facts = self.record.facts();
                facts.user = Some(user.clone());
                facts.mechanism = Some(mechanism);
                self.user = Some(user);
            }
            Effect::Mail(envelope, declared) => {
                self.transaction = Some(envelope);
                self.declared = declared;
            }
            Effect::Recipient(recipient) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients.push(recipient);
                }
            }
            Effect::Data => {
                let incoming = Incoming::new(self.store.mail_allowance());
                self.phase = Phase::Data(Box::new(incoming));
            }
            Effect::Deliver(message) => {
                let envelope = self.transaction.take().unwrap_or_default();
                self.store.deliver(self.record.id(), envelope, *message);
            }
            Effect::Reset => self.transaction = None,
            Effect::StartTls => self.phase = Phase::StartTls,
            Effect::Close => self.phase = Phase::Closing,
        }
    }
}

impl Engine for Session {
    fn greeting(&mut self) -> Vec<Output> {
        let text = format!("{} ESMTP", self.setup.domain);
        self.reply(Reply::new(Position::Greeting, 220, "", text), Effect::None);
        self.done()
    }

    fn line(&mut self, line: Line<'_>) -> Vec<Output> {
        self.check_line(line);
        self.greeted = true;
        match std::mem::replace(&mut self.phase, Phase::Command) {
            // Whoever was led into an exchange that there is not may also see through it.
            Phase::Auth(Exchange::Spent, _) if line.text.eq_ignore_ascii_case(b"QUIT") => {
                self.command(line);
            }
            Phase::Auth(exchange, mechanism) => self.auth_line(exchange, mechanism, line),
            _ => self.command(line),
        }
        self.done()
    }

    fn data(&mut self, bytes: &[u8]) -> (usize, Vec<Output>) {
        let Phase::Data(incoming) = &mut self.phase else {
            return (0, self.done());
        };
        let (taken, ended) = incoming.take(bytes);
        if ended && let Phase::Data(incoming) = std::mem::replace(&mut self.phase, Phase::Command) {
            self.message(incoming.finish());
        }
        (taken, self.done())
    }

    fn impatient(&mut self) -> Vec<Output> {
        self.lint(
            "smtp.pipelining",
            "the message came before the reply to DATA",
        );
        self.done()
    }

    fn told(&mut self, told: Told<'_>) {
        if !told.bytes.is_empty() {
            self.record.facts().reply(told.bytes);
        }
        if matches!(told.position, Position::Body | Position::Received) {
            self.misled = true;
            self.unanswered = true;
            return;
        }
        let Some(pending) = self.pending.pop_front() else {
            return;
        };
        let class = pending.class;
        let got = match told.honest {
            true => Some(class),
            false => class_of(told.bytes),
        };
        self.unanswered = got.is_none();
        let injected = told.honest && told.bytes.len() > pending.octets;
        let garbled = got.is_none() && !told.bytes.is_empty();
        let unfounded = got != Some(class) && matches!(got, Some(2 | 3));
        self.misled |= injected || garbled || unfounded;
        self.told_421 |= told.bytes.starts_with(b"421");
        let position = pending.position;
        let in_auth = matches!(
            position,
            Position::Auth | Position::AuthUser | Position::AuthPassword | Position::AuthDone
        );
        if got == Some(class) {
            self.apply(pending.effect);
            if matches!(position, Position::Ehlo | Position::Helo) && class == 2 {
                self.offered = Offered::read(told.bytes);
            }
        } else if in_auth && got == Some(3) {
            // The client now believes that the exchange goes on: its next line is no command.
            self.phase = Phase::Auth(Exchange::Spent, String::new());
        } else if position == Position::Data && got == Some(3) {
            // It believes that it may send the message, which nobody is going to get.
            self.apply(Effect::Data);
        }
        // However the final dot was answered, that transaction is over (RFC 5321 §4.1.1.4).
        if position == Position::Dot {
            self.transaction = None;
        }
    }

    fn next(&self) -> Next {
        match self.phase {
            Phase::Command | Phase::Auth(..) => Next::Line,
            Phase::Data(_) => Next::Data,
            Phase::StartTls => Next::StartTls,
            Phase::Closing => Next::Close,
        }
    }

    fn secured(&mut self, discarded: usize) -> Vec<Output> {
        // RFC 3207 §4.2: everything learnt before is to be forgotten.
        self.phase = Phase::Command;
        self.secure = true;
        self.hello = None;
        self.offered = Offered::default();
        self.user = None;
        self.transaction = None;
        {
            let mut facts = self.record.facts();
            facts.secure = true;
            facts.helo = None;
            facts.extended = false;
            facts.user = None;
        }
        if discarded > 0 {
            let message = format!("{discarded} octets between STARTTLS and the handshake");
            self.lint("smtp.bytes-before-handshake", message);
        }
        self.done()
    }

    fn timed_out(&mut self) -> Vec<Output> {
        let text = format!("{} Timeout, closing", self.setup.domain);
        self.say(Position::Unknown, 421, "4.4.2", &text);
        self.done()
    }

    fn stopping(&mut self) -> Vec<Output> {
        let text = format!("{} Service shutting down", self.setup.domain);
        self.say(Position::Unknown, 421, "4.3.2", &text);
        self.done()
    }

    fn late(&mut self, octets: usize) -> Vec<Output> {
        let message = format!("{octets} octets came after QUIT");
        self.lint("smtp.talk-after-quit", message);
        self.done()
    }

    fn closed(&mut self, end: End) -> Vec<Output> {
        let left = matches!(end, End::Client | End::ClientReset);
        let waits = self.unanswered || !self.pending.is_empty() || self.told_421;
        let quit = self.record.facts().quit;
        if left && !waits {
            match self.phase {
                Phase::Data(_) => {
                    self.lint("smtp.abandoned-message", "the client left inside a message");
                }
                _ if !quit => self.lint("smtp.no-quit", "the client left without QUIT"),
                _ => {}
            }
        }
        self.store.close(&self.record, end);
        self.done()
    }
}
