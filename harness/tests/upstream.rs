//! The same scenarios with `mailin-embedded` behind the SMTP wire: what the device is told then
//! comes from a server that this project did not write.

#![cfg(feature = "mailin-embedded")]
#![expect(clippy::expect_used, reason = "a test ends at the first surprise")]

use std::process::Command;

/// What these cases say of the server is not true of a foreign one behind the wire: extensions that
/// it does not have are offered in its name, a limit that it does not know, replies ahead of its own.
const NOT_HONEST: [&str; 3] = [
    "smtp/extension-lists",
    "smtp/lines-in-one-segment",
    "smtp/urc-too-large",
];

fn urcheck(arguments: &[&str]) -> std::process::Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_urcheck"));
    program.args(arguments).output().expect("urcheck starts")
}

#[test]
fn the_suite_passes_with_a_foreign_smtp_server_behind_the_wire() {
    let listed = urcheck(&["list", "--json", "note/*", "smtp/*"]).stdout;
    let listed: serde_json::Value = serde_json::from_slice(&listed).expect("the list is JSON");
    let scenarios = listed.as_array().expect("the list is an array").iter();
    let ids = scenarios.filter_map(|scenario| scenario["id"].as_str());
    let honest = ids.filter(|id| !NOT_HONEST.iter().any(|other| id.starts_with(other)));
    let honest: Vec<&str> = honest.collect();
    assert!(honest.len() > 100, "{honest:?}");

    let run = ["run", "--smtp-engine", "mailin-embedded", "--verbose"];
    let output = urcheck(&[&run, honest.as_slice()].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    // The built-in engine never calls itself so.
    assert!(
        text.contains("S:    220 upstream.test"),
        "mailin-embedded greeted nobody"
    );
}
