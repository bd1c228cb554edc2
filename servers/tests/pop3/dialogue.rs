//! Dialogues, octet for octet, with the lints that they earn.

use crate::support::{Fate, Talk, service, setup};
use rstest::rstest;
use urcheck_servers::engine::{End, Line, LineEnd, Next, Service};
use urcheck_servers::pop3::Setup;

/// Plays the `C:` lines, compares the `S:` lines, and gives the lints in the order they came.
#[track_caller]
fn play(setup: Setup, script: &str) -> Vec<&'static str> {
    let service = service(setup);
    let (mut talk, greeting) = Talk::open(&service, 1);
    let mut said: Vec<u8> = greeting
        .into_iter()
        .flat_map(|reply| reply.into_octets())
        .collect();
    let mut played = String::new();
    for line in script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
    {
        if let Some(command) = line.strip_prefix("C: ") {
            let left = String::from_utf8(std::mem::take(&mut said)).unwrap();
            assert_eq!(left, "", "unexpected after:\n{played}");
            let replies = talk.send(command.as_bytes(), Fate::Honest);
            said = replies
                .into_iter()
                .flat_map(|reply| reply.into_octets())
                .collect();
        } else {
            let expected = line
                .strip_prefix("S: ")
                .or(line.strip_prefix("S:"))
                .unwrap();
            let end = said.windows(2).position(|two| two == b"\r\n");
            let rest = said.split_off(end.expect("the server said less") + 2);
            let got = String::from_utf8(std::mem::replace(&mut said, rest)).unwrap();
            assert_eq!(got.trim_end_matches("\r\n"), expected, "after:\n{played}");
        }
        played.push_str(line);
        played.push('\n');
    }
    assert_eq!(String::from_utf8(said).unwrap(), "", "at the end");
    talk.close(End::Server)
}

/// The same after a greeting and a login.
#[track_caller]
fn play_logged_in(script: &str) -> Vec<&'static str> {
    let login = "S: +OK pop3.server.com POP3 server ready <1.urcheck@pop3.server.com>
        C: USER un
        S: +OK send PASS
        C: PASS pwd
        S: +OK maildrop has 2 messages (169 octets)\n";
    play(setup(), &format!("{login}{script}"))
}

#[test]
fn a_whole_session() {
    let lints = play_logged_in(
        "C: STAT
        S: +OK 2 169
        C: LIST
        S: +OK 2 messages (169 octets)
        S: 1 128
        S: 2 41
        S: .
        C: LIST 2
        S: +OK 2 41
        C: UIDL
        S: +OK 2 messages (169 octets)
        S: 1 1.50453c2f7cd090e0
        S: 2 2.ae2afc5c0887dab9
        S: .
        C: UIDL 1
        S: +OK 1 1.50453c2f7cd090e0
        C: TOP 1 1
        S: +OK top of message follows
        S: From: \"FromName\" <FromAddr@server.com>
        S: Date: Tue, 9 Mar 2010 17:11:30 +0800
        S: Subject: First Test Email
        S:
        S: line one
        S: .
        C: RETR 2
        S: +OK 41 octets
        S: From: a@b.example
        S: Subject: Second
        S:
        S: ..
        S: .
        C: DELE 1
        S: +OK message 1 deleted
        C: STAT
        S: +OK 1 41
        C: LIST
        S: +OK 1 messages (41 octets)
        S: 2 41
        S: .
        C: NOOP
        S: +OK
        C: RSET
        S: +OK maildrop has 2 messages (169 octets)
        C: STAT
        S: +OK 2 169
        C: QUIT
        S: +OK bye",
    );
    assert_eq!(lints, [""; 0]);
}

#[rstest]
#[case::keyword_case("C: sTaT\nS: +OK 2 169", &[])]
#[case::leading_zero("C: LIST 02\nS: +OK 2 41", &[])]
#[case::double_space("C: LIST  2\nS: +OK 2 41", &["pop3.double-space"])]
#[case::trailing_blank("C: STAT \nS: +OK 2 169", &["pop3.trailing-blank"])]
#[case::number_zero(
    "C: RETR 0\nS: -ERR no such message, only 2 in maildrop", &["pop3.no-such-message"])]
#[case::number_beyond(
    "C: DELE 3\nS: -ERR no such message, only 2 in maildrop", &["pop3.no-such-message"])]
#[case::number_overflow(
    "C: LIST 99999999999999999999999\nS: -ERR no such message, only 2 in maildrop",
    &["pop3.no-such-message"])]
#[case::number_signed("C: RETR +1\nS: -ERR bad message number", &["pop3.bad-number"])]
#[case::number_text("C: UIDL one\nS: -ERR bad message number", &["pop3.bad-number"])]
#[case::no_number("C: RETR\nS: -ERR one message number, please", &["pop3.arguments"])]
#[case::two_numbers("C: DELE 1 2\nS: -ERR one message number, please", &["pop3.arguments"])]
#[case::list_two("C: LIST 1 2\nS: -ERR too many arguments", &["pop3.arguments"])]
#[case::stat_argument("C: STAT 1\nS: +OK 2 169", &["pop3.arguments"])]
#[case::top_one_argument(
    "C: TOP 1\nS: -ERR TOP needs a message number and a number of lines", &["pop3.top-arguments"])]
#[case::top_negative("C: TOP 1 -1\nS: -ERR bad number of lines", &["pop3.bad-number"])]
#[case::deleted(
    "C: DELE 2\nS: +OK message 2 deleted\nC: RETR 2\nS: -ERR message 2 is deleted",
    &["pop3.deleted-message"])]
#[case::deleted_twice(
    "C: DELE 2\nS: +OK message 2 deleted\nC: DELE 2\nS: -ERR message 2 is deleted",
    &["pop3.deleted-message"])]
#[case::login_again("C: USER un\nS: -ERR already logged in", &["pop3.wrong-state"])]
#[case::auth_again("C: AUTH PLAIN\nS: -ERR already logged in", &["pop3.wrong-state"])]
#[case::unknown("C: XTND\nS: -ERR unknown command", &["pop3.unknown-command"])]
#[case::glued("C: RETR1\nS: -ERR unknown command", &["pop3.unknown-command"])]
#[case::utf8("C: UTF8\nS: -ERR not supported here", &[])]
fn in_the_transaction_state(#[case] script: &str, #[case] lints: &[&str]) {
    assert_eq!(play_logged_in(script), lints);
}

const GREETING: &str = "S: +OK pop3.server.com POP3 server ready <1.urcheck@pop3.server.com>\n";

#[rstest]
#[case::early("C: STAT\nS: -ERR log in first", &["pop3.wrong-state"])]
#[case::unknown_user("C: USER bob\nS: -ERR [AUTH] no such user here", &[])]
#[case::bad_password(
    "C: USER un\nS: +OK send PASS\nC: PASS x\nS: -ERR [AUTH] user name or password is wrong", &[])]
#[case::password_with_blank(
    "C: USER un\nS: +OK send PASS\nC: PASS pwd \nS: -ERR [AUTH] user name or password is wrong", &[])]
#[case::pass_after_failure(
    "C: USER un\nS: +OK send PASS\nC: PASS x\nS: -ERR [AUTH] user name or password is wrong
    C: PASS pwd\nS: -ERR send USER first", &["pop3.pass-without-user"])]
#[case::pass_alone("C: PASS pwd\nS: -ERR send USER first", &["pop3.pass-without-user"])]
#[case::something_between_is_tolerated(
    "C: USER un\nS: +OK send PASS\nC: NOOP\nS: -ERR log in first
    C: PASS pwd\nS: +OK maildrop has 2 messages (169 octets)",
    &["pop3.wrong-state", "pop3.pass-without-user"])]
#[case::user_without_name("C: USER\nS: -ERR USER needs a name", &["pop3.arguments"])]
#[case::apop_wrong(
    "C: APOP un c4c9334bac560ecc979e58001b3e22fb\nS: -ERR [AUTH] user name or password is wrong",
    &[])]
#[case::apop_right(
    "C: APOP un 19b530236f00c3c95e6f246396f1772f
    S: +OK maildrop has 2 messages (169 octets)", &[])]
#[case::apop_digest("C: APOP un xyz\nS: -ERR [AUTH] user name or password is wrong",
    &["pop3.apop-digest"])]
#[case::apop_arguments("C: APOP un\nS: -ERR APOP needs a name and a digest", &["pop3.arguments"])]
#[case::capa(
    "C: CAPA\nS: +OK capabilities follow\nS: USER\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: TOP
    S: UIDL\nS: IMPLEMENTATION urcheck\nS: .", &[])]
#[case::untold_extension("C: STLS\nS: -ERR STLS is not offered", &[])]
#[case::quit("C: QUIT\nS: +OK bye", &[])]
fn in_the_authorization_state(#[case] script: &str, #[case] lints: &[&str]) {
    assert_eq!(play(setup(), &format!("{GREETING}{script}")), lints);
}

fn sasl() -> Setup {
    let sasl = ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"]
        .map(str::to_owned)
        .into();
    Setup {
        sasl,
        apop: false,
        ..setup()
    }
}

#[rstest]
#[case::plain_initial("C: AUTH PLAIN AHVuAHB3ZA==\nS: +OK maildrop has 2 messages (169 octets)", &[])]
#[case::plain(
    "C: auth plain\nS: + \nC: AHVuAHB3ZA==\nS: +OK maildrop has 2 messages (169 octets)", &[])]
#[case::plain_wrong("C: AUTH PLAIN AHVuAHg=\nS: -ERR [AUTH] user name or password is wrong", &[])]
#[case::plain_empty_initial("C: AUTH PLAIN =\nS: -ERR malformed response", &["pop3.sasl-response"])]
#[case::not_base64("C: AUTH PLAIN\nS: + \nC: !!\nS: -ERR malformed response", &["pop3.sasl-response"])]
#[case::cancelled("C: AUTH PLAIN\nS: + \nC: *\nS: -ERR authentication cancelled
    C: QUIT\nS: +OK bye", &[])]
#[case::login(
    "C: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: dW4=\nS: + UGFzc3dvcmQ6\nC: cHdk
    S: +OK maildrop has 2 messages (169 octets)", &[])]
#[case::login_initial(
    "C: AUTH LOGIN dW4=\nS: + UGFzc3dvcmQ6\nC: cHdk
    S: +OK maildrop has 2 messages (169 octets)", &[])]
#[case::cram(
    "C: AUTH CRAM-MD5\nS: + PDEuMUBwb3AzLnNlcnZlci5jb20+
    C: dW4gMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=
    S: -ERR [AUTH] user name or password is wrong", &[])]
#[case::cram_initial(
    "C: AUTH CRAM-MD5 dW4=\nS: -ERR no initial response allowed", &["pop3.sasl-initial-response"])]
#[case::announced_only("C: AUTH XOAUTH2\nS: -ERR this mechanism does not work today", &[])]
#[case::unknown("C: AUTH GSSAPI\nS: -ERR unrecognized authentication mechanism", &[])]
#[case::unknown_after_capa(
    "C: CAPA\nS: +OK capabilities follow\nS: USER\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: TOP
    S: UIDL\nS: SASL PLAIN LOGIN CRAM-MD5 XOAUTH2\nS: IMPLEMENTATION urcheck\nS: .
    C: AUTH GSSAPI\nS: -ERR unrecognized authentication mechanism", &["pop3.not-offered"])]
#[case::bare("C: AUTH\nS: +OK mechanisms follow\nS: PLAIN\nS: LOGIN\nS: CRAM-MD5\nS: XOAUTH2\nS: .",
    &["pop3.arguments"])]
#[case::apop_without_timestamp(
    "C: APOP un c4c9334bac560ecc979e58001b3e22fb\nS: -ERR APOP is not offered",
    &["pop3.not-offered"])]
fn with_sasl_and_without_apop(#[case] script: &str, #[case] lints: &[&str]) {
    let greeting = "S: +OK pop3.server.com POP3 server ready\n";
    assert_eq!(play(sasl(), &format!("{greeting}{script}")), lints);
}

#[test]
fn a_bare_server_knows_no_extension() {
    let bare = Setup {
        apop: false,
        capa: false,
        top: false,
        uidl: false,
        ..setup()
    };
    let lints = play(
        bare,
        "S: +OK pop3.server.com POP3 server ready
        C: CAPA
        S: -ERR unknown command
        C: USER bob
        S: -ERR no such user here
        C: USER un
        S: +OK send PASS
        C: PASS pwd
        S: +OK maildrop has 2 messages (169 octets)
        C: TOP 1 0
        S: -ERR unknown command
        C: UIDL
        S: -ERR unknown command",
    );
    assert_eq!(lints, [""; 0]);
}

#[test]
fn users_can_be_hidden() {
    let lints = play(
        Setup {
            hide_users: true,
            ..setup()
        },
        &format!(
            "{GREETING}C: USER bob
            S: +OK send PASS
            C: PASS pwd
            S: -ERR [AUTH] user name or password is wrong"
        ),
    );
    assert_eq!(lints, [""; 0]);
}

#[test]
fn a_maildrop_is_open_in_one_session_at_a_time() {
    let service = service(setup());
    let (mut first, _) = Talk::open(&service, 1);
    first.log_in();
    let (mut second, _) = Talk::open(&service, 2);
    assert_eq!(second.ask("USER un"), "+OK send PASS\r\n");
    let locked = "-ERR [IN-USE] maildrop is locked by another session\r\n";
    assert_eq!(second.ask("PASS pwd"), locked);
    first.close(End::Client);
    second.log_in();
}

#[test]
fn stls_forgets_what_was_known_before() {
    let service = service(Setup {
        stls: true,
        ..setup()
    });
    let (mut talk, _) = Talk::open(&service, 1);
    assert!(talk.ask("CAPA").contains("\r\nSTLS\r\n"));
    talk.ask("USER un");
    assert_eq!(talk.ask("STLS"), "+OK begin TLS negotiation\r\n");
    assert_eq!(talk.next(), Next::StartTls);
    talk.secured(4);
    assert_eq!(talk.next(), Next::Line);
    assert_eq!(talk.ask("PASS pwd"), "-ERR send USER first\r\n");
    // Not known to be unknown: the list from before the handshake counts no more.
    assert!(talk.ask("AUTH GSSAPI").starts_with("-ERR "));
    assert!(!talk.ask("CAPA").contains("STLS"));
    assert_eq!(talk.ask("STLS"), "-ERR TLS is active already\r\n");
    talk.log_in();
    let lints = talk.close(End::Server);
    assert_eq!(
        lints,
        [
            "pop3.talk-before-tls",
            "pop3.pass-without-user",
            "pop3.wrong-state"
        ]
    );
    assert_eq!(service.view()["sessions"][0]["secure"], true);
}

#[rstest]
#[case::silence(None, End::Client, Fate::Honest, &["pop3.no-quit"])]
#[case::reset(Some("NOOP"), End::ClientReset, Fate::Honest, &["pop3.no-quit"])]
#[case::the_server_closed(Some("NOOP"), End::Server, Fate::Honest, &[])]
#[case::autologout(Some("NOOP"), End::Timeout, Fate::Honest, &[])]
#[case::an_unanswered_client_may_go(Some("NOOP"), End::Client, Fate::Swallowed, &[])]
#[case::after_quit(Some("QUIT"), End::Client, Fate::Honest, &[])]
fn leaving_without_quit(
    #[case] last: Option<&str>,
    #[case] end: End,
    #[case] fate: Fate,
    #[case] lints: &[&str],
) {
    let service = service(setup());
    let (mut talk, _) = Talk::open(&service, 1);
    talk.log_in();
    if let Some(last) = last {
        talk.send(last.as_bytes(), fate);
    }
    assert_eq!(talk.close(end), lints);
}

#[rstest]
#[case::before_greeting(1, "pop3.talk-before-greeting")]
#[case::before_reply(2, "pop3.pipelined")]
fn impatience(#[case] nth: usize, #[case] lint: &str) {
    let service = service(setup());
    let (mut talk, _) = Talk::open(&service, 1);
    for number in 1..=nth {
        let line = Line {
            text: b"CAPA",
            end: LineEnd::CrLf,
            omitted: 0,
            ahead: number == nth,
        };
        talk.line(line, Fate::Honest);
    }
    assert_eq!(talk.close(End::Server), [lint]);
}
