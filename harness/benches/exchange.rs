//! What the harness costs for each AT exchange over a PTY, beside the bare exchange of the
//! `serialport` crate with the same responder in the same run.
//!
//! The difference of the two medians, divided by the number of exchanges, is the overhead.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark ends at the first surprise"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;
use urcheck::judge::{Policy, Unreached};
use urcheck::runner::recorder::Recorder;
use urcheck::runner::{Pace, run_case};
use urcheck::scenario::case::{
    Action, Case, Expect, Mode, Pattern, Piece, Step, Target, Template, TemplatePart,
};
use urcheck::testbed::Bench;
use urcheck::transport::{Endpoint, open};
use urcheck_reports::{Class, Place, Verdict};

/// Exchanges in one measured round.
const EXCHANGES: usize = 200;

fn benchmark(criterion: &mut Criterion) {
    let path = responder();
    let mut group = criterion.benchmark_group("at-exchange-over-pty");
    group.throughput(Throughput::Elements(EXCHANGES as u64));

    group.bench_function("bare-serialport", |bencher| {
        let mut port = serialport::new(&path, 115_200)
            .timeout(Duration::from_secs(5))
            .open()
            .expect("the PTY opens");
        bencher.iter(|| {
            for _ in 0..EXCHANGES {
                bare_exchange(&mut *port);
            }
        });
    });

    group.bench_function("urcheck", |bencher| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let case = case();
        let policy = Policy {
            line_end: b"\r".to_vec(),
            echo: false,
            answer: Duration::from_secs(5),
            timers: urcheck::profile::Profile::default().timers,
            ignored: Vec::new(),
        };
        // Quiet at the end of a case and the health probe are paid once a case, not once an
        // exchange: they are as short here as they can be.
        let pace = Pace {
            settle: Duration::ZERO,
            answer: Duration::from_secs(5),
            fault: Duration::from_secs(5),
            boot: Duration::from_secs(5),
        };
        let endpoint = Endpoint::Serial {
            path: path.clone(),
            baud: None,
        };
        let mut port = runtime
            .block_on(open(&endpoint, 115_200))
            .expect("the PTY opens");
        bencher.iter(|| {
            let report = runtime.block_on(run_case(
                &case,
                &policy,
                pace,
                &mut port,
                &mut NoServers,
                &Recorder::start(),
            ));
            assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings);
        });
    });
    group.finish();
}

/// Starts a thread that answers every command line on a PTY with `OK`, and returns the user
/// side's path.
fn responder() -> String {
    let pty = rustix_openpty::openpty(None, None).expect("a PTY");
    let mut modes = rustix::termios::tcgetattr(&pty.user).expect("the PTY's modes");
    modes.make_raw();
    rustix::termios::tcsetattr(&pty.user, rustix::termios::OptionalActions::Now, &modes)
        .expect("raw mode");
    let path = rustix::termios::ttyname(&pty.user, Vec::new()).expect("the PTY's name");
    std::thread::spawn(move || answer(pty.controller, pty.user));
    path.into_string().expect("a path of plain text")
}

/// `_keeper` holds the user side open while nobody else has it.
fn answer(controller: OwnedFd, _keeper: OwnedFd) {
    let mut line = File::from(controller);
    let mut buffer = [0; 1024];
    while let Ok(count) = line.read(&mut buffer) {
        for _ in buffer[..count].iter().filter(|byte| **byte == b'\r') {
            line.write_all(b"\r\nOK\r\n").expect("the PTY takes bytes");
        }
    }
}

fn bare_exchange(port: &mut dyn serialport::SerialPort) {
    port.write_all(b"AT\r").expect("the PTY takes bytes");
    let mut seen = Vec::new();
    let mut buffer = [0; 64];
    while !seen.ends_with(b"\r\nOK\r\n") {
        let count = port.read(&mut buffer).expect("the responder answers");
        seen.extend_from_slice(&buffer[..count]);
    }
}

/// A case of `> AT` and `< OK`, over and over.
fn case() -> Case {
    let text = |text: &str| Template(vec![TemplatePart::Bytes(text.into())]);
    let expect = Expect {
        mode: Mode::Ordered,
        window: None,
        pattern: Pattern::Line(vec![Piece::Text(text("OK"))]),
    };
    let actions = [Action::Send(text("AT")), Action::Expect(expect)];
    let steps = actions
        .iter()
        .cycle()
        .take(2 * EXCHANGES)
        .map(|action| Step {
            place: Place {
                file: "bench.att".to_owned(),
                line: 1,
            },
            text: String::new(),
            section: 0,
            section_name: String::new(),
            action: action.clone(),
        });
    Case {
        id: "bench".to_owned(),
        title: "bench".to_owned(),
        class: Class::Must,
        clauses: Vec::new(),
        faults: Vec::new(),
        skip: None,
        smtp: urcheck_servers::smtp::Setup::default(),
        pop3: urcheck_servers::pop3::Setup::default(),
        variables: serde_json::Map::new(),
        steps: steps.collect(),
        prepared: 0,
    }
}

struct NoServers;

impl Bench for NoServers {
    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn is_owing(&self) -> bool {
        false
    }

    fn act<'a>(
        &'a mut self,
        _: Target,
        _: &'a [String],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(async { Err("there are no servers here".to_owned()) })
    }

    fn unreached(&self, _: &Case) -> Vec<Unreached> {
        Vec::new()
    }
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
