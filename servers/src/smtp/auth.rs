//! Authentication exchanges (RFC 4954): PLAIN (4616), LOGIN, CRAM-MD5 (2195).

use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use std::collections::BTreeMap;

/// What the next line of the client means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// The response of PLAIN.
    Plain,
    /// The user name of LOGIN.
    User,
    /// The password of LOGIN.
    Password(String),
    /// The digest of CRAM-MD5 to this challenge.
    Digest(String),
    /// Nothing any more: the client was made to believe that the exchange goes on.
    Spent,
}

/// What comes out of a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask on, with this challenge (not encoded yet).
    Challenge(Exchange, String),
    /// The credentials are right.
    Right(String),
    /// They are wrong; the user name as far as it is known.
    Wrong(Option<String>),
    /// The client cancelled with `*`.
    Cancelled,
    /// What the client sent is not base64.
    NotBase64,
    /// It is base64 but not what the mechanism demands.
    Malformed(&'static str),
}

/// Whether this mechanism can be carried out.
pub(super) fn knows(mechanism: &str) -> bool {
    matches!(mechanism, "PLAIN" | "LOGIN" | "CRAM-MD5")
}

/// Begins an exchange. `initial` is the initial response as it stands in the command; `unique`
/// makes the challenge of CRAM-MD5.
pub(super) fn begin(
    mechanism: &str,
    initial: Option<&str>,
    unique: &str,
    accounts: &BTreeMap<String, String>,
) -> Step {
    let (exchange, challenge) = match mechanism {
        "LOGIN" => (Exchange::User, "Username:".to_owned()),
        "CRAM-MD5" => (Exchange::Digest(unique.to_owned()), unique.to_owned()),
        _ => (Exchange::Plain, String::new()),
    };
    match (exchange, initial) {
        (exchange, None) => Step::Challenge(exchange, challenge),
        (Exchange::Digest(_), Some(_)) => {
            Step::Malformed("CRAM-MD5 begins with the server's challenge")
        }
        // RFC 4954 §4: a single equals sign is the empty initial response.
        (exchange, Some("=")) => answer(exchange, b"", accounts),
        (exchange, Some(text)) => go_on(exchange, text.as_bytes(), accounts),
    }
}

/// Takes a line of the client.
pub(super) fn go_on(exchange: Exchange, line: &[u8], accounts: &BTreeMap<String, String>) -> Step {
    if line == b"*" {
        return Step::Cancelled;
    }
    match STANDARD.decode(line) {
        Ok(response) => answer(exchange, &response, accounts),
        Err(_) => Step::NotBase64,
    }
}

/// Whether the line would be base64 if padding were optional, for the lint's sentence.
pub(super) fn lacks_padding(line: &[u8]) -> bool {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&ALPHABET, config).decode(line).is_ok()
}

/// A challenge as it goes over the wire.
pub(super) fn encode(challenge: &str) -> String {
    STANDARD.encode(challenge)
}

fn answer(exchange: Exchange, response: &[u8], accounts: &BTreeMap<String, String>) -> Step {
    let text = String::from_utf8_lossy(response);
    match exchange {
        Exchange::Plain => plain(&text, accounts),
        Exchange::User => Step::Challenge(
            Exchange::Password(text.into_owned()),
            "Password:".to_owned(),
        ),
        Exchange::Password(user) => judge(user, &text, accounts),
        Exchange::Digest(challenge) => digest(&challenge, &text, accounts),
        Exchange::Spent => Step::Wrong(None),
    }
}

/// RFC 4616: `[authzid] NUL authcid NUL passwd`.
fn plain(response: &str, accounts: &BTreeMap<String, String>) -> Step {
    let mut parts = response.split('\0');
    let (Some(other), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Step::Malformed("PLAIN is [authzid] NUL user NUL password");
    };
    if !other.is_empty() && other != user {
        return Step::Wrong(Some(user.to_owned()));
    }
    judge(user.to_owned(), password, accounts)
}

/// RFC 2195: `user SP hex-digest`.
fn digest(challenge: &str, response: &str, accounts: &BTreeMap<String, String>) -> Step {
    let Some((user, given)) = response.rsplit_once(' ') else {
        return Step::Malformed("CRAM-MD5 is user, blank, digest");
    };
    let expected = accounts.get(user).and_then(|password| {
        let mut mac = Hmac::<Md5>::new_from_slice(password.as_bytes()).ok()?;
        mac.update(challenge.as_bytes());
        let bytes = mac.finalize().into_bytes();
        Some(
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        )
    });
    match expected {
        Some(expected) if expected == given => Step::Right(user.to_owned()),
        _ => Step::Wrong(Some(user.to_owned())),
    }
}

fn judge(user: String, password: &str, accounts: &BTreeMap<String, String>) -> Step {
    match accounts.get(&user) {
        Some(known) if known == password => Step::Right(user),
        _ => Step::Wrong(Some(user)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn accounts() -> BTreeMap<String, String> {
        [("tim", "tanstaaftanstaaf"), ("alice", "correct horse")]
            .map(|(user, password)| (user.to_owned(), password.to_owned()))
            .into()
    }

    /// The example of RFC 2195 §2.
    #[test]
    fn cram_md5_as_in_its_rfc() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>";
        let response = b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";
        let exchange = Exchange::Digest(challenge.into());
        assert_eq!(
            go_on(exchange, response, &accounts()),
            Step::Right("tim".into())
        );
    }

    #[rstest]
    #[case("\0alice\0correct horse", Step::Right("alice".into()))]
    #[case("alice\0alice\0correct horse", Step::Right("alice".into()))]
    #[case("bob\0alice\0correct horse", Step::Wrong(Some("alice".into())))]
    #[case("\0alice\0Correct horse", Step::Wrong(Some("alice".into())))]
    #[case("\0nobody\0x", Step::Wrong(Some("nobody".into())))]
    #[case("alice", Step::Malformed("PLAIN is [authzid] NUL user NUL password"))]
    #[case(
        "a\0b\0c\0d",
        Step::Malformed("PLAIN is [authzid] NUL user NUL password")
    )]
    fn plain_responses(#[case] response: &str, #[case] step: Step) {
        let encoded = encode(response);
        assert_eq!(begin("PLAIN", Some(&encoded), "", &accounts()), step);
        let step_later = go_on(Exchange::Plain, encoded.as_bytes(), &accounts());
        assert_eq!(step_later, step);
    }

    #[test]
    fn login_asks_twice_and_takes_an_initial_user() {
        let password = Exchange::Password("alice".into());
        let asked = Step::Challenge(password.clone(), "Password:".into());
        assert_eq!(
            begin("LOGIN", None, "", &accounts()),
            Step::Challenge(Exchange::User, "Username:".into())
        );
        assert_eq!(begin("LOGIN", Some("YWxpY2U="), "", &accounts()), asked);
        assert_eq!(go_on(password.clone(), b"*", &accounts()), Step::Cancelled);
        assert_eq!(go_on(password, b"%%", &accounts()), Step::NotBase64);
        assert!(lacks_padding(b"YWxpY2U"));
    }
}
