//! A connection that is tampered with between a mail client and its server, line by line.
//!
//! What the server gets to see is then as if the client had written it, and what the client gets
//! to see as if it had misread the server.

use crate::exchange::{self, Exchange, Way};
use crate::net::{Dialer, Dialing, Stream};
use crate::smtp::{Job, Outcome, Progress};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;

/// What is done to a connection.
#[derive(Clone)]
pub(super) struct Tamper {
    /// What is written in place of a line; lines have their line ends.
    pub(super) sent: fn(&mut Seen, &[u8]) -> Vec<u8>,
    /// What is read in place of a line.
    pub(super) heard: fn(&mut Seen, &[u8]) -> Vec<u8>,
    /// What is written before anything is read.
    pub(super) first: &'static [u8],
    /// Whether whatever arrives at once is taken for a whole line.
    pub(super) segments: bool,
    /// Whether a text that breaks off is taken for complete.
    pub(super) completes: bool,
    /// Where a refusal of the server is noted, if it is to be.
    pub(super) refusal: Option<Arc<Mutex<Vec<u8>>>>,
    /// Who is told that the session is there when `MAIL` is written, if anyone is.
    pub(super) mail: Option<UnboundedSender<Progress>>,
    /// Whether another connection is made and dropped before.
    pub(super) probe: bool,
    /// How long the connection stays open after the client has left it.
    pub(super) linger: Duration,
}

/// Nothing.
pub(super) const HONEST: Tamper = Tamper {
    sent: |_, line| line.to_vec(),
    heard: |_, line| line.to_vec(),
    first: b"",
    segments: false,
    completes: false,
    refusal: None,
    mail: None,
    probe: false,
    linger: Duration::ZERO,
};

/// What was seen on the connection so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The last command, without its line end; `.` after a mail.
    pub(super) command: Vec<u8>,
    /// Within the text of a mail: of one that is sent (SMTP), or of one that is read (POP3).
    pub(super) in_text: bool,
    /// Lines of that text so far.
    pub(super) lines: usize,
    /// A note of the tamperer's own.
    pub(super) mark: bool,
    /// Lines that the tamperer holds back.
    pub(super) held: Vec<u8>,
    /// What is to be read next.
    pub(super) ready: Vec<u8>,
    /// What the tamperer writes on its own.
    pub(super) write: Vec<u8>,
    /// Whether the client is to see the end of the connection.
    pub(super) closed: bool,
}

impl Seen {
    /// Whether the last command begins so.
    pub(super) fn after(&self, command: &str) -> bool {
        self.command.starts_with(command.as_bytes())
    }

    fn note_sent(&mut self, line: &[u8]) {
        if self.in_text && self.after("DATA") {
            self.lines += 1;
            if line == b".\r\n" {
                (self.in_text, self.command) = (false, b".".to_vec());
            }
        } else {
            self.command = line.trim_ascii_end().to_vec();
        }
    }

    fn note_heard(&mut self, line: &[u8]) {
        if self.in_text {
            self.lines += 1;
            self.in_text = line != b".\r\n";
        } else if self.after("DATA") && line.starts_with(b"354")
            || (self.after("RETR") || self.after("TOP")) && line.starts_with(b"+OK")
        {
            (self.in_text, self.lines) = (true, 0);
        }
    }
}

/// A way whose connections are tampered with.
pub(super) fn tampered(way: Way, tamper: Tamper) -> Way {
    let inner = way.dialer;
    Way {
        dialer: Arc::new(Tampering { inner, tamper }),
        ..way
    }
}

/// Sends a mail over such a connection.
pub(super) fn send(
    job: Job,
    way: Way,
    progress: UnboundedSender<Progress>,
    tamper: Tamper,
) -> Exchange<Outcome> {
    exchange::send(job, tampered(way, tamper), progress)
}

/// Keeps a command from the server, and answers it in its stead.
pub(super) fn swallowed(seen: &mut Seen, reply: &str) -> Vec<u8> {
    seen.ready.extend_from_slice(reply.as_bytes());
    Vec::new()
}

/// A line with one text in place of another.
pub(super) fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(line)
        .replacen(from, to, 1)
        .into_bytes()
}

struct Tampering {
    inner: Arc<dyn Dialer>,
    tamper: Tamper,
}

impl Dialer for Tampering {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            if self.tamper.probe {
                drop(self.inner.dial(host, port).await?);
            }
            let stream = self.inner.dial(host, port).await?;
            Ok(Box::new(Tampered {
                stream: Some(stream),
                tamper: self.tamper.clone(),
                seen: Seen::default(),
                incoming: Vec::new(),
                outgoing: Vec::new(),
                unwritten: self.tamper.first.to_vec(),
            }) as Box<dyn Stream>)
        })
    }
}

struct Tampered {
    /// There until it is dropped.
    stream: Option<Box<dyn Stream>>,
    tamper: Tamper,
    seen: Seen,
    /// Read, and not yet a line.
    incoming: Vec<u8>,
    /// Written by the client, and not yet a line.
    outgoing: Vec<u8>,
    /// On its way to the server.
    unwritten: Vec<u8>,
}

/// Octets that are read at once.
const READ: usize = 8 * 1024;

impl Tampered {
    fn stream(&mut self) -> io::Result<Pin<&mut Box<dyn Stream>>> {
        let stream = self.stream.as_mut();
        stream.map(Pin::new).ok_or(io::ErrorKind::BrokenPipe.into())
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let unwritten = std::mem::take(&mut self.unwritten);
            let written = self.stream()?.poll_write(context, &unwritten);
            self.unwritten = unwritten;
            let count = ready!(written)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.drain(..count.min(self.unwritten.len()));
        }
        Poll::Ready(Ok(()))
    }

    fn take_lines(&mut self) {
        while let Some(line) = next_line(&mut self.incoming, self.tamper.segments) {
            if let Some(refusal) = &self.tamper.refusal
                && line.starts_with(b"5")
                && let Ok(mut refusal) = refusal.lock()
            {
                refusal.clone_from(&line);
            }
            let heard = (self.tamper.heard)(&mut self.seen, &line);
            self.seen.note_heard(&line);
            self.seen.ready.extend(heard);
        }
    }
}

/// Takes the next line out of `buffer`; with `rest`, what is left without a line end, too, which
/// then gets one.
fn next_line(buffer: &mut Vec<u8>, rest: bool) -> Option<Vec<u8>> {
    match buffer.iter().position(|byte| *byte == b'\n') {
        Some(end) => Some(buffer.drain(..=end).collect()),
        None if rest && !buffer.is_empty() => {
            let mut line = std::mem::take(buffer);
            line.extend_from_slice(b"\r\n");
            Some(line)
        }
        None => None,
    }
}

impl AsyncRead for Tampered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let write = std::mem::take(&mut self.seen.write);
            self.unwritten.extend(write);
            // Nothing of this waits for the server to take it: the client is in lock-step.
            let _written = self.poll_write_out(context)?;
            let count = self.seen.ready.len().min(out.remaining());
            if count > 0 {
                out.put_slice(self.seen.ready.get(..count).unwrap_or_default());
                self.seen.ready.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if self.seen.closed {
                return Poll::Ready(Ok(()));
            }
            let mut space = [0; READ];
            let mut read = ReadBuf::new(&mut space);
            let result = ready!(self.stream()?.poll_read(context, &mut read));
            let completes = self.tamper.completes && self.seen.in_text;
            match result {
                Err(error) if !completes => return Poll::Ready(Err(error)),
                _ => self.seen.closed = read.filled().is_empty(),
            }
            if completes && self.seen.closed {
                self.seen.ready.extend_from_slice(b"\r\n.\r\n");
            }
            self.incoming.extend_from_slice(read.filled());
            // Half a line is no line, but for those who take segments for lines.
            self.take_lines();
        }
    }
}

impl AsyncWrite for Tampered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_write_out(context))?;
        self.outgoing.extend_from_slice(bytes);
        let this = &mut *self;
        while let Some(line) = next_line(&mut this.outgoing, false) {
            // Noted first, so that the tamperer sees the command that the line is.
            this.seen.note_sent(&line);
            if this.seen.after("MAIL")
                && let Some(progress) = &this.tamper.mail
            {
                // Whoever is told may have given up.
                let _told = progress.send(Progress::Connected);
            }
            let sent = (this.tamper.sent)(&mut this.seen, &line);
            this.unwritten.extend(sent);
        }
        let _rest = self.poll_write_out(context)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(context))?;
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(context))?;
        self.stream()?.poll_shutdown(context)
    }
}

impl Drop for Tampered {
    fn drop(&mut self) {
        let (linger, stream) = (self.tamper.linger, self.stream.take());
        if !linger.is_zero()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                tokio::time::sleep(linger).await;
                drop(stream);
            });
        }
    }
}
