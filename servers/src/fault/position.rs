//! The places in a dialogue that a rule can name.

use crate::event::Protocol;
use serde::Deserialize;

/// A place in a dialogue. Where nothing else is said it is the reply to the command of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Every reply of either protocol; no engine gives it to a reply.
    Any,
    /// The connection comes about, before a single octet.
    Connect,
    /// After `after_bytes` octets from the client, whatever they belong to.
    Received,
    /// After `after_bytes` octets to the client, be it inside a reply.
    Sent,
    /// The server's first line.
    Greeting,
    /// A command that the server does not know, or an empty line.
    Unknown,
    /// QUIT.
    Quit,
    /// NOOP.
    Noop,
    /// RSET.
    Rset,
    /// The reply to the line with the command AUTH itself, be it a challenge or the final one.
    Auth,
    /// The reply to the user name of AUTH LOGIN.
    AuthUser,
    /// The reply to the password of AUTH LOGIN.
    AuthPassword,
    /// The final reply of an authentication exchange (SMTP: 235 or a refusal).
    AuthDone,

    /// SMTP: the reply to EHLO or HELO, whichever comes; no engine gives it to a reply.
    Hello,
    /// SMTP EHLO.
    Ehlo,
    /// SMTP HELO.
    Helo,
    /// SMTP STARTTLS.
    Starttls,
    /// SMTP MAIL.
    Mail,
    /// SMTP RCPT.
    Rcpt,
    /// SMTP DATA: the 354 or a refusal.
    Data,
    /// Inside the message, after `after_bytes` octets of it.
    Body,
    /// SMTP: the reply to the final dot.
    Dot,
    /// SMTP VRFY.
    Vrfy,
    /// SMTP EXPN.
    Expn,
    /// SMTP HELP.
    Help,

    /// POP3 CAPA: the status line.
    Capa,
    /// POP3 CAPA: the lines after it, to the dot.
    CapaBody,
    /// POP3 STLS.
    Stls,
    /// POP3 USER.
    User,
    /// POP3 PASS.
    Pass,
    /// POP3 APOP.
    Apop,
    /// POP3 STAT.
    Stat,
    /// POP3 LIST: the status line (all of the reply when a number was given).
    List,
    /// POP3 LIST: the scan listings, to the dot.
    ListBody,
    /// POP3 UIDL: the status line (all of the reply when a number was given).
    Uidl,
    /// POP3 UIDL: the listings, to the dot.
    UidlBody,
    /// POP3 RETR: the status line.
    Retr,
    /// POP3 RETR: the message, to the dot.
    RetrBody,
    /// POP3 TOP: the status line.
    Top,
    /// POP3 TOP: header and lines, to the dot.
    TopBody,
    /// POP3 DELE.
    Dele,
}

impl Position {
    /// Whether a dialogue of this protocol has such a place.
    pub fn is_in(self, protocol: Protocol) -> bool {
        use Position::*;
        match self {
            Any | Connect | Received | Sent | Greeting | Unknown | Quit | Noop | Rset | Auth
            | AuthDone | AuthUser | AuthPassword => true,
            Hello | Ehlo | Helo | Starttls | Mail | Rcpt | Data | Body | Dot | Vrfy | Expn
            | Help => protocol == Protocol::Smtp,
            Capa | CapaBody | Stls | User | Pass | Apop | Stat | List | ListBody | Uidl
            | UidlBody | Retr | RetrBody | Top | TopBody | Dele => protocol == Protocol::Pop3,
        }
    }
}
