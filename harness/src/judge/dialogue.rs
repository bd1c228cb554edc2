//! Which lines are expected, allowed and forbidden right now.
//!
//! Expectations form a queue. At its front stands what must come next: a group (one `<`, or
//! neighbouring `|` and `?` lines), a verbatim block, or `{{...}}`. Allowed lines of a group that
//! is complete linger until a mandatory line of a later group has come.

use super::lines::Line;
use super::pattern::{Captured, Captures, Matcher, PatternError};
use crate::scenario::case::{Expect, Mode, Pattern};
use std::collections::VecDeque;
use std::time::Duration;

/// From where the windows of an expectation count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub(super) sent_at: Duration,
    pub(super) idle_since: Duration,
    pub(super) answer: Duration,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// An expected or allowed line.
    Met {
        step: usize,
        captured: Vec<(String, Captured)>,
        /// It came before this time, when its window opens.
        early: Option<Duration>,
        /// From when to when it could come, if it had to.
        due: Option<(Duration, Duration)>,
    },
    /// A forbidden line.
    Forbidden { step: usize },
    /// A line that `{{...}}` takes.
    Allowed,
    /// A line inside a verbatim block that is not the one that must come.
    NotInBlock { step: usize, expected: String },
    /// None of these.
    Unexpected,
}

#[derive(Debug, Default)]
pub(super) struct Dialogue {
    queue: VecDeque<Item>,
    lingering: Vec<Member>,
    forbidden: Vec<Forbidden>,
    section: Option<usize>,
    /// `{{...}}` was the last expectation of its section.
    anything_goes: bool,
}

#[derive(Debug)]
enum Item {
    Group(Vec<Member>),
    Block {
        step: usize,
        lines: Vec<String>,
        at: usize,
        due: Duration,
    },
    AnyLines,
    Forbid(ForbidLater),
}

#[derive(Debug)]
struct Member {
    step: usize,
    mandatory: bool,
    any_order: bool,
    pattern: Pattern,
    matcher: Option<Matcher>,
    from: Duration,
    due: Duration,
    met: bool,
}

/// A mandatory line that has not come.
#[derive(Clone, Copy, Debug)]
struct Open {
    step: usize,
    from: Duration,
    due: Duration,
}

#[derive(Debug)]
struct ForbidLater {
    step: usize,
    pattern: Pattern,
    watch: Option<Duration>,
}

#[derive(Debug)]
struct Forbidden {
    step: usize,
    matcher: Matcher,
    /// Until when; `None`: until the section ends.
    until: Option<Duration>,
}

impl Dialogue {
    /// A step of this section is reached: what only held for the section before holds no more.
    pub(super) fn enter_section(&mut self, section: usize) {
        if self.section != Some(section) {
            self.section = Some(section);
            self.forbidden.retain(|forbidden| forbidden.until.is_some());
            self.anything_goes = false;
        }
    }

    /// Adds an expectation at the end of the queue.
    pub(super) fn expect(&mut self, step: usize, expect: &Expect, windows: Windows) {
        if expect.mode == Mode::Forbidden {
            let watch = expect.window.map(|window| window.to);
            let pattern = expect.pattern.clone();
            self.queue.push_back(Item::Forbid(ForbidLater {
                step,
                pattern,
                watch,
            }));
            return;
        }
        if matches!(expect.pattern, Pattern::AnyLines) {
            self.queue.push_back(Item::AnyLines);
            return;
        }
        let (from, due) = match expect.window {
            Some(window) => (windows.sent_at + window.from, windows.sent_at + window.to),
            None => (Duration::ZERO, windows.idle_since + windows.answer),
        };
        let member = Member {
            step,
            mandatory: expect.mode != Mode::Optional,
            any_order: expect.mode != Mode::Ordered,
            pattern: expect.pattern.clone(),
            matcher: None,
            from,
            due,
            met: false,
        };
        match self.queue.back_mut() {
            Some(Item::Group(members))
                if member.any_order && members.iter().all(|member| member.any_order) =>
            {
                members.push(member);
            }
            _ => self.queue.push_back(Item::Group(vec![member])),
        }
    }

    /// Adds a verbatim block at the end of the queue.
    pub(super) fn block(&mut self, step: usize, lines: &[String], due: Duration) {
        self.queue.push_back(Item::Block {
            step,
            lines: lines.to_vec(),
            at: 0,
            due,
        });
    }

    /// Takes what is complete off the front of the queue and makes the new front ready to match.
    pub(super) fn advance(
        &mut self,
        now: Duration,
        captures: &Captures,
    ) -> Result<(), (usize, PatternError)> {
        loop {
            match self.queue.front() {
                Some(Item::Group(members)) if members.iter().all(|m| m.met || !m.mandatory) => {
                    if let Some(Item::Group(members)) = self.queue.pop_front() {
                        for mut member in members.into_iter().filter(|member| !member.met) {
                            member.prepare(captures)?;
                            self.lingering.push(member);
                        }
                    }
                }
                Some(Item::Block { lines, at, .. }) if *at >= lines.len() => {
                    self.queue.pop_front();
                }
                Some(Item::Forbid(_)) => {
                    if let Some(Item::Forbid(later)) = self.queue.pop_front() {
                        let matcher = Matcher::new(&later.pattern, captures)
                            .map_err(|error| (later.step, error))?;
                        let until = later.watch.map(|watch| now + watch);
                        self.forbidden.push(Forbidden {
                            step: later.step,
                            matcher,
                            until,
                        });
                    }
                }
                Some(Item::AnyLines) if self.queue.len() == 1 => {
                    self.queue.pop_front();
                    self.anything_goes = true;
                }
                _ => break,
            }
        }
        // Behind `{{...}}` the next group is looked at as well.
        for item in self.queue.iter_mut().take(2) {
            if let Item::Group(members) = item {
                for member in members {
                    member.prepare(captures)?;
                }
            }
        }
        Ok(())
    }

    /// Takes a line that is not echo. After [`Taken::Met`], [`Dialogue::advance`] is due.
    pub(super) fn take(
        &mut self,
        line: &Line,
        now: Duration,
        captures: &Captures,
    ) -> Result<Taken, (usize, PatternError)> {
        if let Some(Item::Block {
            step, lines, at, ..
        }) = self.queue.front_mut()
        {
            let Some(expected) = lines.get(*at) else {
                return Ok(Taken::Unexpected);
            };
            if expected.as_bytes() == line.text {
                *at += 1;
                let step = *step;
                return Ok(Taken::Met {
                    step,
                    captured: Vec::new(),
                    early: None,
                    due: None,
                });
            }
            // The result's own framing puts blank lines before the first line.
            if *at == 0 && line.is_blank() {
                return Ok(Taken::Allowed);
            }
            return Ok(Taken::NotInBlock {
                step: *step,
                expected: expected.clone(),
            });
        }
        // Blank lines are framing; only where one is asked for it counts.
        let blank = line.is_blank();
        if let Some(found) = self
            .forbidden
            .iter()
            .find(|f| f.matcher.matches(&line.text).is_some())
        {
            return Ok(Taken::Forbidden { step: found.step });
        }
        let skipping = matches!(self.queue.front(), Some(Item::AnyLines));
        if let Some(Item::Group(members)) = self.queue.get_mut(usize::from(skipping))
            && let Some((taken, mandatory)) = take_member(members, &line.text, now, captures)?
        {
            if skipping {
                self.queue.pop_front();
            }
            if mandatory {
                self.lingering.clear();
            }
            return Ok(taken);
        }
        if let Some(Item::Block { lines, .. }) = self.queue.get(usize::from(skipping))
            && lines
                .first()
                .is_some_and(|first| first.as_bytes() == line.text)
        {
            self.queue.pop_front();
            return self.take(line, now, captures);
        }
        if let Some((taken, _)) = take_member(&mut self.lingering, &line.text, now, captures)? {
            self.lingering.retain(|member| !member.met);
            return Ok(taken);
        }
        if blank || skipping || self.anything_goes {
            Ok(Taken::Allowed)
        } else {
            Ok(Taken::Unexpected)
        }
    }

    /// Whether what has arrived without a line end is the prompt that must come next; it is then
    /// met, and [`Dialogue::advance`] is due.
    pub(super) fn takes_prompt(&mut self, open: &[u8], now: Duration) -> bool {
        let Some(Item::Group(members)) = self.queue.front_mut() else {
            return false;
        };
        let found = members.iter_mut().find(|member| {
            let is = |matcher: &Matcher| matcher.matches_prompt(open);
            !member.met && member.from <= now && member.matcher.as_ref().is_some_and(is)
        });
        if let Some(member) = found {
            member.met = true;
            return true;
        }
        false
    }

    /// Waits for what must come no longer than this.
    pub(super) fn hurry(&mut self, until: Duration) {
        for item in &mut self.queue {
            match item {
                Item::Group(members) => {
                    for member in members {
                        member.due = member.due.min(until);
                    }
                }
                Item::Block { due, .. } => *due = (*due).min(until),
                Item::AnyLines | Item::Forbid(_) => {}
            }
        }
    }

    /// The earliest time at which a mandatory line is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.mandatory().map(|open| open.due).min()
    }

    /// The step of the first mandatory line whose time is over.
    pub(super) fn missed(&self, now: Duration) -> Option<usize> {
        self.mandatory()
            .find(|open| now > open.due)
            .map(|open| open.step)
    }

    /// The step of the first mandatory line that must come next.
    pub(super) fn awaited(&self) -> Option<usize> {
        self.mandatory().next().map(|open| open.step)
    }

    /// The steps of all mandatory lines that can come next.
    pub(super) fn all_awaited(&self) -> impl Iterator<Item = usize> + '_ {
        self.mandatory().map(|open| open.step)
    }

    /// From when to when the line of this step may come.
    pub(super) fn due(&self, step: usize) -> Option<(Duration, Duration)> {
        self.mandatory()
            .find(|open| open.step == step)
            .map(|open| (open.from, open.due))
    }

    /// Until when forbidden lines are watched for before anything else is done.
    pub(super) fn watched_until(&self) -> Option<Duration> {
        self.forbidden
            .iter()
            .filter_map(|forbidden| forbidden.until)
            .max()
    }

    /// Forgets what was watched for until now.
    pub(super) fn pass_time(&mut self, now: Duration) {
        self.forbidden
            .retain(|forbidden| forbidden.until.is_none_or(|until| until > now));
    }

    /// Mandatory lines that have not come, of the front and, behind `{{...}}`, of what follows.
    fn mandatory(&self) -> impl Iterator<Item = Open> + '_ {
        let skipping = matches!(self.queue.front(), Some(Item::AnyLines));
        let item = self.queue.get(usize::from(skipping));
        let (members, block) = match item {
            Some(Item::Group(members)) => (members.as_slice(), None),
            Some(Item::Block { step, due, .. }) => (
                [].as_slice(),
                Some(Open {
                    step: *step,
                    from: Duration::ZERO,
                    due: *due,
                }),
            ),
            _ => ([].as_slice(), None),
        };
        let open = members
            .iter()
            .filter(|member| member.mandatory && !member.met);
        let open = open.map(|of| Open {
            step: of.step,
            from: of.from,
            due: of.due,
        });
        open.chain(block)
    }
}

impl Member {
    fn prepare(&mut self, captures: &Captures) -> Result<(), (usize, PatternError)> {
        if self.matcher.is_none() {
            let matcher = Matcher::new(&self.pattern, captures);
            self.matcher = Some(matcher.map_err(|error| (self.step, error))?);
        }
        Ok(())
    }
}

/// Lets the first member take the line that can: mandatory ones before allowed ones. The flag
/// says whether it was a mandatory one.
fn take_member(
    members: &mut [Member],
    line: &[u8],
    now: Duration,
    captures: &Captures,
) -> Result<Option<(Taken, bool)>, (usize, PatternError)> {
    for mandatory in [true, false] {
        for member in members
            .iter_mut()
            .filter(|m| m.mandatory == mandatory && !m.met)
        {
            member.prepare(captures)?;
            let Some(captured) = member.matcher.as_ref().and_then(|m| m.matches(line)) else {
                continue;
            };
            member.met = true;
            let early = (now < member.from).then_some(member.from);
            let taken = Taken::Met {
                step: member.step,
                captured,
                early,
                due: mandatory.then_some((member.from, member.due)),
            };
            return Ok(Some((taken, mandatory)));
        }
    }
    Ok(None)
}
