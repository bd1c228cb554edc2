//! `mailin-embedded` behind the wire: an independent SMTP server to compare the built-in one with.
//!
//! It runs in this process on a port of its own and answers what the client says; the built-in
//! session listens in, so that lints, faults, records and delivered mail are the same as without
//! it. AUTH and STARTTLS are answered by the built-in session, because `mailin-embedded` has no
//! AUTH without TLS of its own.
//!
//! Limits, all of the server behind: it cannot be shut down, so one instance serves all fakes of
//! a process for ever; it is spoken to with blocking calls (a few microseconds each on the
//! loopback interface), so this is not for measuring time; and a reply that a fault replaces has
//! already had its effect there.

use crate::{
    engine::{Connection, End, Engine, Line, LineEnd, Next, Options, Output, Reply, Service, Told},
    event::Protocol,
    fault::Position,
    smtp::{Setup, Smtp},
};
use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::OnceLock,
    time::Duration,
};
use tokio::time::Instant;

/// A fake SMTP server whose replies come from `mailin-embedded`.
pub type Server = crate::server::Server<Upstream>;

/// `mailin-embedded` as a service behind the wire.
pub struct Upstream {
    smtp: Smtp,
}

/// How long the server behind may take for a reply.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a reply of it may be, in octets.
const LONGEST: u64 = 64 * 1024;

impl Service for Upstream {
    type Setup = Setup;
    const PROTOCOL: Protocol = Protocol::Smtp;

    fn new(setup: Setup, made: Instant) -> Self {
        Self {
            smtp: Smtp::new(setup, made),
        }
    }

    fn options(&self) -> Options {
        self.smtp.options()
    }

    fn open(&self, connection: Connection) -> Box<dyn Engine> {
        let link = instance().and_then(Link::open).map_err(|error| {
            Output::Note(format!("the built-in server answers: no upstream: {error}"))
        });
        let (link, troubles) = match link {
            Ok(link) => (Some(link), Vec::new()),
            Err(note) => (None, vec![note]),
        };
        Box::new(Proxied {
            session: self.smtp.open(connection),
            link,
            troubles,
            swapped: VecDeque::new(),
            in_data: false,
        })
    }

    fn view(&self) -> serde_json::Value {
        self.smtp.view()
    }
}

/// The one instance of this process.
fn instance() -> io::Result<SocketAddr> {
    static INSTANCE: OnceLock<Result<SocketAddr, String>> = OnceLock::new();
    INSTANCE
        .get_or_init(|| start().map_err(|error| error.to_string()))
        .clone()
        .map_err(io::Error::other)
}

/// Accepts everything: what becomes of the mail is the built-in session's business.
#[derive(Clone)]
struct AcceptAll;

impl mailin_embedded::Handler for AcceptAll {}

fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut server = mailin_embedded::Server::new(AcceptAll);
    server
        .with_name("upstream.test")
        .with_tcp_listener(listener);
    std::thread::Builder::new()
        .name("mailin-embedded".into())
        // It returns only with an error, and then the next client finds nobody there.
        .spawn(move || server.serve().ok())?;
    Ok(address)
}

/// A connection to the server behind.
struct Link(BufReader<TcpStream>);

impl Link {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// All lines of one reply.
    fn reply(&mut self) -> io::Result<Vec<u8>> {
        let mut reply = Vec::new();
        let mut limited = (&mut self.0).take(LONGEST);
        loop {
            let start = reply.len();
            if limited.read_until(b'\n', &mut reply)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if reply.get(start + 3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }
}

/// The built-in session with the words of another server.
struct Proxied {
    session: Box<dyn Engine>,
    link: Option<Link>,
    troubles: Vec<Output>,
    /// For each reply under way, whether its words are the other server's.
    swapped: VecDeque<bool>,
    /// Whether the other server waits for message octets.
    in_data: bool,
}

impl Proxied {
    /// Sends `bytes` to the other server and puts its reply in the place of the last one of
    /// `outputs`, if there is one.
    fn ask(&mut self, bytes: &[u8], mut outputs: Vec<Output>) -> Vec<Output> {
        let place = outputs.iter_mut().rev().find_map(|output| match output {
            Output::Reply(reply) => Some(reply),
            _ => None,
        });
        let mut swapped = false;
        if let (Some(place), Some(link)) = (place, &mut self.link) {
            match link.send(bytes).and_then(|()| link.reply()) {
                Ok(reply) => {
                    self.in_data = reply.starts_with(b"354");
                    place.bytes = match place.position {
                        Position::Ehlo => with_auth(reply, &place.bytes),
                        _ => reply,
                    };
                    swapped = true;
                }
                Err(error) => self.give_up(&error),
            }
        }
        self.note(outputs, swapped)
    }

    /// Keeps count of the replies that go out, the last of them with or without other words.
    fn note(&mut self, mut outputs: Vec<Output>, swapped: bool) -> Vec<Output> {
        let replies = |output: &&Output| matches!(output, Output::Reply(_));
        let count = outputs.iter().filter(replies).count();
        for index in 0..count {
            self.swapped.push_back(swapped && index + 1 == count);
        }
        outputs.append(&mut self.troubles);
        outputs
    }

    fn give_up(&mut self, error: &io::Error) {
        let note = format!("the built-in server answers from now on: upstream failed: {error}");
        self.troubles.push(Output::Note(note));
        self.link = None;
        self.in_data = false;
    }
}

impl Engine for Proxied {
    fn greeting(&mut self) -> Vec<Output> {
        let outputs = self.session.greeting();
        self.ask(b"", outputs)
    }

    fn line(&mut self, line: Line<'_>) -> Vec<Output> {
        let outputs = self.session.line(line);
        let reply = outputs.iter().find_map(|output| match output {
            Output::Reply(reply) => Some(reply),
            _ => None,
        });
        if line.omitted > 0 || reply.is_none_or(is_own) {
            return self.note(outputs, false);
        }
        let mut bytes = line.text.to_vec();
        bytes.extend_from_slice(match line.end {
            LineEnd::CrLf => b"\r\n",
            LineEnd::Lf => b"\n",
        });
        self.ask(&bytes, outputs)
    }

    fn data(&mut self, bytes: &[u8]) -> (usize, Vec<Output>) {
        let (taken, outputs) = self.session.data(bytes);
        let taken_bytes = bytes.get(..taken).unwrap_or_default();
        let ended = self.session.next() != Next::Data;
        if !self.in_data {
            return (taken, self.note(outputs, false));
        }
        if ended {
            return (taken, self.ask(taken_bytes, outputs));
        }
        if let Some(link) = &mut self.link
            && let Err(error) = link.send(taken_bytes)
        {
            self.give_up(&error);
        }
        (taken, self.note(outputs, false))
    }

    fn impatient(&mut self) -> Vec<Output> {
        self.session.impatient()
    }

    fn told(&mut self, told: Told<'_>) {
        let is_reply = !matches!(told.position, Position::Body | Position::Received);
        let swapped = is_reply && self.swapped.pop_front().unwrap_or(false);
        self.session.told(Told {
            honest: told.honest && !swapped,
            ..told
        });
        // The client was not told to send, but the other server waits for a message: end it.
        if told.position == Position::Data && self.in_data && self.session.next() != Next::Data {
            self.in_data = false;
            if let Some(link) = &mut self.link
                && let Err(error) = link.send(b".\r\n").and_then(|()| link.reply())
            {
                self.give_up(&error);
            }
        }
    }

    fn next(&self) -> Next {
        self.session.next()
    }

    fn secured(&mut self, discarded: usize) -> Vec<Output> {
        self.session.secured(discarded)
    }

    fn timed_out(&mut self) -> Vec<Output> {
        let outputs = self.session.timed_out();
        self.note(outputs, false)
    }

    fn stopping(&mut self) -> Vec<Output> {
        let outputs = self.session.stopping();
        self.note(outputs, false)
    }

    fn late(&mut self, octets: usize) -> Vec<Output> {
        self.session.late(octets)
    }

    fn closed(&mut self, end: End) -> Vec<Output> {
        self.session.closed(end)
    }
}

/// Whether the built-in session answers for itself: authentication, TLS, and what the setup
/// refuses.
fn is_own(reply: &Reply) -> bool {
    let refused = matches!(reply.bytes.first(), Some(b'4' | b'5'));
    match reply.position {
        Position::Auth
        | Position::AuthUser
        | Position::AuthPassword
        | Position::AuthDone
        | Position::Starttls => true,
        Position::Mail => reply.bytes.starts_with(b"530"),
        Position::Rcpt => refused,
        _ => false,
    }
}

/// What the other server offers, with the lines about AUTH and STARTTLS of our own.
fn with_auth(mut theirs: Vec<u8>, ours: &[u8]) -> Vec<u8> {
    if !theirs.starts_with(b"250") {
        return theirs;
    }
    for line in ours.split_inclusive(|&byte| byte == b'\n') {
        let words = line.get(4..).unwrap_or_default();
        if !words.starts_with(b"AUTH ") && !words.starts_with(b"STARTTLS") {
            continue;
        }
        let last = theirs
            .strip_suffix(b"\n")
            .and_then(|text| text.iter().rposition(|&byte| byte == b'\n'))
            .map_or(0, |end| end + 1);
        if let Some(mark) = theirs.get_mut(last + 3) {
            *mark = b'-';
        }
        theirs.extend_from_slice(b"250 ");
        theirs.extend_from_slice(words);
    }
    theirs
}
