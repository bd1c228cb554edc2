//! The client against a scripted server.

mod dialogue;
mod lockstep;
mod message;
mod parties;
mod script;

use super::*;
use crate::net::testing::{OneStream, Step, play};
use std::time::Duration;
use tokio::time::Instant;

const TIMER: Duration = Duration::from_secs(30);

/// Ada to Bob, Carol and (hidden) Dave.
fn job() -> Job {
    Job {
        server: "smtp.server.com".to_owned(),
        port: 25,
        auth: None,
        from: Address::new("ada@server.com", "Ada"),
        to: vec![Address::new("bob@server.com", "Bob")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "First Email".to_owned(),
        body: "This is the first Email!".to_owned(),
        attachments: Vec::new(),
        date: jiff::civil::date(2010, 3, 9)
            .at(17, 11, 30, 0)
            .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
            .unwrap(),
        serial: 1,
    }
}

fn with_auth() -> Job {
    let credentials = Credentials {
        user: "alice".to_owned(),
        password: "secret".to_owned(),
    };
    Job {
        auth: Some(credentials),
        ..job()
    }
}

/// What came of a job.
struct Run {
    outcome: Outcome,
    connected: usize,
    heard: Vec<String>,
    lasted: Duration,
}

impl Run {
    fn heard(&self, start: &str) -> bool {
        self.heard.iter().any(|line| line.starts_with(start))
    }

    /// The commands, without the message.
    fn verbs(&self) -> Vec<&str> {
        let mut verbs = Vec::new();
        let mut in_data = false;
        for line in &self.heard {
            if !in_data {
                verbs.push(line.split([' ', '\r']).next().unwrap());
            }
            in_data = line == "DATA\r\n" || (in_data && line != ".\r\n");
        }
        verbs
    }
}

async fn run(job: Job, script: Vec<Step>) -> Run {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let dialer = OneStream::new(near);
    let start = Instant::now();
    let mut connected = 0;
    let mut count = |Progress::Connected| connected += 1;
    let client = async {
        let outcome = send(job, &dialer, TIMER, &mut count).await;
        (outcome, start.elapsed())
    };
    let ((outcome, lasted), heard) = tokio::join!(client, play(far, script));
    Run {
        outcome,
        connected,
        heard,
        lasted,
    }
}
