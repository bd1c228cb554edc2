//! The timeline of both sides as lanes: one line for each line that went over a wire.
//!
//! Reads from a device come in any pieces. Pieces of one line that follow each other closely are
//! shown as one; a pause within a line is not hidden.

use super::page::{Page, Role};
use crate::model::CaseReport;
use crate::text::{clean, cut, grouped, plural, seconds, visible_cut};
use crate::timeline::{Event, EventKind};
use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

/// Writes at most `limit` lines of the timeline around the first finding, the findings themselves
/// among them, and says how many events are left out.
pub(super) fn lanes(case: &CaseReport, limit: usize, page: &mut Page) {
    let mut rows = rows(&case.timeline.events);
    let focus = insert_findings(case, &mut rows).unwrap_or(0);
    let start = rows
        .len()
        .saturating_sub(limit)
        .min(focus.saturating_sub(limit * 2 / 3));
    let shown = start..rows.len().min(start + limit);
    let send = last_send(&rows, &shown, focus);
    let label = rows
        .iter()
        .map(|row| row.lane.label().chars().count())
        .max()
        .unwrap_or(0);
    let time = rows.last().map_or(5, |row| seconds(row.at).len()).max(5);

    let before = send.map_or(0..shown.start, |send| 0..send);
    left_out(&rows, before, time, page);
    if let Some(send) = send {
        write_row(&rows, send, (time, label), page);
        left_out(&rows, send + 1..shown.start, time, page);
    }
    for index in shown.clone() {
        write_row(&rows, index, (time, label), page);
    }
    left_out(&rows, shown.end..rows.len(), time, page);
}

/// One line of the picture.
struct Row<'a> {
    at: Duration,
    /// When the last piece of it came.
    until: Duration,
    /// Indices of the events that it shows.
    events: Range<usize>,
    lane: Lane,
    body: Body<'a>,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lane {
    Dte,
    Device,
    Client(String),
    Server(String),
    Wire(String),
    Harness,
    Line,
    /// A finding, with its number if there are several.
    Finding(String),
}

impl Lane {
    fn label(&self) -> Cow<'_, str> {
        match self {
            Self::Dte => "DTE → device".into(),
            Self::Device => "device → DTE".into(),
            Self::Client(wire) => format!("{wire} C:").into(),
            Self::Server(wire) => format!("{wire} S:").into(),
            Self::Wire(wire) => wire.into(),
            Self::Harness => "harness".into(),
            Self::Line => "line".into(),
            Self::Finding(label) => label.into(),
        }
    }

    fn role(&self) -> Role {
        match self {
            Self::Dte => Role::Dte,
            Self::Device | Self::Client(_) => Role::Device,
            Self::Server(_) => Role::Server,
            Self::Wire(_) | Self::Harness => Role::Aside,
            Self::Line | Self::Finding(_) => Role::Bad,
        }
    }
}

/// What an event says: bytes with the number of those left out after them, or words.
enum Content<'a> {
    Data(&'a [u8], u64),
    Text(String),
}

enum Body<'a> {
    Data(Cow<'a, [u8]>, u64),
    Text(String),
}

/// All rows, in the order of the events.
fn rows(events: &[Event]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let Some((lane, content)) = picture(&event.kind) else {
            continue;
        };
        let (at, events) = (event.at, index..index + 1);
        match content {
            Content::Text(text) => {
                rows.push(Row {
                    at,
                    until: at,
                    events,
                    lane,
                    body: Body::Text(text),
                });
            }
            Content::Data(bytes, omitted) => add_data(&mut rows, index, at, lane, bytes, omitted),
        }
    }
    rows
}

/// Adds bytes: first to the line that is still open, then as lines of their own.
fn add_data<'a>(
    rows: &mut Vec<Row<'a>>,
    index: usize,
    at: Duration,
    lane: Lane,
    bytes: &'a [u8],
    omitted: u64,
) {
    let mut rest = bytes;
    if let Some(row) = rows.last_mut().filter(|row| row.lane == lane)
        && at.saturating_sub(row.until) <= SAME_LINE
        && let Body::Data(open, missing @ 0) = &mut row.body
        && open.len() < MAX_JOINED
        && (!open.ends_with(b"\n") || only_line_ends(open))
    {
        let (line, after) = first_line(rest, only_line_ends(open));
        open.to_mut().extend_from_slice(line);
        if after.is_empty() {
            *missing = omitted;
        }
        (row.until, row.events.end, rest) = (at, index + 1, after);
    }
    let mut lines = 0;
    while !rest.is_empty() {
        lines += 1;
        let (line, after) = if lines < LINES_PER_EVENT {
            first_line(rest, true)
        } else {
            (rest, [].as_slice())
        };
        let omitted = if after.is_empty() { omitted } else { 0 };
        let body = Body::Data(Cow::Borrowed(line), omitted);
        rows.push(Row {
            at,
            until: at,
            events: index..index + 1,
            lane: lane.clone(),
            body,
        });
        rest = after;
    }
}

/// Splits after the first line feed. Line ends in front of a text belong to it, as a result code
/// is written `<CR><LF>OK<CR><LF>`.
fn first_line(bytes: &[u8], at_start: bool) -> (&[u8], &[u8]) {
    let mut blank = at_start;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' && !blank {
            return bytes.split_at(index + 1);
        }
        blank &= byte == b'\r' || byte == b'\n';
    }
    (bytes, &[])
}

fn only_line_ends(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\r' || byte == b'\n')
}

/// What an event puts into the picture, and in which lane.
fn picture(kind: &EventKind) -> Option<(Lane, Content<'_>)> {
    let text = |text: String| Content::Text(clean(&text));
    Some(match kind {
        EventKind::Sent { bytes, .. } => (Lane::Dte, Content::Data(bytes, 0)),
        EventKind::Received { bytes } => (Lane::Device, Content::Data(bytes, 0)),
        EventKind::Connected {
            protocol,
            connection,
        } => (
            Lane::Wire(format!("{protocol} #{connection}")),
            text("connected".to_owned()),
        ),
        EventKind::FromClient {
            protocol,
            connection,
            bytes,
            omitted,
        } => {
            let lane = Lane::Client(format!("{protocol} #{connection}"));
            (lane, Content::Data(bytes, *omitted))
        }
        EventKind::FromServer {
            protocol,
            connection,
            bytes,
            omitted,
        } => {
            let lane = Lane::Server(format!("{protocol} #{connection}"));
            (lane, Content::Data(bytes, *omitted))
        }
        EventKind::Wire {
            protocol,
            connection,
            what,
        } => (
            Lane::Wire(format!("{protocol} #{connection}")),
            text(what.clone()),
        ),
        EventKind::Lint {
            protocol,
            connection,
            id,
            message,
        } => (
            Lane::Wire(format!("{protocol} #{connection}")),
            text(format!("lint {id}: {message}")),
        ),
        EventKind::Fault {
            protocol,
            connection,
            rule,
            what,
        } => {
            let what = format!("fault rule {}: {what}", rule.saturating_add(1));
            (Lane::Wire(format!("{protocol} #{connection}")), text(what))
        }
        EventKind::Acted { what, .. } => (Lane::Harness, text(what.clone())),
        EventKind::Snapshot { .. } => (
            Lane::Harness,
            text("took the state of both servers for a check".to_owned()),
        ),
        EventKind::LineLost { message, .. } => (Lane::Line, text(format!("lost: {message}"))),
        EventKind::Tick => return None,
    })
}

/// Puts every finding after the event at which it was seen, and returns the row of the first one,
/// which is the worst.
fn insert_findings(case: &CaseReport, rows: &mut Vec<Row<'_>>) -> Option<usize> {
    let several = case.findings.len() > 1;
    let mut places: Vec<(usize, usize)> = case
        .findings
        .iter()
        .take(MAX_MARKED)
        .enumerate()
        .map(|(number, finding)| {
            let row = rows.partition_point(|row| match finding.event {
                Some(event) => row.events.start <= event,
                None => row.at <= finding.at,
            });
            (row, number)
        })
        .collect();
    places.sort_unstable();
    // From the back, so that the places in front stay right.
    for &(row, number) in places.iter().rev() {
        let Some(finding) = case.findings.get(number) else {
            continue;
        };
        let event = rows
            .get(row)
            .map_or(case.timeline.events.len(), |row| row.events.start);
        let label = if several {
            format!("▸ finding {}", number + 1)
        } else {
            "▸ finding".into()
        };
        let new = Row {
            at: finding.at,
            until: finding.at,
            events: event..event,
            lane: Lane::Finding(label),
            body: Body::Text(clean(&finding.message)),
        };
        rows.insert(row, new);
    }
    let rank = places.iter().position(|&(_, number)| number == 0)?;
    places.get(rank).map(|&(row, _)| row + rank)
}

/// The last send before the focus, if it is not shown anyway.
fn last_send(rows: &[Row<'_>], shown: &Range<usize>, focus: usize) -> Option<usize> {
    let send = rows
        .get(..focus)?
        .iter()
        .rposition(|row| row.lane == Lane::Dte)?;
    (send < shown.start).then_some(send)
}

fn write_row(rows: &[Row<'_>], index: usize, (time, label): (usize, usize), page: &mut Page) {
    let Some(row) = rows.get(index) else { return };
    let role = row.lane.role();
    let name = row.lane.label();
    let pad = " ".repeat(label.saturating_sub(name.chars().count()));
    let room = page.width().saturating_sub(6 + time + 2 + label + 2);
    let body = match &row.body {
        Body::Data(bytes, omitted) => visible_cut(bytes, *omitted, room.saturating_sub(22)),
        Body::Text(text) => page.paint(role, &cut(text, room)),
    };
    let at = page.paint(Role::Aside, &format!("{:>time$}", seconds(row.at)));
    page.line(
        6,
        &format!("{at}  {}{pad}  {body}", page.paint(role, &name)),
    );
}

/// Says how many events the rows that are not shown stand for.
fn left_out(rows: &[Row<'_>], hidden: Range<usize>, time: usize, page: &mut Page) {
    let Some((first, last)) = rows
        .get(hidden)
        .and_then(|rows| Some((rows.first()?, rows.last()?)))
    else {
        return;
    };
    let count = last.events.end.saturating_sub(first.events.start) as u64;
    let text = if count == 0 {
        "… the rest of an event left out".to_owned()
    } else {
        format!("… {} {} left out", grouped(count), plural(count, "event"))
    };
    page.line(6 + time + 2, &page.paint(Role::Aside, &text));
}

/// How many findings are marked.
const MAX_MARKED: usize = 20;

/// No line that is longer than this is joined from pieces: its end is not shown anyway.
const MAX_JOINED: usize = 1_000;

/// Pieces that come within this time of the one before are shown as one line.
const SAME_LINE: Duration = Duration::from_millis(100);

/// Data of one event beyond this many lines is shown as the tail of the last one.
const LINES_PER_EVENT: usize = 6;
