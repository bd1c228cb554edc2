//! The rules of one server with their counters: which rule fires where.

use super::{Action, Position, Rule};
use crate::net::Door;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The rules of one server. Counters are shared by all connections.
pub struct Book {
    rules: Vec<Rule>,
    states: Mutex<Vec<State>>,
}

#[derive(Clone, Default)]
struct State {
    on: bool,
    seen: u32,
    fired: u32,
}

/// A place that a connection has come to.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Names of the place, each with how often this connection has been there, from 1.
    pub names: &'a [(Position, u32)],
    /// Number of the connection.
    pub connection: u32,
    /// The client's line, without its end.
    pub line: &'a [u8],
}

/// Which kinds of rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Every rule.
    All,
    /// Only those that decide about an attempt to connect before it succeeds.
    Gate,
    /// All but those.
    NotGate,
}

impl Book {
    /// A book of these rules, in order.
    pub fn new(rules: Vec<Rule>) -> Self {
        let states = rules
            .iter()
            .map(|rule| State {
                on: !rule.off,
                ..State::default()
            })
            .collect();
        Self {
            rules,
            states: Mutex::new(states),
        }
    }

    /// Whether there is nothing to ask for.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether there is a rule for this place at all.
    pub fn has(&self, position: Position) -> bool {
        self.rules.iter().any(|rule| rule.when == position)
    }

    /// Of the rules for the first place of `visit` that count octets: the first one whose
    /// `after_bytes` is `reached`. A rule is asked only once per stretch of octets: `passed` holds
    /// those that were.
    pub fn due(
        &self,
        visit: Visit<'_>,
        reached: u64,
        passed: &mut BTreeSet<usize>,
    ) -> Option<(usize, &Rule)> {
        let mut states = self.lock();
        for (index, (rule, state)) in self.rules.iter().zip(states.iter_mut()).enumerate() {
            if !counts(rule, state, visit, index, passed) || rule.after_bytes > reached {
                continue;
            }
            passed.insert(index);
            state.seen += 1;
            if state.seen > rule.skip {
                return Some((index, rule));
            }
        }
        None
    }

    /// How many octets there may be before a rule that [`Book::due`] asks has to be asked.
    pub fn next_due(&self, visit: Visit<'_>, passed: &BTreeSet<usize>) -> Option<u64> {
        let states = self.lock();
        let rules = self.rules.iter().zip(states.iter()).enumerate();
        rules
            .filter(|(index, (rule, state))| counts(rule, state, visit, *index, passed))
            .map(|(_, (rule, _))| rule.after_bytes)
            .min()
    }

    /// What happens to every attempt to connect right now, as far as that depends on nothing but
    /// which rules are on; with the rule that says so.
    pub fn door(&self) -> (Door, Option<(usize, &Rule)>) {
        let states = self.lock();
        let first = self
            .rules
            .iter()
            .zip(states.iter())
            .enumerate()
            .find(|(_, (rule, state))| state.on && rule.when == Position::Connect);
        let Some((index, (rule, _))) = first else {
            return (Door::Open, None);
        };
        let conditional = rule.connection.is_some()
            || rule.nth.is_some()
            || rule.skip > 0
            || rule.times.is_some()
            || rule.matching.is_some()
            || rule.delay.is_some();
        match rule.action {
            Action::Refuse if !conditional => (Door::Refuse, Some((index, rule))),
            Action::BlackHole if !conditional => (Door::BlackHole, Some((index, rule))),
            _ => (Door::Open, None),
        }
    }

    /// Finds the rule for a place, and counts the visit for its `skip`. It has not fired yet.
    pub fn find(&self, visit: Visit<'_>, kinds: Kinds) -> Option<(usize, &Rule)> {
        if self.rules.is_empty() {
            return None;
        }
        let mut states = self.lock();
        for (index, (rule, state)) in self.rules.iter().zip(states.iter_mut()).enumerate() {
            let gate = matches!(rule.action, Action::Refuse | Action::BlackHole);
            let asked = match kinds {
                Kinds::All => true,
                Kinds::Gate => gate,
                Kinds::NotGate => !gate,
            };
            if !asked || !state.on || !matches(rule, visit) {
                continue;
            }
            if rule.times.is_some_and(|times| state.fired >= times) {
                continue;
            }
            state.seen += 1;
            if state.seen > rule.skip {
                return Some((index, rule));
            }
        }
        None
    }

    /// Counts a rule as fired.
    pub fn fire(&self, index: usize) {
        if let Some(state) = self.lock().get_mut(index) {
            state.fired += 1;
        }
    }

    /// How often each rule has fired.
    pub fn fired(&self) -> Vec<u32> {
        self.lock().iter().map(|state| state.fired).collect()
    }

    /// Turns the rules with this name on or off; how many there are.
    pub fn turn(&self, name: &str, on: bool) -> usize {
        let mut states = self.lock();
        let named = self.rules.iter().zip(states.iter_mut());
        named
            .filter(|(rule, _)| rule.name.as_deref() == Some(name))
            .map(|(_, state)| state.on = on)
            .count()
    }

    /// The names that rules have.
    pub fn names(&self) -> Vec<&str> {
        self.rules
            .iter()
            .filter_map(|rule| rule.name.as_deref())
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<State>> {
        // A poisoned lock only says that some task panicked; counters stay counters.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a rule that counts octets has still to be asked.
fn counts(
    rule: &Rule,
    state: &State,
    visit: Visit<'_>,
    index: usize,
    passed: &BTreeSet<usize>,
) -> bool {
    state.on
        && !passed.contains(&index)
        && rule.times.is_none_or(|times| state.fired < times)
        && matches(rule, visit)
}

fn matches(rule: &Rule, visit: Visit<'_>) -> bool {
    let here = visit.names.iter().any(|&(position, nth)| {
        rule.when == position && rule.nth.is_none_or(|wanted| wanted == nth)
    });
    here && rule
        .connection
        .is_none_or(|wanted| wanted == visit.connection)
        && rule
            .matching
            .as_deref()
            .is_none_or(|text| contains(visit.line, text.as_bytes()))
}

/// Whether `text` stands somewhere in `line`, ASCII case ignored.
fn contains(line: &[u8], text: &[u8]) -> bool {
    text.is_empty()
        || line
            .windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(toml: &[(&str, serde_json::Value)]) -> Rule {
        let map: serde_json::Map<_, _> = toml
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        serde_json::from_value(map.into()).unwrap()
    }

    fn ask(book: &Book, position: Position, nth: u32, connection: u32) -> Option<usize> {
        let visit = Visit {
            names: &[(position, nth), (Position::Any, nth)],
            connection,
            line: b"RCPT TO:<Bob@Example.test>",
        };
        let (index, _) = book.find(visit, Kinds::All)?;
        book.fire(index);
        Some(index)
    }

    #[test]
    fn the_first_matching_rule_wins_and_counters_hold() {
        let book = Book::new(vec![
            rule(&[
                ("when", "rcpt".into()),
                ("do", "stall".into()),
                ("nth", 2.into()),
            ]),
            rule(&[
                ("when", "rcpt".into()),
                ("do", "fin".into()),
                ("skip", 1.into()),
                ("times", 2.into()),
                ("matching", "bob@EXAMPLE".into()),
            ]),
            rule(&[
                ("when", "any".into()),
                ("do", "swallow".into()),
                ("connection", 7.into()),
            ]),
        ]);
        assert_eq!(ask(&book, Position::Rcpt, 1, 1), None, "skipped once");
        assert_eq!(ask(&book, Position::Rcpt, 2, 1), Some(0));
        assert_eq!(ask(&book, Position::Rcpt, 3, 1), Some(1));
        assert_eq!(ask(&book, Position::Rcpt, 1, 2), Some(1));
        assert_eq!(ask(&book, Position::Rcpt, 3, 2), None, "spent");
        assert_eq!(ask(&book, Position::Mail, 1, 7), Some(2));
        assert_eq!(book.fired(), [1, 2, 1]);
    }

    #[test]
    fn of_rules_that_count_octets_each_is_asked_once() {
        let body = |after: u64, extra: (&'static str, serde_json::Value)| {
            rule(&[
                ("when", "body".into()),
                ("do", "stall".into()),
                ("after_bytes", after.into()),
                extra,
            ])
        };
        let book = Book::new(vec![
            body(20, ("connection", 2.into())),
            body(30, ("skip", 1.into())),
            body(10, ("times", 1.into())),
            body(10, ("skip", 0.into())),
        ]);
        let names = [(Position::Body, 1)];
        let visit = |connection| Visit {
            names: &names,
            connection,
            line: b"",
        };
        let mut passed = BTreeSet::new();
        assert_eq!(book.next_due(visit(1), &passed), Some(10));
        assert_eq!(book.due(visit(1), 9, &mut passed).map(|it| it.0), None);
        assert_eq!(book.due(visit(1), 10, &mut passed).map(|it| it.0), Some(2));
        book.fire(2);
        assert_eq!(book.due(visit(1), 10, &mut passed).map(|it| it.0), Some(3));
        assert_eq!(book.next_due(visit(1), &passed), Some(30));
        assert_eq!(book.due(visit(1), 99, &mut passed).map(|it| it.0), None);
        assert_eq!(book.next_due(visit(1), &passed), None);
        let mut passed = BTreeSet::new();
        assert_eq!(book.due(visit(2), 99, &mut passed).map(|it| it.0), Some(0));
        assert_eq!(book.due(visit(2), 99, &mut passed).map(|it| it.0), Some(1));
        assert_eq!(
            book.due(visit(2), 99, &mut passed).map(|it| it.0),
            Some(3),
            "2 is spent"
        );
    }

    #[rstest::rstest]
    #[case(&[("do", "refuse".into())], Door::Refuse)]
    #[case(&[("do", "black-hole".into())], Door::BlackHole)]
    #[case(&[("do", "refuse".into()), ("times", 1.into())], Door::Open)]
    #[case(&[("do", "refuse".into()), ("connection", 2.into())], Door::Open)]
    #[case(&[("do", "refuse".into()), ("delay", "1s".into())], Door::Open)]
    #[case(&[("do", "rst".into())], Door::Open)]
    fn only_a_rule_without_conditions_shuts_the_door(
        #[case] keys: &[(&str, serde_json::Value)],
        #[case] door: Door,
    ) {
        let mut keys = keys.to_vec();
        keys.push(("when", "connect".into()));
        keys.push(("name", "shut".into()));
        keys.push(("off", true.into()));
        let last = rule(&[("when", "connect".into()), ("do", "black-hole".into())]);
        let book = Book::new(vec![rule(&keys), last]);
        assert_eq!(book.door().0, Door::BlackHole, "the first one is off");
        book.turn("shut", true);
        assert_eq!(book.door().0, door);
    }

    #[test]
    fn rules_are_turned_on_and_off_by_name() {
        let book = Book::new(vec![rule(&[
            ("when", "any".into()),
            ("do", "stall".into()),
            ("name", "deaf".into()),
            ("off", true.into()),
        ])]);
        assert_eq!(ask(&book, Position::Noop, 1, 1), None);
        assert_eq!(book.turn("deaf", true), 1);
        assert_eq!(ask(&book, Position::Noop, 2, 1), Some(0));
        assert_eq!(book.turn("blind", true), 0);
    }
}
