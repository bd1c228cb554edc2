//! The reference module against a real mail host: what it sends arrives whole, what others sent it
//! reads whole, and what the host refuses it reports as the note wants.

use crate::host::{Host, Plan};
use crate::module::{Line, Module};
use crate::program::{installed, printed, run};
use rstest::rstest;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

const OK: &str = "\r\nOK\r\n";
const ERROR: &str = "\r\nERROR\r\n";
const DONE: &str = "\r\n+POP3: SUCCESS\r\n\r\nOK\r\n";

/// Everything that the servers offer.
const ALL: Plan = Plan {
    smtp: "plain, login, cram-md5",
    pop3: "plain login cram-md5 apop",
};

#[rstest]
#[case::open(Line::Tcp, false, ALL)]
#[case::cram_md5_and_apop(Line::Pty, true, ALL)]
#[case::plain_and_user(Line::Tcp, true, Plan { smtp: "plain", pop3: "plain" })]
#[case::login_and_user(Line::Pty, true, Plan { smtp: "login", pop3: "plain login" })]
#[tokio::test]
async fn an_email_goes_out_and_comes_back(
    #[case] line: Line,
    #[case] auth: bool,
    #[case] plan: Plan,
) {
    let Some(mut host) = Host::start(&plan).await else {
        return;
    };
    let (folder, root) = drive();
    let mut module = Module::start(line, &root).await;
    let port = if auth { host.submission } else { host.smtp };
    module
        .configure(&letter(&host, port, auth, "anna@example.org"))
        .await;
    let more = [
        r#"AT+SMTPRCPT=1,0,"carl@example.org","Carl""#,
        r#"AT+SMTPRCPT=2,0,"bob@example.org","Bob""#,
        r#"AT+SMTPFILE=1,"blob.bin""#,
        r#"AT+SMTPFILE=2,"text.txt""#,
    ];
    module.configure(&more.map(str::to_owned)).await;
    assert_eq!(module.send().await, "SUCCESS");
    host.delivered(3).await;
    for user in ["anna", "carl", "bob"] {
        let mails = host.mails(user);
        let [mail] = &mails[..] else {
            panic!("{user}: {mails:?}");
        };
        assert!(
            mail.contains("\nTo: \"Anna\" <anna@example.org>\n"),
            "{mail}"
        );
        assert!(
            mail.contains("\nCc: \"Carl\" <carl@example.org>\n"),
            "{mail}"
        );
        assert_eq!(mail.contains("bob@"), user == "bob", "{mail}");
        let authenticated = "(Authenticated sender: anna)";
        assert_eq!(mail.contains(authenticated), auth, "{mail}");
    }

    log_in(&mut module, &host, "correct horse").await;
    // Dovecot counts line ends as two octets.
    let mail = host.mails("anna").remove(0);
    let size = mail.len() + mail.matches('\n').count();
    for query in ["AT+POP3NUM", "AT+POP3LIST=1"] {
        let answer = module.command(query).await;
        assert_eq!(answer, format!("\r\n+POP3: 1, {size}\r\n{OK}"));
    }
    let header = module.command("AT+POP3HDR=1").await;
    assert!(header.contains("\r\nSubject: Interop\r\n"), "{header}");
    assert!(
        header.contains("From: \"Mike\" <mike@example.com>\r\n"),
        "{header}"
    );
    let stored = get(&mut module, &root).await;
    same(&stored, folder.path(), &["blob.bin", "text.txt"]);
    let read = module.command("AT+POP3READ").await;
    assert!(
        read.contains("\r\n\r\nFirst line\r\n.dot\r\n..\r\nthe end\r\n"),
        "{read}"
    );

    assert_eq!(module.command("AT+POP3DEL=1").await, DONE);
    assert_eq!(
        host.mails("anna").len(),
        1,
        "deleted before the session has ended"
    );
    assert_eq!(module.command("AT+POP3OUT").await, DONE);
    log_in(&mut module, &host, "correct horse").await;
    assert_eq!(
        module.command("AT+POP3NUM").await,
        format!("\r\n+POP3: 0, 0\r\n{OK}")
    );
    assert_eq!(module.command("AT+POP3OUT").await, DONE);
    assert_eq!(host.mails("anna").len(), 0);
    assert_eq!(host.mails("carl").len(), 1);
    host.stop().await;
}

/// What others compose has other encodings and boundaries than what the module composes itself.
/// Header fields are printed as they came.
#[rstest]
#[case::swaks("swaks", "Grüße", &[
    "--server", "ADDRESS", "--port", "PORT", "--helo", "localhost", "--from", "mike@example.com",
    "--to", "anna@example.org", "--header", "Subject: Grüße", "--body", "Hallo Anna",
    "--attach-name", "blob.bin", "--attach", "@FILES/blob.bin", "--attach-name", "text.txt",
    "--attach", "@FILES/text.txt",
])]
#[case::python("python3", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", &["SCRIPTS/compose.py", "ADDRESS", "PORT", "FILES/blob.bin", "FILES/text.txt"])]
#[tokio::test]
async fn an_email_of_others_is_read(
    #[case] program: &str,
    #[case] subject: &str,
    #[case] arguments: &[&str],
) {
    let Some(program) = installed(program) else {
        return;
    };
    let Some(mut host) = Host::start(&ALL).await else {
        return;
    };
    let (folder, root) = drive();
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| {
        argument
            .replace("ADDRESS", &host.address.to_string())
            .replace("PORT", &host.smtp.to_string())
            .replace("FILES", folder.path().to_str().unwrap())
            .replace(
                "SCRIPTS",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop"),
            )
    }));
    let output = run(command, Path::new("/dev/null")).await;
    assert!(output.status.success(), "{}", printed(&output));
    host.delivered(1).await;
    let mut module = Module::start(Line::Tcp, &root).await;
    log_in(&mut module, &host, "correct horse").await;
    let stored = get(&mut module, &root).await;
    same(&stored, folder.path(), &["blob.bin", "text.txt"]);
    let read = module.command("AT+POP3READ").await;
    assert!(
        read.contains(&format!("\r\nSubject: {subject}\r\n")),
        "{read}"
    );
    assert!(read.contains("\r\n\r\nHallo Anna\r\n"), "{read}");
    assert_eq!(module.command("AT+POP3OUT").await, DONE);
    host.stop().await;
}

#[tokio::test]
async fn what_the_host_refuses_is_reported() {
    let Some(host) = Host::start(&ALL).await else {
        return;
    };
    let (_folder, root) = drive();
    let mut module = Module::start(Line::Tcp, &root).await;

    module
        .configure(&letter(&host, host.smtp, false, "nobody@example.org"))
        .await;
    assert_eq!(module.send().await, "BAD RCPT nobody@example.org");
    module
        .configure(&letter(&host, host.smtp, false, "x@elsewhere.test"))
        .await;
    assert_eq!(module.send().await, "BAD RCPT x@elsewhere.test");
    module
        .configure(&letter(&host, host.submission, true, "anna@example.org"))
        .await;
    module
        .configure(&[r#"AT+SMTPAUTH=1,"anna","wrong""#.to_owned()])
        .await;
    assert_eq!(module.send().await, "AUTH ERROR");
    for user in ["anna", "bob", "carl"] {
        assert_eq!(host.mails(user), [""; 0]);
    }

    let refused = format!("\r\n+POP3: INVALID UN/PWD\r\n{ERROR}");
    assert_eq!(enter(&mut module, &host, "wrong").await, refused);
    log_in(&mut module, &host, "correct horse").await;
    let wrong_number = format!("\r\n+POP3: SERVER ERROR\r\n{ERROR}");
    assert_eq!(module.command("AT+POP3HDR=7").await, wrong_number);
    // The session goes on (note chapter 1).
    assert_eq!(
        module.command("AT+POP3NUM").await,
        format!("\r\n+POP3: 0, 0\r\n{OK}")
    );
    assert_eq!(module.command("AT+POP3OUT").await, DONE);
    host.stop().await;
}

#[tokio::test]
async fn a_forced_end_deletes_nothing() {
    let Some(mut host) = Host::start(&ALL).await else {
        return;
    };
    let (_folder, root) = drive();
    let mut module = Module::start(Line::Tcp, &root).await;
    module
        .configure(&letter(&host, host.smtp, false, "anna@example.org"))
        .await;
    assert_eq!(module.send().await, "SUCCESS");
    host.delivered(1).await;
    log_in(&mut module, &host, "correct horse").await;
    assert_eq!(module.command("AT+POP3DEL=1").await, DONE);
    assert_eq!(module.command("AT+POP3STOP").await, OK);
    // Dovecot lets the next session in when the last one has ended.
    log_in(&mut module, &host, "correct horse").await;
    let number = module.command("AT+POP3NUM").await;
    assert!(number.starts_with("\r\n+POP3: 1, "), "{number}");
    assert_eq!(module.command("AT+POP3OUT").await, DONE);
    assert_eq!(host.mails("anna").len(), 1);
    host.stop().await;
}

/// A folder with two files, and in it drive C: with the same two: every octet there is, and what
/// line ends and dots can be taken for.
fn drive() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let blob: Vec<u8> = (0..70_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    for directory in [folder.path(), &root] {
        std::fs::write(directory.join("blob.bin"), &blob).unwrap();
        std::fs::write(directory.join("text.txt"), ".\n..x\r\n\rno end").unwrap();
    }
    (folder, root)
}

/// The command lines of a letter.
fn letter(host: &Host, port: u16, auth: bool, to: &str) -> [String; 8] {
    [
        format!(r#"AT+SMTPSRV="{}",{port}"#, host.address),
        if auth {
            r#"AT+SMTPAUTH=1,"anna","correct horse""#.to_owned()
        } else {
            "AT+SMTPAUTH=0".to_owned()
        },
        r#"AT+SMTPFROM="mike@example.com","Mike""#.to_owned(),
        "AT+SMTPRCPT".to_owned(),
        format!(r#"AT+SMTPRCPT=0,0,"{to}","Anna""#),
        r#"AT+SMTPSUB="Interop""#.to_owned(),
        r#"AT+SMTPBODY="First line\0D\0A.dot\0D\0A..\0D\0Athe end""#.to_owned(),
        "AT+SMTPFILE".to_owned(),
    ]
}

async fn enter(module: &mut Module, host: &Host, password: &str) -> String {
    let account = format!(
        r#"AT+POP3SRV="{}","anna","{password}",{}"#,
        host.address, host.pop3
    );
    module.configure(&[account]).await;
    module.command("AT+POP3IN").await
}

async fn log_in(module: &mut Module, host: &Host, password: &str) {
    assert_eq!(enter(module, host, password).await, DONE);
}

/// Retrieves the first mail; gives the directory in which it is stored.
async fn get(module: &mut Module, root: &Path) -> PathBuf {
    assert_eq!(module.command("AT+POP3GET=1").await, OK);
    let said = module.until(&["EMAIL000.TXT\r\n"]).await;
    let directory = said
        .strip_prefix("\r\n+POP3: SUCCESS\r\nC:/")
        .and_then(|said| said.strip_suffix("/, EMAIL000.TXT\r\n"));
    root.join(directory.unwrap_or_else(|| panic!("{said:?}")))
}

fn same(stored: &Path, sent: &Path, names: &[&str]) {
    for name in names {
        let files = [stored, sent].map(|folder| std::fs::read(folder.join(name)).unwrap());
        assert!(files[0] == files[1], "{name} is not what was sent");
    }
}
