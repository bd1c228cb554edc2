//! What can go wrong at a place.

use super::places::{Place, span};
use std::collections::BTreeSet;
use std::time::Duration;
use toml::{Table, Value};
use urcheck_reports::Protocol;

/// Up to this length a reply is cut at every octet.
const CUT_EVERYWHERE: usize = 64;

/// In a longer one, so many octets at both ends and around line ends.
const AROUND: usize = 8;

/// Most line ends of one reply that are cut around.
const LINE_ENDS: usize = 12;

/// One thing that goes wrong at one place.
#[derive(Clone, Debug)]
pub(super) struct Mischief {
    /// In one word.
    pub name: String,
    /// The rule.
    pub rule: Table,
    /// Whether a device must not notice: TCP is a stream, and a late answer is an answer. The
    /// flow must then pass as it is.
    pub transparent: bool,
}

/// Everything that can go wrong at a place. `timer` is the device's timer for the protocol,
/// `late` the longest delay that it must ride out.
pub(super) fn all(place: &Place, timer: Duration, late: Duration) -> Vec<Mischief> {
    let mut made = Made {
        place,
        all: Vec::new(),
    };
    match place.when {
        "connect" => {
            made.add("refuse", [("do", text("refuse"))]);
            made.add("black-hole", [("do", text("black-hole"))]);
        }
        "body" => made.inside_the_message(),
        _ => {
            if !place.when.ends_with("-body") {
                made.other_replies();
            }
            made.silence();
            made.halves();
            made.transparent(timer, late);
        }
    }
    made.all
}

struct Made<'a> {
    place: &'a Place,
    all: Vec<Mischief>,
}

impl Made<'_> {
    fn add<const N: usize>(&mut self, name: &str, keys: [(&str, Value); N]) {
        let mut rule = self.place.rule();
        rule.extend(keys.map(|(key, value)| (key.to_owned(), value)));
        self.all.push(Mischief {
            name: name.to_owned(),
            rule,
            transparent: false,
        });
    }

    /// Replies that are not the honest one. None says that something was done that was not.
    fn other_replies(&mut self) {
        let replies: &[(&str, &str, &str)] = match self.place.protocol {
            Protocol::Smtp => &[
                ("goodbye", "421 4.3.2 going down", "fin"),
                ("not-now", "451 4.3.0 try again later", "go-on"),
                ("never", "554 5.7.1 not here", "go-on"),
                ("odd-code", "399 what now", "go-on"),
                ("no-code", "hello there", "go-on"),
            ],
            Protocol::Pop3 => &[
                ("refusal", "-ERR not now", "go-on"),
                ("goodbye", "-ERR going down", "fin"),
                ("temporary", "-ERR [SYS/TEMP] try again later", "go-on"),
                ("no-status", "hello there", "go-on"),
                ("half-status", "+", "go-on"),
            ],
        };
        for (name, said, then) in replies {
            self.add(
                name,
                [
                    ("do", text("reply")),
                    ("text", text(said)),
                    ("then", text(then)),
                ],
            );
        }
        self.add(
            "empty-line",
            [("do", text("reply")), ("raw", text("\\x0d\\x0a"))],
        );
        let extra = match self.place.protocol {
            Protocol::Smtp => "250 and another",
            Protocol::Pop3 => "+OK and another",
        };
        for side in ["before", "after"] {
            self.add(
                &format!("extra-{side}"),
                [
                    ("do", text("inject")),
                    ("text", text(extra)),
                    ("place", text(side)),
                ],
            );
        }
        self.add(
            "flood",
            [
                ("do", text("endless")),
                ("bytes", Value::Integer(64 << 10)),
                ("then", text("stall")),
            ],
        );
    }

    fn silence(&mut self) {
        for action in ["stall", "fin", "rst", "half-close"] {
            self.add(action, [("do", text(action))]);
        }
    }

    /// A reply that ends too early.
    fn halves(&mut self) {
        let length = self.place.bytes.len();
        let offsets = [
            1,
            length / 2,
            length.saturating_sub(2),
            length.saturating_sub(1),
        ];
        let offsets: BTreeSet<usize> = offsets
            .into_iter()
            .filter(|offset| (1..length).contains(offset))
            .collect();
        for offset in offsets {
            for then in ["fin", "rst", "stall"] {
                self.add(
                    &format!("first-{offset}-then-{then}"),
                    [
                        ("do", text("truncate")),
                        ("bytes", number(offset)),
                        ("then", text(then)),
                    ],
                );
            }
        }
    }

    fn inside_the_message(&mut self) {
        let length = self.place.bytes.len();
        let offsets: BTreeSet<usize> = [1, length / 2, length.saturating_sub(5)]
            .into_iter()
            .filter(|offset| (1..length).contains(offset))
            .collect();
        for offset in offsets {
            for action in ["fin", "rst", "stall", "stop-reading"] {
                self.add(
                    &format!("{action}-after-{offset}"),
                    [("do", text(action)), ("after_bytes", number(offset))],
                );
            }
        }
    }

    /// What a device must not notice.
    fn transparent(&mut self, timer: Duration, late: Duration) {
        let from = self.all.len();
        self.add("late", [("do", text("delay")), ("delay", span(late))]);
        let length = self.place.bytes.len();
        for offset in cuts(&self.place.bytes) {
            self.add(
                &format!("split-at-{offset}"),
                [
                    ("do", text("split")),
                    ("at", Value::Array(vec![number(offset)])),
                ],
            );
        }
        if length > 1 {
            let piece = length.div_ceil(256);
            let pieces = u32::try_from(length.div_ceil(piece)).unwrap_or(u32::MAX);
            let gap =
                (timer / 4 / pieces).clamp(Duration::from_millis(1), Duration::from_millis(50));
            self.add(
                "drip",
                [
                    ("do", text("drip")),
                    ("bytes", number(piece)),
                    ("gap", span(gap)),
                ],
            );
        }
        for mischief in self.all.iter_mut().skip(from) {
            mischief.transparent = true;
        }
    }
}

/// Offsets at which a reply is worth cutting.
fn cuts(reply: &[u8]) -> BTreeSet<usize> {
    let length = reply.len();
    if length <= CUT_EVERYWHERE {
        return (1..length).collect();
    }
    let ends = (1..=AROUND).chain(length - AROUND..length);
    let feeds = reply.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let around = feeds
        .take(LINE_ENDS)
        .flat_map(|(at, _)| [at, at + 1, at + 2]);
    ends.chain(around)
        .filter(|at| (1..length).contains(at))
        .collect()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn number(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(when: &'static str, bytes: &[u8]) -> Place {
        Place {
            protocol: Protocol::Smtp,
            connection: 1,
            when,
            nth: 1,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_short_reply_is_cut_at_every_octet() {
        let cuts: Vec<_> = cuts(b"250 ok\r\n").into_iter().collect();
        assert_eq!(cuts, [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn every_rule_makes_sense_to_the_fault_engine() {
        let second = Duration::from_secs(1);
        for (protocol, when) in [
            (Protocol::Smtp, "connect"),
            (Protocol::Smtp, "body"),
            (Protocol::Smtp, "dot"),
            (Protocol::Pop3, "greeting"),
            (Protocol::Pop3, "retr-body"),
        ] {
            let place = Place {
                protocol,
                ..place(when, &[b'x'; 100])
            };
            let all = all(&place, 30 * second, 25 * second);
            assert!(all.len() > 1, "{when}");
            let rules: Vec<_> = all
                .iter()
                .map(|one| super::super::places::rule(&one.rule).unwrap())
                .collect();
            let server = match protocol {
                Protocol::Smtp => urcheck_servers::event::Protocol::Smtp,
                Protocol::Pop3 => urcheck_servers::event::Protocol::Pop3,
            };
            assert_eq!(urcheck_servers::fault::Rule::check(&rules, server), []);
        }
    }
}
