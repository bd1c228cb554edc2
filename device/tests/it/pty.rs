use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use urcheck_device::net::TcpDialer;
use urcheck_device::pty::Pty;
use urcheck_device::{Module, Settings};

#[tokio::test]
async fn a_dte_opens_the_link_and_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("modem");
    let mut pty = Pty::open().unwrap();
    pty.link(&link).unwrap();
    let mut module = Module::new(Settings::default(), Arc::new(TcpDialer)).unwrap();
    let served = tokio::spawn(async move { module.run(pty).await });
    let answers = tokio::task::spawn_blocking(move || {
        let mut answers = Vec::new();
        // One DTE after the other: the line stays open between them.
        for _ in 0..2 {
            let mut port = std::fs::File::options()
                .read(true)
                .write(true)
                .open(&link)
                .unwrap();
            port.write_all(b"AT+CSQ\r").unwrap();
            let expected = b"AT+CSQ\r\r\n+CSQ: 21,99\r\n\r\nOK\r\n";
            let mut answer = vec![0; expected.len()];
            port.read_exact(&mut answer).unwrap();
            answers.push(answer == expected);
        }
        answers
    });
    assert_eq!(answers.await.unwrap(), [true, true]);
    served.abort();
    assert!(served.await.unwrap_err().is_cancelled());
    assert!(!directory.path().join("modem").exists());
}

#[tokio::test]
async fn a_mail_goes_from_a_pseudo_terminal_to_a_tcp_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let say = |text: &[u8]| (&stream).write_all(text).unwrap();
        say(b"220 hello\r\n");
        let mut mail = Vec::new();
        let mut in_data = false;
        while let Some(Ok(line)) = lines.next() {
            match line.as_str() {
                "." => {
                    in_data = false;
                    say(b"250 taken\r\n");
                }
                _ if in_data => mail.push(line),
                "DATA" => {
                    in_data = true;
                    say(b"354 go on\r\n");
                }
                "QUIT" => say(b"221 bye\r\n"),
                _ => say(b"250 ok\r\n"),
            }
        }
        mail
    });
    let pty = Pty::open().unwrap();
    let path = pty.path().to_owned();
    let mut settings = Settings::default();
    settings.set("echo", "off").unwrap();
    let mut module = Module::new(settings, Arc::new(TcpDialer)).unwrap();
    let served = tokio::spawn(async move { module.run(pty).await });
    let dialogue = tokio::task::spawn_blocking(move || {
        let mut line = std::fs::File::options()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let mut exchange = |command: &str, answer: &str| {
            line.write_all(format!("{command}\r").as_bytes()).unwrap();
            let mut received = vec![0; answer.len()];
            line.read_exact(&mut received).unwrap();
            assert_eq!(
                String::from_utf8(received).unwrap(),
                answer,
                "after {command}"
            );
        };
        let ok = "\r\nOK\r\n";
        exchange(&format!("AT+SMTPSRV=\"127.0.0.1\",{port}"), ok);
        exchange("AT+SMTPFROM=\"a@b\"", ok);
        exchange("AT+SMTPRCPT=0,0,\"c@d\"", ok);
        exchange("AT+SMTPBODY=\"over a real line\"", ok);
        exchange(
            "AT+SMTPSEND",
            "\r\n+SMTP: OK\r\n\r\nOK\r\n\r\n+SMTP: SUCCESS\r\n",
        );
    });
    dialogue.await.unwrap();
    assert!(
        server
            .await
            .unwrap()
            .iter()
            .any(|line| line == "over a real line")
    );
    served.abort();
}
