//! Authentication and recipients.

use super::script::*;
use super::*;
use crate::net::testing::{hear, say};
use rstest::rstest;

/// The exchange after `EHLO`: what is offered, then what is heard and said.
#[rstest]
#[case::s07_not_offered("250 SIZE", &[("MAIL", "530 authenticate")], "AUTH REQUIRED")]
#[case::s08_foreign("250 AUTH XOAUTH2", &[("QUIT", "221")], "AUTH ERROR")]
#[case::s08_504("250 AUTH PLAIN", &[("AUTH PLAIN ", "504 what"), ("QUIT", "221")], "AUTH ERROR")]
#[case::s10_plain("250 AUTH PLAIN", &[("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "535 no"), ("QUIT", "221")], "AUTH ERROR")]
#[case::s10_login_user("250 AUTH LOGIN", &[("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6"), ("YWxpY2U=\r\n", "535 no"), ("QUIT", "221")], "AUTH ERROR")]
#[case::s10_login_password("250 AUTH LOGIN", &[("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6"), ("YWxpY2U=\r\n", "334 UGFzc3dvcmQ6"), ("c2VjcmV0\r\n", "535-5.7.8 no\r\n535 5.7.8 no"), ("QUIT", "221")], "AUTH ERROR")]
#[case::s11_534("250 AUTH PLAIN", &[("AUTH", "534 5.7.9 too weak"), ("QUIT", "221")], "AUTH ERROR")]
#[case::s12_454("250 AUTH PLAIN", &[("AUTH", "454 later"), ("QUIT", "221")], "SERVER ERROR")]
#[case::s13_garbage("250 AUTH LOGIN", &[("AUTH LOGIN", "334 ?!?!"), ("*\r\n", "501 cancelled"), ("QUIT", "221")], "SERVER ERROR")]
#[case::s13_third_challenge("250 AUTH LOGIN", &[("AUTH LOGIN", "334"), ("YWxpY2U=", "334 "), ("c2VjcmV0", "334 eA=="), ("*\r\n", "501 cancelled"), ("QUIT", "221")], "SERVER ERROR")]
#[case::s13_challenge_to_plain("250 AUTH PLAIN", &[("AUTH PLAIN", "334 "), ("*\r\n", "501 cancelled"), ("QUIT", "221")], "SERVER ERROR")]
#[case::s14_235("250 AUTH PLAIN", &[("AUTH", "235-welcome\r\n235 2.7.0 alice"), ("MAIL", "503"), ("QUIT", "221")], "SERVER ERROR")]
#[case::s14_250("250 AUTH PLAIN", &[("AUTH", "250 OK"), ("MAIL", "530"), ("QUIT", "221")], "AUTH REQUIRED")]
#[case::cram("250 AUTH CRAM-MD5 PLAIN", &[("AUTH CRAM-MD5\r\n", "334 PDFAeD4="), ("YWxpY2Ug", "535"), ("QUIT", "221")], "AUTH ERROR")]
#[tokio::test(start_paused = true)]
async fn authentication(#[case] offer: &str, #[case] exchange: &[(&str, &str)], #[case] urc: &str) {
    let mut script = until(EHLO, vec![say(format!("250-server\r\n{offer}\r\n"))]);
    for (heard, said) in exchange {
        script.extend([hear(heard), say(format!("{said}\r\n"))]);
    }
    script.push(Step::HalfClose);
    assert_eq!(run(with_auth(), script).await.outcome.to_string(), urc);
}

#[tokio::test(start_paused = true)]
async fn nobody_authenticates_who_was_not_told_to() {
    let run = run(
        job(),
        with(
            EHLO,
            vec![say("250-server\r\n250-AUTH PLAIN\r\n250 SIZE\r\n")],
        ),
    )
    .await;
    assert!(!run.heard("AUTH"));
    assert_eq!(run.outcome, Outcome::Success);
}

/// To, Cc and Bcc; the answers to the three `RCPT`, and what comes of it.
#[rstest]
#[case::all(["250", "250", "250"], "SUCCESS")]
#[case::s32_first(["550", "250", "250"], "BAD RCPT bob@server.com")]
#[case::s32_middle(["250", "550", "250"], "BAD RCPT Carol.C+x@server.com")]
#[case::s32_last(["250", "250", "450"], "BAD RCPT dave@server.com")]
#[case::s33_all(["550", "551", "553"], "BAD RCPT bob@server.com,Carol.C+x@server.com,dave@server.com")]
#[tokio::test(start_paused = true)]
async fn one_refused_recipient_stops_all(#[case] answers: [&str; 3], #[case] urc: &str) {
    let job = Job {
        cc: vec![Address::new("Carol.C+x@server.com", "")],
        bcc: vec![Address::new("dave@server.com", "Dave")],
        ..job()
    };
    let mut script = until(MAIL, vec![say("250 OK\r\n")]);
    for (address, answer) in ["bob@server.com", "Carol.C+x@server.com", "dave@server.com"]
        .iter()
        .zip(answers)
    {
        script.extend([
            hear(&format!("RCPT TO:<{address}>\r\n")),
            say(format!("{answer} x\r\n")),
        ]);
    }
    if urc == "SUCCESS" {
        script.extend([
            hear("DATA"),
            say("354 go\r\n"),
            Step::HearData,
            say("250 OK\r\n"),
        ]);
    } else {
        script.extend([hear("RSET"), say("250 OK\r\n")]);
    }
    script.extend([hear("QUIT"), say("221 bye\r\n")]);
    let run = run(job, script).await;
    assert_eq!(run.outcome.to_string(), urc);
    assert!(
        !run.heard.iter().any(|line| line.contains("Dave")),
        "Bcc shows: {:?}",
        run.heard
    );
}

#[rstest]
#[case::line_end("a@b>\r\nDATA")]
#[case::parameter("a@b> NOTIFY=NEVER")]
#[case::eight_bit("ä@b")]
#[case::empty("")]
#[tokio::test(start_paused = true)]
async fn an_address_that_cannot_stand_in_a_command_is_a_bad_recipient(#[case] address: &str) {
    let job = Job {
        to: vec![Address::new(address, "")],
        ..job()
    };
    let script = until(
        MAIL,
        vec![
            say("250 OK\r\n"),
            hear("RSET"),
            say("250\r\n"),
            hear("QUIT"),
            say("221\r\n"),
        ],
    );
    let run = run(job, script).await;
    assert_eq!(run.outcome, Outcome::BadRecipient(vec![address.to_owned()]));
    assert!(!run.heard("RCPT"));
}
