//! A scripted peer for the clients' tests: raw bytes over a memory pipe.

use super::{Dialer, Dialing, Stream};
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, ReadBuf,
};

/// Gives out one prepared stream, then refuses.
pub(crate) struct OneStream(Mutex<Option<Box<dyn Stream>>>);

impl OneStream {
    pub(crate) fn new(stream: impl Stream + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(stream))))
    }
}

impl Dialer for OneStream {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> Dialing<'a> {
        Box::pin(async {
            self.0
                .lock()
                .unwrap()
                .take()
                .ok_or(io::ErrorKind::ConnectionRefused.into())
        })
    }
}

/// A connection that says something and is then reset; it takes whatever it is sent.
pub(crate) struct ResetAfter(&'static [u8]);

impl ResetAfter {
    pub(crate) fn new(said: &'static str) -> Self {
        Self(said.as_bytes())
    }
}

impl AsyncRead for ResetAfter {
    /// Gives one octet at a time, so that nothing is read ahead of its turn.
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some((first, rest)) = self.0.split_first() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        buffer.put_slice(&[*first]);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ResetAfter {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Never reaches anything.
pub(crate) struct Unreachable(pub(crate) io::ErrorKind);

impl Dialer for Unreachable {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> Dialing<'a> {
        Box::pin(async { Err(self.0.into()) })
    }
}

/// One thing that the scripted server does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends these bytes in one segment.
    Say(Vec<u8>),
    /// Sends these bytes, cut before these offsets, with a pause between the segments.
    Split(Vec<u8>, Vec<usize>),
    /// Waits for a line of the client that starts with this.
    Hear(String),
    /// Waits for everything up to a line with a lone dot.
    HearData,
    /// Waits for this many seconds.
    Wait(u64),
    /// Closes the server's direction; goes on listening.
    HalfClose,
    /// Closes.
    Close,
}

pub(crate) fn say(bytes: impl AsRef<[u8]>) -> Step {
    Step::Say(bytes.as_ref().to_vec())
}

pub(crate) fn hear(start: &str) -> Step {
    Step::Hear(start.to_owned())
}

/// Plays `script` and then listens until the client closes (or `Close`). Returns every line that
/// the client sent, with its line end.
pub(crate) async fn play(stream: DuplexStream, script: Vec<Step>) -> Vec<String> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    let mut heard = Vec::new();
    for step in script {
        match step {
            Step::Say(bytes) => {
                // The client may have left; then what it says in the end is what counts.
                let _ = writer.write_all(&bytes).await;
            }
            Step::Split(bytes, cuts) => {
                let mut start = 0;
                for end in cuts.into_iter().chain([bytes.len()]) {
                    let _ = writer.write_all(&bytes[start..end]).await;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    start = end;
                }
            }
            Step::Hear(start) => {
                let line = line(&mut reader).await.unwrap_or_else(|| {
                    panic!("client closed instead of {start:?}; it said {heard:?}")
                });
                assert!(
                    line.starts_with(&start),
                    "{line:?} instead of {start:?} after {heard:?}"
                );
                heard.push(line);
            }
            Step::HearData => loop {
                let line = line(&mut reader)
                    .await
                    .unwrap_or_else(|| panic!("client closed within data; it said {heard:?}"));
                let end = line == ".\r\n";
                heard.push(line);
                if end {
                    break;
                }
            },
            Step::Wait(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Step::HalfClose => writer.shutdown().await.unwrap(),
            Step::Close => return heard,
        }
    }
    while let Some(line) = line(&mut reader).await {
        heard.push(line);
    }
    heard
}

async fn line(reader: &mut BufReader<tokio::io::ReadHalf<DuplexStream>>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await.unwrap();
    (!line.is_empty()).then(|| String::from_utf8(line).unwrap())
}
