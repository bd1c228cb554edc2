//! Answers out of turn, sessions that the server closed, and segments.

use super::*;

#[tokio::test(start_paused = true)]
async fn p64_answers_ahead_of_commands_never_shift() {
    let script = vec![
        hear("STAT"),
        say("+OK 2 2134\r\n+OK 9 9\r\n"),
        hear("LIST 2"),
        say("+OK 2 1084\r\n"),
    ];
    let run = after_login(script, async |session| {
        (
            session.stat().await,
            session.list(1).await,
            session.list(2).await,
        )
    })
    .await;
    let ((stat, first, second), open) = run.result;
    assert_eq!(
        stat,
        Ok(DropListing {
            count: 2,
            size: 2134
        })
    );
    assert_eq!(first, Err(Failure::ServerError));
    assert_eq!(
        second,
        Ok(ScanListing {
            number: 2,
            size: 1084
        })
    );
    assert!(open);
}

#[tokio::test(start_paused = true)]
async fn p43_the_rest_of_an_unstuffed_message_is_no_answer() {
    let script = vec![
        hear("RETR 1"),
        say("+OK\r\na\r\n.\r\n+OK 7 7\r\n.\r\n"),
        hear("QUIT"),
        say("+OK\r\n"),
    ];
    let run = after_login(script, async |session| {
        let mut message = Vec::new();
        let got = session.retrieve(1, &mut message).await;
        let stat = session.stat().await;
        let quit = std::mem::replace(session, Session::closed()).quit().await;
        (got, message, stat, quit)
    })
    .await;
    assert_eq!(
        run.result.0,
        (Ok(3), b"a\r\n".to_vec(), Err(Failure::ServerError), Ok(()))
    );
}

#[tokio::test(start_paused = true)]
async fn p54_a_session_that_the_server_closed() {
    let script = vec![hear("STAT"), say("+OK 0 0\r\n"), Step::Close];
    let run = after_login(script, async |session| {
        (
            session.stat().await.is_ok(),
            session.stat().await,
            session.stat().await,
        )
    })
    .await;
    assert_eq!(
        run.result,
        (
            (true, Err(Failure::ServerError), Err(Failure::ServerError)),
            false
        )
    );
}

#[tokio::test(start_paused = true)]
async fn t13_every_division_of_a_whole_session() {
    let answers = [
        ("", "+OK ready\r\n"),
        ("USER", "+OK\r\n"),
        ("PASS", "+OK\r\n"),
        ("STAT", "+OK 1 10\r\n"),
        ("LIST", "+OK\r\n1 10\r\n.\r\n"),
        ("TOP", "+OK\r\nSubject: a\r\n\r\n.\r\n"),
        ("RETR", "+OK\r\nSubject: a\r\n\r\n..b\r\n.\r\n"),
        ("DELE", "+OK\r\n"),
        ("QUIT", "+OK\r\n"),
    ];
    for place in 0..answers.len() {
        for cut in 1..answers[place].1.len() {
            let mut script = Vec::new();
            for (index, (heard, said)) in answers.iter().enumerate() {
                if !heard.is_empty() {
                    script.push(hear(heard));
                }
                let bytes = said.as_bytes().to_vec();
                script.push(if index == place {
                    Step::Split(bytes, vec![cut])
                } else {
                    Step::Say(bytes)
                });
            }
            let (near, far) = tokio::io::duplex(1024);
            let dialer = OneStream::new(near);
            let client = async {
                let mut session = Session::login(&account(), &dialer, TIMER).await?;
                let mut message = Vec::new();
                let seen = (
                    session.stat().await?.size,
                    session.list_all().await?.len(),
                    session.header(1).await?.subject,
                    session.retrieve(1, &mut message).await?,
                    session.delete(1).await?,
                    session.quit().await?,
                );
                assert_eq!(message, b"Subject: a\r\n\r\n.b\r\n");
                Ok::<_, Failure>(seen)
            };
            let (seen, _) = tokio::join!(client, play(far, script));
            assert_eq!(
                seen,
                Ok((10, 1, Some(b"a".to_vec()), 18, (), ())),
                "{place} cut at {cut}"
            );
        }
    }
}
