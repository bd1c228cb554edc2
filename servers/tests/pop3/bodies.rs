//! Multi-line replies behind the wire: long ones, and those that a fault spoils.

use crate::bench::{Bench, with_fault};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use urcheck_servers::pop3::Setup;

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_are_listed() {
    let mail = vec![b"Subject: x\r\n\r\n".to_vec(); 10_000];
    let bench = Bench::new(Setup {
        mail,
        ..Setup::default()
    });
    let mut client = bench.client().await;
    client.log_in().await;
    assert_eq!(
        client.ask("LIST").await,
        "+OK 10000 messages (140000 octets)\r\n"
    );
    for number in 1..=10_000 {
        assert_eq!(client.hear().await, format!("{number} 14\r\n"));
    }
    assert_eq!(client.hear().await, ".\r\n");
    assert!(client.ask("QUIT").await.starts_with("+OK"));
}

/// Ways to spoil the lines of a big message, which is made while it is being written.
#[rstest]
#[case::whole(json!({"when": "noop", "do": "fin"}), usize::MAX, true)]
#[case::in_pieces(json!({"when": "retr-body", "do": "split", "at": [5, 20_000, 50_000]}), usize::MAX, true)]
#[case::dripped(json!({"when": "retr-body", "do": "drip", "bytes": 9_000}), usize::MAX, true)]
#[case::late(json!({"when": "retr-body", "do": "delay", "delay": "9s"}), usize::MAX, true)]
#[case::cut(json!({"when": "retr-body", "do": "truncate", "bytes": 40_000, "then": "fin"}), 40_000, false)]
#[case::reset(json!({"when": "retr-body", "do": "truncate", "bytes": 40_000, "then": "rst"}), 40_000, false)]
#[case::cut_by_octets_in_all(json!({"when": "sent", "after_bytes": 50_000, "do": "rst"}), 49_000, false)]
#[case::not_cut(json!({"when": "retr-body", "do": "truncate", "bytes": 900_000}), usize::MAX, true)]
#[tokio::test(start_paused = true)]
async fn a_big_message_goes_out_in_parts(
    #[case] rule: Value,
    #[case] most: usize,
    #[case] whole: bool,
) {
    let line = b".23456789012345678901234567890\r\n";
    let mut setup = with_fault(rule);
    setup.mail = vec![line.repeat(3_000)];
    let bench = Bench::new(setup);
    let mut client = bench.client().await;
    client.log_in().await;
    assert_eq!(client.ask("RETR 1").await, "+OK 96000 octets\r\n");
    let mut wanted = [b".".as_slice(), line].concat().repeat(3_000);
    wanted.extend_from_slice(b".\r\n");
    let mut got = Vec::new();
    while !got.ends_with(b"\r\n.\r\n") {
        let mut buffer = vec![0; 8192];
        match client.0.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => got.extend_from_slice(&buffer[..read]),
        }
    }
    assert_eq!(got.len() == wanted.len(), whole);
    assert!(wanted.starts_with(&got), "{} octets", got.len());
    assert!(
        whole || (most..most + 1_000).contains(&got.len()),
        "{}",
        got.len()
    );
    if whole {
        assert!(client.ask("QUIT").await.starts_with("+OK"));
    }
    drop(client);
    let view = bench.after_all().await;
    let retrieved = if whole { json!([1]) } else { json!([]) };
    assert_eq!(view["sessions"][0]["retrieved"], retrieved);
    assert_eq!(view["sessions"][0]["lints"], json!([]));
}

#[rstest]
#[case::before(json!({"when": "retr-body", "do": "inject", "raw": "X", "place": "before"}), |honest: &str| format!("X{honest}"))]
#[case::after(json!({"when": "retr-body", "do": "inject", "raw": "+OK\r\n"}), |honest: &str| format!("{honest}+OK\r\n"))]
#[case::twice(json!({"when": "retr-body", "do": "repeat"}), |honest: &str| honest.repeat(2))]
#[tokio::test(start_paused = true)]
async fn more_is_said_than_there_is(#[case] rule: Value, #[case] wanted: fn(&str) -> String) {
    let mut setup = with_fault(rule);
    setup.mail = vec![b"0123456789\r\n".repeat(4_000)];
    let bench = Bench::new(setup);
    let mut client = bench.client().await;
    client.log_in().await;
    client.ask("RETR 1").await;
    let wanted = wanted(&format!("{}.\r\n", "0123456789\r\n".repeat(4_000)));
    let mut got = vec![0; wanted.len()];
    client.0.read_exact(&mut got).await.unwrap();
    assert!(got == wanted.as_bytes());
    assert_eq!(client.ask("NOOP").await, "+OK\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_spoiled_message_is_spoiled_the_same_way_each_time() {
    let mut said = Vec::new();
    for seed in [7, 7, 8] {
        let rule =
            json!({"when": "retr-body", "do": "mutate", "seed": seed, "count": 20, "then": "fin"});
        let bench = Bench::new(with_fault(rule));
        let mut client = bench.client().await;
        client.log_in().await;
        client.ask("RETR 1").await;
        let mut rest = Vec::new();
        client.0.read_to_end(&mut rest).await.unwrap();
        drop(client);
        let view = bench.after_all().await;
        assert_eq!(view["sessions"][0]["retrieved"], json!([]));
        said.push(rest);
    }
    assert_eq!(said[0], said[1]);
    assert_ne!(said[0], said[2]);
}
