//! The reference module over real lines: the flows of the note, real sockets, real time.

use crate::bench::{Ended, Guard, ended, urcheck};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Timers short enough for real time; the module gets the same.
const TIMERS: [&str; 4] = ["--set", "timers.smtp=4s", "--set", "timers.pop3=4s"];

/// Starts a module and waits until it says where it is.
fn module(arguments: &[&str]) -> (Guard, String) {
    let mut command = urcheck(&["module"]);
    command.args(arguments).args(TIMERS).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut place = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut place)
        .unwrap();
    (Guard(child), place.trim().to_owned())
}

fn run_on(dut: &str) -> Ended {
    let mut command = urcheck(&["run", "--dut", dut, "note/*", "smtp/auth-mechanisms"]);
    ended(command.args(TIMERS).output().unwrap())
}

#[test]
fn on_a_pty_by_its_link() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("dut");
    let (_module, place) = module(&["--link", link.to_str().unwrap()]);
    assert_eq!(place, link.to_str().unwrap());
    let first = run_on(&place);
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    // The same module once more: no case may depend on a fresh one.
    let second = run_on(&place);
    assert_eq!(second.code, Some(0), "{}{}", second.out, second.err);
}

#[test]
fn on_tcp() {
    let (_module, place) = module(&["--listen", "127.0.0.1:0"]);
    let ended = run_on(&place);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}

#[test]
fn started_by_the_harness_on_a_pty() {
    let program = env!("CARGO_BIN_EXE_urcheck");
    let timers = TIMERS.join(" ");
    let ended = run_on(&format!("pty:{program} module --stdio {timers}"));
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}

#[test]
fn a_case_that_ends_early_leaves_the_device_on_the_network() {
    let program = env!("CARGO_BIN_EXE_urcheck");
    let timers = TIMERS.join(" ");
    // It says nothing of the missing network, so that the case ends before AT+CGATT=1.
    let mutant = "u-network-error-missing";
    let dut = format!("pty:{program} module --stdio --mutant {mutant} {timers}");
    let cases = ["smtp/urc-network-error", "smtp/urc-ongoing-first-unharmed"];
    let mut command = urcheck(&["run", "--dut", &dut]);
    let ended = ended(command.args(cases).args(TIMERS).output().unwrap());
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    // The cases run in the order of their ids.
    assert!(
        ended.out.contains("2 cases: 1 pass, 1 fail"),
        "{}",
        ended.out
    );
}

#[test]
fn ctrl_c_prints_what_was_learnt() {
    let (_module, place) = module(&["--listen", "127.0.0.1:0"]);
    let mut command = urcheck(&["run", "--dut", &place]);
    command
        .args(TIMERS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(4), "{text}");
    assert!(
        text.contains("interrupted") && text.contains("1 pass"),
        "{text}"
    );
}
