//! What the judge records without a verdict: the readings that lines lean on, values for the
//! behaviour sheet, and how much time was left.

use super::findings::{seconds, show};
use super::lines::Line;
use super::{Judge, pattern};
use crate::scenario::case::{Action, Expect, Record, Recorded};
use crate::scenario::check::{Check, CheckError};
use serde_json::{Map, Value};
use std::time::Duration;
use urcheck_reports::{Behaviour, End, Evidence, Finding, Grade, Leaning, Margin, Source};

/// No recorded value is longer than this, as JSON.
const LONGEST: usize = 4096;

impl Judge<'_> {
    fn expectation(&self, step: usize) -> Option<&Expect> {
        match &self.case.steps.get(step)?.action {
            Action::Expect(expect) => Some(expect),
            _ => None,
        }
    }

    /// Notes the readings under which a line met the expectation of this step.
    pub(super) fn lean(&mut self, step: usize, line: &Line) {
        let Some(expect) = self.expectation(step) else {
            return;
        };
        if expect.pattern.terms().next().is_none() {
            return;
        }
        match pattern::leanings(&expect.pattern, &self.captures, &line.text) {
            Ok(terms) => {
                // What is right under any reading says nothing.
                let told = |under: &Vec<Vec<_>>| under.iter().all(|list| !list.is_empty());
                for under in terms.into_iter().filter(told) {
                    self.note_leaning(step, show(&line.text), under);
                }
            }
            Err(error) => self.unusable(step, &error),
        }
    }

    fn note_leaning(
        &mut self,
        step: usize,
        saw: String,
        under: Vec<Vec<urcheck_reports::Reading>>,
    ) {
        if let Some(step) = self.case.steps.get(step) {
            self.noted.readings.push(Leaning {
                place: step.place.clone(),
                saw,
                at: self.now,
                under,
            });
        }
    }

    /// What a finding about this step must say of the disputes that it leans on.
    pub(super) fn leaning_on(&self, step: usize) -> Vec<String> {
        let Some(expect) = self.expectation(step) else {
            return Vec::new();
        };
        let leans = expect.pattern.terms().flat_map(|term| &term.leans);
        let mut notes: Vec<String> = leans.map(ToString::to_string).collect();
        if notes.is_empty() {
            return notes;
        }
        for arrived in self.heard.since_send() {
            let refused = pattern::refused(&expect.pattern, &self.captures, &arrived.line);
            for one in refused.ok().flatten().unwrap_or_default() {
                notes.push(format!(
                    "`{}` follows reading `{}` of {}",
                    show(&arrived.line),
                    one.reading,
                    one.dispute
                ));
            }
        }
        notes
    }

    /// Finds that a line would be the one that is awaited, had the profile not chosen another
    /// reading. `true`: that is so, and there is nothing to wait for any more.
    pub(super) fn follows_another_reading(&mut self, line: &Line) -> bool {
        let refused = self.dialogue.all_awaited().find_map(|step| {
            let pattern = &self.expectation(step)?.pattern;
            let refused = pattern::refused(pattern, &self.captures, &line.text);
            Some((step, refused.ok()??))
        });
        let Some((step, readings)) = refused else {
            return false;
        };
        let (chosen, others): (Vec<_>, Vec<_>) = self
            .expectation(step)
            .into_iter()
            .flat_map(|expect| expect.pattern.terms())
            .flat_map(|term| &term.leans)
            .partition(|lean| lean.chosen.is_some());
        let lean = chosen.into_iter().chain(others).find_map(|lean| {
            let other = readings.iter().find(|one| one.dispute == lean.dispute)?;
            let chosen = lean.chosen.as_ref()?;
            (other.reading != *chosen).then_some((other, chosen))
        });
        let message = match lean {
            Some((other, chosen)) => format!(
                "`{}` follows reading `{}` of {}, the profile chose `{chosen}`",
                show(&line.text),
                other.reading,
                other.dispute,
            ),
            None => format!(
                "`{}` follows a reading of the note that the profile does not accept",
                show(&line.text)
            ),
        };
        let finding = self.finding("reading", Source::Device, message);
        let evidence = Evidence::Missing {
            pattern: self.wanted(step),
            due: self.due(step),
            nearest: Some(self.arrival(line)),
        };
        self.find(self.at_step(finding, step, Some(evidence)));
        self.stopped = true;
        true
    }

    /// Notes how much time was left of the window of this step when its line came.
    pub(super) fn margin(&mut self, step: usize, line: &Line, (from, due): (Duration, Duration)) {
        let Some(expect) = self.expectation(step) else {
            return;
        };
        let window = expect.window;
        let (width, to_end) = (due.saturating_sub(from), due.saturating_sub(self.now));
        // Without a window of its own, or with one that opens at once, only the end counts.
        let to_start = window
            .filter(|window| !window.from.is_zero())
            .map(|_| self.now.saturating_sub(from));
        let width = match window {
            Some(_) => width,
            None => self.policy.answer,
        };
        let (left, end) = match to_start {
            Some(left) if left < to_end => (left, End::Start),
            _ => (to_end, End::End),
        };
        let Some(step_of) = self.case.steps.get(step) else {
            return;
        };
        let margin = Margin {
            place: step_of.place.clone(),
            expected: step_of.text.clone(),
            at: self.now,
            left,
            end,
            least: (self.policy.timers.tolerance / 2).min(width / 4),
        };
        if margin.is_marginal() {
            let message = format!(
                "`{}` came {} after the last command, only {} {} its window; less than {} is \
                 marginal",
                show(&line.text),
                seconds(self.now.saturating_sub(self.sent_at)),
                seconds(left),
                match end {
                    End::Start => "after the start of",
                    End::End => "before the end of",
                },
                seconds(margin.least),
            );
            let finding = Finding {
                grade: Grade::Observation,
                ..self.finding("margin", Source::Device, message)
            };
            self.find(self.at_step(finding, step, None));
        } else if window.is_none() {
            return;
        }
        self.noted.margins.push(margin);
    }

    /// A `%` line.
    pub(super) fn record(&mut self, at: usize, record: &Record, state: &Value) {
        let value = Check::compile(&record.expression)
            .and_then(|check| check.value(&self.variables_of(&check), state));
        match &record.what {
            Recorded::Behaviour(key) => self.behaviour(at, key, value),
            Recorded::Reading { dispute, readings } => {
                let Ok(Value::String(followed)) = value else {
                    return;
                };
                let Some((reading, accepted)) =
                    readings.iter().find(|(one, _)| one.reading == followed)
                else {
                    return;
                };
                let lines = self.heard.since_send().iter();
                let lines: Vec<_> = lines.map(|one| show(&one.line)).collect();
                self.note_leaning(at, lines.join("` `"), vec![vec![reading.clone()]]);
                if !accepted {
                    let known = readings.iter().filter(|(_, accepted)| *accepted);
                    let known: Vec<_> =
                        known.map(|(one, _)| format!("`{}`", one.reading)).collect();
                    let message = format!(
                        "the device follows reading `{followed}` of {dispute}, the profile \
                         accepts {}",
                        known.join(" or ")
                    );
                    let mut finding = self.finding("reading", Source::Device, message);
                    finding.details.push(format!("leans on dispute {dispute}"));
                    self.find(self.at_step(finding, at, None));
                }
            }
        }
    }

    fn behaviour(&mut self, at: usize, key: &str, value: Result<Value, CheckError>) {
        let Some(step) = self.case.steps.get(at) else {
            return;
        };
        let (value, problem) = match value {
            Ok(value) if value.to_string().len() > LONGEST => {
                let problem = format!("it is longer than {LONGEST} bytes");
                (Value::Null, Some(problem))
            }
            Ok(value) => (value, None),
            // What it asks for is not there, and that is worth recording as well.
            Err(error) => (Value::Null, Some(error.to_string())),
        };
        self.noted.behaviour.push(Behaviour {
            key: key.to_owned(),
            value,
            problem,
            place: step.place.clone(),
            at: self.now,
        });
    }

    /// What an expression can see besides the servers.
    pub(super) fn variables_of(&self, check: &Check) -> Map<String, Value> {
        let mut variables = self.variables();
        for (name, heard) in [
            ("lines", self.heard.since_send()),
            ("section_lines", self.heard.in_section()),
        ] {
            if check.variables().contains(name) {
                let own = heard.iter().filter(|one| !self.policy.ignores(&one.line));
                let lines = own.map(|one| String::from_utf8_lossy(&one.line).into_owned());
                variables.insert(name.to_owned(), lines.collect::<Vec<_>>().into());
            }
        }
        variables
    }
}
