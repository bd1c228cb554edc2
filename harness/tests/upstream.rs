//! The same scenarios with `mailin-embedded` behind the SMTP wire: what the device is told then
//! comes from a server that this project did not write.

#![cfg(feature = "mailin-embedded")]

use std::process::Command;

#[test]
fn the_suite_passes_with_a_foreign_smtp_server_behind_the_wire() {
    let output = Command::new(env!("CARGO_BIN_EXE_urcheck"))
        .args(["run", "--smtp-engine", "mailin-embedded", "--verbose"])
        .args(["note/*", "smtp/*"])
        .output()
        .expect("urcheck starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    // The built-in engine never calls itself so.
    assert!(
        text.contains("S:    220 upstream.test"),
        "mailin-embedded greeted nobody"
    );
}
