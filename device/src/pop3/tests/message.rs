//! Transfer of messages.

use super::*;
use rstest::rstest;
use std::io;

async fn retrieve(script: Vec<Step>) -> (Run<(Result<u64, Failure>, bool)>, String) {
    let mut message = Vec::new();
    let sink = &mut message;
    let run = after_login(
        [vec![hear("RETR 1\r\n")], script].concat(),
        async |session| session.retrieve(1, sink).await,
    )
    .await;
    (run, String::from_utf8(message).unwrap())
}

#[rstest]
#[case::plain("+OK 80 octets\r\n", MESSAGE, MESSAGE)]
#[case::p44_stuffed("+OK\r\n", "..\r\n..x\r\na..\r\n", ".\r\n.x\r\na..\r\n")]
#[case::p45_wrong_size("+OK 4294967296 octets\r\n", "a\r\n", "a\r\n")]
#[case::p47_empty("+OK\r\n", "", "")]
#[case::p46_line_feeds("+OK\r\n", "a\n.\nb\r\n", "a\n.\nb\r\n")]
#[case::c08_long_line("+OK\r\n", &("x".repeat(64 * 1024) + "\r\n"), &("x".repeat(64 * 1024) + "\r\n"))]
#[tokio::test(start_paused = true)]
async fn messages(#[case] status: &str, #[case] text: &str, #[case] due: &str) {
    let (run, message) = retrieve(vec![say(format!("{status}{text}.\r\n"))]).await;
    assert_eq!(run.result, (Ok(due.len() as u64), true));
    assert_eq!(message, due);
}

#[rstest]
#[case::p40_refused(vec![say("-ERR no such message\r\n")], Failure::ServerError, true, 0)]
#[case::p40_silence(vec![], Failure::ServerError, false, 30)]
#[case::p41_closed_in_header(vec![say("+OK\r\nFrom: a"), Step::Close], Failure::Failure, false, 0)]
#[case::p41_closed_before_dot(vec![say("+OK\r\na\r\n"), Step::Close], Failure::Failure, false, 0)]
#[case::p41_closed_in_dot(vec![say("+OK\r\na\r\n.\r"), Step::Close], Failure::Failure, false, 0)]
#[case::p42_no_end(vec![say("+OK\r\na\r\n")], Failure::Failure, false, 30)]
#[case::p42_stall_after_progress(vec![say("+OK\r\na\r\n"), Step::Wait(29), say("b\r\n")], Failure::Failure, false, 59)]
#[tokio::test(start_paused = true)]
async fn broken_messages(
    #[case] script: Vec<Step>,
    #[case] failure: Failure,
    #[case] stays_open: bool,
    #[case] seconds: u64,
) {
    let (run, _) = retrieve(script).await;
    assert_eq!(run.result, (Err(failure), stays_open));
    assert_eq!(run.lasted, Duration::from_secs(seconds));
}

#[tokio::test(start_paused = true)]
async fn t19_a_slow_message_that_keeps_moving() {
    let mut script = vec![say("+OK\r\n")];
    for _ in 0..10 {
        script.extend([say("x\r\n"), Step::Wait(20)]);
    }
    script.push(say(".\r\n"));
    let (run, message) = retrieve(script).await;
    assert_eq!(run.result, (Ok(30), true));
    assert_eq!(message, "x\r\n".repeat(10));
}

#[tokio::test(start_paused = true)]
async fn p48_a_full_file_system_closes_the_session() {
    let script = vec![
        hear("RETR 1\r\n"),
        say(format!("+OK\r\n{}", "x".repeat(1_000))),
    ];
    let run = after_login(script, async |session| {
        let mut space = [0_u8; 100];
        let mut sink = io::Cursor::new(space.as_mut_slice());
        session.retrieve(1, &mut sink).await
    })
    .await;
    assert_eq!(run.result, (Err(Failure::FileSystemError), false));
    assert_eq!(run.lasted, Duration::ZERO);
}
