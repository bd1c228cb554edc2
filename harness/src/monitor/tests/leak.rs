//! Which texts of a server must not come out of the device.

use crate::monitor::story::Story;
use rstest::rstest;
use urcheck_reports::Protocol::{Pop3, Smtp};

const NONE: [&str; 0] = [];

#[rstest]
#[case(
    Story::new().send("AT+SMTPSEND").server(Smtp, 1, "550 No such user").says("550 No such user").says("ERROR"),
    "`550 No such user` is what a server said (`550 No such user`), not a result of the device"
)]
#[case(
    Story::new().send("AT+SMTPSEND").server(Smtp, 1, "550-No such user").says("+CME ERROR: No such user"),
    "`+CME ERROR: No such user` is what a server said (`No such user`), not a result of the device"
)]
#[case(
    Story::new().send("AT+POP3LIST=1").server(Pop3, 1, "-ERR mailbox is busy").says("mailbox is busy").says("ERROR"),
    "`mailbox is busy` is what a server said (`mailbox is busy`), not a result of the device"
)]
fn leaks(#[case] story: Story, #[case] message: &str) {
    assert_eq!(story.found("leak.server-text"), [message]);
}

#[rstest]
#[case::report(Story::new().send("AT+SMTPSEND").server(Smtp, 1, "250 +SMTP: SUCCESS").says("+SMTP: SUCCESS").says("OK"))]
#[case::short(Story::new().send("AT+CSQ").server(Smtp, 1, "250 1,2").says("+CSQ: 1,2").says("OK"))]
#[case::name_that_the_dte_set(
    Story::new().send("AT+SMTPSRV=\"smtp.server.com\"").says("OK").server(Smtp, 1, "250-smtp.server.com")
        .send("AT+SMTPSRV?").says("+SMTPSRV: \"smtp.server.com\", 25").says("OK")
)]
#[case::numbers(Story::new().send("AT+POP3LIST").server(Pop3, 1, "+OK 10 1234567").bytes(b"\r\n+POP3: \r\n10 1234567\r\n").says("OK"))]
#[case::mail(Story::new().send("AT+POP3GET=1").server(Pop3, 1, "photograph.jpg").says("C:/Email/photograph.jpg").says("OK"))]
#[case::header(Story::new().send("AT+POP3HDR=1").server(Pop3, 1, "+OK top of message").says("+OK top of message").says("OK"))]
fn no_leaks(#[case] story: Story) {
    assert_eq!(story.found("leak.server-text"), NONE);
}
