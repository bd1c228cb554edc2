//! One session: what the client sends goes in, proposals for replies come out, and what the client
//! was really told decides what the session becomes.
//!
//! The commands are in [`super::authorization`] and [`super::transaction`]; here is what is common
//! to them. Knows no sockets and no fault rules.

use super::Shared;
use super::auth::Exchange;
use super::command::{Command, Verb};
use super::effect::{Effect, Heard, Proposed};
use super::lint::Lint;
use super::record::{Record, State};
use super::response::Response;
use crate::engine::{Connection, End, Engine, Line, LineEnd, Next, Output, Reply, Told};
use crate::fault::Position;
use crate::maildrop::Lease;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The built-in POP3 server for one connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) id: u32,
    pub(super) secure: bool,
    pub(super) can_start_tls: bool,
    pub(super) state: State,
    /// The timestamp in the greeting that the client got.
    pub(super) timestamp: Option<String>,
    /// Named in a USER that was answered positively.
    pub(super) user: Option<String>,
    /// Whether USER was the last command.
    pub(super) user_was_last: bool,
    /// An AUTH that waits for the client's answer to a challenge.
    pub(super) exchange: Option<Exchange>,
    pub(super) lease: Option<Lease>,
    /// Positions, from 0, of the messages marked as deleted.
    pub(super) marks: BTreeSet<usize>,
    /// Whether the client has got the list of capabilities as it is.
    pub(super) capa_told: bool,
    /// Whether a fault has told the client that it is logged in.
    pub(super) misled: bool,
    /// How many lines the client has sent.
    pub(super) lines: u64,
    record: Arc<Mutex<Record>>,
    pub(super) greeted: bool,
    /// Whether the client got the last reply as it was meant.
    honest: bool,
    proposed: VecDeque<Proposed>,
    found: Vec<Output>,
    pub(super) next: Next,
}

/// What a command leads to.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// What becomes of the session once the client has been told.
    pub(super) effect: Effect,
    /// The place of the status line; `None` for the place of the command itself.
    pub(super) position: Option<Position>,
    /// Its second name.
    pub(super) also: Option<Position>,
}

impl Answer {
    pub(super) fn new(response: Response, effect: Effect) -> Answer {
        Answer {
            response,
            effect,
            position: None,
            also: None,
        }
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Answer {
        Answer::new(response, Effect::None)
    }
}

impl Session {
    pub(super) fn new(
        shared: Arc<Shared>,
        connection: &Connection,
        record: Arc<Mutex<Record>>,
    ) -> Session {
        Session {
            shared,
            id: connection.id,
            secure: connection.secure,
            can_start_tls: connection.can_start_tls,
            state: State::Authorization,
            timestamp: None,
            user: None,
            user_was_last: false,
            exchange: None,
            lease: None,
            marks: BTreeSet::new(),
            capa_told: false,
            misled: false,
            lines: 0,
            record,
            greeted: false,
            honest: true,
            proposed: VecDeque::new(),
            found: Vec::new(),
            next: Next::Line,
        }
    }

    pub(super) fn lint(&mut self, lint: Lint, what: &str, line: &[u8]) {
        let shown: String = line.escape_ascii().map(char::from).take(80).collect();
        let message = format!("{what}: \"{shown}\"");
        let at = self.shared.now();
        self.record().lint(lint, message.clone(), at);
        self.found.push(Output::Lint {
            id: lint.id(),
            message,
        });
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lint_waiting(&mut self, line: &Line<'_>) {
        if line.ahead && self.lines == 1 {
            self.lint(
                Lint::TalkBeforeGreeting,
                "sent before the greeting",
                line.text,
            );
        } else if line.ahead {
            let what = "sent before the reply to the command before it";
            self.lint(Lint::Pipelined, what, line.text);
        }
    }

    fn response_to_challenge(&mut self, exchange: Exchange, line: &Line<'_>) -> Vec<Output> {
        self.record().command(line.text, None);
        self.lint_waiting(line);
        if line.end == LineEnd::Lf {
            self.lint(Lint::BareLf, "the line ends with LF alone", line.text);
        }
        let answer = self.respond(exchange, line);
        self.propose(answer, Position::AuthDone, None)
    }

    fn command(&mut self, line: &Line<'_>) -> Vec<Output> {
        let command = Command::parse(line);
        self.record().command(line.text, Some(&command.keyword));
        self.lint_waiting(line);
        for (lint, what) in &command.lints {
            self.lint(*lint, what, line.text);
        }
        let answer = match command.verb {
            None => {
                self.lint(Lint::UnknownCommand, "no command of POP3", line.text);
                Response::err("unknown command").into()
            }
            Some(_) if line.omitted > 0 => Response::err("line too long").into(),
            Some(verb) => self.execute(verb, &command, line.text),
        };
        self.user_was_last = command.verb == Some(Verb::User);
        let position = command.verb.map_or(Position::Unknown, Verb::position);
        self.propose(answer, position, body_of(position))
    }

    fn execute(&mut self, verb: Verb, command: &Command, line: &[u8]) -> Answer {
        match (verb, self.state) {
            (Verb::Quit, _) => self.quit(command, line),
            (Verb::Capa, _) => self.capa(command, line),
            (Verb::Foreign, _) => Response::err("not supported here").into(),
            (verb, State::Authorization) => self.authorize(verb, command, line),
            (verb, _) => self.transact(verb, command, line),
        }
    }

    fn quit(&mut self, command: &Command, line: &[u8]) -> Answer {
        self.no_arguments(command, line);
        self.record().quit = true;
        let text = match self.marks.len() {
            0 => "bye".to_owned(),
            marked => format!("bye, {marked} messages deleted"),
        };
        Answer::new(Response::ok(text), Effect::Quit)
    }

    /// Records a lint for arguments where there should be none; they are ignored.
    pub(super) fn no_arguments(&mut self, command: &Command, line: &[u8]) {
        if !command.arguments().is_empty() {
            self.lint(Lint::Arguments, "this command has no arguments", line);
        }
    }

    pub(super) fn wrong_state(&mut self, line: &[u8]) -> Answer {
        let (what, text) = match self.state {
            State::Authorization => ("not allowed before the login", "log in first"),
            _ => ("not allowed after the login", "already logged in"),
        };
        if !self.misled {
            self.lint(Lint::WrongState, what, line);
        }
        Response::err(text).into()
    }

    /// A refusal, with its response code if the client can know what codes are (RFC 2449
    /// section 6.4: the server says so in CAPA).
    pub(super) fn refusal(&self, code: &str, text: &str) -> Response {
        let code = if self.shared.setup.capa { code } else { "" };
        Response::err(format!("{code} {text}").trim_start())
    }

    /// Turns an answer into outputs: the lints found on the way, the status line, the body.
    fn propose(
        &mut self,
        answer: Answer,
        position: Position,
        body: Option<Position>,
    ) -> Vec<Output> {
        let mut outputs = std::mem::take(&mut self.found);
        let mut status = Reply::new(
            answer.position.unwrap_or(position),
            answer.response.status_octets(),
        );
        status.also = answer.also;
        let heard = Heard::of(&status.bytes);
        let (first, second) = match answer.effect {
            effect @ (Effect::Retrieved(_) | Effect::CapaShown) => (Effect::None, effect),
            effect => (effect, Effect::None),
        };
        self.proposed.push_back(Proposed {
            effect: first,
            heard,
            status: true,
        });
        match (answer.response.body, body) {
            (Some(lines), Some(body)) => {
                outputs.push(status.into());
                self.proposed.push_back(Proposed {
                    effect: second,
                    heard,
                    status: false,
                });
                let reply = Reply::new(body, []).with_more(lines);
                outputs.push(reply.continuing().into());
            }
            (Some(lines), None) => outputs.push(status.with_more(lines).into()),
            (None, _) => outputs.push(status.into()),
        }
        outputs
    }
}

impl Engine for Session {
    fn greeting(&mut self) -> Vec<Output> {
        let mut text = format!("{} POP3 server ready", self.shared.domain);
        if self.shared.setup.apop {
            text.push_str(&format!(" <{}.urcheck@{}>", self.id, self.shared.domain));
        }
        let answer = Answer::new(Response::ok(text), Effect::Greeted);
        self.propose(answer, Position::Greeting, None)
    }

    fn line(&mut self, line: Line<'_>) -> Vec<Output> {
        self.lines += 1;
        match self.exchange.take() {
            Some(exchange) => self.response_to_challenge(exchange, &line),
            None => self.command(&line),
        }
    }

    fn data(&mut self, _bytes: &[u8]) -> (usize, Vec<Output>) {
        // POP3 has no message octets from the client, and `next` never asks for any.
        (0, Vec::new())
    }

    fn told(&mut self, told: Told<'_>) {
        if told.position == Position::Received {
            // A fault struck between two replies: whoever leaves now is not to blame for it.
            self.honest = false;
            return;
        }
        let Some(proposed) = self.proposed.pop_front() else {
            return;
        };
        let heard = if told.honest {
            proposed.heard
        } else {
            Heard::of(told.bytes)
        };
        self.honest = told.honest;
        if proposed.status {
            self.record().reply(told.bytes);
        }
        if matches!(proposed.effect, Effect::Greeted) {
            self.timestamp = timestamp_in(told.bytes);
        }
        self.apply(proposed.effect, heard, told.honest);
    }

    fn next(&self) -> Next {
        self.next
    }

    fn secured(&mut self, discarded: usize) -> Vec<Output> {
        self.next = Next::Line;
        self.secure = true;
        self.user = None;
        // RFC 2595 section 4: what was known of the server before is to be forgotten.
        self.capa_told = false;
        self.record().secure = true;
        if discarded > 0 {
            let what = format!("{discarded} octets between STLS and the handshake");
            self.lint(Lint::TalkBeforeTls, &what, b"STLS");
        }
        std::mem::take(&mut self.found)
    }

    fn timed_out(&mut self) -> Vec<Output> {
        // RFC 1939 section 3: closed without a reply and without UPDATE.
        Vec::new()
    }

    fn stopping(&mut self) -> Vec<Output> {
        Vec::new()
    }

    fn late(&mut self, octets: usize) -> Vec<Output> {
        let what = format!("{octets} octets came after it");
        self.lint(Lint::TalkAfterQuit, &what, b"QUIT");
        std::mem::take(&mut self.found)
    }

    fn closed(&mut self, end: End) -> Vec<Output> {
        self.lease = None;
        // Whoever still waits for a status line, or got a wrong one, may well give up.
        let answered = self.honest && self.proposed.front().is_none_or(|owed| !owed.status);
        // A reply that is still owed cannot log in or delete anything any more.
        self.proposed.clear();
        let by_client = matches!(end, End::Client | End::ClientReset);
        let quit = self.record().quit;
        if by_client && !quit && self.greeted && answered {
            let what = "the client closed without QUIT; its last line was";
            let last = self.record().commands.last().cloned().unwrap_or_default();
            self.lint(Lint::NoQuit, what, last.as_bytes());
        }
        let at = self.shared.now();
        {
            let mut record = self.record();
            record.closed = Some(at);
            record.closed_by = Some(end.name());
        }
        std::mem::take(&mut self.found)
    }
}

/// The place of the lines after the status line.
fn body_of(position: Position) -> Option<Position> {
    Some(match position {
        Position::Capa => Position::CapaBody,
        Position::List => Position::ListBody,
        Position::Uidl => Position::UidlBody,
        Position::Retr => Position::RetrBody,
        Position::Top => Position::TopBody,
        _ => return None,
    })
}

/// The timestamp of RFC 1939 section 7 in a greeting, angle brackets included.
fn timestamp_in(greeting: &[u8]) -> Option<String> {
    let line = greeting.split(|&b| b == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    let (_, rest) = text.split_once('<')?;
    let (inner, _) = rest.split_once('>')?;
    Some(format!("<{inner}>"))
}
