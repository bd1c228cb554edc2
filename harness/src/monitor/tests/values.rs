//! Which numbers were told.

use crate::monitor::story::Story;
use rstest::rstest;
use urcheck_reports::Protocol::Pop3;

const NONE: [&str; 0] = [];

fn told(lines: &[&str]) -> Story {
    let story = Story::new().connected_pop3(1);
    lines
        .iter()
        .fold(story, |story, line| story.server(Pop3, 1, line))
}

fn number(lines: &[&str], shown: &str) -> Vec<String> {
    let story = told(lines).send("AT+POP3NUM").says(shown).says("OK");
    story.found("value.number")
}

#[rstest]
#[case(&["+OK 2 2134"], "+POP3: 2, 2135", "`AT+POP3NUM` shows 2 e-mails of 2135 bytes, which the server never told")]
#[case(&["+OK 2 2134"], "+POP3: 2134 2", "`AT+POP3NUM` shows 2134 e-mails of 2 bytes, which the server never told")]
#[case(&["+OK 1 4294967297"], "+POP3: 1, 1", "`AT+POP3NUM` shows 1 e-mails of 1 bytes, which the server never told")]
fn wrong_numbers(#[case] lines: &[&str], #[case] shown: &str, #[case] message: &str) {
    assert_eq!(number(lines, shown), [message]);
}

#[rstest]
#[case::comma(&["+OK 2 2134"], "+POP3: 2, 2134")]
#[case::blank(&["+OK 2 2134"], "+POP3: 2 2134")]
#[case::words_behind(&["+OK 2 2134 octets"], "+POP3: 2, 2134")]
#[case::any_of_several(&["+OK 2 2134", "+OK 3 99"], "+POP3: 2, 2134")]
#[case::very_large(&["+OK 1 99999999999999999999"], "+POP3: 1, 99999999999999999999")]
#[case::sum_of_a_listing(&["+OK", "1 100", "2 200", "."], "+POP3: 2, 300")]
#[case::nothing_readable(&["+OK two mails"], "+POP3: 2, 2134")]
#[case::failure(&["+OK 2 2134"], "+POP3: SERVER ERROR")]
fn right_numbers(#[case] lines: &[&str], #[case] shown: &str) {
    assert_eq!(number(lines, shown), NONE);
}

#[test]
fn what_was_fetched_may_not_be_unread_any_more() {
    let story = told(&["+OK 2 2134"])
        .send("AT+POP3GET=1")
        .says("OK")
        .says("+POP3: SUCCESS");
    let story = story.send("AT+POP3NUM").says("+POP3: 1, 1084").says("OK");
    assert_eq!(story.found("value.number"), NONE);
}

#[rstest]
#[case(
    "AT+POP3LIST=1",
    "+POP3: 1, 1051",
    "`AT+POP3LIST` shows 1051 bytes for e-mail 1, which the server never told"
)]
#[case(
    "AT+POP3LIST=1",
    "+POP3: 2, 1084",
    "`AT+POP3LIST` shows e-mail 2, which was not asked for"
)]
#[case(
    "AT+POP3LIST",
    "2 1085",
    "`AT+POP3LIST` shows 1085 bytes for e-mail 2, which the server never told"
)]
fn wrong_listings(#[case] command: &str, #[case] shown: &str, #[case] message: &str) {
    let story = told(&["+OK", "1 1050", "2 1084", "."])
        .send(command)
        .says(shown)
        .says("OK");
    assert_eq!(story.found("value.listing"), [message]);
}

#[rstest]
#[case("AT+POP3LIST=1", "+POP3: 1, 1050")]
#[case("AT+POP3LIST", "2 1084")]
#[case("AT+POP3LIST=1", "+POP3: SERVER ERROR")]
fn right_listings(#[case] command: &str, #[case] shown: &str) {
    let story = told(&["+OK", "1 1050", "2 1084", "."])
        .send(command)
        .says(shown)
        .says("OK");
    assert_eq!(story.found("value.listing"), NONE);
}
