//! The runner on lines that deliver byte by byte, never end, or take nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::Instant;
use urcheck::judge::{Policy, Unreached};
use urcheck::profile::Profile;
use urcheck::runner::recorder::Recorder;
use urcheck::runner::{Pace, run_case, synchronise};
use urcheck::scenario::case::{Case, Target};
use urcheck::suite::{Library, Suite};
use urcheck::testbed::Bench;
use urcheck::transport::Port;
use urcheck_reports::{CaseReport, Verdict};

/// A line that carries one byte at a time, so that every line of the device comes in pieces.
fn torn_line() -> (Port, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1);
    (Port::new("torn".to_owned(), Box::new(ours)), theirs)
}

fn case_of(dialogue: &str) -> (Case, Profile) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("+++\nformat = 1\ntitle  = \"A test\"\n+++\n\n{dialogue}");
    std::fs::write(folder.path().join("t.att"), text).unwrap();
    let suite = Suite::load(Library::Folder(folder.path().to_owned())).unwrap();
    let profile = Profile {
        ignore: vec!["RING".to_owned(), "+CREG: {{*}}".to_owned()],
        ..Profile::default()
    };
    let entry = suite.entries().next().unwrap();
    let case = suite.case(&entry, &profile, &Default::default()).unwrap();
    (case, profile)
}

async fn replay(case: &Case, profile: &Profile, port: &mut Port) -> CaseReport {
    let (policy, pace) = (Policy::of(profile).unwrap(), Pace::of(profile));
    synchronise(port, &policy, pace).await.unwrap();
    let recorder = Recorder::start();
    run_case(case, &policy, pace, port, &mut NoServers, &recorder).await
}

/// Answers every command line with `answer(command)`, after its echo.
async fn device(mut line: DuplexStream, answer: impl Fn(&str) -> String) {
    let mut command = String::new();
    while let Ok(byte) = line.read_u8().await {
        if byte != b'\r' {
            command.push(char::from(byte));
            continue;
        }
        let text = format!("{command}\r{}", answer(&command));
        if line.write_all(text.as_bytes()).await.is_err() {
            break;
        }
        command.clear();
    }
}

#[tokio::test(start_paused = true)]
async fn torn_lines_and_urcs_of_the_network_pass() {
    let (case, profile) = case_of("== s\n> AT+CMEE?\n< +CMEE: {{level:int}}\n< OK\n= level == 2\n");
    let (mut port, theirs) = torn_line();
    tokio::spawn(device(theirs, |command| match command {
        "AT+CMEE?" => {
            "\r\nRING\r\n\r\n+CMEE: 2\r\n\r\n+CREG: 1,\"00C3\"\r\n\r\nOK\r\n\r\nRING\r\n".to_owned()
        }
        _ => "\r\n+CREG: 1\r\n\r\nOK\r\n".to_owned(),
    }));
    let report = replay(&case, &profile, &mut port).await;
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings);
}

/// A serial line delivers single bytes, so a flood over one has as many events as bytes. In real
/// time, because virtual time stands still while there is always a byte.
#[tokio::test]
async fn a_trickle_without_end_is_a_flood() {
    let (case, mut profile) = case_of("== s\n> AT+CMEE?\n<[1h] OK\n");
    profile.timers.answer = Duration::from_millis(100);
    let (mut port, theirs) = torn_line();
    let flooding = tokio::spawn(async move {
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let mut command = Vec::new();
        while !command.ends_with(b"AT+CMEE?\r") {
            command.push(reader.read_u8().await.unwrap());
            if command.ends_with(b"AT\r") {
                writer.write_all(b"\r\nOK\r\n").await.unwrap();
            }
        }
        // It still takes what it is sent, so the line is not lost.
        let takes = async { while reader.read_u8().await.is_ok() {} };
        let floods = async { while writer.write_all(b".").await.is_ok() {} };
        tokio::join!(takes, floods);
    });
    let replay = replay(&case, &profile, &mut port);
    let report = tokio::time::timeout(Duration::from_secs(120), replay)
        .await
        .expect("a flood ends the case");
    flooding.abort();
    let monitors: Vec<_> = report.findings.iter().map(|f| f.monitor.as_str()).collect();
    assert!(monitors.contains(&"flood"), "{:?}", report.findings);
    assert_eq!(report.verdict, Verdict::Fail);
}

/// Reading and writing at once must not starve the deadline of the write. In real time, because
/// virtual time stands still while there is always a byte.
#[tokio::test]
async fn a_device_that_talks_and_never_listens_loses_the_line() {
    let mut port = Port::new("deaf".to_owned(), Box::new(Deaf));
    let until = Instant::now() + Duration::from_millis(50);
    let write = port.write(&[b'x'; 1000], until, drop);
    let lost = tokio::time::timeout(Duration::from_secs(60), write)
        .await
        .expect("a write has a deadline")
        .unwrap_err();
    assert_eq!(
        lost.to_string(),
        "deaf: the device did not take 1000 bytes in time"
    );
}

/// Always has something to say, as fast as it is read, and takes nothing.
struct Deaf;

impl AsyncRead for Deaf {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Yields now and then, as sockets and ports do.
        let progress = ready!(tokio::task::coop::poll_proceed(context));
        buffer.put_slice(b"..");
        progress.made_progress();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Deaf {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct NoServers;

impl Bench for NoServers {
    fn state(&self) -> serde_json::Value {
        serde_json::json!({})
    }

    fn is_owing(&self) -> bool {
        false
    }

    fn act<'a>(
        &'a mut self,
        _: Target,
        _: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(async { Err("there are no servers here".to_owned()) })
    }

    fn unreached(&self, _: &Case) -> Vec<Unreached> {
        Vec::new()
    }
}
