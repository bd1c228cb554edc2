//! The machine contract: one JSON object for a run, described in `docs/report-json.md`.
//!
//! The shape is a promise to scripts: fields are added, never renamed, removed or given another
//! meaning. So it is spelled out here instead of being derived from the model, which may change.

mod sheet;

use crate::model::{
    Arrived, CaseReport, CheckPart, Class, Due, Evidence, Finding, Grade, Likeness, Outcome, Probe,
    RunReport, Source, Verdict,
};
use crate::reporter::{ReportError, Reporter};
use serde::{Serialize, Serializer};
use std::io;
use std::time::Duration;

/// Writes the run as one indented JSON object and a line end.
///
/// # Errors
/// If the writer refuses.
pub fn write(run: &RunReport, mut out: impl io::Write) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write {
        report: "JSON",
        source,
    };
    serde_json::to_writer_pretty(&mut out, &Run::from(run))
        .map_err(|error| failed(error.into()))?;
    out.write_all(b"\n")
        .and_then(|()| out.flush())
        .map_err(failed)
}

/// Writes the JSON object when the run has ended.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
}

impl<W: io::Write> Json<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: io::Write> Reporter for Json<W> {
    fn case_ended(&mut self, _: &CaseReport) -> Result<(), ReportError> {
        Ok(())
    }

    fn run_ended(&mut self, run: &RunReport) -> Result<(), ReportError> {
        write(run, &mut self.out)
    }
}

#[derive(Serialize)]
struct Run<'a> {
    tool: &'a str,
    dut: &'a str,
    profile: &'a str,
    outcome: Outcome,
    exit_status: u8,
    seconds: f64,
    summary: Counts,
    cases: Vec<Case<'a>>,
    not_run: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_early: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    probes: &'a [Probe],
    findings: Vec<sheet::Mixed<'a>>,
    readings: Vec<sheet::Followed<'a>>,
    behaviour: Vec<sheet::Entry<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    behaves_like: &'a [Likeness],
}

impl<'a> From<&'a RunReport> for Run<'a> {
    fn from(run: &'a RunReport) -> Self {
        let counts = run.summary();
        let outcome = run.outcome();
        let readings = run.readings();
        Self {
            tool: &run.tool,
            dut: &run.dut,
            profile: &run.profile,
            outcome,
            exit_status: outcome.exit_status(),
            seconds: seconds(run.duration),
            // All verdicts, so that a script may ask for any of them.
            summary: Counts(
                Verdict::ALL.map(|verdict| (verdict, counts.get(&verdict).copied().unwrap_or(0))),
            ),
            cases: run.cases.iter().map(Case::from).collect(),
            not_run: &run.not_run,
            ended_early: run.ended_early.as_deref(),
            probes: &run.probes,
            findings: readings.mixtures.iter().map(sheet::Mixed::from).collect(),
            readings: readings.followed.into_iter().map(Into::into).collect(),
            behaviour: run.behaviour().into_iter().map(Into::into).collect(),
            behaves_like: &run.likenesses,
        }
    }
}

/// Verdicts with their counts, as an object that keeps their order.
struct Counts([(Verdict, usize); Verdict::ALL.len()]);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0)
    }
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    title: &'a str,
    verdict: Verdict,
    class: Class,
    clauses: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    faults: &'a [String],
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    findings: Vec<Found<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings: Vec<sheet::Leant<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    behaviour: Vec<sheet::Recorded<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    margins: Vec<sheet::Left<'a>>,
}

impl<'a> From<&'a CaseReport> for Case<'a> {
    fn from(case: &'a CaseReport) -> Self {
        let observed = &case.observed;
        Self {
            id: &case.id,
            title: &case.title,
            verdict: case.verdict,
            class: case.class,
            clauses: &case.clauses,
            faults: &case.faults,
            seconds: seconds(case.duration),
            reason: case.reason.as_deref(),
            findings: case.findings.iter().map(Found::from).collect(),
            readings: observed.readings.iter().map(Into::into).collect(),
            behaviour: observed.behaviour.iter().map(Into::into).collect(),
            margins: observed.margins.iter().map(Into::into).collect(),
        }
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<&'a str>,
    monitor: &'a str,
    message: &'a str,
    at: f64,
    source: Source,
    grade: Grade,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Missing<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unexpected: Option<Unexpected<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check<'a>>,
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        let (mut missing, mut unexpected, mut check) = (None, None, None);
        match &finding.evidence {
            Some(Evidence::Missing {
                pattern,
                due,
                nearest,
            }) => {
                let (due, nearest) = (due.map(Window::from), nearest.as_ref().map(Line::from));
                missing = Some(Missing {
                    pattern,
                    due,
                    nearest,
                });
            }
            Some(Evidence::Unexpected { line, allowed }) => {
                let Line { line, at } = Line::from(line);
                unexpected = Some(Unexpected { line, at, allowed });
            }
            Some(Evidence::Check { expression, parts }) => {
                let part = |part: &'a CheckPart| Part {
                    expression: &part.expression,
                    value: &part.value,
                };
                check = Some(Check {
                    expression,
                    parts: parts.iter().map(part).collect(),
                });
            }
            None => {}
        }
        Self {
            clause: finding.clause.as_deref(),
            monitor: &finding.monitor,
            message: &finding.message,
            at: seconds(finding.at),
            source: finding.source,
            grade: finding.grade,
            file: finding.place.as_ref().map(|place| place.file.as_str()),
            line: finding.place.as_ref().map(|place| place.line),
            expected: finding.expected.as_deref(),
            details: &finding.details,
            missing,
            unexpected,
            check,
        }
    }
}

#[derive(Serialize)]
struct Missing<'a> {
    pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Line>,
}

#[derive(Serialize)]
struct Unexpected<'a> {
    line: String,
    at: f64,
    allowed: &'a [String],
}

#[derive(Serialize)]
struct Check<'a> {
    expression: &'a str,
    parts: Vec<Part<'a>>,
}

/// The window in which a line was due, on the clock of the case.
#[derive(Serialize)]
struct Window {
    from: f64,
    to: f64,
}

impl From<Due> for Window {
    fn from(due: Due) -> Self {
        Self {
            from: seconds(due.since.saturating_add(due.from)),
            to: seconds(due.since.saturating_add(due.to)),
        }
    }
}

#[derive(Serialize)]
struct Line {
    line: String,
    at: f64,
}

impl From<&Arrived> for Line {
    fn from(arrived: &Arrived) -> Self {
        Self {
            line: arrived.line.escape_ascii().to_string(),
            at: seconds(arrived.at),
        }
    }
}

#[derive(Serialize)]
struct Part<'a> {
    expression: &'a str,
    value: &'a str,
}

/// Seconds to the microsecond: more digits would only be noise of the clock.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}
