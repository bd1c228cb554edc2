//! How a connection passes from one state to another: into TLS, and to its end.

use super::link::Link;
use super::{CHUNK, DRAIN, Wire};
use crate::{engine::End, event::EventKind, net::Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

impl<S: Stream> Wire<'_, S> {
    /// From plain text to TLS.
    pub(super) async fn handshake(&mut self) -> Result<(), End> {
        let Some(acceptor) = self.tls else {
            self.recorder
                .emit(EventKind::Note("TLS is not set up".into()));
            return Err(End::Server);
        };
        let Link::Plain(stream) = std::mem::replace(&mut self.link, Link::Gone) else {
            return Err(End::Tls);
        };
        let shaken = tokio::select! {
            shaken = timeout(self.options.idle, acceptor.accept(stream)) => shaken,
            () = self.stop.cancelled() => return Err(End::Stopped),
        };
        match shaken {
            Ok(Ok(stream)) => {
                self.link = Link::Tls(Box::new(stream));
                self.recorder.emit(EventKind::TlsStarted);
                Ok(())
            }
            Ok(Err(error)) => {
                let note = format!("TLS handshake failed: {error}");
                self.recorder.emit(EventKind::Note(note));
                Err(End::Tls)
            }
            Err(_) => Err(End::Timeout),
        }
    }

    /// FIN, then read on for a bounded while so that the last reply is not destroyed. How many
    /// octets that was.
    pub(super) async fn close(&mut self) -> usize {
        if self.link.shutdown().await.is_err() {
            return 0;
        }
        self.recorder.emit(EventKind::ServerClosed);
        let (time, octets) = DRAIN;
        let mut chunk = [0; CHUNK];
        let mut left = octets;
        let drained = timeout(time, async {
            while let Ok(count @ 1..) = self.link.read(&mut chunk).await {
                self.recorder
                    .client_said(chunk.get(..count).unwrap_or_default());
                left = left.saturating_sub(count);
                if left == 0 {
                    return false;
                }
            }
            true
        });
        if let Ok(true) = drained.await {
            self.recorder.emit(EventKind::ClientClosed);
        }
        octets - left
    }
}
