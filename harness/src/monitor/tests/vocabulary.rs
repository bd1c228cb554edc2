//! Which words are the note's, and where they belong.

use crate::monitor::story::Story;
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case("+SMTP: SUCESS")]
#[case("+SMTP: OKOK")]
#[case("+SMTP: success")]
#[case("+SMTP:SUCCESS")]
#[case("+SMTP:  SUCCESS")]
#[case("+SMTP: SUCCESS ")]
#[case("+SMTP: SUCCESS.")]
#[case("+SMTP: FAILURE")]
#[case("+SMTP: BAD RCPT ")]
#[case("+SMTP: BAD RCPTa@b")]
#[case("+SMTP:")]
#[case("+smtp: SUCCESS")]
#[case("SMTP: SUCCESS")]
#[case("+SMTP SUCCESS")]
#[case(" +SMTP: SUCCESS")]
#[case("+POP3: AUTH ERROR")]
#[case("+POP3: USER CANCEL")]
#[case("+POP3: INVALID PWD")]
#[case("+POP3: 2,2134")]
#[case("+POP3: 2")]
#[case("+POP3: -1, 5")]
#[case("+Pop3: 2, 2134")]
#[case("POP3 SERVER ERROR")]
fn words_that_are_not_the_notes(#[case] line: &str) {
    let story = Story::new().send("AT+SMTPSEND").says("OK").says(line);
    assert_eq!(
        story.found("urc.spelling"),
        [format!("`{line}` is no line of the note's tables")]
    );
}

#[rstest]
#[case("+SMTP: OK")]
#[case("+SMTP: AUTH REQUIRED")]
#[case("+SMTP: USER CANCEL")]
#[case("+SMTP: OVERSIZE")]
#[case("+SMTP: BAD RCPT")]
#[case("+SMTP: BAD RCPT to@example.test")]
#[case("+SMTP: BAD RCPT [to@example.test]")]
#[case("+SMTP: BAD RCPT <to@example.test>")]
#[case("+POP3: INVALID UN/PWD")]
#[case("+POP3: FILE SYSTEM ERROR")]
#[case("+POP3: EMPTY")]
#[case("+POP3: ")]
#[case("+POP3:")]
#[case("+POP3: 0, 0")]
#[case("+POP3: 2 2134")]
#[case("+SMTPSEND: 0")]
#[case("+POP3IN: NULL")]
#[case("+SMTPSUB: \"+SMTP: SUCESS\"")]
#[case("SMTP server of the year")]
fn words_of_the_note_and_other_lines(#[case] line: &str) {
    let story = Story::new().send("AT+SMTPSEND").says(line).says("OK");
    assert_eq!(story.found("urc.spelling"), <[&str; 0]>::default());
}

#[test]
fn text_of_a_mail_and_names_of_files_are_no_reports() {
    let mail = b"\r\n+SMTP: SUCESS\r\n+smtp: ok\r\n\r\nOK\r\n";
    let story = Story::new().send("AT+POP3READ").bytes(mail);
    let story = story
        .send("AT+FSLS")
        .bytes(b"\r\n+FSLS: FILES:\r\nSMTP OK\r\n\r\nOK\r\n");
    assert_eq!(story.found("urc.spelling"), <[&str; 0]>::default());
}

#[rstest]
#[case(
    "AT+POP3NUM",
    "+POP3: FAILURE",
    "`+POP3: FAILURE` came without `AT+POP3GET` or `AT+POP3READ` or `AT+POP3HDR`"
)]
#[case(
    "AT+POP3OUT",
    "+POP3: FILE SYSTEM ERROR",
    "`+POP3: FILE SYSTEM ERROR` came without `AT+POP3GET` or `AT+POP3READ` or `AT+POP3HDR`"
)]
#[case(
    "AT+POP3NUM",
    "+POP3: INVALID UN",
    "`+POP3: INVALID UN` came without `AT+POP3IN`"
)]
#[case(
    "AT+POP3NUM",
    "+POP3: EMPTY",
    "`+POP3: EMPTY` came without `AT+POP3LIST`"
)]
#[case(
    "AT+POP3DEL=1",
    "+POP3: 1, 20",
    "`+POP3: 1, 20` came without `AT+POP3NUM` or `AT+POP3LIST`"
)]
fn a_report_of_another_command(#[case] command: &str, #[case] line: &str, #[case] message: &str) {
    let story = Story::new().send(command).says(line).says("ERROR");
    assert_eq!(story.found("urc.place"), [message]);
}

#[rstest]
#[case(&["AT+POP3GET=1"], "+POP3: FAILURE")]
#[case(&["AT+POP3GET=1", "AT+POP3NUM"], "+POP3: FILE SYSTEM ERROR")]
#[case(&["AT+POP3IN"], "+POP3: INVALID UN")]
#[case(&["AT+POP3NUM"], "+POP3: 1, 20")]
#[case(&["AT+POP3DEL=1"], "+POP3: SERVER ERROR")]
fn a_report_in_its_place(#[case] commands: &[&str], #[case] line: &str) {
    let story = commands.iter().fold(Story::new(), |story, command| {
        story.send(command).says("OK")
    });
    assert_eq!(story.says(line).found("urc.place"), <[&str; 0]>::default());
}

fn refused(address: &str) -> Story {
    let commands = json!([
        "EHLO x",
        "MAIL FROM:<me@example.test>",
        "RCPT TO:<to@example.test>"
    ]);
    Story::new()
        .send("AT+SMTPRCPT=0,0,\"to@example.test\"")
        .says("OK")
        .send("AT+SMTPSEND")
        .says("+SMTP: OK")
        .says("OK")
        .says(&format!("+SMTP: BAD RCPT {address}"))
        .state(json!({"smtp": {"sessions": [{"commands": commands}]}}))
}

#[rstest]
#[case("to@example.tes")]
#[case("too@example.test")]
#[case("TO@example.test")]
#[case("me@example.test")]
fn an_address_that_is_no_recipient(#[case] address: &str) {
    let message = format!("`+SMTP: BAD RCPT` names `{address}`, which is no recipient");
    assert_eq!(
        refused(&format!("[{address}]")).found("urc.recipient"),
        [message]
    );
}

#[test]
fn without_a_dialogue_the_address_may_be_an_old_one() {
    let story = Story::new()
        .send("AT+SMTPSEND")
        .says("+SMTP: BAD RCPT old@x")
        .says("ERROR");
    assert_eq!(story.found("urc.recipient"), <[&str; 0]>::default());
}

#[rstest]
#[case("to@example.test")]
#[case("[to@example.test]")]
#[case("<to@example.test>")]
fn an_address_that_is_a_recipient(#[case] address: &str) {
    assert_eq!(
        refused(address).found("urc.recipient"),
        <[&str; 0]>::default()
    );
}
