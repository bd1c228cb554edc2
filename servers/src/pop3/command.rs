//! A line of the client taken apart: keyword, arguments, and what is wrong with its form.
//!
//! Knows the form of commands (RFC 1939 section 3, RFC 2449 section 4), not the state they come in.

use super::lint::Lint;
use crate::engine::{Line, LineEnd};
use crate::fault::Position;

/// The longest command, CRLF included (RFC 2449 section 4).
pub(super) const COMMAND_LIMIT: u64 = 255;

/// The keywords of RFC 1939, 2449, 2595, 5034, 6856.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    User,
    Pass,
    Apop,
    Auth,
    Capa,
    Stls,
    Stat,
    List,
    Uidl,
    Retr,
    Dele,
    Top,
    Noop,
    Rset,
    Quit,
    /// LANG and UTF8 (RFC 6856): known, never offered.
    Foreign,
}

impl Verb {
    /// The place of the reply, or of its status line, for fault rules.
    pub(super) fn position(self) -> Position {
        match self {
            Verb::User => Position::User,
            Verb::Pass => Position::Pass,
            Verb::Apop => Position::Apop,
            Verb::Auth => Position::Auth,
            Verb::Capa => Position::Capa,
            Verb::Stls => Position::Stls,
            Verb::Stat => Position::Stat,
            Verb::List => Position::List,
            Verb::Uidl => Position::Uidl,
            Verb::Retr => Position::Retr,
            Verb::Dele => Position::Dele,
            Verb::Top => Position::Top,
            Verb::Noop => Position::Noop,
            Verb::Rset => Position::Rset,
            Verb::Quit => Position::Quit,
            Verb::Foreign => Position::Unknown,
        }
    }

    fn of(keyword: &str) -> Option<Verb> {
        Some(match keyword {
            "USER" => Verb::User,
            "PASS" => Verb::Pass,
            "APOP" => Verb::Apop,
            "AUTH" => Verb::Auth,
            "CAPA" => Verb::Capa,
            "STLS" => Verb::Stls,
            "STAT" => Verb::Stat,
            "LIST" => Verb::List,
            "UIDL" => Verb::Uidl,
            "RETR" => Verb::Retr,
            "DELE" => Verb::Dele,
            "TOP" => Verb::Top,
            "NOOP" => Verb::Noop,
            "RSET" => Verb::Rset,
            "QUIT" => Verb::Quit,
            "LANG" | "UTF8" => Verb::Foreign,
            _ => return None,
        })
    }
}

/// A line taken apart.
#[derive(Debug)]
pub(super) struct Command {
    /// `None` for a keyword that is unknown.
    pub(super) verb: Option<Verb>,
    /// The keyword in upper case, for the record; of an unknown one only the beginning.
    pub(super) keyword: String,
    /// Everything after the first blank.
    pub(super) rest: Option<String>,
    /// What is wrong with the form.
    pub(super) lints: Vec<(Lint, &'static str)>,
}

impl Command {
    /// Takes apart a line. Octets that are not UTF-8 are replaced, which keeps every name and number
    /// of a well-formed command as it is.
    pub(super) fn parse(line: &Line<'_>) -> Command {
        let text = String::from_utf8_lossy(line.text);
        let (word, rest) = match text.split_once(' ') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text.as_ref(), None),
        };
        let keyword: String = word
            .chars()
            .take(16)
            .collect::<String>()
            .to_ascii_uppercase();
        let verb = if word.len() <= 4 {
            Verb::of(&keyword)
        } else {
            None
        };
        let lints = form(line, verb, rest);
        Command {
            verb,
            keyword,
            rest: rest.map(str::to_owned),
            lints,
        }
    }

    /// The arguments, however many blanks stand between them.
    pub(super) fn arguments(&self) -> Vec<&str> {
        let rest = self.rest.as_deref().unwrap_or_default();
        rest.split(' ')
            .filter(|argument| !argument.is_empty())
            .collect()
    }
}

fn form(line: &Line<'_>, verb: Option<Verb>, rest: Option<&str>) -> Vec<(Lint, &'static str)> {
    let mut lints = Vec::new();
    if line.end == LineEnd::Lf {
        lints.push((Lint::BareLf, "the line ends with LF alone"));
    }
    if line.octets() > COMMAND_LIMIT {
        lints.push((Lint::LineTooLong, "the command is longer than 255 octets"));
    }
    if line.text.iter().any(|b| !matches!(b, b' '..=b'~')) {
        lints.push((
            Lint::NotPrintable,
            "the command holds octets that are not printable ASCII",
        ));
    }
    // All that follows the first blank of PASS belongs to the password.
    let rest = if verb == Some(Verb::Pass) { None } else { rest };
    if let Some(rest) = rest {
        if rest.ends_with(' ') || rest.is_empty() {
            lints.push((Lint::TrailingBlank, "the command ends with a blank"));
        }
        let inner = rest.trim_end_matches(' ');
        if inner.starts_with(' ') || inner.contains("  ") {
            lints.push((
                Lint::DoubleSpace,
                "more than one blank stands between two words",
            ));
        }
    }
    lints
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn line(text: &[u8]) -> Line<'_> {
        Line {
            text,
            end: LineEnd::CrLf,
            omitted: 0,
            ahead: false,
        }
    }

    fn lints(line: &Line<'_>) -> Vec<Lint> {
        Command::parse(line)
            .lints
            .iter()
            .map(|lint| lint.0)
            .collect()
    }

    #[rstest]
    #[case::plain("STAT", &[])]
    #[case::lower_case("stat", &[])]
    #[case::double_space("RETR  1", &[Lint::DoubleSpace])]
    #[case::space_inside("TOP 1  2", &[Lint::DoubleSpace])]
    #[case::trailing("STAT ", &[Lint::TrailingBlank])]
    #[case::only_blanks("LIST  ", &[Lint::TrailingBlank])]
    #[case::password_is_free("PASS  a  b ", &[])]
    #[case::tab("RETR\t1", &[Lint::NotPrintable])]
    #[case::eight_bit("USER grün", &[Lint::NotPrintable])]
    fn form_is_linted(#[case] text: &str, #[case] expected: &[Lint]) {
        assert_eq!(lints(&line(text.as_bytes())), expected);
    }

    #[rstest]
    #[case::longest(253, 0, LineEnd::CrLf, &[])]
    #[case::too_long(254, 0, LineEnd::CrLf, &[Lint::LineTooLong])]
    #[case::cut(10, 244, LineEnd::CrLf, &[Lint::LineTooLong])]
    #[case::bare_lf(254, 0, LineEnd::Lf, &[Lint::BareLf])]
    fn length_and_end_are_linted(
        #[case] length: usize,
        #[case] omitted: u64,
        #[case] end: LineEnd,
        #[case] expected: &[Lint],
    ) {
        let mut text = b"USER ".to_vec();
        text.resize(length, b'x');
        assert_eq!(
            lints(&Line {
                omitted,
                end,
                ..line(&text)
            }),
            expected
        );
    }

    #[test]
    fn the_password_keeps_its_blanks() {
        let command = Command::parse(&line(b"pAsS  a b "));
        assert_eq!(
            (command.verb, command.rest.as_deref()),
            (Some(Verb::Pass), Some(" a b "))
        );
    }
}
