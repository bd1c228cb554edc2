//! Timelines told in a few words, for the tests of monitors.

use crate::judge::Policy;
use crate::profile::Profile;
use crate::scenario::case::Case;
use std::time::Duration;
use urcheck_reports::{Class, Event, EventKind, Finding, Protocol};

/// A timeline that grows. Nothing takes time unless [`Story::after`] says so.
pub(super) struct Story {
    now: Duration,
    events: Vec<Event>,
    echo: bool,
    cut_short: bool,
    /// The case: what it sets the servers up with.
    pub(super) case: Case,
}

#[expect(dead_code, reason = "the words of a story are not all in use")]
impl Story {
    /// Nothing has happened; the servers are as they are by default, echo is off.
    pub(super) fn new() -> Self {
        Self {
            now: Duration::ZERO,
            events: Vec::new(),
            echo: false,
            cut_short: false,
            case: Case {
                id: "story".to_owned(),
                title: "A story".to_owned(),
                class: Class::Must,
                clauses: Vec::new(),
                faults: Vec::new(),
                skip: None,
                smtp: urcheck_servers::smtp::Setup::default(),
                pop3: urcheck_servers::pop3::Setup::default(),
                variables: serde_json::Map::new(),
                steps: Vec::new(),
                prepared: 0,
            },
        }
    }

    /// The device echoes; the echo itself has to be told with [`Story::bytes`].
    pub(super) fn with_echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// The dialogue was left before its end.
    pub(super) fn cut_short(mut self) -> Self {
        self.cut_short = true;
        self
    }

    /// So many seconds go by.
    pub(super) fn after(mut self, seconds: f64) -> Self {
        self.now += Duration::from_secs_f64(seconds);
        self
    }

    /// The DTE sends a command line.
    pub(super) fn send(self, line: &str) -> Self {
        self.send_raw(format!("{line}\r").as_bytes())
    }

    /// The DTE sends these bytes.
    pub(super) fn send_raw(self, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        self.push(EventKind::Sent { step: None, bytes })
    }

    /// The device sends a line in the framing of V.250.
    pub(super) fn says(self, line: &str) -> Self {
        self.bytes(format!("\r\n{line}\r\n").as_bytes())
    }

    /// The device sends these bytes.
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        self.push(EventKind::Received { bytes })
    }

    /// The device opens this connection to the SMTP server.
    pub(super) fn connected_smtp(self, connection: u32) -> Self {
        let protocol = Protocol::Smtp;
        self.push(EventKind::Connected {
            protocol,
            connection,
        })
    }

    /// The device opens this connection to the POP3 server.
    pub(super) fn connected_pop3(self, connection: u32) -> Self {
        let protocol = Protocol::Pop3;
        self.push(EventKind::Connected {
            protocol,
            connection,
        })
    }

    /// The device sends this line on a connection.
    pub(super) fn client(self, protocol: Protocol, connection: u32, line: &str) -> Self {
        self.push(EventKind::FromClient {
            protocol,
            connection,
            bytes: format!("{line}\r\n").into_bytes(),
            omitted: 0,
        })
    }

    /// The server sends this line on a connection.
    pub(super) fn server(self, protocol: Protocol, connection: u32, line: &str) -> Self {
        self.push(EventKind::FromServer {
            protocol,
            connection,
            bytes: format!("{line}\r\n").into_bytes(),
            omitted: 0,
        })
    }

    /// Something else happens on a connection, in the words of the wire: `client closed`, ….
    pub(super) fn wire(self, protocol: Protocol, connection: u32, what: &str) -> Self {
        self.push(EventKind::Wire {
            protocol,
            connection,
            what: what.to_owned(),
        })
    }

    /// Anything else.
    pub(super) fn push(mut self, kind: EventKind) -> Self {
        self.events.push(Event { at: self.now, kind });
        self
    }

    /// The state of the servers at the end.
    pub(super) fn state(self, state: serde_json::Value) -> Self {
        let step = self.case.steps.len();
        self.push(EventKind::Snapshot { step, state })
    }

    /// Everything that all monitors find.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let profile = Profile {
            echo: self.echo,
            ignore: vec!["RING".to_owned(), "+CREG: {{*}}".to_owned()],
            ..Profile::default()
        };
        let policy = Policy::of(&profile).unwrap();
        super::watch(&self.case, &policy, &self.events, self.cut_short)
    }

    /// The messages of one monitor.
    pub(super) fn found(&self, monitor: &str) -> Vec<String> {
        assert!(super::is_monitor(monitor), "there is no monitor {monitor}");
        let findings = self.findings().into_iter();
        let of_it = findings.filter(|finding| finding.monitor == monitor);
        of_it.map(|finding| finding.message).collect()
    }
}
