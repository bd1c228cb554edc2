//! From what a scenario says to what it means.

use rstest::rstest;
use std::fs;
use std::path::Path;
use std::time::Duration;
use urcheck::profile::Profile;
use urcheck::scenario::case::{
    Action, Case, Expect, Mode, Pattern, Piece, Target, Template, TemplatePart, Window,
};
use urcheck::scenario::lower::Bench;
use urcheck::suite::{Library, Suite};

/// A scenario folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn cases_with(root: &Path, profile: &Profile) -> Vec<Case> {
    let suite = Suite::load(Library::Folder(root.to_owned())).unwrap();
    assert!(
        suite.diagnostics().is_empty(),
        "{}",
        suite.diagnostics().render(false)
    );
    let bench = Bench::default();
    suite
        .entries()
        .map(|entry| {
            suite
                .case(&entry, profile, &bench)
                .unwrap_or_else(|found| panic!("{}", found.render(false)))
        })
        .collect()
}

fn cases(front: &str, body: &str) -> Vec<Case> {
    let text = format!("+++\nformat = 1\ntitle = \"t\"\n{front}+++\n{body}");
    cases_with(folder(&[("a.att", &text)]).path(), &Profile::default())
}

fn case(front: &str, body: &str) -> Case {
    cases(front, body).remove(0)
}

fn bytes(text: &str) -> Template {
    Template(vec![TemplatePart::Bytes(text.as_bytes().to_vec())])
}

/// Sends as text, captures as `<name>`.
fn sent(case: &Case) -> Vec<String> {
    case.steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Send(text) | Action::SendRaw(text) => Some(
                text.0
                    .iter()
                    .map(|part| match part {
                        TemplatePart::Bytes(bytes) => bytes.escape_ascii().to_string(),
                        TemplatePart::Capture(name) => format!("<{name}>"),
                    })
                    .collect(),
            ),
            _ => None,
        })
        .collect()
}

#[rstest]
#[case("> AT+SMTPSEND", "AT+SMTPSEND")]
#[case(">AT", "AT")]
#[case(r"> AT\r", r"AT\\r")]
#[case(r">> AT\r\n\x1a\0\\", r"AT\r\n\x1a\x00\\")]
#[case(r">> ${raw}\x1a", r"a\\\x1a")]
#[case("> $${limits.subject}", "${limits.subject}")]
#[case("> ${limits.subject}", "512")]
#[case("> ${timers.smtp} ${within.smtp} ${window.pop3}", "30s 35s 25s..35s")]
#[case(r#"> "${smtp.host}",${smtp.port}"#, r#"\"smtp.server.com\",25"#)]
#[case("> ${closed.host}", "closed.server.com")]
#[case("> ${fill(12)}", "123456789A12")]
#[case("> ${fill(width - 2 * 1)}", "1")]
#[case("> ${both}", "3 and 512")]
fn what_is_sent(#[case] line: &str, #[case] expected: &str) {
    let front = "[let]\nboth = \"${width} and ${limits.subject}\"\nwidth = 3\nraw = 'a\\'\n";
    let case = case(front, &format!("== one\n{line}\n"));
    assert_eq!(sent(&case), [expected]);
}

#[rstest]
#[case("< OK", Mode::Ordered, None)]
#[case("|[5s] OK", Mode::AnyOrder, Some((0, 5000)))]
#[case("?[1m30s]OK", Mode::Optional, Some((0, 90_000)))]
#[case("![300ms]  OK", Mode::Forbidden, Some((0, 300)))]
#[case("<[27s..33s] OK", Mode::Ordered, Some((27_000, 33_000)))]
#[case("<[${within.smtp}] OK", Mode::Ordered, Some((0, 35_000)))]
#[case("<[${window.pop3}] OK", Mode::Ordered, Some((25_000, 35_000)))]
#[case("<[1s..${timers.answer}] OK", Mode::Ordered, Some((1000, 5000)))]
fn what_is_expected(#[case] line: &str, #[case] mode: Mode, #[case] millis: Option<(u64, u64)>) {
    let case = case("", &format!("== one\n> AT\n{line}\n"));
    let Action::Expect(Expect {
        mode: got,
        window,
        pattern: Pattern::Line(pieces),
    }) = &case.steps[1].action
    else {
        panic!("{:?}", case.steps[1]);
    };
    let expected = millis.map(|(from, to)| Window {
        from: Duration::from_millis(from),
        to: Duration::from_millis(to),
    });
    assert_eq!((*got, *window), (mode, expected));
    assert!(matches!(pieces.as_slice(), [Piece::Text(text)] if *text == bytes("OK")));
    assert_eq!(
        (case.steps[1].place.line, case.steps[1].text.as_str()),
        (7, line)
    );
}

#[test]
fn other_lines() {
    let body = "== one\n~ settle\n~ 2s\n@smtp drop\n@device reset\n<<<\n ${kept} \n\nb\n<<<\n\
                < {{...}}\n<\n== two\n= \"${quote}\".size() == 3\n";
    let case = case("[let]\nquote = 'a\"\\'\n", body);
    let actions: Vec<_> = case.steps.iter().map(|step| &step.action).collect();
    assert!(matches!(actions[0], Action::Settle));
    assert!(matches!(actions[1], Action::Pause(time) if *time == Duration::from_secs(2)));
    assert!(
        matches!(actions[2], Action::Act { target: Target::Smtp, words } if words == &["drop"])
    );
    assert!(
        matches!(actions[3], Action::Act { target: Target::Device, words } if words == &["reset"])
    );
    assert!(matches!(actions[4], Action::Block(lines) if lines == &[" ${kept} ", "", "b"]));
    let Action::Expect(any) = actions[5] else {
        panic!("{:?}", actions[5])
    };
    assert!(matches!(any.pattern, Pattern::AnyLines));
    let Action::Expect(empty) = actions[6] else {
        panic!("{:?}", actions[6])
    };
    assert!(matches!(&empty.pattern, Pattern::Line(pieces) if pieces.is_empty()));
    assert!(matches!(actions[7], Action::Check(text) if text == r#""a\"\\".size() == 3"#));
    let sections: Vec<_> = case
        .steps
        .iter()
        .map(|step| (step.section, step.section_name.as_str()))
        .collect();
    assert_eq!(sections.first(), Some(&(0, "one")));
    assert_eq!(sections.last(), Some(&(1, "two")));
}

#[test]
fn holes_and_captures() {
    let body = "== one\n> AT+POP3NUM\n< +POP3: {{number:int}}{{=/,? /}}{{:int}}{{*}}\n\
                > AT+POP3GET=${number}\n< ${number} ${limits.body}\n";
    let case = case("", body);
    let Action::Expect(Expect {
        pattern: Pattern::Line(pieces),
        ..
    }) = &case.steps[1].action
    else {
        panic!("{:?}", case.steps[1]);
    };
    let holes: Vec<_> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Hole {
                name,
                regex,
                number,
                written,
            } => Some((name.as_deref(), regex.as_str(), *number, written.as_str())),
            Piece::Text(_) | Piece::Term(_) => None,
        })
        .collect();
    assert_eq!(
        holes,
        [
            (Some("number"), "-?[0-9]+", true, ":int"),
            (None, ",? ", false, "=/,? /"),
            (None, "-?[0-9]+", true, ":int"),
            (None, "[^\\r\\n]*", false, "*"),
        ]
    );
    assert_eq!(sent(&case), ["AT+POP3NUM", "AT+POP3GET=<number>"]);
}

#[test]
fn a_matrix_is_a_case_for_each_combination() {
    let front = "[smtp]\nsize = \"${size}\"\n[matrix]\nsize = [10, 20]\nname = [\"A b\", \"c\"]\n";
    let cases = cases(front, "== one\n> AT ${size} ${name}\n");
    let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["a[10-a-b]", "a[10-c]", "a[20-a-b]", "a[20-c]"]);
    assert_eq!(sent(&cases[2]), ["AT 20 A b"]);
    // A string that is nothing but a name becomes the value itself, here a number.
    assert_eq!(cases[2].smtp.size, 20);
    assert_eq!(cases[2].variables["size"], 20);
}

#[test]
fn rows_have_their_own_variables() {
    let front = "[[case]]\nname = \"No user\"\nuser = \"x\"\n[[case]]\nuser = \"${limits.body}\"\n";
    let cases = cases(front, "== one\n> AT ${user}\n");
    let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["a[no-user]", "a[limits-body]"]);
    assert_eq!(sent(&cases[1]), ["AT 5120"]);
}

#[test]
fn fragments_come_first_and_once_and_their_variables_can_be_overridden() {
    let fragment = |front: &str, line: &str| {
        format!("+++\nformat = 1\ntitle = \"f\"\n{front}+++\n== {line}\n> AT {line}\n")
    };
    let base = fragment("[let]\nuser = \"alice\"\nport = 25\n", "${user} ${port}");
    let left = fragment("requires = [\"smtp\"]\nuse = [\"base\"]\n", "left");
    let right = fragment("use = [\"base\"]\n", "right");
    let own = "+++\nformat = 1\ntitle = \"t\"\nuse = [\"left\", \"right\"]\n\
               [let]\nuser = \"bob\"\n+++\n== own\n> AT own\n";
    let folder = folder(&[
        ("fragments/base.att", &base),
        ("fragments/left.att", &left),
        ("fragments/right.att", &right),
        ("deep/own.att", own),
    ]);
    let cases = cases_with(folder.path(), &Profile::default());
    assert_eq!(cases.len(), 1, "fragments are no cases");
    let case = &cases[0];
    assert_eq!(case.id, "deep/own");
    assert_eq!(sent(case), ["AT bob 25", "AT left", "AT right", "AT own"]);
    assert_eq!(case.skip.as_deref(), Some("the device has no `smtp`"));
    assert_eq!(case.steps[3].section, 3);
    assert_eq!(case.steps[0].place.to_string(), "fragments/base.att:9");
}

#[rstest]
#[case(&[], &["AT one", "AT three"], Some("the device has no `x`"))]
#[case(&["x"], &["AT one", "AT two"], None)]
#[case(&["x", "y"], &["AT one", "AT two"], Some("the device has `y`"))]
fn gates(#[case] has: &[&str], #[case] expected: &[&str], #[case] skip: Option<&str>) {
    let text = "+++\nformat = 1\ntitle = \"t\"\nrequires = [\"x\", \"!y\"]\n+++\n\
                == one\n> AT one\n== two [if x]\n> AT two\n== three [if !x]\n> AT three\n";
    let mut profile = Profile::default();
    profile
        .set(&format!("capabilities={}", has.join(",")))
        .unwrap();
    let case = cases_with(folder(&[("a.att", text)]).path(), &profile).remove(0);
    assert_eq!(sent(&case), expected);
    assert_eq!(case.skip.as_deref(), skip);
}

#[test]
fn mails_come_from_files_and_from_texts() {
    let text = "+++\nformat = 1\ntitle = \"t\"\n[pop3]\naccounts = { un = \"${word}\" }\n\
                [[pop3.mail]]\nfile = \"mail/a.eml\"\n\
                [[pop3.mail]]\ncount = 2\ntext = \"\"\"\nSubject: ${n} ${word}\n\nHi\n\"\"\"\n\
                [let]\nword = \"w\"\n+++\n== one\n> AT+POP3IN\n";
    let folder = folder(&[("a.att", text), ("mail/a.eml", "Raw\nas it is\r\n")]);
    let case = cases_with(folder.path(), &Profile::default()).remove(0);
    assert_eq!(case.pop3.accounts["un"], "w");
    assert_eq!(
        case.pop3.mail,
        [
            b"Raw\nas it is\r\n".to_vec(),
            b"Subject: 1 w\r\n\r\nHi\r\n".to_vec(),
            b"Subject: 2 w\r\n\r\nHi\r\n".to_vec(),
        ]
    );
}

#[test]
fn checks_see_the_profile_and_the_variables() {
    let case = case(
        "[let]\nmine = [1, 2]\n",
        "== one\n> AT\n= mine.size() == 2\n",
    );
    assert_eq!(case.variables["mine"], serde_json::json!([1, 2]));
    assert_eq!(case.variables["limits"]["subject"], 512);
    assert_eq!(case.variables["timers"]["smtp"], 30.0);
    assert!(
        !case.variables.contains_key("smtp"),
        "that is what the server saw"
    );
}

#[test]
fn a_profile_can_inherit() {
    let folder = folder(&[
        (
            "profiles/base.toml",
            "title = \"Base\"\ncapabilities = [\"a\"]\n[timers]\nsmtp = \"9s\"\n",
        ),
        (
            "profiles/own.toml",
            "inherits = \"base\"\ntitle = \"Own\"\n[limits]\nsubject = 3\n",
        ),
    ]);
    let suite = Suite::load(Library::Folder(folder.path().to_owned())).unwrap();
    let profile = suite.profile("own").unwrap();
    assert_eq!(
        (profile.name.as_str(), profile.title.as_str()),
        ("own", "Own")
    );
    assert_eq!(profile.timers.smtp, Duration::from_secs(9));
    assert_eq!(profile.limits.subject, 3);
    assert!(profile.has("a"));
    let by_path = folder.path().join("profiles/base.toml");
    assert_eq!(
        suite.profile(by_path.to_str().unwrap()).unwrap().title,
        "Base"
    );
    let missing = suite.profile("bose").unwrap_err().render(false);
    assert!(missing.contains("did you mean `base`?"), "{missing}");
}

#[test]
fn what_a_skipped_case_speaks_of_need_not_be_known() {
    let front = "requires = [\"pictures\"]\n";
    let text = format!(
        "+++\nformat = 1\ntitle = \"t\"\n{front}+++\n== a\n> AT ${{files[\"C:/a.jpg\"].size}}\n"
    );
    let folder = folder(&[
        ("a.att", &text),
        ("clauses.toml", ""),
        (
            "profiles/p.toml",
            "title = \"p\"\ncapabilities = [\"pictures\"]\n",
        ),
    ]);
    let suite = Suite::load(Library::Folder(folder.path().to_owned())).unwrap();
    let without = Profile::default();
    assert!(suite.lint(&without, suite.scenarios()).is_empty());
    let with = suite.profile("p").unwrap();
    let found = suite.lint(&with, suite.scenarios()).render(false);
    assert!(
        found.contains("unknown name `files.C:/a.jpg.size`"),
        "{found}"
    );
}

#[test]
fn a_row_has_the_faults_of_its_scenario_and_its_own() {
    let front =
        "faults = [\"T01\"]\n[[case]]\nx = 1\n[[case]]\nx = 2\nfaults = [\"S10\", \"S50\"]\n";
    let cases = cases(front, "== a\n> AT${x}\n< OK\n");
    let faults: Vec<_> = cases.iter().map(|case| case.faults.join(" ")).collect();
    assert_eq!(faults, ["T01", "T01 S10 S50"]);
}
