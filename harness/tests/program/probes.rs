//! What a device need not have: it is asked, unless a profile vouches for it.

use crate::bench::{Ended, ended, run, urcheck};
use rstest::rstest;

/// Runs what needs the pictures of note 3.2, and one case that does not, on a module with these
/// settings.
fn run_on(module: &[&str], arguments: &[&str]) -> Ended {
    let program = env!("CARGO_BIN_EXE_urcheck");
    let dut = format!("pty:{program} module --stdio {}", module.join(" "));
    let mut command = urcheck(&["run", "--dut", &dut]);
    command
        .args(arguments)
        .args(["at/empty", "fs/change-directory"]);
    ended(command.output().unwrap())
}

const BARE: [&str; 2] = ["--set", "storage.factory-files=off"];

#[test]
fn what_is_not_there_is_skipped_and_said() {
    let ended = run_on(&BARE, &[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    for text in [
        "2 cases: 1 pass, 1 skipped",
        "the device has no `pictures`",
        "pictures          C:/Picture holds the two files of note 3.2 and nothing else: got `ERROR`",
    ] {
        assert!(ended.out.contains(text), "{text}: {}", ended.out);
    }
    assert!(
        !ended.out.contains("big-file"),
        "nothing selected needs it: {}",
        ended.out
    );
}

#[test]
fn what_is_there_is_demanded() {
    let ended = run_on(&[], &["--report", "json=/dev/stderr", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("2 cases: 2 pass"), "{}", ended.out);
    let report: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(
        report["probes"],
        serde_json::json!([{ "capability": "pictures" }])
    );
}

#[rstest]
#[case::by_hand("capabilities=pictures")]
#[case::nothing_in_doubt("probe=")]
fn what_a_profile_vouches_for_is_demanded(#[case] assignment: &str) {
    let ended = run_on(&BARE, &["--set", assignment]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains("2 cases: 1 pass, 1 fail"),
        "{}",
        ended.out
    );
}

#[test]
fn what_only_the_embedded_module_has_is_skipped_where_nothing_is_asked() {
    let program = env!("CARGO_BIN_EXE_urcheck");
    let dut = format!("pty:{program} module --stdio");
    let case = "smtp/pause-inside-content";
    let ended = run(&["run", "--dut", &dut, "--set", "probe=", "at/empty", case]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    for text in [
        "2 cases: 1 pass, 1 skipped",
        "the device has no `memory-network`",
    ] {
        assert!(ended.out.contains(text), "{text}: {}", ended.out);
    }
}

#[test]
fn a_flow_that_the_device_cannot_play_is_not_swept() {
    let program = env!("CARGO_BIN_EXE_urcheck");
    let dut = format!("pty:{program} module --stdio {}", BARE.join(" "));
    let ended = run(&["sweep", "--dut", &dut, "note/3.2-send"]);
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    assert!(
        ended.err.contains("the device has no `pictures`"),
        "{}",
        ended.err
    );
}

#[test]
fn what_nobody_can_ask_for_is_a_mistake() {
    let ended = run(&["lint", "--set", "probe=picture"]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    let text = format!("{}{}", ended.out, ended.err);
    assert!(
        text.contains("there is no probe for a capability `picture`"),
        "{text}"
    );
    assert!(text.contains("did you mean `pictures`?"), "{text}");
}
