//! Dialogues octet by octet: what RFC 5321 and its relatives prescribe.

use crate::helper::{Bench, ENVELOPE, MAIL};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

fn accounts() -> Value {
    json!({"accounts": {"alice": "correct horse"}})
}

#[rstest]
#[case::plain("PLAIN", json!({}), "250-mail.example.test\r\n250-SIZE 134217728\r\n\
    250-8BITMIME\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n")]
#[case::accounts("auth", json!({"accounts": {"a": "b"}, "size": 1000, "extensions": ["SIZE"]}),
    "250-mail.example.test\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n")]
#[case::odd("odd", json!({"auth": ["XOAUTH2"], "extensions": ["x-Foo", "AUTH=LOGIN"], "starttls": true}),
    "250-mail.example.test\r\n250-x-Foo\r\n250-AUTH=LOGIN\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n")]
#[tokio::test(start_paused = true)]
async fn ehlo_offers_what_was_set_up(
    #[case] _name: &str,
    #[case] setup: Value,
    #[case] reply: &str,
) {
    let bench = Bench::new(&setup);
    let mut client = bench.greeted().await;
    assert_eq!(client.ask("EHLO client.test").await, reply);
}

/// Lines with the reply to each; a `+` line is sent and not answered.
#[rstest]
#[case::whole(json!({}), &[
    ("HELO client.test", "250 mail.example.test"),
    ("MAIL FROM:<a@b.test>", "250 2.1.0 Sender OK"),
    ("RCPT TO:<c@d.test>", "250 2.1.5 Recipient OK"),
    ("RCPT TO:<@hop.test:\"e f\"@d.test>", "250 2.1.5 Recipient OK"),
    ("RCPT TO:<postmaster>", "250 2.1.5 Recipient OK"),
    ("DATA", "354 End data with <CRLF>.<CRLF>"),
    ("Subject: x\r\n\r\n..\r\n.", "250 2.0.0 Message accepted"),
    ("QUIT", "221 2.0.0 mail.example.test closing"),
])]
#[case::order(json!({}), &[
    ("MAIL FROM:<a@b.test>", "503 5.5.1 Send EHLO first"),
    ("NOOP", "250 2.0.0 OK"),
    ("RSET", "250 2.0.0 Reset"),
    ("EHLO client.test", "250-mail.example.test"),
    ("RCPT TO:<c@d.test>", "503 5.5.1 Send MAIL first"),
    ("DATA", "503 5.5.1 Send MAIL first"),
    ("MAIL FROM:<>", "250 2.1.0 Sender OK"),
    ("MAIL FROM:<>", "503 5.5.1 Sender is given already"),
    ("DATA", "554 5.5.1 No valid recipients"),
    ("RCPT TO:<c@d.test>", "250 2.1.5 Recipient OK"),
    ("RSET", "250 2.0.0 Reset"),
    ("DATA", "503 5.5.1 Send MAIL first"),
    ("MAIL FROM:<>", "250 2.1.0 Sender OK"),
    ("EHLO client.test", "250-mail.example.test"),
    ("RCPT TO:<c@d.test>", "503 5.5.1 Send MAIL first"),
])]
#[case::refusals(json!({"size": 100, "reject": {"No@D.test": "452 4.2.2 full", "x@d.test": "no"}}), &[
    ("EHLO client.test", "250-mail.example.test"),
    ("MAIL FROM:<a@b.test> SIZE=101", "552 5.3.4 Message size exceeds the fixed limit"),
    ("MAIL FROM:<a@b.test> SIZE=99999999999999999999", "552 5.3.4 Message size exceeds the fixed limit"),
    ("MAIL FROM:<a@b.test> RET=FULL", "555 5.5.4 Parameter RET not recognized"),
    ("MAIL FROM:<a@b.test> BODY=9BIT", "501 5.5.4 Bad value for BODY"),
    ("MAIL FROM:<a@b.test> SIZE=x", "501 5.5.4 Bad value for SIZE"),
    ("MAIL FROM:<a@b.test> SIZE=1 SIZE=1", "501 5.5.4 Bad value for SIZE"),
    ("MAIL FROM:<nonsense>", "501 5.1.7 no domain in address"),
    ("MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME", "250 2.1.0 Sender OK"),
    ("RCPT TO:<no@d.test>", "452 4.2.2 full"),
    ("RCPT TO:<x@d.test>", "550 no"),
    ("RCPT TO:<a..b@d.test>", "501 5.1.3 bad local part"),
    ("RCPT TO:<>", "501 5.1.3 no recipient"),
    ("RCPT TO:<c@d.test> NOTIFY=NEVER", "555 5.5.4 Parameter NOTIFY not recognized"),
    ("VRFY", "501 5.5.4 VRFY needs a string"),
    ("VRFY c", "252 2.5.0 Cannot verify, but will take mail and try to deliver it"),
    ("EXPN list", "502 5.5.1 Lists are not shown"),
    ("HELP", "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY AUTH STARTTLS"),
    ("XYZ", "500 5.5.2 Command not recognized"),
    ("", "500 5.5.2 Command not recognized"),
    ("BDAT 3", "502 5.5.1 Command not implemented"),
    ("STARTTLS", "502 5.5.1 TLS is not available"),
    ("AUTH PLAIN", "502 5.5.1 Authentication is not available"),
])]
#[case::too_large(json!({"size": 10, "extensions": []}), &[
    ("EHLO client.test", "250 mail.example.test"),
    ("MAIL FROM:<a@b.test> SIZE=5", "555 Parameter SIZE not recognized"),
    ("MAIL FROM:<a@b.test>", "250 Sender OK"),
    ("RCPT TO:<c@d.test>", "250 Recipient OK"),
    ("DATA", "354 End data with <CRLF>.<CRLF>"),
    ("much too much\r\n.", "552 Message size exceeds the fixed limit"),
    ("DATA", "503 Send MAIL first"),
])]
#[case::plain(accounts(), &[
    ("EHLO client.test", "250-mail.example.test"),
    ("MAIL FROM:<a@b.test>", "530 5.7.0 Authentication required"),
    ("AUTH PLAIN AGFsaWNlAHdyb25n", "535 5.7.8 Authentication credentials invalid"),
    ("AUTH PLAIN", "334 "),
    ("*", "501 5.0.0 Authentication cancelled"),
    ("AUTH PLAIN %%", "501 5.5.2 Cannot decode base64"),
    ("AUTH PLAIN =", "501 5.5.2 PLAIN is [authzid] NUL user NUL password"),
    ("AUTH GSSAPI", "504 5.5.4 Mechanism not offered"),
    ("AUTH PLAIN", "334 "),
    ("AGFsaWNlAGNvcnJlY3QgaG9yc2U=", "235 2.7.0 Authentication successful"),
    ("AUTH PLAIN", "503 5.5.1 Already authenticated"),
    ("RSET", "250 2.0.0 Reset"),
    ("MAIL FROM:<a@b.test> AUTH=<>", "250 2.1.0 Sender OK"),
])]
#[case::login(accounts(), &[
    ("HELO client.test", "250 mail.example.test"),
    ("AUTH LOGIN", "503 5.5.1 Send EHLO first"),
    ("EHLO client.test", "250-mail.example.test"),
    ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
    ("YWxpY2U=", "334 UGFzc3dvcmQ6"),
    ("d3Jvbmc=", "535 5.7.8 Authentication credentials invalid"),
    ("AUTH LOGIN YWxpY2U=", "334 UGFzc3dvcmQ6"),
    ("Y29ycmVjdCBob3JzZQ==", "235 2.7.0 Authentication successful"),
    ("EHLO client.test", "250-mail.example.test"),
    ("MAIL FROM:<a@b.test>", "250 2.1.0 Sender OK"),
])]
#[tokio::test(start_paused = true)]
async fn dialogues(#[case] setup: Value, #[case] steps: &[(&str, &str)]) {
    let bench = Bench::new(&setup);
    let mut client = bench.greeted().await;
    for (line, expected) in steps {
        let reply = client.ask(line).await;
        let first = reply.split("\r\n").next().unwrap();
        assert_eq!(first, *expected, "to {line:?}");
    }
}

#[rstest]
#[case("EHLO client.test\n", "smtp.bare-lf")]
#[case("EHLO\rclient.test\r\n", "smtp.bare-cr")]
#[case("NOOP \x01\r\n", "smtp.control-character")]
#[case("NOOP ä\r\n", "smtp.8bit-command")]
#[case("QUIT  \r\n", "smtp.trailing-space")]
#[case("EHLO bad_host!\r\n", "smtp.hello-name")]
#[case("RCPT TO: <c@d.test>\r\n", "smtp.space-after-colon")]
#[case("RCPT TO:c@d.test\r\n", "smtp.missing-brackets")]
#[case("RCPT TO:<c d@d.test>\r\n", "smtp.bad-address")]
#[case("MAIL FROM:<a@b.test>\r\n", "smtp.no-hello")]
#[case("RCPT TO:<c@d.test>\r\n", "smtp.bad-sequence")]
#[case("MAIL TO:<c@d.test>\r\n", "smtp.bad-syntax")]
#[case("HLEO client.test\r\n", "smtp.unknown-command")]
#[case("NOOP\r\nNOOP\r\n", "smtp.pipelining")]
#[tokio::test(start_paused = true)]
async fn lints_of_lines(#[case] octets: &str, #[case] id: &str) {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    client.send(octets).await;
    client.reply().await;
    bench.settle().await;
    assert!(bench.lints().contains(&id), "{:?}", bench.lints());
    let view = bench.server.view();
    let seen = view["sessions"][0]["lints"].as_array().unwrap();
    assert!(seen.iter().any(|lint| lint["id"] == id), "{view}");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_fault_gets_no_lint() {
    let bench = Bench::new(&accounts());
    let mut client = bench.greeted().await;
    client.ask("EHLO [192.0.2.7]").await;
    client
        .pass(&[
            ("AUTH PLAIN AGFsaWNlAGNvcnJlY3QgaG9yc2U=", "235"),
            ("MAIL FROM:<a@b.test> SIZE=200 BODY=7BIT", "250"),
            ("RCPT TO:<c@d.test>", "250"),
            ("DATA", "354"),
            (&format!("{MAIL}."), "250"),
            ("QUIT", "221"),
        ])
        .await;
    assert_eq!(client.rest().await.unwrap(), b"");
    assert_eq!(bench.lints(), [""; 0]);
}

/// RFC 2920 §3.1: a client that sends several commands at once cannot know that the first of them is
/// refused.
#[rstest]
#[case::together(true, &[])]
#[case::one_by_one(false, &["smtp.bad-sequence", "smtp.bad-sequence"])]
#[tokio::test(start_paused = true)]
async fn commands_behind_a_refused_one(#[case] together: bool, #[case] lints: &[&str]) {
    let bench = Bench::new(&accounts());
    let mut client = bench.greeted().await;
    client.ask("EHLO [192.0.2.7]").await;
    // Who is not logged in may not send.
    let commands = ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"];
    match together {
        true => {
            client.send(&format!("{}\r\n", commands.join("\r\n"))).await;
            for code in ["530", "503", "503"] {
                assert!(client.reply().await.starts_with(code));
            }
        }
        false => {
            for (command, code) in commands.iter().zip(["530", "503", "503"]) {
                assert!(client.ask(command).await.starts_with(code));
            }
        }
    }
    client.pass(&[("QUIT", "221")]).await;
    bench.settle().await;
    assert_eq!(bench.lints(), lints);
}

#[rstest]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\na\nb\r\n",
    "smtp.body-bare-lf"
)]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\na\rb\r\n",
    "smtp.body-bare-cr"
)]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\na\n.\r\nb\r\n",
    "smtp.bare-lf-dot"
)]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\n.a\r\n",
    "smtp.unstuffed-dot"
)]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\nä\r\n",
    "smtp.8bit-without-8bitmime"
)]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\n\0\r\n",
    "smtp.body-nul"
)]
#[case("From: y\r\n\r\n", "smtp.header-missing")]
#[case(
    "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\nBcc: z\r\n\r\n",
    "smtp.bcc-header"
)]
#[tokio::test(start_paused = true)]
async fn lints_of_messages(#[case] message: &str, #[case] id: &str) {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    let reply = client.ask(&format!("{message}.")).await;
    assert!(reply.starts_with("250"), "{reply}");
    assert!(bench.lints().contains(&id), "{:?}", bench.lints());
}

#[tokio::test(start_paused = true)]
async fn an_overlong_body_line_and_a_small_size_are_lints() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    let body = "x".repeat(999);
    client
        .pass(&[
            ("EHLO client.test", "250"),
            ("MAIL FROM:<a@b.test> SIZE=10", "250"),
            ("RCPT TO:<c@d.test>", "250"),
            ("DATA", "354"),
            (
                &format!("Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: y\r\n\r\n{body}\r\n."),
                "250",
            ),
        ])
        .await;
    assert_eq!(
        bench.lints(),
        ["smtp.body-line-too-long", "smtp.size-too-small"]
    );
}

#[tokio::test(start_paused = true)]
async fn who_talks_first_or_leaves_early_is_noted() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.client().await;
    client.send("EHLO client.test\r\n").await;
    assert!(client.reply().await.starts_with("220"));
    assert!(client.reply().await.starts_with("250"));
    drop(client);
    bench.settle().await;
    assert_eq!(bench.lints(), ["smtp.talk-before-greeting", "smtp.no-quit"]);
    let session = &bench.server.view()["sessions"][0];
    assert_eq!(session["closed_by"], "client");
}

#[tokio::test(start_paused = true)]
async fn a_pipelined_group_is_answered_in_order() {
    let bench = Bench::new(&json!({"reject": {"no@d.test": "550 5.1.1 no"}}));
    let mut client = bench.greeted().await;
    client.ask("EHLO client.test").await;
    client
        .send("MAIL FROM:<a@b.test>\r\nRCPT TO:<no@d.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n")
        .await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(client.reply().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "550", "250", "354"]);
    client.send(format!("{MAIL}.\r\nQUIT\r\n")).await;
    assert!(client.reply().await.starts_with("250"));
    assert!(client.reply().await.starts_with("221"));
    assert_eq!(bench.lints(), [""; 0]);
    let view = bench.server.view();
    assert_eq!(view["delivered"][0]["recipients"], json!(["c@d.test"]));
}

#[tokio::test(start_paused = true)]
async fn a_line_without_end_is_bounded_and_refused() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    client.send(vec![b'x'; 3_000_000]).await;
    assert!(client.ask("").await.starts_with("500"));
    assert!(
        client
            .ask(&format!("NOOP {}", "x".repeat(600)))
            .await
            .starts_with("250")
    );
    assert!(
        client
            .ask(&format!("NOOP {}", "x".repeat(3000)))
            .await
            .starts_with("500")
    );
    assert!(bench.lints().contains(&"smtp.line-too-long"));
    let kept: usize = bench.server.view().to_string().len();
    assert!(kept < 20_000, "{kept}");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_421() {
    let bench = Bench::new(&json!({"idle": "20s"}));
    let mut client = bench.greeted().await;
    let last = client.rest().await.unwrap();
    let last = String::from_utf8(last).unwrap();
    assert_eq!(last, "421 4.4.2 mail.example.test Timeout, closing\r\n");
    drop(client);
    bench.settle().await;
    assert_eq!(bench.server.view()["sessions"][0]["closed_by"], "timeout");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever octets come, every reply is one that RFC 5321 §4.2 allows.
    #[test]
    fn any_octets_get_legal_replies(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            Just(b"EHLO client.test\r\n".to_vec()),
            Just(b"AUTH LOGIN\r\n".to_vec()),
            Just(b"AUTH PLAIN =\r\n".to_vec()),
            Just(b"MAIL FROM:<a@b.test>\r\n".to_vec()),
            Just(b"RCPT TO:<c@d.test>\r\n".to_vec()),
            Just(b"DATA\r\n".to_vec()),
            Just(b"\r\n.\r\n".to_vec()),
            Just(b"RSET\r\n".to_vec()),
            "[A-Z]{4} [<>@a:=\"\\\\ ]{0,600}\r\n".prop_map(String::into_bytes),
        ], 0..12),
        with_accounts in any::<bool>(),
    ) {
        let setup = if with_accounts { accounts() } else { json!({}) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let got = runtime.block_on(async {
            let bench = Bench::new(&setup);
            let mut client = bench.client().await;
            for piece in &pieces {
                client.send(piece).await;
            }
            tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
            let got = client.rest().await.unwrap();
            bench.server.view();
            got
        });
        prop_assert!(got.ends_with(b"\r\n"));
        for line in got.split_inclusive(|&byte| byte == b'\n') {
            prop_assert!(line.len() <= 512);
            prop_assert!(line.ends_with(b"\r\n"));
            prop_assert!(line[..3].iter().all(u8::is_ascii_digit));
            prop_assert!(matches!(line[0], b'2'..=b'5'));
            prop_assert!(matches!(line[3], b' ' | b'-'));
            prop_assert!(!line[..line.len() - 2].contains(&b'\r'));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_has_nothing_more_to_say_after_quit() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    client.send("HELO client.test\r\n").await;
    client.reply().await;
    client.send("QUIT\r\nNOOP\r\n").await;
    assert!(client.reply().await.starts_with("221"));
    drop(client);
    bench.settle().await;
    assert_eq!(
        bench.lints(),
        ["smtp.helo-without-ehlo", "smtp.talk-after-quit"]
    );
}
