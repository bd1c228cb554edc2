//! The sweep as its users meet it.

use crate::bench::{Ended, run, suite_of, urcheck};
use rstest::rstest;
use std::path::Path;
use tempfile::TempDir;

fn sweep(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = urcheck(&["sweep"]);
    crate::bench::ended(
        command
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap(),
    )
}

/// Ids of the cases in a JSON report.
fn ids(path: &Path) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    cases
        .map(|case| case["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_reference_module_stands_a_sweep_of_its_flows() {
    let folder = TempDir::new().unwrap();
    let flows = [
        "smtp/send-simple",
        "pop3/delete-then-out",
        "--report",
        "json=sweep.json",
    ];
    let ended = sweep(folder.path(), &flows);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (Some(0), ""),
        "{}",
        ended.out
    );
    let ids = ids(&folder.path().join("sweep.json"));
    assert!(ended.out.starts_with("2 flows, "), "{}", ended.out);
    assert!(
        ended.out.contains(&format!(" {} trials\n", ids.len())),
        "{}",
        ended.out
    );
    // Every reply of a session, cut in the middle and kept back; the message; the connection.
    for trial in [
        "smtp/send-simple@smtp-connect:refuse",
        "smtp/send-simple@smtp-greeting:stall",
        "smtp/send-simple@smtp-rcpt:never",
        "smtp/send-simple@smtp-body:stop-reading-after-1",
        "smtp/send-simple@smtp-dot:split-at-4",
        "smtp/send-simple@smtp-quit:late",
        "pop3/delete-then-out@pop3-greeting:half-status",
        "pop3/delete-then-out@pop3-dele:drip",
        "pop3/delete-then-out@pop3-quit:first-1-then-rst",
    ] {
        assert!(
            ids.iter().any(|id| id == trial),
            "{trial} is not in {ids:?}"
        );
    }
    assert!(!folder.path().join("sweep-findings").exists());
}

#[test]
fn a_shallow_sweep_is_chosen_by_its_seed() {
    let folder = TempDir::new().unwrap();
    let chosen = |seed: &str| {
        let arguments = [
            "smtp/send-simple",
            "--shallow",
            "5",
            "--seed",
            seed,
            "--report",
            "json=x",
        ];
        let ended = sweep(folder.path(), &arguments);
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
        ids(&folder.path().join("x"))
    };
    let (one, again, other) = (chosen("1"), chosen("1"), chosen("2"));
    assert_eq!(one.len(), 5);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[rstest]
#[case::faults_of_its_own("smtp/urc-released", 2, "smtp/urc-released[")]
#[case::unknown("note/3.2-sent", 2, "did you mean `note/3.2-send`?")]
fn what_cannot_be_swept_is_refused(#[case] flow: &str, #[case] code: i32, #[case] words: &str) {
    let ended = run(&["sweep", flow]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(code), ""),
        "{}",
        ended.err
    );
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_flow_that_does_not_pass_is_no_place_to_start_from() {
    let suite = suite_of("== s\n> AT+CMEE?\n< +CMEE: 7\n< OK\n");
    let ended = run(&["sweep", "t", "--scenarios", suite.path().to_str().unwrap()]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(
        ended.err.starts_with("error: t does not pass as it is"),
        "{}",
        ended.err
    );
}

/// A bug that only a reply in pieces shows: found, written down, and found again by the file alone.
#[rstest]
#[case::smtp("s-segment-is-reply", "smtp/send-simple")]
#[case::pop3("p-segment-is-answer", "pop3/delete-then-out")]
fn what_a_sweep_writes_is_a_suite_that_finds_the_same(#[case] mutant: &str, #[case] flow: &str) {
    let folder = TempDir::new().unwrap();
    let dut = format!("sim:{mutant}");
    // The flow alone does not show it.
    let plain = run(&["run", flow, "--dut", &dut]);
    assert_eq!(plain.code, Some(0), "{}{}", plain.out, plain.err);

    let swept = sweep(folder.path(), &[flow, "--dut", &dut, "--write", "found"]);
    assert_eq!(swept.code, Some(1), "{}{}", swept.out, swept.err);
    let found = folder.path().join("found");
    let files = std::fs::read_dir(&found).unwrap().count();
    assert!(files > 0, "{}", swept.out);

    let found = found.to_str().unwrap();
    let lint = run(&["lint", "--scenarios", found]);
    assert_eq!(lint.code, Some(0), "{}{}", lint.out, lint.err);
    let clean = format!("{files} scenarios, {files} cases: no mistakes\n");
    assert_eq!(lint.out, clean, "{}", lint.err);

    let report = folder.path().join("again.json");
    let target = format!("json={}", report.display());
    let again = run(&[
        "run",
        "--scenarios",
        found,
        "--dut",
        &dut,
        "--report",
        &target,
    ]);
    assert_eq!(again.code, Some(1), "{}{}", again.out, again.err);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["summary"]["fail"], files, "{}", again.out);

    let shipped = run(&["run", "--scenarios", found]);
    assert_eq!(shipped.code, Some(0), "{}{}", shipped.out, shipped.err);
}
