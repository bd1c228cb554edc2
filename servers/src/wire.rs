//! The wire: one connection from accept to close.
//!
//! It owns the socket and the clock, writes the transcript, asks the fault rules before every
//! reply, and does to the client what they say. It knows nothing of either protocol.

mod lines;
mod link;
mod mischief;
mod octets;
mod passage;
mod recorder;
mod stretch;

pub(crate) use recorder::{Recorder, Sinks};

use crate::{
    engine::{End, Engine, Line, Next, Options, Output, Reply, TOLD_LIMIT, Told},
    event::EventKind,
    fault::{Book, Kinds, Position, Visit},
    net::Stream,
};
use lines::Lines;
use link::Link;
use octets::Octets;
use std::{collections::HashMap, convert::Infallible, future::poll_fn, pin::Pin, task::Poll};
use stretch::Stretch;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    sync::watch,
    time::{Duration, Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How many octets one read takes at most.
const CHUNK: usize = 16 * 1024;
/// How many octets may wait unprocessed.
const BACKLOG: usize = 64 * 1024;
/// How long and how much the wire still reads after it has closed its side, so that the kernel
/// does not answer late octets with a RST which would destroy the last reply under way.
const DRAIN: (Duration, usize) = (Duration::from_secs(5), 1024 * 1024);

/// One connection.
pub(crate) struct Wire<'a, S: Stream> {
    link: Link<S>,
    engine: Box<dyn Engine>,
    options: &'a Options,
    book: &'a Book,
    tls: Option<&'a TlsAcceptor>,
    /// Whether connection attempts have been through a gate already.
    gated: bool,
    paused: watch::Receiver<bool>,
    stop: CancellationToken,
    recorder: Recorder,
    lines: Lines,
    visits: HashMap<Position, u32>,
    /// The client's line that is being answered, for `matching`.
    line: Vec<u8>,
    /// Octets from the client so far, for rules at `received`.
    received: Stretch,
    /// Octets to the client so far, for rules at `sent`.
    sent: Stretch,
    /// The reply under way whose fate the engine does not know yet.
    answering: Option<Position>,
    /// Whether what is in `lines` came before the last reply was written.
    ahead: bool,
    eof: bool,
}

/// What the server gives to each of its connections.
pub(crate) struct Terms<'a> {
    pub(crate) options: &'a Options,
    pub(crate) book: &'a Book,
    pub(crate) tls: Option<&'a TlsAcceptor>,
    pub(crate) gated: bool,
    pub(crate) paused: watch::Receiver<bool>,
    pub(crate) stop: CancellationToken,
}

impl<'a, S: Stream> Wire<'a, S> {
    pub(crate) fn new(
        stream: S,
        engine: Box<dyn Engine>,
        recorder: Recorder,
        terms: Terms<'a>,
    ) -> Self {
        Self {
            link: Link::Plain(stream),
            engine,
            options: terms.options,
            book: terms.book,
            tls: terms.tls,
            gated: terms.gated,
            paused: terms.paused,
            stop: terms.stop,
            recorder,
            lines: Lines::default(),
            visits: HashMap::new(),
            line: Vec::new(),
            received: Stretch::of(terms.book, Position::Received),
            sent: Stretch::of(terms.book, Position::Sent),
            answering: None,
            ahead: false,
            eof: false,
        }
    }

    /// Talks until the connection has a reason to end. Cancel safe in so far as
    /// [`Wire::finish`] may follow at any point.
    pub(crate) async fn talk(&mut self) -> End {
        match self.dialogue().await {
            Err(end) => end,
        }
    }

    /// Ends the connection in the way that `end` says, and tells the engine.
    pub(crate) async fn finish(mut self, end: End) {
        match end {
            End::Server if self.engine.next() == Next::Close => {
                let late = self.lines.len() + self.close().await;
                if late > 0 {
                    for output in self.engine.late(late) {
                        self.remark(output);
                    }
                }
            }
            End::Server | End::Timeout | End::Stopped => {
                self.close().await;
            }
            End::Client => {
                self.link.shutdown().await.ok();
            }
            End::ServerReset => {
                std::mem::replace(&mut self.link, Link::Gone).reset();
                self.recorder.emit(EventKind::Reset { by_server: true });
            }
            End::ClientReset => self.recorder.emit(EventKind::Reset { by_server: false }),
            End::Tls => {}
        }
        for output in self.engine.closed(end) {
            self.remark(output);
        }
    }

    async fn dialogue(&mut self) -> Result<Infallible, End> {
        self.at_connect().await?;
        if self.options.implicit_tls {
            self.handshake().await?;
        }
        self.glance().await;
        let greeting = self.engine.greeting();
        self.say(greeting).await?;
        loop {
            match self.engine.next() {
                Next::Line => self.one_line().await?,
                Next::Data => self.message().await?,
                Next::StartTls => {
                    let discarded = self.lines.clear();
                    self.handshake().await?;
                    let outputs = self.engine.secured(discarded);
                    self.say(outputs).await?;
                }
                Next::Close => return Err(End::Server),
            }
        }
    }

    async fn one_line(&mut self) -> Result<(), End> {
        let deadline = Instant::now() + self.options.idle;
        let found = loop {
            if let Some(found) = self.lines.take() {
                break found;
            }
            self.ahead = false;
            self.fill(deadline).await?;
        };
        let line = Line {
            text: &found.text,
            end: found.end,
            omitted: found.omitted,
            ahead: self.ahead,
        };
        let outputs = self.engine.line(line);
        self.line = found.text;
        self.say(outputs).await
    }

    /// Reads a message to its end, or to the octet at which a rule fires.
    async fn message(&mut self) -> Result<(), End> {
        let names = self.visit(Position::Body, None);
        let mut seen = Stretch::of(self.book, Position::Body);
        if self.ahead {
            let outputs = self.engine.impatient();
            self.say(outputs).await?;
        }
        while self.engine.next() == Next::Data {
            let book = self.book;
            let visit = Visit {
                names: &names,
                connection: self.recorder.connection(),
                line: &self.line,
            };
            if let Some((index, rule)) = seen.due(book, visit) {
                self.in_body(index, rule).await?;
                continue;
            }
            let room = seen.room(book, visit);
            if self.lines.is_empty() {
                self.ahead = false;
                self.fill(Instant::now() + self.options.idle).await?;
            }
            let waiting = self.lines.waiting();
            let waiting = waiting.get(..room).unwrap_or(waiting);
            let (taken, outputs) = self.engine.data(waiting);
            let taken = taken.min(waiting.len());
            seen.count(taken);
            self.lines.consume(taken);
            let ended = !outputs.is_empty();
            self.say(outputs).await?;
            if ended {
                break;
            }
        }
        Ok(())
    }

    /// Carries out what an engine returned.
    async fn say(&mut self, outputs: Vec<Output>) -> Result<(), End> {
        let mut whole = true;
        for output in outputs {
            match output {
                Output::Reply(reply) if reply.continues && !whole => {
                    self.told(reply.position, &[], false);
                }
                Output::Reply(reply) => {
                    whole = self.reply(reply).await?;
                    self.at_sent().await?;
                }
                remark => self.remark(remark),
            }
        }
        self.ahead = !self.lines.is_empty();
        Ok(())
    }

    /// Writes one reply, or what a rule makes of it. Says whether it went out whole.
    async fn reply(&mut self, reply: Reply) -> Result<bool, End> {
        self.while_paused().await?;
        self.answering = Some(reply.position);
        let names = self.visit(reply.position, reply.also);
        let visit = Visit {
            names: &names,
            connection: self.recorder.connection(),
            line: &self.line,
        };
        let book = self.book;
        if let Some((index, rule)) = book.find(visit, Kinds::All) {
            return self.misbehave(index, rule, reply).await;
        }
        let position = reply.position;
        let told = self.put(Octets::of(reply)).await?;
        self.told(position, &told, true);
        Ok(true)
    }

    /// Counts a visit and gives the names of the place with their counts.
    fn visit(&mut self, position: Position, also: Option<Position>) -> Vec<(Position, u32)> {
        if self.book.is_empty() {
            return Vec::new();
        }
        let is_reply = !matches!(position, Position::Body | Position::Connect);
        let any = is_reply.then_some(Position::Any);
        let hello = matches!(position, Position::Ehlo | Position::Helo).then_some(Position::Hello);
        [Some(position), hello, also, any]
            .into_iter()
            .flatten()
            .map(|name| {
                let count = self.visits.entry(name).or_default();
                *count += 1;
                (name, *count)
            })
            .collect()
    }

    fn told(&mut self, position: Position, bytes: &[u8], honest: bool) {
        self.answering = None;
        // Of a long one its two ends: a reply counts by its last line, a record by its first.
        let mut ends = Vec::new();
        if bytes.len() > TOLD_LIMIT {
            let (head, rest) = bytes.split_at(TOLD_LIMIT / 2);
            let (_, tail) = rest.split_at(rest.len() - TOLD_LIMIT / 2);
            ends = [head, tail].concat();
        }
        self.engine.told(Told {
            position,
            bytes: if ends.is_empty() { bytes } else { &ends },
            honest,
        });
    }

    fn remark(&self, output: Output) {
        match output {
            Output::Lint { id, message } => self.recorder.emit(EventKind::Lint { id, message }),
            Output::Note(note) => self.recorder.emit(EventKind::Note(note)),
            // After the end there is nobody left to say it to.
            Output::Reply(_) => {}
        }
    }

    /// Waits while replies are held back.
    async fn while_paused(&mut self) -> Result<(), End> {
        if !*self.paused.borrow() {
            return Ok(());
        }
        let mut paused = self.paused.clone();
        tokio::select! {
            // An error means that the server's handle is gone: nobody can resume any more.
            resumed = paused.wait_for(|paused| !paused) => {
                if resumed.is_err() {
                    return Err(End::Stopped);
                }
            }
            () = self.link.gone() => return Err(self.lost()),
            () = self.stop.cancelled() => return Err(End::Stopped),
        }
        self.glance().await;
        Ok(())
    }

    /// Waits, as long as the client stays.
    async fn wait(&mut self, time: Duration) -> Result<(), End> {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.link.gone() => return Err(self.lost()),
            () = self.stop.cancelled() => return Err(End::Stopped),
        }
        self.glance().await;
        Ok(())
    }

    fn lost(&self) -> End {
        self.recorder.emit(EventKind::ClientClosed);
        End::Client
    }

    /// Reads once. Silence and shutdown are answered here.
    async fn fill(&mut self, deadline: Instant) -> Result<(), End> {
        self.at_received().await?;
        let mut chunk = [0; CHUNK];
        // Never nothing: a rule that was turned on in this moment waits for the next octet.
        let room = self.received_room().max(1);
        let room = chunk.get_mut(..room).unwrap_or_default();
        let got = if self.eof {
            Ok(0)
        } else {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    let outputs = self.engine.stopping();
                    Box::pin(self.say(outputs)).await?;
                    return Err(End::Stopped);
                }
                got = timeout_at(deadline, self.link.read(room)) => match got {
                    Ok(got) => got,
                    Err(_) => {
                        let outputs = self.engine.timed_out();
                        Box::pin(self.say(outputs)).await?;
                        return Err(End::Timeout);
                    }
                }
            }
        };
        match got {
            Ok(0) => Err(self.lost()),
            Ok(count) => {
                let bytes = chunk.get(..count).unwrap_or_default();
                self.received.count(count);
                self.recorder.client_said(bytes);
                self.lines.push(bytes);
                Ok(())
            }
            Err(_) => Err(End::ClientReset),
        }
    }

    /// Takes what the client has sent already, without waiting for more.
    async fn glance(&mut self) {
        if self.eof || self.lines.len() >= BACKLOG {
            return;
        }
        let mut chunk = [0; CHUNK];
        let room = self.received_room();
        let Some(room) = chunk.get_mut(..room).filter(|room| !room.is_empty()) else {
            // A rule is due before the next octet.
            return;
        };
        let mut buffer = ReadBuf::new(room);
        let link = &mut self.link;
        let ready = poll_fn(|cx| {
            Poll::Ready(match Pin::new(&mut *link).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) => Some(()),
                Poll::Ready(Err(_)) | Poll::Pending => None,
            })
        });
        if ready.await.is_some() {
            let bytes = buffer.filled();
            self.eof = bytes.is_empty();
            if !bytes.is_empty() {
                self.received.count(bytes.len());
                self.recorder.client_said(bytes);
                self.lines.push(bytes);
            }
        }
    }

    /// Writes a reply part by part. Gives the beginning of what was written, as much as an engine
    /// is told.
    async fn put(&mut self, mut octets: Octets) -> Result<Vec<u8>, End> {
        let mut told = Vec::new();
        while let Some(part) = octets.next() {
            self.write(&part).await?;
            octets::keep(&mut told, &part);
        }
        Ok(told)
    }

    /// Writes, up to the octet at which a rule fires.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let mut rest = bytes;
        loop {
            let room = self.sent_room();
            let Some((now, later)) = rest.split_at_checked(room) else {
                return self.write_out(rest).await;
            };
            if later.is_empty() {
                return self.write_out(now).await;
            }
            self.write_out(now).await?;
            // Boxed: a rule may want to write something itself.
            Box::pin(self.inside_reply(bytes.get(..bytes.len() - later.len()))).await?;
            rest = later;
        }
    }

    async fn write_out(&mut self, bytes: &[u8]) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        let done = timeout(self.options.idle, async {
            self.link.write_all(bytes).await?;
            self.link.flush().await
        });
        match done.await {
            Ok(Ok(())) => {
                self.sent.count(bytes.len());
                self.recorder.server_said(bytes);
                Ok(())
            }
            Ok(Err(_)) => Err(End::ClientReset),
            Err(_) => {
                self.recorder
                    .emit(EventKind::Note("the client does not read".into()));
                Err(End::ServerReset)
            }
        }
    }
}
