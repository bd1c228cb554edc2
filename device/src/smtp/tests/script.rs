//! An honest dialogue, to be spoiled at one place.

use crate::net::testing::{Step, hear, say};

/// A whole honest dialogue with one recipient, as (what the client says, what the server answers).
pub(super) const HONEST: [(&str, &str); 7] = [
    ("", "220 server ready\r\n"),
    (
        "EHLO",
        "250-server\r\n250-AUTH LOGIN\r\n250 SIZE 1000000\r\n",
    ),
    ("MAIL FROM:<ada@server.com> SIZE=", "250 OK\r\n"),
    ("RCPT TO:<bob@server.com>\r\n", "250 OK\r\n"),
    ("DATA\r\n", "354 go on\r\n"),
    (".\r\n", "250 queued\r\n"),
    ("QUIT\r\n", "221 bye\r\n"),
];

pub(super) const GREETING: usize = 0;
pub(super) const EHLO: usize = 1;
pub(super) const MAIL: usize = 2;
pub(super) const RCPT: usize = 3;
pub(super) const DATA: usize = 4;
pub(super) const DOT: usize = 5;
pub(super) const QUIT: usize = 6;

pub(super) fn listen(start: &str) -> Vec<Step> {
    match start {
        "" => vec![],
        ".\r\n" => vec![Step::HearData],
        start => vec![hear(start)],
    }
}

/// The honest dialogue up to the answer number `place`, which is `steps`.
pub(super) fn until(place: usize, steps: Vec<Step>) -> Vec<Step> {
    let honest = HONEST.iter().take(place).flat_map(|(heard, said)| {
        let mut step = listen(heard);
        step.push(say(said));
        step
    });
    honest.chain(listen(HONEST[place].0)).chain(steps).collect()
}

/// The honest dialogue with `steps` for the answer number `place`.
pub(super) fn with(place: usize, steps: Vec<Step>) -> Vec<Step> {
    let mut script = until(place, steps);
    for (heard, said) in HONEST.iter().skip(place + 1) {
        script.extend(listen(heard));
        script.push(say(said));
    }
    script.push(Step::Close);
    script
}
