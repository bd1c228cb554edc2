//! Behind the wire, in memory and on a paused clock: faults, time, two clients at once.

use crate::bench::{Bench, with_fault};
use crate::support::setup;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_plain_session_is_recorded() {
    let bench = Bench::new(setup());
    let mut client = bench.client().await;
    client.log_in().await;
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(client.ask("RETR 2").await.starts_with("+OK"));
    while client.hear().await != ".\r\n" {}
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    assert!(client.ask("QUIT").await.starts_with("+OK"));
    assert_eq!(client.hear().await, "", "the server closes");
    drop(client);
    let mut view = bench.after_all().await;
    let closed = view["sessions"][0]["closed"].take();
    assert!(closed.as_f64().unwrap() >= 5.0);
    assert!(view["removed"][0]["at"].take().as_f64().unwrap() >= 5.0);
    insta::assert_json_snapshot!(view, @r#"
    {
      "mailbox": [
        {
          "from": "a@b.example",
          "size": 41,
          "subject": "Second",
          "uid": "2.ae2afc5c0887dab9"
        }
      ],
      "mailboxes": {
        "un": [
          {
            "from": "a@b.example",
            "size": 41,
            "subject": "Second",
            "uid": "2.ae2afc5c0887dab9"
          }
        ]
      },
      "removed": [
        {
          "at": null,
          "session": 1,
          "subject": "First Test Email",
          "uid": "1.50453c2f7cd090e0",
          "user": "un"
        }
      ],
      "sessions": [
        {
          "closed": null,
          "closed_by": "server",
          "commands": [
            "USER un",
            "PASS pwd",
            "RETR 2",
            "DELE 1",
            "QUIT"
          ],
          "deleted": [
            1
          ],
          "id": 1,
          "lints": [],
          "mechanism": "USER",
          "omitted": 0,
          "opened": 0.0,
          "peer": "memory:1",
          "quit": true,
          "replies": [
            "+OK pop3.server.com POP3 server ready <1.urcheck@pop3.server.com>",
            "+OK send PASS",
            "+OK maildrop has 2 messages (169 octets)",
            "+OK 41 octets",
            "+OK message 1 deleted",
            "+OK bye, 1 messages deleted"
          ],
          "retrieved": [
            2
          ],
          "secure": false,
          "state": "update",
          "user": "un",
          "verbs": [
            "USER",
            "PASS",
            "RETR",
            "DELE",
            "QUIT"
          ]
        }
      ]
    }
    "#);
}

#[rstest]
#[case::dele_refused(json!({"when": "dele", "do": "reply", "text": "-ERR no"}), 2)]
#[case::dele_swallowed(json!({"when": "dele", "do": "swallow", "then": "fin"}), 2)]
#[case::quit_refused(json!({"when": "quit", "do": "reply", "text": "-ERR not removed"}), 2)]
#[case::quit_dropped(json!({"when": "quit", "do": "fin"}), 2)]
#[case::quit_reset(json!({"when": "quit", "do": "rst"}), 2)]
#[case::quit_half_a_line(
    json!({"when": "quit", "do": "truncate", "bytes": 3, "then": "fin"}), 2)]
#[case::quit_late(json!({"when": "quit", "do": "delay", "delay": "25s"}), 1)]
#[case::quit_dripped(json!({"when": "quit", "do": "drip"}), 1)]
#[case::harmless(json!({"when": "stat", "do": "reply", "text": "-ERR no"}), 1)]
#[tokio::test(start_paused = true)]
async fn messages_go_only_when_the_client_was_told_so(#[case] rule: Value, #[case] left: usize) {
    let bench = Bench::new(with_fault(rule));
    let mut client = bench.client().await;
    client.log_in().await;
    client.send("STAT\r\n").await;
    client.hear().await;
    client.send("DELE 1\r\n").await;
    let heard = tokio::time::timeout(Duration::from_secs(30), client.hear()).await;
    assert!(heard.is_ok() || left == 2);
    client.send("QUIT\r\n").await;
    let mut rest = Vec::new();
    // A reset ends the reading with an error, which is as good an end as any here.
    client.0.read_to_end(&mut rest).await.ok();
    drop(client);
    assert_eq!(
        bench.after_all().await["mailbox"].as_array().unwrap().len(),
        left
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_opens_nothing() {
    let rule = json!({"when": "pass", "times": 1, "do": "reply", "text": "-ERR [AUTH] no"});
    let bench = Bench::new(with_fault(rule));
    let mut client = bench.client().await;
    client.hear().await;
    client.ask("USER un").await;
    assert_eq!(client.ask("PASS pwd").await, "-ERR [AUTH] no\r\n");
    assert_eq!(client.ask("STAT").await, "-ERR log in first\r\n");
    assert_eq!(bench.server.view()["sessions"][0]["user"], Value::Null);
    // The maildrop is free for another session.
    bench.client().await.log_in().await;
}

/// What a client earns that believed a wrong reply, or got none at all.
#[rstest]
#[case::believed_a_wrong_login(
    json!({"when": "pass", "do": "reply", "text": "+OK welcome"}),
    &["USER un", "PASS wrong", "STAT"], &["pop3.no-quit"])]
#[case::left_waiting(json!({"when": "stat", "do": "stall"}), &["USER un", "PASS pwd", "STAT"], &[])]
#[case::got_garbage(
    json!({"when": "stat", "do": "reply", "text": "HTTP/1.1 400"}),
    &["USER un", "PASS pwd", "STAT"], &[])]
#[case::was_turned_away(json!({"when": "greeting", "do": "reply", "text": "-ERR no"}), &[], &[])]
#[case::was_answered_late(
    json!({"when": "stat", "do": "delay", "delay": "20s"}),
    &["USER un", "PASS pwd", "STAT"], &["pop3.no-quit"])]
#[tokio::test(start_paused = true)]
async fn a_client_is_not_blamed_for_what_it_was_told(
    #[case] rule: Value,
    #[case] commands: &[&str],
    #[case] lints: &[&str],
) {
    let bench = Bench::new(with_fault(rule));
    let mut client = bench.client().await;
    client.hear().await;
    for command in commands {
        tokio::time::timeout(Duration::from_secs(30), client.ask(command))
            .await
            .ok();
    }
    drop(client);
    let view = bench.after_all().await;
    let earned = view["sessions"][0]["lints"].as_array().unwrap();
    let earned: Vec<&str> = earned
        .iter()
        .map(|lint| lint["id"].as_str().unwrap())
        .collect();
    assert_eq!(earned, lints);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_cut_is_not_retrieved() {
    let rule = json!({"when": "retr-body", "nth": 2, "do": "truncate", "bytes": 30, "then": "fin"});
    let bench = Bench::new(with_fault(rule));
    let mut client = bench.client().await;
    client.log_in().await;
    assert_eq!(client.ask("RETR 2").await, "+OK 41 octets\r\n");
    while client.hear().await != ".\r\n" {}
    assert_eq!(client.ask("RETR 1").await, "+OK 128 octets\r\n");
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), 30);
    drop(client);
    let view = bench.after_all().await;
    assert_eq!(view["sessions"][0]["retrieved"], json!([2]));
    assert_eq!(view["sessions"][0]["closed_by"], "server");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_frees_the_maildrop() {
    let bench = Bench::new(setup());
    let mut client = bench.client().await;
    client.log_in().await;
    client.ask("DELE 1").await;
    bench.server.act(&["pause"]).unwrap();
    client.send("QUIT\r\n").await;
    let heard = tokio::time::timeout(Duration::from_secs(30), client.hear()).await;
    assert!(heard.is_err(), "{heard:?}");
    drop(client);
    let view = bench.after_all().await;
    assert_eq!(view["sessions"][0]["quit"], true);
    assert_eq!(view["removed"], json!([]));
    bench.server.act(&["resume"]).unwrap();
    bench.client().await.log_in().await;
}

#[tokio::test(start_paused = true)]
async fn apop_follows_the_timestamp_that_the_client_got() {
    let text = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>";
    let mut setup = with_fault(json!({"when": "greeting", "do": "reply", "text": text}));
    setup.accounts = [("mrose".to_owned(), "tanstaaf".to_owned())].into();
    let bench = Bench::new(setup);
    let mut client = bench.client().await;
    client.hear().await;
    let reply = client
        .ask("APOP mrose c4c9334bac560ecc979e58001b3e22fb")
        .await;
    assert!(reply.starts_with("+OK maildrop"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn autologout_deletes_nothing_and_says_nothing() {
    let bench = Bench::new(setup());
    let mut client = bench.client().await;
    client.log_in().await;
    client.ask("DELE 1").await;
    let silent_since = Instant::now();
    assert_eq!(client.hear().await, "", "closed without a word");
    assert_eq!(silent_since.elapsed().as_secs(), 600);
    drop(client);
    let view = bench.after_all().await;
    assert_eq!(view["sessions"][0]["closed_by"], "timeout");
    assert_eq!(view["sessions"][0]["deleted"], json!([1]));
    assert_eq!(view["sessions"][0]["lints"], json!([]));
    assert_eq!(view["mailbox"].as_array().unwrap().len(), 2);
    bench.client().await.log_in().await;
}

#[tokio::test(start_paused = true)]
async fn a_locked_maildrop_says_in_use() {
    let bench = Bench::new(setup());
    assert!(bench.server.act(&["lock", "nobody"]).is_err());
    bench.server.act(&["lock"]).unwrap();
    assert!(
        bench.server.act(&["lock", "un"]).is_err(),
        "it is locked already"
    );
    let mut client = bench.client().await;
    client.hear().await;
    client.ask("USER un").await;
    assert!(client.ask("PASS pwd").await.starts_with("-ERR [IN-USE] "));
    bench.server.act(&["unlock", "un"]).unwrap();
    assert!(bench.server.act(&["unlock"]).is_err());
    client.ask("USER un").await;
    assert!(client.ask("PASS pwd").await.starts_with("+OK "));
}

#[tokio::test(start_paused = true)]
async fn impatient_clients_are_noticed() {
    let bench = Bench::new(setup());
    let mut client = bench.client().await;
    client.send("USER un\r\nPASS pwd\r\nNOOP\nQUIT\r\n").await;
    for _ in 0..5 {
        assert!(client.hear().await.starts_with("+OK"));
    }
    drop(client);
    let view = bench.after_all().await;
    let lints = view["sessions"][0]["lints"].as_array().unwrap();
    let ids: Vec<&str> = lints
        .iter()
        .map(|lint| lint["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "pop3.talk-before-greeting",
            "pop3.pipelined",
            "pop3.pipelined",
            "pop3.bare-lf",
            "pop3.pipelined",
        ]
    );
}

/// Malformed replies of POP3 are `reply` with `raw`, as for SMTP.
#[rstest]
#[case("+ok fine\r\n")]
#[case("+OKfoo\r\n")]
#[case("-err no\r\n")]
#[case("\r\n")]
#[case("+\r\n")]
#[case("* OK\r\n")]
#[case("+OK 2\r\n")]
#[case("+OK -1 5\r\n")]
#[case("+OK 99999999999999999999 4294967296\n")]
#[tokio::test(start_paused = true)]
async fn malformed_replies_go_out_octet_for_octet(#[case] raw: &str) {
    let rule = json!({"when": "stat", "do": "reply", "raw": raw, "then": "fin"});
    let bench = Bench::new(with_fault(rule));
    let mut client = bench.client().await;
    client.log_in().await;
    client.send("STAT\r\n").await;
    let mut rest = String::new();
    client.0.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, raw);
}

#[rstest]
#[case::in_the_same_write("QUIT\r\nSTAT\r\n", "")]
#[case::after_the_answer("QUIT\r\n", "STAT\r\n")]
#[tokio::test(start_paused = true)]
async fn a_client_has_nothing_more_to_say_after_quit(#[case] quit: &str, #[case] more: &str) {
    let bench = Bench::new(setup());
    let mut client = bench.client().await;
    client.log_in().await;
    client.send(quit).await;
    assert!(client.hear().await.starts_with("+OK"));
    client.send(more).await;
    drop(client);
    let view = bench.after_all().await;
    let lints = view["sessions"][0]["lints"].as_array().unwrap();
    assert_eq!(lints.len(), 1, "{lints:?}");
    assert_eq!(lints[0]["id"], "pop3.talk-after-quit");
}
