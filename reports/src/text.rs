//! Small text parts that several renderers need: visible bytes, cut lines, numbers and spans.
//!
//! Everything that comes from outside (device, client, scenario) goes through [`visible`] or
//! [`clean`] before it reaches a terminal, so that no report can move the cursor or hide text.

use std::time::Duration;

/// One byte so that a person sees it: control characters as control pictures (`␍`, `␊`, `␛`),
/// everything beyond ASCII as `\xNN`.
pub(crate) fn visible_byte(byte: u8, out: &mut String) {
    match byte {
        b' '..=b'~' => out.push(char::from(byte)),
        0x7f => out.push('␡'),
        0..=0x1f => out.extend(char::from_u32(0x2400 + u32::from(byte))),
        _ => out.push_str(&format!("\\x{byte:02X}")),
    }
}

/// Bytes so that a person sees each of them.
#[cfg(test)]
pub(crate) fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        visible_byte(byte, &mut out);
    }
    out
}

/// At most `cells` characters of bytes made visible, then how many bytes are missing: those that
/// did not fit and the `omitted` ones.
pub(crate) fn visible_cut(bytes: &[u8], omitted: u64, cells: usize) -> String {
    let mut out = String::new();
    let (mut used, mut shown) = (0, 0);
    for &byte in bytes {
        let mut cell = String::new();
        visible_byte(byte, &mut cell);
        used += cell.chars().count();
        if used > cells {
            break;
        }
        out.push_str(&cell);
        shown += 1;
    }
    let missing = omitted.saturating_add((bytes.len() - shown) as u64);
    if missing > 0 {
        out.push_str(&format!(
            " … {} more {}",
            grouped(missing),
            plural(missing, "byte")
        ));
    }
    out
}

/// Text from a scenario or a message with every control character, and every character that
/// reorders a line, made visible.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\0'..='\x7f' => match u8::try_from(char) {
                Ok(byte) => visible_byte(byte, &mut out),
                Err(_) => out.push(char),
            },
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => out.push_str(&format!("\\u{{{:x}}}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out
}

/// The text if it fits into `cells` characters, or its beginning and `…`.
pub(crate) fn cut(text: &str, cells: usize) -> String {
    if text.chars().count() <= cells {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(cells.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Text from outside for a line of its own: made visible, and cut if it is longer than anybody
/// reads (the value of a check can be a whole mail).
pub(crate) fn brief(text: &str) -> String {
    match text.char_indices().nth(MAX_BRIEF) {
        None => clean(text),
        Some((end, _)) => {
            let (shown, rest) = text.split_at(end);
            let more = rest.len() as u64;
            format!(
                "{} … {} more {}",
                clean(shown),
                grouped(more),
                plural(more, "byte")
            )
        }
    }
}

/// A count with a comma between thousands.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The noun for this count.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

/// Seconds to the millisecond, such as `30.012`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

/// Seconds without trailing zeros, such as `30 s` or `0.25 s`, for windows as people write them.
pub(crate) fn plain(time: Duration) -> String {
    let text = seconds(time);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} s")
}

/// A span of time as people say it: `12 ms`, `8.4 s`, `31 min 12 s`, `2 h 5 min`.
pub(crate) fn span(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0 => format!("{} ms", time.subsec_millis()),
        1..=59 => format!("{whole}.{} s", time.subsec_millis() / 100),
        60..=3599 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// How many characters of a text are shown.
const MAX_BRIEF: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"\r\nOK\r\n", "␍␊OK␍␊")]
    #[case(b"\x00\x1b[31m\x7f", "␀␛[31m␡")]
    #[case(b"caf\xc3\xa9", "caf\\xC3\\xA9")]
    fn bytes_are_visible(#[case] bytes: &[u8], #[case] text: &str) {
        assert_eq!(visible(bytes), text);
    }

    #[test]
    fn no_byte_reaches_the_terminal_as_a_control() {
        let all: Vec<u8> = (0..=255).collect();
        assert!(!visible(&all).chars().any(char::is_control));
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        assert!(!clean(&all).chars().any(char::is_control));
    }

    #[rstest]
    #[case(b"12345678", 0, 8, "12345678")]
    #[case(b"123456789", 0, 8, "12345678 … 1 more byte")]
    #[case(b"1234", 10_240, 8, "1234 … 10,240 more bytes")]
    #[case(b"123456\xff", 1, 8, "123456 … 2 more bytes")]
    fn long_data_is_cut_and_counted(
        #[case] bytes: &[u8],
        #[case] omitted: u64,
        #[case] cells: usize,
        #[case] text: &str,
    ) {
        assert_eq!(visible_cut(bytes, omitted, cells), text);
    }

    #[test]
    fn a_value_that_is_a_whole_mail_is_cut() {
        let text = brief(&"é".repeat(5_120));
        assert_eq!(text.chars().filter(|&char| char == 'é').count(), 400);
        assert!(text.ends_with(" … 9,440 more bytes"), "{text}");
        assert_eq!(brief("short"), "short");
    }

    #[rstest]
    #[case(0, "0 ms")]
    #[case(999, "999 ms")]
    #[case(8_450, "8.4 s")]
    #[case(60_000, "1 min 0 s")]
    #[case(1_872_000, "31 min 12 s")]
    #[case(7_500_000, "2 h 5 min")]
    fn spans_read_well(#[case] millis: u64, #[case] text: &str) {
        assert_eq!(span(Duration::from_millis(millis)), text);
    }

    #[rstest]
    #[case(30_000, "30 s")]
    #[case(250, "0.25 s")]
    #[case(0, "0 s")]
    #[case(100_000, "100 s")]
    fn windows_have_no_needless_zeros(#[case] millis: u64, #[case] text: &str) {
        assert_eq!(plain(Duration::from_millis(millis)), text);
    }

    #[rstest]
    #[case(7, "7")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(1_234_567, "1,234,567")]
    fn thousands_are_grouped(#[case] count: u64, #[case] text: &str) {
        assert_eq!(grouped(count), text);
    }
}
