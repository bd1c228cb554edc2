//! Laws of the composed message.

use super::*;
use crate::net::testing::{hear, say};
use crate::smtp::compose::Message;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

fn composed(mut job: Job) -> Vec<u8> {
    let attachments = std::mem::take(&mut job.attachments);
    let mut message = Message::new(&job, attachments).unwrap();
    let mut octets = Vec::new();
    while message.read_chunk(&mut octets).unwrap() {}
    assert_eq!(octets.len() as u64, message.size());
    octets
}

#[test]
fn a_plain_mail() {
    insta::assert_snapshot!(String::from_utf8(composed(job())).unwrap(), @r#"
    Date: Tue, 9 Mar 2010 17:11:30 +0800
    From: "Ada" <ada@server.com>
    To: "Bob" <bob@server.com>
    Subject: First Email
    Message-ID: <20100309171130.b25a4bbded1f5527d84f1e8cf1aa54d7@server.com>
    MIME-Version: 1.0
    Content-Type: text/plain; charset=us-ascii
    Content-Transfer-Encoding: 7bit

    This is the first Email!
    "#);
}

#[test]
fn a_mail_with_everything() {
    let job = Job {
        cc: vec![
            Address::new("carol@server.com", "Çarol"),
            Address::new("eve@server.com", ""),
        ],
        bcc: vec![Address::new("dave@server.com", "Dave")],
        subject: "Grüße".to_owned(),
        body: "Zwölf\n.\nBoxkämpfer".to_owned(),
        attachments: vec![
            Attachment::from_bytes("a b.txt", b"hello".to_vec()),
            Attachment::from_bytes("ü.txt", Vec::new()),
        ],
        ..job()
    };
    insta::assert_snapshot!(String::from_utf8(composed(job)).unwrap(), @r#"
    Date: Tue, 9 Mar 2010 17:11:30 +0800
    From: "Ada" <ada@server.com>
    To: "Bob" <bob@server.com>
    Cc: =?utf-8?B?w4dhcm9s?=
     <carol@server.com>,
     eve@server.com
    Subject: =?utf-8?B?R3LDvMOfZQ==?=
    Message-ID: <20100309171130.c14b75395da321ae07c71ae2ddb64798@server.com>
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_c14b75395da321ae07c71ae2ddb64798"

    --=_c14b75395da321ae07c71ae2ddb64798
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable

    Zw=C3=B6lf
    .
    Boxk=C3=A4mpfer
    --=_c14b75395da321ae07c71ae2ddb64798
    Content-Type: application/octet-stream;
     name="a b.txt"
    Content-Transfer-Encoding: base64
    Content-Disposition: attachment;
     filename="a b.txt"

    aGVsbG8=

    --=_c14b75395da321ae07c71ae2ddb64798
    Content-Type: application/octet-stream
    Content-Transfer-Encoding: base64
    Content-Disposition: attachment;
     filename*=utf-8''%C3%BC.txt


    --=_c14b75395da321ae07c71ae2ddb64798--
    "#);
}

#[test]
fn equal_mails_in_one_second_have_different_ids() {
    let id = |job| {
        MessageParser::new()
            .parse(&composed(job))
            .unwrap()
            .message_id()
            .unwrap()
            .to_owned()
    };
    assert_eq!(id(job()), id(job()));
    assert_ne!(id(job()), id(Job { serial: 2, ..job() }));
}

#[test]
fn a_boundary_never_occurs_in_the_text() {
    let file = || vec![Attachment::from_bytes("a", vec![1])];
    let first = String::from_utf8(composed(Job {
        attachments: file(),
        ..job()
    }))
    .unwrap();
    let boundary = first
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    // The digest depends on the text, so this only shows that such a text is carried unharmed.
    let body = format!("--{boundary}\r\n--{boundary}--");
    let octets = composed(Job {
        attachments: file(),
        body: body.clone(),
        ..job()
    });
    let parsed = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(parsed.body_text(0).unwrap(), body);
    assert_eq!(parsed.attachment_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn ten_mebibytes_flow_through_a_small_pipe() {
    let bytes: Vec<u8> = (0..10_u32 << 20).map(|index| (index % 251) as u8).collect();
    let file = Attachment::from_reader(
        "big.bin",
        bytes.len() as u64,
        std::io::Cursor::new(bytes.clone()),
    );
    let script = vec![
        say("220 hi\r\n"),
        hear("EHLO"),
        say("250 server\r\n"),
        hear("MAIL"),
        say("250\r\n"),
        hear("RCPT"),
        say("250\r\n"),
        hear("DATA"),
        say("354\r\n"),
        Step::HearData,
        say("250\r\n"),
        hear("QUIT"),
        say("221\r\n"),
    ];
    let run = run(
        Job {
            attachments: vec![file],
            ..job()
        },
        script,
    )
    .await;
    assert_eq!(run.outcome, Outcome::Success);
    let start = run
        .heard
        .iter()
        .position(|line| line == "DATA\r\n")
        .unwrap()
        + 1;
    let end = run.heard.iter().position(|line| line == ".\r\n").unwrap();
    let message = run.heard[start..end].concat();
    let parsed = MessageParser::new().parse(message.as_bytes()).unwrap();
    assert!(parsed.attachment(0).unwrap().contents() == bytes);
}

/// Anything that can be set on the AT interface, and what cannot.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,80}",
        "(\\PC|[\r\n\t\0.=?\"\\\\]){0,60}",
        "x{990,1010}",
        "(a ){500}",
        Just("..\r\n.\r\n".to_owned()),
    ]
}

prop_compose! {
    fn any_job()(
        from_name in text(), to_name in text(), cc in prop::collection::vec(text(), 0..3),
        subject in text(), body in text(),
        files in prop::collection::vec((text(), prop::collection::vec(any::<u8>(), 0..300)), 0..3),
    ) -> (Job, Vec<(String, Vec<u8>)>) {
        let attachments = files.iter().map(|(name, bytes)| Attachment::from_bytes(name, bytes.clone())).collect();
        let job = Job {
            from: Address::new("ada@server.com", from_name),
            to: vec![Address::new("bob@server.com", to_name)],
            cc: cc.into_iter().map(|name| Address::new("carol@server.com", name)).collect(),
            bcc: vec![Address::new("hidden@server.com", "Hidden")],
            subject, body, attachments, ..job()
        };
        (job, files)
    }
}

fn header_text(text: &str) -> String {
    text.replace('\t', " ")
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

fn body_text(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n")
}

proptest! {
    #[test]
    fn a_composed_message_is_legal_and_says_what_was_set((job, files) in any_job()) {
        let subject = header_text(&job.subject);
        let body = body_text(&job.body);
        let to_name = header_text(&job.to[0].name);
        let recipients = job.cc.len();
        let octets = composed(job);

        prop_assert!(octets.ends_with(b"\r\n"));
        prop_assert!(octets.is_ascii() && !octets.contains(&0));
        let text = String::from_utf8(octets.clone()).unwrap();
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 998, "{} octets", line.len());
            prop_assert!(!line.contains(['\r', '\n']), "{line:?}");
        }
        let header = text.split("\r\n\r\n").next().unwrap();
        for name in ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version"] {
            let count = header.split("\r\n").filter(|line| line.starts_with(&format!("{name}: "))).count();
            prop_assert_eq!(count, 1, "{}", name);
        }
        prop_assert!(!text.contains("hidden@server.com"));

        let parsed = MessageParser::new().parse(&octets).unwrap();
        prop_assert_eq!(parsed.subject().unwrap_or_default().trim(), subject.trim());
        let to = parsed.to().unwrap().first().unwrap();
        prop_assert_eq!(to.address(), Some("bob@server.com"));
        prop_assert_eq!(to.name().unwrap_or_default().trim(), to_name.trim());
        prop_assert_eq!(parsed.cc().map_or(0, |cc| cc.iter().count()), recipients);
        let read = parsed.body_text(0).unwrap_or_default();
        prop_assert_eq!(read.strip_suffix("\r\n").unwrap_or(&read), body.strip_suffix("\r\n").unwrap_or(&body));
        prop_assert_eq!(parsed.attachment_count(), files.len());
        for (attachment, (name, bytes)) in parsed.attachments().zip(&files) {
            prop_assert_eq!(attachment.contents(), bytes);
            prop_assert_eq!(attachment.attachment_name().unwrap_or_default(), header_text(name));
        }
    }
}
