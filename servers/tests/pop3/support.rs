//! A client's end of a session without a network.

use tokio::time::Instant;
use urcheck_servers::engine::{
    Connection, End, Engine, Line, LineEnd, Next, Output, Reply, Service, Told,
};
use urcheck_servers::pop3::{Pop3, Setup};

pub(crate) const FIRST: &[u8] = b"From: \"FromName\" <FromAddr@server.com>\r\n\
    Date: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
    Subject: First Test Email\r\n\
    \r\n\
    line one\r\n\
    .line two\r\n";
pub(crate) const SECOND: &[u8] = b"From: a@b.example\r\nSubject: Second\r\n\r\n.\r\n";

pub(crate) fn setup() -> Setup {
    Setup {
        mail: vec![FIRST.to_vec(), SECOND.to_vec()],
        ..Setup::default()
    }
}

pub(crate) fn service(setup: Setup) -> Pop3 {
    Pop3::new(setup, Instant::now())
}

/// What the wire makes of a proposed reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Honest,
    Refused,
    Swallowed,
}

/// One session, driven as the wire drives it.
pub(crate) struct Talk {
    engine: Box<dyn Engine>,
    pub(crate) lints: Vec<&'static str>,
}

impl Talk {
    pub(crate) fn open(service: &Pop3, id: u32) -> (Talk, Vec<Reply>) {
        let engine = service.open(Connection {
            id,
            peer: "test".into(),
            opened: Instant::now(),
            secure: false,
            can_start_tls: true,
        });
        let mut talk = Talk {
            engine,
            lints: Vec::new(),
        };
        let greeting = talk.engine.greeting();
        let replies = talk.take(greeting, Fate::Honest);
        (talk, replies)
    }

    pub(crate) fn send(&mut self, text: &[u8], fate: Fate) -> Vec<Reply> {
        self.line(
            Line {
                text,
                end: LineEnd::CrLf,
                omitted: 0,
                ahead: false,
            },
            fate,
        )
    }

    pub(crate) fn line(&mut self, line: Line<'_>, fate: Fate) -> Vec<Reply> {
        let outputs = self.engine.line(line);
        self.take(outputs, fate)
    }

    /// Sends a line and gives the whole reply as text.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let replies = self.send(line.as_bytes(), Fate::Honest);
        let octets: Vec<u8> = replies
            .into_iter()
            .flat_map(|reply| reply.into_octets())
            .collect();
        String::from_utf8(octets).unwrap()
    }

    pub(crate) fn log_in(&mut self) {
        assert_eq!(self.ask("USER un"), "+OK send PASS\r\n");
        let reply = self.ask("PASS pwd");
        assert!(reply.starts_with("+OK maildrop has"), "{reply}");
    }

    pub(crate) fn next(&self) -> Next {
        self.engine.next()
    }

    pub(crate) fn secured(&mut self, discarded: usize) {
        let outputs = self.engine.secured(discarded);
        self.take(outputs, Fate::Honest);
    }

    pub(crate) fn close(mut self, end: End) -> Vec<&'static str> {
        let outputs = self.engine.closed(end);
        self.take(outputs, Fate::Honest);
        self.lints
    }

    /// Tells the engine what the client got, and gives the replies as they were proposed.
    fn take(&mut self, outputs: Vec<Output>, fate: Fate) -> Vec<Reply> {
        let mut replies = Vec::new();
        for output in outputs {
            match output {
                Output::Reply(reply) => replies.push(reply),
                Output::Lint { id, .. } => self.lints.push(id),
                Output::Note(_) => {}
            }
        }
        for reply in &replies {
            let bytes = match fate {
                Fate::Honest => &reply.bytes[..],
                Fate::Refused if !reply.continues => b"-ERR no\r\n",
                Fate::Refused | Fate::Swallowed => b"",
            };
            let honest = fate == Fate::Honest;
            self.engine.told(Told {
                position: reply.position,
                bytes,
                honest,
            });
        }
        replies
    }
}
