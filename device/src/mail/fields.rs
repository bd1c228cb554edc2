//! The four header fields that the module shows, as on the wire but unfolded.

/// Values of the fields that `AT+POP3HDR` and `AT+POP3READ` print.
///
/// Each is the first field of that name, unfolded, without control characters (a bare CR in a
/// value must not end a line on the AT channel), otherwise octet for octet as the server sent it.
/// `None` if the message has no such field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderFields {
    /// `Date`.
    pub date: Option<Vec<u8>>,
    /// `From`.
    pub from: Option<Vec<u8>>,
    /// `To`.
    pub to: Option<Vec<u8>>,
    /// `Subject`.
    pub subject: Option<Vec<u8>>,
}

/// A value longer than this is cut.
const VALUE_LIMIT: usize = 8 * 1024;

impl HeaderFields {
    /// Reads the header of `message`: everything up to the first empty line or the end.
    #[must_use]
    pub fn parse(message: &[u8]) -> Self {
        let mut fields = Self::default();
        // The field that a folded line continues; `None` while in a field that is not shown.
        let mut open: Option<Name> = None;
        for line in message.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if matches!(line.first(), Some(b' ' | b'\t')) {
                if let Some(value) = open.and_then(|name| fields.slot(name).as_mut()) {
                    append(value, line);
                }
                continue;
            }
            open = None;
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, rest) = line.split_at(colon);
            let Some(name) = Name::of(name.trim_ascii_end()) else {
                continue;
            };
            let slot = fields.slot(name);
            if slot.is_none() {
                let mut value = Vec::new();
                append(
                    &mut value,
                    rest.get(1..).unwrap_or_default().trim_ascii_start(),
                );
                *slot = Some(value);
                open = Some(name);
            }
        }
        for name in [Name::Date, Name::From, Name::To, Name::Subject] {
            if let Some(value) = fields.slot(name) {
                value.truncate(value.trim_ascii_end().len());
            }
        }
        fields
    }

    fn slot(&mut self, name: Name) -> &mut Option<Vec<u8>> {
        match name {
            Name::Date => &mut self.date,
            Name::From => &mut self.from,
            Name::To => &mut self.to,
            Name::Subject => &mut self.subject,
        }
    }
}

#[derive(Clone, Copy)]
enum Name {
    Date,
    From,
    To,
    Subject,
}

impl Name {
    fn of(name: &[u8]) -> Option<Self> {
        [
            (b"date".as_slice(), Self::Date),
            (b"from", Self::From),
            (b"to", Self::To),
            (b"subject", Self::Subject),
        ]
        .into_iter()
        .find_map(|(known, value)| name.eq_ignore_ascii_case(known).then_some(value))
    }
}

/// Unfolding removes only the line end (RFC 5322 section 2.2.3); a tab becomes a space.
fn append(value: &mut Vec<u8>, text: &[u8]) {
    let room = VALUE_LIMIT.saturating_sub(value.len());
    value.extend(
        text.iter()
            .map(|byte| if *byte == b'\t' { b' ' } else { *byte })
            .filter(|byte| !byte.is_ascii_control())
            .take(room),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_four_fields_come_as_on_the_wire() {
        let fields = HeaderFields::parse(
            b"Received: from a\r\n by b\r\nDate: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
              FROM: \"FromName\" <FromAddr@server.com>\r\nTo :  x@y \r\n\
              Subject: one\r\n two\r\n\tthree\r\n\r\nSubject: not this\r\n",
        );
        assert_eq!(fields.date.unwrap(), b"Tue, 9 Mar 2010 17:11:30 +0800");
        assert_eq!(fields.from.unwrap(), b"\"FromName\" <FromAddr@server.com>");
        assert_eq!(fields.to.unwrap(), b"x@y");
        assert_eq!(fields.subject.unwrap(), b"one two three");
    }

    #[rstest]
    #[case::missing(b"From: a\r\n\r\n", None)]
    #[case::empty(b"Subject:\r\n\r\n", Some(b"".as_slice()))]
    #[case::first_of_two(b"Subject: a\r\nSubject: b\r\n\r\n", Some(b"a".as_slice()))]
    #[case::folds_of_the_second_are_not_added(
        b"Subject: a\r\nSubject: b\r\n c\r\n\r\n",
        Some(b"a".as_slice())
    )]
    #[case::bare_line_feeds(b"X: y\nSubject: a\n b\n\nbody", Some(b"a b".as_slice()))]
    #[case::controls(b"Subject: a\x1b[0m\0\rOK\r\n\r\n", Some(b"a[0mOK".as_slice()))]
    #[case::eight_bit(b"Subject: \xc4\xe3\r\n\r\n", Some(b"\xc4\xe3".as_slice()))]
    #[case::no_end(b"Subject: a", Some(b"a".as_slice()))]
    #[case::nothing(b"", None)]
    fn subjects(#[case] message: &[u8], #[case] subject: Option<&[u8]>) {
        assert_eq!(HeaderFields::parse(message).subject.as_deref(), subject);
    }

    #[test]
    fn a_megabyte_of_header_is_bounded() {
        let mut message = b"Subject: a\r\n".to_vec();
        for _ in 0..100_000 {
            message.extend_from_slice(b" folded line\r\n");
        }
        assert_eq!(
            HeaderFields::parse(&message).subject.unwrap().len(),
            VALUE_LIMIT
        );
    }
}
