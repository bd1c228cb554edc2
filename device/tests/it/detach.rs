use crate::bench::{Bench, Peer};
use tokio::io::DuplexStream;

#[tokio::test(start_paused = true)]
async fn without_a_network_nothing_is_sent_and_nobody_logs_in() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")
        .await;
    bench.ok("AT+CGATT=0").await;
    bench
        .says("AT+SMTPSEND", &["+SMTP: NETWORK ERROR", "ERROR"])
        .await;
    bench
        .says("AT+POP3IN", &["+POP3: NETWORK ERROR", "ERROR"])
        .await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench.ok("AT+CGATT=1").await;
    let server = sending(&mut bench).await;
    drop(server);
    bench.expect("the end", &["+SMTP: SERVER ERROR"]).await;
    log_in(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_module_attaches_itself_at_power_up() {
    let mut bench = Bench::new();
    bench.ok("AT+CGATT=0").await;
    bench.reattach(|module| module.power_cycle()).await;
    bench.says("AT+CGATT?", &["+CGATT: 1", "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_sending_is_cut() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    server.until("EHLO").await;
    bench
        .says("AT+CGATT=0", &["+SMTP: NETWORK ERROR", "OK"])
        .await;
    server.until("\r\n").await;
    server.closed().await;
    bench.dte.quiet().await;
    bench.error("AT+SMTPSTOP").await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    // The mail is kept, as after every failure.
    bench
        .says("AT+SMTPSUB?", &["+SMTPSUB: \"First Email\"", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_waits_is_cut_without_a_word() {
    let mut bench = Bench::new();
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")
        .await;
    let mut server = log_in(&mut bench).await;
    bench.ok("AT+CGATT=0").await;
    server.closed().await;
    bench.says("AT+POP3IN?", &["+POP3IN: NULL", "OK"]).await;
    bench.error("AT+POP3NUM").await;
    bench.error("AT+POP3STOP").await;
    bench.ok("AT+CGATT=1").await;
    log_in(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn the_transfer_of_a_mail_is_cut_and_nothing_of_it_is_kept() {
    let mut bench = Bench::new();
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")
        .await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    let half = "+OK\r\nSubject: half\r\n\r\n";
    server.serve(&[("RETR 1", half)]).await;
    bench.expect("AT+POP3GET", &["OK"]).await;
    bench.says("AT+CGATT=0", &["+POP3: FAILURE", "OK"]).await;
    server.closed().await;
    bench.dte.quiet().await;
    bench.error("AT+FSCD=C:/Email").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_line_that_sends_and_detaches_has_one_result() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND;+CGATT=0;+SMTPSEND?\r").await;
    let mut server = bench.accept().await;
    server.send("220 hello\r\n").await;
    let blocks = ["+SMTP: OK", "+SMTP: NETWORK ERROR", "+SMTPSEND: 0", "OK"];
    bench.expect("all in one line", &blocks).await;
    bench.dte.quiet().await;
}

/// Starts to send; the server has greeted.
async fn sending(bench: &mut Bench) -> Peer<DuplexStream> {
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    server.send("220 hello\r\n").await;
    bench.expect("AT+SMTPSEND", &["+SMTP: OK", "OK"]).await;
    server
}

async fn log_in(bench: &mut Bench) -> Peer<DuplexStream> {
    bench.dte.send("AT+POP3IN\r").await;
    let mut server = bench.accept().await;
    server.send("+OK\r\n").await;
    server
        .serve(&[("USER un", "+OK\r\n"), ("PASS pwd", "+OK\r\n")])
        .await;
    bench.expect("AT+POP3IN", &["+POP3: SUCCESS", "OK"]).await;
    server
}
