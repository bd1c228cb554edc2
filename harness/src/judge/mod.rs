//! The judge: a pure function of a case, a policy and a timeline.
//!
//! It never waits, sends or asks: [`Judge::want`] says what the dialogue needs next, the runner
//! carries that out and puts what happened on the timeline, and [`Judge::observe`] takes each
//! event. Fed with a recorded timeline it comes to the same findings without a device.
//!
//! Must not know: transports, runtimes, the reference module, how a mail protocol is parsed.

mod dialogue;
mod echo;
mod findings;
mod heard;
pub mod lines;
mod observed;
pub mod pattern;
mod policy;
#[cfg(test)]
mod tests;

pub use findings::Unreached;

use crate::scenario::case::{Action, Case, Target};
use dialogue::{Dialogue, Taken, Windows};
pub(crate) use echo::Echo;
use findings::{seconds, show};
use heard::Heard;
pub(crate) use lines::is_final_result;
use lines::{Line, LineAssembler};
pub use policy::Policy;

use pattern::Captures;
use std::time::Duration;
use urcheck_reports::{Event, EventKind, Evidence, Finding, Observed, Source, Verdict};

/// Most bytes that a device may send in one case. More than six minutes of them at 115,200 baud:
/// the largest thing that a device shows is the text of a mail, attachments go to its files.
pub const FLOOD: usize = 4 * 1024 * 1024;

/// Most pieces in which it may send them. On a serial line a piece can be a single byte; the
/// runner puts those together that come at once, long before there are so many.
pub const FLOOD_PIECES: usize = 100_000;

/// The monitor name of a device that sends without end.
const FLOOD_MONITOR: &str = "flood";

/// The monitor name of a line that broke.
pub(crate) const LINK: &str = "link";

/// The monitor name of a fault that never fired.
pub const UNREACHED: &str = "fault-not-reached";

/// What a device is charged with that ends by itself.
pub(crate) const CRASH: &str = "crash";

/// What a device is charged with that a case leaves stuck.
pub(crate) const HEALTH: &str = "health";

/// Findings of one kind that are kept one by one; the rest is only counted.
const MOST_UNEXPECTED: usize = 10;

/// What the dialogue needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Send these bytes, then report [`EventKind::Sent`] with this step.
    Send {
        /// Index of the step.
        step: usize,
        /// The bytes, line end included.
        bytes: Vec<u8>,
    },
    /// Wait for any event; at this time at the latest, report [`EventKind::Tick`].
    Wait {
        /// Time since the start of the case.
        until: Duration,
    },
    /// Carry out an action line, then report [`EventKind::Acted`] with this step.
    Act {
        /// Index of the step.
        step: usize,
        /// Whom to act on.
        target: Target,
        /// The words after the target.
        words: Vec<String>,
    },
    /// Wait until line and servers are quiet, then report [`EventKind::Acted`] with this step.
    Quiet {
        /// Index of the step, or the number of steps for the quiet at the end of the case.
        step: usize,
    },
    /// Wait until line and servers are quiet, then report [`EventKind::Snapshot`] with this step.
    Snapshot {
        /// Index of the step.
        step: usize,
    },
    /// Nothing more: the case is over.
    Done,
}

/// The outcome of judging one case.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict that the findings amount to.
    pub verdict: Verdict,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
    /// What it shows of the device besides.
    pub observed: Observed,
}

/// Judges one case.
#[derive(Debug)]
pub struct Judge<'a> {
    case: &'a Case,
    policy: &'a Policy,
    /// The next step that has not been reached.
    cursor: usize,
    now: Duration,
    /// When the last line was sent, from which windows count.
    sent_at: Duration,
    /// When the last line was sent or the last wait of the scenario ended, from which the
    /// profile's answer time counts.
    idle_since: Duration,
    pause_until: Option<Duration>,
    assembler: LineAssembler,
    received: usize,
    /// How many pieces that came in.
    pieces: usize,
    /// The blank after a prompt is still to come.
    prompt_blank: bool,
    /// When the first byte of the line that is still open came.
    open_since: Duration,
    heard: Heard,
    /// How many events have been observed.
    observed: usize,
    dialogue: Dialogue,
    echo: Echo,
    captures: Captures,
    findings: Vec<Finding>,
    noted: Observed,
    unexpected: usize,
    /// No further step is carried out.
    stopped: bool,
    /// The quiet at the end has been observed.
    ended: bool,
    /// A fault did not reach the device, which may have asked the server before.
    from_memory: bool,
    broken: bool,
}

impl<'a> Judge<'a> {
    /// Starts at time zero of the case.
    pub fn new(case: &'a Case, policy: &'a Policy) -> Self {
        Self {
            case,
            policy,
            cursor: 0,
            now: Duration::ZERO,
            sent_at: Duration::ZERO,
            idle_since: Duration::ZERO,
            pause_until: None,
            assembler: LineAssembler::default(),
            received: 0,
            pieces: 0,
            prompt_blank: false,
            open_since: Duration::ZERO,
            heard: Heard::default(),
            observed: 0,
            dialogue: Dialogue::default(),
            echo: Echo::new(policy.echo),
            captures: Captures::new(),
            findings: Vec::new(),
            noted: Observed::default(),
            unexpected: 0,
            stopped: false,
            ended: false,
            from_memory: false,
            broken: false,
        }
    }

    /// What the dialogue needs next.
    pub fn want(&mut self) -> Want {
        loop {
            if self.ended || self.broken {
                return Want::Done;
            }
            if self.stopped {
                return Want::Quiet {
                    step: self.case.steps.len(),
                };
            }
            if let Some(until) = self.dialogue.deadline() {
                // A line that comes at the very deadline is in time.
                return Want::Wait {
                    until: until + Duration::from_millis(1),
                };
            }
            if let Some(until) = self.pause_until {
                return Want::Wait { until };
            }
            let Some(step) = self.case.steps.get(self.cursor) else {
                match self.dialogue.watched_until() {
                    Some(until) => return Want::Wait { until },
                    None => return Want::Quiet { step: self.cursor },
                }
            };
            match &step.action {
                Action::Expect(_) | Action::Block(_) => self.open_expectations(),
                _ => {
                    // What is watched for a while is watched before anything else is done.
                    if let Some(until) = self.dialogue.watched_until() {
                        return Want::Wait { until };
                    }
                    self.dialogue.enter_section(step.section);
                    self.heard.enter_section(step.section);
                    if let Some(want) = self.carry_out(self.cursor) {
                        return want;
                    }
                }
            }
        }
    }

    /// Takes the next event of the timeline.
    pub fn observe(&mut self, event: &Event) {
        self.observed += 1;
        self.pass_time(event.at);
        match &event.kind {
            EventKind::Sent {
                step: Some(step),
                bytes,
            } if *step == self.cursor => {
                self.sent_at = event.at;
                self.idle_since = event.at;
                self.heard.sent();
                self.echo.sent(bytes);
                self.cursor += 1;
            }
            EventKind::Received { bytes } => self.receive(bytes),
            EventKind::Acted { step, .. } if *step == self.cursor => {
                self.idle_since = event.at;
                if self.cursor >= self.case.steps.len() {
                    self.ended = true;
                } else {
                    self.cursor += 1;
                }
            }
            EventKind::Acted { step, .. } if self.stopped && *step == self.case.steps.len() => {
                self.ended = true;
            }
            EventKind::Snapshot { step, state } if *step == self.cursor => self.check_all(state),
            EventKind::LineLost { message, by_device } => {
                let (monitor, source) = match by_device {
                    true => (CRASH, Source::Device),
                    false => (LINK, Source::Bench),
                };
                self.find(self.finding(monitor, source, message.clone()));
                self.broken = true;
            }
            _ => {}
        }
    }

    /// Whether the dialogue was left before its end, because something in it failed.
    pub fn is_cut_short(&self) -> bool {
        self.stopped || self.broken
    }

    /// Whether the device sent so much that nothing can be said about the single line.
    pub fn is_flooded(&self) -> bool {
        self.received > FLOOD || self.pieces > FLOOD_PIECES
    }

    /// Whether the line to the device broke.
    pub fn line_is_lost(&self) -> bool {
        self.broken
    }

    /// Time has come to `now`: what was due before it is missed.
    fn pass_time(&mut self, now: Duration) {
        self.now = self.now.max(now);
        if self.stopped || self.ended {
            return;
        }
        if let Some(missed) = self.dialogue.missed(self.now) {
            self.miss(missed);
        }
        self.dialogue.pass_time(self.now);
        if self.pause_until.is_some_and(|until| until <= self.now) {
            self.pause_until = None;
            self.idle_since = self.now;
            self.cursor += 1;
        }
    }

    /// Asks for a step that is not an expectation. `None`: it was dealt with here.
    fn carry_out(&mut self, at: usize) -> Option<Want> {
        let step = self.case.steps.get(at)?;
        match &step.action {
            Action::Send(template) | Action::SendRaw(template) => {
                match pattern::fill(template, &self.captures) {
                    Ok(mut bytes) => {
                        if matches!(step.action, Action::Send(_)) {
                            bytes.extend_from_slice(&self.policy.line_end);
                        }
                        Some(Want::Send { step: at, bytes })
                    }
                    Err(error) => {
                        self.unusable(at, &error);
                        None
                    }
                }
            }
            Action::Pause(time) => {
                let until = self.now + *time;
                self.pause_until = Some(until);
                Some(Want::Wait { until })
            }
            Action::Settle => Some(Want::Quiet { step: at }),
            Action::Act { target, words } => Some(Want::Act {
                step: at,
                target: *target,
                words: words.clone(),
            }),
            Action::Check(_) | Action::Record(_) => Some(Want::Snapshot { step: at }),
            Action::Expect(_) | Action::Block(_) => None,
        }
    }

    /// Makes all expectations of this section up to the next other step known to the dialogue.
    fn open_expectations(&mut self) {
        let section = self.case.steps.get(self.cursor).map(|step| step.section);
        let windows = Windows {
            sent_at: self.sent_at,
            idle_since: self.idle_since,
            answer: self.policy.answer,
        };
        self.dialogue.enter_section(section.unwrap_or_default());
        self.heard.enter_section(section.unwrap_or_default());
        while let Some(step) = self.case.steps.get(self.cursor) {
            match &step.action {
                // What follows in the next section waits until this one is over.
                _ if Some(step.section) != section => break,
                Action::Expect(expect) => self.dialogue.expect(self.cursor, expect, windows),
                Action::Block(lines) => {
                    let due = self.idle_since + self.policy.answer;
                    self.dialogue.block(self.cursor, lines, due);
                }
                _ => break,
            }
            self.cursor += 1;
        }
        self.advance();
    }

    fn advance(&mut self) {
        if let Err((step, error)) = self.dialogue.advance(self.now, &self.captures) {
            self.unusable(step, &error);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.received += bytes.len();
        self.pieces += 1;
        if self.received > FLOOD || self.pieces > FLOOD_PIECES {
            if !self.ended {
                let message = if self.received > FLOOD {
                    format!("the device sent more than {FLOOD} bytes in one case")
                } else {
                    format!("the device sent more than {FLOOD_PIECES} pieces in one case")
                };
                self.find(self.finding(FLOOD_MONITOR, Source::Device, message));
                self.stopped = true;
            }
            // It may never be quiet again.
            self.ended = true;
            return;
        }
        let mut rest = bytes;
        if std::mem::take(&mut self.prompt_blank) {
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
        }
        while !rest.is_empty() {
            if self.assembler.open_line().is_empty() {
                self.open_since = self.now;
            }
            let (line, used) = self.assembler.push(rest);
            rest = rest.get(used..).unwrap_or_default();
            if let Some(line) = line {
                self.take_line(&line);
            }
        }
        if !self.stopped
            && self
                .dialogue
                .takes_prompt(self.assembler.open_line(), self.now)
        {
            self.assembler.take_open_line();
            self.advance();
        }
    }

    fn take_line(&mut self, line: &Line) {
        if self.echo.is_echo(&line.text) || self.stopped {
            return;
        }
        if line.omitted > 0 {
            let message = format!(
                "a line of {} bytes: longer than any line that a DTE can hold",
                line.text.len() + line.omitted
            );
            self.find(self.finding("framing", Source::Device, message));
        }
        if !line.is_blank() {
            self.heard.line(&self.arrival(line));
        }
        let taken = match self.dialogue.take(line, self.now, &self.captures) {
            Ok(taken) => taken,
            Err((step, error)) => return self.unusable(step, &error),
        };
        match taken {
            Taken::Met {
                step,
                captured,
                early,
                due,
            } => {
                self.lean(step, line);
                self.captures.extend(captured);
                if let (Some(due), None) = (due, early) {
                    self.margin(step, line, due);
                }
                if let Some(from) = early {
                    let message = format!(
                        "`{}` came {} after the last command, which is before {}",
                        show(&line.text),
                        seconds(self.now.saturating_sub(self.sent_at)),
                        seconds(from.saturating_sub(self.sent_at)),
                    );
                    self.unexpected_finding("expectation", message, line, step);
                }
                self.advance();
            }
            Taken::Forbidden { step } => {
                let message = format!("`{}` must not appear here", show(&line.text));
                self.unexpected_finding("forbidden-line", message, line, step);
            }
            Taken::Allowed => {}
            Taken::NotInBlock { step, expected } => {
                let got = show(&line.text);
                let message = format!("expected the line `{expected}` of the block, got `{got}`");
                let finding = self.finding("expectation", Source::Device, message);
                let nearest = Some(self.arrival(line));
                let evidence = Evidence::Missing {
                    pattern: expected,
                    due: None,
                    nearest,
                };
                self.find(self.at_step(finding, step, Some(evidence)));
                self.stopped = true;
            }
            Taken::Unexpected => self.unexpected_line(line),
        }
    }
}
