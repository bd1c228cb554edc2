//! What a server takes at its peak when a client or a maildrop is huge: never more than 32 MiB
//! above idle. Each limit has a server process of its own; the client is this process, so that its
//! memory does not count.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use rstest::rstest;
use serde_json::{Value, json};
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::ignore_events;
use urcheck_servers::{pop3, smtp};

/// The most that a server may take above what it takes while idle, in KiB.
const BUDGET: u64 = 32 * 1024;

/// Set in the server process: the set-up, as JSON.
const SETUP: &str = "URCHECK_MEMORY_TEST";

const MIB: usize = 1024 * 1024;

/// Not a test of its own: the process that the tests below start. Without a set-up there is
/// nothing to serve.
#[test]
fn server_process() {
    let Ok(setup) = env::var(SETUP) else {
        return;
    };
    let setup: Value = serde_json::from_str(&setup).unwrap();
    let mails = |size: &Value, count: &Value| {
        let line = b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
        let size = usize::try_from(size.as_u64().unwrap()).unwrap();
        let mail = line.repeat(size / line.len());
        vec![mail; usize::try_from(count.as_u64().unwrap()).unwrap()]
    };
    let mail = mails(&setup["mail"]["size"], &setup["mail"]["count"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let fault = setup["fault"].clone();
        let smtp: smtp::Setup = serde_json::from_value(json!({"fault": fault})).unwrap();
        let smtp = smtp::Server::new(smtp, ignore_events()).unwrap();
        let pop3 = pop3::Setup {
            mail,
            ..pop3::Setup::default()
        };
        let pop3 = pop3::Server::new(pop3, ignore_events()).unwrap();
        let mut smtp_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut pop3_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp_address = smtp_listener.local_addr().unwrap();
        let pop3_address = pop3_listener.local_addr().unwrap();
        println!("\nlistening {smtp_address} {pop3_address}");
        let stop = CancellationToken::new();
        let served = tokio::join!(
            smtp.serve(&mut smtp_listener, stop.clone()),
            pop3.serve(&mut pop3_listener, stop.clone()),
        );
        served.0.and(served.1).unwrap();
    });
}

struct Server {
    child: Child,
    smtp: SocketAddr,
    pop3: SocketAddr,
    idle: u64,
}

impl Server {
    fn start(fault: Value, mail_size: usize, mail_count: usize) -> Self {
        let mail = json!({"size": mail_size, "count": mail_count});
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "server_process", "--nocapture"])
            .env(SETUP, json!({"fault": fault, "mail": mail}).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let line = out
            .lines()
            .map(Result::unwrap)
            .find(|line| line.starts_with("listening "))
            .expect("the server process says where it listens");
        let mut words = line.split(' ').skip(1).map(|word| word.parse().unwrap());
        let (smtp, pop3) = (words.next().unwrap(), words.next().unwrap());
        let mut server = Self {
            child,
            smtp,
            pop3,
            idle: 0,
        };
        // Idle is with a session of each protocol behind it, so that nothing is counted that any
        // session takes.
        server.talk(&mut server.smtp(), &["QUIT\r\n"]);
        server.talk(&mut server.pop3(), &["QUIT\r\n"]);
        server.idle = server.kib("VmRSS");
        server
    }

    fn smtp(&self) -> TcpStream {
        connect(self.smtp)
    }

    fn pop3(&self) -> TcpStream {
        connect(self.pop3)
    }

    /// Sends each, and reads a line for it.
    fn talk(&self, stream: &mut TcpStream, lines: &[&str]) {
        for line in lines {
            stream.write_all(line.as_bytes()).unwrap();
            assert!(!hear(stream).is_empty());
        }
    }

    /// A figure of the server process, in KiB.
    fn kib(&self, name: &str) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn assert_small(&self, what: &str) {
        let peak = self.kib("VmHWM").saturating_sub(self.idle);
        println!("{what}: {peak} KiB above {} KiB", self.idle);
        assert!(peak <= BUDGET, "{what}: {peak} KiB above idle");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Connects and reads the greeting.
fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    assert!(!hear(&mut stream).is_empty());
    stream
}

/// One line, octet by octet, so that nothing behind it is lost.
fn hear(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut octet = [0];
        if stream.read(&mut octet).unwrap() == 0 {
            break;
        }
        line.extend_from_slice(&octet);
    }
    String::from_utf8(line).unwrap()
}

/// Sends `total` octets made of `unit`.
fn flood(stream: &mut TcpStream, unit: &[u8], total: usize) {
    let block = unit.repeat((256 * 1024usize).div_ceil(unit.len()));
    let mut left = total;
    while left > 0 {
        let now = left.min(block.len());
        stream.write_all(&block[..now]).unwrap();
        left -= now;
    }
}

/// Reads until `end`, in which no octet repeats the first one; how many octets there were.
fn drain(stream: &mut TcpStream, end: &[u8]) -> usize {
    let mut buffer = vec![0; 256 * 1024];
    let (mut total, mut tail) = (0, Vec::new());
    while !tail.ends_with(end) {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "closed after {total} octets");
        total += read;
        tail.extend_from_slice(&buffer[read.saturating_sub(end.len())..read]);
        let excess = tail.len().saturating_sub(end.len());
        tail.drain(..excess);
    }
    total
}

fn to_data(server: &Server) -> TcpStream {
    let mut stream = server.smtp();
    server.talk(
        &mut stream,
        &[
            "HELO a.test\r\n",
            "MAIL FROM:<a@b.test>\r\n",
            "RCPT TO:<c@d.test>\r\n",
            "DATA\r\n",
        ],
    );
    stream
}

const HEAD: &str = "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: <a@b.test>\r\n";

#[rstest]
#[case::of_lines("\r\n", "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n", 100 * MIB)]
#[case::of_one_line("\r\n", "x", 40 * MIB)]
#[case::of_one_mib_of_header("X-A: b\r\n", "X-Long: 0123456789 0123456789 0123456789\r\n", MIB)]
#[case::of_one_field_of_one_mib("X-A: b\r\n", " folded 0123456789 0123456789 0123456789\r\n", MIB)]
#[case::of_an_attachment(
    "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=a.bin\r\n\
     Content-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\r\n", 20 * MIB)]
fn a_message(#[case] head: &str, #[case] unit: &str, #[case] size: usize) {
    let server = Server::start(json!([]), 0, 0);
    let mut stream = to_data(&server);
    stream.write_all(HEAD.as_bytes()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    flood(&mut stream, unit.as_bytes(), size / unit.len() * unit.len());
    server.talk(&mut stream, &["\r\n.\r\n"]);
    server.talk(&mut stream, &["QUIT\r\n"]);
    server.assert_small("a message");
}

#[test]
fn messages_at_the_same_time_and_in_a_row() {
    let server = Server::start(json!([]), 0, 0);
    let line = b"0123456789 0123456789 0123456789 0123456789\r\n";
    for _ in 0..2 {
        let mut streams: Vec<TcpStream> = (0..4).map(|_| to_data(&server)).collect();
        for stream in &mut streams {
            stream.write_all(format!("{HEAD}\r\n").as_bytes()).unwrap();
            flood(stream, line, 6 * MIB / line.len() * line.len());
        }
        for stream in &mut streams {
            server.talk(stream, &[".\r\n"]);
        }
    }
    server.assert_small("8 messages of 6 MiB");
}

#[test]
fn a_command_line_without_an_end() {
    let server = Server::start(json!([]), 0, 0);
    let mut stream = server.smtp();
    flood(&mut stream, b"NOOP x", 40 * MIB);
    server.talk(&mut stream, &["\r\n"]);
    let mut stream = server.pop3();
    flood(&mut stream, b"NOOP x", 40 * MIB);
    server.talk(&mut stream, &["\r\n"]);
    server.assert_small("two endless lines");
}

#[test]
fn many_sessions_with_long_lines() {
    let server = Server::start(json!([]), 0, 0);
    let line = format!("NOOP {}\r\n", "x".repeat(8000));
    for _ in 0..40 {
        let (mut smtp, mut pop3) = (server.smtp(), server.pop3());
        for _ in 0..50 {
            server.talk(&mut smtp, &[&line]);
            server.talk(&mut pop3, &[&line]);
        }
    }
    server.assert_small("80 sessions of 50 long lines");
}

#[test]
fn a_mail_that_is_fetched() {
    let server = Server::start(json!([]), 100 * MIB, 1);
    let mut stream = server.pop3();
    server.talk(&mut stream, &["USER un\r\n", "PASS pwd\r\n", "RETR 1\r\n"]);
    let got = drain(&mut stream, b"\r\n.\r\n");
    assert!(got > 99 * MIB, "{got}");
    server.assert_small("a mail of 100 MiB");
}

#[test]
fn ten_thousand_lines_of_a_listing() {
    let server = Server::start(json!([]), 72, 10_000);
    let mut stream = server.pop3();
    server.talk(&mut stream, &["USER un\r\n", "PASS pwd\r\n"]);
    for _ in 0..10 {
        for command in ["LIST\r\n", "UIDL\r\n"] {
            server.talk(&mut stream, &[command]);
            let got = drain(&mut stream, b"\r\n.\r\n");
            assert!(got > 80_000, "{got}");
        }
    }
    server.assert_small("10,000 lines, 20 times");
}

#[test]
fn a_reply_without_an_end() {
    let (unit, total) = ("x".repeat(64 * 1024), 40 * MIB);
    let rule = json!({"when": "noop", "do": "endless", "raw": unit, "bytes": total, "then": "fin"});
    let server = Server::start(json!([rule]), 0, 0);
    let mut stream = server.smtp();
    stream.write_all(b"NOOP\r\n").unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let mut got = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        got += read;
    }
    assert_eq!(got, total);
    server.assert_small("a reply of 40 MiB");
}
