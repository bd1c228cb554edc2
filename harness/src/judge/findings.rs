//! What the judge finds, in words and with its evidence.

use super::lines::Line;
use super::pattern::{self, Captured, PatternError};
use super::{
    CRASH, FLOOD_MONITOR, HEALTH, Judge, Judged, LINK, MOST_UNEXPECTED, UNREACHED, is_final_result,
};
use crate::profile::Timers;
use crate::scenario::case::{Action, Step};
use crate::scenario::check::Check;
use std::time::Duration;
use urcheck_reports::{
    Arrived, CheckPart, Class, Due, Evidence, Finding, Grade, Margin, Source, Verdict,
};

/// A fault rule that had to fire and never did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The rule, as it is known to people.
    pub fault: String,
    /// Whether it waited for the end of the set-up, so that a device which had asked the server
    /// before may have answered from memory.
    pub held: bool,
}

impl Judge<'_> {
    /// What the monitors found in the case as a whole.
    pub fn watched(&mut self, found: Vec<Finding>) {
        self.findings.extend(found);
    }

    /// The device was asked after its health behind the case, and is stuck in this way.
    pub fn unhealthy(&mut self, how: String) {
        self.find(self.finding(HEALTH, Source::Device, how));
    }

    /// A fault of the scenario never came about: the device was not put to the test.
    pub fn unreached(&mut self, unreached: &Unreached) {
        let message = format!("the fault was never reached: {}", unreached.fault);
        let mut finding = self.finding(UNREACHED, Source::Bench, message);
        finding.event = None;
        if unreached.held {
            let why = "a device may answer from memory what it asked the server when it logged in";
            finding.details.push(why.to_owned());
            self.from_memory = true;
        }
        self.find(finding);
    }

    /// The bench could not do what the scenario asks for.
    pub fn bench_failed(&mut self, how: String) {
        self.find(self.finding("bench", Source::Bench, how));
        self.stopped = true;
    }

    /// The findings and what they amount to.
    pub fn finish(self) -> Judged {
        let mut findings = self.findings;
        if self.unexpected > MOST_UNEXPECTED {
            let more = self.unexpected - MOST_UNEXPECTED;
            if let Some(last) = findings
                .iter_mut()
                .rfind(|f| f.monitor == "unexpected-line")
            {
                last.details
                    .push(format!("and {more} more unexpected lines"));
            }
        }
        let marginal = self.noted.margins.iter().any(Margin::is_marginal);
        let lenient = self.case.class == Class::Info || self.from_memory;
        let verdict = verdict(&mut findings, lenient, marginal);
        findings.sort_by_key(|finding| (finding.grade, finding.source != Source::Device));
        Judged {
            verdict,
            findings,
            observed: self.noted,
        }
    }

    pub(super) fn unexpected_line(&mut self, line: &Line) {
        if line.is_blank() || self.policy.ignores(&line.text) {
            return;
        }
        if self.follows_another_reading(line) {
            return;
        }
        let awaited = self.dialogue.awaited();
        // No answer follows a final result code, so there is nothing to wait for any more.
        if let Some(step) = awaited.filter(|_| is_final_result(&line.text)) {
            let message = format!(
                "got `{}` instead of `{}`",
                show(&line.text),
                self.wanted(step)
            );
            let finding = self.finding("expectation", Source::Device, message);
            let evidence = Evidence::Missing {
                pattern: self.wanted(step),
                due: self.due(step),
                nearest: Some(self.arrival(line)),
            };
            self.find(self.at_step(finding, step, Some(evidence)));
            self.stopped = true;
            return;
        }
        // The case has failed. A line that has a very long time may still come, but is not waited
        // for longer than a device waits for anything.
        let Timers {
            smtp,
            pop3,
            tolerance,
            ..
        } = self.policy.timers;
        self.dialogue.hurry(self.now + smtp.max(pop3) + tolerance);
        self.unexpected += 1;
        if self.unexpected <= MOST_UNEXPECTED {
            let message = format!("unexpected line `{}`", show(&line.text));
            let step = awaited.unwrap_or(self.cursor.saturating_sub(1));
            self.unexpected_finding("unexpected-line", message, line, step);
        }
    }

    /// The expectation of this step was not met in time.
    pub(super) fn miss(&mut self, step: usize) {
        let pattern = self.wanted(step);
        let due = self.due(step);
        let mut message = format!("`{pattern}` did not come");
        if let Some(due) = due {
            message.push_str(&format!(" within {} of the last command", seconds(due.to)));
        }
        let mut finding = self.finding("expectation", Source::Device, message);
        let open = self.assembler.open_line();
        if !open.trim_ascii().is_empty() {
            finding.details.push(format!(
                "the device sent `{}` without a line end",
                show(open)
            ));
        } else if self.heard.since_send().is_empty() {
            finding
                .details
                .push("the device sent no line at all".to_owned());
        }
        let heard = self.heard.since_send();
        let lines = heard.iter().map(|arrived| arrived.line.as_slice());
        let nearest = urcheck_reports::nearest(&pattern, lines)
            .and_then(|nearest| heard.get(nearest.index).cloned());
        let evidence = Evidence::Missing {
            pattern,
            due,
            nearest,
        };
        self.find(self.at_step(finding, step, Some(evidence)));
        self.stopped = true;
    }

    /// Evaluates the check at the cursor and all that follow it directly.
    pub(super) fn check_all(&mut self, state: &serde_json::Value) {
        while let Some(step) = self.case.steps.get(self.cursor) {
            self.heard.enter_section(step.section);
            match &step.action {
                Action::Check(source) => self.check(self.cursor, source, state),
                Action::Record(record) => self.record(self.cursor, record, state),
                _ => break,
            }
            self.cursor += 1;
        }
        self.idle_since = self.now;
    }

    pub(super) fn check(&mut self, at: usize, source: &str, state: &serde_json::Value) {
        let outcome = Check::compile(source)
            .and_then(|check| check.evaluate(&self.variables_of(&check), state));
        let (message, parts) = match outcome {
            Ok(outcome) if outcome.ok => return,
            Ok(outcome) => (format!("the check `{source}` is false"), outcome.parts),
            // What a scenario indexes can be missing because of what the device did, so this
            // counts as a failed check and not as a broken scenario.
            Err(error) => (
                format!("the check `{source}` has no value: {error}"),
                Vec::new(),
            ),
        };
        let finding = self.finding("check", Source::Device, message);
        let parts = parts
            .into_iter()
            .map(|(expression, value)| CheckPart { expression, value });
        let evidence = Evidence::Check {
            expression: source.to_owned(),
            parts: parts.collect(),
        };
        self.find(self.at_step(finding, at, Some(evidence)));
    }

    pub(super) fn variables(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut variables = self.case.variables.clone();
        for (name, Captured { text, number }) in &self.captures {
            let value = match text.parse::<i64>() {
                Ok(value) if *number => value.into(),
                _ => text.clone().into(),
            };
            variables.insert(name.clone(), value);
        }
        variables
    }

    /// A step that cannot be carried out because of the scenario itself.
    pub(super) fn unusable(&mut self, step: usize, error: &PatternError) {
        let finding = self.finding("scenario", Source::Scenario, error.to_string());
        self.find(self.at_step(finding, step, None));
        self.stopped = true;
    }

    /// A finding about a line that came.
    pub(super) fn unexpected_finding(
        &mut self,
        monitor: &str,
        message: String,
        line: &Line,
        step: usize,
    ) {
        let finding = self.finding(monitor, Source::Device, message);
        let allowed = self.dialogue.awaited().map(|step| self.wanted(step));
        let evidence = Evidence::Unexpected {
            line: self.arrival(line),
            allowed: allowed.into_iter().collect(),
        };
        self.find(self.at_step(finding, step, Some(evidence)));
    }

    pub(super) fn finding(&self, monitor: &str, source: Source, message: String) -> Finding {
        let event = self.observed.checked_sub(1);
        Finding {
            source,
            event,
            ..Finding::new(monitor, message, self.now)
        }
    }

    pub(super) fn at_step(
        &self,
        mut finding: Finding,
        step: usize,
        evidence: Option<Evidence>,
    ) -> Finding {
        if let Some(step) = self.case.steps.get(step) {
            finding.place = Some(step.place.clone());
            finding.expected = Some(step.text.clone());
        }
        finding.details.extend(self.leaning_on(step));
        finding.evidence = evidence;
        finding
    }

    pub(super) fn arrival(&self, line: &Line) -> Arrived {
        Arrived {
            line: line.text.clone(),
            at: self.open_since,
        }
    }

    /// When the line of this step is due, counted from the last send.
    pub(super) fn due(&self, step: usize) -> Option<Due> {
        let (from, to) = self.dialogue.due(step)?;
        let since = self.sent_at;
        Some(Due {
            since,
            from: from.saturating_sub(since),
            to: to.saturating_sub(since),
        })
    }

    /// The line that a step wants: as written, without sign and window, with captures filled in.
    pub(super) fn wanted(&self, step: usize) -> String {
        match self.case.steps.get(step) {
            Some(Step {
                action: Action::Expect(expect),
                text,
                ..
            }) => pattern::describe(&expect.pattern, &self.captures)
                .unwrap_or_else(|| text.trim().to_owned()),
            Some(step) => step.text.trim().to_owned(),
            None => String::new(),
        }
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// What the findings of a case amount to. In a `lenient` one (of class `info`, or when the device
/// could not be put to the test) nothing that its author expects can fail: what differs is an
/// observation. What a monitor finds is always counted.
pub(super) fn verdict(findings: &mut [Finding], lenient: bool, marginal: bool) -> Verdict {
    if lenient {
        let of_the_scenario = |finding: &&mut Finding| {
            finding.source == Source::Device
                && !crate::monitor::is_monitor(&finding.monitor)
                && ![HEALTH, CRASH].contains(&finding.monitor.as_str())
        };
        for finding in findings.iter_mut().filter(of_the_scenario) {
            finding.grade = Grade::Observation;
        }
    }
    let unreached = findings.iter().any(|finding| finding.monitor == UNREACHED);
    let counted = |finding: &&Finding| finding.grade != Grade::Observation;
    // A device that floods the line takes nothing in any more: then the flood is what is wrong,
    // and the line that broke under it is not.
    let flood = findings
        .iter()
        .any(|finding| finding.monitor == FLOOD_MONITOR && counted(&finding));
    let broken = |finding: &Finding| {
        finding.source != Source::Device
            && finding.monitor != UNREACHED
            && !(flood && finding.monitor == LINK)
    };
    let counted: Vec<_> = findings.iter().filter(counted).collect();
    if counted.iter().any(|finding| broken(finding)) {
        Verdict::Error
    } else if counted
        .iter()
        .any(|finding| finding.source == Source::Device)
    {
        Verdict::Fail
    } else if unreached {
        Verdict::Inconclusive
    } else if marginal {
        Verdict::Marginal
    } else {
        Verdict::Pass
    }
}

/// Text of the device for a message: cut, with what is not printable escaped.
pub(super) fn show(text: &[u8]) -> String {
    const LONGEST: usize = 160;
    let (head, tail) = text.split_at(text.len().min(LONGEST));
    let mut out = match std::str::from_utf8(head) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => head.escape_ascii().to_string(),
    };
    if !tail.is_empty() {
        out.push_str(&format!("… {} more bytes", tail.len()));
    }
    out
}

pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
