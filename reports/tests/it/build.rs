//! Short ways to write timelines, cases and runs.

use std::time::Duration;
use urcheck_reports::{
    CaseReport, Class, Event, EventKind, Finding, Likeness, Observed, Place, Probe, Protocol,
    QuotedStep, RunReport, Timeline, Verdict,
};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Notes events one after the other.
#[derive(Default)]
pub(crate) struct Tape(Vec<Event>);

impl Tape {
    pub(crate) fn sent(self, at: u64, text: &str) -> Self {
        self.push(
            at,
            EventKind::Sent {
                step: None,
                bytes: format!("{text}\r").into_bytes(),
            },
        )
    }

    /// A line as a device writes it, with a line end before and after it.
    pub(crate) fn line(self, at: u64, text: &str) -> Self {
        self.bytes(at, format!("\r\n{text}\r\n").as_bytes())
    }

    pub(crate) fn bytes(self, at: u64, bytes: &[u8]) -> Self {
        self.push(
            at,
            EventKind::Received {
                bytes: bytes.to_vec(),
            },
        )
    }

    pub(crate) fn connected(self, at: u64) -> Self {
        self.push(
            at,
            EventKind::Connected {
                protocol: Protocol::Smtp,
                connection: 1,
            },
        )
    }

    pub(crate) fn client(self, at: u64, text: &str) -> Self {
        self.client_cut(at, format!("{text}\r\n").as_bytes(), 0)
    }

    pub(crate) fn client_cut(self, at: u64, bytes: &[u8], omitted: u64) -> Self {
        let (protocol, connection, bytes) = (Protocol::Smtp, 1, bytes.to_vec());
        self.push(
            at,
            EventKind::FromClient {
                protocol,
                connection,
                bytes,
                omitted,
            },
        )
    }

    pub(crate) fn server(self, at: u64, text: &str) -> Self {
        let (protocol, connection) = (Protocol::Smtp, 1);
        let bytes = format!("{text}\r\n").into_bytes();
        self.push(
            at,
            EventKind::FromServer {
                protocol,
                connection,
                bytes,
                omitted: 0,
            },
        )
    }

    pub(crate) fn wire(self, at: u64, what: &str) -> Self {
        let what = what.to_owned();
        self.push(
            at,
            EventKind::Wire {
                protocol: Protocol::Smtp,
                connection: 1,
                what,
            },
        )
    }

    pub(crate) fn push(mut self, at: u64, kind: EventKind) -> Self {
        self.0.push(Event { at: ms(at), kind });
        self
    }

    pub(crate) fn timeline(self) -> Timeline {
        Timeline { events: self.0 }
    }
}

/// A case without findings.
pub(crate) fn case(id: &str, verdict: Verdict, millis: u64) -> CaseReport {
    CaseReport {
        id: id.to_owned(),
        title: "The title of the scenario".to_owned(),
        verdict,
        class: Class::Must,
        clauses: vec!["smtp.send".to_owned()],
        faults: Vec::new(),
        duration: ms(millis),
        reason: None,
        findings: Vec::new(),
        observed: Observed::default(),
        steps: Vec::new(),
        timeline: Timeline::default(),
    }
}

/// A failed case with one finding.
pub(crate) fn failed(id: &str, finding: Finding, tape: Tape) -> CaseReport {
    let timeline = tape.timeline();
    let duration = timeline
        .events
        .last()
        .map_or(Duration::ZERO, |event| event.at);
    CaseReport {
        findings: vec![finding],
        timeline,
        duration,
        ..case(id, Verdict::Fail, 0)
    }
}

pub(crate) fn place(line: usize) -> Option<Place> {
    Some(Place {
        file: "smtp/auth-error.att".to_owned(),
        line,
    })
}

/// The dialogue of the design page's example.
pub(crate) fn auth_error_steps() -> Vec<QuotedStep> {
    [
        (
            31,
            "configure",
            "> AT+SMTPAUTH=1,\"alice\",\"not-the-password\"",
        ),
        (32, "configure", "< OK"),
        (35, "send", "> AT+SMTPSEND"),
        (36, "send", "?       +SMTP: OK"),
        (37, "send", "|[5s]   OK"),
        (38, "send", "|[30s]  +SMTP: AUTH ERROR"),
        (39, "send", "![3s]   +SMTP: SUCCESS"),
        (42, "what the server saw", "= smtp.sessions.size() == 1"),
        (43, "what the server saw", "= smtp.delivered.size() == 0"),
        (
            44,
            "what the server saw",
            "= !smtp.sessions[0].saw(\"MAIL FROM\")",
        ),
    ]
    .into_iter()
    .map(|(line, section, text)| QuotedStep {
        place: Place {
            file: "smtp/auth-error.att".to_owned(),
            line,
        },
        text: text.to_owned(),
        section: section.to_owned(),
    })
    .collect()
}

/// Both sides of a submission whose credentials are refused, up to the server's reply.
pub(crate) fn refused() -> Tape {
    Tape::default()
        .sent(0, "AT+SMTPAUTH=1,\"alice\",\"not-the-password\"")
        .line(2, "OK")
        .sent(10, "AT+SMTPSEND")
        .connected(14)
        .server(14, "220 mail.test ESMTP")
        .line(15, "+SMTP: OK")
        .line(15, "OK")
        .client(16, "EHLO sim5360")
        .server(16, "250-mail.test\r\n250 AUTH LOGIN PLAIN")
        .client(17, "AUTH PLAIN AGFsaWNlAG5vdC10aGUtcGFzc3dvcmQ=")
        .server(17, "535 5.7.8 credentials rejected")
}

/// A known bug.
pub(crate) fn has(capability: &str) -> Probe {
    Probe {
        capability: capability.to_owned(),
        missing: None,
    }
}

pub(crate) fn lacking(capability: &str) -> Probe {
    Probe {
        missing: Some("got `ERROR` instead of `OK`".to_owned()),
        ..has(capability)
    }
}

pub(crate) fn likeness() -> Likeness {
    Likeness {
        name: "s-refusal-is-success".to_owned(),
        about: "Whatever the final dot is answered with, SUCCESS is reported".to_owned(),
        likeness: 0.87,
    }
}

pub(crate) fn run(cases: Vec<CaseReport>) -> RunReport {
    RunReport {
        tool: "urcheck 0.1.0".to_owned(),
        dut: "/dev/ttyUSB2@115200".to_owned(),
        profile: "sim5360".to_owned(),
        cases,
        not_run: Vec::new(),
        ended_early: None,
        probes: Vec::new(),
        likenesses: Vec::new(),
        duration: ms(840),
    }
}
