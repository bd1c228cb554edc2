//! Devices that misbehave, each a thread on a real PTY. None of them may hang, crash or bloat the
//! harness, and each must leave a finding that says what was wrong.

use crate::bench::{Ended, pty, suite_of, urcheck, write};
use rstest::rstest;
use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

/// What a device does with each command line; `None`: it goes away.
type Device = fn(&str, usize) -> Option<Vec<u8>>;

/// Runs two cases, `a` and `b`, which each send a command and want `OK`.
///
/// `answer` and `boot` are waited out where a device stays silent, and nowhere else.
fn run_on(device: Device, answer: &str, boot: &str) -> Ended {
    run_cases(&["a", "b"], device, answer, boot)
}

/// Runs cases, of which `a` sends `ATI` and wants two lines, and the others `ATB` and `OK`.
fn run_cases(names: &[&str], device: Device, answer: &str, boot: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let dialogue = match *name {
            "a" => "== s\n> ATI\n< urcheck\n< OK\n",
            _ => "== s\n> ATB\n< OK\n",
        };
        write(folder.path(), name, dialogue);
    }
    let (controller, keeper, path) = pty();
    let thread = std::thread::spawn(move || play(controller, device));
    let mut command = urcheck(&["run", "--dut", &path, "--scenarios"]);
    command.arg(folder.path());
    for (timer, value) in [("answer", answer), ("boot", boot), ("settle", "30ms")] {
        command.args(["--set", &format!("timers.{timer}={value}")]);
    }
    let ended = crate::bench::ended(command.output().unwrap());
    // With the last user side closed the device's read fails, and its thread ends.
    drop(keeper);
    thread.join().unwrap();
    ended
}

/// The verdicts of the cases, in the order in which they were told.
fn told(ended: &Ended) -> Vec<(&str, &str)> {
    ended
        .out
        .lines()
        .filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                [verdict, _, "s", id] => Some((*id, *verdict)),
                _ => None,
            }
        })
        .collect()
}

fn play(mut line: File, device: Device) {
    let mut buffer = [0; 1024];
    let mut open = String::new();
    let mut count = 0;
    while let Ok(read) = line.read(&mut buffer) {
        open.push_str(&String::from_utf8_lossy(&buffer[..read]));
        while let Some((command, rest)) = open.clone().split_once('\r') {
            count += 1;
            let Some(answer) = device(command.trim_matches('\x1b'), count) else {
                return;
            };
            if line.write_all(&answer).is_err() {
                return;
            }
            open = rest.to_owned();
        }
    }
}

fn honest(command: &str) -> Option<Vec<u8>> {
    let text = if command == "ATI" {
        "\r\nurcheck\r\n\r\nOK\r\n"
    } else {
        "\r\nOK\r\n"
    };
    Some(text.as_bytes().to_vec())
}

/// A program that answers one `AT`, reads one command line of four octets, and then does this.
fn run_program(then: &str) -> Ended {
    let folder = suite_of("== s\n> ATB\n< OK\n");
    write(folder.path(), "u", "== s\n> ATC\n< OK\n");
    let take = |count: u8| format!("dd bs=1 count={count} of=/dev/null 2>/dev/null");
    let script = folder.path().join("device");
    let text = format!(
        "stty raw -echo\n{}\nprintf '\\r\\nOK\\r\\n'\n{}\n{then}\n",
        take(3),
        take(4)
    );
    std::fs::write(&script, text).unwrap();
    let dut = format!("pty:sh {}", script.display());
    let mut command = urcheck(&["run", "--dut", &dut, "--scenarios"]);
    crate::bench::ended(command.arg(folder.path()).output().unwrap())
}

/// A program that ends while it is the device has failed; one that somebody else ends has not.
#[rstest]
#[case::crash("kill -SEGV $$", 1, "signal: 11")]
#[case::end("exit 3", 1, "exit status: 3")]
#[case::from_outside("kill -TERM $$", 4, "signal: 15")]
fn a_program_that_ends_within_a_case(#[case] then: &str, #[case] code: i32, #[case] how: &str) {
    let ended = run_program(then);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    let text = format!("the program ended while it was the device: {how}");
    assert!(ended.out.contains(&text), "{}", ended.out);
    assert!(ended.out.contains("not run (1)"), "{}", ended.out);
}

#[rstest]
#[case::honest(|command: &str, _| honest(command))]
#[case::network_urcs(|command: &str, _| {
    let mut answer = b"\r\nRING\r\n\r\n+CREG: 1,5\r\n".to_vec();
    answer.extend(honest(command)?);
    Some(answer)
})]
fn these_pass(#[case] device: Device) {
    let ended = run_on(device, "20s", "20s");
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}

#[rstest]
#[case::never_answers(|_: &str, _| Some(Vec::new()), 4, "did not answer `AT` with `OK`")]
#[case::no_line_end(|command: &str, _| if command == "ATI" { Some(b"\r\nurcheck".to_vec()) } else { honest(command) }, 1, "without a line end")]
#[case::garbage(|command: &str, _| if command == "ATI" { Some((0..=255).cycle().take(5000).collect()) } else { honest(command) }, 1, "unexpected line")]
#[case::flood(|command: &str, _| if command == "ATI" { Some(vec![b'x'; 64 << 20]) } else { honest(command) }, 1, "the device sent more than 4194304 bytes")]
#[case::echo_that_is_off(|command: &str, _| {
    let mut answer = command.as_bytes().to_vec();
    answer.extend(b"\r");
    answer.extend(honest(command)?);
    Some(answer)
}, 1, "unexpected line `ATI`")]
#[case::bare_line_feeds(|command: &str, _| {
    Some(honest(command)?.into_iter().filter(|byte| *byte != b'\r').collect())
}, 1, "ends with LF alone instead of CR LF")]
#[case::gone(|command: &str, _| if command == "ATI" { None } else { honest(command) }, 4, "/dev/pts/")]
#[case::stuck(|command: &str, count| if count > 2 && command == "AT" { Some(Vec::new()) } else { honest(command) }, 1, "after the case the device did not answer `AT` any more")]
fn these_leave_a_finding(#[case] device: Device, #[case] code: i32, #[case] finding: &str) {
    let ended = run_on(device, "500ms", "1s");
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains(finding), "{}{}", ended.out, ended.err);
}

#[test]
fn a_device_that_is_gone_leaves_the_cases_so_far() {
    // It answers the first case and goes away in the second.
    let vanish = |command: &str, _| {
        if command == "ATB" {
            None
        } else {
            honest(command)
        }
    };
    let ended = run_on(vanish, "20s", "20s");
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    assert!(
        ended
            .out
            .lines()
            .any(|line| line.contains("pass") && line.ends_with("  a"))
    );
}

#[test]
fn a_device_that_goes_between_two_cases_leaves_each_case_told_once() {
    // It goes away at the first command of the second case: AT, ATI, and three behind the case.
    let vanish = |command: &str, count| if count > 5 { None } else { honest(command) };
    let ended = run_on(vanish, "20s", "20s");
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    assert_eq!(told(&ended), [("a", "pass")], "{}", ended.out);
    assert!(ended.out.contains("not run (1)\n  b\n"), "{}", ended.out);
}

#[test]
fn a_device_that_never_answers_is_given_up() {
    let ended = run_cases(
        &["a", "b", "c", "d", "e"],
        |_, _| Some(Vec::new()),
        "100ms",
        "200ms",
    );
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    let errors = [("a", "error"), ("b", "error"), ("c", "error")];
    assert_eq!(told(&ended), errors, "{}", ended.out);
    assert!(
        ended.out.contains("it sent nothing at all"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("not run (2)\n  d\n  e\n"),
        "{}",
        ended.out
    );
}

#[test]
fn a_device_that_talks_and_never_says_ok_has_failed() {
    let bare = |_: &str, _| Some(b"OK".to_vec());
    let ended = run_on(bare, "200ms", "200ms");
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let words = "answers `AT`, but never with `OK`; it sent `OK` without a line end";
    assert!(ended.out.contains(words), "{}", ended.out);
}

#[test]
fn what_cannot_be_read_may_be_another_speed_and_is_no_failure() {
    let noise = |_: &str, _| Some(vec![0xff, 0x80, b'O']);
    let ended = run_on(noise, "200ms", "200ms");
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    let words = "did not answer `AT` with `OK` within 200ms; it sent `\\xff\\x80O";
    assert!(ended.out.contains(words), "{}", ended.out);
}

#[test]
fn a_device_that_floods_once_still_gets_the_next_case() {
    let flood = |command: &str, _| match command {
        "ATI" => Some(vec![b'x'; 17 << 20]),
        _ => honest(command),
    };
    let ended = run_on(flood, "5s", "60s");
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(
        told(&ended),
        [("a", "fail"), ("b", "pass")],
        "{}",
        ended.out
    );
}

#[test]
fn a_device_left_in_a_text_is_charged_to_the_case_that_left_it_there() {
    // Behind `ATI` it takes everything for text, until ESC ends that.
    let ended = run_on(
        |command: &str, count| match (command, count) {
            ("AT", 3) => Some(Vec::new()),
            _ => honest(command),
        },
        "1s",
        "20s",
    );
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(
        told(&ended),
        [("a", "fail"), ("b", "pass")],
        "{}",
        ended.out
    );
    let words = "after the case the device answered `AT` only after an ESC";
    assert!(ended.out.contains(words), "{}", ended.out);
}

#[test]
fn a_connection_that_is_closed_loses_the_line_by_name() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut buffer = [0; 64];
        let read = line.read(&mut buffer).unwrap();
        assert_eq!(&buffer[..read], b"AT\r");
    });
    let folder = suite_of("== s\n> AT\n< OK\n");
    let mut command = urcheck(&["run", "--dut", &format!("tcp:{address}"), "--scenarios"]);
    let ended = crate::bench::ended(command.arg(folder.path()).output().unwrap());
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    // Not before: it waits for a connection.
    thread.join().unwrap();
    let words = format!("The run ended early: tcp:{address}: the other side closed it");
    assert!(ended.out.contains(&words), "{}", ended.out);
}

#[test]
fn a_busy_port_is_named() {
    let (_controller, _keeper, path) = pty();
    let _owner = serialport::new(&path, 9600)
        .timeout(Duration::from_secs(1))
        .open()
        .unwrap();
    let folder = suite_of("== s\n> AT\n< OK\n");
    let mut command = urcheck(&["run", "--dut", &path, "--scenarios"]);
    let ended = crate::bench::ended(command.arg(folder.path()).output().unwrap());
    assert_eq!(ended.code, Some(4));
    assert_eq!(
        ended.err,
        format!("error: {path}: busy, another program has it open\n")
    );
}
