//! The scenario lines around the one that was not met.

use super::page::{Page, Role};
use crate::model::{CaseReport, Finding, QuotedStep};
use crate::text::{clean, cut};

/// Quotes the scenario around the place of a finding, with the last command before it, which is
/// what the device was asked for. Writes nothing if the finding has no place.
pub(super) fn excerpt(case: &CaseReport, finding: &Finding, page: &mut Page) {
    let Some(place) = &finding.place else { return };
    let steps: Vec<&QuotedStep> = case
        .steps
        .iter()
        .filter(|step| step.place.file == place.file)
        .collect();
    let focus = steps.iter().position(|step| step.place.line == place.line);
    let shown = focus.map_or(0..0, |focus| {
        focus.saturating_sub(BEFORE)..focus + 1 + AFTER
    });
    let send = focus.and_then(|focus| {
        let before = steps.get(..shown.start.min(focus))?;
        let in_view = steps
            .get(shown.start..focus)?
            .iter()
            .any(|step| is_send(step));
        if in_view {
            None
        } else {
            before.iter().rposition(|step| is_send(step))
        }
    });
    let last = steps
        .iter()
        .take(shown.end)
        .next_back()
        .map_or(place.line, |step| step.place.line);
    let gutter = last.max(place.line).to_string().len();
    let bar = page.paint(Role::Server, &format!("{:gutter$} |", ""));
    let arrow = page.paint(Role::Server, "-->");

    page.line(
        6,
        &format!("{:gutter$}{arrow} {}", "", clean(&place.to_string())),
    );
    page.line(6, &bar);
    let mut section: Option<&str> = None;
    let indices = send.into_iter().chain(shown.clone());
    let mut previous: Option<usize> = None;
    for index in indices {
        let Some(step) = steps.get(index) else { break };
        let heading = if section == Some(step.section.as_str()) {
            (previous.is_some_and(|previous| previous + 1 < index)).then(|| "...".to_owned())
        } else {
            Some(format!("== {}", clean(&step.section)))
        };
        if let Some(heading) = heading {
            page.line(6, &format!("{bar} {}", page.paint(Role::Aside, &heading)));
        }
        (section, previous) = (Some(step.section.as_str()), Some(index));
        quoted(
            step.place.line,
            &step.text,
            Some(index) == focus,
            gutter,
            page,
        );
    }
    if focus.is_none()
        && let Some(text) = &finding.expected
    {
        quoted(place.line, text, true, gutter, page);
    }
    page.line(6, &bar);
}

/// One line of the scenario; the one in question has a mark before its number.
fn quoted(number: usize, text: &str, focus: bool, gutter: usize, page: &mut Page) {
    let mark = if focus {
        page.paint(Role::Bad, "▸ ")
    } else {
        "  ".to_owned()
    };
    let number = page.paint(Role::Server, &format!("{number:>gutter$} |"));
    let room = page.width().saturating_sub(gutter + 12);
    for (index, line) in text.lines().take(MAX_LINES).enumerate() {
        let line = cut(&clean(line), room);
        let line = if focus {
            page.paint(Role::Strong, &line)
        } else {
            line
        };
        if index == 0 {
            page.line(4, &format!("{mark}{number} {line}"));
        } else {
            page.line(
                6,
                &format!(
                    "{} {line}",
                    page.paint(Role::Server, &format!("{:gutter$} |", ""))
                ),
            );
        }
    }
}

fn is_send(step: &QuotedStep) -> bool {
    step.text.trim_start().starts_with('>')
}

/// How many lines of one step are quoted; a verbatim block can have any number.
const MAX_LINES: usize = 8;

/// How many steps are quoted before the one in question.
const BEFORE: usize = 3;

/// How many steps are quoted after it.
const AFTER: usize = 2;
