//! Messages, honest and hostile.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

const HEADER: &str = "Received: from elsewhere\r\n\
    Date: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
    From: \"FromName\" <FromAddr@server.com>\r\n\
    To: \"ToName\" <ToAddr@server.com>\r\n\
    Subject: First Test Email\r\n";

fn parse(rest: &str) -> Letter {
    Letter::parse(format!("{HEADER}{rest}").as_bytes())
}

fn text(letter: &Letter) -> &str {
    std::str::from_utf8(&letter.text).unwrap()
}

#[test]
fn the_listing_of_the_note() {
    let letter = parse(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is a test email with an attachment.\r\n\
         --b\r\nContent-Type: image/jpeg; name=\"a.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"a.jpg\"\r\n\r\n/9j/4A==\r\n--b--\r\nepilogue\r\n",
    );
    insta::assert_snapshot!(String::from_utf8(letter.listing()).unwrap(), @r#"
    Date: Tue, 9 Mar 2010 17:11:30 +0800
    From: "FromName" <FromAddr@server.com>
    To: "ToName" <ToAddr@server.com>
    Subject: First Test Email

    This is a test email with an attachment.
    "#);
    let attachment = LetterAttachment {
        name: Some("a.jpg".to_owned()),
        bytes: b"\xff\xd8\xff\xe0".to_vec(),
    };
    assert_eq!(letter.attachments, [attachment]);
}

/// Bodies that are one readable piece.
#[rstest]
#[case::plain("\r\nText\r\n", "Text\r\n")]
#[case::p44_dots("\r\n.\r\n..x\r\nOK\r\n", ".\r\n..x\r\nOK\r\n")]
#[case::p47_empty("\r\n", "")]
#[case::p47_header_only("", "")]
#[case::c08_line_ends("\r\na\nb\rc\r\r\n", "a\nb\rc\r\r\n")]
#[case::quoted_printable(
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC=\r\n=3D\r\n",
    "ü=\r\n"
)]
#[case::base64("Content-Transfer-Encoding: BASE64\r\n\r\nSGVs\r\nbG8=\r\n", "Hello")]
#[case::latin1(
    "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FC",
    "ü"
)]
#[case::c06_bad_base64("Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n", "!!!\r\n")]
#[case::c06_bad_quoted_printable(
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ\r\n",
    "=ZZ\r\n"
)]
#[case::c06_unknown_encoding("Content-Transfer-Encoding: x-zip\r\n\r\nabc\r\n", "abc\r\n")]
#[case::c10_html(
    "Content-Type: text/html\r\n\r\n<html><body><p>Hello</p><p>you</p></body></html>\r\n",
    "Hello\r\nyou"
)]
#[case::c01_no_boundary("Content-Type: multipart/mixed\r\n\r\nabc\r\n", "abc\r\n")]
#[case::c01_boundary_never_comes(
    "Content-Type: multipart/mixed; boundary=b\r\n\r\nabc\r\n",
    "abc\r\n"
)]
fn single_texts(#[case] rest: &str, #[case] due: &str) {
    let letter = parse(rest);
    assert_eq!(text(&letter), due);
    assert_eq!(letter.attachments, []);
}

#[test]
fn c07_an_unknown_character_set_passes_through() {
    let mut message = b"Content-Type: text/plain; charset=x-none\r\n\r\n".to_vec();
    message.extend_from_slice(b"\xc4\xe3\0\r\n");
    assert_eq!(Letter::parse(&message).text, b"\xc4\xe3\0\r\n");
}

fn mixed(subtype: &str, parts: &[&str]) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("--b\r\n{part}\r\n"))
        .collect();
    format!("Content-Type: multipart/{subtype}; boundary=b\r\n\r\n{parts}--b--\r\n")
}

const PLAIN: &str = "\r\nplain";
const HTML: &str = "Content-Type: text/html\r\n\r\n<b>html</b>";

/// Several parts: the text, and the names of the attachments.
#[rstest]
#[case::alternative(&mixed("alternative", &[PLAIN, HTML]), "plain", &[])]
#[case::alternative_turned(&mixed("alternative", &[HTML, PLAIN]), "plain", &[])]
#[case::c10_html_only(&mixed("alternative", &[HTML]), "html", &[])]
#[case::html_beside_text(&mixed("mixed", &[PLAIN, HTML]), "plain", &[None])]
#[case::two_texts(&mixed("mixed", &[PLAIN, PLAIN]), "plain\r\nplain", &[])]
#[case::named_text(&mixed("mixed", &[PLAIN, "Content-Disposition: attachment; filename=a.txt\r\n\r\nx"]), "plain", &[Some("a.txt")])]
#[case::nameless(&mixed("mixed", &["Content-Type: application/pdf\r\n\r\nx"]), "", &[None])]
#[case::c10_message(&mixed("mixed", &[PLAIN, "Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\nb"]), "plain", &[None])]
#[case::digest(&mixed("digest", &["\r\nSubject: a\r\n\r\nb"]), "", &[None])]
#[case::c03_rfc2231(&mixed("mixed", &["Content-Disposition: attachment; filename*=utf-8''%C3%BC.txt\r\n\r\nx"]), "", &[Some("ü.txt")])]
#[case::c03_rfc2047(&mixed("mixed", &["Content-Disposition: attachment; filename=\"=?utf-8?B?w7w=?=\"\r\n\r\nx"]), "", &[Some("ü")])]
#[case::c01_no_end("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n", "plain\r\n", &[])]
#[case::c01_prefix("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--bc\r\ny\r\n--b--\r\n", "x\r\n--bc\r\ny", &[])]
#[case::nested(&mixed("mixed", &["Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\ninner\r\n--c--", "Content-Type: image/png; name=p.png\r\n\r\nx"]), "inner", &[Some("p.png")])]
fn parts(#[case] rest: &str, #[case] due: &str, #[case] names: &[Option<&str>]) {
    let letter = parse(rest);
    assert_eq!(text(&letter), due);
    let given: Vec<_> = letter
        .attachments
        .iter()
        .map(|file| file.name.as_deref())
        .collect();
    assert_eq!(given, names);
}

#[test]
fn c05_every_octet_of_an_attachment() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let encoded = {
        use base64::Engine;
        base64::prelude::BASE64_STANDARD.encode(&bytes)
    };
    let lines: Vec<_> = encoded
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let part = format!(
        "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        lines.join("\r\n")
    );
    let letter = parse(&mixed("mixed", &[&part]));
    assert!(letter.attachments[0].bytes == bytes);
}

#[test]
fn c11_a_hundred_thousand_parts_are_bounded() {
    let part = "--b\r\nContent-Type: application/zip; name=a\r\n\r\nx\r\n";
    let letter = parse(&format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
        part.repeat(100_000)
    ));
    assert_eq!(letter.attachments.len(), 256);
}

/// Structures that make a careless reader recurse or scan without end.
#[rstest]
#[case::multiparts("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")]
#[case::never_bounded("--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n")]
#[case::messages("--b\r\nContent-Type: message/rfc822\r\n\r\n")]
#[case::same_level("Content-Type: message/rfc822\r\n\r\n")]
fn c11_deep_structures_are_bounded(#[case] opening: &str) {
    let letter = parse(&format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        opening.repeat(50_000)
    ));
    assert!(letter.attachments.len() <= 256);
    assert!(letter.text.len() <= 50_000 * opening.len() + 10_000);
}

#[test]
fn every_level_to_the_limit_has_its_own_boundary() {
    let mut message = String::new();
    for level in 0..100 {
        message.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        ));
    }
    message.push_str("\r\ndeep\r\n");
    let letter = Letter::parse(message.as_bytes());
    assert_eq!(
        letter.attachments.len(),
        1,
        "what is too deep is kept whole"
    );
    assert!(letter.attachments[0].bytes.ends_with(b"deep\r\n"));
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_fail(
        octets in prop::collection::vec(any::<u8>(), 0..400),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "Content-Type: ", "multipart/mixed; boundary=b", "multipart/alternative; boundary=\"b b\"",
            "text/html; charset=utf-16", "text/plain; charset=utf-7", "message/rfc822", "\r\n", "\r\n\r\n", "\n",
            "--b", "--b--", "--b b", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable",
            "Content-Disposition: attachment; filename*0*=utf-8''%", "filename=\"", "=?utf-8?B?", "=", "=4", "<p", "<!--", "-->", "</style>", "&#x", "AAA", ":", " ",
        ]), 0..60),
    ) {
        let mut message = pieces.concat().into_bytes();
        message.extend_from_slice(&octets);
        let letter = Letter::parse(&message);
        prop_assert!(letter.text.len() <= 4 * message.len() + 64);
        prop_assert!(letter.attachments.len() <= 256);
        let listing = letter.listing();
        prop_assert!(listing.ends_with(&letter.text));
    }
}
