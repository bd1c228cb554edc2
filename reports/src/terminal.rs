//! The report for people: a line for each case as it ends, what is wrong where something is, and a
//! summary.
//!
//! It writes text and nothing else: the progress line (see [`crate::Progress`]), the choice of
//! colours and the width are the business of whoever owns the terminal.

mod excerpt;
mod failure;
mod lanes;
mod page;
mod sheet;
mod summary;

use crate::model::{CaseReport, RunReport, Verdict};
use crate::reporter::{ReportError, Reporter};
use crate::text::{clean, seconds};
use page::{Page, Role};
use std::io;

/// How the report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub color: bool,
    /// How many characters a line may have; less than 60 is taken as 60.
    pub width: usize,
    /// Whether a person watches: then every case is flushed as it ends.
    pub live: bool,
}

/// How much the report says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Only what needs attention, and the summary.
    Quiet,
    /// Every case.
    #[default]
    Normal,
    /// Every case with its timeline, its observations and its notes.
    Verbose,
}

/// Writes the report for people.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    style: Style,
    detail: Detail,
    behaviour: bool,
}

impl<W: io::Write> Terminal<W> {
    /// A report on `out`.
    pub fn new(out: W, style: Style, detail: Detail) -> Self {
        Self {
            out,
            style: Style {
                width: style.width.max(60),
                ..style
            },
            detail,
            behaviour: false,
        }
    }

    /// Whether the readings that the device follows and its behaviour sheet are shown in full at
    /// the end; without it one line says that they are there.
    #[must_use]
    pub fn with_behaviour(mut self, behaviour: bool) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// The writer, with everything in it that was reported so far.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn write(&mut self, page: Page, flush: bool) -> Result<(), ReportError> {
        let text = page.into_text();
        self.out
            .write_all(text.as_bytes())
            .and_then(|()| if flush { self.out.flush() } else { Ok(()) })
            .map_err(|source| ReportError::Write {
                report: "terminal",
                source,
            })
    }
}

impl<W: io::Write> Reporter for Terminal<W> {
    fn case_ended(&mut self, case: &CaseReport) -> Result<(), ReportError> {
        let mut page = Page::new(self.style);
        if self.detail != Detail::Quiet || needs_attention(case.verdict) {
            case_line(case, &mut page);
            failure::block(case, self.detail, &mut page);
        }
        self.write(page, self.style.live)
    }

    fn run_ended(&mut self, run: &RunReport) -> Result<(), ReportError> {
        let mut page = Page::new(self.style);
        summary::summary(run, self.behaviour, &mut page);
        self.write(page, true)
    }
}

/// Whether a case is shown even if only failures are asked for.
fn needs_attention(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Fail | Verdict::Inconclusive | Verdict::Error | Verdict::UnexpectedPass => true,
        Verdict::Pass | Verdict::Marginal | Verdict::Skipped | Verdict::KnownFail => false,
    }
}

/// Verdict and seconds stand before the id: ids have any length, and no line waits for the next
/// one to be aligned with it.
fn case_line(case: &CaseReport, page: &mut Page) {
    let verdict = page.paint(
        Role::of(case.verdict),
        &format!("{:>15}", case.verdict.word()),
    );
    let time = match case.verdict {
        Verdict::Skipped => " ".repeat(12),
        _ => format!("{:>10} s", seconds(case.duration)),
    };
    let reason = match &case.reason {
        Some(reason) => page.paint(Role::Aside, &format!("  ({})", clean(reason))),
        None => String::new(),
    };
    page.line(0, &format!("{verdict} {time}  {}{reason}", clean(&case.id)));
}
