use crate::bench::{Bench, Peer};
use rstest::rstest;
use tokio::io::{AsyncReadExt, DuplexStream};

/// Everything up to the end of the data, with what stands in front of the final dot.
async fn accept_mail(server: &mut Peer<DuplexStream>) -> String {
    server
        .serve(&[
            ("EHLO", "250 hello\r\n"),
            ("MAIL FROM:<UserName@server.com>", "250 ok\r\n"),
            ("RCPT TO:<ToAddr@server.com>", "250 ok\r\n"),
            ("DATA", "354 go on\r\n"),
        ])
        .await;
    server.until("\r\n.\r\n").await
}

/// Starts to send; the server has greeted.
async fn sending(bench: &mut Bench) -> Peer<DuplexStream> {
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    bench.dte.quiet().await;
    server.send("220 hello\r\n").await;
    bench.expect("AT+SMTPSEND", &["+SMTP: OK", "OK"]).await;
    server
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_sent_and_then_cleared() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.ok("AT+SMTPFILE=1,\"file1.txt\"").await;
    let mut server = sending(&mut bench).await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 1", "OK"]).await;
    let mail = accept_mail(&mut server).await;
    for text in [
        "From: \"PresentName\" <UserName@server.com>\r\n",
        "To: \"ToName\" <ToAddr@server.com>\r\n",
        "Subject: First Email\r\n",
        "Date: Tue, 2 Feb 2010 11:04:0",
        "This is the first Email!",
        "file1.txt",
    ] {
        assert!(mail.contains(text), "{text:?} is not in {mail}");
    }
    bench.dte.quiet().await;
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("the dot", &["+SMTP: SUCCESS"]).await;
    server.closed().await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench.ok("AT+SMTPRCPT?").await;
    bench.says("AT+SMTPSUB?", &["+SMTPSUB: \"\"", "OK"]).await;
    bench.says("AT+SMTPBODY?", &["+SMTPBODY: \"\"", "OK"]).await;
    bench.ok("AT+SMTPFILE?").await;
    bench
        .says("AT+SMTPSRV?", &["+SMTPSRV: \"smtp.server.com\", 25", "OK"])
        .await;
    let from = "+SMTPFROM: \"UserName@server.com\", \"PresentName\"";
    bench.says("AT+SMTPFROM?", &[from, "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_was_not_sent_is_kept_and_can_be_sent_again() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    accept_mail(&mut server).await;
    server.send("452 no room\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("the dot", &["+SMTP: SERVER ERROR"]).await;
    bench
        .says("AT+SMTPSUB?", &["+SMTPSUB: \"First Email\"", "OK"])
        .await;
    let mut server = sending(&mut bench).await;
    accept_mail(&mut server).await;
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("the dot", &["+SMTP: SUCCESS"]).await;
}

#[rstest]
#[case("AT+SMTPSRV=\"other\"")]
#[case("AT+SMTPSRV")]
#[case("AT+SMTPAUTH=0")]
#[case("AT+SMTPFROM=\"a@b\"")]
#[case("AT+SMTPRCPT=0,1,\"a@b\"")]
#[case("AT+SMTPRCPT")]
#[case("AT+SMTPSUB=\"other\"")]
#[case("AT+SMTPBODY=\"other\"")]
#[case("AT+SMTPBODY")]
#[case("AT+SMTPFILE=1,\"file1.txt\"")]
#[case("AT+SMTPFILE")]
#[tokio::test(start_paused = true)]
async fn nothing_is_changed_while_a_mail_is_sent(#[case] command: &str) {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    bench.error(command).await;
    bench.ok("AT").await;
    accept_mail(&mut server).await;
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("the dot", &["+SMTP: SUCCESS"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_mail_has_to_wait() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let _server = sending(&mut bench).await;
    bench
        .says("AT+SMTPSEND", &["+SMTP: ONGOING", "ERROR"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn stopping_closes_the_session_at_once_and_nothing_follows() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    server.until("\r\n").await;
    bench.ok("AT+SMTPSTOP").await;
    server.closed().await;
    bench.dte.quiet().await;
    bench.error("AT+SMTPSTOP").await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench
        .says("AT+SMTPSUB?", &["+SMTPSUB: \"First Email\"", "OK"])
        .await;
    sending(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_cannot_start_ends_in_error() {
    let mut bench = Bench::with(&["echo=off", "timers.smtp=2s"]);
    bench.configured_smtp().await;
    bench.ok("AT+SMTPSRV=\"smtp.server.com\",1").await;
    bench
        .says("AT+SMTPSEND;+CSQ", &["+SMTP: NETWORK ERROR", "ERROR"])
        .await;
    let started = tokio::time::Instant::now();
    bench.ok("AT+SMTPSRV=\"smtp.server.com\",2").await;
    bench
        .says("AT+SMTPSEND", &["+SMTP: NETWORK ERROR", "ERROR"])
        .await;
    assert_eq!(started.elapsed().as_secs(), 2);
    bench.ok("AT+SMTPSRV=\"smtp.server.com\",25").await;
    bench.dte.send("AT+SMTPSEND\r").await;
    bench.accept().await.send("554 go away\r\n").await;
    bench.expect("554", &["+SMTP: SERVER ERROR", "ERROR"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_goes_on_when_the_session_is_there() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND;+CSQ\rAT+CGSN\r").await;
    let mut server = bench.accept().await;
    bench.dte.quiet().await;
    server.send("220 hello\r\n").await;
    let blocks = ["+SMTP: OK", "+CSQ: 21,99", "OK", "351602000330570", "OK"];
    bench.expect("both lines", &blocks).await;
}

#[rstest]
#[case::auth_required(("MAIL", "530 authentication required\r\n"), "+SMTP: AUTH REQUIRED")]
#[case::bad_recipient(("RCPT", "550 nobody\r\n"), "+SMTP: BAD RCPT ToAddr@server.com")]
#[case::server_error(("MAIL", "451 later\r\n"), "+SMTP: SERVER ERROR")]
#[tokio::test(start_paused = true)]
async fn refusals_have_their_words(#[case] refusal: (&str, &str), #[case] urc: &str) {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    server.serve(&[("EHLO", "250 hello\r\n")]).await;
    if refusal.0 == "RCPT" {
        server.serve(&[("MAIL", "250 ok\r\n")]).await;
    }
    server.serve(&[refusal]).await;
    if refusal.0 == "RCPT" {
        server.serve(&[("RSET", "250 ok\r\n")]).await;
    }
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("refusal", &[urc]).await;
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_told() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.ok("AT+SMTPAUTH=1,\"UserName\",\"password\"").await;
    let mut server = sending(&mut bench).await;
    server
        .serve(&[
            ("EHLO", "250-hello\r\n250 AUTH PLAIN\r\n"),
            ("AUTH PLAIN AFVzZXJOYW1lAHBhc3N3b3Jk", "535 no\r\n"),
            ("QUIT", "221 bye\r\n"),
        ])
        .await;
    bench.expect("535", &["+SMTP: AUTH ERROR"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_typed() {
    let mut bench = Bench::new();
    bench.ok("AT+SMTPBODY=\"old\"").await;
    bench.dte.send("AT+SMTPBODY\r").await;
    bench.dte.expect("\r\n>> ").await;
    bench.dte.send("Hello\rAT\r\n\x01wx\x08orld\x1a").await;
    bench.expect("the body", &["OK"]).await;
    let body = "+SMTPBODY: \"Hello\\0DAT\\0D\\0Aworld\"";
    bench.says("AT+SMTPBODY?", &[body, "OK"]).await;
    bench.dte.send("AT+SMTPBODY;+CSQ\r").await;
    bench.dte.expect("\r\n>> ").await;
    bench.dte.send("never mind\x1b").await;
    bench.expect("the body", &["+CSQ: 21,99", "OK"]).await;
    bench.says("AT+SMTPBODY?", &["+SMTPBODY: \"\"", "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_echoed_while_it_is_typed() {
    let mut bench = Bench::with(&[]);
    bench.dte.send("AT+SMTPBODY\r").await;
    bench.dte.expect("AT+SMTPBODY\r\r\n>> ").await;
    bench.dte.send("Hi\x1a").await;
    bench.dte.expect("Hi\x1a\r\nOK\r\n").await;
}

#[rstest]
#[case::at_the_limit(5120, 0, "OK", 5120)]
#[case::above(5121, 0, "ERROR", 0)]
#[case::above_and_deleted(5125, 6, "OK", 5119)]
#[tokio::test(start_paused = true)]
async fn a_typed_body_has_a_limit(
    #[case] typed: usize,
    #[case] deleted: usize,
    #[case] result: &str,
    #[case] kept: usize,
) {
    let mut bench = Bench::new();
    bench.dte.send("AT+SMTPBODY\r").await;
    bench.dte.expect("\r\n>> ").await;
    bench
        .dte
        .send(format!(
            "{}{}\x1a",
            "x".repeat(typed),
            "\x08".repeat(deleted)
        ))
        .await;
    bench.expect("the body", &[result]).await;
    let body = format!("+SMTPBODY: \"{}\"", "x".repeat(kept));
    bench.says("AT+SMTPBODY?", &[&body, "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_ascii() {
    let mut bench = Bench::new();
    bench.dte.send("AT+SMTPBODY\r").await;
    bench.dte.expect("\r\n>> ").await;
    bench.dte.send("\u{e4}\x1a").await;
    bench.expect("the body", &["ERROR"]).await;
    bench.error("AT+SMTPBODY=\"\u{e4}\"").await;
}

#[tokio::test(start_paused = true)]
async fn attachments_together_have_a_limit() {
    let settings = ["echo=off", "limits.attachments-total=130"];
    let mut bench = Bench::with(&settings);
    bench.ok("AT+SMTPFILE=1,\"file1.txt\"").await;
    bench.ok("AT+SMTPFILE=2,\"file2.txt\"").await;
    bench
        .says("AT+SMTPFILE=3,\"file3.txt\"", &["+SMTP: OVERSIZE", "ERROR"])
        .await;
    // One in the place of another counts once.
    bench.ok("AT+SMTPFILE=2,\"file3.txt\"").await;
    let files = "+SMTPFILE: 1, \"C:/file1.txt\", 63\n+SMTPFILE: 2, \"C:/file3.txt\", 63";
    bench.says("AT+SMTPFILE?", &[files, "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_has_gone_is_not_sent_without() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.ok("AT+SMTPFILE=1,\"file1.txt\"").await;
    bench.ok("AT+FSDEL=file1.txt").await;
    bench
        .says("AT+SMTPSEND", &["+SMTP: PARAM ERROR", "ERROR"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_until_a_file_was_received() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    bench.dte.send("AT+CFTRANRX=\"C:/up\",4\r").await;
    bench.dte.expect("\r\n>").await;
    bench.dte.send("ab").await;
    server.send("421 bye\r\n").await;
    bench.dte.quiet().await;
    bench.dte.send("cd").await;
    bench
        .expect("the file", &["OK", "+SMTP: SERVER ERROR"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_dte_that_hangs_up_does_not_stop_the_mail() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    bench.dte.send("AT+SMTPSEND?\r").await;
    bench.dte.stream = tokio::io::duplex(1).0;
    accept_mail(&mut server).await;
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.reattached_after_end(|_| {}).await;
    bench.says("AT+SMTPSUB?", &["+SMTPSUB: \"\"", "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn power_off_cuts_the_session() {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    let mut server = sending(&mut bench).await;
    server.until("\r\n").await;
    bench.power_cycle();
    server.closed().await;
    bench.dte.quiet().await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench
        .says("AT+SMTPSRV?", &["+SMTPSRV: \"\", 25", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn attachments_of_ten_megabytes_are_sent_and_one_octet_more_is_not() {
    let drive = tempfile::tempdir().unwrap();
    for (name, size) in [("ten.bin", 10 * 1024 * 1024), ("one.bin", 1)] {
        let file = std::fs::File::create(drive.path().join(name)).unwrap();
        file.set_len(size).unwrap();
    }
    let root = format!("storage.root={}", drive.path().display());
    let mut bench = Bench::with(&["echo=off", &root]);
    bench.configured_smtp().await;
    bench.ok("AT+SMTPFILE=1,\"ten.bin\"").await;
    bench
        .says("AT+SMTPFILE=2,\"one.bin\"", &["+SMTP: OVERSIZE", "ERROR"])
        .await;
    let mut server = sending(&mut bench).await;
    server
        .serve(&[
            ("EHLO", "250 hello\r\n"),
            ("MAIL", "250 ok\r\n"),
            ("RCPT", "250 ok\r\n"),
            ("DATA", "354 go on\r\n"),
        ])
        .await;
    let mut octets = 0;
    let mut end = Vec::new();
    while !end.ends_with(b"\r\n.\r\n") {
        let mut buffer = vec![0; 1 << 16];
        let read = server.stream.read(&mut buffer).await.unwrap();
        octets += read;
        end.extend_from_slice(&buffer[..read]);
        end.drain(..end.len().saturating_sub(5));
    }
    // Four characters for three octets, and a line end for each 76 characters.
    assert!(octets > 10 * 1024 * 1024 / 3 * 4, "only {octets}");
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    bench.expect("the dot", &["+SMTP: SUCCESS"]).await;
}
