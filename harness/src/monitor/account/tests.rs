//! The account of a dialogue says what each line is.

use super::*;
use crate::profile::Profile;
use rstest::rstest;
use serde_json::json;

/// `>` the DTE, `<` the device; `\r` and the like are escapes of Rust.
fn kinds(echo: bool, dialogue: &[(char, &str)]) -> Vec<(String, Kind)> {
    let story = crate::monitor::story::Story::new();
    let profile = Profile {
        echo,
        ignore: vec!["RING".to_owned()],
        ..Profile::default()
    };
    let policy = Policy::of(&profile).unwrap();
    let events: Vec<_> = dialogue
        .iter()
        .map(|(who, bytes)| {
            let bytes = bytes.as_bytes().to_vec();
            let kind = match who {
                '>' => EventKind::Sent { step: None, bytes },
                _ => EventKind::Received { bytes },
            };
            Event {
                at: Duration::ZERO,
                kind,
            }
        })
        .collect();
    let account = Account::of(&story.case, &policy, &events, false);
    let told = account.lines.iter().filter(|line| line.kind != Kind::Blank);
    told.map(|line| {
        let text = String::from_utf8_lossy(account.text(line)).into_owned();
        (text, line.kind)
    })
    .collect()
}

#[rstest]
#[case::send(true, &[('>', "AT+SMTPSEND\r"), ('<', "AT+SMTPSEND\r\r\n+SMTP: OK\r\n\r\nOK\r\n"), ('<', "\r\nRING\r\n\r\n+SMTP: SUC"), ('<', "CESS\r\n")],
    &[("AT+SMTPSEND", Kind::Echo), ("+SMTP: OK", Kind::Smtp), ("OK", Kind::Ok), ("RING", Kind::Network), ("+SMTP: SUCCESS", Kind::Smtp)])]
#[case::prompt(false, &[('>', "AT+SMTPBODY\r"), ('<', "\r\n>> "), ('>', "OK\r\nAT\r\x1a"), ('<', "\r\nOK\r\n")],
    &[(">> ", Kind::Prompt), ("OK", Kind::Ok)])]
#[case::mail(false, &[('>', "AT+POP3READ\r"), ('<', "\r\nSubject: x\r\n\r\nOK\r\n+POP3: SUCCESS\r\n\r\nOK\r\n")],
    &[("Subject: x", Kind::Verbatim), ("OK", Kind::Verbatim), ("+POP3: SUCCESS", Kind::Verbatim), ("OK", Kind::Ok)])]
#[case::refused(false, &[('>', "AT+POP3HDR=9\r"), ('<', "\r\n+POP3: SERVER ERROR\r\n\r\nERROR\r\n")],
    &[("+POP3: SERVER ERROR", Kind::Pop3), ("ERROR", Kind::Error)])]
#[case::file(false, &[('>', "AT+CFTRANTX=\"C:/a\"\r"), ('<', "\r\n+CFTRANTX: DATA,6\r\nOK\r\nxy\r\n+CFTRANTX: 0\r\n\r\nOK\r\n")],
    &[("+CFTRANTX: DATA,6", Kind::Information), ("OK\r\nxy", Kind::Verbatim), ("+CFTRANTX: 0", Kind::Information), ("OK", Kind::Ok)])]
#[case::torn(false, &[('>', "AT\r"), ('<', "\r\nO")], &[("O", Kind::Information)])]
fn every_line_is_told(
    #[case] echo: bool,
    #[case] dialogue: &[(char, &str)],
    #[case] lines: &[(&str, Kind)],
) {
    let told = kinds(echo, dialogue);
    let told: Vec<_> = told
        .iter()
        .map(|(text, kind)| (text.as_str(), *kind))
        .collect();
    assert_eq!(told, lines);
}

#[test]
fn a_refused_second_sending_leaves_the_reports_to_the_first() {
    let story = crate::monitor::story::Story::new();
    let policy = Policy::of(&Profile::default()).unwrap();
    let events: Vec<_> = [
        ('>', "AT+SMTPSEND\r"),
        ('<', "\r\n+SMTP: OK\r\n\r\nOK\r\n"),
        ('>', "AT+SMTPSEND\r"),
        ('<', "\r\n+SMTP: ONGOING\r\n\r\nERROR\r\n"),
        ('<', "\r\n+SMTP: SUCCESS\r\n"),
        ('>', "AT+SMTPSEND\r"),
        ('<', "\r\n+SMTP: PARAM ERROR\r\n\r\nERROR\r\n"),
    ]
    .into_iter()
    .map(|(who, text)| Event {
        at: Duration::ZERO,
        kind: match (who, text.as_bytes().to_vec()) {
            ('>', bytes) => EventKind::Sent { step: None, bytes },
            (_, bytes) => EventKind::Received { bytes },
        },
    })
    .collect();
    let account = Account::of(&story.case, &policy, &events, false);
    let reports: Vec<Vec<_>> = account
        .sendings()
        .iter()
        .map(|sending| {
            let lines = sending.reports.iter();
            lines
                .map(|line| account.report(&account.lines[*line]).unwrap())
                .collect()
        })
        .collect();
    assert_eq!(reports, [vec!["OK", "SUCCESS"], vec!["PARAM ERROR"]]);
}

#[test]
fn the_last_state_of_the_servers_counts() {
    let state = |delivered: u64| EventKind::Snapshot {
        step: 0,
        state: json!({"smtp": {"delivered_omitted": delivered, "unknown": 1}, "pop3": {}}),
    };
    let events = [1, 2].map(|delivered| Event {
        at: Duration::ZERO,
        kind: state(delivered),
    });
    assert_eq!(last_state(&events).smtp.delivered_omitted, 2);
}
