//! Status lines and the numbers in them (RFC 1939 sections 3 and 5).

use super::{DropListing, ScanListing};

/// A status line. The text after the indicator is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok(Vec<u8>),
    Err(Vec<u8>),
}

impl Status {
    /// Reads a line. The indicator is in upper case and ends with the line or with a space;
    /// everything else is no status line.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let text = |indicator: &[u8]| match line.strip_prefix(indicator)? {
            [] => Some(Vec::new()),
            [b' ', text @ ..] => Some(text.to_vec()),
            _ => None,
        };
        text(b"+OK")
            .map(Self::Ok)
            .or_else(|| text(b"-ERR").map(Self::Err))
    }
}

/// Whether a refusal of a login says that the credentials are not the reason: response codes of
/// RFC 2449 section 8 and RFC 3206.
pub(super) fn is_not_about_credentials(text: &[u8]) -> bool {
    let text = text.trim_ascii_start().to_ascii_uppercase();
    [b"[IN-USE".as_slice(), b"[SYS/", b"[LOGIN-DELAY"]
        .iter()
        .any(|code| text.starts_with(code))
}

/// The timestamp of a greeting that offers `APOP`, with its angle brackets (RFC 1939 section 7).
pub(super) fn timestamp(greeting: &[u8]) -> Option<&[u8]> {
    let start = greeting.iter().position(|byte| *byte == b'<')?;
    let rest = greeting.get(start..)?;
    let end = rest.iter().position(|byte| *byte == b'>')?;
    let timestamp = rest.get(..=end)?;
    let printable = timestamp.iter().all(u8::is_ascii_graphic);
    (printable && timestamp.contains(&b'@')).then_some(timestamp)
}

/// `nn mm`, then nothing or a space and anything.
pub(super) fn drop_listing(text: &[u8]) -> Option<DropListing> {
    let (count, size) = two_numbers(text)?;
    Some(DropListing {
        count: u32::try_from(count).ok()?,
        size,
    })
}

/// `n size`, then nothing or a space and anything.
pub(super) fn scan_listing(text: &[u8]) -> Option<ScanListing> {
    let (number, size) = two_numbers(text)?;
    Some(ScanListing {
        number: u32::try_from(number).ok()?,
        size,
    })
}

fn two_numbers(text: &[u8]) -> Option<(u64, u64)> {
    let mut words = text.split(|byte| *byte == b' ');
    Some((number(words.next()?)?, number(words.next()?)?))
}

/// Digits only, and no wrap-around.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::bare("+OK", Some(Status::Ok(b"".to_vec())))]
    #[case::text("+OK 2 320", Some(Status::Ok(b"2 320".to_vec())))]
    #[case::error("-ERR no", Some(Status::Err(b"no".to_vec())))]
    #[case::bare_error("-ERR", Some(Status::Err(b"".to_vec())))]
    #[case::lower_case("+ok 2 320", None)]
    #[case::lower_case_error("-err", None)]
    #[case::no_sign("OK", None)]
    #[case::no_blank("+OKfoo", None)]
    #[case::tab("+OK\t2 320", None)]
    #[case::empty("", None)]
    #[case::plus("+", None)]
    #[case::imap("* OK ready", None)]
    #[case::smtp("220 ready", None)]
    fn status_lines(#[case] line: &str, #[case] status: Option<Status>) {
        assert_eq!(Status::read(line.as_bytes()), status);
    }

    #[rstest]
    #[case::plain("2 320", Some((2, 320)))]
    #[case::none("0 0", Some((0, 0)))]
    #[case::trailing_text("2 320 octets", Some((2, 320)))]
    #[case::trailing_blank("2 320 ", Some((2, 320)))]
    #[case::missing("", None)]
    #[case::one("2", None)]
    #[case::letters("x y", None)]
    #[case::negative("-1 5", None)]
    #[case::plus("+1 5", None)]
    #[case::tab("2\t320", None)]
    #[case::double_blank("2  320", None)]
    #[case::glued("2 320octets", None)]
    #[case::count_too_big("4294967296 1", None)]
    #[case::biggest_count("4294967295 1", Some((u32::MAX, 1)))]
    #[case::big_size("1 9223372036854775808", Some((1, 1 << 63)))]
    #[case::size_too_big("1 99999999999999999999", None)]
    fn listings(#[case] text: &str, #[case] numbers: Option<(u32, u64)>) {
        let listing = drop_listing(text.as_bytes());
        assert_eq!(
            listing.map(|listing| (listing.count, listing.size)),
            numbers
        );
        let listing = scan_listing(text.as_bytes());
        assert_eq!(
            listing.map(|listing| (listing.number, listing.size)),
            numbers
        );
    }

    #[rstest]
    #[case::rfc(
        "POP3 server ready <1896.697170952@dbc.mtview.ca.us>",
        Some("<1896.697170952@dbc.mtview.ca.us>")
    )]
    #[case::none("POP3 server ready", None)]
    #[case::no_at("<hello>", None)]
    #[case::open("<a@b", None)]
    #[case::blank("<a b@c>", None)]
    fn timestamps(#[case] greeting: &str, #[case] stamp: Option<&str>) {
        assert_eq!(timestamp(greeting.as_bytes()), stamp.map(str::as_bytes));
    }

    #[rstest]
    #[case("[IN-USE] locked", true)]
    #[case("[SYS/TEMP] later", true)]
    #[case("[sys/perm] never", true)]
    #[case("[LOGIN-DELAY] wait", true)]
    #[case("[AUTH] bad password", false)]
    #[case("bad password", false)]
    fn refusals(#[case] text: &str, #[case] other: bool) {
        assert_eq!(is_not_about_credentials(text.as_bytes()), other);
    }
}
