//! One row for each fault of the server that concerns the dialogue.

use super::script::*;
use super::*;
use crate::net::testing::{ResetAfter, Unreachable, hear, say};
use rstest::rstest;
use std::io;

#[tokio::test(start_paused = true)]
async fn an_honest_server_takes_the_mail_over() {
    let run = run(job(), with(GREETING, vec![say("220 hi\r\n")])).await;
    assert_eq!(run.outcome, Outcome::Success);
    assert_eq!(run.connected, 1);
    assert_eq!(run.lasted, Duration::ZERO);
    assert_eq!(run.verbs(), ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
}

#[rstest]
#[case::refused(io::ErrorKind::ConnectionRefused, "NETWORK ERROR")]
#[case::reset(io::ErrorKind::ConnectionReset, "NETWORK ERROR")]
#[case::no_route(io::ErrorKind::HostUnreachable, "NETWORK ERROR")]
#[case::unresolvable(io::ErrorKind::NotFound, "NETWORK ERROR")]
#[case::no_network(io::ErrorKind::NetworkDown, "NETWORK ERROR")]
#[tokio::test(start_paused = true)]
async fn unreachable(#[case] kind: io::ErrorKind, #[case] urc: &str) {
    let outcome = send(job(), &Unreachable(kind), TIMER, &mut |_| {
        panic!("not connected")
    })
    .await;
    assert_eq!(outcome.to_string(), urc);
}

/// Answers that do not hinder the mail.
#[rstest]
#[case::t04_late_greeting(GREETING, vec![Step::Wait(25), say("220 hi\r\n")])]
#[case::t04_late_data(DATA, vec![Step::Wait(25), say("354 go\r\n")])]
#[case::t04_late_dot(DOT, vec![Step::Wait(25), say("250 OK\r\n")])]
#[case::t13_split_code(MAIL, vec![Step::Split(b"250 OK\r\n".to_vec(), vec![1, 2, 4, 7])])]
#[case::s03_lines(GREETING, vec![say("220-hello\r\n220-there\r\n220 now\r\n")])]
#[case::s03_bare(GREETING, vec![say("220\r\n")])]
#[case::s03_long(GREETING, vec![say(format!("220 {}\r\n", "x".repeat(100_000)))])]
#[case::s34_251(RCPT, vec![say("251 will forward\r\n")])]
#[case::s34_252(RCPT, vec![say("252 cannot verify\r\n")])]
#[case::s34_lines(RCPT, vec![say("250-a\r\n250 b\r\n")])]
#[case::s81_bare(MAIL, vec![say("250\r\n")])]
#[case::s82_long(MAIL, vec![say(format!("250 {}\r\n", "x".repeat(1 << 20)))])]
#[case::s83_bare_line_feed(MAIL, vec![say("250 OK\n")])]
#[case::s85_thousand_lines(MAIL, vec![say("250-x\r\n".repeat(1_000) + "250 x\r\n")])]
#[case::s86_strange_text(MAIL, vec![say(b"250 \0\x1b\xff\rOK ERROR +SMTP: SUCCESS\r\n")])]
#[case::s60_quit_421(QUIT, vec![say("421 leaving\r\n")])]
#[case::s60_quit_500(QUIT, vec![say("500 what\r\n")])]
#[case::s60_quit_lines(QUIT, vec![say("221-a\r\n221 b\r\n")])]
#[tokio::test(start_paused = true)]
async fn harmless(#[case] place: usize, #[case] steps: Vec<Step>) {
    let run = run(job(), with(place, steps)).await;
    assert_eq!(run.outcome, Outcome::Success);
    assert_eq!(run.connected, 1);
    assert!(run.heard("QUIT"), "{:?}", run.verbs());
}

#[rstest]
#[case::t17_closed_after_acceptance(until(DOT, vec![say("250 OK\r\n"), Step::Close]))]
#[case::s60_quit_closed(until(QUIT, vec![Step::Close]))]
#[tokio::test(start_paused = true)]
async fn an_accepted_mail_stays_accepted(#[case] script: Vec<Step>) {
    assert_eq!(run(job(), script).await.outcome, Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn a_quit_without_answer_costs_one_timer_and_nothing_else() {
    let run = run(job(), until(QUIT, vec![])).await;
    assert_eq!(run.outcome, Outcome::Success);
    assert_eq!(run.lasted, TIMER);
}

/// Answers that end the dialogue; whether a `QUIT` must follow.
#[rstest]
#[case::s01_greeting_554(GREETING, "554 no service\r\n", "SERVER ERROR", true)]
#[case::s02_greeting_421(GREETING, "421 busy\r\n", "SERVER ERROR", false)]
#[case::t20_http(GREETING, "HTTP/1.1 400 Bad Request\r\n", "SERVER ERROR", false)]
#[case::t20_pop3(GREETING, "+OK ready\r\n", "SERVER ERROR", false)]
#[case::s05_ehlo_421(EHLO, "421 busy\r\n", "SERVER ERROR", false)]
#[case::s05_ehlo_554(EHLO, "554 no\r\n", "SERVER ERROR", true)]
#[case::s16_ehlo_530(EHLO, "530 authenticate\r\n", "AUTH REQUIRED", true)]
#[case::s15_mail_530(MAIL, "530 5.7.0 authenticate\r\n", "AUTH REQUIRED", true)]
#[case::s17_mail_530_starttls(
    MAIL,
    "530 5.7.0 Must issue a STARTTLS command first\r\n",
    "AUTH REQUIRED",
    true
)]
#[case::s19_mail_503(MAIL, "503 authenticate\r\n", "SERVER ERROR", true)]
#[case::s20_mail_451(MAIL, "451 later\r\n", "SERVER ERROR", true)]
#[case::s20_mail_550(MAIL, "550 no\r\n", "SERVER ERROR", true)]
#[case::s21_mail_552(MAIL, "552 too big\r\n", "SERVER ERROR", true)]
#[case::s87_mail_354(MAIL, "354 go on\r\n", "SERVER ERROR", true)]
#[case::s87_mail_100(MAIL, "150 wait\r\n", "SERVER ERROR", true)]
#[case::s16_rcpt_530(RCPT, "530 authenticate\r\n", "AUTH REQUIRED", true)]
#[case::s18_rcpt_554(
    RCPT,
    "554 5.7.1 relay access denied\r\n",
    "BAD RCPT bob@server.com",
    true
)]
#[case::s30_rcpt_550(RCPT, "550 no such user\r\n", "BAD RCPT bob@server.com", true)]
#[case::s31_rcpt_452(RCPT, "452 full\r\n", "BAD RCPT bob@server.com", true)]
#[case::s85_rcpt_codes(RCPT, "250-a\r\n550 b\r\n", "BAD RCPT bob@server.com", true)]
#[case::s35_rcpt_421(RCPT, "421 leaving\r\n", "SERVER ERROR", false)]
#[case::s40_data_451(DATA, "451 later\r\n", "SERVER ERROR", true)]
#[case::s40_data_554(DATA, "554 no\r\n", "SERVER ERROR", true)]
#[case::s40_data_250(DATA, "250 OK\r\n", "SERVER ERROR", true)]
#[case::s16_data_530(DATA, "530 authenticate\r\n", "AUTH REQUIRED", true)]
#[case::s50_dot_451(DOT, "451 later\r\n", "SERVER ERROR", true)]
#[case::s50_dot_552(DOT, "552 too big\r\n", "SERVER ERROR", true)]
#[case::s50_dot_554(DOT, "554 no\r\n", "SERVER ERROR", true)]
#[case::s50_dot_550(DOT, "550 5.7.1 spam\r\n", "SERVER ERROR", true)]
#[case::s85_dot_codes(DOT, "550-a\r\n250 b\r\n", "SERVER ERROR", true)]
#[case::s87_dot_354(DOT, "354 more\r\n", "SERVER ERROR", true)]
#[case::s80_two_digits(DOT, "25 OK\r\n", "SERVER ERROR", true)]
#[case::s80_four_digits(DOT, "2500 OK\r\n", "SERVER ERROR", true)]
#[case::s80_letters(MAIL, "abc OK\r\n", "SERVER ERROR", true)]
#[case::s80_out_of_range(MAIL, "999 x\r\n", "SERVER ERROR", true)]
#[case::s81_no_blank(MAIL, "250OK\r\n", "SERVER ERROR", true)]
#[tokio::test(start_paused = true)]
async fn refused(
    #[case] place: usize,
    #[case] answer: &str,
    #[case] urc: &str,
    #[case] takes_leave: bool,
) {
    let mut steps = vec![say(answer)];
    if urc.starts_with("BAD RCPT") {
        steps.extend([hear("RSET"), say("250 OK\r\n")]);
    }
    if takes_leave {
        steps.extend([hear("QUIT"), say("221 bye\r\n")]);
    }
    let run = run(job(), until(place, steps)).await;
    assert_eq!(run.outcome.to_string(), urc);
    assert_eq!(run.connected, usize::from(place != GREETING));
    assert_eq!(run.heard("QUIT"), takes_leave, "{:?}", run.verbs());
    assert_eq!(run.heard("DATA"), place >= DATA, "{:?}", run.verbs());
    assert_eq!(run.heard.contains(&".\r\n".to_owned()), place >= DOT);
    assert_eq!(run.lasted, Duration::ZERO);
}

/// Sessions that the server breaks off or lets fall silent.
#[rstest]
#[case::t03_no_greeting(GREETING, vec![], true)]
#[case::t05_closed_before_greeting(GREETING, vec![Step::Close], false)]
#[case::t08_half_greeting(GREETING, vec![say("220 hi"), Step::Close], false)]
#[case::t11_stall_in_line(MAIL, vec![say("250 O")], true)]
#[case::t11_stall_in_reply(EHLO, vec![say("250-server\r\n")], true)]
#[case::s83_carriage_return_only(MAIL, vec![say("250 OK\r")], true)]
#[case::t15_half_close(MAIL, vec![Step::HalfClose], false)]
#[case::t15_half_close_after_reply(MAIL, vec![say("250 OK\r\n"), Step::HalfClose], false)]
#[case::s40_no_354(DATA, vec![], true)]
#[case::s51_silence_after_dot(DOT, vec![], true)]
#[case::s52_closed_after_dot(DOT, vec![Step::Close], false)]
#[case::s53_half_reply_after_dot(DOT, vec![say("250 O"), Step::Close], false)]
#[case::s53_half_code_after_dot(DOT, vec![say("25"), Step::Close], false)]
#[case::s70_unsolicited_421(RCPT, vec![say("250 OK\r\n421 leaving\r\n"), Step::Close], false)]
#[tokio::test(start_paused = true)]
async fn broken_off(#[case] place: usize, #[case] steps: Vec<Step>, #[case] silent: bool) {
    let run = run(job(), until(place, steps)).await;
    assert_eq!(run.outcome, Outcome::ServerError);
    assert_eq!(run.lasted, if silent { TIMER } else { Duration::ZERO });
    assert!(!run.heard("QUIT"), "{:?}", run.verbs());
}

#[rstest]
#[case::endless_line(vec![b'x'; 3 << 20])]
#[case::endless_reply(b"250-x\r\n".repeat(20_000))]
#[tokio::test(start_paused = true)]
async fn t21_endless_answers_are_given_up(#[case] answer: Vec<u8>) {
    let run = run(job(), until(MAIL, vec![say(answer)])).await;
    assert_eq!(run.outcome, Outcome::ServerError);
}

#[tokio::test(start_paused = true)]
async fn s04_helo_when_ehlo_is_unknown() {
    for code in [500, 502, 504, 550] {
        let mut script = until(EHLO, vec![say(format!("{code} what\r\n"))]);
        for (heard, said) in [
            ("HELO [127.0.0.1]\r\n", "250 server\r\n"),
            ("MAIL FROM:<ada@server.com>\r\n", "250 OK\r\n"),
        ] {
            script.extend([hear(heard), say(said)]);
        }
        for (heard, said) in HONEST.iter().skip(RCPT) {
            script.extend(listen(heard));
            script.push(say(said));
        }
        assert_eq!(
            run(with_auth(), script).await.outcome,
            Outcome::Success,
            "{code}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn s06_a_server_with_many_keywords() {
    let mut offer = String::from("250-server\r\n250-auth=login\r\n250-size\r\n250-STARTTLS\r\n");
    for index in 0..50 {
        offer.push_str(&format!("250-X{index} a b\r\n"));
    }
    offer.push_str("250 CHUNKING\r\n");
    assert_eq!(
        run(job(), with(EHLO, vec![say(offer)])).await.outcome,
        Outcome::Success
    );
}

#[rstest]
#[case::t06_before_the_greeting("")]
#[case::t07_inside_the_greeting("220 serv")]
#[case::t07_after_the_greeting("220 server\r\n")]
#[case::t07_inside_an_answer("220 server\r\n250-serv")]
#[tokio::test(start_paused = true)]
async fn resets(#[case] said: &'static str) {
    let dialer = OneStream::new(ResetAfter::new(said));
    let outcome = send(job(), &dialer, TIMER, &mut |_| {}).await;
    assert_eq!(outcome, Outcome::ServerError);
}
