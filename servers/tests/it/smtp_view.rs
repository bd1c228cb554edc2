//! What scenario checks get to see.

use crate::helper::{Bench, ENVELOPE, MAIL};
use serde_json::json;
use tokio::time::Duration;

#[tokio::test(start_paused = true)]
async fn sessions_and_mail_are_shown() {
    let bench = Bench::new(&json!({"accounts": {"alice": "correct horse"}}));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut client = bench.greeted().await;
    client
        .pass(&[
            ("EHLO client.test", "250"),
            ("AUTH LOGIN", "334"),
            ("YWxpY2U=", "334"),
            ("Y29ycmVjdCBob3JzZQ==", "235"),
            ("MAIL FROM:<a@b.test>", "250"),
            ("RCPT TO:<c@d.test>", "250"),
            ("DATA", "354"),
            (&format!("{MAIL}."), "250"),
            ("QUIT", "221"),
        ])
        .await;
    drop(client);
    bench.settle().await;
    let view = bench.server.view();
    insta::assert_json_snapshot!(view);
    assert_eq!(bench.server.open_connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_large_message_is_counted_but_not_kept() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE).await;
    client.pass(&[("DATA", "354")]).await;
    client.send(MAIL).await;
    let block = format!("{}\r\n", "x".repeat(98)).repeat(1000);
    for _ in 0..240 {
        client.send(&block).await;
    }
    assert!(client.ask(".").await.starts_with("250"));
    let view = bench.server.view();
    let mail = &view["delivered"][0];
    assert_eq!(mail["size"], 24_000_000 + MAIL.len());
    assert_eq!(mail["headers"]["subject"], "First");
    assert!(mail.to_string().len() < 200_000);
    let recorded: usize = {
        let events = bench.events.lock().unwrap();
        events.iter().map(|event| format!("{event:?}").len()).sum()
    };
    assert!(recorded < 2_000_000, "{recorded}");
}

#[tokio::test(start_paused = true)]
async fn wrong_setups_are_refused_with_all_mistakes() {
    use urcheck_servers::{event::ignore_events, smtp};
    let unknown: Result<smtp::Setup, _> = serde_json::from_value(json!({"domian": "x"}));
    assert!(unknown.unwrap_err().to_string().contains("domian"));
    let setup: smtp::Setup = serde_json::from_value(json!({"fault": [
        {"when": "retr", "do": "stall"},
        {"when": "mail", "do": "reply"},
    ]}))
    .unwrap();
    let error = smtp::Server::new(setup, ignore_events()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "fault rule 0: `when` names a place that this protocol does not have; \
         fault rule 1: it needs `text` or `raw`"
    );
}
