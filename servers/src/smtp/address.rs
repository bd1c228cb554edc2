//! Paths and mailboxes (RFC 5321 §4.1.2).

/// A path between its angle brackets, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `<>`.
    Null,
    /// A mailbox, its source route taken off (§3.3: routes are to be ignored).
    Mailbox(String),
    /// `<Postmaster>` without a domain (§4.5.1).
    Postmaster,
}

/// Reads what stands between the brackets.
pub(super) fn path(text: &str) -> Result<Path, &'static str> {
    if text.is_empty() {
        return Ok(Path::Null);
    }
    // §4.5.3.1.3: 256 octets with the brackets.
    if text.len() > 254 {
        return Err("path too long");
    }
    if text.eq_ignore_ascii_case("postmaster") {
        return Ok(Path::Postmaster);
    }
    let mailbox = match text.strip_prefix('@') {
        Some(_) => text
            .split_once(':')
            .filter(|(route, _)| route.split(',').all(is_hop))
            .map(|(_, mailbox)| mailbox)
            .ok_or("bad source route")?,
        None => text,
    };
    let at = mailbox.rfind('@').ok_or("no domain in address")?;
    let (local, domain) = mailbox.split_at(at);
    let domain = domain.get(1..).unwrap_or_default();
    if !is_local(local) {
        return Err("bad local part");
    }
    if !is_domain(domain) && !is_literal(domain) {
        return Err("bad domain");
    }
    Ok(Path::Mailbox(mailbox.to_owned()))
}

/// Whether it is a domain name as far as syntax goes. Underscores are no letters of a host name,
/// but real servers take them.
pub(super) fn is_domain(text: &str) -> bool {
    text.len() <= 255
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

/// Whether it is an address literal (§4.1.3): `[192.0.2.1]`, `[IPv6:…]`, `[tag:…]`.
pub(super) fn is_literal(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    else {
        return false;
    };
    if let Some((tag, address)) = inner.split_once(':') {
        return match tag.eq_ignore_ascii_case("IPv6") {
            true => address.parse::<std::net::Ipv6Addr>().is_ok(),
            false => {
                is_domain(tag)
                    && !address.is_empty()
                    && address
                        .bytes()
                        .all(|byte| matches!(byte, 33..=90 | 94..=126))
            }
        };
    }
    inner.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_hop(hop: &str) -> bool {
    hop.strip_prefix('@')
        .is_some_and(|domain| is_domain(domain) || is_literal(domain))
}

/// A dot-string or a quoted string of at most 64 octets.
fn is_local(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    let quoted = text
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    match quoted {
        Some(inner) => is_quoted(inner),
        None => text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom)),
    }
}

fn is_quoted(inner: &str) -> bool {
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        let fine = match byte {
            b'\\' => rest.next().is_some_and(|byte| matches!(byte, 32..=126)),
            b'"' => false,
            _ => matches!(byte, 32..=126),
        };
        if !fine {
            return false;
        }
    }
    true
}

fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a@b", "a@b")]
    #[case("first.last+tag@mail.example.test", "first.last+tag@mail.example.test")]
    #[case("\"a b\\\"@c\"@example.test", "\"a b\\\"@c\"@example.test")]
    #[case("@one.test,@two.test:a@b.test", "a@b.test")]
    #[case("a@[192.0.2.1]", "a@[192.0.2.1]")]
    #[case("a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]")]
    fn mailboxes(#[case] text: &str, #[case] mailbox: &str) {
        assert_eq!(path(text), Ok(Path::Mailbox(mailbox.into())));
    }

    #[rstest]
    #[case("a")]
    #[case("@b")]
    #[case("a@")]
    #[case("a b@c")]
    #[case("a..b@c")]
    #[case(".a@c")]
    #[case("\"a@c")]
    #[case("\"a\"b\"@c")]
    #[case("a@-b.c")]
    #[case("a@b..c")]
    #[case("a@[300.0.0.1]")]
    #[case("a@b@c")]
    #[case("@hop a@b")]
    #[case("ä@b")]
    fn no_mailboxes(#[case] text: &str) {
        assert!(path(text).is_err(), "{:?}", path(text));
    }

    #[test]
    fn lengths_and_special_paths() {
        let local = "x".repeat(64);
        assert!(path(&format!("{local}@b")).is_ok());
        assert!(path(&format!("{local}x@b")).is_err());
        assert!(path(&format!("a@{}", "b.".repeat(200))).is_err());
        assert_eq!(path(""), Ok(Path::Null));
        assert_eq!(path("postMaster"), Ok(Path::Postmaster));
    }
}
