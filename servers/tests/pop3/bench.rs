//! The server behind the wire, in memory, and clients that speak to it line by line.

use crate::support::setup;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::ignore_events;
use urcheck_servers::net::{Loopback, MemoryStream};
use urcheck_servers::pop3::{Server, Setup};

pub(crate) struct Bench {
    pub(crate) net: Loopback,
    pub(crate) server: Server,
    stop: CancellationToken,
}

impl Bench {
    pub(crate) fn new(setup: Setup) -> Bench {
        let (net, stop) = (Loopback::new(), CancellationToken::new());
        let server = Server::new(setup, ignore_events()).unwrap();
        let mut listener = net.listener("pop3.server.com", 110);
        let (serving, stopping) = (server.clone(), stop.clone());
        tokio::spawn(async move { serving.serve(&mut listener, stopping).await });
        Bench { net, server, stop }
    }

    pub(crate) async fn client(&self) -> Client {
        let stream = self.net.connect("pop3.server.com", 110).await.unwrap();
        Client(BufReader::new(stream))
    }

    /// The view once every session is closed.
    pub(crate) async fn after_all(&self) -> Value {
        while self.server.open_connections() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.server.view()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) struct Client(pub(crate) BufReader<MemoryStream>);

impl Client {
    pub(crate) async fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }

    pub(crate) async fn send(&mut self, octets: &str) {
        self.0.get_mut().write_all(octets.as_bytes()).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.send(&format!("{command}\r\n")).await;
        self.hear().await
    }

    pub(crate) async fn log_in(&mut self) {
        assert!(self.hear().await.starts_with("+OK"));
        assert!(self.ask("USER un").await.starts_with("+OK"));
        assert!(self.ask("PASS pwd").await.starts_with("+OK"));
    }
}

pub(crate) fn with_fault(rule: Value) -> Setup {
    Setup {
        fault: vec![serde_json::from_value(rule).unwrap()],
        ..setup()
    }
}
