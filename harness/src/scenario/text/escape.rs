//! The escapes of `>>` lines.

/// Undoes the escapes of a `>>` line.
///
/// # Errors
/// Offset and length of an escape that is none.
pub fn unescape(text: &str) -> Result<Vec<u8>, (usize, usize)> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let Some((_, escaped)) = rest.next() else {
            return Err((at, 1));
        };
        out.push(match escaped {
            'r' => b'\r',
            'n' => b'\n',
            't' => b'\t',
            '0' => 0,
            '\\' => b'\\',
            'x' => {
                let digits = text.get(at + 2..at + 4).ok_or((at, 2))?;
                let digits = Some(digits).filter(|two| two.chars().all(|c| c.is_ascii_hexdigit()));
                let byte = u8::from_str_radix(digits.ok_or((at, 4))?, 16).map_err(|_| (at, 4))?;
                rest.next();
                rest.next();
                byte
            }
            other => return Err((at, 1 + other.len_utf8())),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r"AT\r\n\x1a\\\0\t", Ok(b"AT\r\n\x1a\\\0\t".to_vec()))]
    #[case("\u{fc}", Ok(vec![0xc3, 0xbc]))]
    #[case(r"a\q", Err((1, 2)))]
    #[case(r"a\", Err((1, 1)))]
    #[case(r"\x1", Err((0, 2)))]
    #[case(r"\x+1", Err((0, 4)))]
    #[case("\\x\u{fc}", Err((0, 4)))]
    fn escapes(#[case] text: &str, #[case] bytes: Result<Vec<u8>, (usize, usize)>) {
        assert_eq!(unescape(text), bytes);
    }
}
