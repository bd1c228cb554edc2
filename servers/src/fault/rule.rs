//! A rule as it is written in a setup.
//!
//! ```toml
//! [[smtp.fault]]
//! when = "rcpt"
//! nth  = 2
//! do   = "reply"
//! text = "550 5.1.1 no such user"
//! ```

use super::Position;
use crate::event::Protocol;
use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

/// Where to do something wrong, and what. The first rule that matches a place wins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A name for `fault on NAME` and `fault off NAME`.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it waits for `fault on NAME`.
    #[serde(default)]
    pub off: bool,
    /// Whether a client that never comes to this place leaves open what the rule was to find out.
    /// It does not where the place is optional, and what is expected holds without it, too.
    #[serde(default = "needed")]
    pub needed: bool,

    /// The place in the dialogue.
    pub when: Position,
    /// Only on the connection with this number, from 1.
    #[serde(default)]
    pub connection: Option<u32>,
    /// Only the nth time that a connection comes to this place, from 1.
    #[serde(default)]
    pub nth: Option<u32>,
    /// How many matches to let pass first, counted over all connections.
    #[serde(default)]
    pub skip: u32,
    /// How often it may fire, counted over all connections; without it, every time.
    #[serde(default)]
    pub times: Option<u32>,
    /// Only if the client's line contains this text, compared without case.
    #[serde(default)]
    pub matching: Option<String>,
    /// For `body`: after this many octets of the message. For `received` and `sent`: after this
    /// many octets of the connection from the client, to the client.
    #[serde(default)]
    pub after_bytes: u64,

    /// What to do.
    #[serde(rename = "do")]
    pub action: Action,
    /// What to say: one or more lines, sent with CRLF after each. `\xNN` is that octet.
    #[serde(default)]
    pub text: Option<String>,
    /// What to say, octet for octet, no line end added. `\xNN` is that octet.
    #[serde(default)]
    pub raw: Option<String>,
    /// How long to wait before doing it, such as `"25s"`.
    #[serde(default)]
    pub delay: Option<Span>,
    /// For `truncate`: how many octets of the reply to let through; for `drip`: how many at a
    /// time (1); for `endless`: how many octets before giving up (none: until the client goes).
    #[serde(default)]
    pub bytes: Option<u64>,
    /// For `split`: offsets at which the reply is cut into separate writes.
    #[serde(default)]
    pub at: Vec<usize>,
    /// For `split`, `drip`, `endless` and `repeat`: how long to wait between two writes.
    #[serde(default)]
    pub gap: Option<Span>,
    /// For `repeat`: how often the reply is said in all (2); for `mutate`: how many octets are
    /// changed (1).
    #[serde(default)]
    pub count: Option<u32>,
    /// For `mutate`: which changes. The same seed changes the same reply in the same way.
    #[serde(default)]
    pub seed: u64,
    /// For `inject`: on which side of the honest reply.
    #[serde(default)]
    pub place: Place,
    /// For `reply`, `split`, `drip`, `repeat`, `mutate`, `truncate` and `endless`: what comes after.
    #[serde(default)]
    pub then: Ending,
}

fn needed() -> bool {
    true
}

/// The most that `count` may be.
const MOST_TIMES: u32 = 1000;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Says `text` or `raw` in place of the reply.
    Reply,
    /// Says the honest reply, only later (`delay`).
    Delay,
    /// Says nothing more and obeys nothing more until the client goes.
    Stall,
    /// Says nothing this time and goes on.
    Swallow,
    /// Closes (FIN); `text` is said first.
    Fin,
    /// Resets (RST); `text` is said first.
    Rst,
    /// Shuts down the sending direction, `text` is said first, and keeps reading.
    HalfClose,
    /// Says the honest reply (or `text`) in pieces, cut at the offsets `at`.
    Split,
    /// Says the honest reply (or `text`) a few octets at a time.
    Drip,
    /// Says `text` or `raw` besides the honest reply, in the same write.
    Inject,
    /// Says only the first `bytes` octets of the honest reply.
    Truncate,
    /// Says the honest reply (or `text`) `count` times.
    Repeat,
    /// Says the honest reply (or `text`) with `count` octets replaced, inserted or deleted.
    Mutate,
    /// Does not read from the socket any more, so that the client's window fills.
    StopReading,
    /// Says `text` or `raw` (or `x`) again and again.
    Endless,
    /// At `connect`: the connection is refused.
    Refuse,
    /// At `connect`: the attempt is never answered.
    BlackHole,
}

/// On which side of the honest reply something is injected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Before it.
    Before,
    /// After it.
    #[default]
    After,
}

/// What comes after a reply that a rule has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The dialogue goes on.
    #[default]
    GoOn,
    /// The server closes.
    Fin,
    /// The server resets.
    Rst,
    /// The server says and obeys nothing more.
    Stall,
}

/// A length of time, written as a number with `ms`, `s` or `m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let unit = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => 0,
        };
        match digits.parse::<u32>() {
            Ok(number) if unit > 0 => Ok(Self(Duration::from_millis(u64::from(number) * unit))),
            _ => Err(D::Error::custom(format!(
                "{text:?} is no length of time; write it as \"250ms\", \"25s\" or \"1m\""
            ))),
        }
    }
}

/// Why a rule makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault rule {index}: {problem}")]
pub struct RuleError {
    /// Index of the rule in the setup's list, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl Rule {
    /// Says what makes no sense in a list of rules: each mistake, not only the first.
    pub fn check(rules: &[Self], protocol: Protocol) -> Vec<RuleError> {
        let mut errors = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            errors.extend(rule.problems(protocol).into_iter().map(|problem| {
                let problem = problem.to_owned();
                RuleError { index, problem }
            }));
        }
        errors
    }

    fn problems(&self, protocol: Protocol) -> Vec<&'static str> {
        let at_connect = self.when == Position::Connect;
        let counted = matches!(
            self.when,
            Position::Body | Position::Received | Position::Sent
        );
        let at_sent = self.when == Position::Sent;
        let says = self.text.is_some() || self.raw.is_some();
        let mut problems = Vec::new();
        let mut claim = |broken: bool, problem| {
            if broken {
                problems.push(problem);
            }
        };
        claim(
            !self.when.is_in(protocol),
            "`when` names a place that this protocol does not have",
        );
        claim(
            self.text.is_some() && self.raw.is_some(),
            "`text` and `raw` exclude each other",
        );
        claim(self.nth == Some(0), "`nth` counts from 1");
        claim(self.connection == Some(0), "`connection` counts from 1");
        claim(self.times == Some(0), "`times = 0` never fires");
        claim(
            self.after_bytes > 0 && !counted,
            "`after_bytes` needs `when = \"body\"`, `\"received\"` or `\"sent\"`",
        );
        claim(
            matches!(self.when, Position::Received | Position::Sent) && self.after_bytes == 0,
            "`received` and `sent` need `after_bytes`",
        );
        claim(
            matches!(self.when, Position::Received | Position::Sent) && self.nth.is_some(),
            "a connection comes to `received` and `sent` only once: there is no `nth`",
        );
        claim(
            matches!(self.action, Action::Refuse | Action::BlackHole) && !at_connect,
            "`refuse` and `black-hole` need `when = \"connect\"`",
        );
        claim(
            (at_connect || counted)
                && matches!(
                    self.action,
                    Action::Swallow
                        | Action::Split
                        | Action::Drip
                        | Action::Truncate
                        | Action::Repeat
                        | Action::Mutate
                ),
            "there is no reply at `connect`, `body`, `received` and `sent` that could be changed",
        );
        claim(
            at_sent
                && matches!(
                    self.action,
                    Action::Reply | Action::Inject | Action::Endless
                ),
            "at `sent` there is only `delay`, `stall`, `stop-reading`, `half-close`, `fin` and `rst`",
        );
        claim(
            self.count.is_some() && !matches!(self.action, Action::Repeat | Action::Mutate),
            "`count` needs `do = \"repeat\"` or `\"mutate\"`",
        );
        claim(
            self.count
                .is_some_and(|count| !(1..=MOST_TIMES).contains(&count))
                || (self.action == Action::Repeat && self.count == Some(1)),
            "`count` is 2 to 1000 for `repeat` and 1 to 1000 for `mutate`",
        );
        claim(
            matches!(self.action, Action::Reply | Action::Inject) && !says,
            "it needs `text` or `raw`",
        );
        claim(
            self.action == Action::Delay && self.delay.is_none(),
            "it needs `delay`",
        );
        claim(
            self.action == Action::Truncate && self.bytes.is_none(),
            "it needs `bytes`",
        );
        claim(
            self.action == Action::Split && self.at.is_empty(),
            "it needs `at`",
        );
        claim(
            self.off && self.name.is_none(),
            "`off` without `name` can never be turned on",
        );
        problems
    }

    /// What it does, for people.
    pub(crate) fn in_words(&self) -> String {
        let mut words = format!("{:?} at {:?}", self.action, self.when).to_lowercase();
        if matches!(self.when, Position::Received | Position::Sent) {
            words.push_str(&format!(", octet {}", self.after_bytes));
        }
        if self.action == Action::Mutate {
            words.push_str(&format!(" with seed {}", self.seed));
        }
        if let Some(delay) = self.delay {
            words.push_str(&format!(" after {:?}", delay.0));
        }
        if let Some(said) = self.said() {
            let shown = said.get(..80).unwrap_or(&said).escape_ascii();
            words.push_str(&format!(": {shown}"));
        }
        words
    }

    /// The octets of `text` or `raw`, if any was given.
    pub(crate) fn said(&self) -> Option<Vec<u8>> {
        if let Some(raw) = &self.raw {
            return Some(unescape(raw));
        }
        let text = unescape(self.text.as_deref()?);
        let mut out = Vec::with_capacity(text.len() + 2);
        let body = text.strip_suffix(b"\n").unwrap_or(&text);
        for line in body.split(|&byte| byte == b'\n') {
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            out.extend_from_slice(b"\r\n");
        }
        Some(out)
    }
}

/// Changes a reply as `mutate` asks for: `count` times an octet is replaced by another one, put in
/// or taken out. Depends on nothing but its arguments, so that a run can be repeated.
pub(crate) fn mutate(octets: &mut Vec<u8>, seed: u64, count: u32) {
    let mut state = seed;
    // SplitMix64: small, well known, and it needs no seeding of its own.
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    for _ in 0..count {
        let [kind, octet, ..] = random().to_le_bytes();
        let places = octets.len() as u64 + 1;
        let at = usize::try_from(random() % places).unwrap_or_default();
        match (kind % 3, octets.get_mut(at)) {
            (0, Some(place)) => *place ^= octet.max(1),
            (1, Some(_)) => {
                octets.remove(at);
            }
            _ => octets.insert(at, octet),
        }
    }
}

/// Replaces `\xNN`; everything else stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let octet = match rest {
            [b'\\', b'x', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        match octet {
            Some(octet) => {
                out.push(octet);
                rest = rest.get(4..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"text": "250 ok"}), b"250 ok\r\n")]
    #[case(json!({"text": "250-a\n250 b\n"}), b"250-a\r\n250 b\r\n")]
    #[case(json!({"text": "250 \\x00\\xff\\xg"}), b"250 \x00\xff\\xg\r\n")]
    #[case(json!({"raw": "250 ok\n"}), b"250 ok\n")]
    #[case(json!({"raw": ""}), b"")]
    fn what_is_said_octet_for_octet(#[case] extra: serde_json::Value, #[case] said: &[u8]) {
        let mut rule = json!({"when": "mail", "do": "reply"});
        rule.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let rule: Rule = serde_json::from_value(rule).unwrap();
        assert_eq!(rule.said().unwrap(), said);
        assert_eq!(Rule::check(&[rule], Protocol::Smtp), []);
    }

    #[test]
    fn a_seed_says_which_changes() {
        let reply = b"250 2.1.0 Sender OK\r\n".to_vec();
        let changed = |seed, count| {
            let mut octets = reply.clone();
            mutate(&mut octets, seed, count);
            octets
        };
        let seeds: std::collections::BTreeSet<_> = (0..50).map(|seed| changed(seed, 1)).collect();
        assert!(seeds.len() > 30, "{}", seeds.len());
        assert!(!seeds.contains(&reply));
        assert!((0..50).all(|seed| changed(seed, 7) == changed(seed, 7)));
        let lengths: std::collections::BTreeSet<_> = seeds.iter().map(Vec::len).collect();
        let of = reply.len();
        assert_eq!(lengths, [of - 1, of, of + 1].into());
    }

    #[rstest]
    #[case(json!("25s"), Some(25_000))]
    #[case(json!("250ms"), Some(250))]
    #[case(json!("1 m"), Some(60_000))]
    #[case(json!("25"), None)]
    #[case(json!("-1s"), None)]
    #[case(json!("99999999999999s"), None)]
    fn lengths_of_time(#[case] text: serde_json::Value, #[case] ms: Option<u64>) {
        let span: Option<Span> = serde_json::from_value(text).ok();
        assert_eq!(span.map(|span| span.0), ms.map(Duration::from_millis));
    }

    #[rstest]
    #[case(json!({"when": "retr", "do": "stall"}), "does not have")]
    #[case(json!({"when": "mail", "do": "reply"}), "needs `text`")]
    #[case(json!({"when": "mail", "do": "refuse"}), "connect")]
    #[case(json!({"when": "mail", "do": "fin", "after_bytes": 5}), "body")]
    #[case(json!({"when": "body", "do": "swallow"}), "no reply")]
    #[case(json!({"when": "dot", "do": "truncate"}), "`bytes`")]
    #[case(json!({"when": "dot", "do": "split"}), "`at`")]
    #[case(json!({"when": "dot", "do": "stall", "off": true}), "`name`")]
    #[case(json!({"when": "dot", "do": "stall", "nth": 0}), "from 1")]
    #[case(json!({"when": "sent", "do": "fin"}), "need `after_bytes`")]
    #[case(json!({"when": "received", "do": "fin", "after_bytes": 1, "nth": 2}), "only once")]
    #[case(json!({"when": "received", "do": "mutate", "after_bytes": 1}), "no reply")]
    #[case(json!({"when": "sent", "do": "reply", "text": "x", "after_bytes": 1}), "at `sent`")]
    #[case(json!({"when": "dot", "do": "stall", "count": 3}), "`count` needs")]
    #[case(json!({"when": "dot", "do": "repeat", "count": 1}), "2 to 1000")]
    #[case(json!({"when": "dot", "do": "mutate", "count": 1001}), "1 to 1000")]
    fn senseless_rules_are_named(#[case] rule: serde_json::Value, #[case] problem: &str) {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let errors = Rule::check(&[rule], Protocol::Smtp);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].to_string().contains(problem), "{}", errors[0]);
    }
}
