//! What the judge takes over from a profile.

use super::pattern::{Captures, Matcher, PatternError};
use crate::profile::{Profile, Timers};
use crate::scenario::case::{Pattern, Piece, Template, TemplatePart};
use std::time::Duration;

/// What the judge must know of the device.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What ends a command line.
    pub line_end: Vec<u8>,
    /// Whether the device echoes when a case starts.
    pub echo: bool,
    /// How long an expected line without a window of its own may take.
    pub answer: Duration,
    /// All times of the device.
    pub timers: Timers,
    /// Unsolicited lines of the network that are nobody's business.
    pub ignored: Vec<Matcher>,
}

impl Policy {
    /// What a profile says of the device.
    ///
    /// # Errors
    /// A pattern of the ignored lines is too large to compile.
    pub fn of(profile: &Profile) -> Result<Self, PatternError> {
        let none = Captures::new();
        let ignored = profile
            .ignore
            .iter()
            .map(|line| Matcher::new(&ignored_line(line), &none));
        Ok(Self {
            line_end: profile.line_end.as_bytes().to_vec(),
            echo: profile.echo,
            answer: profile.timers.answer,
            timers: profile.timers,
            ignored: ignored.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a line is one that the network causes.
    pub fn ignores(&self, line: &[u8]) -> bool {
        self.ignored.iter().any(|one| one.matches(line).is_some())
    }
}

/// The pattern of an ignored line, in which `{{*}}` is the only hole.
fn ignored_line(line: &str) -> Pattern {
    const ANY: &str = "{{*}}";
    let mut pieces = Vec::new();
    for (at, text) in line.split(ANY).enumerate() {
        if at > 0 {
            let regex = "(?s-u:.*)".to_owned();
            let written = "*".to_owned();
            pieces.push(Piece::Hole {
                name: None,
                regex,
                number: false,
                written,
            });
        }
        pieces.push(Piece::Text(Template(vec![TemplatePart::Bytes(
            text.into(),
        )])));
    }
    Pattern::Line(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("RING", "RING", true)]
    #[case("RING", "RINGING", false)]
    #[case("+CREG: {{*}}", "+CREG: 1,5", true)]
    #[case("+CREG: {{*}}", "+CREG:", false)]
    #[case("^{{*}}", "^RSSI: 17", true)]
    #[case("^{{*}}", "RSSI: 17", false)]
    fn ignored_lines(#[case] pattern: &str, #[case] line: &str, #[case] ignored: bool) {
        let matcher = Matcher::new(&ignored_line(pattern), &Captures::new()).unwrap();
        assert_eq!(matcher.matches(line.as_bytes()).is_some(), ignored);
    }
}
