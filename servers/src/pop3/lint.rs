//! What a client did that the RFCs forbid, and what a strict reader wants to know of.
//!
//! A lint never changes the reply: the server tolerates what real servers tolerate.

/// A rule for clients. Its id is stable: scenarios and monitors refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lint {
    /// Octets came before the greeting (RFC 1939 section 3).
    TalkBeforeGreeting,
    /// A command came before the reply to the one before it, though CAPA never showed PIPELINING
    /// (RFC 2449 section 6.6).
    Pipelined,
    /// A line ended with a bare line feed (RFC 1939 section 3).
    BareLf,
    /// A command longer than 255 octets with its CRLF (RFC 2449 section 4).
    LineTooLong,
    /// More than one blank between keyword and arguments (RFC 1939 section 3).
    DoubleSpace,
    /// A blank at the end of a command.
    TrailingBlank,
    /// An octet that is not printable ASCII (RFC 1939 section 3).
    NotPrintable,
    /// A keyword that no RFC of POP3 knows.
    UnknownCommand,
    /// An extension that CAPA or the greeting did not offer (RFC 2449 section 5).
    NotOffered,
    /// Arguments missing or too many.
    Arguments,
    /// TOP without its two arguments (RFC 1939 section 7).
    TopArguments,
    /// A command of another state (RFC 1939 sections 4 to 6).
    WrongState,
    /// PASS not directly after a positive reply to USER (RFC 1939 section 7).
    PassWithoutUser,
    /// A message number that is no decimal number.
    BadNumber,
    /// A number that no message has. A client that only relays a wrong number from its own user
    /// earns it too.
    NoSuchMessage,
    /// The number of a message that is marked as deleted. As above, the user may be to blame.
    DeletedMessage,
    /// An APOP digest that is not 32 lower-case hexadecimal digits (RFC 1939 section 7).
    ApopDigest,
    /// A response to a challenge that is not base64, or not what the mechanism needs (RFC 5034).
    SaslResponse,
    /// An initial response for a mechanism in which the server speaks first (RFC 5034 section 4).
    SaslInitialResponse,
    /// Octets between STLS and the TLS handshake (RFC 2595 section 4).
    TalkBeforeTls,
    /// Octets came behind QUIT (RFC 1939 section 6: the server closes).
    TalkAfterQuit,
    /// The client closed without QUIT (RFC 1939 section 3). Forced ends such as AT+POP3STOP earn
    /// it rightly.
    NoQuit,
}

impl Lint {
    /// Every lint.
    pub const ALL: [Lint; 22] = [
        Lint::TalkBeforeGreeting,
        Lint::Pipelined,
        Lint::BareLf,
        Lint::LineTooLong,
        Lint::DoubleSpace,
        Lint::TrailingBlank,
        Lint::NotPrintable,
        Lint::UnknownCommand,
        Lint::NotOffered,
        Lint::Arguments,
        Lint::TopArguments,
        Lint::WrongState,
        Lint::PassWithoutUser,
        Lint::BadNumber,
        Lint::NoSuchMessage,
        Lint::DeletedMessage,
        Lint::ApopDigest,
        Lint::SaslResponse,
        Lint::SaslInitialResponse,
        Lint::TalkBeforeTls,
        Lint::TalkAfterQuit,
        Lint::NoQuit,
    ];

    /// The id that checks and reports use.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Lint::TalkBeforeGreeting => "pop3.talk-before-greeting",
            Lint::Pipelined => "pop3.pipelined",
            Lint::BareLf => "pop3.bare-lf",
            Lint::LineTooLong => "pop3.line-too-long",
            Lint::DoubleSpace => "pop3.double-space",
            Lint::TrailingBlank => "pop3.trailing-blank",
            Lint::NotPrintable => "pop3.not-printable",
            Lint::UnknownCommand => "pop3.unknown-command",
            Lint::NotOffered => "pop3.not-offered",
            Lint::Arguments => "pop3.arguments",
            Lint::TopArguments => "pop3.top-arguments",
            Lint::WrongState => "pop3.wrong-state",
            Lint::PassWithoutUser => "pop3.pass-without-user",
            Lint::BadNumber => "pop3.bad-number",
            Lint::NoSuchMessage => "pop3.no-such-message",
            Lint::DeletedMessage => "pop3.deleted-message",
            Lint::ApopDigest => "pop3.apop-digest",
            Lint::SaslResponse => "pop3.sasl-response",
            Lint::SaslInitialResponse => "pop3.sasl-initial-response",
            Lint::TalkBeforeTls => "pop3.talk-before-tls",
            Lint::TalkAfterQuit => "pop3.talk-after-quit",
            Lint::NoQuit => "pop3.no-quit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_named_after_the_protocol() {
        let ids: BTreeSet<&str> = Lint::ALL.iter().map(|lint| lint.id()).collect();
        assert_eq!(ids.len(), Lint::ALL.len());
        assert!(ids.iter().all(|id| id.starts_with("pop3.")));
    }
}
