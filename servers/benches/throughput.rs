//! How many messages of 1 kB the SMTP server takes from 8 sessions that stay open, its transcript
//! on, beside `smtp-sink` of Postfix in the same run. Budget: at least as many.
//!
//! Both are processes of their own, and take turns, so that whatever else the machine does hits
//! both. Skips by name where there is no `smtp-sink`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends at the first surprise"
)]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::{EventKind, EventSink};
use urcheck_servers::smtp;

const SESSIONS: usize = 8;
const ROUNDS: usize = 7;

/// Set in the process that is our server.
const SERVE: &str = "URCHECK_BENCH_SERVE";

/// Where Debian puts it.
const SINK: &str = "/usr/sbin/smtp-sink";

fn main() {
    if env::var_os(SERVE).is_some() {
        return serve();
    }
    // `cargo bench` says so; under `cargo test` a look whether it works is enough.
    let (rounds, messages) = match env::args().any(|argument| argument == "--bench") {
        true => (ROUNDS, 2_000),
        false => (1, 20),
    };
    let (_ours, our_address) = our_server();
    let Some((_sink, sink_address)) = smtp_sink() else {
        println!("skipped: there is no {SINK} (Debian: postfix)");
        return;
    };
    round(our_address, messages);
    round(sink_address, messages);
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let ours = round(our_address, messages);
        let sink = round(sink_address, messages);
        println!(
            "urcheck {ours:8.0}/s   smtp-sink {sink:8.0}/s   ratio {:.2}",
            ours / sink
        );
        ratios.push(ours / sink);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).unwrap();
    println!("median ratio {median:.2} (budget: 1.00)");
}

/// Serves until the process is killed.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // What a transcript costs: every event arrives, with its octets.
        let octets = Arc::new(AtomicU64::new(0));
        let sink: EventSink = Arc::new(move |event| {
            if let EventKind::FromClient { bytes, .. } | EventKind::FromServer { bytes, .. } =
                event.kind
            {
                octets.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
        });
        let server = smtp::Server::new(smtp::Setup::default(), sink).unwrap();
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening {}", listener.local_addr().unwrap());
        server
            .serve(&mut listener, CancellationToken::new())
            .await
            .unwrap();
    });
}

/// A child that is killed with the benchmark.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}

fn our_server() -> (Guard, SocketAddr) {
    let mut child = Command::new(env::current_exe().unwrap())
        .env(SERVE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (_, address) = line.trim().split_once(' ').unwrap();
    (Guard(child), address.parse().unwrap())
}

fn smtp_sink() -> Option<(Guard, SocketAddr)> {
    // A loopback address of our own: there every port is free.
    let [high, low, ..] = std::process::id().to_be_bytes().map(|byte| byte.max(2));
    let [.., third, fourth] = std::process::id()
        .to_be_bytes()
        .map(|byte| byte.clamp(2, 250));
    let address = format!("127.{}.{third}.{fourth}:2525", high.max(low).clamp(2, 250));
    let mut command = Command::new(SINK);
    // It does not run as root, and wants to be told who else.
    if std::fs::metadata("/proc/self").is_ok_and(|of| of.uid() == 0) {
        command.args(["-u", "nobody"]);
    }
    let child = command.args([&address, "100"]).spawn().ok()?;
    let guard = Guard(child);
    let address = address.parse().unwrap();
    let patience = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(patience.elapsed().as_secs() < 10, "{SINK} does not listen");
        std::thread::yield_now();
    }
    Some((guard, address))
}

/// Messages a second.
fn round(address: SocketAddr, messages: usize) -> f64 {
    let barrier = Arc::new(Barrier::new(SESSIONS + 1));
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                let mut session = Session::open(address);
                barrier.wait();
                for _ in 0..messages {
                    session.submit();
                }
            })
        })
        .collect();
    barrier.wait();
    let start = Instant::now();
    for session in sessions {
        session.join().unwrap();
    }
    let count = u32::try_from(SESSIONS * messages).unwrap();
    f64::from(count) / start.elapsed().as_secs_f64()
}

struct Session {
    stream: BufReader<TcpStream>,
    line: String,
    message: Vec<u8>,
}

impl Session {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut message = b"Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: <a@b.test>\r\n\
            To: <c@d.test>\r\nSubject: x\r\n\r\n"
            .to_vec();
        while message.len() < 1_024 {
            message.extend_from_slice(b"0123456789012345678901234567890123456789012345678901\r\n");
        }
        message.extend_from_slice(b".\r\n");
        let mut session = Self {
            stream: BufReader::new(stream),
            line: String::new(),
            message,
        };
        session.expect("220");
        session.ask("EHLO bench.test\r\n", "250");
        session
    }

    fn submit(&mut self) {
        self.ask("MAIL FROM:<a@b.test>\r\n", "250");
        self.ask("RCPT TO:<c@d.test>\r\n", "250");
        self.ask("DATA\r\n", "354");
        let message = std::mem::take(&mut self.message);
        self.stream.get_mut().write_all(&message).unwrap();
        self.message = message;
        self.expect("250");
    }

    fn ask(&mut self, line: &str, code: &str) {
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
        self.expect(code);
    }

    fn expect(&mut self, code: &str) {
        loop {
            self.line.clear();
            let read = self.stream.by_ref().read_line(&mut self.line).unwrap();
            assert!(read > 0 && self.line.starts_with(code), "{}", self.line);
            if self.line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        }
    }
}
