//! Command lines as the DTE sent them, read by the rules of V.250.
//!
//! Only what monitors need: which commands a line holds and what the arguments are. A line that
//! cannot be read with certainty is no [`CommandLine`] at all: what it asks for is the device's
//! business, and a monitor must not guess.

/// The commands of one command line, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The commands; none for a bare `AT`.
    pub commands: Vec<Command>,
}

/// One command of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The name in capitals: `+SMTPSEND`, or for a basic command its letter with a leading `&`
    /// where there is one, such as `E`, `&F`, `S3`.
    pub name: String,
    /// What is asked of it.
    pub form: Form,
}

/// What is asked of a command (V.250 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `AT+X`.
    Execute,
    /// `AT+X?`.
    Read,
    /// `AT+X=?`.
    Test,
    /// `AT+X=…`, or a basic command with a number.
    Write(Vec<Argument>),
}

/// One argument of a write form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing between two commas.
    Omitted,
    /// `"…"`, with its escapes (`\22`, `\5C`, `\0D`) undone.
    Quoted(Vec<u8>),
    /// Anything else, as it stands, without outer blanks.
    Plain(String),
}

impl Argument {
    /// Its value, if it is a decimal number.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Plain(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Its text, if it is one that can be read.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Quoted(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Plain(text) => Some(text),
            Self::Omitted => None,
        }
    }
}

impl Command {
    /// Whether it is the execution form of this command.
    pub fn executes(&self, name: &str) -> bool {
        self.name == name && self.form == Form::Execute
    }

    /// The arguments of the write form; none for the other forms.
    pub fn arguments(&self) -> &[Argument] {
        match &self.form {
            Form::Write(arguments) => arguments,
            _ => &[],
        }
    }
}

impl CommandLine {
    /// Reads what the DTE sent as one command line with one line end. `None`: it is not one, or
    /// it holds something that only the device can read (editing characters, an open quote).
    pub fn read(sent: &[u8]) -> Option<Self> {
        let end = sent.iter().position(|&byte| byte == b'\r')?;
        let (line, rest) = sent.split_at(end);
        if !matches!(rest, b"\r" | b"\r\n") || line.iter().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let line = line.trim_ascii();
        let (prefix, mut body) = line.split_at_checked(2)?;
        if !prefix.eq_ignore_ascii_case(b"AT") {
            return None;
        }
        let mut commands = Vec::new();
        loop {
            body = body.trim_ascii_start();
            body = body.strip_prefix(b";").unwrap_or(body).trim_ascii_start();
            let Some(first) = body.first() else {
                return Some(Self { commands });
            };
            let (command, rest) = if matches!(first, b'+' | b'^' | b'$' | b'*' | b'#') {
                extended(body)?
            } else {
                basic(body)?
            };
            commands.push(command);
            body = rest;
        }
    }

    /// Its only command, if it has just one.
    pub fn only(&self) -> Option<&Command> {
        match self.commands.as_slice() {
            [command] => Some(command),
            _ => None,
        }
    }
}

/// `+NAME…` up to the next `;` outside of quotes.
fn extended(body: &[u8]) -> Option<(Command, &[u8])> {
    let mut quoted = false;
    let end = body.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b';' && !quoted
    });
    if quoted && end.is_none() {
        return None;
    }
    let (text, rest) = body.split_at(end.unwrap_or(body.len()));
    let name_end = text
        .iter()
        .skip(1)
        .position(|byte| matches!(byte, b'=' | b'?'))
        .map_or(text.len(), |at| at + 1);
    let (name, tail) = text.split_at(name_end);
    let name = name.iter().filter(|byte| **byte != b' ');
    let name = String::from_utf8(name.map(u8::to_ascii_uppercase).collect()).ok()?;
    let form = match tail.trim_ascii() {
        b"" => Form::Execute,
        b"?" => Form::Read,
        tail => match tail.strip_prefix(b"=")?.trim_ascii() {
            b"?" => Form::Test,
            arguments => Form::Write(read_arguments(arguments)?),
        },
    };
    Some((Command { name, form }, rest))
}

/// A letter, perhaps after `&`, and a number; or `Sn?`, `Sn=v`.
fn basic(body: &[u8]) -> Option<(Command, &[u8])> {
    let and = usize::from(body.first() == Some(&b'&'));
    let letter = body.get(and)?.to_ascii_uppercase();
    if !letter.is_ascii_uppercase() || letter == b'A' || letter == b'D' {
        return None;
    }
    let mut name = String::from(if and == 1 { "&" } else { "" });
    name.push(char::from(letter));
    let (number, mut rest) = digits(body.get(and + 1..)?);
    if letter == b'S' && and == 0 {
        name.push_str(&number);
        let form = match rest.first()? {
            b'?' => {
                rest = rest.get(1..)?;
                Form::Read
            }
            b'=' => {
                let (value, after) = digits(rest.get(1..)?);
                rest = after;
                Form::Write(vec![Argument::Plain(value)])
            }
            _ => return None,
        };
        return Some((Command { name, form }, rest));
    }
    let form = match number.as_str() {
        "" => Form::Execute,
        _ => Form::Write(vec![Argument::Plain(number)]),
    };
    Some((Command { name, form }, rest))
}

fn digits(text: &[u8]) -> (String, &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    (digits.iter().copied().map(char::from).collect(), rest)
}

fn read_arguments(mut text: &[u8]) -> Option<Vec<Argument>> {
    let mut arguments = Vec::new();
    loop {
        text = text.trim_ascii_start();
        let (argument, rest) = if let Some(quoted) = text.strip_prefix(b"\"") {
            let end = quoted.iter().position(|&byte| byte == b'"')?;
            let (inner, rest) = quoted.split_at(end);
            (Argument::Quoted(unescape(inner)), rest.get(1..)?)
        } else {
            let end = text.iter().position(|&byte| byte == b',');
            let (plain, rest) = text.split_at(end.unwrap_or(text.len()));
            let plain = std::str::from_utf8(plain.trim_ascii_end()).ok()?;
            let argument = match plain {
                "" => Argument::Omitted,
                plain => Argument::Plain(plain.to_owned()),
            };
            (argument, rest)
        };
        arguments.push(argument);
        text = rest.trim_ascii_start();
        match text.split_first() {
            None => return Some(arguments),
            Some((b',', rest)) => text = rest,
            Some(_) => return None,
        }
    }
}

/// V.250 5.4.2.2: `\` and two hexadecimal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (byte, escaped) {
            (b'\\', Some(value)) => {
                out.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn plain(text: &str) -> Argument {
        Argument::Plain(text.to_owned())
    }

    fn quoted(text: &str) -> Argument {
        Argument::Quoted(text.as_bytes().to_vec())
    }

    #[rstest]
    #[case("AT\r", &[])]
    #[case("at+smtpsend\r", &[("+SMTPSEND", Form::Execute)])]
    #[case("AT+SMTPSEND?\r\n", &[("+SMTPSEND", Form::Read)])]
    #[case("AT+SMTPRCPT=?\r", &[("+SMTPRCPT", Form::Test)])]
    #[case("AT+SMTPSRV=\"a;b\", 25\r", &[("+SMTPSRV", Form::Write(vec![quoted("a;b"), plain("25")]))])]
    #[case("AT+X=,,1\r", &[("+X", Form::Write(vec![Argument::Omitted, Argument::Omitted, plain("1")]))])]
    #[case("AT+FSCD=C:/Email\r", &[("+FSCD", Form::Write(vec![plain("C:/Email")]))])]
    #[case(r#"AT+SMTPSUB="a\22b""#.to_owned() + "\r", &[("+SMTPSUB", Form::Write(vec![quoted("a\"b")]))])]
    #[case("ATE0V1&F+CMEE=2;+CSQ\r", &[
        ("E", Form::Write(vec![plain("0")])), ("V", Form::Write(vec![plain("1")])), ("&F", Form::Execute),
        ("+CMEE", Form::Write(vec![plain("2")])), ("+CSQ", Form::Execute),
    ])]
    #[case("ATS3=10\r", &[("S3", Form::Write(vec![plain("10")]))])]
    #[case("ATS5?\r", &[("S5", Form::Read)])]
    fn lines_are_read(#[case] line: impl AsRef<str>, #[case] commands: &[(&str, Form)]) {
        let read = CommandLine::read(line.as_ref().as_bytes()).unwrap();
        let read: Vec<_> = read
            .commands
            .iter()
            .map(|command| (command.name.as_str(), command.form.clone()))
            .collect();
        assert_eq!(read, commands);
    }

    #[rstest]
    #[case("AT")]
    #[case("AT\rAT\r")]
    #[case("A/")]
    #[case("AT+X=\"open\r")]
    #[case("AX\x08T\r")]
    #[case("hello\x1a")]
    #[case("ATD123;\r")]
    fn what_only_the_device_can_read_is_none(#[case] sent: &str) {
        assert_eq!(CommandLine::read(sent.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_breaks_it(sent in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _read = CommandLine::read(&sent);
            let _read = CommandLine::read(&[b"AT+X=".as_slice(), &sent, b"\r"].concat());
        }
    }
}
