//! One connection with its timer: lines in, bytes out, every wait with a deadline.
//!
//! Both mail clients stand on it. It knows no verb and no reply code. It keeps the dialogue in
//! lock-step: bytes that a server sends before it was asked are never taken for an answer.

use super::{Dialer, Stream};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of a line that are kept; the rest of a longer line is read and dropped.
pub(crate) const LINE_KEPT: usize = 4 * 1024;

/// A line longer than this ends the dialogue.
pub(crate) const LINE_LIMIT: usize = 2 * 1024 * 1024;

const READ_SIZE: usize = 8 * 1024;

/// Why a connection can no longer be used as intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkError {
    /// The server closed its direction.
    Closed,
    /// The connection was reset or broke in another way.
    Broken,
    /// The timer expired.
    TimedOut,
    /// A line has no end within [`LINE_LIMIT`].
    Endless,
    /// The server sent something before it was asked. The link is still up.
    Unsolicited,
}

impl LinkError {
    /// Whether the connection is of no use any more.
    pub(crate) fn is_fatal(self) -> bool {
        self != Self::Unsolicited
    }
}

/// A connection to a server.
pub(crate) struct Link {
    stream: Box<dyn Stream>,
    timer: Duration,
    received: Vec<u8>,
    consumed: usize,
}

impl Link {
    /// Connects within `timer`, which from then on limits every wait.
    pub(crate) async fn dial(
        dialer: &dyn Dialer,
        host: &str,
        port: u16,
        timer: Duration,
    ) -> io::Result<Self> {
        let stream = timeout(timer, dialer.dial(host, port)).await??;
        Ok(Self {
            stream,
            timer,
            received: Vec::new(),
            consumed: 0,
        })
    }

    /// When a wait that starts now has lasted too long.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timer
    }

    /// Sends `bytes` unless the server has already said something unasked. The timer starts again
    /// whenever the server takes some of them.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        if self.has_unread() {
            return Err(LinkError::Unsolicited);
        }
        poll_fn(|context| Poll::Ready(self.poll_silence(context))).await?;
        let timer = self.timer;
        let mut rest = bytes;
        while !rest.is_empty() {
            let sending = poll_fn(|context| self.poll_send(context, rest));
            let sent = timeout(timer, sending)
                .await
                .map_err(|_| LinkError::TimedOut)??;
            rest = rest.get(sent..).unwrap_or_default();
        }
        let flushing = poll_fn(|context| Pin::new(&mut self.stream).poll_flush(context));
        timeout(timer, flushing)
            .await
            .map_err(|_| LinkError::TimedOut)?
            .map_err(|_| LinkError::Broken)
    }

    /// Reads the next line, without its CR LF or bare LF, cut to [`LINE_KEPT`] octets.
    pub(crate) async fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, LinkError> {
        let mut line = Vec::new();
        let mut length = 0_usize;
        loop {
            let unread = self.unread();
            let end = unread.iter().position(|byte| *byte == b'\n');
            let part = end.map_or(unread, |end| unread.split_at(end).0);
            let room = LINE_KEPT.saturating_sub(line.len());
            line.extend(part.iter().take(room));
            length = length.saturating_add(part.len());
            let used = part.len() + usize::from(end.is_some());
            self.consume(used);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if length > LINE_LIMIT {
                return Err(LinkError::Endless);
            }
            self.fill(deadline).await?;
        }
    }

    /// Waits until there is something unread.
    pub(crate) async fn fill(&mut self, deadline: Instant) -> Result<(), LinkError> {
        if self.has_unread() {
            return Ok(());
        }
        let reading = poll_fn(|context| self.poll_receive(context));
        match timeout_at(deadline, reading).await {
            Err(_) => Err(LinkError::TimedOut),
            Ok(Err(_)) => Err(LinkError::Broken),
            Ok(Ok(0)) => Err(LinkError::Closed),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// What was received and not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        self.received.get(self.consumed..).unwrap_or_default()
    }

    /// Takes the first `count` unread bytes as read.
    pub(crate) fn consume(&mut self, count: usize) {
        self.consumed = self.consumed.saturating_add(count);
        if self.consumed >= self.received.len() {
            self.received.clear();
            self.consumed = 0;
        }
    }

    /// Drops everything that has arrived by now.
    pub(crate) async fn discard(&mut self) {
        // Bounded, because a server may send faster than anyone can drop.
        for _ in 0..LINE_LIMIT / READ_SIZE {
            self.consume(usize::MAX);
            let more = poll_fn(|context| Poll::Ready(self.poll_receive(context))).await;
            if !matches!(more, Poll::Ready(Ok(1..))) {
                break;
            }
        }
        self.consume(usize::MAX);
    }

    fn has_unread(&self) -> bool {
        !self.unread().is_empty()
    }

    /// Looks, without waiting, whether the server said something or left.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Result<(), LinkError> {
        match self.poll_receive(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(0)) => Err(LinkError::Closed),
            Poll::Ready(Ok(_)) => Err(LinkError::Unsolicited),
            Poll::Ready(Err(_)) => Err(LinkError::Broken),
        }
    }

    /// Sends what the server takes; while it takes nothing, listens for an early answer.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, LinkError>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(LinkError::Broken)),
            Poll::Ready(Ok(count)) => Poll::Ready(Ok(count)),
            Poll::Pending => match self.poll_silence(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }

    /// Receives into the buffer; `Ok(0)` is the end of the stream.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0_u8; READ_SIZE];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                self.received.extend_from_slice(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::OneStream;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const TIMER: Duration = Duration::from_secs(30);

    async fn pair(capacity: usize) -> (Link, DuplexStream) {
        let (near, far) = tokio::io::duplex(capacity);
        (
            Link::dial(&OneStream::new(near), "server", 25, TIMER)
                .await
                .unwrap(),
            far,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn dialing_ends_when_the_timer_expires() {
        struct BlackHole;
        impl Dialer for BlackHole {
            fn dial<'a>(&'a self, _: &'a str, _: u16) -> super::super::Dialing<'a> {
                Box::pin(std::future::pending())
            }
        }
        let start = Instant::now();
        let error = Link::dial(&BlackHole, "server", 25, TIMER)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), TIMER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_without_its_end_is_no_line() {
        let (mut link, mut far) = pair(1024).await;
        far.write_all(b"one\r\ntwo\nthr").await.unwrap();
        assert_eq!(link.line(link.deadline()).await.unwrap(), b"one");
        assert_eq!(link.line(link.deadline()).await.unwrap(), b"two");
        drop(far);
        assert_eq!(link.line(link.deadline()).await, Err(LinkError::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn dripping_does_not_extend_the_deadline_of_a_line() {
        let (mut link, mut far) = pair(1024).await;
        let start = Instant::now();
        let drip = async {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        };
        let line = async {
            let result = link.line(link.deadline()).await;
            drop(link);
            result
        };
        assert_eq!(tokio::join!(line, drip).0, Err(LinkError::TimedOut));
        assert!(start.elapsed() >= TIMER);
    }

    #[tokio::test(start_paused = true)]
    async fn long_lines_are_cut_and_endless_ones_given_up() {
        let (mut link, mut far) = pair(64 * 1024).await;
        let feed = async {
            far.write_all(&vec![b'a'; 1024 * 1024]).await.unwrap();
            far.write_all(b"\r\nnext\r\n").await.unwrap();
            // Nobody reads the endless line to its end, so the last write may fail.
            let _ = far.write_all(&vec![b'b'; 4 * LINE_LIMIT]).await;
        };
        let read = async {
            assert_eq!(
                link.line(link.deadline()).await.unwrap(),
                vec![b'a'; LINE_KEPT]
            );
            assert_eq!(link.line(link.deadline()).await.unwrap(), b"next");
            assert_eq!(link.line(link.deadline()).await, Err(LinkError::Endless));
            assert!(link.received.capacity() <= 4 * READ_SIZE);
            drop(link);
        };
        tokio::join!(read, feed);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_over_an_early_answer() {
        let (mut link, mut far) = pair(1024).await;
        far.write_all(b"250 too early\r\n").await.unwrap();
        assert_eq!(link.send(b"MAIL\r\n").await, Err(LinkError::Unsolicited));
        link.discard().await;
        assert_eq!(link.send(b"QUIT\r\n").await, Ok(()));
        drop(link);
        let mut sent = String::new();
        far.read_to_string(&mut sent).await.unwrap();
        assert_eq!(sent, "QUIT\r\n");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_heard_while_the_server_takes_nothing() {
        let (mut link, mut far) = pair(16).await;
        let answer = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            far.write_all(b"552 full\r\n").await.unwrap();
            far
        };
        let (sent, _far) = tokio::join!(link.send(&[b'x'; 100]), answer);
        assert_eq!(sent, Err(LinkError::Unsolicited));
        assert_eq!(link.line(link.deadline()).await.unwrap(), b"552 full");
    }

    #[tokio::test(start_paused = true)]
    async fn sending_may_last_as_long_as_it_moves() {
        let (mut link, mut far) = pair(16).await;
        let start = Instant::now();
        let slow_reader = async {
            let mut space = [0_u8; 16];
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(25)).await;
                far.read_exact(&mut space).await.unwrap();
            }
            far
        };
        let (sent, _far) = tokio::join!(link.send(&[b'x'; 96]), slow_reader);
        assert_eq!(sent, Ok(()));
        assert_eq!(start.elapsed(), Duration::from_secs(125));
        assert_eq!(link.send(b"stuck").await, Err(LinkError::TimedOut));
        assert_eq!(start.elapsed(), Duration::from_secs(155));
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_segments(
            lines in prop::collection::vec("[a-z.]{0,20}", 1..6),
            cuts in prop::collection::vec(1_usize..9, 1..20),
        ) {
            let text: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let read = runtime.block_on(async {
                let (mut link, mut far) = pair(4096).await;
                let feed = async {
                    let mut rest = text.as_slice();
                    for cut in cuts.iter().cycle() {
                        if rest.is_empty() {
                            break;
                        }
                        let (segment, after) = rest.split_at((*cut).min(rest.len()));
                        far.write_all(segment).await.unwrap();
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        rest = after;
                    }
                };
                let read = async {
                    let mut read = Vec::new();
                    for _ in &lines {
                        read.push(String::from_utf8(link.line(link.deadline()).await.unwrap()).unwrap());
                    }
                    read
                };
                tokio::join!(feed, read).1
            });
            prop_assert_eq!(read, lines);
        }
    }
}
