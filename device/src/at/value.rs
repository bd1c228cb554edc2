//! The values of a command (V.250 5.4.2): one typed reader for all of them.

use super::syntax;
use std::ops::RangeInclusive;

/// Reads the values of a command from left to right.
///
/// A handler asks for each value by its type and range, then calls [`Values::end`]; so a missing
/// value, a wrong type, a number out of range, a text that is too long and a value too many are
/// all found here.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    /// What is still to be read; `None` after the last value.
    rest: Option<&'a [u8]>,
}

/// A value that the command does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadValue;

impl<'a> Values<'a> {
    /// The values after the `=`.
    pub(crate) fn new(values: &'a [u8]) -> Self {
        Self { rest: Some(values) }
    }

    /// A number that must be there.
    pub(crate) fn number(&mut self, range: RangeInclusive<u32>) -> Result<u32, BadValue> {
        self.optional_number(range)?.ok_or(BadValue)
    }

    /// A number that may be left out.
    pub(crate) fn optional_number(
        &mut self,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, BadValue> {
        let value = self.next();
        if value.is_empty() {
            return Ok(None);
        }
        let number = syntax::number(value).ok_or(BadValue)?;
        if range.contains(&number) {
            Ok(Some(number))
        } else {
            Err(BadValue)
        }
    }

    /// A string constant that must be there and has 1 to `longest` characters.
    pub(crate) fn text(&mut self, longest: usize) -> Result<String, BadValue> {
        let text = self.optional_text(longest)?.ok_or(BadValue)?;
        if text.is_empty() {
            Err(BadValue)
        } else {
            Ok(text)
        }
    }

    /// A string constant of at most `longest` characters that may be left out; it may be empty.
    pub(crate) fn optional_text(&mut self, longest: usize) -> Result<Option<String>, BadValue> {
        self.constant(longest, |character| (' '..='~').contains(&character))
    }

    /// A string constant that must be there, may be empty, and may hold any printable character,
    /// written as `{non-ascii}"…"` if it is not ASCII.
    pub(crate) fn title(&mut self, longest: usize) -> Result<String, BadValue> {
        self.constant(longest, |character| !character.is_control())?
            .ok_or(BadValue)
    }

    /// A string constant that must be there, may be empty, and may hold line ends and tabulators,
    /// written as `\0D`, `\0A` and `\09`.
    pub(crate) fn lines(&mut self, longest: usize) -> Result<String, BadValue> {
        let line = |character| matches!(character, ' '..='~' | '\r' | '\n' | '\t');
        self.constant(longest, line)?.ok_or(BadValue)
    }

    fn constant(
        &mut self,
        longest: usize,
        allowed: fn(char) -> bool,
    ) -> Result<Option<String>, BadValue> {
        let value = self.next();
        if value.is_empty() {
            return Ok(None);
        }
        let text = match value.strip_prefix(b"{non-ascii}") {
            Some(quoted) => unicode(unquoted(quoted)?)?,
            None => unescaped(unquoted(value)?)?,
        };
        if text.chars().count() <= longest && text.chars().all(allowed) {
            Ok(Some(text))
        } else {
            Err(BadValue)
        }
    }

    /// A value without quotes, as the file commands take it, or one in quotes.
    pub(crate) fn word(&mut self) -> Result<String, BadValue> {
        let value = self.next();
        match value.first() {
            None => Err(BadValue),
            Some(b'"') => unescaped(unquoted(value)?),
            Some(_) => ascii(value),
        }
    }

    /// Whether all values have been read, but for commas that hold no value.
    pub(crate) fn end(self) -> Result<(), BadValue> {
        match self.rest {
            Some(rest) if rest.iter().any(|byte| *byte != b',') => Err(BadValue),
            _ => Ok(()),
        }
    }

    /// The bytes up to the next comma outside a string constant.
    fn next(&mut self) -> &'a [u8] {
        let Some(rest) = self.rest else { return &[] };
        let mut quoted = false;
        let comma = rest.iter().position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        });
        let (value, after) = match comma.and_then(|at| rest.split_at_checked(at)) {
            Some((value, after)) => (value, after.split_first().map(|(_, after)| after)),
            None => (rest, None),
        };
        self.rest = after;
        value
    }
}

/// A text as the constant that a DTE would have to write for it.
pub(crate) fn quoted(text: &str) -> String {
    if !text.is_ascii() {
        let digits: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        return format!("{{non-ascii}}\"{digits}\"");
    }
    let mut constant = String::with_capacity(text.len() + 2);
    constant.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '\0'..' ' | '\x7f' => {
                constant.push_str(&format!("\\{:02X}", u32::from(character)));
            }
            _ => constant.push(character),
        }
    }
    constant.push('"');
    constant
}

fn unquoted(value: &[u8]) -> Result<&[u8], BadValue> {
    match value {
        [b'"', text @ .., b'"'] if !text.contains(&b'"') => Ok(text),
        _ => Err(BadValue),
    }
}

fn ascii(text: &[u8]) -> Result<String, BadValue> {
    if text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        String::from_utf8(text.to_vec()).map_err(|_| BadValue)
    } else {
        Err(BadValue)
    }
}

/// V.250 5.4.2.2: printable characters, and any other as a backslash with two digits.
fn unescaped(text: &[u8]) -> Result<String, BadValue> {
    if !text.contains(&b'\\') {
        return ascii(text);
    }
    let mut characters = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Ok(characters),
            [b'\\', high, low, after @ ..] => {
                let byte = hex(*high, *low)?;
                if !byte.is_ascii() {
                    return Err(BadValue);
                }
                characters.push(char::from(byte));
                after
            }
            [byte @ (b' '..=b'[' | b']'..=b'~'), after @ ..] => {
                characters.push(char::from(*byte));
                after
            }
            _ => return Err(BadValue),
        };
    }
}

/// The SIM5320 manual's `{non-ascii}"…"`: UTF-8 in hexadecimal digits.
fn unicode(digits: &[u8]) -> Result<String, BadValue> {
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => hex(*high, *low),
        _ => Err(BadValue),
    });
    String::from_utf8(pairs.collect::<Result<_, _>>()?).map_err(|_| BadValue)
}

fn hex(high: u8, low: u8) -> Result<u8, BadValue> {
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(BadValue);
    u8::try_from(digit(high)? * 16 + digit(low)?).map_err(|_| BadValue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("25", Ok(Some(25)))]
    #[case("0025", Ok(Some(25)))]
    #[case("", Ok(None))]
    #[case(",", Ok(None))]
    #[case("-1", Err(BadValue))]
    #[case("+1", Err(BadValue))]
    #[case("65536", Err(BadValue))]
    #[case("99999999999999999999", Err(BadValue))]
    #[case("0x10", Err(BadValue))]
    #[case("\"25\"", Err(BadValue))]
    fn numbers(#[case] text: &str, #[case] expected: Result<Option<u32>, BadValue>) {
        assert_eq!(
            Values::new(text.as_bytes()).optional_number(1..=65535),
            expected
        );
    }

    #[rstest]
    #[case("\"a,b;c\"", Ok("a,b;c"))]
    #[case("\"say \\22hi\\22 \\5C\"", Ok("say \"hi\" \\"))]
    #[case("{non-ascii}\"6869\"", Ok("hi"))]
    #[case("{non-ascii}\"C3A4\"", Err(BadValue))]
    #[case("\"\\0D\\0a\"", Err(BadValue))]
    #[case("{non-ascii}\"C3\"", Err(BadValue))]
    #[case("{non-ascii}\"C3A\"", Err(BadValue))]
    #[case("\"12345678901\"", Err(BadValue))]
    #[case("\"a\\zz\"", Err(BadValue))]
    #[case("\"a\\2\"", Err(BadValue))]
    #[case("\"\\C3\\A4\"", Err(BadValue))]
    #[case("\"\u{e4}\"", Err(BadValue))]
    #[case("\"\x7f\"", Err(BadValue))]
    #[case("\"\"", Err(BadValue))]
    #[case("\"a\"b\"c\"", Err(BadValue))]
    #[case("bare", Err(BadValue))]
    #[case("", Err(BadValue))]
    fn texts(#[case] text: &str, #[case] expected: Result<&str, BadValue>) {
        let read = Values::new(text.as_bytes()).text(10);
        assert_eq!(read.as_deref().map_err(|error| *error), expected);
    }

    #[rstest]
    #[case("\"a\\0D\\0ab\"", Err(BadValue), Ok("a\r\nb"))]
    #[case("{non-ascii}\"C3A4\"", Ok("ä"), Err(BadValue))]
    #[case("\"\"", Ok(""), Ok(""))]
    #[case("\"\\00\"", Err(BadValue), Err(BadValue))]
    #[case("", Err(BadValue), Err(BadValue))]
    fn titles_hold_any_letter_and_lines_hold_line_ends(
        #[case] text: &str,
        #[case] title: Result<&str, BadValue>,
        #[case] lines: Result<&str, BadValue>,
    ) {
        let read = Values::new(text.as_bytes()).title(10);
        assert_eq!(read.as_deref().map_err(|error| *error), title);
        let read = Values::new(text.as_bytes()).lines(10);
        assert_eq!(read.as_deref().map_err(|error| *error), lines);
    }

    #[rstest]
    #[case("plain text")]
    #[case("a\"b\\c")]
    #[case("two\r\nlines\t")]
    #[case("")]
    fn what_is_quoted_is_read_back(#[case] text: &str) {
        let constant = quoted(text);
        assert_eq!(
            Values::new(constant.as_bytes()).lines(100).as_deref(),
            Ok(text)
        );
    }

    #[test]
    fn values_are_read_in_order_and_counted() {
        let mut values = Values::new(b"0,,\"x\",5");
        assert_eq!(values.number(0..=2), Ok(0));
        assert_eq!(values.optional_number(0..=4), Ok(None));
        assert_eq!(values.text(5), Ok("x".into()));
        assert_eq!(values.clone().end(), Err(BadValue));
        assert_eq!(values.number(0..=9), Ok(5));
        assert_eq!(values.number(0..=9), Err(BadValue));
        assert_eq!(values.end(), Ok(()));
        assert_eq!(Values::new(b",,").end(), Ok(()));
    }

    #[rstest]
    #[case("C:/Picture", Ok("C:/Picture"))]
    #[case("\"C:/Picture\"", Ok("C:/Picture"))]
    #[case("*.*", Ok("*.*"))]
    #[case("", Err(BadValue))]
    #[case("\u{e4}", Err(BadValue))]
    fn words(#[case] text: &str, #[case] expected: Result<&str, BadValue>) {
        let read = Values::new(text.as_bytes()).word();
        assert_eq!(read.as_deref().map_err(|error| *error), expected);
    }
}
