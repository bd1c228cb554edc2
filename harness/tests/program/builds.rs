//! Mutants and conforming variants of the reference module, by name.

use crate::bench::{ended, run, urcheck};
use rstest::rstest;

#[rstest]
#[case::mutant("sim:u-success-misspelt", 1)]
#[case::variant("sim:byte-by-byte", 0)]
fn the_embedded_module_is_the_build_that_was_asked_for(#[case] dut: &str, #[case] code: i32) {
    let ended = ended(urcheck(&["run", "--dut", dut, "note/*"]).output().unwrap());
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains(dut), "{}", ended.out);
}

#[rstest]
#[case::run(&["run", "--dut", "sim:p-stop-comits"], "did you mean `p-stop-commits`?")]
#[case::mutant(&["module", "--stdio", "--mutant", "p-stop-comits"], "did you mean `p-stop-commits`?")]
#[case::variant(&["module", "--stdio", "--variant", "okfirst"], "did you mean `ok-first`?")]
#[case::not_a_variant(&["module", "--stdio", "--variant", "p-stop-commits"], "no variant")]
fn a_mistyped_name_is_told(#[case] arguments: &[&str], #[case] hint: &str) {
    let ended = ended(urcheck(arguments).output().unwrap());
    assert_eq!(ended.code, Some(2), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains(hint), "{}", ended.err);
}

#[test]
fn the_list_has_names_sentences_and_grounds() {
    let ended = ended(urcheck(&["module", "--list-mutants"]).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let mutant = "p-stop-commits\n    AT+POP3STOP sends QUIT, so that marked e-mails are deleted\n    \
                  breaks pop3.del.only-marks, pop3.stop.force\n";
    assert!(ended.out.contains(mutant), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("\nok-first\n    OK comes before +SMTP: OK\n    allowed by ")
    );
}

#[test]
fn a_known_bug_is_named_by_what_it_looks_like() {
    let ended = run(&[
        "run",
        "-q",
        "--dut",
        "sim:p-stop-commits",
        "pop3/delete-*",
        "pop3/again-*",
    ]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let words = "behaves like `p-stop-commits`: AT+POP3STOP sends QUIT";
    assert!(ended.out.contains(words), "{}", ended.out);
}

#[test]
fn what_is_like_no_known_bug_is_not_compared() {
    let folder = crate::bench::suite_of("== s\n> AT+CMEE?\n< +CMEE: 7\n< OK\n");
    let ended = run(&["run", "--scenarios", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(!ended.out.contains("behaves like"), "{}", ended.out);
}
