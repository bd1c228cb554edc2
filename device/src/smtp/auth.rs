//! The authentication exchange (RFC 4954; PLAIN RFC 4616, CRAM-MD5 RFC 2195, LOGIN by custom).

use super::Credentials;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

/// A mechanism that the client has, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mechanism {
    CramMd5,
    Plain,
    Login,
}

impl Mechanism {
    /// The mechanism of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        [
            ("CRAM-MD5", Self::CramMd5),
            ("PLAIN", Self::Plain),
            ("LOGIN", Self::Login),
        ]
        .into_iter()
        .find_map(|(known, mechanism)| name.eq_ignore_ascii_case(known).then_some(mechanism))
    }
}

/// One exchange: the command that opens it, then one answer for each challenge.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    mechanism: Mechanism,
    credentials: &'a Credentials,
    round: u8,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(mechanism: Mechanism, credentials: &'a Credentials) -> Self {
        Self {
            mechanism,
            credentials,
            round: 0,
        }
    }

    /// The command, without its line end.
    pub(super) fn command(&self) -> String {
        match self.mechanism {
            Mechanism::CramMd5 => "AUTH CRAM-MD5".to_owned(),
            Mechanism::Login => "AUTH LOGIN".to_owned(),
            Mechanism::Plain => {
                let Credentials { user, password } = self.credentials;
                format!(
                    "AUTH PLAIN {}",
                    BASE64_STANDARD.encode(format!("\0{user}\0{password}"))
                )
            }
        }
    }

    /// The answer to the challenge in a 334 reply; `None` if it is to be cancelled with `*`:
    /// garbage, or one challenge more than the mechanism has.
    pub(super) fn answer(&mut self, challenge: &[u8]) -> Option<String> {
        let challenge = BASE64_STANDARD.decode(challenge.trim_ascii()).ok()?;
        self.round = self.round.saturating_add(1);
        let Credentials { user, password } = self.credentials;
        match (self.mechanism, self.round) {
            // What the prompts say is not standardised; their order is.
            (Mechanism::Login, 1) => Some(BASE64_STANDARD.encode(user)),
            (Mechanism::Login, 2) => Some(BASE64_STANDARD.encode(password)),
            (Mechanism::CramMd5, 1) if !challenge.is_empty() => {
                let mut mac = Hmac::<Md5>::new_from_slice(password.as_bytes()).ok()?;
                mac.update(&challenge);
                let digest = u128::from_be_bytes(mac.finalize().into_bytes().into());
                Some(BASE64_STANDARD.encode(format!("{user} {digest:032x}")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn plain_as_in_rfc_4616() {
        let credentials = credentials("tim", "tanstaaftanstaaf");
        let mut exchange = Exchange::new(Mechanism::Plain, &credentials);
        assert_eq!(
            exchange.command(),
            "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
        );
        assert_eq!(exchange.answer(b""), None);
    }

    #[test]
    fn login_answers_two_prompts_whatever_they_say() {
        let credentials = credentials("alice", "correct horse");
        let mut exchange = Exchange::new(Mechanism::Login, &credentials);
        assert_eq!(exchange.command(), "AUTH LOGIN");
        assert_eq!(exchange.answer(b"VXNlcm5hbWU6").unwrap(), "YWxpY2U=");
        assert_eq!(exchange.answer(b"").unwrap(), "Y29ycmVjdCBob3JzZQ==");
        assert_eq!(exchange.answer(b"VXNlcm5hbWU6"), None);
    }

    #[test]
    fn cram_md5_as_in_rfc_2195() {
        let credentials = credentials("tim", "tanstaaftanstaaf");
        let mut exchange = Exchange::new(Mechanism::CramMd5, &credentials);
        assert_eq!(exchange.command(), "AUTH CRAM-MD5");
        assert_eq!(
            exchange
                .answer(b"PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
                .unwrap(),
            "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
        );
        assert_eq!(exchange.answer(b"PDE4OTY+"), None);
    }

    #[test]
    fn garbage_is_not_answered() {
        let credentials = credentials("alice", "secret");
        for mechanism in [Mechanism::CramMd5, Mechanism::Login] {
            assert_eq!(
                Exchange::new(mechanism, &credentials).answer(b"not base64!"),
                None
            );
        }
        assert_eq!(
            Exchange::new(Mechanism::CramMd5, &credentials).answer(b""),
            None
        );
    }
}
