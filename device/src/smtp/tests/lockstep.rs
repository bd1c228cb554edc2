//! Answers out of turn, transfers that break off, and segments.

use super::script::*;
use super::*;
use crate::net::testing::{hear, say};
use rstest::rstest;
use std::io;

#[tokio::test(start_paused = true)]
async fn s84_a_double_answer_at_any_place_is_never_a_false_success() {
    for (place, (_, answer)) in HONEST.iter().enumerate().take(DOT) {
        let mut steps = vec![say(format!("{answer}{answer}"))];
        if place != DATA {
            steps.extend([hear("QUIT"), say("221 bye\r\n")]);
        }
        let run = run(job(), until(place, steps)).await;
        assert_eq!(run.outcome, Outcome::ServerError, "answer {place}");
    }
}

#[tokio::test(start_paused = true)]
async fn s84_an_answer_to_the_dot_before_the_dot_is_none() {
    let run = run(job(), until(DATA, vec![say("354 go on\r\n250 queued\r\n")])).await;
    assert_eq!(run.outcome, Outcome::ServerError);
    assert!(!run.heard.contains(&".\r\n".to_owned()));
}

fn with_big_file() -> Job {
    Job {
        attachments: vec![Attachment::from_bytes("big.bin", vec![0xA5; 1 << 20])],
        ..job()
    }
}

#[rstest]
#[case::t09_closed(vec![say("354 go\r\n"), hear("Date:"), Step::Close])]
#[case::s41_early_refusal(vec![say("354 go\r\n"), hear("Date:"), say("552 too big\r\n"), Step::Wait(1)])]
#[tokio::test(start_paused = true)]
async fn a_message_broken_off_is_not_ended_with_a_dot(#[case] steps: Vec<Step>) {
    let run = run(with_big_file(), until(DATA, steps)).await;
    assert_eq!(run.outcome, Outcome::ServerError);
    assert!(!run.heard.contains(&".\r\n".to_owned()));
    assert!(!run.heard("QUIT"));
}

#[tokio::test(start_paused = true)]
async fn t10_a_server_that_stops_reading_ends_in_one_timer() {
    let run = run(
        with_big_file(),
        until(DATA, vec![say("354 go\r\n"), Step::Wait(60), Step::Close]),
    )
    .await;
    assert_eq!(run.outcome, Outcome::ServerError);
    assert_eq!(run.lasted, TIMER);
}

#[tokio::test(start_paused = true)]
async fn an_attachment_that_ends_early_is_not_sent_as_if_whole() {
    let file = Attachment::from_reader("a.bin", 1_000, io::Cursor::new(vec![1; 999]));
    let job = Job {
        attachments: vec![file],
        ..job()
    };
    let run = run(job, until(DATA, vec![say("354 go\r\n")])).await;
    assert_eq!(run.outcome, Outcome::ServerError);
    assert!(!run.heard.contains(&".\r\n".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn t24_dropping_the_future_closes_without_a_word() {
    let (near, far) = tokio::io::duplex(1024);
    let dialer = OneStream::new(near);
    let server = play(far, until(MAIL, vec![]));
    let client = async {
        let mut ignore = |_| {};
        let sending = send(job(), &dialer, TIMER, &mut ignore);
        assert!(
            tokio::time::timeout(Duration::from_secs(5), sending)
                .await
                .is_err()
        );
    };
    let (heard, ()) = tokio::join!(server, client);
    assert!(heard.last().unwrap().starts_with("MAIL"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn t13_every_division_into_two_segments() {
    for (place, (_, answer)) in HONEST.iter().enumerate() {
        for cut in 1..answer.len() {
            let split = Step::Split(answer.as_bytes().to_vec(), vec![cut]);
            let run = run(job(), with(place, vec![split])).await;
            assert_eq!(run.outcome, Outcome::Success, "answer {place} cut at {cut}");
        }
    }
}
