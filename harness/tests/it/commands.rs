//! The commands that need no device, on a small suite.

use rstest::rstest;
use std::path::PathBuf;
use urcheck::cli::{coverage, explain, fmt, lint, list, monitors};
use urcheck::exit::Exit;
use urcheck::monitor;
use urcheck::profile::Profile;
use urcheck::suite::{Library, Suite};

fn suite() -> Suite {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/small_suite");
    Suite::load(Library::Folder(PathBuf::from(root))).unwrap()
}

fn selectors(of: &[&str]) -> Vec<String> {
    of.iter().map(|one| (*one).to_owned()).collect()
}

#[rstest]
#[case(&[], &["pop3/number[0]", "pop3/number[2]", "smtp/send"])]
#[case(&["smtp/send"], &["smtp/send"])]
#[case(&["./scenarios/smtp/send.att"], &["smtp/send"])]
#[case(&["smtp/send", "pop3"], &["pop3/number[0]", "pop3/number[2]", "smtp/send"])]
#[case(&["pop3/"], &["pop3/number[0]", "pop3/number[2]"])]
#[case(&["pop3/number[2]"], &["pop3/number[2]"])]
#[case(&["pop3/number[*]"], &["pop3/number[0]", "pop3/number[2]"])]
#[case(&["*/send", "smtp/*"], &["smtp/send"])]
#[case(&["**"], &["pop3/number[0]", "pop3/number[2]", "smtp/send"])]
#[case(&["smtp.send"], &["smtp/send"])]
#[case(&["clause:pop3.*"], &["pop3/number[0]", "pop3/number[2]"])]
#[case(&["section:3"], &["smtp/send"])]
#[case(&["fault:S1*"], &["smtp/send"])]
fn selecting(#[case] of: &[&str], #[case] expected: &[&str]) {
    let suite = suite();
    let selection = suite.select(&selectors(of)).unwrap();
    let ids: Vec<_> = selection
        .entries
        .iter()
        .map(|entry| entry.id.as_str())
        .collect();
    assert_eq!(ids, expected);
}

#[rstest]
#[case(
    "smtp/sned",
    "nothing is selected by `smtp/sned`; did you mean `smtp/send`?"
)]
#[case(
    "smtp.stop",
    "nothing is selected by `smtp.stop`: no scenario covers this clause"
)]
#[case("*", "nothing is selected by `*`")]
#[case(
    "smtp/[a-s]*",
    "nothing is selected by `smtp/[a-s]*`: `[…]` is a case of a scenario; one letter of several is `{a,b}`"
)]
#[case(
    "a/{b",
    "`a/{b` is no pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)"
)]
fn selecting_nothing(#[case] of: &str, #[case] message: &str) {
    let suite = suite();
    let errors = suite.select(&selectors(&[of])).unwrap_err();
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [message]
    );
}

#[test]
fn listing() {
    let suite = suite();
    let all = suite.select(&[]).unwrap();
    let (text, exit) = list::list(&all, false);
    assert_eq!(exit, Exit::Passed);
    insta::assert_snapshot!(text, @"
    pop3/number[0]  should  0 e-mails are counted
    pop3/number[2]  should  2 e-mails are counted
    smtp/send       must    An e-mail is sent
    ");
    let (json, _) = list::list(&all, true);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["id"], "pop3/number[2]");
    assert_eq!(json[2]["requires"], serde_json::json!(["smtp"]));
    assert_eq!(json[2]["faults"], serde_json::json!(["S10"]));
}

#[test]
fn explaining() {
    let suite = suite();
    let selection = suite.select(&selectors(&["smtp/send"])).unwrap();
    let (text, exit) = explain::explain(&suite, &selection, &Profile::default(), false);
    assert_eq!(exit, Exit::Passed);
    insta::assert_snapshot!(text);
}

#[test]
fn coverage_fails_on_a_must_that_nothing_covers_and_a_fault_that_nothing_provokes() {
    let (text, exit) = coverage::coverage(&suite());
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!(text);
}

#[test]
fn linting() {
    let suite = suite();
    let all = suite.select(&[]).unwrap();
    let profile = suite.profile("small").unwrap();
    let (text, exit) = lint::lint(&suite, &all, &profile, false);
    assert_eq!(
        (text.as_str(), exit),
        ("2 scenarios, 3 cases: no mistakes\n", Exit::Passed)
    );
}

#[test]
fn the_embedded_suite_has_no_mistakes() {
    let suite = Suite::load(Library::Embedded).unwrap();
    let all = suite.select(&[]).unwrap();
    for name in suite.profiles() {
        let profile = suite.profile(name).unwrap();
        let (text, exit) = lint::lint(&suite, &all, &profile, false);
        assert_eq!(exit, Exit::Passed, "{text}");
        for entry in &all.entries {
            let case = suite.case(entry, &profile, &Default::default());
            assert!(case.is_ok(), "{}", case.unwrap_err().render(false));
        }
    }
}

#[test]
fn formatting_changes_a_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.att");
    let before = "+++\nformat = 1\ntitle = \"t\"\n+++\n== one\n>AT\n<   OK\n";
    std::fs::write(&path, before).unwrap();
    let paths = [folder.path().to_owned()];
    let (text, exit) = fmt::fmt(&paths, true, false);
    assert_eq!(
        (text, exit),
        (format!("would change {}\n", path.display()), Exit::Failed)
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    let (text, exit) = fmt::fmt(&paths, false, false);
    assert_eq!(
        (text, exit),
        (format!("changed {}\n", path.display()), Exit::Passed)
    );
    let after = "+++\nformat = 1\ntitle = \"t\"\n+++\n\n== one\n> AT\n< OK\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
    assert_eq!(fmt::fmt(&paths, true, false), (String::new(), Exit::Passed));
    std::fs::write(&path, "OK\n").unwrap();
    let (text, exit) = fmt::fmt(&paths, false, false);
    assert_eq!(exit, Exit::Scenario);
    assert!(text.contains("no-front-matter"), "{text}");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "OK\n",
        "files with mistakes are kept"
    );
}

#[test]
fn monitors_are_listed_in_columns() {
    let text = monitors::monitors();
    let (table, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(table.lines().count(), monitor::all().count());
    assert_eq!(rest.lines().count(), 2);
    let mut starts: Vec<_> = table
        .lines()
        .zip(monitor::all())
        .map(|(line, monitor)| {
            let basis = line.find(&monitor.basis.to_string()).unwrap();
            let about = line.rfind(monitor.about).unwrap();
            assert!(line.starts_with(monitor.id), "{line}");
            (basis, about)
        })
        .collect();
    starts.dedup();
    assert_eq!(starts.len(), 1, "{table}");
}
