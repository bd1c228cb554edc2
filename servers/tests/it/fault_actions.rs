//! Every fault action as a client sees it, and what the engine believes afterwards.

use crate::helper::{Bench, ENVELOPE, HOST, MAIL};
use rstest::rstest;
use serde_json::{Value, json};
use std::io::ErrorKind;
use tokio::io::AsyncReadExt;
use tokio::time::{Duration, Instant, timeout};

fn with(rule: Value) -> Value {
    json!({"fault": [rule]})
}

#[rstest]
#[case("greeting", "554 no service")]
#[case("ehlo", "421 busy")]
#[case("hello", "421 busy")]
#[case("mail", "451 later")]
#[case("rcpt", "550 5.1.1 no such user")]
#[case("data", "451 later")]
#[case("dot", "554 5.7.1 spam")]
#[case("quit", "500 what")]
#[case("any", "250 fine")]
#[tokio::test(start_paused = true)]
async fn reply_replaces_at_every_place(#[case] place: &str, #[case] text: &str) {
    let rule = json!({"when": place, "do": "reply", "text": text, "times": 1});
    let bench = Bench::new(&with(rule));
    let mut client = bench.client().await;
    let mut replies = vec![client.reply().await];
    for line in ["EHLO x.test", "MAIL FROM:<>", "RCPT TO:<c@d.test>", "DATA"] {
        replies.push(client.ask(line).await);
    }
    if replies.last().unwrap().starts_with("354") {
        replies.push(client.ask(&format!("{MAIL}.")).await);
    }
    replies.push(client.ask("QUIT").await);
    let wanted = format!("{text}\r\n");
    let hits = replies.iter().filter(|reply| **reply == wanted).count();
    assert_eq!(hits, 1, "{replies:?}");
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_did_not_happen() {
    let bench = Bench::new(&json!({"fault": [
        {"when": "rcpt", "do": "reply", "text": "550 5.1.1 no", "matching": "second@"},
        {"when": "dot", "nth": 1, "do": "reply", "text": "451 later"},
    ]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client
        .pass(&[
            ("RCPT TO:<second@d.test>", "550"),
            ("DATA", "354"),
            (&format!("{MAIL}."), "451"),
            ("RCPT TO:<c@d.test>", "503"),
            ("MAIL FROM:<a@b.test>", "250"),
            ("RCPT TO:<second@d.test>", "550"),
            ("RCPT TO:<c@d.test>", "250"),
            ("DATA", "354"),
            (&format!("{MAIL}."), "250"),
        ])
        .await;
    let view = bench.server.view();
    let delivered = view["delivered"].as_array().unwrap();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0]["recipients"], json!(["c@d.test"]));
    assert_eq!(view["sessions"][0]["replies"][4], "550 5.1.1 no");
    assert_eq!(bench.server.fired(), [2, 1]);
}

#[rstest]
#[case(json!({"when": "dot", "do": "swallow"}))]
#[case(json!({"when": "dot", "do": "stall"}))]
#[case(json!({"when": "dot", "do": "stop-reading"}))]
#[case(json!({"when": "dot", "do": "reply", "raw": "250 never ended"}))]
#[case(json!({"when": "dot", "do": "truncate", "bytes": 6, "then": "stall"}))]
#[tokio::test(start_paused = true)]
async fn a_client_left_waiting_for_the_end_has_delivered_nothing(#[case] rule: Value) {
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    client.send(format!("{MAIL}.\r\n")).await;
    let mut got = Vec::new();
    let read = timeout(Duration::from_secs(40), client.stream.read_to_end(&mut got)).await;
    assert!(read.is_err(), "the connection must stay open");
    assert!(!got.ends_with(b"\n"), "{got:?}");
    drop(client);
    bench.settle().await;
    let view = bench.server.view();
    assert_eq!(view["delivered"], json!([]));
    assert_eq!(view["sessions"][0]["closed_by"], "client");
    assert_eq!(bench.server.open_connections(), 0);
}

#[rstest]
#[case(json!({"when": "mail", "do": "fin"}), b"", None)]
#[case(json!({"when": "mail", "do": "fin", "text": "421 bye"}), b"421 bye\r\n", None)]
#[case(json!({"when": "mail", "do": "rst"}), b"", Some(ErrorKind::ConnectionReset))]
#[case(json!({"when": "mail", "do": "rst", "raw": "25"}), b"25", Some(ErrorKind::ConnectionReset))]
#[case(json!({"when": "mail", "do": "half-close"}), b"", None)]
#[case(json!({"when": "mail", "do": "truncate", "bytes": 4, "then": "fin"}), b"250 ", None)]
#[case(json!({"when": "mail", "do": "truncate", "bytes": 2, "then": "rst"}), b"25", Some(ErrorKind::ConnectionReset))]
#[case(json!({"when": "mail", "do": "endless", "text": "250-x", "bytes": 14, "then": "fin"}), b"250-x\r\n250-x\r\n", None)]
#[case(json!({"when": "mail", "do": "reply", "text": "421 a", "then": "fin"}), b"421 a\r\n", None)]
#[tokio::test(start_paused = true)]
async fn the_connection_ends(
    #[case] rule: Value,
    #[case] said: &[u8],
    #[case] error: Option<ErrorKind>,
) {
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    client.send("MAIL FROM:<a@b.test>\r\n").await;
    let mut got = Vec::new();
    let read = timeout(Duration::from_secs(40), client.stream.read_to_end(&mut got));
    let read = read.await.expect("the server must end the connection");
    assert_eq!(read.err().map(|error| error.kind()), error);
    assert_eq!(got, said);
    assert_eq!(bench.server.fired(), [1]);
}

#[rstest]
#[case(json!({"when": "mail", "do": "delay", "delay": "25s"}), 25_000, 1)]
#[case(json!({"when": "mail", "do": "reply", "text": "250 2.1.0 Sender OK", "delay": "3s"}), 3_000, 1)]
#[case(json!({"when": "mail", "do": "split", "at": [1, 3, 20], "gap": "1s"}), 3_000, 4)]
#[case(json!({"when": "mail", "do": "drip", "bytes": 7}), 40, 3)]
#[tokio::test(start_paused = true)]
async fn late_or_in_pieces(#[case] rule: Value, #[case] ms: u64, #[case] reads: usize) {
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    let start = Instant::now();
    client.send("MAIL FROM:<a@b.test>\r\n").await;
    let mut got = Vec::new();
    let mut count = 0;
    let mut buffer = [0; 64];
    while !got.ends_with(b"\n") {
        let read = client.stream.read(&mut buffer).await.unwrap();
        got.extend_from_slice(&buffer[..read]);
        count += 1;
    }
    assert_eq!(got, b"250 2.1.0 Sender OK\r\n");
    assert_eq!((start.elapsed(), count), (Duration::from_millis(ms), reads));
    client.pass(&ENVELOPE[2..]).await;
}

#[tokio::test(start_paused = true)]
async fn injected_text_comes_in_the_same_write() {
    let bench = Bench::new(&json!({"fault": [
        {"when": "mail", "do": "inject", "text": "250 early", "place": "before"},
        {"when": "rcpt", "do": "inject", "raw": "421 gone\r\n"},
    ]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    let mut buffer = [0; 200];
    client.send("MAIL FROM:<a@b.test>\r\n").await;
    let read = client.stream.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"250 early\r\n250 2.1.0 Sender OK\r\n");
    client.send("RCPT TO:<c@d.test>\r\n").await;
    let read = client.stream.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"250 2.1.5 Recipient OK\r\n421 gone\r\n");
}

#[rstest]
#[case(json!({"when": "body", "after_bytes": 20, "do": "rst"}), 20, "server-reset")]
#[case(json!({"when": "body", "after_bytes": 20, "do": "fin"}), 20, "server")]
#[case(json!({"when": "body", "do": "reply", "text": "451 stop", "then": "fin"}), 0, "server")]
#[tokio::test(start_paused = true)]
async fn inside_the_message(#[case] rule: Value, #[case] sent: usize, #[case] by: &str) {
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    if sent > 0 {
        client.send(&MAIL[..sent - 1]).await;
        bench.settle().await;
        assert_eq!(bench.server.fired(), [0], "one octet too early");
        client.send(&MAIL[sent - 1..sent]).await;
    }
    client.rest().await.ok();
    drop(client);
    bench.settle().await;
    assert_eq!(bench.server.fired(), [1]);
    let view = bench.server.view();
    assert_eq!(view["sessions"][0]["closed_by"], by);
    assert_eq!(view["delivered"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_reading_fills_the_window() {
    let rule = json!({"when": "body", "after_bytes": 100, "do": "stop-reading"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    let flood = vec![b'x'; 1_000_000];
    let write = timeout(Duration::from_secs(30), client.send(&flood)).await;
    assert!(write.is_err(), "the window must fill");
    drop(client);
    bench.settle().await;
    assert_eq!(bench.lints(), [""; 0]);
    assert_eq!(bench.server.view()["sessions"][0]["closed_by"], "client");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_octet() {
    let bench = Bench::new(&json!({"fault": [
        {"when": "connect", "connection": 1, "do": "refuse"},
        {"when": "connect", "connection": 2, "do": "black-hole"},
        {"when": "connect", "connection": 3, "do": "rst"},
        {"when": "connect", "connection": 4, "do": "fin"},
        {"when": "connect", "connection": 5, "do": "delay", "delay": "7s"},
    ]}));
    let refused = bench.net.connect(HOST.0, HOST.1).await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let swallowed = timeout(Duration::from_secs(75), bench.net.connect(HOST.0, HOST.1));
    assert!(swallowed.await.is_err());
    let reset = bench.client().await.rest().await.unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(bench.client().await.rest().await.unwrap(), b"");
    let start = Instant::now();
    bench.greeted().await;
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    assert_eq!(bench.server.fired(), [1; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_during_a_delay_is_seen_at_once() {
    let bench = Bench::new(&with(json!({"when": "dot", "do": "delay", "delay": "40s"})));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    client.send(format!("{MAIL}.\r\n")).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    drop(client);
    bench.settle().await;
    let view = bench.server.view();
    let closed = view["sessions"][0]["closed"].as_f64().unwrap();
    assert!((29.9..30.1).contains(&closed), "{closed}");
    assert_eq!(view["delivered"], json!([]));
    assert_eq!(bench.server.open_connections(), 0);
}

#[rstest]
#[case::user("auth", "535 5.7.8 no", "AUTH LOGIN", "535")]
#[case::password("auth-user", "535 5.7.8 no", "AUTH LOGIN YWxpY2U=", "535")]
#[case::done("auth-done", "454 4.7.0 later", "AUTH PLAIN AGFsaWNlAHg=", "454")]
#[case::plain_is_auth_too("auth", "504 no", "AUTH PLAIN AGFsaWNlAHg=", "504")]
#[tokio::test(start_paused = true)]
async fn authentication_has_its_places(
    #[case] place: &str,
    #[case] text: &str,
    #[case] line: &str,
    #[case] code: &str,
) {
    let rule = json!({"when": place, "do": "reply", "text": text});
    let bench = Bench::new(&json!({"accounts": {"alice": "x"}, "fault": [rule]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    // After a refusal the next line is a command again, and nobody is logged in.
    client
        .pass(&[(line, code), ("MAIL FROM:<a@b.test>", "530")])
        .await;
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_in_place_of_the_end_is_followed_through() {
    let rule = json!({"when": "auth-password", "do": "reply", "text": "334 bW9yZQ=="});
    let bench = Bench::new(&json!({"accounts": {"alice": "x"}, "fault": [rule]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    client
        .pass(&[
            ("AUTH LOGIN YWxpY2U=", "334"),
            ("eA==", "334 bW9yZQ=="),
            ("eA==", "535"),
            ("NOOP", "250"),
        ])
        .await;
    assert_eq!(bench.server.view()["sessions"][0]["user"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_such_challenge_may_leave() {
    let rule = json!({"when": "auth-password", "do": "reply", "text": "399 what now"});
    let bench = Bench::new(&json!({"accounts": {"alice": "x"}, "fault": [rule]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    client
        .pass(&[
            ("AUTH LOGIN YWxpY2U=", "334"),
            ("eA==", "399 what now"),
            ("QUIT", "221"),
        ])
        .await;
    let session = &bench.server.view()["sessions"][0];
    assert_eq!(session["quit"], true);
    assert_eq!(session["lints"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn either_greeting_of_a_client_is_hello() {
    let rule = json!({"when": "hello", "nth": 2, "do": "reply", "text": "421 busy"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client
        .pass(&[("EHLO client.test", "250"), ("HELO client.test", "421")])
        .await;
    let rule = json!({"when": "hello", "do": "reply", "text": "421 busy"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&[("HELO client.test", "421")]).await;
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn without_ehlo_there_is_still_helo() {
    let rule = json!({"when": "ehlo", "do": "reply", "text": "502 5.5.1 no"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client
        .pass(&[
            ("EHLO client.test", "502"),
            ("MAIL FROM:<a@b.test>", "503"),
            ("HELO client.test", "250"),
            ("MAIL FROM:<a@b.test> SIZE=3", "555"),
            ("MAIL FROM:<a@b.test>", "250"),
        ])
        .await;
    assert_eq!(bench.server.view()["sessions"][0]["extended"], false);
}

#[tokio::test(start_paused = true)]
async fn rules_are_turned_on_in_the_middle() {
    let rule = json!({"when": "noop", "do": "fin", "name": "drop-noop", "off": true});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&[("NOOP", "250")]).await;
    assert!(bench.server.act(&["fault", "on", "nonsense"]).is_err());
    bench.server.act(&["fault", "on", "drop-noop"]).unwrap();
    assert_eq!(client.ask("NOOP").await, "");
    assert!(
        bench.happened().iter().any(|it| it.contains("fin at noop")),
        "{:?}",
        bench.happened()
    );
}

#[tokio::test(start_paused = true)]
async fn an_endless_reply_takes_time_and_ends_with_the_client() {
    let bench = Bench::new(&with(json!({"when": "greeting", "do": "endless"})));
    let mut client = bench.client().await;
    let start = Instant::now();
    let mut got = vec![0; 1_000_000];
    client.stream.read_exact(&mut got).await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(900));
    assert!(!got.contains(&b'\n'));
    drop(client);
    bench.settle().await;
    assert_eq!(bench.server.open_connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_fault_offers_may_be_used() {
    let text = "250-odd.test\n250-size\n250-AUTH=LOGIN\n250 X-OTHER";
    let rule = json!({"when": "ehlo", "do": "reply", "text": text});
    let bench = Bench::new(&json!({
        "accounts": {"alice": "x"}, "extensions": [], "auth": [], "fault": [rule],
    }));
    let mut client = bench.greeted().await;
    client
        .pass(&[
            ("EHLO client.test", "250"),
            ("AUTH LOGIN YWxpY2U=", "334"),
            ("eA==", "235"),
            ("MAIL FROM:<a@b.test> SIZE=5", "250"),
            ("RSET", "250"),
            ("MAIL FROM:<a@b.test> BODY=7BIT", "555"),
        ])
        .await;
    assert_eq!(bench.lints(), ["smtp.parameter-not-offered"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_blamed_for_what_a_fault_said() {
    let bench = Bench::new(&json!({"reject": {"c@d.test": "550 no"}, "fault": [
        {"when": "rcpt", "do": "reply", "text": "250 fine"},
        {"when": "data", "do": "reply", "text": "354 go on"},
    ]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client
        .pass(&[
            ("DATA", "354"),
            (&format!("{MAIL}."), "554"),
            ("QUIT", "221"),
        ])
        .await;
    assert_eq!(bench.lints(), [""; 0]);
    assert_eq!(bench.server.view()["delivered"], json!([]));
}

#[rstest]
#[case::refused("reply", json!("550 no"), &["smtp.data-without-recipient", "smtp.no-quit"])]
#[case::silent("swallow", Value::Null, &[])]
#[tokio::test(start_paused = true)]
async fn a_client_is_blamed_for_what_it_does_after_a_refusal(
    #[case] action: &str,
    #[case] text: Value,
    #[case] lints: &[&str],
) {
    let rule = json!({"when": "rcpt", "do": action, "text": text});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..2]).await;
    client.send("RCPT TO:<c@d.test>\r\n").await;
    if action == "reply" {
        assert_eq!(client.reply().await, "550 no\r\n");
        client.pass(&[("DATA", "554")]).await;
    }
    drop(client);
    bench.settle().await;
    assert_eq!(bench.lints(), lints);
}
