//! What is framing and what is not.

use crate::monitor::story::Story;
use rstest::rstest;
use urcheck_reports::EventKind;

fn asked(answer: &[u8]) -> Story {
    Story::new().send("AT+CSQ").bytes(answer)
}

#[rstest]
#[case::line_feed_alone(b"\r\nOK\n", "`OK` ends with LF alone instead of CR LF")]
#[case::no_head(b"OK\r\n", "`OK` does not begin with a CR LF of its own")]
#[case::head_is_the_end_of_a_result(
    b"\r\nOK\r\n+SMTP: OK\r\n",
    "`+SMTP: OK` does not begin with a CR LF of its own"
)]
#[case::head_of_line_feed(b"\nOK\r\n", "`OK` begins with LF alone instead of CR LF")]
#[case::two_results(
    b"\r\nOKOK\r\n",
    "`OKOK` is two results without a line end between them"
)]
#[case::report_in_a_line(
    b"\r\n+CSQ: 1,2+SMTP: SUCCESS\r\n\r\nOK\r\n",
    "`+CSQ: 1,2+SMTP: SUCCESS` has a report within a line instead of on a line of its own"
)]
#[case::report_behind_the_result(
    b"\r\nOK+POP3: SUCCESS\r\n",
    "`OK+POP3: SUCCESS` has a report within a line instead of on a line of its own"
)]
fn bad_framing(#[case] answer: &[u8], #[case] message: &str) {
    assert_eq!(asked(answer).found("line.framing"), [message]);
}

#[rstest]
#[case::plain(asked(b"\r\n+CSQ: 1,2\r\n\r\nOK\r\n"))]
#[case::blank_lines(asked(b"\r\n\r\n+CSQ: 1,2\r\n\r\n\r\n\r\nOK\r\n\r\n"))]
#[case::one_line_end_between_answer_and_result(asked(b"\r\n+CSQ: 1,2\r\nOK\r\n"))]
#[case::one_line_end_between_lines(asked(b"\r\n+POP3: 1, 30\r\n+POP3: 2, 40\r\nOK\r\n"))]
#[case::lines_of_one_response(asked(b"\r\n+POP3: \r\n1 30\r\n2 40\r\n\r\nOK\r\n"))]
#[case::echo(Story::new().with_echo().send("AT").bytes(b"AT\r\r\nOK\r\n"))]
#[case::echo_of_both(Story::new().with_echo().send_raw(b"AT\r\n").bytes(b"AT\r\n\r\nOK\r\n"))]
#[case::echo_of_the_feed_behind(Story::new().with_echo().send_raw(b"AT\r\n").bytes(b"AT\r\r\nOK\r\n\n"))]
#[case::prompt(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").send_raw(b"x\x1a").bytes(b"\r\nOK\r\n"))]
#[case::text_echoed(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").send_raw(b"x\x1a").bytes(b"x\x1a\r\nOK\r\n"))]
#[case::mail(Story::new().send("AT+POP3READ").bytes(b"\r\nx\n+SMTP: SUCCESS\nOK\na +POP3: SUCCESS\r\n\r\nOK\r\n"))]
#[case::read_form(Story::new().send("AT+SMTPSUB=\"+SMTP: SUCCESS\"").says("OK")
    .send("AT+SMTPSUB?").says("+SMTPSUB: \"+SMTP: SUCCESS\"").says("OK"))]
#[case::other_characters(Story::new().send("ATS4=13").bytes(b"\r\rOK\r\r").send("AT+X").bytes(b"OK\n"))]
#[case::digits(Story::new().send("ATV0").bytes(b"0\r").send("AT+CSQ").bytes(b"+CSQ: 1,2\r\n0\r"))]
#[case::rest_of_before(Story::new().bytes(b"OK\r\n").send("AT").says("OK"))]
fn good_framing(#[case] story: Story) {
    assert_eq!(story.found("line.framing"), <[&str; 0]>::default());
}

#[rstest]
#[case::never_finished(asked(b"\r\n+CSQ: 1"), "the line `+CSQ: 1` was never finished")]
#[case::report_never_finished(
    asked(b"\r\nOK\r\n\r\n+SMTP: SUCC"),
    "the line `+SMTP: SUCC` was never finished"
)]
#[case::carriage_return(asked(b"\r\nOK\rOK\r\n"), "`OK\\rOK` has a CR without LF in it")]
#[case::nul(
    asked(b"\r\n+CSQ: 1\x00\r\n"),
    "`+CSQ: 1\\x00` has the control character 0x00 in it"
)]
fn a_line_is_torn(#[case] story: Story, #[case] message: &str) {
    let found = story.after(1.0).push(EventKind::Tick).found("line.torn");
    assert_eq!(found, [message]);
}

#[rstest]
#[case::whole(asked(b"\r\nOK\r\n"))]
#[case::prompt(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> "))]
#[case::header_of_the_next(asked(b"\r\nOK\r\n\r\n"))]
#[case::mail(Story::new().send("AT+POP3READ").bytes(b"\r\na\rb\x00\r\n\r\nOK\r\n"))]
#[case::editing(Story::new().with_echo().send_raw(b"AX\x08T\r").bytes(b"AX\x08T\r\r\nOK\r\n"))]
#[case::digits(Story::new().send("ATV0").bytes(b"0\r"))]
#[case::tab(asked(b"\r\n+CSQ:\t1\r\n\r\nOK\r\n"))]
#[case::line_lost(asked(b"\r\nO").push(EventKind::LineLost { message: String::new(), by_device: false }))]
fn no_line_is_torn(#[case] story: Story) {
    let found = story.after(1.0).push(EventKind::Tick).found("line.torn");
    assert_eq!(found, <[&str; 0]>::default());
}

#[test]
fn what_may_still_come_is_not_torn() {
    let found = asked(b"\r\nOK\r\n\r\n+SMTP: SUCC").found("line.torn");
    assert_eq!(found, <[&str; 0]>::default());
}

#[rstest]
#[case::not_echoed(Story::new().with_echo().send("AT").says("OK"), "`AT` was not echoed although echo is on")]
#[case::not_echoed_with_information(
    Story::new().with_echo().send("AT+CSQ").says("+CSQ: 1,2").says("OK"),
    "`AT+CSQ` was not echoed although echo is on"
)]
#[case::capitals(
    Story::new().with_echo().send("at+csq").bytes(b"AT+CSQ\r\r\n+CSQ: 1,2\r\n").says("OK"),
    "`at+csq` was echoed as `AT+CSQ`"
)]
#[case::echoed(Story::new().send("AT").bytes(b"AT\r\r\nOK\r\n"), "`AT` was echoed although echo is off")]
#[case::echoed_after_it_was_switched_off(
    Story::new().with_echo().send("ATE0").bytes(b"ATE0\r\r\nOK\r\n").send("AT").bytes(b"AT\r\r\nOK\r\n"),
    "`AT` was echoed although echo is off"
)]
fn bad_echo(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("line.echo"), [message]);
}

#[rstest]
#[case::on(Story::new().with_echo().send("AT").bytes(b"AT\r\r\nOK\r\n"))]
#[case::off(Story::new().send("AT").says("OK"))]
#[case::switching_off_echoed(Story::new().with_echo().send("ATE0").bytes(b"ATE0\r\r\nOK\r\n"))]
#[case::switching_off_not_echoed(Story::new().with_echo().send("ATE0").says("OK").send("AT").says("OK"))]
#[case::switched_on(Story::new().send("ATE1").says("OK").send("AT").bytes(b"AT\r\r\nOK\r\n"))]
#[case::refused(Story::new().with_echo().send("ATE0").bytes(b"ATE0\r\r\nERROR\r\n").send("AT").says("OK"))]
#[case::reset_to_nobody_knows_what(Story::new().with_echo().send("ATZ").bytes(b"ATZ\r\r\nOK\r\n").send("AT").says("OK"))]
#[case::in_several_commands(Story::new().with_echo().send("ATE0V1").bytes(b"ATE0V1\r\r\nOK\r\n").send("AT").says("OK"))]
#[case::report_in_the_echo(
    Story::new().with_echo().send("AT+CSQ").bytes(b"AT+\r\nRING\r\nCSQ\r\r\n+CSQ: 1,2\r\n").says("OK")
)]
#[case::no_answer(Story::new().with_echo().send("AT"))]
#[case::lines_overlap(Story::new().with_echo().send("AT").send("AT+X").bytes(b"AT\r\r\nOK\r\nAT+X\r\r\nERROR\r\n"))]
fn good_echo(#[case] story: Story) {
    assert_eq!(story.found("line.echo"), <[&str; 0]>::default());
}
