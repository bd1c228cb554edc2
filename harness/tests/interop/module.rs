//! `urcheck module` for the length of a test, and a host that talks AT to it.

use crate::program::{DEADLINE, Running};
use std::path::Path;
use tokio::process::Command;
use tokio::time::Instant;
use urcheck::transport::{Endpoint, Port, open};

/// How the host reaches the module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line {
    Tcp,
    Pty,
}

/// The reference module, with the echo off.
pub(crate) struct Module {
    _running: Running,
    port: Port,
    /// What it has said and nobody has looked at yet.
    unread: Vec<u8>,
}

impl Module {
    /// Starts it on `line`; drive C: is `root`.
    pub(crate) async fn start(line: Line, root: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_urcheck"));
        command.args(["module", "--set", "echo=off", "--root"]);
        command.arg(root);
        match line {
            Line::Tcp => command.args(["--listen", "127.0.0.1:0"]),
            Line::Pty => command.arg("--link").arg(root.with_extension("dut")),
        };
        let mut running = Running::start("urcheck module", command);
        let place = running.until(|line| Some(line.to_owned())).await;
        let endpoint: Endpoint = place.parse().unwrap();
        let port = open(&endpoint, 115_200).await.unwrap();
        Self {
            _running: running,
            port,
            unread: Vec::new(),
        }
    }

    /// Sends a command line; gives everything up to its final result.
    pub(crate) async fn command(&mut self, line: &str) -> String {
        self.write(line).await;
        self.until(&["\r\nOK\r\n", "\r\nERROR\r\n"]).await
    }

    /// Sends command lines that are each answered with OK only.
    pub(crate) async fn configure(&mut self, lines: &[String]) {
        for line in lines {
            assert_eq!(self.command(line).await, "\r\nOK\r\n", "{line}");
        }
    }

    /// Sends the e-mail; gives the URC that tells what became of it.
    pub(crate) async fn send(&mut self) -> String {
        self.write("AT+SMTPSEND").await;
        self.until(&["+SMTP: OK\r\n"]).await;
        self.until(&["+SMTP: "]).await;
        self.until(&["\r\n"]).await.trim_end().to_owned()
    }

    /// Everything that it says up to and with the first of `ends`.
    pub(crate) async fn until(&mut self, ends: &[&str]) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let ended = ends.iter().filter_map(|end| {
                let mut windows = self.unread.windows(end.len());
                Some(windows.position(|window| window == end.as_bytes())? + end.len())
            });
            if let Some(ended) = ended.min() {
                let rest = self.unread.split_off(ended);
                return String::from_utf8(std::mem::replace(&mut self.unread, rest)).unwrap();
            }
            let Some(bytes) = self.port.read(deadline).await.unwrap() else {
                let said = String::from_utf8_lossy(&self.unread);
                panic!("the module did not say {ends:?}, but: {said:?}");
            };
            self.unread.extend(bytes);
        }
    }

    async fn write(&mut self, line: &str) {
        let line = format!("{line}\r");
        let early = |bytes: Vec<u8>| self.unread.extend(bytes);
        let deadline = Instant::now() + DEADLINE;
        let written = self.port.write(line.as_bytes(), deadline, early).await;
        written.unwrap();
    }
}
