//! Truth and lies about sendings.

use crate::monitor::story::Story;
use rstest::rstest;
use serde_json::{Value, json};
use urcheck_reports::Protocol::Smtp;

fn begun() -> Story {
    Story::new().send("AT+SMTPSEND").connected_smtp(1)
}

fn dialogue(story: Story) -> Story {
    story
        .server(Smtp, 1, "220 ready")
        .client(Smtp, 1, "RCPT TO:<a@b.test>")
        .server(Smtp, 1, "250 ok")
        .client(Smtp, 1, "DATA")
        .server(Smtp, 1, "354 go")
        .client(Smtp, 1, ".")
        .server(Smtp, 1, "250 accepted")
}

fn one() -> Value {
    json!({"smtp": {"delivered": [{"session": 1, "recipients": ["a@b.test"]}], "sessions": [{"id": 1}]}})
}

fn none() -> Value {
    json!({"smtp": {"delivered": [], "sessions": [{"id": 1}]}})
}

#[rstest]
#[case::true_success("SUCCESS", one(), None)]
#[case::false_success("SUCCESS", none(), Some("truth.success"))]
#[case::true_failure("SERVER ERROR", none(), None)]
#[case::false_failure("SERVER ERROR", one(), Some("truth.failure"))]
#[case::accepted_recipient("BAD RCPT a@b.test", none(), Some("truth.bad-rcpt"))]
#[case::accepted_recipient_in_brackets("BAD RCPT [<A@b.test>]", none(), Some("truth.bad-rcpt"))]
#[case::accepted_all("BAD RCPT", one(), Some("truth.bad-rcpt"))]
#[case::another_recipient("BAD RCPT other@b.test", one(), None)]
#[case::late_param_error("PARAM ERROR", none(), Some("truth.param-error"))]
fn reports(#[case] report: &str, #[case] state: Value, #[case] monitor: Option<&str>) {
    let story = dialogue(begun())
        .says("OK")
        .says(&format!("+SMTP: {report}"))
        .state(state);
    for id in [
        "truth.success",
        "truth.failure",
        "truth.duplicate",
        "truth.stopped",
        "truth.bad-rcpt",
        "truth.auth-error",
        "truth.param-error",
    ] {
        assert_eq!(!story.found(id).is_empty(), monitor == Some(id), "{id}");
    }
}

/// RFC 2920 3.1: the answer to MAIL is not that to the RCPT which went out with it.
#[rstest]
#[case::refused("550 no such user", 0)]
#[case::accepted("250 recipient ok", 1)]
fn answers_to_commands_sent_together_come_in_their_order(
    #[case] reply: &str,
    #[case] count: usize,
) {
    let state = json!({"smtp": {"delivered": [], "sessions": [{
        "id": 1,
        "commands": ["EHLO x", "MAIL FROM:<m@b.test>", "RCPT TO:<a@b.test>"],
        "replies": ["220 ready", "250-ok\n250 PIPELINING", "250 sender ok", reply],
    }]}});
    let story = begun()
        .server(Smtp, 1, "220 ready")
        .client(Smtp, 1, "EHLO x")
        .server(Smtp, 1, "250 PIPELINING")
        .client(Smtp, 1, "MAIL FROM:<m@b.test>")
        .client(Smtp, 1, "RCPT TO:<a@b.test>")
        .server(Smtp, 1, "250 sender ok")
        .server(Smtp, 1, reply)
        .says("OK")
        .says("+SMTP: BAD RCPT a@b.test")
        .state(state);
    assert_eq!(story.found("truth.bad-rcpt").len(), count);
}

#[test]
fn a_parameter_may_be_looked_at_late() {
    let story = begun()
        .server(Smtp, 1, "220 ready")
        .client(Smtp, 1, "QUIT")
        .says("+SMTP: PARAM ERROR")
        .state(none());
    assert!(story.found("truth.param-error").is_empty());
}

#[test]
fn a_failure_after_an_answer_that_came_too_late_is_true() {
    let story = begun()
        .server(Smtp, 1, "220 ready")
        .client(Smtp, 1, ".")
        .after(29.0)
        .server(Smtp, 1, "250 accepted")
        .says("+SMTP: SERVER ERROR")
        .state(one());
    assert!(story.found("truth.failure").is_empty());
}

#[test]
fn a_failure_after_a_reset_may_be_all_the_device_saw() {
    let state = json!({"smtp": {"delivered": [{"session": 1}], "sessions": [{"id": 1, "closed_by": "server-reset"}]}});
    let story = dialogue(begun()).says("+SMTP: SERVER ERROR").state(state);
    assert!(story.found("truth.failure").is_empty());
}

#[test]
fn a_login_that_was_accepted_is_no_auth_error() {
    let state = |user: Value| json!({"smtp": {"sessions": [{"id": 1, "user": user}]}});
    let story = || begun().says("+SMTP: AUTH ERROR");
    let lie = story().state(state(json!("alice")));
    assert_eq!(lie.found("truth.auth-error").len(), 1);
    let truth = story().state(state(Value::Null));
    assert!(truth.found("truth.auth-error").is_empty());
}

#[test]
fn two_deliveries_need_two_sendings() {
    let two = || json!({"smtp": {"delivered": [{"session": 1}, {"session": 2}]}});
    let twice = begun()
        .connected_smtp(2)
        .says("+SMTP: SUCCESS")
        .state(two());
    assert_eq!(twice.found("truth.duplicate").len(), 1);
    let asked = begun()
        .says("+SMTP: SUCCESS")
        .send("AT+SMTPSEND")
        .connected_smtp(2)
        .says("+SMTP: SUCCESS")
        .state(two());
    assert!(asked.found("truth.duplicate").is_empty());
    let unread = begun()
        .says("+SMTP: SUCCESS")
        .send_raw(b"A/")
        .connected_smtp(2)
        .says("+SMTP: SUCCESS")
        .state(two());
    assert!(unread.found("truth.duplicate").is_empty());
}

#[rstest]
#[case::same_instant(0.0, false)]
#[case::later(1.0, true)]
#[case::on_a_real_line_it_was_under_way(1.000_000_1, false)]
#[case::on_a_real_line_much_later(6.000_000_1, true)]
fn nothing_is_delivered_after_stop(#[case] seconds: f64, #[case] breach: bool) {
    let story = begun()
        .says("OK")
        .send("AT+SMTPSTOP")
        .says("OK")
        .after(seconds)
        .client(Smtp, 1, ".")
        .server(Smtp, 1, "250 accepted")
        .state(one());
    assert_eq!(!story.found("truth.stopped").is_empty(), breach);
}

#[test]
fn what_was_sent_before_stop_may_be_delivered() {
    let story = dialogue(begun())
        .after(1.0)
        .send("AT+SMTPSTOP")
        .says("OK")
        .state(one());
    assert!(story.found("truth.stopped").is_empty());
    assert!(story.found("truth.success").is_empty());
}
