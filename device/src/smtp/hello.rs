//! What a server offers in its answer to `EHLO` (RFC 5321 section 4.1.1.1).

use super::auth::Mechanism;
use super::reply::Reply;

/// The service extensions that matter to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// `SIZE` (RFC 1870).
    pub(super) size: bool,
    /// Whether any `AUTH` mechanism is offered, known or not.
    pub(super) auth: bool,
    /// The known mechanisms that are offered.
    pub(super) mechanisms: Vec<Mechanism>,
}

impl Extensions {
    /// Reads the keyword lines; the first line is the server's name.
    pub(super) fn read(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        for line in reply.texts.iter().skip(1) {
            let line = String::from_utf8_lossy(line);
            // Old servers write `AUTH=LOGIN`.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some(word) if word.eq_ignore_ascii_case("SIZE") => extensions.size = true,
                Some(word) if word.eq_ignore_ascii_case("AUTH") => {
                    for word in words {
                        extensions.auth = true;
                        extensions.mechanisms.extend(Mechanism::named(word));
                    }
                }
                _ => {}
            }
        }
        extensions
    }

    /// The mechanism to use: the one that tells a listener least.
    pub(super) fn best_mechanism(&self) -> Option<Mechanism> {
        self.mechanisms.iter().copied().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(lines: &[&str]) -> Extensions {
        let texts = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        Extensions::read(&Reply { code: 250, texts })
    }

    #[rstest]
    #[case::none(&["host"], false, None)]
    #[case::host_is_no_keyword(&["AUTH PLAIN"], false, None)]
    #[case::plain(&["host", "AUTH LOGIN PLAIN"], true, Some(Mechanism::Plain))]
    #[case::login(&["host", "AUTH LOGIN"], true, Some(Mechanism::Login))]
    #[case::old_form(&["host", "AUTH=LOGIN"], true, Some(Mechanism::Login))]
    #[case::lower_case(&["host", "auth login"], true, Some(Mechanism::Login))]
    #[case::both_forms(&["host", "AUTH=LOGIN", "AUTH CRAM-MD5 LOGIN"], true, Some(Mechanism::CramMd5))]
    #[case::foreign(&["host", "AUTH XOAUTH2 GSSAPI"], true, None)]
    #[case::empty(&["host", "AUTH"], false, None)]
    #[case::lookalike(&["host", "AUTHX PLAIN", "XAUTH PLAIN"], false, None)]
    fn auth(#[case] lines: &[&str], #[case] offered: bool, #[case] best: Option<Mechanism>) {
        let extensions = read(lines);
        assert_eq!(
            (extensions.auth, extensions.best_mechanism()),
            (offered, best)
        );
    }

    #[rstest]
    #[case(&["host", "SIZE"], true)]
    #[case(&["host", "size 10485760"], true)]
    #[case(&["host", "SIZES"], false)]
    #[case(&["SIZE"], false)]
    fn size(#[case] lines: &[&str], #[case] offered: bool) {
        assert_eq!(read(lines).size, offered);
    }
}
