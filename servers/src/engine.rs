//! What stands behind the wire: an honest server without input or output of its own.
//!
//! The wire hands an [`Engine`] what the client sent and gets back what to say. Every reply has a
//! [`Position`] in the protocol, and the wire asks the fault rules before it writes it. So a reply
//! is only a proposal: [`Engine::told`] says what the client really got, and **an engine changes
//! its state only then**. A recipient whose `250` was replaced by `550` is no recipient, a message
//! whose final `250` never left was never accepted.

use crate::event::Protocol;
use crate::fault::Position;
use tokio::time::Instant;

/// One session of one client. All calls come from one task, in this order:
/// `greeting`, then for each step `line` or `data`, `told` for each reply written (or not), and
/// `next`; at the end `closed` once, whatever happened.
pub trait Engine: Send {
    /// The client has connected (and, on an implicit TLS port, done its handshake).
    fn greeting(&mut self) -> Vec<Output>;

    /// The client sent a line. Called while [`Engine::next`] says [`Next::Line`].
    fn line(&mut self, line: Line<'_>) -> Vec<Output>;

    /// The client sent bytes of a message. Called while [`Engine::next`] says [`Next::Data`].
    /// Returns how many octets belong to the message (its end included) and, when it has ended,
    /// what to say; the octets after it are given to `line`. Less than all octets may only be
    /// taken when the message has ended.
    fn data(&mut self, bytes: &[u8]) -> (usize, Vec<Output>);

    /// Octets of a message were there already before the reply that asks for them had been
    /// written: the client did not wait. What is returned is carried out before `data`.
    fn impatient(&mut self) -> Vec<Output> {
        Vec::new()
    }

    /// What became of a reply: written as proposed, replaced, cut, or kept back. With
    /// [`Position::Body`] or [`Position::Received`] it is not about a reply: a fault struck while
    /// the client was sending.
    fn told(&mut self, told: Told<'_>);

    /// What the wire shall do now that all replies are out.
    fn next(&self) -> Next;

    /// The TLS handshake after [`Next::StartTls`] is done. `discarded` plain-text octets came
    /// between the command and the handshake and were thrown away (RFC 3207 §4.2).
    fn secured(&mut self, discarded: usize) -> Vec<Output>;

    /// The client has been silent for the idle time. What is returned is still said, then the
    /// server closes.
    fn timed_out(&mut self) -> Vec<Output>;

    /// The server is being shut down. What is returned is still said, then the server closes.
    fn stopping(&mut self) -> Vec<Output>;

    /// The server has closed as [`Next::Close`] asked for, but the client went on: so many octets
    /// came behind its last word. Lints that are returned are recorded.
    fn late(&mut self, octets: usize) -> Vec<Output> {
        let _ = octets;
        Vec::new()
    }

    /// The connection is over. Lints and notes that are returned are still recorded; replies
    /// are not.
    fn closed(&mut self, end: End) -> Vec<Output>;
}

/// A line from the client.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The octets without the line end, at most as many as the wire's line limit.
    pub text: &'a [u8],
    /// How the line ended.
    pub end: LineEnd,
    /// How many octets of the line were not kept because it was longer than the limit.
    pub omitted: u64,
    /// Whether it was there already before the reply to what came before it (or before the
    /// greeting) had been written: the client did not wait.
    pub ahead: bool,
}

impl Line<'_> {
    /// Length in octets as sent, line end included.
    pub fn octets(&self) -> u64 {
        let end = match self.end {
            LineEnd::CrLf => 2,
            LineEnd::Lf => 1,
        };
        self.text.len() as u64 + self.omitted + end
    }
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// CR LF, as both protocols demand.
    CrLf,
    /// LF alone.
    Lf,
}

/// What an engine has to say.
#[derive(Clone, Debug)]
pub enum Output {
    /// A reply to the client.
    Reply(Reply),
    /// The client broke a rule.
    Lint {
        /// Stable id, such as `smtp.bare-lf`.
        id: &'static str,
        /// What was wrong, in one sentence.
        message: String,
    },
    /// Something worth recording, in plain words.
    Note(String),
}

/// One logical reply: one line, all lines of an SMTP multi-line reply, or one of the two parts
/// (status line, lines to the final dot) of a POP3 multi-line response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Where in the protocol it stands.
    pub position: Position,
    /// A second name of the same place: the final reply of `AUTH PLAIN initial-response` is both
    /// `auth-done` and the reply to `auth`.
    pub also: Option<Position>,
    /// The octets, line ends included.
    pub bytes: Vec<u8>,
    /// What follows `bytes`, made only while it is being written, so that a huge reply never
    /// exists as a whole.
    pub more: Option<Box<dyn More>>,
    /// Whether it only makes sense after the reply before it went out as it was: it is dropped
    /// silently when that one was replaced, cut or kept back. [`Engine::told`] is still called.
    pub continues: bool,
}

impl Reply {
    /// A reply of its own.
    pub fn new(position: Position, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            position,
            also: None,
            bytes: bytes.into(),
            more: None,
            continues: false,
        }
    }

    /// The same with a second name of its place.
    pub fn also(mut self, position: Position) -> Self {
        self.also = Some(position);
        self
    }

    /// The same with octets that are made while it is being written.
    pub fn with_more(mut self, more: impl More + 'static) -> Self {
        self.more = Some(Box::new(more));
        self
    }

    /// All octets together.
    pub fn into_octets(mut self) -> Vec<u8> {
        let mut octets = self.bytes;
        while let Some(part) = self.more.as_mut().and_then(|more| more.next_part()) {
            octets.extend(part);
        }
        octets
    }

    /// The same as a part that follows the reply before it.
    pub fn continuing(mut self) -> Self {
        self.continues = true;
        self
    }
}

/// The later octets of a reply, part by part.
pub trait More: std::fmt::Debug + Send + Sync {
    /// The next part, not much longer than 16 KiB; `None` at the end.
    fn next_part(&mut self) -> Option<Vec<u8>>;

    /// The same octets once more, from where this one is now.
    fn again(&self) -> Box<dyn More>;
}

impl Clone for Box<dyn More> {
    fn clone(&self) -> Self {
        (**self).again()
    }
}

impl From<Reply> for Output {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// What became of a reply.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The reply's place.
    pub position: Position,
    /// What was written in its place; empty if nothing was. Of a long reply only its
    /// two ends, [`TOLD_LIMIT`] octets in all.
    pub bytes: &'a [u8],
    /// Whether the engine's own reply went out whole: late, in pieces, or with something else
    /// before or after it counts as whole.
    pub honest: bool,
}

/// How many octets of a reply [`Told::bytes`] holds at most.
pub const TOLD_LIMIT: usize = 4096;

/// What the wire does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read a line.
    Line,
    /// Read message octets.
    Data,
    /// Do the TLS handshake, then go on reading lines.
    StartTls,
    /// Close in good order.
    Close,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed its side.
    Client,
    /// The client reset the connection, or vanished while being written to.
    ClientReset,
    /// The server closed in good order: after QUIT, or because a fault or an action said so.
    Server,
    /// The server reset it: a fault or an action.
    ServerReset,
    /// The client was silent for too long.
    Timeout,
    /// The server was shut down.
    Stopped,
    /// The TLS handshake failed.
    Tls,
}

impl End {
    /// The name as it stands in `closed_by` of the server's view.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientReset => "client-reset",
            Self::Server => "server",
            Self::ServerReset => "server-reset",
            Self::Timeout => "timeout",
            Self::Stopped => "stopped",
            Self::Tls => "tls",
        }
    }
}

/// What an engine gets to know of its connection when it is made.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Number at this server, from 1.
    pub id: u32,
    /// The client's address as the listener gives it.
    pub peer: String,
    /// When it came about.
    pub opened: Instant,
    /// Whether TLS protects it from the first octet on.
    pub secure: bool,
    /// Whether the wire can do TLS later on.
    pub can_start_tls: bool,
}

/// A protocol with its state over all connections (accounts, mail, session records): what
/// [`Server`](crate::server::Server) is generic over.
pub trait Service: Send + Sync + 'static {
    /// How it is set up.
    type Setup: Clone + Send + 'static;
    /// Which protocol it is.
    const PROTOCOL: Protocol;

    /// Makes the service; `made` is the zero of all times in [`Service::view`].
    fn new(setup: Self::Setup, made: Instant) -> Self;

    /// What the wire needs to know.
    fn options(&self) -> Options;

    /// Makes the engine of a new connection.
    fn open(&self, connection: Connection) -> Box<dyn Engine>;

    /// The state for checks: a JSON object as `docs/checks.md` describes it.
    fn view(&self) -> serde_json::Value;

    /// Carries out an action of this protocol; `None` if it knows none of that name.
    fn act(&self, words: &[&str]) -> Option<Result<String, crate::server::ActionError>> {
        let _ = words;
        None
    }
}

/// What the wire needs to know of a service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The fault rules, in order; the first that matches wins.
    pub faults: Vec<crate::fault::Rule>,
    /// Whether TLS starts with the connection.
    pub implicit_tls: bool,
    /// Whether the engine may ask for [`Next::StartTls`].
    pub start_tls: bool,
    /// Host name in the certificate.
    pub domain: String,
    /// How long the client may be silent.
    pub idle: std::time::Duration,
    /// How many connections may be open at a time; further ones are closed at once.
    pub connections: usize,
    /// What a connection over that number is told before it is closed.
    pub too_many: Vec<u8>,
}
