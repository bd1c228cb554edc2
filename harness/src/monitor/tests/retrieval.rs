//! What may be reported of the POP3 client, and what has to be.

use crate::monitor::story::Story;
use rstest::rstest;
use urcheck_reports::{EventKind, Protocol};

const NONE: [&str; 0] = [];

fn logged_in() -> Story {
    Story::new()
        .send("AT+POP3IN")
        .connected_pop3(1)
        .says("+POP3: SUCCESS")
        .says("OK")
}

fn getting() -> Story {
    logged_in().send("AT+POP3GET=1").says("OK")
}

const LOST: &str = "`+POP3: SUCCESS` came although nothing was asked for";

#[rstest]
#[case::at_once(Story::new().send("AT").says("OK").says("+POP3: SUCCESS"), LOST)]
#[case::twice(logged_in().says("+POP3: SUCCESS"), LOST)]
#[case::two_outcomes(
    getting().says("+POP3: SUCCESS").says("C:/Email/1/, EMAIL000.TXT").says("+POP3: FAILURE"),
    "`+POP3: FAILURE` came although nothing was asked for"
)]
#[case::stopped(getting().send("AT+POP3STOP").says("OK").after(2.0).says("+POP3: SUCCESS"), LOST)]
#[case::after_a_header(
    logged_in().send("AT+POP3HDR=1").says("From: x").says("OK").send("AT").says("OK").says("+POP3: SUCCESS"),
    LOST
)]
#[case::refused(logged_in().send("AT+POP3DEL=9").says("+POP3: SERVER ERROR").says("ERROR").says("+POP3: SUCCESS"), LOST)]
fn a_report_of_nothing(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("retrieval.unasked"), [message]);
}

#[rstest]
#[case::in_and_out(logged_in().send("AT+POP3OUT").says("OK").says("+POP3: SUCCESS"))]
#[case::got(getting().says("+POP3: SUCCESS").says("C:/Email/1/, EMAIL000.TXT"))]
#[case::got_later(getting().send("AT+POP3NUM").says("ERROR").says("+POP3: SUCCESS"))]
#[case::got_while_asking(getting().send("AT+CSQ").says("+CSQ: 1,2").says("OK").says("+POP3: SUCCESS"))]
#[case::under_way_at_the_stop(getting().send("AT+POP3STOP").says("OK").after(0.5).says("+POP3: FAILURE"))]
#[case::server_went(logged_in().wire(Protocol::Pop3, 1, "server closed").says("+POP3: SERVER ERROR"))]
#[case::two_commands(logged_in().send("AT+POP3NUM;+POP3OUT").says("+POP3: 1, 20").says("+POP3: SUCCESS").says("OK"))]
#[case::repeated(logged_in().send_raw(b"A/").says("+POP3: SUCCESS").says("OK"))]
#[case::mail(Story::new().send("AT+POP3READ").bytes(b"\r\n+POP3: SUCCESS\r\n+POP3: SUCCESS\r\n\r\nOK\r\n"))]
#[case::before_anything_was_sent(Story::new().says("+POP3: SUCCESS").send("AT").says("OK"))]
fn a_report_of_something(#[case] story: Story) {
    assert_eq!(story.found("retrieval.unasked"), NONE);
}

fn told(story: Story) -> Vec<String> {
    story.push(EventKind::Tick).found("retrieval.missing")
}

#[rstest]
#[case(getting().server(Protocol::Pop3, 1, "+OK").after(36.0))]
#[case(getting().server(Protocol::Pop3, 1, "+OK").after(36.0).send("AT+POP3OUT").says("+POP3: SUCCESS").says("OK"))]
fn an_outcome_is_missing(#[case] story: Story) {
    let message = "`AT+POP3GET` was taken up, but nothing was reported of it; its dialogue ended 36.0 s before";
    assert_eq!(told(story), [message]);
}

#[rstest]
#[case::reported(getting().says("+POP3: FAILURE").after(60.0))]
#[case::slow(getting().after(34.0).server(Protocol::Pop3, 1, "x").after(34.0))]
#[case::stopped(getting().send("AT+POP3STOP").says("OK").after(60.0))]
#[case::refused(logged_in().send("AT+POP3GET=1").says("ERROR").after(60.0))]
#[case::no_urcs(getting().send("AT+CFBDURC=1").says("OK").after(60.0))]
fn no_outcome_is_missing(#[case] story: Story) {
    assert_eq!(told(story), NONE);
}
