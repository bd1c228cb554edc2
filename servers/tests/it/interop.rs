//! Clients that nobody here has written: lettre, curl, Python's smtplib.

use crate::helper::tcp_server;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Attachment, MultiPart, SinglePart, header::ContentType},
    transport::smtp::authentication::{Credentials, Mechanism},
};
use rstest::rstest;
use serde_json::json;
use std::process::{Command, Stdio};

#[rstest]
#[case::plain(Mechanism::Plain, "PLAIN")]
#[case::login(Mechanism::Login, "LOGIN")]
#[tokio::test]
async fn lettre_submits_a_message_with_attachment(
    #[case] mechanism: Mechanism,
    #[case] name: &str,
) {
    let (server, address) = tcp_server(json!({"accounts": {"alice": "correct horse"}})).await;
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(address.port())
        .credentials(Credentials::new("alice".into(), "correct horse".into()))
        .authentication(vec![mechanism])
        .build();
    let parts = MultiPart::mixed()
        .singlepart(SinglePart::plain("Grüße\n.\n..dots".to_owned()))
        .singlepart(Attachment::new("data.bin".into()).body(
            vec![0u8; 100],
            ContentType::parse("application/x-test").unwrap(),
        ));
    let message = Message::builder()
        .from("Alice <alice@example.test>".parse().unwrap())
        .to("bob@example.test".parse().unwrap())
        .bcc("secret@example.test".parse().unwrap())
        .subject("Überraschung")
        .multipart(parts)
        .unwrap();
    mailer.send(message).await.unwrap();
    drop(mailer);
    let view = server.view();
    let mail = &view["delivered"][0];
    assert_eq!(view["sessions"][0]["mechanism"], name);
    assert_eq!(
        mail["recipients"],
        json!(["bob@example.test", "secret@example.test"])
    );
    assert_eq!(mail["headers"]["subject"], "Überraschung");
    assert_eq!(mail["body"], "Grüße\n.\n..dots");
    assert_eq!(mail["attachments"][0]["name"], "data.bin");
    assert_eq!(mail["attachments"][0]["type"], "application/x-test");
    assert_eq!(mail["attachments"][0]["size"], 100);
    assert_eq!(view["sessions"][0]["lints"], json!([]));
}

#[tokio::test]
async fn lettre_is_told_that_its_password_is_wrong() {
    let (_server, address) = tcp_server(json!({"accounts": {"alice": "x"}})).await;
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(address.port())
        .credentials(Credentials::new("alice".into(), "y".into()))
        .build();
    let message = Message::builder()
        .from("a@b.test".parse().unwrap())
        .to("c@d.test".parse().unwrap())
        .body("x".to_owned())
        .unwrap();
    let error = mailer.send(message).await.unwrap_err();
    assert_eq!(error.status().map(u16::from), Some(535), "{error}");
}

/// Runs a program of this machine, if it is installed.
async fn run(program: &'static str, arguments: Vec<String>) -> Option<std::process::Output> {
    let probe = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: {program} is not installed");
        return None;
    }
    let job = move || Command::new(program).args(arguments).output().unwrap();
    Some(tokio::task::spawn_blocking(job).await.unwrap())
}

#[rstest]
#[case::cram_md5("smtp", json!({"auth": ["CRAM-MD5"]}), "CRAM-MD5", false)]
#[case::starttls("smtp", json!({"starttls": true, "auth": ["LOGIN"]}), "LOGIN", true)]
#[case::implicit_tls("smtps", json!({"implicit_tls": true, "auth": ["PLAIN"]}), "PLAIN", true)]
#[tokio::test]
async fn curl_submits_a_message(
    #[case] scheme: &str,
    #[case] mut setup: serde_json::Value,
    #[case] mechanism: &str,
    #[case] secure: bool,
) {
    setup["accounts"] = json!({"alice": "correct horse"});
    let (server, address) = tcp_server(setup).await;
    let directory = tempfile::tempdir().unwrap();
    let mail = directory.path().join("mail");
    std::fs::write(
        &mail,
        "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: a@b.test\r\n\r\n.dot\r\n",
    )
    .unwrap();
    let mut arguments = vec![
        "--silent".to_owned(),
        "--show-error".into(),
        "--insecure".into(),
        "--user".into(),
        "alice:correct horse".into(),
        "--mail-from".into(),
        "a@b.test".into(),
        "--mail-rcpt".into(),
        "c@d.test".into(),
        "--upload-file".into(),
        mail.display().to_string(),
        format!("{scheme}://{address}/client.test"),
    ];
    if secure && scheme == "smtp" {
        arguments.push("--ssl-reqd".into());
    }
    let Some(output) = run("curl", arguments).await else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let view = server.view();
    assert_eq!(view["delivered"][0]["body"], ".dot\n");
    assert_eq!(view["sessions"][0]["mechanism"], mechanism);
    assert_eq!(view["sessions"][0]["secure"], secure);
    assert_eq!(view["sessions"][0]["lints"], json!([]));
}

#[tokio::test]
async fn python_submits_under_starttls() {
    let script = r#"
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
with smtplib.SMTP("localhost", int(sys.argv[1]), local_hostname="client.test") as smtp:
    smtp.starttls(context=context)
    smtp.login("alice", "correct horse")
    refused = smtp.sendmail("a@b.test", ["c@d.test", "no@d.test"],
        "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: a@b.test\r\n\r\n.\r\n.dot\r\n")
    print(refused)
"#;
    let (server, address) = tcp_server(json!({
        "starttls": true,
        "accounts": {"alice": "correct horse"},
        "reject": {"no@d.test": "550 5.1.1 no such user"},
    }))
    .await;
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("certificate.pem");
    std::fs::write(&certificate, server.certificate_pem().unwrap()).unwrap();
    let arguments = vec![
        "-c".to_owned(),
        script.into(),
        address.port().to_string(),
        certificate.display().to_string(),
    ];
    let Some(output) = run("python3", arguments).await else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("'no@d.test': (550, b'5.1.1 no such user')"),
        "{printed}"
    );
    let view = server.view();
    assert_eq!(view["delivered"][0]["body"], ".\n.dot\n");
    assert_eq!(view["delivered"][0]["recipients"], json!(["c@d.test"]));
    assert_eq!(view["sessions"][0]["user"], "alice");
    assert_eq!(view["sessions"][0]["lints"], json!([]));
}
