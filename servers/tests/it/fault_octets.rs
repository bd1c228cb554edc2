//! Faults that count octets, repeat or spoil a reply, as a client sees them that knows nothing but
//! octets; and malformed replies octet for octet.

use crate::helper::{Bench, ENVELOPE, MAIL};
use rstest::rstest;
use serde_json::{Value, json};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, Instant, timeout};

fn with(rule: Value) -> Value {
    json!({"fault": [rule]})
}

/// Everything that comes within 40 s, and how it ended: `None` if the connection stays open.
async fn heard(
    stream: &mut (impl AsyncReadExt + Unpin),
) -> (Vec<u8>, Option<Result<usize, ErrorKind>>) {
    let mut got = Vec::new();
    let read = timeout(Duration::from_secs(40), stream.read_to_end(&mut got)).await;
    let end = read.ok().map(|read| read.map_err(|error| error.kind()));
    (got, end)
}

/// What the greeting and the reply to EHLO are made of, so that offsets below can be read.
const GREETING: &str = "220 mail.example.test ESMTP\r\n";

#[rstest]
#[case::reset_inside_the_greeting("rst", 10, &GREETING[..10], Some(Err(ErrorKind::ConnectionReset)))]
#[case::closed_inside_the_greeting("fin", 1, &GREETING[..1], Some(Ok(1)))]
#[case::closed_behind_the_greeting("fin", 29, GREETING, Some(Ok(29)))]
#[case::silent_inside_the_greeting("stall", 3, &GREETING[..3], None)]
#[case::half_closed_inside_the_greeting("half-close", 28, &GREETING[..28], Some(Ok(28)))]
#[tokio::test(start_paused = true)]
async fn after_so_many_octets_of_the_server(
    #[case] action: &str,
    #[case] after: u64,
    #[case] said: &str,
    #[case] end: Option<Result<usize, ErrorKind>>,
) {
    let rule = json!({"when": "sent", "after_bytes": after, "do": action});
    let bench = Bench::new(&with(rule));
    let mut client = bench.client().await;
    let (got, ended) = heard(&mut client.stream).await;
    assert_eq!(String::from_utf8(got).unwrap(), said);
    assert_eq!(ended, end);
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn octets_of_the_server_are_counted_over_the_whole_connection() {
    // 29 of the greeting, and then so many that the reply to MAIL is cut in its middle.
    let plain = Bench::new(&json!({}));
    let mut client = plain.greeted().await;
    let hello = client.ask("EHLO client.test").await;
    let after = 29 + hello.len() + 9;
    let bench = Bench::new(&json!({"fault": [
        {"when": "sent", "after_bytes": after, "connection": 2, "do": "delay", "delay": "3s"},
        {"when": "sent", "after_bytes": after, "connection": 3, "do": "rst"},
        {"when": "sent", "after_bytes": 1_000_000, "do": "fin"},
    ]}));
    bench.greeted().await.pass(&ENVELOPE).await;
    let mut late = bench.greeted().await;
    late.pass(&ENVELOPE[..1]).await;
    let start = Instant::now();
    late.send("MAIL FROM:<a@b.test>\r\n").await;
    let mut buffer = [0; 64];
    let read = late.stream.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"250 2.1.0");
    assert_eq!(late.reply().await, " Sender OK\r\n");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    late.pass(&ENVELOPE[2..]).await;
    let mut cut = bench.greeted().await;
    cut.pass(&ENVELOPE[..1]).await;
    cut.send("MAIL FROM:<a@b.test>\r\n").await;
    let (got, end) = heard(&mut cut.stream).await;
    assert_eq!(got, b"250 2.1.0");
    assert_eq!(end, Some(Err(ErrorKind::ConnectionReset)));
    assert_eq!(bench.server.fired(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_final_250_that_was_cut_has_delivered_nothing() {
    let plain = Bench::new(&json!({}));
    let mut client = plain.greeted().await;
    let mut before = 29;
    for (line, _) in ENVELOPE {
        before += client.ask(line).await.len();
    }
    before += client.ask("DATA").await.len();
    let whole = client.ask(&format!("{MAIL}.")).await.len();
    for (after, delivered) in [(before + whole - 1, 0), (before + whole, 1)] {
        let rule = json!({"when": "sent", "after_bytes": after, "do": "fin"});
        let bench = Bench::new(&with(rule));
        let mut client = bench.greeted().await;
        client.pass(&ENVELOPE).await;
        client.pass(&[("DATA", "354")]).await;
        client.send(format!("{MAIL}.\r\n")).await;
        let (got, _) = heard(&mut client.stream).await;
        drop(client);
        bench.settle().await;
        let view = bench.server.view();
        assert_eq!(view["delivered"].as_array().unwrap().len(), delivered);
        assert_eq!(got.ends_with(b"\r\n"), delivered == 1);
        assert_eq!(bench.lints(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn after_so_many_octets_of_the_client() {
    // 18 octets of EHLO, then 22 of MAIL.
    let bench = Bench::new(&json!({"fault": [
        {"when": "received", "after_bytes": 25, "connection": 1, "do": "rst"},
        {"when": "received", "after_bytes": 18, "connection": 2, "do": "fin", "text": "421 bye"},
        {"when": "received", "after_bytes": 40, "connection": 3, "do": "stall"},
    ]}));
    let script = "EHLO client.test\r\nMAIL FROM:<a@b.test>\r\n";
    let mut ends = Vec::new();
    for _ in 0..3 {
        let mut client = bench.greeted().await;
        let hello = client.ask("EHLO client.test").await;
        assert!(hello.starts_with("250"), "{hello}");
        // On the second connection the server has closed by now.
        client.stream.write_all(&script.as_bytes()[18..]).await.ok();
        let (got, end) = heard(&mut client.stream).await;
        ends.push((String::from_utf8(got).unwrap(), end.map(|end| end.is_ok())));
    }
    let wanted = [
        (String::new(), Some(false)),
        ("421 bye\r\n".to_owned(), Some(true)),
        ("250 2.1.0 Sender OK\r\n".to_owned(), None),
    ];
    assert_eq!(ends, wanted);
    assert_eq!(bench.server.fired(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_among_the_octets_is_turned_on_in_the_middle() {
    let rule =
        json!({"when": "received", "after_bytes": 1, "do": "fin", "name": "cut", "off": true});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    bench.server.act(&["fault", "on", "cut"]).unwrap();
    client.send("NOOP\r\n").await;
    let (_, end) = heard(&mut client.stream).await;
    assert!(matches!(end, Some(Ok(_))), "{end:?}");
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn of_several_rules_inside_a_message_the_first_match_wins() {
    let bench = Bench::new(&json!({"fault": [
        {"when": "body", "after_bytes": 30, "nth": 2, "do": "rst"},
        {"when": "body", "after_bytes": 20, "do": "delay", "delay": "2s"},
        {"when": "body", "after_bytes": 20, "do": "fin", "connection": 9},
        {"when": "body", "after_bytes": 10, "skip": 1, "do": "delay", "delay": "5s"},
    ]}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    let start = Instant::now();
    client.pass(&[(&format!("{MAIL}."), "250")]).await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    client.pass(&ENVELOPE[1..]).await;
    client.pass(&[("DATA", "354")]).await;
    let start = Instant::now();
    client.send(format!("{MAIL}.\r\n")).await;
    let (_, end) = heard(&mut client.stream).await;
    assert_eq!(end, Some(Err(ErrorKind::ConnectionReset)));
    assert_eq!(start.elapsed(), Duration::from_secs(7));
    assert_eq!(bench.server.fired(), [1, 2, 0, 1]);
}

#[rstest]
#[case::twice(json!({"when": "mail", "do": "repeat"}), &["250 2.1.0 Sender OK\r\n250 2.1.0 Sender OK\r\n"], 0)]
#[case::with_gaps(json!({"when": "mail", "do": "repeat", "count": 3, "gap": "2s", "text": "250 a"}), &["250 a\r\n"; 3], 4)]
#[tokio::test(start_paused = true)]
async fn a_reply_is_repeated(#[case] rule: Value, #[case] reads: &[&str], #[case] seconds: u64) {
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    let start = Instant::now();
    client.send("MAIL FROM:<a@b.test>\r\n").await;
    for wanted in reads {
        let mut buffer = [0; 200];
        let read = client.stream.read(&mut buffer).await.unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..read]).unwrap(), *wanted);
    }
    assert_eq!(start.elapsed(), Duration::from_secs(seconds));
    client.pass(&ENVELOPE[2..]).await;
    assert_eq!(bench.server.fired(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_spoiled_as_its_seed_says() {
    let mut said = Vec::new();
    for seed in [1, 1, 2, 3, 4] {
        let rule = json!({"when": "mail", "do": "mutate", "seed": seed, "count": 2, "then": "fin"});
        let bench = Bench::new(&with(rule));
        let mut client = bench.greeted().await;
        client.pass(&ENVELOPE[..1]).await;
        client.send("MAIL FROM:<a@b.test>\r\n").await;
        let (got, end) = heard(&mut client.stream).await;
        assert_eq!(end, Some(Ok(got.len())));
        assert_ne!(got, b"250 2.1.0 Sender OK\r\n");
        assert!((19..=23).contains(&got.len()), "{got:?}");
        said.push(got);
    }
    assert_eq!(said[0], said[1]);
    said.dedup();
    assert_eq!(said.len(), 4, "{said:?}");
}

/// Malformed replies are `reply` with `raw`: these octets and no others.
#[rstest]
#[case::no_code("hello\r\n", b"hello\r\n")]
#[case::empty_line("\r\n", b"\r\n")]
#[case::two_digits("25 ok\r\n", b"25 ok\r\n")]
#[case::no_blank("250ok\r\n", b"250ok\r\n")]
#[case::letters("2x0 ok\r\n", b"2x0 ok\r\n")]
#[case::bare_lf("250 ok\n", b"250 ok\n")]
#[case::bare_cr("250 ok\r", b"250 ok\r")]
#[case::nul_and_eight_bit("250 \\x00\\xff\\x1b\r\n", b"250 \x00\xff\x1b\r\n")]
#[case::codes_that_differ("250-a\r\n550 b\r\n", b"250-a\r\n550 b\r\n")]
#[case::never_ending("250-a\r\n250-b\r\n", b"250-a\r\n250-b\r\n")]
#[case::other_protocol("+OK ready\r\n", b"+OK ready\r\n")]
#[case::nothing("", b"")]
#[tokio::test(start_paused = true)]
async fn malformed_replies_go_out_octet_for_octet(#[case] raw: &str, #[case] said: &[u8]) {
    let rule = json!({"when": "mail", "do": "reply", "raw": raw, "then": "fin"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    client.send("MAIL FROM:<a@b.test>\r\n").await;
    let (got, end) = heard(&mut client.stream).await;
    assert_eq!((got.as_slice(), end), (said, Some(Ok(said.len()))));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_stops_talking_still_gets_a_late_reply() {
    let rule = json!({"when": "quit", "do": "delay", "delay": "9s"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.send("QUIT\r\n").await;
    client.stream.shutdown().await.unwrap();
    let start = Instant::now();
    let (got, _) = heard(&mut client.stream).await;
    assert!(got.starts_with(b"221"), "{got:?}");
    assert_eq!(start.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_quiet_while_a_reply_is_held_back() {
    let rule = json!({"when": "noop", "do": "delay", "delay": "9s"});
    let bench = Bench::new(&with(rule));
    let mut client = bench.greeted().await;
    client.send("NOOP\r\n").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.server.quiet_since(), Instant::now());
    client.reply().await;
    let said = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.server.quiet_since(), said);
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_any_reply_leaves_the_connection_alone_before_it() {
    let rule = json!({"when": "any", "do": "fin", "text": "421 no"});
    let bench = Bench::new(&with(rule));
    assert_eq!(bench.client().await.rest().await.unwrap(), b"421 no\r\n");
    assert!(bench.happened().iter().any(|it| it.contains("fin at any")));
    assert_eq!(bench.server.fired(), [1]);
}
