//! The listings of note chapters 3 and 4: what the DTE sends, and what the module answers, with
//! empty lines as framing. The servers beside them are scripts.

use crate::bench::{Bench, Peer};
use tokio::io::DuplexStream;

/// Sends the `AT` lines of a listing; compares what comes with the lines below each.
async fn replay(bench: &mut Bench, listing: &str) {
    let mut lines = listing.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(command) = lines.next() {
        assert!(command.starts_with("AT"), "{command}");
        bench.dte.send(&format!("{command}\r")).await;
        while let Some(line) = lines.next_if(|line| !line.starts_with("AT")) {
            expect_line(bench, line, command).await;
        }
    }
}

/// The next line that is not empty.
async fn expect_line(bench: &mut Bench, line: &str, command: &str) {
    let next = loop {
        let next = bench.dte.until("\r\n").await;
        if next != "\r\n" {
            break next;
        }
    };
    assert_eq!(next.trim_end_matches("\r\n"), line, "after {command}");
}

const PARAMETERS: &str = "
AT+CGSOCKCONT=1,\"IP\",\"3GNET\",\"0.0.0.0\",0,0
OK
AT+SMTPSRV=\"smtp.server.com\",25
OK
AT+SMTPAUTH=1,\"UserName\",\"password\"
OK
AT+SMTPFROM=\"UserName@server.com\",\"PresentName\"
OK";

/// Takes one mail over from a client that logs in.
async fn smtp_server(mut server: Peer<DuplexStream>, recipients: usize) -> String {
    server.send("220 smtp.server.com\r\n").await;
    server
        .serve(&[("EHLO", "250-smtp.server.com\r\n250 AUTH LOGIN PLAIN\r\n")])
        .await;
    let auth = server.until("\r\n").await;
    assert!(
        auth.starts_with("AUTH PLAIN ") || auth.starts_with("AUTH LOGIN"),
        "{auth}"
    );
    if auth.starts_with("AUTH LOGIN") {
        server.send("334 VXNlcm5hbWU6\r\n").await;
        server
            .serve(&[("VXNlck5hbWU=", "334 UGFzc3dvcmQ6\r\n")])
            .await;
        server.until("\r\n").await;
    }
    server.send("235 welcome\r\n").await;
    server
        .serve(&[("MAIL FROM:<UserName@server.com>", "250 ok\r\n")])
        .await;
    for _ in 0..recipients {
        server.serve(&[("RCPT TO:<", "250 ok\r\n")]).await;
    }
    server.serve(&[("DATA", "354 go on\r\n")]).await;
    let mail = server.until("\r\n.\r\n").await;
    server.send("250 taken\r\n").await;
    server.serve(&[("QUIT", "221 bye\r\n")]).await;
    mail
}

#[tokio::test(start_paused = true)]
async fn listing_3_2_write_and_send() {
    let mut bench = Bench::new();
    replay(&mut bench, PARAMETERS).await;
    let listing = "
AT+SMTPRCPT=0,0,\"ToAddr@server.com\",\"ToName\"
OK
AT+SMTPRCPT=1,0,\"CcAddr@server.com\",\"CcName\"
OK
AT+SMTPSUB=\"First Email\"
OK
AT+SMTPBODY=\"This is the first Email!\"
OK
AT+FSCD=C:/Picture
+FSCD: C:/Picture/
OK
AT+FSLs
+FSLS: FILES:
20100202_100006.jpg
20100202_100016.jpg
OK
AT+SMTPFILE=1,\"20100202_100006.jpg\"
OK
AT+SMTPFILE=2,\"20100202_100016.jpg\"
OK";
    replay(&mut bench, listing).await;
    bench.dte.send("AT+SMTPSEND\r").await;
    let server = tokio::spawn(smtp_server(bench.accept().await, 2));
    bench
        .expect("AT+SMTPSEND", &["+SMTP: OK", "OK", "+SMTP: SUCCESS"])
        .await;
    let mail = server.await.unwrap();
    for text in [
        "\r\nCc: \"CcName\" <CcAddr@server.com>\r\n",
        "This is the first Email!",
        "20100202_100006.jpg",
        "20100202_100016.jpg",
    ] {
        assert!(mail.contains(text), "{text:?} is not in the mail");
    }
}

#[tokio::test(start_paused = true)]
async fn listing_3_3_abort() {
    let mut bench = Bench::new();
    replay(&mut bench, PARAMETERS).await;
    let listing = "
AT+SMTPRCPT=0,0,\"ToAddr@server.com\",\"ToName\"
OK
AT+SMTPSUB=\"First Email\"
OK
AT+SMTPBODY=\"This is the first Email!\"
OK";
    replay(&mut bench, listing).await;
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    server.send("220 smtp.server.com\r\n").await;
    bench.expect("AT+SMTPSEND", &["+SMTP: OK", "OK"]).await;
    bench.ok("AT+SMTPSTOP").await;
    assert!(server.until("\r\n").await.starts_with("EHLO"));
    server.closed().await;
}

const FIRST_HEADER: &str = "From: \"FromName\" <FromAddr@server.com>\r\n\
                            To: \"ToName\" <ToAddr@server.com>\r\n\
                            Date: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
                            Subject: First Test Email\r\n";
const SECOND_HEADER: &str = "From: \"FromName\" <FromAddr@server.com>\r\n\
                             To: \"ToName\" <ToAddr@server.com>\r\n\
                             Date: Tue, 9 Mar 2010 17:16:27 +0800\r\n\
                             Subject: Second Test Email\r\n";

/// A maildrop with the two mails of the note, or with none.
async fn pop3_server(mut server: Peer<DuplexStream>, full: bool) -> Vec<String> {
    let mut commands = Vec::new();
    server.send("+OK pop3.server.com\r\n").await;
    loop {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            let next = server.take(1).await;
            if next.is_empty() {
                return commands;
            }
            line += &next;
        }
        let reply = match line.trim_end() {
            "STAT" if full => "+OK 2 2134\r\n".to_owned(),
            "STAT" => "+OK 0 0\r\n".to_owned(),
            "LIST 1" => "+OK 1 1050\r\n".to_owned(),
            "LIST 2" => "+OK 2 1084\r\n".to_owned(),
            "TOP 1 0" => format!("+OK\r\n{FIRST_HEADER}\r\n.\r\n"),
            "TOP 2 0" => format!("+OK\r\n{SECOND_HEADER}\r\n.\r\n"),
            "RETR 1" => format!(
                "+OK\r\n{FIRST_HEADER}\r\nThis is a test email with an attachment.\r\n.\r\n"
            ),
            _ => "+OK\r\n".to_owned(),
        };
        commands.push(line.trim_end().to_owned());
        server.send(reply).await;
    }
}

/// Listing 4.1 and a log-in; the server runs beside.
async fn logged_in(bench: &mut Bench, full: bool) -> tokio::task::JoinHandle<Vec<String>> {
    let listing = "
AT+CGSOCKCONT=1,\"IP\",\"3GNET\",\"0.0.0.0\",0,0
OK
AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\",110
OK";
    replay(bench, listing).await;
    bench.dte.send("AT+POP3IN\r").await;
    let server = tokio::spawn(pop3_server(bench.accept().await, full));
    bench.expect("AT+POP3IN", &["+POP3: SUCCESS", "OK"]).await;
    server
}

/// Listing 4.3 up to the last header. The note prints the number with a comma in 4.2 and without
/// one here; the module prints the comma always.
const PEEK: &str = "
AT+POP3NUM
+POP3: 2, 2134
OK
AT+POP3LIST=1
+POP3: 1, 1050
OK
AT+POP3HDR=1
From: \"FromName\" <FromAddr@server.com>
Date: Tue, 9 Mar 2010 17:11:30 +0800
Subject: First Test Email
OK
AT+POP3LIST=2
+POP3: 2, 1084
OK
AT+POP3HDR=2
From: \"FromName\" <FromAddr@server.com>
Date: Tue, 9 Mar 2010 17:16:27 +0800
Subject: Second Test Email
OK";

const RETRIEVE: &str = "
AT+FSLOCA=0
OK
AT+POP3GET=1
OK
+POP3: SUCCESS
C:/Email/100202110457/, EMAIL000.TXT
AT+POP3READ
Date: Tue, 9 Mar 2010 17:11:30 +0800
From: \"FromName\" <FromAddr@server.com>
To: \"ToName\" <ToAddr@server.com>
Subject: First Test Email
This is a test email with an attachment.
OK";

const LEAVE: &str = "
AT+POP3OUT
+POP3: SUCCESS
OK";

const LOG_IN: [&str; 2] = ["USER un", "PASS pwd"];
const LOOKED: [&str; 5] = ["STAT", "LIST 1", "TOP 1 0", "LIST 2", "TOP 2 0"];

#[tokio::test(start_paused = true)]
async fn listing_4_2_inquire() {
    let mut bench = Bench::new();
    let server = logged_in(&mut bench, false).await;
    replay(&mut bench, "AT+POP3NUM\n+POP3: 0, 0\nOK").await;
    replay(&mut bench, LEAVE).await;
    assert_eq!(
        server.await.unwrap(),
        [&LOG_IN[..], &["STAT", "QUIT"]].concat()
    );
}

#[tokio::test(start_paused = true)]
async fn listing_4_3_peek() {
    let mut bench = Bench::new();
    let server = logged_in(&mut bench, true).await;
    replay(&mut bench, PEEK).await;
    replay(&mut bench, LEAVE).await;
    assert_eq!(
        server.await.unwrap(),
        [&LOG_IN[..], &LOOKED, &["QUIT"]].concat()
    );
}

#[tokio::test(start_paused = true)]
async fn listing_4_4_retrieve_without_delete_and_4_7_read() {
    let mut bench = Bench::with(&["echo=off", "clock=10/02/02,11:04:57+32"]);
    let server = logged_in(&mut bench, true).await;
    replay(&mut bench, PEEK).await;
    replay(&mut bench, RETRIEVE).await;
    replay(&mut bench, LEAVE).await;
    assert_eq!(
        server.await.unwrap(),
        [&LOG_IN[..], &LOOKED, &["RETR 1", "QUIT"]].concat()
    );
    let listing = "
AT+FSCD=C:/Email
+FSCD: C:/Email/
OK
AT+FSLS
+FSLS: SUBDIRECTORIES:
100202110457
OK
AT+POP3READ=0,\"100202110457/EMAIL000.TXT\"
Date: Tue, 9 Mar 2010 17:11:30 +0800
From: \"FromName\" <FromAddr@server.com>
To: \"ToName\" <ToAddr@server.com>
Subject: First Test Email
This is a test email with an attachment.
OK";
    replay(&mut bench, listing).await;
}

#[tokio::test(start_paused = true)]
async fn listing_4_5_retrieve_with_delete() {
    let mut bench = Bench::with(&["echo=off", "clock=10/02/02,11:04:57+32"]);
    let server = logged_in(&mut bench, true).await;
    replay(&mut bench, PEEK).await;
    replay(&mut bench, RETRIEVE).await;
    replay(&mut bench, "AT+POP3DEL=1\n+POP3: SUCCESS\nOK").await;
    replay(&mut bench, LEAVE).await;
    let asked = [&LOG_IN[..], &LOOKED, &["RETR 1", "DELE 1", "QUIT"]].concat();
    assert_eq!(server.await.unwrap(), asked);
}

#[tokio::test(start_paused = true)]
async fn listing_4_6_abort() {
    let mut bench = Bench::new();
    let server = logged_in(&mut bench, true).await;
    replay(&mut bench, PEEK).await;
    // Both lines at once, so that the mail cannot be there before the stop.
    bench.dte.send("AT+POP3GET=1\rAT+POP3STOP\r").await;
    bench.expect("both", &["OK", "OK"]).await;
    bench.dte.quiet().await;
    assert_eq!(server.await.unwrap(), [&LOG_IN[..], &LOOKED].concat());
}
