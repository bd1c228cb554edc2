use crate::bench::Bench;
use rstest::rstest;

/// How the command may be typed.
const SMTP_STOPS: [&str; 3] = [
    "AT+SMTPSTOP\r",
    "\nat+smtpstop\r",
    "AT +SMTPSTIP\x08\x08OP\r",
];

#[rstest]
#[case(0)]
#[case(1)]
#[case(2)]
#[tokio::test(start_paused = true)]
async fn a_sending_is_stopped_before_the_server_has_greeted(#[case] how: usize) {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    bench.dte.quiet().await;
    // As a person types it.
    for character in SMTP_STOPS[how].chars() {
        bench.dte.send(character.to_string()).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // One result for each of the two lines.
    bench.expect("AT+SMTPSTOP", &["ERROR", "OK"]).await;
    server.closed().await;
    bench.dte.quiet().await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench.error("AT+SMTPSTOP").await;
}

#[tokio::test(start_paused = true)]
async fn a_sending_is_stopped_while_it_connects() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.ok("AT+SMTPSRV=\"nobody\",2").await;
    bench.dte.send("AT+SMTPSEND\r").await;
    bench.dte.quiet().await;
    bench.says("AT+SMTPSTOP", &["ERROR", "OK"]).await;
    bench.dte.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_stopped_line_is_not_carried_out() {
    let mut bench = Bench::with(&[]);
    bench
        .dte
        .send("AT+SMTPSRV=\"nobody\",2;+SMTPFROM=\"a@b\";+SMTPRCPT=0,0,\"a@b\"\r")
        .await;
    bench.dte.until("\r\nOK\r\n").await;
    bench.dte.send("AT+SMTPSEND;+CSQ\r").await;
    bench.dte.expect("AT+SMTPSEND;+CSQ\r").await;
    bench.dte.quiet().await;
    bench.dte.send("AT+SMTPSTOP;+CSQ\r").await;
    bench.dte.quiet().await;
    bench.dte.send("AT+SMTPSTOP\r").await;
    bench.dte.quiet().await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    let rest = "\r\n+SMTP: NETWORK ERROR\r\n\r\nERROR\r\n\
                AT+SMTPSTOP;+CSQ\r\r\nERROR\r\n\
                AT+SMTPSTOP\r\r\nERROR\r\n";
    // Only the very next line stops: what stands before it is to be answered first.
    bench.dte.expect(rest).await;
    bench.dte.send("AT+SMTPSEND;+CSQ\rAT+SMTPSTOP\r").await;
    let stopped = "AT+SMTPSEND;+CSQ\r\r\nERROR\r\nAT+SMTPSTOP\r\r\nOK\r\n";
    bench.dte.expect(stopped).await;
    bench.dte.quiet().await;
}

#[rstest]
#[case::before_the_greeting("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")]
#[case::while_it_connects("AT+POP3SRV=\"nobody\",\"un\",\"pwd\",2")]
#[tokio::test(start_paused = true)]
async fn a_log_in_is_stopped(#[case] server: &str) {
    let mut bench = Bench::new();
    bench.ok(server).await;
    bench.dte.send("AT+POP3IN\r").await;
    bench.dte.quiet().await;
    bench.says("AT+POP3STOP", &["ERROR", "OK"]).await;
    bench.dte.quiet().await;
    bench.says("AT+POP3IN?", &["+POP3IN: NULL", "OK"]).await;
}

#[rstest]
#[case("AT+POP3NUM", "STAT")]
#[case("AT+POP3LIST", "LIST")]
#[case("AT+POP3HDR=1", "TOP 1 0")]
#[case("AT+POP3DEL=1", "DELE 1")]
#[case("AT+POP3OUT", "QUIT")]
#[tokio::test(start_paused = true)]
async fn a_question_is_stopped_with_its_session(#[case] command: &str, #[case] asked: &str) {
    let mut bench = Bench::new();
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")
        .await;
    bench.dte.send("AT+POP3IN\r").await;
    let mut server = bench.accept().await;
    server.send("+OK\r\n").await;
    server
        .serve(&[("USER un", "+OK\r\n"), ("PASS pwd", "+OK\r\n")])
        .await;
    bench.expect("AT+POP3IN", &["+POP3: SUCCESS", "OK"]).await;
    bench.dte.send(format!("{command}\r")).await;
    server.serve(&[(asked, "")]).await;
    bench.dte.send("AT+POP3STOP\r").await;
    bench.expect("AT+POP3STOP", &["ERROR", "OK"]).await;
    server.closed().await;
    bench.error("AT+POP3STOP").await;
}

#[tokio::test(start_paused = true)]
async fn the_stop_of_the_other_application_waits() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND\rAT+POP3STOP\r").await;
    let mut server = bench.accept().await;
    bench.dte.quiet().await;
    server.send("220 hello\r\n").await;
    bench
        .expect("AT+SMTPSEND", &["+SMTP: OK", "OK", "ERROR"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_meanwhile_is_kept_up_to_a_limit_and_answered_in_order() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    for _ in 0..2_000 {
        bench.dte.send("AT\r").await;
    }
    bench.dte.send("AT+CSQ\r").await;
    bench.dte.quiet().await;
    server.send("220 hello\r\n").await;
    let mut blocks = vec!["+SMTP: OK", "OK"];
    blocks.extend(["OK"; 2_000]);
    blocks.extend(["+CSQ: 21,99", "OK"]);
    bench.expect("all of it", &blocks).await;
}
