//! The one table that says which URC an ending of the dialogue means.
//!
//! The rows follow the URC table in chapter 1 of the note. Its first `AUTH REQUIRED` row ("server
//! released the session, or rejects the operation with wrong response, or doesn't give SMTP client
//! a response in time") is read as `SERVER ERROR`: the sibling manuals print exactly that text
//! there, and the name slipped by one row. A server that cannot be reached is `SERVER ERROR` too
//! ("invalid SMTP server, or network is bad for establishing session or sending data").

use crate::net::link::LinkError;
use std::fmt;
use std::io;

/// How a send ended, in the words of the URC table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `SUCCESS`: the server took the message over.
    Success,
    /// `NETWORK ERROR`: there is no network, or the server's name cannot be resolved.
    NetworkError,
    /// `SERVER ERROR`: the server cannot be reached, left, gave a wrong response or none in time.
    ServerError,
    /// `AUTH REQUIRED`: the server wants authentication.
    AuthRequired,
    /// `AUTH ERROR`: the server refuses user name and password.
    AuthError,
    /// `BAD RCPT`: these addresses were refused, spelled as they were set; never empty. Nothing
    /// was sent to anyone.
    BadRecipient(Vec<String>),
}

impl fmt::Display for Outcome {
    /// The text after `+SMTP: `, the refused addresses separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("SUCCESS"),
            Self::NetworkError => f.write_str("NETWORK ERROR"),
            Self::ServerError => f.write_str("SERVER ERROR"),
            Self::AuthRequired => f.write_str("AUTH REQUIRED"),
            Self::AuthError => f.write_str("AUTH ERROR"),
            Self::BadRecipient(addresses) => write!(f, "BAD RCPT {}", addresses.join(",")),
        }
    }
}

/// What was being done when the dialogue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage<'a> {
    /// Connecting.
    Connect,
    /// Waiting for the greeting.
    Greeting,
    /// `EHLO` and `HELO`.
    Hello,
    /// The authentication exchange.
    Auth,
    /// `MAIL`.
    Mail,
    /// `RCPT` for this address.
    Recipient(&'a str),
    /// `DATA` up to its 354.
    Data,
    /// The message itself.
    Content,
    /// After the final dot.
    AfterDot,
}

/// How it ended there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// No connection.
    Unreachable(io::ErrorKind),
    /// A well-formed reply with this code.
    Reply(u16),
    /// Something that is no reply.
    Malformed,
    /// The connection was lost, fell silent or spoke out of turn.
    Link(LinkError),
    /// The server offers no authentication mechanism that the client has.
    NoMechanism,
    /// A challenge that cannot be answered; it was cancelled with `*`.
    BadChallenge,
    /// What is to be sent cannot stand in a command, or an attachment cannot be read.
    Unsendable,
}

/// The table. The first row that matches decides.
pub(crate) fn decide(stage: Stage<'_>, end: End) -> Outcome {
    use Outcome::{AuthError, AuthRequired, NetworkError, ServerError, Success};
    match (stage, end) {
        // The names of the manual (SIM5320 manual 18.1.9): the note's table gives this text to
        // SERVER ERROR and that of SERVER ERROR to a second AUTH REQUIRED.
        (_, End::Unreachable(_)) => NetworkError,
        // "Send e-mail successfully": nothing but a 25x to the final dot.
        (Stage::AfterDot, End::Reply(250..=259)) => Success,
        // A server that says 421 is leaving, whatever it was asked.
        (_, End::Reply(421)) => ServerError,
        // "Authentication is required by SMTP server."
        (
            Stage::Hello
            | Stage::Auth
            | Stage::Mail
            | Stage::Recipient(_)
            | Stage::Data
            | Stage::Content
            | Stage::AfterDot,
            End::Reply(530),
        ) => AuthRequired,
        // "Bad user name and password combination." 500 to 503 find fault with the command, other
        // 4xx are passing troubles; 432 asks for another password (RFC 4954 section 6).
        (Stage::Auth, End::Reply(500..=503)) => ServerError,
        (Stage::Auth, End::Reply(432 | 500..=599)) => AuthError,
        (Stage::Mail, End::Reply(535)) => AuthError,
        (Stage::Auth, End::NoMechanism) => AuthError,
        // "Invalid recipient address, or SMTP server can't forward this e-mail to the address."
        (Stage::Recipient(address), End::Reply(400..=599) | End::Unsendable) => {
            Outcome::BadRecipient(vec![address.to_owned()])
        }
        // "SMTP server released the session, or rejects the operation with wrong response, or
        // doesn't give SMTP client a response in time."
        (
            _,
            End::Reply(_)
            | End::Malformed
            | End::Link(_)
            | End::BadChallenge
            | End::NoMechanism
            | End::Unsendable,
        ) => ServerError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::no_network(
        Stage::Connect,
        End::Unreachable(io::ErrorKind::NetworkDown),
        "NETWORK ERROR"
    )]
    #[case::unresolvable(
        Stage::Connect,
        End::Unreachable(io::ErrorKind::NotFound),
        "NETWORK ERROR"
    )]
    #[case::refused(
        Stage::Connect,
        End::Unreachable(io::ErrorKind::ConnectionRefused),
        "NETWORK ERROR"
    )]
    #[case::black_hole(
        Stage::Connect,
        End::Unreachable(io::ErrorKind::TimedOut),
        "NETWORK ERROR"
    )]
    #[case::greeting_554(Stage::Greeting, End::Reply(554), "SERVER ERROR")]
    #[case::greeting_530(Stage::Greeting, End::Reply(530), "SERVER ERROR")]
    #[case::silent(Stage::Greeting, End::Link(LinkError::TimedOut), "SERVER ERROR")]
    #[case::hello_530(Stage::Hello, End::Reply(530), "AUTH REQUIRED")]
    #[case::auth_535(Stage::Auth, End::Reply(535), "AUTH ERROR")]
    #[case::auth_534(Stage::Auth, End::Reply(534), "AUTH ERROR")]
    #[case::auth_538(Stage::Auth, End::Reply(538), "AUTH ERROR")]
    #[case::auth_432(Stage::Auth, End::Reply(432), "AUTH ERROR")]
    #[case::auth_504(Stage::Auth, End::Reply(504), "AUTH ERROR")]
    #[case::auth_530(Stage::Auth, End::Reply(530), "AUTH REQUIRED")]
    #[case::auth_454(Stage::Auth, End::Reply(454), "SERVER ERROR")]
    #[case::auth_421(Stage::Auth, End::Reply(421), "SERVER ERROR")]
    #[case::auth_cancelled(Stage::Auth, End::BadChallenge, "SERVER ERROR")]
    #[case::auth_foreign(Stage::Auth, End::NoMechanism, "AUTH ERROR")]
    #[case::mail_530(Stage::Mail, End::Reply(530), "AUTH REQUIRED")]
    #[case::mail_503(Stage::Mail, End::Reply(503), "SERVER ERROR")]
    #[case::mail_552(Stage::Mail, End::Reply(552), "SERVER ERROR")]
    #[case::mail_354(Stage::Mail, End::Reply(354), "SERVER ERROR")]
    #[case::rcpt_550(Stage::Recipient("a@b"), End::Reply(550), "BAD RCPT a@b")]
    #[case::rcpt_451(Stage::Recipient("a@b"), End::Reply(451), "BAD RCPT a@b")]
    #[case::rcpt_530(Stage::Recipient("a@b"), End::Reply(530), "AUTH REQUIRED")]
    #[case::rcpt_421(Stage::Recipient("a@b"), End::Reply(421), "SERVER ERROR")]
    #[case::rcpt_354(Stage::Recipient("a@b"), End::Reply(354), "SERVER ERROR")]
    #[case::rcpt_unsendable(Stage::Recipient("a b"), End::Unsendable, "BAD RCPT a b")]
    #[case::data_250(Stage::Data, End::Reply(250), "SERVER ERROR")]
    #[case::data_unsolicited(Stage::Content, End::Link(LinkError::Unsolicited), "SERVER ERROR")]
    #[case::dot_250(Stage::AfterDot, End::Reply(250), "SUCCESS")]
    #[case::dot_221(Stage::AfterDot, End::Reply(221), "SERVER ERROR")]
    #[case::dot_554(Stage::AfterDot, End::Reply(554), "SERVER ERROR")]
    #[case::dot_malformed(Stage::AfterDot, End::Malformed, "SERVER ERROR")]
    #[case::dot_closed(Stage::AfterDot, End::Link(LinkError::Closed), "SERVER ERROR")]
    fn rows(#[case] stage: Stage<'_>, #[case] end: End, #[case] urc: &str) {
        assert_eq!(decide(stage, end).to_string(), urc);
    }

    #[test]
    fn success_has_one_cause() {
        let stages = [
            Stage::Connect,
            Stage::Greeting,
            Stage::Hello,
            Stage::Auth,
            Stage::Mail,
            Stage::Recipient("a@b"),
            Stage::Data,
            Stage::Content,
            Stage::AfterDot,
        ];
        for stage in stages {
            for code in 0..1_000 {
                let success = decide(stage, End::Reply(code)) == Outcome::Success;
                let due = stage == Stage::AfterDot && (250..260).contains(&code);
                assert_eq!(success, due, "{stage:?} {code}");
            }
        }
    }
}
