//! Connections as such: actions, limits, stop, TLS, real TCP.

use crate::helper::{Bench, ENVELOPE, MAIL, tcp_server};
use serde_json::json;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, timeout};

#[tokio::test(start_paused = true)]
async fn replies_are_held_back_and_flow_again() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    bench.server.act(&["pause"]).unwrap();
    client.send("NOOP\r\n").await;
    assert!(
        timeout(Duration::from_secs(60), client.reply())
            .await
            .is_err()
    );
    bench.server.act(&["resume"]).unwrap();
    assert!(client.reply().await.starts_with("250"));
}

#[tokio::test(start_paused = true)]
async fn open_connections_are_dropped_or_reset() {
    let bench = Bench::new(&json!({}));
    let mut one = bench.greeted().await;
    let mut two = bench.greeted().await;
    assert_eq!(bench.server.act(&["drop"]).unwrap(), "closed 2 connections");
    assert_eq!(one.rest().await.unwrap(), b"");
    assert_eq!(two.rest().await.unwrap(), b"");
    drop((one, two));
    bench.settle().await;
    let mut three = bench.greeted().await;
    assert_eq!(bench.server.act(&["reset"]).unwrap(), "reset 1 connections");
    let error = three.rest().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let error = bench.server.act(&["dance"]).unwrap_err();
    assert!(error.to_string().contains("pause, resume"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_told_to_every_client() {
    let bench = Bench::new(&json!({"fault": [{"when": "noop", "do": "stall"}]}));
    let mut idle = bench.greeted().await;
    let mut stalled = bench.greeted().await;
    stalled.send("NOOP\r\n").await;
    bench.settle().await;
    bench.stop.cancel();
    let said = String::from_utf8(idle.rest().await.unwrap()).unwrap();
    assert_eq!(
        said,
        "421 4.3.2 mail.example.test Service shutting down\r\n"
    );
    assert_eq!(stalled.rest().await.unwrap(), b"");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.server.open_connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn too_many_connections_are_turned_away() {
    let bench = Bench::new(&json!({"connections": 1}));
    let mut first = bench.greeted().await;
    let said = bench.client().await.rest().await.unwrap();
    assert_eq!(said, b"421 mail.example.test Too many connections\r\n");
    first.pass(&ENVELOPE).await;
}

#[tokio::test(start_paused = true)]
async fn quiet_is_counted_from_the_last_event() {
    let bench = Bench::new(&json!({}));
    let mut client = bench.greeted().await;
    let quiet = bench.server.quiet_since();
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(bench.server.quiet_since(), quiet);
    client.ask("NOOP").await;
    assert_eq!(bench.server.quiet_since(), Instant::now());
}

#[tokio::test(start_paused = true)]
async fn plain_text_before_the_handshake_is_thrown_away() {
    let bench = Bench::new(&json!({"starttls": true}));
    let mut client = bench.greeted().await;
    client.pass(&ENVELOPE[..1]).await;
    client.send("STARTTLS\r\nRSET\r\nnonsense\r\n").await;
    assert!(client.reply().await.starts_with("220"));
    client.send("no handshake at all\r\n").await;
    client.rest().await.ok();
    bench.settle().await;
    let view = bench.server.view();
    assert_eq!(view["sessions"][0]["closed_by"], "tls");
    assert_eq!(view["sessions"][0]["verbs"], json!(["EHLO", "STARTTLS"]));
}

#[tokio::test]
async fn a_message_over_real_tcp() {
    let (server, address) = tcp_server(json!({})).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut got = vec![0; 29];
    stream.read_exact(&mut got).await.unwrap();
    let script = format!(
        "EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n{MAIL}.\r\nQUIT\r\n"
    );
    stream.write_all(script.as_bytes()).await.unwrap();
    stream.read_to_end(&mut got).await.unwrap();
    let text = String::from_utf8(got).unwrap();
    assert!(
        text.ends_with("221 2.0.0 mail.example.test closing\r\n"),
        "{text}"
    );
    assert_eq!(server.view()["delivered"][0]["body"], "Hello.\n");
}

#[tokio::test]
async fn real_tcp_resets_after_what_was_written() {
    let (server, address) = tcp_server(json!({"fault": [
        {"when": "greeting", "do": "rst", "raw": "220 ma"},
    ]}))
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut got = Vec::new();
    let error = stream.read_to_end(&mut got).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.fired(), [1]);
}

#[tokio::test]
async fn real_tcp_notices_a_client_that_leaves_unread_octets() {
    let (server, address) = tcp_server(json!({"fault": [
        {"when": "noop", "do": "stop-reading"},
    ]}))
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"NOOP\r\nmore\r\n").await.unwrap();
    let mut greeting = [0; 29];
    stream.read_exact(&mut greeting).await.unwrap();
    stream.write_all(b"and more\r\n").await.unwrap();
    drop(stream);
    let gone = async {
        while server.view()["sessions"][0]["closed_by"] != "client" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.unwrap();
}
