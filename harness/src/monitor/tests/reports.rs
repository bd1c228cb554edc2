//! What may be reported of a sending, and what has to be.

use crate::monitor::story::Story;
use rstest::rstest;
use urcheck_reports::{EventKind, Protocol};

const NONE: [&str; 0] = [];

fn sending() -> Story {
    Story::new()
        .send("AT+SMTPSEND")
        .connected_smtp(1)
        .says("+SMTP: OK")
        .says("OK")
}

fn reports(lines: &[&str]) -> Story {
    lines.iter().fold(sending(), |story, line| story.says(line))
}

#[rstest]
#[case(&["+SMTP: SUCCESS", "+SMTP: SUCCESS"], "`+SMTP: SUCCESS` came after `+SMTP: SUCCESS` of the same sending")]
#[case(&["+SMTP: SUCCESS", "+SMTP: SERVER ERROR"], "`+SMTP: SERVER ERROR` came after `+SMTP: SUCCESS` of the same sending")]
#[case(&["+SMTP: AUTH ERROR", "+SMTP: SERVER ERROR"], "`+SMTP: SERVER ERROR` came after `+SMTP: AUTH ERROR` of the same sending")]
#[case(&["+SMTP: SUCCESS", "+SMTP: OK"], "`+SMTP: OK` came after `+SMTP: SUCCESS` of the same sending")]
#[case(&["+SMTP: OK"], "`+SMTP: OK` came twice for one sending")]
#[case(&["+SMTP: SUCCESS", "+SMTP: BAD RCPT a@b"], "`+SMTP: BAD RCPT a@b` came after `+SMTP: SUCCESS` of the same sending")]
#[case(&["+SMTP: BAD RCPT a@b", "+SMTP: BAD RCPT a@b"], "`+SMTP: BAD RCPT` came twice for `a@b` in one sending")]
fn one_outcome_too_many(#[case] lines: &[&str], #[case] message: &str) {
    assert_eq!(reports(lines).found("report.second"), [message]);
}

#[rstest]
#[case::success(reports(&["+SMTP: SUCCESS"]))]
#[case::failure(reports(&["+SMTP: SERVER ERROR"]))]
#[case::refused(Story::new().send("AT+SMTPSEND").says("+SMTP: PARAM ERROR").says("ERROR"))]
#[case::several_bad(reports(&["+SMTP: BAD RCPT a@b", "+SMTP: BAD RCPT c@d"]))]
#[case::bad_and_delivered(reports(&["+SMTP: BAD RCPT a@b", "+SMTP: SUCCESS"]))]
#[case::two_sendings(reports(&["+SMTP: SUCCESS"]).send("AT+SMTPSEND").connected_smtp(2).says("OK").says("+SMTP: OK").says("+SMTP: SUCCESS"))]
#[case::second_one_refused(sending().send("AT+SMTPSEND").says("+SMTP: ONGOING").says("ERROR").says("+SMTP: SUCCESS"))]
#[case::cancelled(sending().send("AT+SMTPSTOP").says("OK").says("+SMTP: USER CANCEL"))]
#[case::cancelled_late(
    sending().send("AT+SMTPSTOP").says("OK").send("AT+SMTPSEND").connected_smtp(2).says("OK")
        .says("+SMTP: USER CANCEL").says("+SMTP: OK").says("+SMTP: SUCCESS")
)]
#[case::success_then_stopped(reports(&["+SMTP: SUCCESS"]).send("AT+SMTPSTOP").says("OK").says("+SMTP: USER CANCEL"))]
#[case::oversize(reports(&["+SMTP: SUCCESS"]).send("AT+SMTPFILE=1,\"a\"").says("+SMTP: OVERSIZE").says("ERROR"))]
#[case::twice_a_recipient(
    Story::new().send("AT+SMTPRCPT=0,0,\"a@b\"").says("OK").send("AT+SMTPRCPT=1,0,\"a@b\"").says("OK")
        .send("AT+SMTPSEND").connected_smtp(1).says("OK").says("+SMTP: BAD RCPT a@b").says("+SMTP: BAD RCPT a@b")
)]
fn one_outcome(#[case] story: Story) {
    assert_eq!(story.found("report.second"), NONE);
}

fn told(story: Story) -> Vec<String> {
    story.push(EventKind::Tick).found("report.missing")
}

#[rstest]
#[case::dialogue_is_over(
    sending().wire(Protocol::Smtp, 1, "client closed").after(12.0),
    "a sending was taken up, but nothing was reported of it; its dialogue ended 12.0 s before"
)]
#[case::silence(
    sending().server(Protocol::Smtp, 1, "220 x").after(36.0),
    "a sending was taken up, but nothing was reported of it; its dialogue ended 36.0 s before"
)]
#[case::next_sending(
    sending().wire(Protocol::Smtp, 1, "client closed").after(60.0).send("AT+SMTPSEND").connected_smtp(2).says("OK").says("+SMTP: SUCCESS"),
    "a sending was taken up, but nothing was reported of it; its dialogue ended 60.0 s before"
)]
#[case::never_connected(
    Story::new().send("AT+SMTPSEND").says("OK").after(71.0),
    "a sending was taken up, but nothing was reported of it; its dialogue ended 71.0 s before"
)]
fn an_outcome_is_missing(#[case] story: Story, #[case] message: &str) {
    assert_eq!(told(story), [message]);
}

#[rstest]
#[case::reported(sending().says("+SMTP: SUCCESS").after(60.0))]
#[case::not_yet(sending().wire(Protocol::Smtp, 1, "client closed").after(9.0))]
#[case::server_slow(sending().after(34.0).server(Protocol::Smtp, 1, "250 x").after(34.0))]
#[case::server_closed(sending().wire(Protocol::Smtp, 1, "server closed").after(34.0))]
#[case::stopped(sending().send("AT+SMTPSTOP").says("OK").after(60.0))]
#[case::stopped_without_a_word(sending().send("AT+SMTPSTOP").after(60.0))]
#[case::refused(Story::new().send("AT+SMTPSEND").says("ERROR").after(90.0))]
#[case::no_urcs(sending().send("AT+CFBDURC=1").says("OK").after(90.0))]
#[case::quiet(Story::new().send("ATQ1").send("AT+SMTPSEND").connected_smtp(1).after(90.0))]
#[case::repeated_line(sending().send_raw(b"A/").says("OK").after(90.0))]
fn no_outcome_is_missing(#[case] story: Story) {
    assert_eq!(told(story), NONE);
}

#[rstest]
#[case(Story::new().send("AT").says("OK").says("+SMTP: SUCCESS"), "`+SMTP: SUCCESS` came although no sending was taken up")]
#[case(Story::new().send("AT+SMTPSUB=\"x\"").says("+SMTP: PARAM ERROR").says("ERROR"), "`+SMTP: PARAM ERROR` came although no sending was taken up")]
#[case(Story::new().send("AT+SMTPSEND").says("ERROR").send("AT").says("OK").says("+SMTP: OK"), "`+SMTP: OK` came although no sending was taken up")]
#[case(Story::new().send("AT+SMTPSEND?").says("+SMTPSEND: 0").says("OK").says("+SMTP: OK"), "`+SMTP: OK` came although no sending was taken up")]
fn reports_of_nothing(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("report.unasked"), [message]);
}

#[rstest]
#[case::asked(reports(&["+SMTP: SUCCESS"]))]
#[case::refused_with_a_reason(Story::new().send("AT+SMTPSEND").says("+SMTP: NETWORK ERROR").says("ERROR"))]
#[case::reason_behind(Story::new().send("AT+SMTPSEND").says("ERROR").send("AT").says("+SMTP: PARAM ERROR").says("OK"))]
#[case::file(Story::new().send("AT+SMTPFILE=1,\"a\"").says("+SMTP: OVERSIZE").says("ERROR"))]
#[case::busy_from_before(Story::new().send("AT+SMTPSUB=\"x\"").says("+SMTP: ONGOING").says("ERROR"))]
#[case::cancel_from_before(Story::new().send("AT").says("OK").says("+SMTP: USER CANCEL"))]
#[case::from_before(Story::new().says("+SMTP: SUCCESS").send("AT").says("OK"))]
#[case::repeated(Story::new().send_raw(b"A/").says("+SMTP: OK").says("OK"))]
#[case::mail(Story::new().send("AT+POP3READ").bytes(b"\r\n+SMTP: SUCCESS\r\n\r\nOK\r\n"))]
#[case::mail_still_printed(Story::new().send("AT+POP3READ").send("AT").bytes(b"\r\n+SMTP: SUCCESS\r\n\r\nOK\r\n"))]
fn reports_of_something(#[case] story: Story) {
    assert_eq!(story.found("report.unasked"), NONE);
}

#[test]
fn a_success_that_nobody_asked_for_is_a_false_success() {
    let story = Story::new().send("AT").says("OK").says("+SMTP: SUCCESS");
    let findings = story.findings();
    let of_it = findings
        .iter()
        .find(|finding| finding.monitor == "report.unasked");
    assert_eq!(of_it.unwrap().grade, urcheck_reports::Grade::FalseSuccess);
}

#[test]
fn a_failure_after_a_stop() {
    let story = sending()
        .send("AT+SMTPSTOP")
        .says("OK")
        .after(30.0)
        .says("+SMTP: SERVER ERROR");
    let message = "`+SMTP: SERVER ERROR` came although `AT+SMTPSTOP` had ended the sending";
    assert_eq!(story.found("report.after-stop"), [message]);
}

#[rstest]
#[case::under_way(sending().send("AT+SMTPSTOP").says("OK").says("+SMTP: SERVER ERROR"))]
#[case::before(sending().send("AT+SMTPSTOP").says("+SMTP: SERVER ERROR").says("OK"))]
#[case::cancel(sending().send("AT+SMTPSTOP").says("OK").after(5.0).says("+SMTP: USER CANCEL"))]
#[case::nothing_to_stop(sending().send("AT+SMTPSTOP").says("ERROR").after(5.0).says("+SMTP: SERVER ERROR"))]
#[case::next_sending(
    sending().send("AT+SMTPSTOP").says("OK").after(5.0).send("AT+SMTPSEND").connected_smtp(2).says("OK").says("+SMTP: SERVER ERROR")
)]
fn nothing_wrong_after_a_stop(#[case] story: Story) {
    assert_eq!(story.found("report.after-stop"), NONE);
}

#[rstest]
#[case(
    Story::new().send("AT+SMTPSEND").says("+SMTP: OK").says("OK").says("+SMTP: SERVER ERROR"),
    "`+SMTP: OK` was reported, but no connection to the server was opened"
)]
#[case(
    Story::new().send("AT+SMTPSEND").says("+SMTP: OK").says("OK").after(3.0).connected_smtp(1).says("+SMTP: SUCCESS"),
    "`+SMTP: OK` was reported 3.0 s before the connection was opened"
)]
#[case(
    sending().says("+SMTP: SUCCESS").wire(Protocol::Smtp, 1, "client closed").send("AT+SMTPSEND").says("+SMTP: OK").says("OK"),
    "`+SMTP: OK` was reported, but no connection to the server was opened"
)]
fn no_session(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("report.session"), [message]);
}

#[rstest]
#[case::there(sending())]
#[case::told_a_little_later(Story::new().send("AT+SMTPSEND").says("+SMTP: OK").says("OK").after(0.5).connected_smtp(1))]
#[case::no_claim(Story::new().send("AT+SMTPSEND").says("OK").says("+SMTP: SERVER ERROR"))]
#[case::still_open(sending().says("+SMTP: SUCCESS").send("AT+SMTPSEND").says("+SMTP: OK").says("OK"))]
fn a_session(#[case] story: Story) {
    assert_eq!(story.found("report.session"), NONE);
}
