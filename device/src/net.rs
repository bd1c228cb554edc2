//! How the module reaches a host.
//!
//! This is the only door to a network. Standing alone the module dials TCP; embedded it gets a
//! dialer over memory pipes. Nothing here knows SMTP, POP3 or an AT command.

pub(crate) mod link;
#[cfg(test)]
pub(crate) mod testing;

use std::future::Future;
use std::io;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A byte stream to a server.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What [`Dialer::dial`] returns.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens connections to servers.
pub trait Dialer: Send + Sync {
    /// Connects to `host` (a name or an address) on `port`.
    ///
    /// It need not keep a deadline of its own; the clients do.
    ///
    /// # Errors
    ///
    /// The kind tells the clients what went wrong: [`io::ErrorKind::NotFound`] if the name cannot
    /// be resolved, [`io::ErrorKind::NetworkDown`] or [`io::ErrorKind::NetworkUnreachable`] if
    /// there is no network (no PDP context), any other kind if the host does not accept the
    /// connection.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a>;
}

/// Dials TCP: resolves the name, then tries its addresses in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            let unresolvable = |cause: String| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("failed to resolve {host} (port {port}): {cause}"),
                )
            };
            let addresses = tokio::net::lookup_host((host, port))
                .await
                .map_err(|error| unresolvable(error.to_string()))?;
            let mut last = unresolvable("it has no address".to_owned());
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        // Lock-step dialogues of short lines gain nothing from Nagle's delay.
                        stream.set_nodelay(true)?;
                        return Ok(Box::new(stream) as Box<dyn Stream>);
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn tcp_dialer_connects_to_a_listener() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 hello\r\n").await.unwrap();
        };
        let client = async {
            let mut stream = TcpDialer.dial("127.0.0.1", port).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        };
        let ((), text) = tokio::join!(server, client);
        assert_eq!(text, "220 hello\r\n");
    }

    #[tokio::test]
    async fn a_closed_port_is_told_from_a_name_that_cannot_be_resolved() {
        // Bound and not listening: nobody else can take the port meanwhile.
        let held = tokio::net::TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = held.local_addr().unwrap().port();
        let refused = TcpDialer.dial("127.0.0.1", port).await.err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let unresolvable = TcpDialer.dial("not a host name", 25).await.err().unwrap();
        assert_eq!(unresolvable.kind(), io::ErrorKind::NotFound);
    }
}
