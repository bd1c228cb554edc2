//! The client against a scripted server: one row for each fault that concerns it.

mod lockstep;
mod login;
mod message;
mod request;

use super::*;
use crate::net::testing::{OneStream, Step, hear, play, say};
use std::time::Duration;
use tokio::time::Instant;

const TIMER: Duration = Duration::from_secs(30);
const MESSAGE: &str =
    "From: a@b\r\nDate: Tue, 9 Mar 2010 17:11:30 +0800\r\nSubject: First\r\n\r\nText\r\n";

fn account() -> Account {
    Account {
        server: "pop3.server.com".to_owned(),
        port: 110,
        user: "mrose".to_owned(),
        password: "tan staaf".to_owned(),
    }
}

/// What came of requests to a scripted server.
struct Run<T> {
    result: T,
    heard: Vec<String>,
    lasted: Duration,
}

async fn login(script: Vec<Step>) -> Run<Result<(), Failure>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let dialer = OneStream::new(near);
    let start = Instant::now();
    let client = async {
        let result = Session::login(&account(), &dialer, TIMER)
            .await
            .map(|session| assert!(session.is_open()));
        (result, start.elapsed())
    };
    let ((result, lasted), heard) = tokio::join!(client, play(far, script));
    Run {
        result,
        heard,
        lasted,
    }
}

/// Logs in honestly, then makes `requests` while the server plays `script`.
async fn after_login<T>(
    script: Vec<Step>,
    requests: impl AsyncFnOnce(&mut Session) -> T,
) -> Run<(T, bool)> {
    let mut whole = vec![
        say("+OK ready\r\n"),
        hear("USER mrose\r\n"),
        say("+OK\r\n"),
        hear("PASS tan staaf\r\n"),
        say("+OK\r\n"),
    ];
    whole.extend(script);
    let (near, far) = tokio::io::duplex(64 * 1024);
    let dialer = OneStream::new(near);
    let client = async {
        let mut session = Session::login(&account(), &dialer, TIMER).await.unwrap();
        let start = Instant::now();
        let result = requests(&mut session).await;
        let open = session.is_open();
        ((result, open), start.elapsed())
    };
    let ((result, lasted), heard) = tokio::join!(client, play(far, whole));
    Run {
        result,
        heard,
        lasted,
    }
}
