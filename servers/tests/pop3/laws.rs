//! What holds for every client, however it behaves.

use crate::support::{Fate, Talk, service};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use urcheck_servers::engine::{End, Line, LineEnd, Next, Reply, Service};
use urcheck_servers::fault::Position;
use urcheck_servers::pop3::{Pop3, Setup};

const LETTERS: usize = 5;

fn full(count: usize) -> Pop3 {
    let mail = (1..=count).map(|n| format!("Subject: {n}\r\n\r\n.\r\n..\r\n").into_bytes());
    let sasl = ["PLAIN", "LOGIN", "CRAM-MD5"].map(str::to_owned).into();
    service(Setup {
        mail: mail.collect(),
        stls: true,
        sasl,
        ..Setup::default()
    })
}

/// Lines that go deep, and lines that are noise.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "USER un",
        "PASS pwd",
        "AUTH PLAIN",
        "AUTH PLAIN AHVuAHB3ZA==",
        "AUTH LOGIN",
        "AUTH CRAM-MD5",
        "AUTH",
        "AHVuAHB3ZA==",
        "dW4=",
        "cHdk",
        "*",
        "CAPA",
        "STLS",
        "STAT",
        "LIST",
        "LIST 1",
        "UIDL",
        "UIDL 2",
        "RETR 1",
        "RETR 9",
        "TOP 1 1",
        "TOP 3 0",
        "DELE 1",
        "DELE 2",
        "NOOP",
        "RSET",
        "QUIT",
        "APOP un x",
        "",
    ])
    .prop_map(|line| line.as_bytes().to_vec());
    let mangled = (
        prop::sample::select(vec![
            "USER", "PASS", "LIST", "RETR", "TOP", "DELE", "AUTH", "APOP",
        ]),
        prop::collection::vec(any::<u8>().prop_filter("line end", |&b| b != b'\n'), 0..300),
    )
        .prop_map(|(verb, rest)| [verb.as_bytes(), b" ", &rest].concat());
    let noise = prop::collection::vec(any::<u8>().prop_filter("line end", |&b| b != b'\n'), 0..40);
    prop_oneof![8 => known, 1 => mangled, 1 => noise]
}

fn is_legal_status(octets: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(
        octets.len() <= 512,
        "status line of {} octets",
        octets.len()
    );
    let line = octets.strip_suffix(b"\r\n");
    prop_assert!(line.is_some(), "no line end: {}", octets.escape_ascii());
    let line = line.unwrap();
    prop_assert!(
        line.iter().all(|b| (b' '..=b'~').contains(b)),
        "{}",
        line.escape_ascii()
    );
    let legal = line == b"+OK"
        || line.starts_with(b"+OK ")
        || line.starts_with(b"-ERR ")
        || line.starts_with(b"+ ");
    prop_assert!(legal, "{}", line.escape_ascii());
    Ok(())
}

/// The lines after a status line: stuffed, and ended by the first lone dot.
fn is_legal_body(octets: &[u8]) -> Result<(), TestCaseError> {
    let lines = octets.strip_suffix(b".\r\n");
    prop_assert!(lines.is_some(), "no terminator: {}", octets.escape_ascii());
    let lines = lines.unwrap();
    prop_assert!(
        lines.is_empty() || lines.ends_with(b"\r\n"),
        "{}",
        octets.escape_ascii()
    );
    prop_assert!(!lines.starts_with(b".\r\n"), "ends early");
    prop_assert!(
        !lines.windows(5).any(|five| five == b"\r\n.\r\n"),
        "ends early"
    );
    Ok(())
}

fn is_legal(reply: &Reply) -> Result<(), TestCaseError> {
    let octets = reply.clone().into_octets();
    if reply.continues {
        return is_legal_body(&octets);
    }
    // The list of mechanisms after a bare AUTH has no place of its own.
    let split = octets
        .windows(2)
        .position(|two| two == b"\r\n")
        .map_or(0, |at| at + 2);
    if reply.position == Position::Auth && split < octets.len() {
        is_legal_body(&octets[split..])?;
        return is_legal_status(&octets[..split]);
    }
    is_legal_status(&octets)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_reply_is_legal(
        lines in prop::collection::vec((line(), 0..10u8, any::<bool>(), 0..4u64), 1..40),
    ) {
        let service = full(3);
        let (mut talk, greeting) = Talk::open(&service, 1);
        for reply in &greeting {
            is_legal(reply)?;
        }
        for (text, fate, ahead, kind) in &lines {
            let fate = match fate {
                0 => Fate::Refused,
                1 => Fate::Swallowed,
                _ => Fate::Honest,
            };
            let end = if *kind == 1 { LineEnd::Lf } else { LineEnd::CrLf };
            let omitted = if *kind == 2 { 1 << 40 } else { 0 };
            let replies = talk.line(Line { text, end, omitted, ahead: *ahead }, fate);
            prop_assert!(!replies.is_empty(), "no answer to {}", text.escape_ascii());
            for reply in &replies {
                is_legal(reply)?;
            }
            match talk.next() {
                Next::StartTls => talk.secured(0),
                Next::Close => break,
                Next::Line => {}
                Next::Data => prop_assert!(false, "POP3 has no message from the client"),
            }
        }
        talk.close(End::Client);
        prop_assert!(service.view()["sessions"][0]["closed"].is_f64());
    }
}

/// What a client does, and what becomes of the reply.
#[derive(Clone, Debug)]
enum Step {
    LogIn,
    Dele(usize, Fate),
    Rset(Fate),
    Harmless(&'static str),
    Quit(Fate),
    Leave(End),
}

fn step() -> impl Strategy<Value = Step> {
    let fate = || prop_oneof![6 => Just(Fate::Honest), 1 => Just(Fate::Refused), 1 => Just(Fate::Swallowed)];
    prop_oneof![
        3 => Just(Step::LogIn),
        6 => (0..LETTERS + 2, fate()).prop_map(|(number, fate)| Step::Dele(number, fate)),
        1 => fate().prop_map(Step::Rset),
        2 => prop::sample::select(vec!["STAT", "LIST", "RETR 1", "NOOP", "DELE", "DELE 1 1", "CAPA"])
            .prop_map(Step::Harmless),
        1 => fate().prop_map(Step::Quit),
        1 => prop::sample::select(vec![
            End::Client, End::ClientReset, End::Server, End::ServerReset, End::Timeout, End::Stopped,
        ]).prop_map(Step::Leave),
    ]
}

/// The specification: what is left, in order, and what the open session has marked.
#[derive(Debug)]
struct Model {
    letters: Vec<String>,
    open: Option<Vec<String>>,
    marked: BTreeSet<usize>,
    removed: Vec<String>,
}

impl Model {
    /// The session is over; marks count only after an answered QUIT.
    fn end(&mut self, update: bool) {
        if let Some(seen) = self.open.take().filter(|_| update) {
            let gone: Vec<String> = self
                .marked
                .iter()
                .map(|number| seen[number - 1].clone())
                .collect();
            self.letters.retain(|letter| !gone.contains(letter));
            self.removed.extend(gone);
        }
        self.marked.clear();
    }
}

fn subjects(list: &Value) -> Vec<String> {
    let entries = list.as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["subject"].as_str().unwrap().to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn only_an_answered_quit_deletes(steps in prop::collection::vec(step(), 1..60)) {
        let service = full(LETTERS);
        let letters = (1..=LETTERS).map(|n| n.to_string()).collect();
        let mut model =
            Model { letters, open: None, marked: BTreeSet::new(), removed: Vec::new() };
        let mut id = 1;
        let mut talk = Talk::open(&service, id).0;
        for step in steps {
            let mut over = None;
            match step {
                Step::LogIn if model.open.is_none() => {
                    talk.log_in();
                    model.open = Some(model.letters.clone());
                }
                Step::LogIn => {}
                Step::Dele(number, fate) => {
                    let reply = talk.send(format!("DELE {number}").as_bytes(), fate);
                    let count = model.open.as_ref().map_or(0, Vec::len);
                    let legal = (1..=count).contains(&number) && !model.marked.contains(&number);
                    prop_assert_eq!(reply[0].bytes.starts_with(b"+OK"), legal);
                    if legal && fate == Fate::Honest {
                        model.marked.insert(number);
                    }
                }
                Step::Rset(fate) => {
                    talk.send(b"RSET", fate);
                    if fate == Fate::Honest {
                        model.marked.clear();
                    }
                }
                Step::Harmless(line) => {
                    talk.send(line.as_bytes(), Fate::Honest);
                }
                Step::Quit(fate) => {
                    talk.send(b"QUIT", fate);
                    prop_assert_eq!(talk.next() == Next::Close, fate != Fate::Swallowed);
                    if fate != Fate::Swallowed {
                        model.end(fate == Fate::Honest);
                        over = Some(End::Server);
                    }
                }
                Step::Leave(end) => {
                    model.end(false);
                    over = Some(end);
                }
            }
            if model.open.is_some() {
                let left = model.open.as_ref().map_or(0, Vec::len) - model.marked.len();
                let stat = talk.ask("STAT");
                prop_assert!(stat.starts_with(&format!("+OK {left} ")), "{} {:?}", stat, model);
            }
            if let Some(end) = over {
                talk.close(end);
                id += 1;
                talk = Talk::open(&service, id).0;
            }
            let view = service.view();
            prop_assert_eq!(&subjects(&view["mailbox"]), &model.letters);
            prop_assert_eq!(&subjects(&view["removed"]), &model.removed);
        }
    }
}

#[test]
fn a_client_that_talks_for_ever_fills_no_memory() {
    let service = full(1);
    let (mut talk, _) = Talk::open(&service, 1);
    for _ in 0..10_100 {
        talk.send(b"XYZZ", Fate::Honest);
    }
    let view = service.view();
    let session = &view["sessions"][0];
    assert_eq!(session["commands"].as_array().unwrap().len(), 10_000);
    assert_eq!(session["omitted"], 100);
    assert_eq!(session["lints"].as_array().unwrap().len(), 1_000);
}

#[test]
fn clients_that_send_long_lines_share_what_there_is() {
    let service = full(1);
    let line = vec![b'x'; 5_000];
    for id in 1..=5 {
        let (mut talk, _) = Talk::open(&service, id);
        for _ in 0..1_000 {
            talk.send(&line, Fate::Honest);
        }
    }
    let view = service.view();
    let sessions = view["sessions"].as_array().unwrap();
    let texts = sessions
        .iter()
        .flat_map(|session| session["commands"].as_array().unwrap());
    let lengths: Vec<usize> = texts.map(|text| text.as_str().unwrap().len()).collect();
    assert!(lengths.iter().all(|&length| length == 1_024));
    assert!(
        lengths.len() > 1_000 && lengths.len() < 4_096,
        "{}",
        lengths.len()
    );
    let omitted: u64 = sessions
        .iter()
        .map(|it| it["omitted"].as_u64().unwrap())
        .sum();
    assert_eq!(omitted + lengths.len() as u64, 5_000);
}
