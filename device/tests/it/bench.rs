//! A module between a DTE and servers, all of them memory pipes.

use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use urcheck_device::net::{Dialer, Dialing, Stream};
use urcheck_device::{Module, Settings};

/// Longer than any timer of the module; virtual time, so it costs nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// Hands the server side of every connection to the test.
struct Exchange(mpsc::UnboundedSender<DuplexStream>);

impl Dialer for Exchange {
    fn dial<'a>(&'a self, _: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            match port {
                // Port 1 refuses, port 2 never answers.
                1 => Err(io::ErrorKind::ConnectionRefused.into()),
                2 => std::future::pending().await,
                _ => {
                    let (client, server) = tokio::io::duplex(1 << 16);
                    self.0.send(server).map_err(io::Error::other)?;
                    Ok(Box::new(client) as Box<dyn Stream>)
                }
            }
        })
    }
}

/// A module with a DTE on its line.
pub(crate) struct Bench {
    /// The DTE's side of the line.
    pub(crate) dte: Peer<DuplexStream>,
    connections: mpsc::UnboundedReceiver<DuplexStream>,
    module: JoinHandle<Module>,
    reset: Arc<Notify>,
}

impl Bench {
    /// A module without echo.
    pub(crate) fn new() -> Self {
        Self::with(&["echo=off"])
    }

    /// A module with these settings.
    pub(crate) fn with(settings: &[&str]) -> Self {
        let mut all = Settings::default();
        for setting in settings {
            let (key, value) = setting.split_once('=').unwrap();
            all.set(key, value).unwrap();
        }
        let (sender, connections) = mpsc::unbounded_channel();
        let module = Module::new(all, Arc::new(Exchange(sender))).unwrap();
        let reset = Arc::new(Notify::new());
        let (dte, module) = attach(module, Arc::clone(&reset));
        Self {
            dte,
            connections,
            module,
            reset,
        }
    }

    /// Takes the DTE off the line, and puts another one on after `between` was done.
    pub(crate) async fn reattach(&mut self, between: impl FnOnce(&mut Module)) {
        self.dte.stream.shutdown().await.unwrap();
        // What is still said is read, so that the line ends on both sides.
        while !self.dte.take(1).await.is_empty() {}
        self.reattached_after_end(between).await;
    }

    /// Puts another DTE on the line of a module that has none, after `between` was done.
    pub(crate) async fn reattached_after_end(&mut self, between: impl FnOnce(&mut Module)) {
        let unused = tokio::spawn(std::future::pending());
        let mut module = std::mem::replace(&mut self.module, unused).await.unwrap();
        between(&mut module);
        (self.dte, self.module) = attach(module, Arc::clone(&self.reset));
    }

    /// Switches the module off and on while the DTE is on its line, whatever it is doing.
    pub(crate) fn power_cycle(&self) {
        self.reset.notify_one();
    }

    /// The server's side of the next connection.
    pub(crate) async fn accept(&mut self) -> Peer<DuplexStream> {
        let stream = timeout(PATIENCE, self.connections.recv())
            .await
            .expect("no connection");
        Peer {
            stream: stream.unwrap(),
        }
    }

    /// Sends a command line, and expects exactly these blocks, framed as in [`framed`].
    pub(crate) async fn says(&mut self, command: &str, blocks: &[&str]) {
        self.dte.send(&format!("{command}\r")).await;
        self.expect(command, blocks).await;
    }

    /// Expects exactly these blocks.
    pub(crate) async fn expect(&mut self, what: &str, blocks: &[&str]) {
        let expected = framed(blocks);
        let answer = self.dte.take(expected.len()).await;
        assert_eq!(answer, expected, "after {what}");
    }

    /// Sends a command line that ends in `OK` without more.
    pub(crate) async fn ok(&mut self, command: &str) {
        self.says(command, &["OK"]).await;
    }

    /// Sends a command line that ends in `ERROR` without more.
    pub(crate) async fn error(&mut self, command: &str) {
        self.says(command, &["ERROR"]).await;
    }

    /// The parameters of note 3.1 and a recipient, so that a mail can be sent.
    pub(crate) async fn configured_smtp(&mut self) {
        self.ok("AT+SMTPSRV=\"smtp.server.com\",25").await;
        self.ok("AT+SMTPFROM=\"UserName@server.com\",\"PresentName\"")
            .await;
        self.ok("AT+SMTPRCPT=0,0,\"ToAddr@server.com\",\"ToName\"")
            .await;
        self.ok("AT+SMTPSUB=\"First Email\"").await;
        self.ok("AT+SMTPBODY=\"This is the first Email!\"").await;
    }
}

fn attach(mut module: Module, reset: Arc<Notify>) -> (Peer<DuplexStream>, JoinHandle<Module>) {
    let (dte, mut line) = tokio::io::duplex(1 << 16);
    let module = tokio::spawn(async move {
        loop {
            tokio::select! {
                served = module.run(&mut line) => {
                    served.unwrap();
                    return module;
                }
                () = reset.notified() => module.power_cycle(),
            }
        }
    });
    (Peer { stream: dte }, module)
}

/// Blocks as the module frames them; lines of one block are separated by `\n`.
pub(crate) fn framed(blocks: &[&str]) -> String {
    blocks
        .iter()
        .map(|block| format!("\r\n{}\r\n", block.replace('\n', "\r\n")))
        .collect()
}

/// Somebody who talks to the module in raw bytes.
pub(crate) struct Peer<S> {
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    /// Exactly this many bytes, or as many as come before the end or within a long time.
    pub(crate) async fn take(&mut self, count: usize) -> String {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let mut buffer = vec![0; count - bytes.len()];
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await {
                Ok(Ok(read)) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Expects exactly this text.
    pub(crate) async fn expect(&mut self, text: &str) {
        assert_eq!(self.take(text.len()).await, text);
    }

    /// Everything up to and including `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let next = self.take(1).await;
            assert!(!next.is_empty(), "only {text:?}");
            text += &next;
        }
        text
    }

    /// Nothing comes for a while.
    pub(crate) async fn quiet(&mut self) {
        let mut buffer = [0; 1];
        let read = timeout(Duration::from_secs(3), self.stream.read(&mut buffer)).await;
        assert!(read.is_err(), "{buffer:?} came");
    }

    /// The module closes the connection.
    pub(crate) async fn closed(&mut self) {
        assert_eq!(self.take(1).await, "");
        let mut buffer = [0; 1];
        assert!(matches!(
            self.stream.read(&mut buffer).await,
            Ok(0) | Err(_)
        ));
    }

    /// Answers each of these commands in turn; a command is given by how it begins.
    pub(crate) async fn serve(&mut self, dialogue: &[(&str, &str)]) {
        for (command, reply) in dialogue {
            let line = self.until("\r\n").await;
            assert!(line.starts_with(command), "{line:?} instead of {command:?}");
            self.send(reply).await;
        }
    }
}
