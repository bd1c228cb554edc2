//! Connecting, greeting, login.

use super::*;
use crate::net::testing::{ResetAfter, Unreachable};
use rstest::rstest;
use std::io;

#[rstest]
#[case::refused(io::ErrorKind::ConnectionRefused)]
#[case::unresolvable(io::ErrorKind::NotFound)]
#[case::no_network(io::ErrorKind::NetworkDown)]
#[tokio::test(start_paused = true)]
async fn unreachable(#[case] kind: io::ErrorKind) {
    let failure = Session::login(&account(), &Unreachable(kind), TIMER)
        .await
        .unwrap_err();
    assert_eq!(failure.to_string(), "NETWORK ERROR");
}

/// Greetings, with nothing after them.
#[rstest]
#[case::p01_refused("-ERR not now\r\n", false)]
#[case::p01_system("-ERR [SYS/TEMP] later\r\n", false)]
#[case::p60_lower_case("+ok ready\r\n", false)]
#[case::t20_smtp("220 ready\r\n", false)]
#[case::t20_imap("* OK ready\r\n", false)]
#[case::t08_half("+OK rea", true)]
#[case::p02_silence("", true)]
#[tokio::test(start_paused = true)]
async fn greetings(#[case] greeting: &str, #[case] silent: bool) {
    let run = login(vec![say(greeting)]).await;
    assert_eq!(run.result.unwrap_err(), Failure::ServerError);
    assert_eq!(run.heard, [""; 0]);
    assert_eq!(run.lasted, if silent { TIMER } else { Duration::ZERO });
}

#[tokio::test(start_paused = true)]
async fn t05_closed_before_the_greeting() {
    assert_eq!(
        login(vec![Step::Close]).await.result.unwrap_err(),
        Failure::ServerError
    );
}

#[tokio::test(start_paused = true)]
async fn t21_a_greeting_without_end() {
    let run = login(vec![say(vec![b'x'; 3 << 20])]).await;
    assert_eq!(run.result.unwrap_err(), Failure::ServerError);
}

const DIGEST: &str = "APOP mrose ";

/// Logins: (what is heard, what is said), from the greeting on.
#[rstest]
#[case::plain(&[("", "+OK"), ("USER mrose\r\n", "+OK"), ("PASS tan staaf\r\n", "+OK")], "SUCCESS")]
#[case::apop(&[("", "+OK <1896.697170952@dbc.mtview.ca.us>"), (DIGEST, "+OK")], "SUCCESS")]
#[case::p15_apop_refused(&[("", "+OK <1@b>"), (DIGEST, "-ERR"), ("USER", "+OK"), ("PASS", "+OK")], "SUCCESS")]
#[case::apop_then_wrong(&[("", "+OK <1@b>"), (DIGEST, "-ERR"), ("USER", "+OK"), ("PASS", "-ERR"), ("QUIT", "+OK")], "INVALID UN/PWD")]
#[case::apop_in_use(&[("", "+OK <1@b>"), (DIGEST, "-ERR [IN-USE] locked"), ("QUIT", "+OK")], "SERVER ERROR")]
#[case::p10_user(&[("", "+OK"), ("USER", "-ERR no such user"), ("QUIT", "+OK")], "INVALID UN")]
#[case::p11_pass(&[("", "+OK"), ("USER", "+OK"), ("PASS", "-ERR wrong"), ("QUIT", "+OK")], "INVALID UN/PWD")]
#[case::p11_pass_auth(&[("", "+OK"), ("USER", "+OK"), ("PASS", "-ERR [AUTH] wrong"), ("QUIT", "+OK")], "INVALID UN/PWD")]
#[case::p12_in_use(&[("", "+OK"), ("USER", "+OK"), ("PASS", "-ERR [IN-USE] locked"), ("QUIT", "+OK")], "SERVER ERROR")]
#[case::p13_system(&[("", "+OK"), ("USER", "-ERR [SYS/TEMP] later"), ("QUIT", "+OK")], "SERVER ERROR")]
#[case::p13_delay(&[("", "+OK"), ("USER", "+OK"), ("PASS", "-ERR [LOGIN-DELAY] later"), ("QUIT", "+OK")], "SERVER ERROR")]
#[case::p60_user(&[("", "+OK"), ("USER", "OK"), ("QUIT", "+OK")], "SERVER ERROR")]
#[tokio::test(start_paused = true)]
async fn logins(#[case] dialogue: &[(&str, &str)], #[case] urc: &str) {
    let script = dialogue.iter().flat_map(|(heard, said)| {
        let listen = (!heard.is_empty()).then(|| hear(heard));
        listen.into_iter().chain([say(format!("{said}\r\n"))])
    });
    let run = login(script.collect()).await;
    let result = run
        .result
        .map_or_else(|failure| failure.to_string(), |_| "SUCCESS".to_owned());
    assert_eq!(result, urc);
    assert_eq!(run.heard.len(), dialogue.len() - 1, "{:?}", run.heard);
    assert_eq!(run.lasted, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn apop_digest_as_in_rfc_1939() {
    let (near, far) = tokio::io::duplex(1024);
    let dialer = OneStream::new(near);
    let account = Account {
        password: "tanstaaf".to_owned(),
        ..account()
    };
    let script = vec![
        say("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n"),
        hear("APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"),
        say("+OK\r\n"),
        Step::Close,
    ];
    let (session, _) = tokio::join!(Session::login(&account, &dialer, TIMER), play(far, script));
    assert!(session.unwrap().is_open());
}

#[rstest]
#[case::p14_refused_and_closed(&["-ERR wrong\r\n"], true, "INVALID UN/PWD", 0)]
#[case::p14_silence(&[], false, "SERVER ERROR", 30)]
#[case::t04_late(&["+OK\r\n"], true, "SUCCESS", 25)]
#[tokio::test(start_paused = true)]
async fn answers_to_pass(
    #[case] answer: &[&str],
    #[case] close: bool,
    #[case] urc: &str,
    #[case] seconds: u64,
) {
    let mut script = vec![say("+OK\r\n"), hear("USER"), say("+OK\r\n"), hear("PASS")];
    if seconds == 25 {
        script.push(Step::Wait(25));
    }
    script.extend(answer.iter().map(say));
    if close {
        script.push(Step::Close);
    }
    let run = login(script).await;
    let result = run
        .result
        .map_or_else(|failure| failure.to_string(), |_| "SUCCESS".to_owned());
    assert_eq!(
        (result.as_str(), run.lasted),
        (urc, Duration::from_secs(seconds))
    );
}

#[tokio::test(start_paused = true)]
async fn p14_apop_refused_and_closed() {
    let run = login(vec![
        say("+OK <1@b>\r\n"),
        hear("APOP"),
        say("-ERR wrong\r\n"),
        Step::Close,
    ])
    .await;
    assert_eq!(run.result.unwrap_err(), Failure::InvalidUserOrPassword);
}

#[rstest]
#[case::line_end("a\r\nDELE 1", "x", Failure::InvalidUser)]
#[case::password("a", "x\r\nDELE 1", Failure::InvalidUserOrPassword)]
#[tokio::test(start_paused = true)]
async fn no_command_hides_in_the_account(
    #[case] user: &str,
    #[case] password: &str,
    #[case] failure: Failure,
) {
    let (near, far) = tokio::io::duplex(1024);
    let dialer = OneStream::new(near);
    let account = Account {
        user: user.to_owned(),
        password: password.to_owned(),
        ..account()
    };
    let (session, heard) = tokio::join!(
        Session::login(&account, &dialer, TIMER),
        play(far, vec![say("+OK\r\n")])
    );
    assert_eq!(session.unwrap_err(), failure);
    assert_eq!(heard, ["QUIT\r\n"]);
}

#[rstest]
#[case::t06_before_the_greeting("")]
#[case::t07_inside_the_greeting("+OK rea")]
#[case::t07_after_the_greeting("+OK ready\r\n")]
#[case::t07_inside_an_answer("+OK ready\r\n+O")]
#[tokio::test(start_paused = true)]
async fn resets(#[case] said: &'static str) {
    let dialer = OneStream::new(ResetAfter::new(said));
    let failure = Session::login(&account(), &dialer, TIMER)
        .await
        .unwrap_err();
    assert_eq!(failure, Failure::ServerError);
}
