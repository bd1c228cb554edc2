//! The grammar of a command line body (V.250 5.3 and 5.4): one command after the other.

use std::borrow::Cow;

/// A command as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// An extended command: its name with the `+`, as typed.
    Extended(&'a [u8], Form<'a>),
    /// A basic command: its letter in upper case and its number, if one was given.
    Basic(u8, Option<u32>),
    /// A basic command with `&`.
    Ampersand(u8, Option<u32>),
    /// An S-register.
    Register(u32, RegisterForm),
}

/// The form of an extended command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// `=?`
    Test,
    /// `?`
    Read,
    /// `=` and the values, still to be read.
    Set(&'a [u8]),
    /// Nothing after the name.
    Execute,
}

/// What is done with an S-register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterForm {
    /// `?`
    Read,
    /// `=` and a number; without a number it is 0.
    Set(u32),
}

/// A command line that does not follow the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError;

/// The body of a command line with the blanks taken out that mean nothing (V.250 5.3.1: all but
/// those in string constants).
pub(crate) fn without_blanks(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.contains(&b' ') {
        return Cow::Borrowed(body);
    }
    let mut quoted = false;
    let kept = body.iter().copied().filter(|byte| {
        quoted ^= *byte == b'"';
        quoted || *byte != b' '
    });
    Cow::Owned(kept.collect())
}

/// Reads the command that stands at the beginning of `rest`, and returns what follows it; `None`
/// at the end of the line.
pub(crate) fn next_command(rest: &[u8]) -> Result<Option<(Command<'_>, &[u8])>, SyntaxError> {
    let Some((&first, after)) = rest.split_first() else {
        return Ok(None);
    };
    let (command, rest) = match first.to_ascii_uppercase() {
        b'+' => extended(rest)?,
        b'&' => {
            let (&letter, after) = after.split_first().ok_or(SyntaxError)?;
            let (number, rest) = optional_number(after)?;
            (Command::Ampersand(alphabetic(letter)?, number), rest)
        }
        b'S' => register(after)?,
        letter => {
            let (number, rest) = optional_number(after)?;
            (Command::Basic(alphabetic(letter)?, number), rest)
        }
    };
    Ok(Some((command, separated(rest))))
}

/// V.250 5.4.3: a semicolon may follow every command here; it must after an extended one, which
/// [`extended`] sees to.
fn separated(rest: &[u8]) -> &[u8] {
    match rest {
        [b';', after @ ..] => after,
        _ => rest,
    }
}

/// V.250 5.4.1: 1 to 16 characters after the `+`, the first of them a letter.
const NAME_MAX: usize = 16;

fn extended(rest: &[u8]) -> Result<(Command<'_>, &[u8]), SyntaxError> {
    let length = 1 + rest
        .iter()
        .skip(1)
        .take_while(|byte| is_name(**byte))
        .count();
    let (name, tail) = rest.split_at_checked(length).ok_or(SyntaxError)?;
    if !(2..=NAME_MAX + 1).contains(&name.len())
        || !name.get(1).is_some_and(u8::is_ascii_alphabetic)
    {
        return Err(SyntaxError);
    }
    let (form, rest) = match tail {
        [b'=', b'?', rest @ ..] => (Form::Test, rest),
        [b'?', rest @ ..] => (Form::Read, rest),
        [b'=', values @ ..] => {
            let (values, rest) = values.split_at(end_of_values(values)?);
            (Form::Set(values), rest)
        }
        _ => (Form::Execute, tail),
    };
    match rest.first() {
        None | Some(b';') => Ok((Command::Extended(name, form), rest)),
        Some(_) => Err(SyntaxError),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!%-./:_".contains(&byte)
}

/// Where the values of a command end: at a semicolon outside a string constant.
fn end_of_values(values: &[u8]) -> Result<usize, SyntaxError> {
    let mut quoted = false;
    for (at, byte) in values.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => return Ok(at),
            _ => {}
        }
    }
    if quoted {
        Err(SyntaxError)
    } else {
        Ok(values.len())
    }
}

fn register(rest: &[u8]) -> Result<(Command<'_>, &[u8]), SyntaxError> {
    let (number, rest) = optional_number(rest)?;
    let register = number.ok_or(SyntaxError)?;
    match rest {
        [b'?', rest @ ..] => Ok((Command::Register(register, RegisterForm::Read), rest)),
        [b'=', rest @ ..] => {
            let (value, rest) = optional_number(rest)?;
            let value = value.unwrap_or_default();
            Ok((Command::Register(register, RegisterForm::Set(value)), rest))
        }
        // V.250 5.3.2 lets a later S command leave the register out; this module does not.
        _ => Err(SyntaxError),
    }
}

fn alphabetic(letter: u8) -> Result<u8, SyntaxError> {
    if letter.is_ascii_alphabetic() {
        Ok(letter.to_ascii_uppercase())
    } else {
        Err(SyntaxError)
    }
}

fn optional_number(rest: &[u8]) -> Result<(Option<u32>, &[u8]), SyntaxError> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(length).ok_or(SyntaxError)?;
    if digits.is_empty() {
        return Ok((None, rest));
    }
    Ok((Some(number(digits).ok_or(SyntaxError)?), rest))
}

/// A decimal number; leading zeros are ignored (V.250 5.4.2.1).
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn commands(body: &[u8]) -> Result<Vec<Command<'_>>, SyntaxError> {
        let mut rest = body;
        let mut commands = Vec::new();
        while let Some((command, after)) = next_command(rest)? {
            commands.push(command);
            rest = after;
        }
        Ok(commands)
    }

    fn set<'a>(name: &'a str, values: &'a str) -> Command<'a> {
        Command::Extended(name.as_bytes(), Form::Set(values.as_bytes()))
    }

    #[rstest]
    #[case("", vec![])]
    #[case("E0", vec![Command::Basic(b'E', Some(0))])]
    #[case("e", vec![Command::Basic(b'E', None)])]
    #[case("E0V1Q0", vec![
        Command::Basic(b'E', Some(0)), Command::Basic(b'V', Some(1)), Command::Basic(b'Q', Some(0)),
    ])]
    #[case("&F0&v", vec![Command::Ampersand(b'F', Some(0)), Command::Ampersand(b'V', None)])]
    #[case("S3?S4=010", vec![
        Command::Register(3, RegisterForm::Read), Command::Register(4, RegisterForm::Set(10)),
    ])]
    #[case("S5=", vec![Command::Register(5, RegisterForm::Set(0))])]
    #[case("+SMTPSEND", vec![Command::Extended(b"+SMTPSEND", Form::Execute)])]
    #[case("+smtpsend?", vec![Command::Extended(b"+smtpsend", Form::Read)])]
    #[case("+CMD1;+CMD2=,,15;+CMD2?;+CMD2=?", vec![
        Command::Extended(b"+CMD1", Form::Execute),
        set("+CMD2", ",,15"),
        Command::Extended(b"+CMD2", Form::Read),
        Command::Extended(b"+CMD2", Form::Test),
    ])]
    #[case("E1+CSQ;", vec![
        Command::Basic(b'E', Some(1)), Command::Extended(b"+CSQ", Form::Execute),
    ])]
    #[case("+SMTPSUB=\"a;b\";+CSQ", vec![
        set("+SMTPSUB", "\"a;b\""), Command::Extended(b"+CSQ", Form::Execute),
    ])]
    #[case("+FSCD=C:/Picture", vec![set("+FSCD", "C:/Picture")])]
    fn lines_are_taken_apart(#[case] body: &str, #[case] expected: Vec<Command<'_>>) {
        assert_eq!(commands(body.as_bytes()), Ok(expected));
    }

    #[rstest]
    #[case("+")]
    #[case("+1X")]
    #[case("+SMTPSENDSMTPSEND1")]
    #[case("+CSQ?x")]
    #[case("+CSQ=?1")]
    #[case("+SMTPSUB=\"open")]
    #[case("S")]
    #[case("S3")]
    #[case("=5")]
    #[case("E99999999999")]
    #[case("&")]
    #[case("\u{e4}")]
    #[case(";")]
    fn broken_lines_are_refused(#[case] body: &str) {
        assert_eq!(commands(body.as_bytes()), Err(SyntaxError));
    }

    #[rstest]
    #[case("+A = 0, 0, \"a b\" ", "+A=0,0,\"a b\"")]
    #[case(" E 1 ", "E1")]
    #[case("+A=\"x\"", "+A=\"x\"")]
    fn blanks_count_in_strings_only(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(
            without_blanks(body.as_bytes()).as_ref(),
            expected.as_bytes()
        );
    }
}
