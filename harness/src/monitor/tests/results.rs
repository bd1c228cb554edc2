//! When a result is missing or one too many.

use super::*;
use crate::monitor::story::Story;
use rstest::rstest;

fn at() -> Story {
    Story::new().send("AT")
}

#[rstest]
#[case::second_ok(at().says("OK").says("OK"), "`OK` came although no command line was waiting for a result")]
#[case::seconds_later(at().says("OK").after(4.0).says("OK"), "`OK` came although no command line was waiting for a result")]
#[case::error_behind(at().says("OK").says("ERROR"), "`ERROR` came although no command line was waiting for a result")]
#[case::in_the_next_dialogue(
    at().says("OK").says("OK").send("AT+CSQ").says("+CSQ: 20,0").says("OK"),
    "`OK` came although no command line was waiting for a result"
)]
fn one_result_too_many(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("result.second"), [message]);
}

#[rstest]
#[case::one(at().says("OK"))]
#[case::two_lines(at().says("OK").send("AT").says("ERROR"))]
#[case::answers_to_both(at().send("AT").says("OK").says("OK"))]
#[case::repeated(at().says("OK").send_raw(b"A/").says("OK"))]
#[case::two_in_one_write(Story::new().send_raw(b"AT\rAT\r").says("OK").says("OK"))]
#[case::prompt(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").send_raw(b"OK\r\nAT\r\x1a").says("OK"))]
#[case::prompt_then_command(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").send_raw(b"x\x1aAT\r").says("OK").says("OK"))]
#[case::mail(Story::new().send("AT+POP3READ").bytes(b"\r\nSubject: x\r\n\r\nOK\r\nERROR\r\n").says("OK"))]
#[case::mail_goes_on(Story::new().send("AT+POP3READ").send("AT").bytes(b"\r\nOK\r\nOK\r\n").says("OK").says("OK"))]
#[case::file(Story::new().send("AT+CFTRANTX=\"C:/a\"").bytes(b"\r\n+CFTRANTX: DATA,8\r\n\r\nOK\r\nOK\r\n+CFTRANTX: 0\r\n").says("OK"))]
#[case::digits(Story::new().send("ATV0").bytes(b"0\r").send("AT+X").says("ERROR").says("ERROR"))]
#[case::call_ends(at().says("OK").says("NO CARRIER"))]
#[case::before_anything_was_sent(Story::new().says("OK"))]
fn as_many_results_as_lines(#[case] story: Story) {
    assert_eq!(story.found("result.second"), <[&str; 0]>::default());
}

#[rstest]
#[case::never(at().after(5.2), "`AT` got no final result code; nothing happened for 5.2 s")]
#[case::next_line_after_a_while(
    Story::new().send("AT+SMTPSUB=\"x\"").after(6.0).send("AT").says("OK"),
    "`AT+SMTPSUB=\\\"x\\\"` got no final result code; nothing happened for 6.0 s"
)]
#[case::too_late(at().after(7.0).says("OK"), "the result of `AT` came only after 7.0 s in which nothing happened")]
#[case::information_alone(
    Story::new().send("AT+SMTPSEND?").says("+SMTPSEND: 0").after(5.5),
    "`AT+SMTPSEND?` got no final result code; nothing happened for 5.5 s"
)]
#[case::after_the_wire(
    Story::new().send("AT+POP3IN").connected_pop3(1).after(1.0).server(Protocol::Pop3, 1, "-ERR").after(36.0),
    "`AT+POP3IN` got no final result code; nothing happened for 36.0 s"
)]
#[case::no_wire(
    Story::new().send("AT+SMTPSEND").after(71.0),
    "`AT+SMTPSEND` got no final result code; nothing happened for 71.0 s"
)]
fn a_result_is_missing(#[case] story: Story, #[case] message: &str) {
    let found = story
        .push(urcheck_reports::EventKind::Tick)
        .found("result.missing");
    assert_eq!(found, [message]);
}

#[rstest]
#[case::in_time(at().after(4.9).says("OK"))]
#[case::case_ends_before(at().after(4.9))]
#[case::next_line_at_once(at().send("AT").says("OK").after(9.0))]
#[case::lines_keep_coming(Story::new().send("AT+POP3READ").after(4.0).bytes(b"\r\na").after(4.0).bytes(b"b\r\n").after(4.0).says("OK"))]
#[case::prompt(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").after(60.0))]
#[case::data(Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ").send_raw(b"x").after(60.0))]
#[case::quiet(Story::new().send("ATQ1").after(60.0).send("AT").after(60.0))]
#[case::unreadable(Story::new().send("ATD123;").after(60.0))]
#[case::not_ours(Story::new().send("AT+COPS=0").after(60.0).says("OK"))]
#[case::wire_moves(
    Story::new().send("AT+POP3IN").connected_pop3(1).after(34.0).server(Protocol::Pop3, 1, "+OK")
        .after(34.0).server(Protocol::Pop3, 1, "+OK").after(34.0).says("OK")
)]
#[case::timer(Story::new().send("AT+POP3IN").connected_pop3(1).after(34.9).says("+POP3: SERVER ERROR").says("ERROR"))]
#[case::long_upload(Story::new().send_raw(&[b"AT+X=".as_slice(), &[b'1'; 9000], b"\r"].concat()).after(11.0).says("OK"))]
#[case::line_lost(at().push(urcheck_reports::EventKind::LineLost { message: String::new(), by_device: false }).after(60.0))]
fn no_result_is_missing(#[case] story: Story) {
    let found = story
        .push(urcheck_reports::EventKind::Tick)
        .found("result.missing");
    assert_eq!(found, <[&str; 0]>::default());
}
