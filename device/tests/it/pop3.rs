use crate::bench::{Bench, Peer};
use rstest::rstest;
use tokio::io::{AsyncWriteExt, DuplexStream};

const MAIL: &str = "From: \"FromName\" <FromAddr@server.com>\r\n\
                    To: \"ToName\" <ToAddr@server.com>\r\n\
                    Subject: First Test Email\r\n\
                    Date: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
                    MIME-Version: 1.0\r\n\
                    Content-Type: multipart/mixed; boundary=b\r\n\
                    \r\n\
                    --b\r\n\
                    Content-Type: text/plain\r\n\
                    \r\n\
                    This is a test email with an attachment.\r\n\
                    --b\r\n\
                    Content-Type: application/octet-stream\r\n\
                    Content-Disposition: attachment; filename=\"../a.bin\"\r\n\
                    Content-Transfer-Encoding: base64\r\n\
                    \r\n\
                    AAECAw==\r\n\
                    --b--\r\n";

async fn configured(settings: &[&str]) -> Bench {
    let mut bench = Bench::with(settings);
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\",110")
        .await;
    bench
}

/// A module that has logged in, and its server.
async fn logged_in() -> (Bench, Peer<DuplexStream>) {
    let mut bench = configured(&["echo=off"]).await;
    let server = log_in(&mut bench).await;
    (bench, server)
}

async fn log_in(bench: &mut Bench) -> Peer<DuplexStream> {
    bench.dte.send("AT+POP3IN\r").await;
    let mut server = bench.accept().await;
    server.send("+OK hello\r\n").await;
    server
        .serve(&[("USER un", "+OK\r\n"), ("PASS pwd", "+OK\r\n")])
        .await;
    bench.expect("AT+POP3IN", &["+POP3: SUCCESS", "OK"]).await;
    server
}

/// One command of the DTE, one of the module, one reply, one answer.
async fn exchange(
    (bench, server): &mut (Bench, Peer<DuplexStream>),
    command: &str,
    (line, reply): (&str, &str),
    blocks: &[&str],
) {
    bench.dte.send(&format!("{command}\r")).await;
    server.serve(&[(line, reply)]).await;
    bench.expect(command, blocks).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_from_log_in_to_log_out() {
    let mut both = logged_in().await;
    let header = "+OK\r\nSubject: First\r\n Test Email\r\nFrom: a@b\r\nDate: today\r\n\r\n.\r\n";
    for (command, dialogue, blocks) in [
        (
            "AT+POP3NUM",
            ("STAT", "+OK 2 2134\r\n"),
            vec!["+POP3: 2, 2134", "OK"],
        ),
        (
            "AT+POP3LIST=1",
            ("LIST 1", "+OK 1 1050\r\n"),
            vec!["+POP3: 1, 1050", "OK"],
        ),
        (
            "AT+POP3LIST",
            ("LIST", "+OK\r\n1 1050\r\n2 1084\r\n.\r\n"),
            vec!["+POP3: \n1 1050\n2 1084", "OK"],
        ),
        (
            "AT+POP3LIST",
            ("LIST", "+OK\r\n.\r\n"),
            vec!["+POP3: EMPTY", "OK"],
        ),
        (
            "AT+POP3HDR=1",
            ("TOP 1 0", header),
            vec!["From: a@b\nDate: today\nSubject: First Test Email", "OK"],
        ),
        (
            "AT+POP3LIST=9",
            ("LIST 9", "-ERR none\r\n"),
            vec!["+POP3: SERVER ERROR", "ERROR"],
        ),
        (
            "AT+POP3DEL=1",
            ("DELE 1", "+OK\r\n"),
            vec!["+POP3: SUCCESS", "OK"],
        ),
        (
            "AT+POP3OUT",
            ("QUIT", "+OK\r\n"),
            vec!["+POP3: SUCCESS", "OK"],
        ),
    ] {
        exchange(&mut both, command, dialogue, &blocks).await;
    }
    both.1.closed().await;
    both.0.says("AT+POP3IN?", &["+POP3IN: NULL", "OK"]).await;
    both.0.error("AT+POP3OUT").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_keeps_its_server() {
    let (mut bench, _server) = logged_in().await;
    bench.error("AT+POP3IN").await;
    bench.error("AT+POP3SRV=\"other\",\"un\",\"pwd\"").await;
    bench.error("AT+POP3SRV").await;
    bench.error("AT+NETOPEN").await;
    bench
        .says("AT+POP3IN?", &["+POP3IN: \"pop3.server.com\"", "OK"])
        .await;
}

#[rstest]
#[case::greeting(&[], "-ERR busy\r\n", "+POP3: SERVER ERROR")]
#[case::user(&[("USER un", "-ERR who\r\n")], "+OK\r\n", "+POP3: INVALID UN")]
#[case::password(
    &[("USER un", "+OK\r\n"), ("PASS pwd", "-ERR no\r\n")],
    "+OK\r\n",
    "+POP3: INVALID UN/PWD"
)]
#[tokio::test(start_paused = true)]
async fn a_refused_log_in_says_why(
    #[case] dialogue: &[(&str, &str)],
    #[case] greeting: &str,
    #[case] urc: &str,
) {
    let mut bench = configured(&["echo=off"]).await;
    bench.dte.send("AT+POP3IN\r").await;
    let mut server = bench.accept().await;
    server.send(greeting).await;
    server.serve(dialogue).await;
    bench.expect("AT+POP3IN", &[urc, "ERROR"]).await;
    bench.error("AT+POP3NUM").await;
    // And it can be tried again.
    log_in(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_a_network_error() {
    let mut bench = configured(&["echo=off", "timers.pop3=2s"]).await;
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\",1")
        .await;
    bench
        .says("AT+POP3IN", &["+POP3: NETWORK ERROR", "ERROR"])
        .await;
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\",2")
        .await;
    let started = tokio::time::Instant::now();
    bench
        .says("AT+POP3IN", &["+POP3: NETWORK ERROR", "ERROR"])
        .await;
    assert_eq!(started.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_retrieved_stored_and_read() {
    let mut both = logged_in().await;
    both.0.ok("AT+FSLOCA=0").await;
    both.0.dte.send("AT+POP3GET=1\r").await;
    both.0.expect("AT+POP3GET", &["OK"]).await;
    both.0.ok("AT").await;
    for command in ["AT+POP3NUM", "AT+POP3GET=2", "AT+POP3OUT", "AT+POP3READ"] {
        both.0.error(command).await;
    }
    let reply = format!("+OK\r\n{MAIL}.\r\n");
    both.1.serve(&[("RETR 1", &reply)]).await;
    let stored = "+POP3: SUCCESS\nC:/Email/100202110400/, EMAIL000.TXT";
    both.0.expect("the mail", &[stored]).await;
    let text = "Date: Tue, 9 Mar 2010 17:11:30 +0800\n\
                From: \"FromName\" <FromAddr@server.com>\n\
                To: \"ToName\" <ToAddr@server.com>\n\
                Subject: First Test Email\n\
                \n\
                This is a test email with an attachment.";
    both.0.says("AT+POP3READ", &[text, "OK"]).await;
    both.0
        .says(
            "AT+FSCD=C:/Email/100202110400",
            &["+FSCD: C:/Email/100202110400/", "OK"],
        )
        .await;
    both.0
        .says("AT+FSLS", &["+FSLS: FILES:\nEMAIL000.TXT\na.bin", "OK"])
        .await;
    both.0
        .says(
            "AT+FSATTRI=a.bin",
            &["+FSATTRI: 4, 2010/02/02 11:04:00 Tue", "OK"],
        )
        .await;
    both.0
        .says("AT+POP3READ=0,\"100202110400/EMAIL000.TXT\"", &[text, "OK"])
        .await;
    both.0
        .error("AT+POP3READ=1,\"100202110400/EMAIL000.TXT\"")
        .await;
    both.0
        .error("AT+POP3READ=0,\"100202110400/EMAIL001.TXT\"")
        .await;
    both.0
        .error("AT+POP3READ=0,\"100202110400/../100202110400/EMAIL000.TXT\"")
        .await;
    both.0.error("AT+POP3READ=0,\"100202110400/a.bin\"").await;
    // Reading needs no session.
    exchange(
        &mut both,
        "AT+POP3OUT",
        ("QUIT", "+OK\r\n"),
        &["+POP3: SUCCESS", "OK"],
    )
    .await;
    both.0.says("AT+POP3READ", &[text, "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn two_mails_of_one_second_have_directories_of_their_own() {
    let mut both = logged_in().await;
    let reply = "+OK\r\nSubject: x\r\n\r\nx\r\n.\r\n";
    for stamp in ["100202110400", "100202110401", "100202110402"] {
        let stored = format!("+POP3: SUCCESS\nC:/Email/{stamp}/, EMAIL000.TXT");
        exchange(
            &mut both,
            "AT+POP3GET=1",
            ("RETR 1", reply),
            &["OK", &stored],
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_mail_keeps_the_session() {
    let mut both = logged_in().await;
    let refusal = ("RETR 9", "-ERR none\r\n");
    exchange(
        &mut both,
        "AT+POP3GET=9",
        refusal,
        &["OK", "+POP3: SERVER ERROR"],
    )
    .await;
    both.0.error("AT+POP3READ").await;
    exchange(
        &mut both,
        "AT+POP3NUM",
        ("STAT", "+OK 0 0\r\n"),
        &["+POP3: 0, 0", "OK"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn half_a_mail_is_a_failure_and_is_not_kept() {
    let mut both = logged_in().await;
    both.0.dte.send("AT+POP3GET=1\r").await;
    both.1
        .serve(&[("RETR 1", "+OK\r\nSubject: half\r\n\r\nhalf")])
        .await;
    let (mut bench, server) = both;
    drop(server);
    bench.expect("half a mail", &["OK", "+POP3: FAILURE"]).await;
    bench.error("AT+POP3READ").await;
    bench.error("AT+FSCD=C:/Email").await;
    log_in(&mut bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_without_room_is_a_file_system_error_and_ends_the_session() {
    let settings = ["echo=off", "storage=200", "storage.factory-files=off"];
    let mut bench = configured(&settings).await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    let mail = format!("+OK\r\nSubject: x\r\n\r\n{}\r\n.\r\n", "x".repeat(200));
    server.serve(&[("RETR 1", &mail)]).await;
    bench
        .expect("a large mail", &["OK", "+POP3: FILE SYSTEM ERROR"])
        .await;
    server.closed().await;
    bench.error("AT+POP3NUM").await;
    bench.says("AT+FSMEM", &["+FSMEM: C:(200, 0)", "OK"]).await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    server
        .serve(&[("RETR 1", "+OK\r\n\r\nsmall\r\n.\r\n")])
        .await;
    let stored = "+POP3: SUCCESS\nC:/Email/100202110400/, EMAIL000.TXT";
    bench.expect("a small mail", &["OK", stored]).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_never_fit_is_not_taken_to_its_end() {
    let settings = ["echo=off", "storage=200", "storage.factory-files=off"];
    let mut bench = configured(&settings).await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    let begin = format!("+OK\r\nSubject: x\r\n\r\n{}", "x".repeat(70_000));
    server.serve(&[("RETR 1", "")]).await;
    server.send(begin).await;
    bench
        .expect("an endless mail", &["OK", "+POP3: FILE SYSTEM ERROR"])
        .await;
    server.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_of_a_hundred_megabytes_is_given_up_in_bounded_memory() {
    let mut bench = configured(&["echo=off", "storage.free=2MiB"]).await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    server.serve(&[("RETR 1", "+OK\r\n\r\n")]).await;
    let line = format!("{}\r\n", "x".repeat(62)).repeat(1024);
    let mut taken = 0_usize;
    while taken < 100 << 20 && server.stream.write_all(line.as_bytes()).await.is_ok() {
        taken += line.len();
    }
    // Four times what is free, and what was on its way.
    assert!((8 << 20..9 << 20).contains(&taken), "{taken}");
    bench
        .expect("a hundred megabytes", &["OK", "+POP3: FILE SYSTEM ERROR"])
        .await;
    bench
        .says("AT+FSMEM", &["+FSMEM: C:(12623573, 10526421)", "OK"])
        .await;
    bench.error("AT+FSCD=C:/Email").await;
    bench.error("AT+POP3STOP").await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_is_only_large_in_its_encoding_fits() {
    let mut bench = configured(&["echo=off", "storage.free=100KiB"]).await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    let head = "Content-Type: text/plain; charset=iso-8859-1\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    let line = format!("{}=\r\n", "=41".repeat(25));
    let mail = format!("+OK\r\n{head}{}\r\n.\r\n", line.repeat(90 * 1024 / 25));
    server.serve(&[("RETR 1", &mail)]).await;
    let stored = "+POP3: SUCCESS\nC:/Email/100202110400/, EMAIL000.TXT";
    bench.expect("a mail in escapes", &["OK", stored]).await;
}

#[tokio::test(start_paused = true)]
async fn mails_are_saved_on_the_card_and_read_from_either_drive() {
    let (mut bench, mut server) = logged_in().await;
    let stored = |drive: &str| format!("+POP3: SUCCESS\n{drive}/Email/100202110400/, EMAIL000.TXT");
    for (location, drive, text) in [(1, "D:", "card"), (0, "C:", "local")] {
        bench.ok(&format!("AT+FSLOCA={location}")).await;
        bench.dte.send("AT+POP3GET=1\r").await;
        let mail = format!("+OK\r\n\r\n{text}\r\n.\r\n");
        server.serve(&[("RETR 1", &mail)]).await;
        bench.expect("a mail", &["OK", &stored(drive)]).await;
        bench
            .says("AT+POP3READ", &[&format!("\n{text}"), "OK"])
            .await;
    }
    let name = "\"100202110400/EMAIL000.TXT\"";
    for (location, text) in [(0, "\nlocal"), (1, "\ncard")] {
        let read = format!("AT+POP3READ={location},{name}");
        bench.says(&read, &[text, "OK"]).await;
    }
    bench.error(&format!("AT+POP3READ=2,{name}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_card_that_was_pulled_out_is_a_file_system_error_and_ends_the_session() {
    let (mut bench, mut server) = logged_in().await;
    bench.ok("AT+FSLOCA=1").await;
    bench.reattach(|module| module.pull_card()).await;
    bench
        .says("AT+POP3GET=1", &["OK", "+POP3: FILE SYSTEM ERROR"])
        .await;
    server.closed().await;
    bench.error("AT+POP3OUT").await;
    bench.says("AT+FSLOCA?", &["+FSLOCA: 1", "OK"]).await;
    bench
        .error("AT+POP3READ=1,\"100202110400/EMAIL000.TXT\"")
        .await;
    bench.ok("AT+FSLOCA=0").await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    server.serve(&[("RETR 1", "+OK\r\n\r\nx\r\n.\r\n")]).await;
    let stored = "+POP3: SUCCESS\nC:/Email/100202110400/, EMAIL000.TXT";
    bench.expect("a mail", &["OK", stored]).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_closes_the_session_at_once() {
    let (mut bench, mut server) = logged_in().await;
    bench.ok("AT+POP3STOP").await;
    server.closed().await;
    bench.error("AT+POP3STOP").await;
    let mut server = log_in(&mut bench).await;
    bench.dte.send("AT+POP3GET=1\r").await;
    server
        .serve(&[("RETR 1", "+OK\r\nSubject: half\r\n")])
        .await;
    bench.expect("AT+POP3GET", &["OK"]).await;
    bench.ok("AT+POP3STOP").await;
    server.closed().await;
    bench.dte.quiet().await;
    bench.error("AT+POP3READ").await;
}

#[tokio::test(start_paused = true)]
async fn commands_wait_for_the_answer_of_the_server() {
    let (mut bench, mut server) = logged_in().await;
    bench.dte.send("AT+POP3NUM\rAT+CSQ\r").await;
    server.until("STAT\r\n").await;
    bench.dte.quiet().await;
    server.send("+OK 1 2\r\n").await;
    bench
        .expect("both", &["+POP3: 1, 2", "OK", "+CSQ: 21,99", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_the_timer() {
    let (mut bench, mut server) = logged_in().await;
    let asked = tokio::time::Instant::now();
    bench.dte.send("AT+POP3NUM\r").await;
    server.until("STAT\r\n").await;
    bench
        .expect("silence", &["+POP3: SERVER ERROR", "ERROR"])
        .await;
    assert_eq!(asked.elapsed().as_secs(), 30);
    bench.ok("AT").await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_printed_line_by_line_as_it_is() {
    let mut both = logged_in().await;
    let reply = "+OK\r\nSubject: x\r\n\r\nOK\r\n..\r\n\r\n\r\n.\r\n";
    let stored = "+POP3: SUCCESS\nC:/Email/100202110400/, EMAIL000.TXT";
    exchange(
        &mut both,
        "AT+POP3GET=1",
        ("RETR 1", reply),
        &["OK", stored],
    )
    .await;
    both.0.dte.send("AT+POP3READ\r").await;
    both.0
        .dte
        .expect("\r\nSubject: x\r\n\r\nOK\r\n.\r\n\r\n\r\n\r\nOK\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn another_dte_finds_the_session_and_power_off_cuts_it() {
    let mut both = logged_in().await;
    both.0.reattach(|_| {}).await;
    let blocks = ["+POP3: 1, 2", "OK"];
    exchange(&mut both, "AT+POP3NUM", ("STAT", "+OK 1 2\r\n"), &blocks).await;
    let (mut bench, mut server) = both;
    bench.reattach(urcheck_device::Module::power_cycle).await;
    server.closed().await;
    bench.says("AT+POP3IN?", &["+POP3IN: NULL", "OK"]).await;
    bench.error("AT+POP3IN").await;
}

#[tokio::test(start_paused = true)]
async fn a_log_out_that_the_server_refuses_ends_the_session() {
    let mut both = logged_in().await;
    let refusal = ("QUIT", "-ERR some deleted messages not removed\r\n");
    let blocks = ["+POP3: SERVER ERROR", "ERROR"];
    exchange(&mut both, "AT+POP3OUT", refusal, &blocks).await;
    both.1.closed().await;
    log_in(&mut both.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_server_left_is_over_with_the_next_command() {
    let (mut bench, server) = logged_in().await;
    drop(server);
    bench.dte.quiet().await;
    bench
        .says("AT+POP3NUM", &["+POP3: SERVER ERROR", "ERROR"])
        .await;
    bench.says("AT+POP3IN?", &["+POP3IN: NULL", "OK"]).await;
    log_in(&mut bench).await;
}
