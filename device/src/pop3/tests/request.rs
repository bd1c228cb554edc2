//! Requests whose answer is short, and headers.

use super::*;
use rstest::rstest;

#[rstest]
#[case::plain("+OK 2 2134", Ok((2, 2134)))]
#[case::p21_trailing_text("+OK 2 2134 octets", Ok((2, 2134)))]
#[case::p20_refused("-ERR no", Err(Failure::ServerError))]
#[case::p21_bare("+OK", Err(Failure::ServerError))]
#[case::p21_one("+OK 2", Err(Failure::ServerError))]
#[case::p21_letters("+OK x y", Err(Failure::ServerError))]
#[case::p21_negative("+OK -1 5", Err(Failure::ServerError))]
#[case::p22_count("+OK 4294967296 5", Err(Failure::ServerError))]
#[case::p22_size("+OK 1 9223372036854775808", Ok((1, 1 << 63)))]
#[case::p60_lower_case("+ok 2 2134", Err(Failure::ServerError))]
#[case::p60_glued("+OK2 2134", Err(Failure::ServerError))]
#[case::p60_empty("", Err(Failure::ServerError))]
#[tokio::test(start_paused = true)]
async fn stat(#[case] answer: &str, #[case] due: Result<(u32, u64), Failure>) {
    let script = vec![hear("STAT\r\n"), say(format!("{answer}\r\n"))];
    let run = after_login(script, async |session| session.stat().await).await;
    let (result, open) = run.result;
    assert_eq!(result.map(|listing| (listing.count, listing.size)), due);
    assert!(open, "a wrong answer does not close the session");
}

#[rstest]
#[case::plain(2, "+OK 2 1084", Ok(1084))]
#[case::p30_unknown(3, "-ERR no such message", Err(Failure::ServerError))]
#[case::p30_zero(0, "-ERR no such message", Err(Failure::ServerError))]
#[case::p31_other(1, "+OK 2 1084", Err(Failure::ServerError))]
#[case::p31_no_size(1, "+OK 1", Err(Failure::ServerError))]
#[tokio::test(start_paused = true)]
async fn list(#[case] number: u32, #[case] answer: &str, #[case] due: Result<u64, Failure>) {
    let script = vec![
        hear(&format!("LIST {number}\r\n")),
        say(format!("{answer}\r\n")),
    ];
    let run = after_login(script, async |session| session.list(number).await).await;
    assert_eq!(
        (run.result.0.map(|listing| listing.size), run.result.1),
        (due, true)
    );
}

#[rstest]
#[case::two("1 1050\r\n2 1084\r\n.\r\n", Ok(2), true)]
#[case::none(".\r\n", Ok(0), true)]
#[case::p32_many(&("1 2\r\n".repeat(10_000) + ".\r\n"), Ok(10_000), true)]
#[case::p32_trailing_text("1 1050 x\r\n.\r\n", Ok(1), true)]
#[case::p32_blank_line("1 1050\r\n\r\n.\r\n", Err(Failure::ServerError), true)]
#[case::p61_long_line(&("1".repeat(1 << 20) + "\r\n.\r\n"), Err(Failure::ServerError), true)]
#[case::p32_no_end("1 1050\r\n", Err(Failure::ServerError), false)]
#[case::p32_endless(&"1 2\r\n".repeat(100_001), Err(Failure::ServerError), false)]
#[tokio::test(start_paused = true)]
async fn list_all(
    #[case] text: &str,
    #[case] due: Result<usize, Failure>,
    #[case] stays_open: bool,
) {
    let script = vec![hear("LIST\r\n"), say("+OK\r\n"), say(text)];
    let run = after_login(script, async |session| session.list_all().await).await;
    assert_eq!(
        (run.result.0.map(|listings| listings.len()), run.result.1),
        (due, stays_open)
    );
}

fn subject(result: Result<HeaderFields, Failure>) -> Result<Option<String>, Failure> {
    result.map(|fields| {
        fields
            .subject
            .map(|subject| String::from_utf8(subject).unwrap())
    })
}

#[rstest]
#[case::header("From: a@b\r\nSubject: First\r\n\r\n.\r\n", Some("First"))]
#[case::p34_whole_body(&format!("{MESSAGE}Subject: no\r\n.\r\n"), Some("First"))]
#[case::p34_no_blank_line("Subject: First\r\n.\r\n", Some("First"))]
#[case::p34_missing("\r\n.\r\n", None)]
#[case::p34_folded("Subject: a\r\n b\r\n\r\n.\r\n", Some("a b"))]
#[case::c09_megabyte(&format!("Subject: a\r\nX: {}\r\n\r\n.\r\n", "x".repeat(1 << 20)), Some("a"))]
#[case::stuffed("X: y\r\n..\r\nSubject: a\r\n\r\n.\r\n", Some("a"))]
#[tokio::test(start_paused = true)]
async fn header(#[case] text: &str, #[case] due: Option<&str>) {
    let script = vec![hear("TOP 1 0\r\n"), say("+OK\r\n"), say(text)];
    let run = after_login(script, async |session| session.header(1).await).await;
    assert_eq!(subject(run.result.0), Ok(due.map(str::to_owned)));
    assert!(run.result.1);
}

#[tokio::test(start_paused = true)]
async fn p33_header_without_top() {
    let script = vec![
        hear("TOP 1 0\r\n"),
        say("-ERR what\r\n"),
        hear("LIST 1\r\n"),
        say("+OK 1 80\r\n"),
        hear("RETR 1\r\n"),
        say(format!("+OK\r\n{MESSAGE}.\r\n")),
    ];
    let run = after_login(script, async |session| session.header(1).await).await;
    assert_eq!(subject(run.result.0), Ok(Some("First".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn the_header_of_a_message_that_is_not_there_is_not_retrieved() {
    let script = vec![
        hear("TOP 9 0\r\n"),
        say("-ERR no\r\n"),
        hear("LIST 9\r\n"),
        say("-ERR no\r\n"),
    ];
    let run = after_login(script, async |session| session.header(9).await).await;
    assert_eq!(run.result, (Err(Failure::ServerError), true));
    assert_eq!(run.heard.len(), 4, "{:?}", run.heard);
}

#[rstest]
#[case::fine("+OK marked\r\n", Ok(()))]
#[case::p50_refused("-ERR no\r\n", Err(Failure::ServerError))]
#[tokio::test(start_paused = true)]
async fn delete(#[case] answer: &str, #[case] due: Result<(), Failure>) {
    let script = vec![hear("DELE 1\r\n"), say(answer)];
    let run = after_login(script, async |session| session.delete(1).await).await;
    assert_eq!(run.result, (due, true));
}

/// `QUIT`: what the server does, what comes of it and how long it takes.
#[rstest]
#[case::fine(vec![say("+OK bye\r\n")], Ok(()), 0)]
#[case::t18_link_kept(vec![say("+OK bye\r\n"), Step::Wait(100)], Ok(()), 0)]
#[case::p52_refused(vec![say("-ERR some deleted messages not removed\r\n")], Err(Failure::ServerError), 0)]
#[case::p53_closed(vec![Step::Close], Err(Failure::ServerError), 0)]
#[case::p53_silence(vec![], Err(Failure::ServerError), 30)]
#[tokio::test(start_paused = true)]
async fn quit(#[case] script: Vec<Step>, #[case] due: Result<(), Failure>, #[case] seconds: u64) {
    let script = [vec![hear("QUIT\r\n")], script].concat();
    let run = after_login(script, async |session| {
        let session = std::mem::replace(session, Session::closed());
        session.quit().await
    })
    .await;
    assert_eq!(run.result.0, due);
    assert_eq!(run.lasted, Duration::from_secs(seconds));
}
