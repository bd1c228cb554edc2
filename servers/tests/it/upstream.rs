//! `mailin-embedded` behind the wire, beside the built-in engine.

use crate::helper::MAIL;
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use urcheck_servers::{event::ignore_events, net::MemoryStream, upstream};

/// Serves one client that sends all of this at once; what it got, and the view.
async fn talk(setup: serde_json::Value, script: &str) -> (String, serde_json::Value) {
    let setup = serde_json::from_value(setup).unwrap();
    let server = upstream::Server::new(setup, ignore_events()).unwrap();
    let (mut client, theirs) = MemoryStream::pair();
    client.write_all(script.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    server.handle(theirs, "test").await;
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    (String::from_utf8(got).unwrap(), server.view())
}

fn codes(text: &str) -> Vec<&str> {
    let last_lines = text.lines().filter(|line| line.get(3..4) != Some("-"));
    last_lines.map(|line| &line[..3]).collect()
}

#[tokio::test]
async fn a_message_passes_and_is_shown() {
    let script = format!(
        "EHLO x.test\r\nAUTH PLAIN AGFsaWNlAHg=\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<no@d.test>\r\n\
         RCPT TO:<c@d.test>\r\nDATA\r\n{MAIL}..\r\n.\r\nQUIT\r\n"
    );
    let setup = json!({"accounts": {"alice": "x"}, "reject": {"no@d.test": "550 no"}});
    let (got, view) = talk(setup, &script).await;
    assert_eq!(
        codes(&got),
        [
            "220", "250", "235", "250", "550", "250", "354", "250", "221"
        ],
        "{got}"
    );
    assert!(got.starts_with("220 upstream.test"), "{got}");
    assert!(
        got.contains("250-8BITMIME\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"),
        "{got}"
    );
    let mail = &view["delivered"][0];
    assert_eq!(mail["body"], "Hello.\n.\n");
    assert_eq!(mail["recipients"], json!(["c@d.test"]));
}

#[rstest]
#[case::refused_data(json!({"when": "data", "do": "reply", "text": "451 later"}),
    &["220", "250", "250", "250", "451", "250", "221"])]
#[case::refused_mail(json!({"when": "mail", "do": "reply", "text": "451 later"}),
    &["220", "250", "451", "503", "503", "250", "221"])]
#[tokio::test]
async fn faults_strike_in_front_of_it(#[case] rule: serde_json::Value, #[case] wanted: &[&str]) {
    let script =
        "EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nNOOP\r\nQUIT\r\n";
    let (got, view) = talk(json!({"fault": [rule]}), script).await;
    assert_eq!(codes(&got), wanted, "{got}");
    assert_eq!(view["delivered"], json!([]));
}
