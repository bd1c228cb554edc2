//! A server on a network in memory, and a client that knows nothing but octets.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::{EventKind, EventSink, WireEvent, ignore_events};
use urcheck_servers::net::{Loopback, MemoryStream};
use urcheck_servers::smtp;

/// A fake SMTP server on a network in memory.
pub(crate) struct Bench {
    pub(crate) net: Loopback,
    pub(crate) server: smtp::Server,
    pub(crate) stop: CancellationToken,
    pub(crate) events: Arc<Mutex<Vec<WireEvent>>>,
}

/// Host and port of the server on the bench.
pub(crate) const HOST: (&str, u16) = ("mail.example.test", 25);

impl Bench {
    pub(crate) fn new(setup: &Value) -> Self {
        let setup: smtp::Setup = serde_json::from_value(setup.clone()).unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink: EventSink = {
            let events = Arc::clone(&events);
            Arc::new(move |event| events.lock().unwrap().push(event))
        };
        let server = smtp::Server::new(setup, sink).unwrap();
        let net = Loopback::new();
        let mut listener = net.listener(HOST.0, HOST.1);
        let stop = CancellationToken::new();
        tokio::spawn({
            let server = server.clone();
            let stop = stop.clone();
            async move { server.serve(&mut listener, stop).await }
        });
        Self {
            net,
            server,
            stop,
            events,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client {
            stream: self.net.connect(HOST.0, HOST.1).await.unwrap(),
        }
    }

    /// A client that has read the greeting.
    pub(crate) async fn greeted(&self) -> Client {
        let mut client = self.client().await;
        assert_eq!(client.reply().await, "220 mail.example.test ESMTP\r\n");
        client
    }

    /// What happened, in plain words, without the octets.
    pub(crate) fn happened(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let kinds = events.iter().map(|event| &event.kind);
        kinds
            .filter(|kind| {
                !matches!(
                    kind,
                    EventKind::FromClient { .. } | EventKind::FromServer { .. }
                )
            })
            .map(|kind| format!("{kind:?}"))
            .collect()
    }

    pub(crate) fn lints(&self) -> Vec<&'static str> {
        let events = self.events.lock().unwrap();
        let kinds = events.iter().map(|event| &event.kind);
        kinds
            .filter_map(|kind| match kind {
                EventKind::Lint { id, .. } => Some(*id),
                _ => None,
            })
            .collect()
    }

    /// Lets every task do what it can do now.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A server on a real port.
pub(crate) async fn tcp_server(setup: Value) -> (smtp::Server, std::net::SocketAddr) {
    let setup: smtp::Setup = serde_json::from_value(setup).unwrap();
    let server = smtp::Server::new(setup, ignore_events()).unwrap();
    let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(&mut listener, CancellationToken::new()).await });
    (server, address)
}

/// A client that knows nothing but octets.
pub(crate) struct Client {
    pub(crate) stream: MemoryStream,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// All lines of one reply; what there is of it if the server closes.
    pub(crate) async fn reply(&mut self) -> String {
        let mut got = Vec::new();
        let whole = async {
            let mut byte = [0];
            loop {
                match self.stream.read(&mut byte).await {
                    Ok(0) => break,
                    Ok(_) => got.push(byte[0]),
                    Err(error) => panic!("{error} after {:?}", got.escape_ascii().to_string()),
                }
                if byte == *b"\n" {
                    let lines = got[..got.len() - 1].rsplit(|&byte| byte == b'\n');
                    if lines.clone().next().and_then(|line| line.get(3)) != Some(&b'-') {
                        break;
                    }
                }
            }
        };
        timeout(Duration::from_secs(3600), whole).await.unwrap();
        String::from_utf8(got).unwrap()
    }

    /// Sends a line and reads the reply.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Sends lines that must each be answered with this code.
    pub(crate) async fn pass(&mut self, steps: &[(&str, &str)]) {
        for (line, code) in steps {
            let reply = self.ask(line).await;
            assert!(reply.starts_with(code), "{line}: {reply}");
        }
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut got = Vec::new();
        self.stream.read_to_end(&mut got).await?;
        Ok(got)
    }
}

/// EHLO to the accepted recipient.
pub(crate) const ENVELOPE: [(&str, &str); 3] = [
    ("EHLO client.test", "250"),
    ("MAIL FROM:<a@b.test>", "250"),
    ("RCPT TO:<c@d.test>", "250"),
];

/// A message without fault.
pub(crate) const MAIL: &str = "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: <a@b.test>\r\n\
    To: <c@d.test>\r\nSubject: First\r\n\r\nHello.\r\n";
