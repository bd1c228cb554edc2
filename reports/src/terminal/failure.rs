//! What is wrong with a case: each finding with the scenario around it, then both sides' timeline.

use super::page::{Page, Role};
use super::{Detail, excerpt, lanes, needs_attention};
use crate::model::{Arrived, CaseReport, Due, Evidence, Finding, Grade, Source, Verdict};
use crate::nearest::{Cell, difference};
use crate::text::{brief, clean, plain, plural, seconds, visible_byte, visible_cut};
use std::time::Duration;

/// Writes the block below the line of a case; nothing if there is nothing to say.
pub(super) fn block(case: &CaseReport, detail: Detail, page: &mut Page) {
    let verbose = detail == Detail::Verbose;
    let marginal = case.verdict == Verdict::Marginal;
    let wrong = needs_attention(case.verdict) && case.verdict != Verdict::UnexpectedPass;
    let (told, observed): (Vec<_>, Vec<_>) = (1..)
        .zip(&case.findings)
        .partition(|(_, finding)| marginal || finding.grade != Grade::Observation);
    let tell = wrong || verbose || marginal;
    let timeline = (wrong || verbose) && !case.timeline.events.is_empty();
    if !(tell && (!told.is_empty() || wrong) || timeline || verbose && !observed.is_empty()) {
        return;
    }
    page.line(4, &page.paint(Role::Strong, &clean(&case.title)));
    page.gap();
    if tell {
        for &(number, finding) in told.iter().take(MAX_FINDINGS) {
            one(
                case,
                finding,
                (case.findings.len() > 1).then_some(number),
                page,
            );
        }
        let more = told.len().saturating_sub(MAX_FINDINGS) as u64;
        if more > 0 {
            page.line(
                4,
                &format!("… {more} more {} not shown", plural(more, "finding")),
            );
            page.gap();
        }
    }
    if verbose || wrong {
        for (_, finding) in observed.iter().take(MAX_FINDINGS) {
            page.line(4, &format!("observed: {}", brief(&finding.message)));
        }
        if !observed.is_empty() {
            page.gap();
        }
    }
    if timeline {
        page.line(4, "timeline, in seconds since the start of the case:");
        lanes::lanes(case, if verbose { VERBOSE_LINES } else { LINES }, page);
        page.gap();
    }
    // The trial of a sweep has a file of its own instead.
    if wrong && !case.id.contains('@') {
        let id = clean(&case.id).replace('\'', r"'\''");
        page.line(4, &format!("run only this case: urcheck run '{id}'"));
        page.gap();
    }
}

/// One finding: what, where, when, and who is at fault.
fn one(case: &CaseReport, finding: &Finding, number: Option<usize>, page: &mut Page) {
    let (role, kind) = match (case.verdict, finding.source) {
        (Verdict::Marginal, _) => (Role::Warning, "marginal"),
        (_, Source::Device) => (Role::Bad, finding.grade.word()),
        (_, Source::Bench) => (Role::Unclear, "bench"),
        (_, Source::Scenario) => (Role::Unclear, "scenario"),
    };
    let number = number.map_or(String::new(), |number| format!("{number}. "));
    let head = page.paint(role, &format!("{number}{kind}"));
    let message = page.paint(Role::Strong, &brief(&finding.message));
    page.line(4, &format!("{head}: {message}"));
    excerpt::excerpt(case, finding, page);
    match &finding.evidence {
        Some(Evidence::Missing {
            pattern,
            due,
            nearest,
        }) => {
            missing(pattern, due.as_ref(), nearest.as_ref(), page);
        }
        Some(Evidence::Unexpected { line, allowed }) => unexpected(line, allowed, page),
        Some(Evidence::Check { expression, parts }) => {
            note("check", &brief(expression), page);
            let widths = parts.iter().map(|part| part.expression.chars().count());
            let width = widths.max().unwrap_or(0).min(MAX_ALIGNED);
            for part in parts.iter().take(MAX_NOTES) {
                let (expression, value) = (brief(&part.expression), brief(&part.value));
                note("", &format!("  {expression:width$} = {value}"), page);
            }
        }
        None => {}
    }
    for (index, line) in finding
        .details
        .iter()
        .flat_map(|text| text.lines())
        .enumerate()
    {
        note(if index == 0 { "note" } else { "" }, &brief(line), page);
    }
    if let Some(clause) = &finding.clause {
        note(
            "clause",
            &format!("{} ({})", clean(clause), case.class.word()),
            page,
        );
    }
    note(
        "found by",
        &format!("{}, {} s", clean(&finding.monitor), seconds(finding.at)),
        page,
    );
    if case.verdict != Verdict::Marginal {
        let fault = finding.source.words();
        let rest = match finding.source {
            Source::Device => "",
            Source::Bench | Source::Scenario => "; this says nothing about the device",
        };
        note("at fault", &format!("{fault}{rest}"), page);
    }
    page.gap();
}

fn missing(pattern: &str, due: Option<&Due>, nearest: Option<&Arrived>, page: &mut Page) {
    if let Some(due) = due {
        let window = match due.from.is_zero() {
            true => format!("within {}", plain(due.to)),
            false => format!("from {} to {}", plain(due.from), plain(due.to)),
        };
        let (since, end) = (due.since, due.since.saturating_add(due.to));
        let text = format!(
            "{window} of the send at {} s, that is until {} s",
            seconds(since),
            seconds(end)
        );
        note("due", &text, page);
    }
    let Some(nearest) = nearest else {
        note("expected", &brief(pattern), page);
        note("nearest", "nothing like it came", page);
        return;
    };
    let room = page.width().saturating_sub(6 + LABEL + 4);
    let off = due.and_then(|due| off_by(due, nearest.at));
    let difference = difference(pattern, &nearest.line, off.is_none());
    let from = Side::first_view(&difference.expected, &difference.actual, room);
    for (label, cells) in [
        ("expected", &difference.expected),
        ("nearest", &difference.actual),
    ] {
        let side = Side::new(cells, from, room);
        note(label, &side.text, page);
        if side.marks.contains('^') {
            note("", &page.paint(Role::Bad, &side.marks), page);
        }
    }
    let mut when = format!("{} s", seconds(nearest.at));
    if let Some(after) = due.and_then(|due| nearest.at.checked_sub(due.since)) {
        when.push_str(&format!(", {} after the send", plain(after)));
    }
    if let Some(off) = off {
        when.push_str(&format!(": {off}"));
    }
    note("came at", &when, page);
}

/// By how much a time misses a window, in words.
fn off_by(due: &Due, at: Duration) -> Option<String> {
    let (start, end) = (
        due.since.saturating_add(due.from),
        due.since.saturating_add(due.to),
    );
    if at > end {
        Some(format!("{} too late", plain(at.saturating_sub(end))))
    } else if at < start {
        Some(format!("{} too early", plain(start.saturating_sub(at))))
    } else {
        None
    }
}

fn unexpected(line: &Arrived, allowed: &[String], page: &mut Page) {
    let room = page.width().saturating_sub(6 + LABEL + 4 + 22);
    note("came", &visible_cut(&line.line, 0, room), page);
    note("came at", &format!("{} s", seconds(line.at)), page);
    for (index, text) in allowed.iter().take(MAX_NOTES).enumerate() {
        note(if index == 0 { "allowed" } else { "" }, &brief(text), page);
    }
    if allowed.is_empty() {
        note("allowed", "no line at all", page);
    }
}

/// One side of a comparison as text, with a line of marks below what differs.
struct Side {
    text: String,
    marks: String,
}

impl Side {
    /// Where to begin so that the first difference is in view on both sides.
    fn first_view(expected: &[Cell], actual: &[Cell], room: usize) -> usize {
        let fits =
            |cells: &[Cell]| cells.iter().map(|cell| shown(cell).len()).sum::<usize>() <= room;
        if fits(expected) && fits(actual) {
            return 0;
        }
        let first = |cells: &[Cell]| cells.iter().position(Cell::differs).unwrap_or(cells.len());
        first(expected).min(first(actual)).saturating_sub(room / 3)
    }

    fn new(cells: &[Cell], from: usize, room: usize) -> Self {
        let (mut text, mut marks) = (String::new(), String::new());
        if from > 0 {
            text.push('…');
            marks.push(' ');
        }
        let mut used = text.chars().count();
        for (index, cell) in cells.iter().enumerate().skip(from) {
            let cell_text = shown(cell);
            let width = cell_text.chars().count();
            if used + width > room.saturating_sub(22) && index + 1 < cells.len() {
                let more = (cells.len() - index) as u64;
                text.push_str(&format!(
                    " … {} more {}",
                    crate::text::grouped(more),
                    plural(more, "byte")
                ));
                break;
            }
            used += width;
            text.push_str(&cell_text);
            marks.push_str(&if cell.differs() { "^" } else { " " }.repeat(width));
        }
        Self {
            text,
            marks: marks.trim_end().to_owned(),
        }
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Byte(byte, _) => {
            let mut text = String::new();
            visible_byte(*byte, &mut text);
            text
        }
        Cell::Hole(text, _) => clean(text),
    }
}

/// A line of explanation: `= label  text`.
fn note(label: &str, text: &str, page: &mut Page) {
    let sign = page.paint(Role::Server, if label.is_empty() { " " } else { "=" });
    page.line(6, &format!("{sign} {label:LABEL$} {text}"));
}

/// Width of the longest label.
const LABEL: usize = 8;

/// How many lines of notes, of allowed lines and of parts of a check are shown.
const MAX_NOTES: usize = 40;

/// How many characters the parts of a check are aligned to.
const MAX_ALIGNED: usize = 40;

/// How many findings of a case are shown.
const MAX_FINDINGS: usize = 5;

/// How many lines of a timeline are shown.
const LINES: usize = 40;

/// How many lines of a timeline are shown if everything is asked for.
const VERBOSE_LINES: usize = 1_000;
