//! Lints of the servers: judged, or excused.

use super::{Excuse, LINTS};
use crate::monitor::story::Story;
use rstest::rstest;
use std::collections::BTreeSet;
use urcheck_reports::{EventKind, Protocol};
use urcheck_servers::fault::Rule;

/// The ids in the tables of a page.
fn documented(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let ids = cells.flat_map(|cell| cell.split('`'));
    ids.filter(|id| id.starts_with("smtp.") || id.starts_with("pop3."))
        .collect()
}

#[test]
fn every_lint_that_is_documented_is_judged_or_excused() {
    let smtp = documented(include_str!("../../../docs/checks.md"));
    let pop3 = documented(include_str!("../../../docs/checks-pop3.md"));
    assert!(smtp.len() > 30 && pop3.len() > 15);
    let documented: BTreeSet<_> = smtp.union(&pop3).copied().collect();
    let known: BTreeSet<_> = LINTS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(known, documented);
    assert_eq!(known.len(), LINTS.len());
}

fn protocol(id: &str) -> Protocol {
    match id.starts_with("smtp") {
        true => Protocol::Smtp,
        false => Protocol::Pop3,
    }
}

fn lint(story: Story, id: &str) -> Story {
    story.push(EventKind::Lint {
        protocol: protocol(id),
        connection: 1,
        id: id.to_owned(),
        message: "wrong".to_owned(),
    })
}

fn begun(id: &str) -> Story {
    match protocol(id) {
        Protocol::Smtp => Story::new()
            .send("AT+SMTPRCPT=0,0,\"a@b.test\",\"A B\"")
            .says("OK")
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .server(Protocol::Smtp, 1, "220 ready"),
        Protocol::Pop3 => {
            Story::new()
                .send("AT+POP3IN")
                .connected_pop3(1)
                .server(Protocol::Pop3, 1, "+OK ready")
        }
    }
}

fn count(story: &Story, id: &str) -> usize {
    match protocol(id) {
        Protocol::Smtp => story.found("legal.smtp").len(),
        Protocol::Pop3 => story.found("legal.pop3").len(),
    }
}

#[test]
fn every_lint_without_an_excuse_is_a_breach() {
    for (id, _, excuse) in LINTS {
        let story = lint(begun(id).client(protocol(id), 1, "APOP x y"), id);
        let breaches = usize::from(*excuse != Excuse::Always);
        assert_eq!(count(&story, id), breaches, "{id}");
        assert_eq!(count(&lint(story, id), id), breaches, "{id} twice");
    }
}

#[rstest]
#[case::stopped("AT+SMTPSTOP", "smtp.no-quit", 0)]
#[case::stopped_inside("AT+SMTPSTOP", "smtp.abandoned-message", 0)]
#[case::stopped_is_no_reason("AT+SMTPSTOP", "smtp.body-bare-lf", 1)]
#[case::off_the_network("AT+CGATT=0", "smtp.no-quit", 0)]
#[case::other("AT+CSQ", "smtp.no-quit", 1)]
#[case::given("AT+SMTPRCPT=0,1,\"not an address\"", "smtp.bad-address", 0)]
#[case::name_is_no_reason("AT+SMTPRCPT=0,1,\"c@d.test\",\"C D\"", "smtp.bad-address", 1)]
#[case::number("AT+POP3HDR=9", "pop3.no-such-message", 0)]
#[case::another_number("AT+POP3HDR=8", "pop3.no-such-message", 1)]
fn what_the_dte_did(#[case] line: &str, #[case] id: &str, #[case] breaches: usize) {
    let story = begun(id)
        .send(line)
        .says("OK")
        .client(protocol(id), 1, "TOP 9 0");
    assert_eq!(count(&lint(story, id), id), breaches);
}

#[rstest]
#[case::failed("+SMTP: AUTH ERROR", 0)]
#[case::succeeded("+SMTP: SUCCESS", 1)]
fn only_a_success_has_to_end_with_quit(#[case] report: &str, #[case] breaches: usize) {
    let story = Story::new()
        .send("AT+SMTPSEND")
        .connected_smtp(1)
        .server(Protocol::Smtp, 1, "220 ready")
        .says("OK")
        .client(Protocol::Smtp, 1, "EHLO x");
    let story = lint(story, "smtp.no-quit").says(report);
    assert_eq!(count(&story, "smtp.no-quit"), breaches);
}

#[rstest]
#[case("TOP 1 0", 0)]
#[case("APOP un x", 1)]
fn optional_commands_may_be_tried(#[case] line: &str, #[case] breaches: usize) {
    let id = "pop3.not-offered";
    let story = begun(id).client(Protocol::Pop3, 1, line);
    assert_eq!(count(&lint(story, id), id), breaches);
}

#[rstest]
#[case(
    r#"{"when": "rcpt", "do": "inject", "text": "250 x"}"#,
    "smtp.bad-sequence",
    0
)]
#[case(
    r#"{"when": "rcpt", "do": "split", "at": [1]}"#,
    "smtp.bad-sequence",
    1
)]
#[case(
    r#"{"when": "rcpt", "do": "reply", "text": "550 x"}"#,
    "smtp.no-quit",
    1
)]
#[case(r#"{"when": "rcpt", "do": "reply", "raw": "25"}"#, "smtp.no-quit", 0)]
#[case(
    r#"{"when": "rcpt", "do": "inject", "text": "250 x"}"#,
    "smtp.header-missing",
    1
)]
fn what_the_server_did(#[case] rule: &str, #[case] id: &str, #[case] breaches: usize) {
    let mut story = begun(id);
    story.case.smtp.fault = vec![serde_json::from_str::<Rule>(rule).unwrap()];
    let story = story.push(EventKind::Fault {
        protocol: Protocol::Smtp,
        connection: 1,
        rule: 0,
        what: String::new(),
    });
    assert_eq!(count(&lint(story, id), id), breaches);
}

#[rstest]
#[case(10.0, 1)]
#[case(31.0, 0)]
fn a_client_whose_timer_ran_out_leaves(#[case] seconds: f64, #[case] breaches: usize) {
    let story = begun("smtp.no-quit").after(seconds);
    let story = story.wire(Protocol::Smtp, 1, "client closed");
    assert_eq!(
        count(&lint(story, "smtp.no-quit"), "smtp.no-quit"),
        breaches
    );
}
