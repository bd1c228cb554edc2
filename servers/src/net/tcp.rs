//! Real TCP.

use super::{Listener, Stream};
use std::{io, time::Duration};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};

impl Stream for TcpStream {
    fn reset(self) {
        // With linger 0 the close that follows is a RST. Where it cannot be set the drop is an
        // ordinary close, which is all that is left to do.
        self.set_zero_linger().ok();
    }

    async fn gone(&self) {
        // The kernel reports a FIN behind unread octets only as a state, not as an edge: while
        // octets lie unread the socket is always ready, so look again now and then.
        loop {
            match self.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return,
            }
        }
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // Replies are written whole; waiting for more would only delay them and would glue the
        // pieces of a split together.
        stream.set_nodelay(true)?;
        Ok((stream, peer.to_string()))
    }
}
