//! A module in a small world of its own: a DTE that types a script, and servers that answer from a
//! table. All that the module does there is one text.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::{Instant, sleep};
use urcheck_device::net::{Dialer, Dialing, Stream};
use urcheck_device::{Firmware, Module, Settings};

/// What a script and its servers are like.
pub(crate) struct World {
    pub(crate) name: &'static str,
    /// Settings beside those of every world.
    pub(crate) settings: &'static [&'static str],
    /// What the servers answer to lines that begin so, before the usual table. `""` before the
    /// first line is the greeting. `~25s ` waits first, `|` begins another segment, `FIN` closes.
    pub(crate) answers: &'static [(&'static str, &'static str)],
    /// Command lines; `~60s` lets time pass.
    pub(crate) script: &'static [&'static str],
}

/// How long the DTE waits after each command line; more than any answer that needs no server.
const STEP: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Trace {
    start: Instant,
    text: Arc<Mutex<String>>,
}

impl Trace {
    fn note(&self, who: &str, what: &[u8]) {
        let at = self.start.elapsed().as_millis();
        let line = format!("{at:>8} {who}: {}\n", what.escape_ascii());
        self.text.lock().unwrap().push_str(&line);
    }
}

/// Everything that can be observed of the module in this world.
pub(crate) fn observe(world: &World, firmware: Firmware) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(live(world, firmware))
}

async fn live(world: &World, firmware: Firmware) -> String {
    let mut settings = Settings::default();
    for setting in ["storage.big-file=off", "storage.free=64KiB"]
        .iter()
        .chain(world.settings)
    {
        let (key, value) = setting.split_once('=').unwrap();
        settings.set(key, value).unwrap();
    }
    settings.firmware = firmware;
    let trace = Trace {
        start: Instant::now(),
        text: Arc::default(),
    };
    let internet = Internet {
        answers: world.answers,
        trace: trace.clone(),
    };
    let mut module = Module::new(settings, Arc::new(internet)).unwrap();
    let (mut dte, line) = tokio::io::duplex(1 << 20);
    let line = Line(line, trace.clone());
    let served = tokio::spawn(async move { module.run(line).await });
    for step in world.script {
        match step.strip_prefix('~') {
            Some(time) => {
                sleep(Duration::from_secs(
                    time.trim_end_matches('s').parse().unwrap(),
                ))
                .await;
            }
            None => {
                trace.note("DTE", step.as_bytes());
                dte.write_all(format!("{step}\r").as_bytes()).await.unwrap();
                sleep(STEP).await;
            }
        }
    }
    drop(dte);
    served.abort();
    trace.text.lock().unwrap().clone()
}

/// The line, which notes each write of the module.
struct Line(DuplexStream, Trace);

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.note("module", bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Port 1 refuses, port 2 never answers; below 100 there is SMTP, above POP3.
struct Internet {
    answers: &'static [(&'static str, &'static str)],
    trace: Trace,
}

impl Dialer for Internet {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            self.trace.note("dial", format!("{host} {port}").as_bytes());
            if port == 1 {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            if port == 2 {
                return std::future::pending().await;
            }
            let (client, stream) = tokio::io::duplex(1 << 20);
            let server = Server {
                stream,
                answers: self.answers,
                usual: if port < 100 { SMTP } else { POP3 },
                trace: self.trace.clone(),
            };
            tokio::spawn(server.serve());
            Ok(Box::new(client) as Box<dyn Stream>)
        })
    }
}

const SMTP: &[(&str, &str)] = &[
    ("", "220 hello\r\n"),
    (
        "EHLO",
        "250-x\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 SIZE 20000000\r\n",
    ),
    ("HELO", "250 x\r\n"),
    ("AUTH PLAIN", "235 fine\r\n"),
    ("AUTH CRAM-MD5", "334 PDE4OTY+\r\n"),
    ("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"),
    // User name and password of AUTH LOGIN in the scripts below, and an answer to CRAM-MD5.
    ("dW4=", "334 UGFzc3dvcmQ6\r\n"),
    ("cGFz", "235 fine\r\n"),
    ("dW4g", "235 fine\r\n"),
    ("DATA", "354 go\r\n"),
    (".", "250 OK\r\n"),
    ("QUIT", "221 bye\r\nFIN"),
    ("", "250 fine\r\n"),
];

const POP3: &[(&str, &str)] = &[
    ("", "+OK hello\r\n"),
    ("STAT", "+OK 2 2134\r\n"),
    ("LIST 1", "+OK 1 1050\r\n"),
    ("LIST 2", "+OK 2 1084\r\n"),
    ("LIST\r", "+OK\r\n1 1050\r\n2 1084\r\n.\r\n"),
    ("LIST", "-ERR no such message\r\n"),
    ("TOP 1", FIRST_HEADER),
    ("TOP 2", "+OK\r\nFrom: b@c\r\nSubject: Second\r\n\r\n.\r\n"),
    ("TOP", "-ERR no such message\r\n"),
    ("RETR 1", FIRST),
    (
        "RETR 2",
        "+OK\r\nFrom: b@c\r\nSubject: Second\r\n\r\nThe second.\r\n.\r\n",
    ),
    ("RETR", "-ERR no such message\r\n"),
    ("DELE 1", "+OK\r\n"),
    ("DELE 2", "+OK\r\n"),
    ("DELE", "-ERR no such message\r\n"),
    ("CAPA", "+OK\r\nTOP\r\n.\r\n"),
    ("QUIT", "+OK bye\r\nFIN"),
    ("", "+OK\r\n"),
];

const FIRST_HEADER: &str = "+OK\r\nFrom: \"FromName\" <a@b>\r\nDate: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
                            Subject: First Test Email, and more\r\n\r\n.\r\n";

const FIRST: &str = "+OK\r\nFrom: \"FromName\" <a@b>\r\nTo: c@d\r\n\
    Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nSubject: First Test Email, and more\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nThis is a test.\r\n\r\n..\r\n..x\r\n....y\r\n\
    A line that is rather longer than eighty characters, because some clients cut such lines there.\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nThe end.\r\n\
    --b\r\nContent-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=\"../../out.txt\"\r\n\r\none\r\n\
    --b\r\nContent-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=\"a.txt\"\r\n\r\ntwo\r\n\
    --b\r\nContent-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=\"a.txt\"\r\n\r\nthree\r\n\
    --b\r\nContent-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=\"EMAIL000.TXT\"\r\n\r\nfour\r\n\
    --b--\r\n.\r\n";

struct Server {
    stream: DuplexStream,
    answers: &'static [(&'static str, &'static str)],
    usual: &'static [(&'static str, &'static str)],
    trace: Trace,
}

impl Server {
    async fn serve(mut self) {
        let greeting = self
            .answers
            .iter()
            .chain(self.usual)
            .find(|(line, _)| line.is_empty());
        let mut open = self.answer(greeting.unwrap().1).await;
        let mut line = Vec::new();
        let mut in_text = false;
        while open {
            match self.stream.read_u8().await {
                Ok(byte) => line.push(byte),
                Err(_) => break,
            }
            if line.last() != Some(&b'\n') {
                continue;
            }
            self.trace.note("client", &line);
            in_text &= line != b".\r\n";
            if !in_text {
                let text = String::from_utf8_lossy(&line).into_owned();
                let mut all = self.answers.iter().chain(self.usual);
                let fits =
                    |(start, _): &&(&str, &str)| !start.is_empty() && text.starts_with(start);
                let answer = all.find(fits).or(self.usual.last()).unwrap().1;
                in_text = answer.starts_with("354");
                open = self.answer(answer).await;
            }
            line.clear();
        }
        if !open {
            // What comes after the end is noted, too.
            let _ = self.stream.shutdown().await;
            let mut rest = Vec::new();
            let _ = self.stream.read_to_end(&mut rest).await;
            self.trace.note("after the end", &rest);
        }
        self.trace.note("closed", b"");
    }

    async fn answer(&mut self, answer: &str) -> bool {
        let (text, ends) = match answer.strip_suffix("FIN") {
            Some(text) => (text, true),
            None => (answer, false),
        };
        let text = match text
            .strip_prefix('~')
            .and_then(|rest| rest.split_once("s "))
        {
            Some((seconds, text)) => {
                sleep(Duration::from_secs(seconds.parse().unwrap())).await;
                text
            }
            None => text,
        };
        for segment in text.split('|') {
            if self.stream.write_all(segment.as_bytes()).await.is_err() {
                return false;
            }
            sleep(Duration::from_millis(20)).await;
        }
        !ends
    }
}
