//! Command lines (RFC 5321 §4.1.1): the strict grammar, and the lenient readings that real
//! servers have, each with a lint.

use super::address::{self, Path};

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo(String),
    Helo(String),
    Mail(Path, Vec<Parameter>),
    Rcpt(Path, Vec<Parameter>),
    Data,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    StartTls,
    Auth(String, Option<String>),
    /// A command that RFC 5321 or a relative of it names and this server does not carry out.
    Elsewhere,
    Unknown,
}

/// A parameter of MAIL or RCPT.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// In capitals.
    pub(super) keyword: String,
    pub(super) value: Option<String>,
}

/// Which part of a command cannot be read, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The arguments of a command that otherwise is one.
    Arguments(&'static str),
    /// The address.
    Address(&'static str),
}

/// A lint: id and sentence.
pub(super) type Lint = (&'static str, String);

/// What a line says.
#[derive(Debug)]
pub(super) struct Reading {
    /// The verb in capitals, as far as it is one.
    pub(super) verb: String,
    pub(super) command: Result<Command, Fault>,
    pub(super) lints: Vec<Lint>,
}

/// Reads a command line without its end.
pub(super) fn read(text: &str) -> Reading {
    let mut lints = Vec::new();
    let trimmed = text.trim_end_matches([' ', '\t']);
    if trimmed.len() < text.len() {
        lints.push(("smtp.trailing-space", "blanks before the line end".into()));
    }
    let (verb, rest) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
    let verb = verb.to_ascii_uppercase();
    let command = match verb.as_str() {
        "EHLO" | "HELO" => hello(&verb, rest, &mut lints),
        "MAIL" => envelope(rest, "FROM:", &mut lints)
            .map(|(path, parameters)| Command::Mail(path, parameters)),
        "RCPT" => envelope(rest, "TO:", &mut lints)
            .map(|(path, parameters)| Command::Rcpt(path, parameters)),
        "DATA" => bare(rest, Command::Data),
        "RSET" => bare(rest, Command::Rset),
        "QUIT" => bare(rest, Command::Quit),
        "STARTTLS" => bare(rest, Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if rest.is_empty() => Err(Fault::Arguments("VRFY needs a string")),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" => Ok(Command::Expn),
        "AUTH" => auth(rest),
        "SEND" | "SOML" | "SAML" | "TURN" | "ETRN" | "ATRN" | "BDAT" | "BURL" => {
            Ok(Command::Elsewhere)
        }
        _ => Ok(Command::Unknown),
    };
    Reading {
        verb,
        command,
        lints,
    }
}

fn bare(rest: &str, command: Command) -> Result<Command, Fault> {
    match rest.trim().is_empty() {
        true => Ok(command),
        false => Err(Fault::Arguments("this command takes no argument")),
    }
}

fn hello(verb: &str, rest: &str, lints: &mut Vec<Lint>) -> Result<Command, Fault> {
    let name = rest.trim();
    if name.is_empty() {
        return Err(Fault::Arguments("the name of the client is missing"));
    }
    if !address::is_domain(name) && !address::is_literal(name) {
        lints.push((
            "smtp.hello-name",
            format!("{name:?} is neither a domain nor an address literal"),
        ));
    }
    Ok(match verb {
        "EHLO" => Command::Ehlo(name.to_owned()),
        _ => Command::Helo(name.to_owned()),
    })
}

fn auth(rest: &str) -> Result<Command, Fault> {
    let mut words = rest.split(' ');
    let mechanism = words.next().unwrap_or_default();
    let initial = words.next();
    if mechanism.is_empty() || words.next().is_some() {
        return Err(Fault::Arguments(
            "AUTH needs a mechanism, then at most one word",
        ));
    }
    Ok(Command::Auth(
        mechanism.to_ascii_uppercase(),
        initial.map(str::to_owned),
    ))
}

/// `FROM:<path> PARAMETERS` and the same with `TO:`.
fn envelope(
    rest: &str,
    prefix: &str,
    lints: &mut Vec<Lint>,
) -> Result<(Path, Vec<Parameter>), Fault> {
    let head = rest.get(..prefix.len());
    if !head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) {
        return Err(Fault::Arguments(match prefix {
            "TO:" => "RCPT must go on with TO:<path>",
            _ => "MAIL must go on with FROM:<path>",
        }));
    }
    let after = rest.get(prefix.len()..).unwrap_or_default();
    let argument = after.trim_start_matches(' ');
    if argument.len() < after.len() {
        lints.push((
            "smtp.space-after-colon",
            format!("there must be no blank between {prefix} and the path (RFC 5321 §3.3)"),
        ));
    }
    let (path, parameters) = match argument.strip_prefix('<') {
        Some(inner) => {
            let end = closing_bracket(inner).ok_or(Fault::Address("no closing bracket"))?;
            let (path, parameters) = inner.split_at(end);
            (path, parameters.get(1..).unwrap_or_default())
        }
        None => {
            lints.push((
                "smtp.missing-brackets",
                format!("the path after {prefix} must stand in angle brackets"),
            ));
            argument
                .split_once(' ')
                .map_or((argument, ""), |(path, _)| {
                    (path, argument.get(path.len()..).unwrap_or_default())
                })
        }
    };
    if path.is_empty() && !argument.starts_with('<') {
        return Err(Fault::Address("no path"));
    }
    let path = address::path(path).map_err(Fault::Address)?;
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(Fault::Arguments("a blank must follow the path"));
    }
    let parameters = parameters.split(' ').filter(|word| !word.is_empty());
    let parameters = parameters.map(parameter).collect::<Result<_, _>>()?;
    Ok((path, parameters))
}

/// Where the bracket is that closes a path: not one inside a quoted string.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(index),
            _ => {}
        }
    }
    None
}

/// §4.1.2: `esmtp-keyword ["=" esmtp-value]`.
fn parameter(word: &str) -> Result<Parameter, Fault> {
    let (keyword, value) = match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    };
    let keyword_fine = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
        && keyword
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value_fine = value.is_none_or(|value| {
        !value.is_empty()
            && value
                .bytes()
                .all(|byte| matches!(byte, 33..=126) && byte != b'=')
    });
    if !keyword_fine || !value_fine {
        return Err(Fault::Arguments("bad parameter"));
    }
    Ok(Parameter {
        keyword: keyword.to_ascii_uppercase(),
        value: value.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ids(reading: &Reading) -> Vec<&'static str> {
        reading.lints.iter().map(|(id, _)| *id).collect()
    }

    #[rstest]
    #[case("mail from:<a@b> size=10 BODY=8bitmime", &[])]
    #[case("MAIL FROM: <a@b> size=10 BODY=8bitmime", &["smtp.space-after-colon"])]
    #[case("MAIL FROM:a@b SIZE=10 body=8bitmime", &["smtp.missing-brackets"])]
    #[case("MAIL FROM:<a@b> SIZE=10 BODY=8bitmime ", &["smtp.trailing-space"])]
    fn lenient_readings_of_mail(#[case] line: &str, #[case] lints: &[&str]) {
        let reading = read(line);
        assert_eq!(ids(&reading), lints);
        let parameter = |keyword: &str, value: &str| Parameter {
            keyword: keyword.into(),
            value: Some(value.into()),
        };
        assert_eq!(
            reading.command,
            Ok(Command::Mail(
                Path::Mailbox("a@b".into()),
                vec![parameter("SIZE", "10"), parameter("BODY", "8bitmime")],
            ))
        );
    }

    #[rstest]
    #[case("MAIL FROM <a@b>")]
    #[case("MAIL")]
    #[case("MAIL FROM:")]
    #[case("MAIL FROM:<a@b")]
    #[case("MAIL FROM:<a@b>SIZE=1")]
    #[case("MAIL FROM:<a@b> =1")]
    #[case("MAIL FROM:<a@b> SIZE=")]
    #[case("MAIL FROM:<a@b> A=B=C")]
    #[case("RCPT TO:<a>")]
    #[case("EHLO")]
    #[case("DATA now")]
    #[case("AUTH")]
    #[case("AUTH PLAIN x y")]
    #[case("VRFY")]
    fn what_cannot_be_read(#[case] line: &str) {
        assert!(read(line).command.is_err(), "{:?}", read(line));
    }

    #[rstest]
    #[case("MAIL FROM:<>", Command::Mail(Path::Null, vec![]))]
    #[case("RCPT TO:<Postmaster>", Command::Rcpt(Path::Postmaster, vec![]))]
    #[case("RCPT TO:<\"a>b\"@c>", Command::Rcpt(Path::Mailbox("\"a>b\"@c".into()), vec![]))]
    #[case("auth login =", Command::Auth("LOGIN".into(), Some("=".into())))]
    #[case("NOOP whatever", Command::Noop)]
    #[case("XYZ", Command::Unknown)]
    #[case("", Command::Unknown)]
    #[case("BDAT 5 LAST", Command::Elsewhere)]
    fn strict_readings(#[case] line: &str, #[case] command: Command) {
        let reading = read(line);
        assert_eq!(ids(&reading), [""; 0]);
        assert_eq!(reading.command, Ok(command));
    }
}
