//! What the program says when it is used, rightly or wrongly, without a device.

use crate::bench::{ended, run, suite_of, urcheck, write};
use rstest::rstest;
use std::io::Read;
use std::process::Stdio;

#[rstest]
#[case::no_such_command(&["rum"], 2)]
#[case::no_such_option(&["run", "--dutt", "sim"], 2)]
#[case::no_such_device_kind(&["run", "--dut", "tcp:nowhere"], 2)]
#[case::no_such_key(&["run", "--set", "timers.smpt=2s"], 2)]
#[case::no_such_scenario(&["run", "note/3.2-sent"], 2)]
#[case::no_such_profile(&["run", "--profile", "sim5361"], 3)]
#[case::no_such_report(&["run", "--report", "pdf=x"], 2)]
#[case::report_cannot_be_written(&["run", "--report", "json=/nonexistent/x.json"], 2)]
#[case::no_such_folder(&["run", "--scenarios", "/nonexistent"], 2)]
#[case::missing_port(&["run", "--dut", "/nonexistent/ttyUSB9"], 4)]
#[case::refused(&["run", "--dut", "tcp:127.0.0.1:1"], 4)]
#[case::module_setting(&["module", "--stdio", "--set", "echoo=off"], 2)]
fn a_mistake_is_named_and_has_its_exit_code(#[case] arguments: &[&str], #[case] code: i32) {
    let ended = run(arguments);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(code), ""),
        "{}",
        ended.err
    );
    let name = arguments.join(" ").replace(['/', ':', ' ', '='], "_");
    // Which ports there are is the machine's business.
    let filters = vec![(r"no such port \(.*\)", "no such port ([hint])")];
    insta::with_settings!({filters => filters}, {
        insta::assert_snapshot!(format!("mistake_{name}"), ended.err);
    });
}

#[rstest]
#[case("--help")]
#[case("run --help")]
#[case("module --help")]
#[case("serve --help")]
#[case("monitors --help")]
#[case("sweep --help")]
fn help_has_examples_and_exit_codes(#[case] arguments: &str) {
    let ended = run(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(format!("help_{}", arguments.replace(' ', "_")), ended.out);
}

#[test]
fn a_broken_scenario_stops_everything_before_a_device_is_touched() {
    let folder = suite_of("== s\n> AT\n< ${within.smpt}\n");
    let path = folder.path().to_str().unwrap();
    // The port does not exist: had it been touched, the exit code would be another one.
    let ended = run(&["run", "--scenarios", path, "--dut", "/nonexistent/tty"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""));
    insta::assert_snapshot!(ended.err);
}

#[test]
fn a_failing_case_is_shown_with_both_sides() {
    let folder = suite_of("== s\n> AT+CMEE?\n< +CMEE: 7\n< OK\n");
    let path = folder.path().to_str().unwrap();
    let ended = run(&["run", "--scenarios", path]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""));
    insta::with_settings!({filters => real_time()}, { insta::assert_snapshot!(ended.out) });
}

const DISPUTE: &str = r#"
[[dispute]]
id       = "at.names"
question = "What is the empty command answered with, and what the unknown one?"
default  = ["straight", "crossed"]

[[dispute.reading]]
id   = "straight"
text = "As always."
from = ["V.250"]
says = { "at.known" = "OK", "at.unknown" = "ERROR" }

[[dispute.reading]]
id   = "crossed"
text = "The other way round."
from = ["nobody"]
says = { "at.known" = "ERROR", "at.unknown" = "OK" }
"#;

/// The second scenario has its names crossed, so the module seems to follow the other reading.
#[test]
fn a_device_that_mixes_readings_fails_the_run_and_no_case() {
    let folder = suite_of("== s\n> AT\n< {{:at.known}}\n");
    let path = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join("disputes.toml"), DISPUTE).unwrap();
    write(folder.path(), "u", "== s\n> AT\n< {{:at.unknown}}\n");
    for only in ["t", "u"] {
        let alone = run(&["run", "--scenarios", path, only]);
        assert_eq!(
            (alone.code, alone.err.as_str()),
            (Some(0), ""),
            "{}",
            alone.out
        );
    }
    let both = run(&["run", "--scenarios", path]);
    assert_eq!((both.code, both.err.as_str()), (Some(1), ""));
    insta::with_settings!({filters => real_time()}, { insta::assert_snapshot!(both.out) });
    let chosen = run(&[
        "run",
        "--scenarios",
        path,
        "--set",
        "disputes.at.names=straight",
        "-q",
    ]);
    assert_eq!(chosen.code, Some(1));
    let reason = "`OK` follows reading `crossed` of at.names, the profile chose `straight`";
    assert!(chosen.out.contains(reason), "{}", chosen.out);
    assert!(
        !chosen.out.contains("keep to one reading"),
        "{}",
        chosen.out
    );
}

#[test]
fn the_flows_of_the_note_pass_twice_alike() {
    let first = run(&["run", "note/*"]);
    assert_eq!((first.code, first.err.as_str()), (Some(0), ""));
    insta::with_settings!({filters => real_time()}, { insta::assert_snapshot!(first.out) });
    let second = run(&["run", "note/*", "--jobs", "1"]);
    let cases = |text: &str| {
        text.lines()
            .filter(|l| !l.contains("real time"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(cases(&first.out), cases(&second.out));
}

#[test]
fn nothing_run_is_no_pass() {
    let folder = suite_of("== s\n> AT\n< OK\n");
    let text = std::fs::read_to_string(folder.path().join("t.att")).unwrap();
    let text = text.replace("format = 1", "format = 1\nrequires = [\"wings\"]");
    std::fs::write(folder.path().join("t.att"), text).unwrap();
    std::fs::write(
        folder.path().join("capabilities.toml"),
        "wings = \"It flies\"\n",
    )
    .unwrap();
    let ended = run(&["run", "--scenarios", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains("the device has no `wings`"),
        "{}",
        ended.out
    );
}

#[test]
fn the_json_report_is_json_and_counts_what_was_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let ended = run(&[
        "run",
        "note/4.*",
        "--report",
        &format!("json={}", file.display()),
    ]);
    assert_eq!(ended.code, Some(0));
    let text = std::fs::read_to_string(file).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["dut"], "sim");
    assert_eq!(report["summary"]["pass"], 7);
    assert_eq!(report["cases"].as_array().unwrap().len(), 7);
    assert_eq!(report["cases"][0]["id"], "note/4.1-configure");
}

#[test]
fn a_missing_port_leaves_an_older_report_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    std::fs::write(&file, "older").unwrap();
    let report = format!("json={}", file.display());
    let ended = run(&["run", "--dut", "/nonexistent/ttyUSB9", "--report", &report]);
    assert_eq!(ended.code, Some(4));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "older");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = suite_of("== s\n> AT\n< OK\n");
    for number in 0..200 {
        write(folder.path(), &format!("t{number}"), "== s\n> AT\n< OK\n");
    }
    let path = folder.path().to_str().unwrap();
    let mut command = urcheck(&["run", "--scenarios", path]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 8];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ended = ended(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

/// Real time differs from run to run.
fn real_time() -> Vec<(&'static str, &'static str)> {
    vec![("(?m)^.* of real time", "[time] of real time")]
}

/// A module that is not set up never connects, so a fault of the server never happens.
#[rstest]
#[case::needed("", 4)]
#[case::not_needed("needed = false\n", 0)]
fn a_fault_that_is_not_needed_leaves_nothing_open(#[case] key: &str, #[case] code: i32) {
    let folder = suite_of("== s\n> AT\n< OK\n");
    let text = format!(
        "+++\nformat = 1\ntitle = \"A fault\"\n\n[[smtp.fault]]\nwhen = \"hello\"\ndo = \"stall\"\n{key}\
         +++\n\n== s\n> AT+SMTPSEND\n< +SMTP: PARAM ERROR\n< ERROR\n"
    );
    std::fs::write(folder.path().join("fault.att"), text).unwrap();
    let ended = run(&["run", "--scenarios", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
}
