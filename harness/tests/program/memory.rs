//! A device that sends without end makes neither the harness large nor its run long.

use crate::bench::{Guard, pty, urcheck, write};
use rstest::rstest;
use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

/// The most that the harness may take above a run with an honest device, in KiB.
const BUDGET: u64 = 32 * 1024;

/// How the device sends what it has.
#[derive(Clone, Copy)]
enum Device {
    /// As it should.
    Honest,
    /// So many bytes, in writes of this length.
    Flood { bytes: usize, piece: usize },
}

/// Runs seven cases, six of which the device may flood, and writes every report there is. The greatest memory of the harness, in KiB,
/// and its exit code.
async fn peak(device: Device) -> (u64, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", "== s\n> ATI\n< urcheck\n< OK\n");
    for name in ["b", "c", "d", "e", "f"] {
        write(folder.path(), name, "== s\n> ATI\n< urcheck\n< OK\n");
    }
    write(folder.path(), "g", "== s\n> ATB\n< OK\n");
    let (mut controller, keeper, path) = pty();
    let thread = std::thread::spawn(move || {
        let mut buffer = [0; 256];
        let mut open = Vec::new();
        while let Ok(read) = controller.read(&mut buffer) {
            open.extend_from_slice(&buffer[..read]);
            while let Some(end) = open.iter().position(|byte| *byte == b'\r') {
                let command: Vec<u8> = open.drain(..=end).collect();
                let answer: &[u8] = match (command.ends_with(b"ATI\r"), device) {
                    (true, Device::Flood { bytes, piece }) => {
                        let chunk = vec![b'x'; piece];
                        for _ in 0..bytes / piece {
                            if controller.write_all(&chunk).is_err() {
                                return;
                            }
                        }
                        b"\r\n"
                    }
                    (true, Device::Honest) => b"\r\nurcheck\r\n\r\nOK\r\n",
                    (false, _) => b"\r\nOK\r\n",
                };
                if controller.write_all(answer).is_err() {
                    return;
                }
            }
        }
    });
    let json = folder.path().join("report.json");
    let mut command = urcheck(&["run", "--dut", &path, "--set", "timers.settle=30ms"]);
    command.args(["--set", "timers.answer=1s"]);
    command.arg("--scenarios").arg(folder.path());
    command
        .arg("--report")
        .arg(format!("json={}", json.display()));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = Guard(child.unwrap());
    let status = format!("/proc/{}/status", child.0.id());
    let mut peak = 0;
    let code = loop {
        // The figure never falls, so that the last one read counts.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM"));
        let figure = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = figure.unwrap_or(peak);
        if let Some(status) = child.0.try_wait().unwrap() {
            break status.code();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    drop(keeper);
    thread.join().unwrap();
    (peak, code)
}

#[rstest]
#[case::in_large_pieces(Device::Flood { bytes: 8 << 20, piece: 4096 })]
#[case::byte_by_byte(Device::Flood { bytes: 150_000, piece: 1 })]
#[tokio::test]
async fn a_flood_is_told_and_kept_small(#[case] device: Device) {
    let (idle, code) = peak(Device::Honest).await;
    assert_eq!(code, Some(0));
    assert!(idle > 1024, "{idle} KiB cannot be");
    let (flood, code) = peak(device).await;
    assert_eq!(code, Some(1));
    let above = flood.saturating_sub(idle);
    println!("{above} KiB above {idle} KiB");
    assert!(above <= BUDGET, "{above} KiB above idle");
}
