//! What is wrong with a message as such: header, MIME, secrecy.

use super::content::{PARTS, cut, unfold};

/// What is wrong with a message as RFC 5322, RFC 2045 and secrecy (RFC 5321 §7.2) go.
pub(super) fn lints(message: &[u8]) -> Vec<(&'static str, String)> {
    let mut lints = Vec::new();
    let head = header_block(message);
    let fields = fields(head);
    let count = |name: &str| {
        let names = fields.iter().copied().filter_map(field_name);
        names.filter(|it| it.eq_ignore_ascii_case(name)).count()
    };
    for name in ["Date", "From"] {
        if count(name) == 0 {
            let message = format!("the message has no {name} field (RFC 5322 §3.6)");
            lints.push(("smtp.header-missing", message));
        }
    }
    let once = [
        "Date",
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Subject",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    for name in once {
        if count(name) > 1 {
            let message = format!("the message has {} {name} fields", count(name));
            lints.push(("smtp.header-duplicate", message));
        }
    }
    // An empty one names nobody (RFC 5322 §3.6.3).
    let names_somebody = |field: &&str| {
        let of_bcc = field_name(field).is_some_and(|name| name.eq_ignore_ascii_case("Bcc"));
        of_bcc
            && field
                .split_once(':')
                .is_some_and(|(_, value)| !value.trim().is_empty())
    };
    if fields.iter().any(names_somebody) {
        lints.push((
            "smtp.bcc-header",
            "the message names its blind recipients in a Bcc field".into(),
        ));
    }
    if let Some(bad) = fields.iter().find(|field| field_name(field).is_none()) {
        let message = format!("{:?} is no header field", cut(bad, 80));
        lints.push(("smtp.header-malformed", message));
    }
    if (count("Content-Type") > 0 || count("Content-Transfer-Encoding") > 0)
        && count("MIME-Version") == 0
    {
        let message = "the message has MIME fields without MIME-Version (RFC 2045 §4)";
        lints.push(("smtp.mime-version", message.into()));
    }
    if let Some(problem) = multipart_problem(&fields, message.get(head.len()..)) {
        lints.push(("smtp.mime-boundary", problem));
    }
    let named = |field: &&&str| field_name(field).is_some_and(|it| it.eq_ignore_ascii_case("Date"));
    if let Some((_, date)) = fields.iter().find(named).and_then(|it| it.split_once(':'))
        && !is_date(&unfold(date))
    {
        let message = format!("{:?} is no date (RFC 5322 §3.3)", cut(date.trim(), 80));
        lints.push(("smtp.bad-date", message));
    }
    if let Some(length) = long_base64(message) {
        let message = format!("a line of base64 has {length} characters; 76 are allowed");
        lints.push(("smtp.base64-line-too-long", message));
    }
    lints
}

/// Whether this is a date as RFC 5322 §3.3 lets a client write it: with a zone in digits.
fn is_date(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let one_of = |names: &[&str], word: &str| names.iter().any(|it| it.eq_ignore_ascii_case(word));
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>, most: u32| {
        digits.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|number| number <= most)
    };
    // A comment behind it, such as the name of the zone, is free.
    let text = text.split('(').next().unwrap_or_default();
    let rest = match text.split_once(',') {
        Some((day, rest)) if one_of(&DAYS, day.trim()) => rest,
        Some(_) => return false,
        None => text,
    };
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let [day, month, year, time, zone] = words.as_slice() else {
        return false;
    };
    let time: Vec<&str> = time.split(':').collect();
    let time = match time.as_slice() {
        [hour, minute] => number(hour, 2..=2, 23) && number(minute, 2..=2, 59),
        [hour, minute, second] => {
            number(hour, 2..=2, 23) && number(minute, 2..=2, 59) && number(second, 2..=2, 60)
        }
        _ => false,
    };
    let zone = zone.strip_prefix(['+', '-']).is_some_and(|digits| {
        number(digits, 4..=4, 9959) && digits.get(2..).is_some_and(|it| number(it, 2..=2, 59))
    });
    number(day, 1..=2, 31)
        && *day != "0"
        && one_of(&MONTHS, month)
        && number(year, 4..=4, 9999)
        && time
        && zone
}

/// The length of the first line of base64 that is longer than RFC 2045 §6.8 allows.
fn long_base64(message: &[u8]) -> Option<usize> {
    let (mut in_header, mut base64) = (true, false);
    for line in message.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if in_header {
            let lower = line.get(..80).unwrap_or(line).to_ascii_lowercase();
            in_header = !line.is_empty();
            if let Some(encoding) = lower.strip_prefix(b"content-transfer-encoding:") {
                base64 = encoding.trim_ascii() == b"base64";
            }
        } else if line.starts_with(b"--") {
            // The next part; a line of base64 cannot begin like this.
            (in_header, base64) = (true, false);
        } else if base64 && line.len() > 76 {
            return Some(line.len());
        }
    }
    None
}

/// The octets before the first empty line. Where lines end with a bare line feed, an empty line is
/// one all the same: `smtp.body-bare-lf` speaks of that fault, and it is not to be taken for others.
fn header_block(message: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        end += line.len();
    }
    message.get(..end).unwrap_or(message)
}

/// The header's fields, each still folded.
fn fields(head: &[u8]) -> Vec<&str> {
    // Fields that are not UTF-8 are left out here: `smtp.8bit-without-8bitmime` speaks of them.
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        let folded = matches!(head.get(next), Some(b' ' | b'\t'));
        if !folded {
            if let Some(field) = head.get(start..next)
                && let Ok(field) = std::str::from_utf8(field)
            {
                fields.push(field.trim_end_matches(['\r', '\n']));
            }
            start = next;
        }
        at = next;
        if fields.len() > PARTS {
            break;
        }
    }
    fields
}

/// Its name, if it is a header field at all (RFC 5322 §2.2).
fn field_name(field: &str) -> Option<&str> {
    let (name, _) = field.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let fine = !name.is_empty() && name.bytes().all(|byte| matches!(byte, 33..=126));
    fine.then_some(name)
}

fn multipart_problem(fields: &[&str], body: Option<&[u8]>) -> Option<String> {
    let field = fields.iter().find(|field| {
        field_name(field).is_some_and(|name| name.eq_ignore_ascii_case("Content-Type"))
    })?;
    let value = unfold(field.split_once(':')?.1);
    if !value.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    let Some(at) = lower.find("boundary=") else {
        return Some("multipart without a boundary (RFC 2046 §5.1.1)".into());
    };
    let rest = value.get(at + "boundary=".len()..)?;
    let boundary = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([';', ' ', '\t']).next()?,
    };
    if boundary.is_empty() || boundary.len() > 70 {
        return Some("a boundary must have 1 to 70 characters (RFC 2046 §5.1.1)".into());
    }
    let has = |needle: String| {
        let body = body.unwrap_or_default();
        body.windows(needle.len())
            .any(|part| part == needle.as_bytes())
    };
    if !has(format!("\r\n--{boundary}")) {
        return Some(format!("no part begins with the boundary {boundary:?}"));
    }
    if !has(format!("\r\n--{boundary}--")) {
        return Some(format!("the boundary {boundary:?} is never closed"));
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rstest::rstest;

    pub(in crate::smtp) const GOOD: &str = "Date: Tue, 9 Mar 2010 17:11:30 +0800\r\nFrom: \"A\" <a@b.test>\r\n\
        To: c@d.test\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n folded\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"xx\"\r\n\r\n\
        --xx\r\nContent-Type: text/plain\r\n\r\nhello\r\n.dot\r\n--xx\r\n\
        Content-Type: application/octet-stream; name=\"a.bin\"\r\n\
        Content-Disposition: attachment; filename=\"a.bin\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--xx--\r\n";

    #[rstest]
    #[case("To: c@d.test\r\n", "Bcc: x@y.test\r\n", "smtp.bcc-header")]
    #[case("To: c@d.test\r\n", "To: a@b\r\nTo: c@d\r\n", "smtp.header-duplicate")]
    #[case("From: ", "X-From: ", "smtp.header-missing")]
    #[case("MIME-Version: 1.0\r\n", "", "smtp.mime-version")]
    #[case("--xx--", "--xx", "smtp.mime-boundary")]
    #[case("boundary=\"xx\"", "boundary=\"yy\"", "smtp.mime-boundary")]
    #[case("; boundary=\"xx\"", "", "smtp.mime-boundary")]
    #[case("To: c@d.test\r\n", "no field\r\n", "smtp.header-malformed")]
    #[case("9 Mar 2010", "9.3.2010", "smtp.bad-date")]
    #[case(
        "AAEC\r\n",
        "AAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAEC\r\n",
        "smtp.base64-line-too-long"
    )]
    fn what_is_wrong_is_named(#[case] from: &str, #[case] to: &str, #[case] id: &str) {
        let message = GOOD.replacen(from, to, 1);
        let found = lints(message.as_bytes());
        let ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [id], "{found:?}");
    }

    #[test]
    fn a_bcc_field_that_names_nobody_is_none() {
        let message = GOOD.replacen("To: c@d.test\r\n", "To: c@d.test\r\nBcc: \r\n", 1);
        assert_eq!(lints(message.as_bytes()), []);
    }

    #[test]
    fn a_bare_line_feed_ends_the_header_too() {
        let message = "Date: Tue, 9 Mar 2010 17:11:30 +0800\nFrom: a@b.test\n\nBcc: said he\n";
        assert_eq!(lints(message.as_bytes()), []);
    }

    #[rstest]
    #[case("Tue, 9 Mar 2010 17:11:30 +0800", true)]
    #[case("9 Mar 2010 17:11 -0000 (GMT)", true)]
    #[case("Tue, 09 mar 2010 17:11:60 +0530", true)]
    #[case("Tue, 9 Mar 10 17:11:30 +0800", false)]
    #[case("Tue, 9 Mar 2010 17:11:30", false)]
    #[case("Tue, 9 Mar 2010 17:11:30 GMT", false)]
    #[case("Tue, 9 Mar 2010 25:11:30 +0800", false)]
    #[case("Tue, 32 Mar 2010 17:11:30 +0800", false)]
    #[case("Tue, 9 Mär 2010 17:11:30 +0800", false)]
    #[case("Dienstag, 9 Mar 2010 17:11:30 +0800", false)]
    #[case("Tue, 9 Mar 2010 17:11:30 +08:00", false)]
    #[case("10/03/09,17:11:30+32", false)]
    #[case("", false)]
    fn dates_are_told_from_others(#[case] text: &str, #[case] date: bool) {
        assert_eq!(is_date(text), date);
    }
}
