//! Mail clients against the fake servers. A well-behaved client must not earn a single fault: each
//! would be a false alarm for a device that does the same.

use crate::program::{installed, printed, run};
use crate::serve::{LETTER, Serve};
use rstest::rstest;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::process::Command;

/// Submits `LETTER` and gets every octet of it through.
#[rstest]
#[case::curl_plain("curl", "AUTH PLAIN", CURL_SUBMIT)]
#[case::curl_login("curl", "AUTH LOGIN", CURL_SUBMIT)]
#[case::curl_cram_md5("curl", "AUTH CRAM-MD5", CURL_SUBMIT)]
#[case::swaks_plain("swaks", "AUTH PLAIN", SWAKS)]
#[case::swaks_login("swaks", "AUTH LOGIN", SWAKS)]
#[case::swaks_cram_md5("swaks", "AUTH CRAM-MD5", SWAKS)]
#[case::msmtp_plain("msmtp", "AUTH PLAIN", MSMTP)]
#[case::msmtp_login("msmtp", "AUTH LOGIN", MSMTP)]
#[case::msmtp_cram_md5("msmtp", "AUTH CRAM-MD5", MSMTP)]
#[case::smtplib_plain("python3", "AUTH PLAIN", SMTPLIB)]
#[case::smtplib_login("python3", "AUTH LOGIN", SMTPLIB)]
#[case::smtplib_cram_md5("python3", "AUTH CRAM-MD5", SMTPLIB)]
#[tokio::test]
async fn a_client_submits(#[case] program: &str, #[case] auth: &str, #[case] arguments: &[&str]) {
    let Some(program) = installed(program) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path()).await;
    let mechanism = auth.trim_start_matches("AUTH ");
    let fill = Fill {
        folder: folder.path(),
        port: serve.smtp,
        mechanism,
    };
    let mut command = Command::new(program);
    command.args(fill.arguments(arguments));
    fill.write("msmtprc", MSMTPRC);
    let output = run(command, &folder.path().join("letter.eml")).await;
    let shown = serve.stop().await;
    let all = format!("{}{shown}", printed(&output));
    assert!(output.status.success(), "{all}");
    assert_eq!(shown.faults(), [""; 0], "{all}");
    assert_eq!(shown.count(&format!("C: {auth}")), 1, "{all}");
    assert_eq!(shown.count("C: RCPT TO:<anna@example.org>"), 1, "{all}");
    assert_eq!(shown.count("S: 250 2.0.0 Message accepted"), 1, "{all}");
    assert_eq!(shown.count("C: QUIT"), 1, "{all}");
    for line in LETTER.lines().filter(|line| !line.is_empty()) {
        let stuffing = if line.starts_with('.') { "." } else { "" };
        let said = format!("C: {stuffing}{line}");
        assert_eq!(shown.count_whole(&said), 1, "{said}\n{all}");
    }
}

/// Fetches both letters and gets every octet of them.
#[rstest]
#[case::curl_apop("curl", "+APOP", "APOP alice ", CURL_FETCH)]
#[case::curl_plain("curl", "PLAIN", "AUTH PLAIN", CURL_FETCH)]
#[case::curl_login("curl", "LOGIN", "AUTH LOGIN", CURL_FETCH)]
#[case::curl_cram_md5("curl", "CRAM-MD5", "AUTH CRAM-MD5", CURL_FETCH)]
#[case::mpop_user("mpop", "user", "USER alice", MPOP)]
#[case::mpop_apop("mpop", "apop", "APOP alice ", MPOP)]
#[case::mpop_plain("mpop", "plain", "AUTH PLAIN", MPOP)]
#[case::mpop_login("mpop", "login", "AUTH LOGIN", MPOP)]
#[case::mpop_cram_md5("mpop", "cram-md5", "AUTH CRAM-MD5", MPOP)]
#[case::fetchmail_user("fetchmail", "pop3 auth password", "USER alice", FETCHMAIL)]
#[case::fetchmail_best("fetchmail", "pop3", "AUTH CRAM-MD5", FETCHMAIL)]
#[case::fetchmail_apop("fetchmail", "apop", "APOP alice ", FETCHMAIL)]
#[case::poplib_user("python3", "user", "USER alice", POPLIB)]
#[case::poplib_apop("python3", "apop", "APOP alice ", POPLIB)]
#[tokio::test]
async fn a_client_fetches(
    #[case] program: &str,
    #[case] mechanism: &str,
    #[case] log_in: &str,
    #[case] arguments: &[&str],
) {
    let Some(program) = installed(program) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path()).await;
    let fill = Fill {
        folder: folder.path(),
        port: serve.pop3,
        mechanism,
    };
    fill.write("mpoprc", MPOPRC);
    fill.write("fetchmailrc", FETCHMAILRC);
    let mut command = Command::new(program);
    command
        .args(fill.arguments(arguments))
        .env("FETCHMAILHOME", folder.path());
    let output = run(command, &folder.path().join("letter.eml")).await;
    let shown = serve.stop().await;
    let all = format!("{}{shown}", printed(&output));
    assert!(output.status.success(), "{all}");
    assert_eq!(shown.faults(), [""; 0], "{all}");
    assert!(shown.count(&format!("C: {log_in}")) > 0, "{all}");
    assert!(shown.count("C: QUIT") > 0, "{all}");
    let fetched: String = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .as_encoded_bytes()
                .starts_with(b"fetched")
        })
        .map(|path| std::fs::read_to_string(path).unwrap().replace("\r\n", "\n"))
        .collect();
    let (head, body) = LETTER.split_once("\r\n\r\n").unwrap();
    for part in [&head[head.find("Date:").unwrap()..], body] {
        let part = part.replace("\r\n", "\n");
        assert_eq!(fetched.matches(&part).count(), 2, "{fetched}\n{all}");
    }
}

/// What these clients do is forbidden, and must be noticed. Nothing else is.
#[rstest]
// curl sends the file as it is unless it is told otherwise (RFC 5321 section 2.3.8), and declares
// the size that the file had before it appended a line end (RFC 1870 section 6.1).
#[case::bare_line_feeds(
    "curl",
    CURL_SUBMIT_LF,
    &["smtp.bare-lf-dot", "smtp.body-bare-lf", "smtp.size-too-small"]
)]
// Python's smtplib never declares BODY=8BITMIME for what it is given as octets (RFC 6152
// section 3).
#[case::undeclared_octets("python3", SMTPLIB_8BIT, &["smtp.8bit-without-8bitmime"])]
#[tokio::test]
async fn a_true_fault_is_noticed(
    #[case] program: &str,
    #[case] arguments: &[&str],
    #[case] faults: &[&str],
) {
    let Some(program) = installed(program) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path()).await;
    let fill = Fill {
        folder: folder.path(),
        port: serve.smtp,
        mechanism: "PLAIN",
    };
    fill.write("lf.eml", &LETTER.replace("\r\n", "\n"));
    fill.write("8bit.eml", &LETTER.replace("A letter", "Grüße"));
    let mut command = Command::new(program);
    command.args(fill.arguments(arguments));
    let output = run(command, &folder.path().join("letter.eml")).await;
    let shown = serve.stop().await;
    let all = format!("{}{shown}", printed(&output));
    assert!(output.status.success(), "{all}");
    assert_eq!(shown.faults(), faults, "{all}");
}

/// A wrong password is refused in a way that each client understands.
#[rstest]
#[case::curl_smtp("curl", true, &[
    "-sS", "smtp://127.0.0.1:PORT", "-u", "alice:wrong", "--mail-from", "a@b.c", "-T", "LETTER",
    "--mail-rcpt", "d@e.f",
])]
#[case::curl_pop3("curl", false, &["-sS", "pop3://127.0.0.1:PORT", "-u", "alice:wrong"])]
#[case::swaks("swaks", true, &[
    "--server", "127.0.0.1", "--port", "PORT", "--auth", "LOGIN", "--auth-user", "alice",
    "--auth-password", "wrong", "--from", "a@b.c", "--to", "d@e.f",
])]
#[tokio::test]
async fn a_client_is_told_that_its_password_is_wrong(
    #[case] program: &str,
    #[case] smtp: bool,
    #[case] arguments: &[&str],
) {
    let Some(program) = installed(program) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path()).await;
    let fill = Fill {
        folder: folder.path(),
        port: if smtp { serve.smtp } else { serve.pop3 },
        mechanism: "",
    };
    let mut command = Command::new(program);
    command.args(fill.arguments(arguments));
    let output = run(command, &folder.path().join("letter.eml")).await;
    let shown = serve.stop().await;
    let all = format!("{}{shown}", printed(&output));
    assert!(!output.status.success(), "{all}");
    assert!(
        shown.count("S: 535 ") + shown.count("S: -ERR [AUTH]") > 0,
        "{all}"
    );
    assert_eq!(shown.count("C: MAIL"), 0, "{all}");
}

/// What stands for what in arguments and configurations.
struct Fill<'a> {
    folder: &'a Path,
    port: u16,
    mechanism: &'a str,
}

impl Fill<'_> {
    fn text(&self, text: &str) -> String {
        text.replace("LETTER", "DIR/letter.eml")
            .replace(
                "SCRIPTS",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop"),
            )
            .replace("DIR", self.folder.to_str().unwrap())
            .replace("PORT", &self.port.to_string())
            .replace("LOWER_MECHANISM", &self.mechanism.to_lowercase())
            .replace("MECHANISM", self.mechanism)
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<OsString> {
        let fill = |argument: &&str| self.text(argument).into();
        arguments.iter().map(fill).collect()
    }

    /// Writes a file that nobody else may read; these clients insist on that.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::write(&path, self.text(text)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

const CURL_SUBMIT: &[&str] = &[
    "-sS",
    "smtp://127.0.0.1:PORT/localhost",
    "-u",
    "alice:correct horse",
    "--login-options",
    "AUTH=MECHANISM",
    "--mail-from",
    "mike@example.com",
    "--mail-rcpt",
    "anna@example.org",
    "-T",
    "LETTER",
];

const CURL_SUBMIT_LF: &[&str] = &[
    "-sS",
    "smtp://127.0.0.1:PORT/localhost",
    "-u",
    "alice:correct horse",
    "--mail-from",
    "mike@example.com",
    "--mail-rcpt",
    "anna@example.org",
    "-T",
    "DIR/lf.eml",
];

const SWAKS: &[&str] = &[
    "--server",
    "127.0.0.1",
    "--port",
    "PORT",
    "--helo",
    "localhost",
    "--auth",
    "MECHANISM",
    "--auth-user",
    "alice",
    "--auth-password",
    "correct horse",
    "--from",
    "mike@example.com",
    "--to",
    "anna@example.org,carl@example.org",
    "--data",
    "@LETTER",
];

const MSMTP: &[&str] = &["-C", "DIR/msmtprc", "anna@example.org", "carl@example.org"];

const MSMTPRC: &str = "\
account default
host 127.0.0.1
port PORT
auth LOWER_MECHANISM
user alice
password \"correct horse\"
from mike@example.com
tls off
";

const SMTPLIB: &[&str] = &["SCRIPTS/submit.py", "PORT", "MECHANISM", "LETTER"];

const SMTPLIB_8BIT: &[&str] = &["SCRIPTS/submit.py", "PORT", "MECHANISM", "DIR/8bit.eml"];

const CURL_FETCH: &[&str] = &[
    "-sS",
    "pop3://127.0.0.1:PORT/[1-2]",
    "-u",
    "alice:correct horse",
    "--login-options",
    "AUTH=MECHANISM",
    "-o",
    "DIR/fetched-#1",
];

const MPOP: &[&str] = &["-C", "DIR/mpoprc"];

const MPOPRC: &str = "\
account default
host 127.0.0.1
port PORT
auth MECHANISM
user alice
password \"correct horse\"
tls off
keep on
uidls_file DIR/uidls
delivery mbox DIR/fetched
";

const FETCHMAIL: &[&str] = &[
    "-f",
    "DIR/fetchmailrc",
    "-i",
    "DIR/ids",
    "--nosyslog",
    "--pidfile",
    "DIR/pid",
    "-v",
];

const FETCHMAILRC: &str = "\
poll 127.0.0.1 service PORT protocol MECHANISM uidl
user \"alice\" password \"correct horse\" keep sslproto ''
mda \"cat >> DIR/fetched\"
";

const POPLIB: &[&str] = &[
    "SCRIPTS/fetch.py",
    "PORT",
    "MECHANISM",
    "LETTER",
    "DIR/fetched",
];
