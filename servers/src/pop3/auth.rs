//! Proof of identity: APOP (RFC 1939 section 7) and the SASL mechanisms PLAIN, LOGIN and CRAM-MD5
//! in the POP3 profile (RFC 5034).
//!
//! Knows secrets and exchanges, not maildrops.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// The accounts: password by user.
pub(super) type Accounts = BTreeMap<String, String>;

/// Whether this is the password of this user.
pub(super) fn password_fits(accounts: &Accounts, user: &str, password: &str) -> bool {
    accounts.get(user).is_some_and(|known| known == password)
}

/// Whether this is the APOP digest of this user for the greeting's timestamp. Upper-case digits
/// pass, as they do with most servers.
pub(super) fn apop_fits(accounts: &Accounts, user: &str, timestamp: &str, digest: &str) -> bool {
    accounts.get(user).is_some_and(|secret| {
        let mut md5 = Md5::new();
        md5.update(timestamp.as_bytes());
        md5.update(secret.as_bytes());
        hex(&md5.finalize()).eq_ignore_ascii_case(digest)
    })
}

/// An AUTH exchange that waits for the client's next line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    Plain,
    LoginUser,
    LoginPassword { user: String },
    CramMd5 { challenge: String },
}

/// How an exchange goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Send this challenge, in base64, and wait.
    Challenge(String, Exchange),
    /// The user is known.
    Known(String),
    /// The credentials are wrong.
    Refused,
    /// The response is not what the mechanism needs.
    Malformed(&'static str),
}

impl Exchange {
    /// Starts a mechanism; `None` if it is not built in. `challenge` is what CRAM-MD5 asks.
    pub(super) fn start(mechanism: &str, challenge: String) -> Option<Exchange> {
        Some(match mechanism {
            "PLAIN" => Exchange::Plain,
            "LOGIN" => Exchange::LoginUser,
            "CRAM-MD5" => Exchange::CramMd5 { challenge },
            _ => return None,
        })
    }

    /// The mechanism's name.
    pub(super) fn mechanism(&self) -> &'static str {
        match self {
            Exchange::Plain => "PLAIN",
            Exchange::LoginUser | Exchange::LoginPassword { .. } => "LOGIN",
            Exchange::CramMd5 { .. } => "CRAM-MD5",
        }
    }

    /// Whether the client may speak first. LOGIN has no standard; clients do and servers allow it.
    pub(super) fn takes_initial_response(&self) -> bool {
        !matches!(self, Exchange::CramMd5 { .. })
    }

    /// The challenge that stands before this step, in base64.
    pub(super) fn challenge(&self) -> String {
        match self {
            Exchange::Plain => String::new(),
            Exchange::LoginUser => STANDARD.encode("Username:"),
            Exchange::LoginPassword { .. } => STANDARD.encode("Password:"),
            Exchange::CramMd5 { challenge } => STANDARD.encode(challenge),
        }
    }

    /// Takes the client's response, in base64.
    pub(super) fn respond(self, accounts: &Accounts, response: &str) -> Progress {
        let Ok(octets) = STANDARD.decode(response) else {
            return Progress::Malformed("the response is not base64");
        };
        let Ok(text) = String::from_utf8(octets) else {
            return Progress::Malformed("the response is not UTF-8");
        };
        match self {
            Exchange::Plain => plain(accounts, &text),
            Exchange::LoginUser => {
                let next = Exchange::LoginPassword { user: text };
                Progress::Challenge(next.challenge(), next)
            }
            Exchange::LoginPassword { user } => {
                verdict(password_fits(accounts, &user, &text), user)
            }
            Exchange::CramMd5 { challenge } => cram_md5(accounts, &challenge, &text),
        }
    }
}

fn plain(accounts: &Accounts, text: &str) -> Progress {
    let parts: Vec<&str> = text.split('\0').collect();
    let &[identity, user, password] = parts.as_slice() else {
        return Progress::Malformed("PLAIN needs identity NUL user NUL password (RFC 4616)");
    };
    // Nobody may act for another user here.
    let acts_for_himself = identity.is_empty() || identity == user;
    verdict(
        acts_for_himself && password_fits(accounts, user, password),
        user.to_owned(),
    )
}

fn cram_md5(accounts: &Accounts, challenge: &str, text: &str) -> Progress {
    let Some((user, digest)) = text.rsplit_once(' ') else {
        return Progress::Malformed("CRAM-MD5 needs user, blank, digest (RFC 2195)");
    };
    let fits = accounts.get(user).is_some_and(|secret| {
        // A key of any length is legal for HMAC, so the error arm is never taken.
        Hmac::<Md5>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
            mac.update(challenge.as_bytes());
            hex(&mac.finalize().into_bytes()) == digest
        })
    });
    verdict(fits, user.to_owned())
}

fn verdict(fits: bool, user: String) -> Progress {
    if fits {
        Progress::Known(user)
    } else {
        Progress::Refused
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn accounts() -> Accounts {
        [
            ("mrose", "tanstaaf"),
            ("tim", "tanstaaftanstaaf"),
            ("un", "pwd"),
        ]
        .map(|(user, password)| (user.to_owned(), password.to_owned()))
        .into()
    }

    #[rstest]
    #[case::the_example_of_rfc_1939("c4c9334bac560ecc979e58001b3e22fb", true)]
    #[case::upper_case("C4C9334BAC560ECC979E58001B3E22FB", true)]
    #[case::wrong("c4c9334bac560ecc979e58001b3e22fc", false)]
    #[case::empty("", false)]
    fn apop(#[case] digest: &str, #[case] fits: bool) {
        let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(apop_fits(&accounts(), "mrose", timestamp, digest), fits);
    }

    #[test]
    fn cram_md5_agrees_with_the_example_of_rfc_2195() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>".to_owned();
        let exchange = Exchange::start("CRAM-MD5", challenge).unwrap();
        let response = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";
        assert_eq!(
            exchange.respond(&accounts(), response),
            Progress::Known("tim".into())
        );
    }

    #[rstest]
    #[case::good("\0un\0pwd", Progress::Known("un".into()))]
    #[case::same_identity("un\0un\0pwd", Progress::Known("un".into()))]
    #[case::other_identity("root\0un\0pwd", Progress::Refused)]
    #[case::wrong("\0un\0pw", Progress::Refused)]
    #[case::short(
        "un\0pwd",
        Progress::Malformed("PLAIN needs identity NUL user NUL password (RFC 4616)")
    )]
    fn plain_is_judged(#[case] message: &str, #[case] expected: Progress) {
        let response = STANDARD.encode(message);
        assert_eq!(Exchange::Plain.respond(&accounts(), &response), expected);
    }
}
