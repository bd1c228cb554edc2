//! Clients that others wrote, over real TCP: curl, Python's poplib, openssl. They are the outside
//! opinion on our reading of the RFCs, and they must not earn a single lint.
//!
//! A program that is not installed is skipped with a line that names it.

use crate::support::{FIRST, SECOND, setup};
use rstest::rstest;
use serde_json::{Value, json};
use std::io::{Seek, Write};
use std::process::{Command, Stdio};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::ignore_events;
use urcheck_servers::pop3::{Server, Setup};

/// Runs a program against a server; gives what it printed and the view afterwards. `None` if the
/// program is not installed. In the arguments `PORT` stands for the server's port.
async fn run(setup: Setup, program: &str, arguments: &[&str]) -> Option<(String, Value)> {
    if Command::new(program)
        .arg("--help")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: {program} is not installed");
        return None;
    }
    let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (server, stop) = (
        Server::new(setup, ignore_events()).unwrap(),
        CancellationToken::new(),
    );
    let serving = tokio::spawn({
        let (server, stop) = (server.clone(), stop.clone());
        async move { server.serve(&mut listener, stop).await }
    });
    let mut command = Command::new(program);
    command.args(
        arguments
            .iter()
            .map(|argument| argument.replace("PORT", &port)),
    );
    // A program that is no mail client leaves in good order all the same.
    let quit = tempfile::tempfile().and_then(|mut file| {
        file.write_all(b"QUIT\r\n")?;
        file.rewind()?;
        Ok(file)
    });
    command.stdin(quit.unwrap());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} failed: {printed}{errors}"
    );
    stop.cancel();
    serving.await.unwrap().unwrap();
    let view = server.view();
    for session in view["sessions"].as_array().unwrap() {
        assert_eq!(
            session["lints"],
            json!([]),
            "{program} {arguments:?}: {session:#}"
        );
    }
    Some((printed, view))
}

fn sasl() -> Setup {
    let sasl = ["PLAIN", "LOGIN", "CRAM-MD5"].map(str::to_owned).into();
    Setup { sasl, ..setup() }
}

const CURL: [&str; 7] = [
    "--silent",
    "--show-error",
    "--max-time",
    "20",
    "--user",
    "un:pwd",
    "--insecure",
];

async fn curl(setup: Setup, arguments: &[&str]) -> Option<(String, Value)> {
    run(setup, "curl", &[&CURL, arguments].concat()).await
}

#[rstest]
#[case::apop(&[], "APOP")]
#[case::user(&["--login-options", "AUTH=+LOGIN"], "USER")]
#[case::plain(&["--login-options", "AUTH=PLAIN"], "PLAIN")]
#[case::plain_initial(&["--login-options", "AUTH=PLAIN", "--sasl-ir"], "PLAIN")]
#[case::login(&["--login-options", "AUTH=LOGIN"], "LOGIN")]
#[case::cram_md5(&["--login-options", "AUTH=CRAM-MD5"], "CRAM-MD5")]
#[tokio::test]
async fn curl_logs_in_and_lists(#[case] options: &[&str], #[case] mechanism: &str) {
    let setup = match mechanism {
        "APOP" => setup(),
        "USER" => Setup {
            apop: false,
            ..setup()
        },
        _ => sasl(),
    };
    let options = if mechanism == "USER" {
        &[][..]
    } else {
        options
    };
    let arguments = [options, &["pop3://127.0.0.1:PORT/"]].concat();
    let Some((printed, view)) = curl(setup, &arguments).await else {
        return;
    };
    assert_eq!(printed, "1 128\r\n2 41\r\n");
    let session = &view["sessions"][0];
    assert_eq!(session["mechanism"], mechanism, "{session:#}");
    assert_eq!(session["quit"], true);
    assert_eq!(session["state"], "update");
}

#[rstest]
#[case::stls(Setup { stls: true, ..setup() }, &["--ssl-reqd", "pop3://127.0.0.1:PORT/1"])]
#[case::implicit(Setup { implicit_tls: true, ..setup() }, &["pop3s://127.0.0.1:PORT/1"])]
#[case::plain_text(setup(), &["pop3://127.0.0.1:PORT/1"])]
#[tokio::test]
async fn curl_retrieves_octet_for_octet(#[case] setup: Setup, #[case] arguments: &[&str]) {
    let secure = setup.stls || setup.implicit_tls;
    let Some((printed, view)) = curl(setup, arguments).await else {
        return;
    };
    assert_eq!(printed.as_bytes(), FIRST);
    assert_eq!(view["sessions"][0]["secure"], secure);
    assert_eq!(view["sessions"][0]["retrieved"], json!([1]));
    assert_eq!(view["removed"], json!([]));
}

#[tokio::test]
async fn curl_deletes_what_it_was_told_to() {
    let arguments = ["--request", "DELE", "--head", "pop3://127.0.0.1:PORT/2"];
    let Some((_, view)) = curl(setup(), &arguments).await else {
        return;
    };
    assert_eq!(view["removed"][0]["subject"], "Second");
    assert_eq!(view["mailbox"].as_array().unwrap().len(), 1);
}

const POPLIB: &str = r#"
import poplib, sys
pop = poplib.POP3("127.0.0.1", int(sys.argv[1]), timeout=20)
how = sys.argv[2]
if how == "stls":
    import ssl
    pop.stls(ssl._create_unverified_context())
capabilities = pop.capa()
if how == "apop":
    pop.apop("un", "pwd")
else:
    pop.user("un")
    pop.pass_("pwd")
print(pop.stat(), sorted(capabilities))
print(pop.list()[1:], pop.list(2), len(pop.uidl()[1]))
print(pop.top(1, 1)[1][-1], pop.retr(1)[1:], pop.retr(2)[1:])
print(pop.dele(1), pop.stat(), pop.rset(), pop.noop(), pop.stat(), pop.dele(2))
print(pop.quit())
"#;

#[rstest]
#[case::user("user")]
#[case::apop("apop")]
#[case::stls("stls")]
#[tokio::test]
async fn poplib_uses_every_command(#[case] how: &str) {
    let setup = Setup {
        stls: how == "stls",
        ..setup()
    };
    let Some((printed, view)) = run(setup, "python3", &["-c", POPLIB, "PORT", how]).await else {
        return;
    };
    let expected =
        "(2, 169) ['AUTH-RESP-CODE', 'IMPLEMENTATION', 'RESP-CODES', 'TOP', 'UIDL', 'USER']
([b'1 128', b'2 41'], 13) b'+OK 2 41' 2
b'line one' ([b'From: \"FromName\" <FromAddr@server.com>', \
b'Date: Tue, 9 Mar 2010 17:11:30 +0800', b'Subject: First Test Email', b'', b'line one', \
b'.line two'], 128) ([b'From: a@b.example', b'Subject: Second', b'', b'.'], 41)
b'+OK message 1 deleted' (1, 41) b'+OK maildrop has 2 messages (169 octets)' b'+OK' (2, 169) \
b'+OK message 2 deleted'
b'+OK bye, 1 messages deleted'
";
    assert_eq!(printed, expected);
    assert_eq!(view["sessions"][0]["retrieved"], json!([1, 2]));
    assert_eq!(view["removed"][0]["subject"], "Second");
    assert_eq!(view["mailbox"][0]["size"], FIRST.len());
    assert_ne!(FIRST.len(), SECOND.len());
}

#[tokio::test]
async fn openssl_starts_tls_after_stls() {
    let arguments = [
        "s_client",
        "-starttls",
        "pop3",
        "-connect",
        "127.0.0.1:PORT",
        "-quiet",
    ];
    let setup = Setup {
        stls: true,
        ..setup()
    };
    if let Some((printed, view)) = run(setup, "openssl", &arguments).await {
        assert!(printed.ends_with("+OK bye\r\n"), "{printed}");
        assert_eq!(view["sessions"][0]["secure"], true);
    }
}
