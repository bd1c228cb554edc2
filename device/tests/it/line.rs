use crate::bench::{Bench, framed};
use rstest::rstest;

#[tokio::test(start_paused = true)]
async fn the_echo_gives_back_the_bytes_as_received() {
    let mut bench = Bench::with(&[]);
    bench.dte.send("\x01xyat+cx\x08sq\r\n").await;
    bench
        .dte
        .expect("\x01xyat+cx\x08sq\r\r\n+CSQ: 21,99\r\n\r\nOK\r\n\n")
        .await;
    bench.dte.send("ATE0\r").await;
    bench.dte.expect("ATE0\r\r\nOK\r\n").await;
    bench.dte.send("AT\r").await;
    bench.dte.expect("\r\nOK\r\n").await;
    bench.dte.send("ATE1\rAT\r").await;
    bench.dte.expect("\r\nOK\r\nAT\r\r\nOK\r\n").await;
}

#[rstest]
#[case("AT\r", "\r\nOK\r\n")]
#[case("at\r", "\r\nOK\r\n")]
#[case("noise AT\r", "\r\nOK\r\n")]
#[case("\r\n\r\nAT\r", "\r\nOK\r\n")]
#[case("A/", "\r\nOK\r\n")]
#[case("a/", "\r\nOK\r\n")]
#[case(
    "AT+CSQ\rA/",
    "\r\n+CSQ: 21,99\r\n\r\nOK\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n"
)]
#[case("AT+XYZ\rA/", "\r\nERROR\r\n\r\nERROR\r\n")]
#[case("AT+CSQ;+CSQ\r", "\r\n+CSQ: 21,99\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n")]
#[case("ATE0V1+CSQ;\r", "\r\n+CSQ: 21,99\r\n\r\nOK\r\n")]
#[case("AT + C S Q \r", "\r\n+CSQ: 21,99\r\n\r\nOK\r\n")]
#[case("AT+CSQ;+XYZ;+CSQ\r", "\r\n+CSQ: 21,99\r\n\r\nERROR\r\n")]
#[case("AT+XYZ=?\r", "\r\nERROR\r\n")]
#[case(
    "AT+smtpsub=\"say \\22hi\\22\";+SMTPSUB?\r",
    "\r\n+SMTPSUB: \"say \\22hi\\22\"\r\n\r\nOK\r\n"
)]
#[case("ATS3?S4?S5?\r", "\r\n013\r\n\r\n010\r\n\r\n008\r\n\r\nOK\r\n")]
#[case("ATS5=35\rAT+CX#SQ\r", "\r\nOK\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n")]
#[case("ATS3=33\rAT!", "!\nOK!\n!\nOK!\n")]
#[case("ATS4=32\r", "\r OK\r ")]
#[case("ATS3=128\r", "\r\nERROR\r\n")]
#[case("ATS99?\r", "\r\nERROR\r\n")]
#[case("ATV0\rAT\rAT+XYZ\rAT+CSQ\r", "0\r0\r4\r+CSQ: 21,99\r\n0\r")]
#[case("ATV\r", "0\r")]
#[case("ATQ1\rAT\rAT+XYZ\rAT+CSQ\rATQ0\r", "\r\n+CSQ: 21,99\r\n\r\nOK\r\n")]
#[case(
    "AT+CMEE=1\rAT+CSOCKSETPN=17\rAT+XYZ\r",
    "\r\nOK\r\n\r\n+CME ERROR: 50\r\n\r\nERROR\r\n"
)]
#[case(
    "AT+CMEE=2\rAT+CPIN=\"1234\"\r",
    "\r\nOK\r\n\r\n+CME ERROR: operation not allowed\r\n"
)]
#[case(
    "AT+CMEE=2\rATV0\rAT+CSOCKSETPN=0\r",
    "\r\nOK\r\n0\r+CME ERROR: incorrect parameters\r\n"
)]
#[case("AT+CSOCKSETPN=17\r", "\r\nERROR\r\n")]
#[case("ATX9\r", "\r\nERROR\r\n")]
#[case("ATDT123\r", "\r\nERROR\r\n")]
#[case("At\raT\rAT\r", "\r\nOK\r\n")]
#[tokio::test(start_paused = true)]
async fn lines_are_answered(#[case] typed: &str, #[case] answer: &str) {
    let mut bench = Bench::new();
    bench.dte.send(typed).await;
    bench.dte.expect(answer).await;
    bench.dte.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_is_refused_at_its_end() {
    let mut bench = Bench::new();
    bench
        .dte
        .send(format!("AT+SMTPBODY=\"{}", "x".repeat(100_000)))
        .await;
    bench.dte.quiet().await;
    bench.dte.send("\"\r").await;
    bench.expect("long line", &["ERROR"]).await;
    bench.says("AT+SMTPBODY?", &["+SMTPBODY: \"\"", "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn profiles_are_kept_and_restored() {
    let mut bench = Bench::with(&[]);
    bench.dte.send("ATE0S5=127&W\r").await;
    bench.dte.expect("ATE0S5=127&W\r\r\nOK\r\n").await;
    bench.dte.send("ATS5=8X4\r").await;
    bench.dte.expect("\r\nOK\r\n").await;
    let view = "&C: 1; &D: 2; E: 0; Q: 0; V: 1; X: 1; S0: 0; S3: 13; S4: 10; S5: 127";
    bench.says("ATZ&V", &[view, "OK"]).await;
    let view = "&C: 1; &D: 2; E: 1; Q: 0; V: 1; X: 1; S0: 0; S3: 13; S4: 10; S5: 8";
    bench.says("AT&F&V", &[view, "OK"]).await;
    bench.reattach(urcheck_device::Module::power_cycle).await;
    bench.says("ATS5?", &["127", "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_byte_at_a_time_is_the_same_as_all_at_once() {
    let mut bench = Bench::new();
    for byte in b"AT+SMTPSRV=\"smtp.server.com\",25;+SMTPSRV?\r" {
        bench.dte.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    bench
        .dte
        .expect(&framed(&["+SMTPSRV: \"smtp.server.com\", 25", "OK"]))
        .await;
}

#[tokio::test(start_paused = true)]
async fn another_dte_finds_the_settings_but_not_the_half_line() {
    let mut bench = Bench::new();
    bench.ok("AT+SMTPSUB=\"kept\"").await;
    bench.dte.send("AT+SMTPSUB=\"half").await;
    bench.reattach(|_| {}).await;
    bench
        .says("AT+SMTPSUB?", &["+SMTPSUB: \"kept\"", "OK"])
        .await;
    bench.reattach(urcheck_device::Module::power_cycle).await;
    bench.says("AT+SMTPSUB?", &["+SMTPSUB: \"\"", "OK"]).await;
}
