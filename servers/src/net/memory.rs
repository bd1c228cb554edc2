//! A network in memory: names, ports, listeners and byte streams without sockets.
//!
//! Unlike a pair of plain pipes it can reset a connection, and a read returns at most what one
//! write wrote, so that the splitting of a reply reaches the client exactly as it was asked for.

use super::{Door, Gate, Listener, Stream};
use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

/// A network in memory. Clones are the same network.
#[derive(Clone, Default)]
pub struct Loopback {
    hosts: Arc<Mutex<BTreeMap<(String, u16), Entry>>>,
    dialled: Arc<Mutex<u64>>,
}

#[derive(Clone)]
struct Entry {
    queue: mpsc::UnboundedSender<(MemoryStream, String)>,
    gate: Arc<Mutex<Option<Gate>>>,
}

impl Loopback {
    /// A network without hosts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a port of a host (names are compared without case). A listener that was there
    /// before gets no more connections. Dropping the listener closes the port; the host stays
    /// known.
    pub fn listener(&self, host: &str, port: u16) -> MemoryListener {
        let (queue, incoming) = mpsc::unbounded_channel();
        let gate = Arc::new(Mutex::new(None));
        let entry = Entry {
            queue,
            gate: Arc::clone(&gate),
        };
        lock(&self.hosts).insert((host.to_ascii_lowercase(), port), entry);
        MemoryListener { incoming, gate }
    }

    /// Connects to a port.
    ///
    /// # Errors
    /// `NotFound` for a host that nobody has heard of, `ConnectionRefused` for a known host
    /// where nobody listens on the port (or the server's fault rules say so). Never returns
    /// where a fault rule makes the port a black hole.
    pub async fn connect(&self, host: &str, port: u16) -> io::Result<MemoryStream> {
        // A server that has been spawned in this same moment gets to put its gate up first.
        tokio::task::yield_now().await;
        let entry = self.find(&host.to_ascii_lowercase(), port)?;
        let gate = lock(&entry.gate).clone();
        match gate.map_or(Door::Open, |gate| gate()) {
            Door::Open => {}
            Door::Refuse => return Err(io::ErrorKind::ConnectionRefused.into()),
            Door::BlackHole => std::future::pending().await,
        }
        let number = {
            let mut dialled = lock(&self.dialled);
            *dialled += 1;
            *dialled
        };
        let (ours, theirs) = MemoryStream::pair();
        entry
            .queue
            .send((theirs, format!("memory:{number}")))
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
    }

    fn find(&self, host: &str, port: u16) -> io::Result<Entry> {
        let hosts = lock(&self.hosts);
        if let Some(entry) = hosts.get(&(host.to_owned(), port)) {
            return Ok(entry.clone());
        }
        if hosts.keys().any(|(known, _)| known == host) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("unknown host {host:?}"),
        ))
    }
}

/// An open port of a [`Loopback`].
pub struct MemoryListener {
    incoming: mpsc::UnboundedReceiver<(MemoryStream, String)>,
    gate: Arc<Mutex<Option<Gate>>>,
}

impl Listener for MemoryListener {
    type Stream = MemoryStream;

    async fn accept(&mut self) -> io::Result<(MemoryStream, String)> {
        match self.incoming.recv().await {
            Some(incoming) => Ok(incoming),
            // Another listener has taken the port over, or the network is gone: nobody will
            // ever connect here.
            None => std::future::pending().await,
        }
    }

    fn set_gate(&mut self, gate: Gate) -> bool {
        *lock(&self.gate) = Some(gate);
        true
    }
}

/// One end of a connection in memory.
pub struct MemoryStream {
    read: Arc<Mutex<Pipe>>,
    write: Arc<Mutex<Pipe>>,
}

/// How many octets may be under way in one direction before a writer has to wait.
const WINDOW: usize = 64 * 1024;

/// One direction of a connection.
#[derive(Default)]
struct Pipe {
    segments: VecDeque<Vec<u8>>,
    queued: usize,
    /// The writer is done: end of stream after the last segment.
    finished: bool,
    /// The writer reset the connection: an error after the last segment.
    reset: bool,
    /// The reader is gone: writing is an error.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    watcher: Option<Waker>,
}

impl MemoryStream {
    /// Two connected ends.
    pub fn pair() -> (Self, Self) {
        let one = Arc::new(Mutex::new(Pipe::default()));
        let two = Arc::new(Mutex::new(Pipe::default()));
        let near = Self {
            read: Arc::clone(&one),
            write: Arc::clone(&two),
        };
        let far = Self {
            read: two,
            write: one,
        };
        (near, far)
    }
}

impl Stream for MemoryStream {
    fn reset(self) {
        lock(&self.write).end(true);
        // What the peer sent and nobody read is lost, and so is what it still sends.
        lock(&self.read).deafen();
    }

    async fn gone(&self) {
        poll_fn(|cx| {
            // A half-close is no leaving: whoever has only said his last word still listens.
            {
                let mut pipe = lock(&self.read);
                if pipe.reset {
                    return Poll::Ready(());
                }
                pipe.watcher = Some(cx.waker().clone());
            }
            let mut pipe = lock(&self.write);
            if pipe.deaf {
                return Poll::Ready(());
            }
            pipe.watcher = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = lock(&self.read);
        if let Some(segment) = pipe.segments.front_mut() {
            let take = segment.len().min(buf.remaining());
            let rest = segment.split_off(take);
            buf.put_slice(segment);
            if rest.is_empty() {
                pipe.segments.pop_front();
            } else {
                *segment = rest;
            }
            pipe.queued -= take;
            wake(&mut pipe.writer);
            return Poll::Ready(Ok(()));
        }
        if pipe.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if pipe.finished {
            return Poll::Ready(Ok(()));
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if lock(&self.read).reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut pipe = lock(&self.write);
        if pipe.finished || pipe.reset || pipe.deaf {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let take = bytes.len().min(WINDOW - pipe.queued.min(WINDOW));
        if take == 0 && !bytes.is_empty() {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (now, _) = bytes.split_at(take);
        if !now.is_empty() {
            pipe.segments.push_back(now.to_vec());
            pipe.queued += take;
            wake(&mut pipe.reader);
        }
        Poll::Ready(Ok(take))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.write).end(false);
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        lock(&self.write).end(false);
        lock(&self.read).deafen();
    }
}

impl Pipe {
    fn end(&mut self, reset: bool) {
        if self.finished || self.reset {
            return;
        }
        self.finished = !reset;
        self.reset = reset;
        wake(&mut self.reader);
        wake(&mut self.writer);
        wake(&mut self.watcher);
    }

    fn deafen(&mut self) {
        self.deaf = true;
        self.segments.clear();
        self.queued = 0;
        wake(&mut self.writer);
        wake(&mut self.watcher);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// A poisoned lock only says that some other task panicked; the state behind it is plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn names_and_ports_are_told_apart() {
        let net = Loopback::new();
        let mut listener = net.listener("mail.test", 25);
        let kind = |result: io::Result<MemoryStream>| result.err().map(|error| error.kind());
        assert_eq!(
            kind(net.connect("nowhere.test", 25).await),
            Some(io::ErrorKind::NotFound)
        );
        assert_eq!(
            kind(net.connect("mail.test", 26).await),
            Some(io::ErrorKind::ConnectionRefused)
        );
        let mut client = net.connect("MAIL.test", 25).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ping");
        drop(listener);
        assert_eq!(
            kind(net.connect("mail.test", 25).await),
            Some(io::ErrorKind::ConnectionRefused)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn gates_refuse_and_swallow() {
        let net = Loopback::new();
        let mut listener = net.listener("mail.test", 25);
        assert!(listener.set_gate(Arc::new(|| Door::Refuse)));
        let refused = net.connect("mail.test", 25).await;
        assert_eq!(
            refused.err().map(|error| error.kind()),
            Some(io::ErrorKind::ConnectionRefused)
        );
        listener.set_gate(Arc::new(|| Door::BlackHole));
        let wait = std::time::Duration::from_secs(75);
        assert!(
            tokio::time::timeout(wait, net.connect("mail.test", 25))
                .await
                .is_err()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_comes_after_what_was_written() {
        let (mut client, mut server) = MemoryStream::pair();
        server.write_all(b"220 hel").await.unwrap();
        server.reset();
        let mut got = Vec::new();
        let error = client.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(
            (got.as_slice(), error.kind()),
            (b"220 hel".as_slice(), io::ErrorKind::ConnectionReset)
        );
        let error = client.write_all(b"QUIT\r\n").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_close_leaves_the_other_direction_open() {
        let (mut client, mut server) = MemoryStream::pair();
        server.shutdown().await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert!(got.is_empty());
        client.write_all(b"still here").await.unwrap();
        drop(client);
        server.gone().await;
        server.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"still here");
    }

    #[tokio::test(start_paused = true)]
    async fn writes_keep_their_edges_and_the_window_holds() {
        let (mut client, mut server) = MemoryStream::pair();
        server.write_all(b"25").await.unwrap();
        server.write_all(b"0 ok\r\n").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(client.read(&mut buffer).await.unwrap(), 2);
        assert_eq!(client.read(&mut buffer).await.unwrap(), 6);

        let flood = tokio::spawn(async move {
            server.write_all(&vec![b'x'; 3 * WINDOW]).await.unwrap();
        });
        tokio::task::yield_now().await;
        assert!(!flood.is_finished());
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), 3 * WINDOW);
    }
}
