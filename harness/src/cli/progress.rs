//! What a person sees while a run goes on: the report line by line on standard output, and on a
//! terminal one moving line on standard error.

use crate::runner::schedule::Watcher;
use crate::scenario::case::Case;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tokio::time::Instant;
use urcheck_reports::json::Json;
use urcheck_reports::{
    CaseReport, Detail, Progress, ReportError, Reporter, Reporters, RunReport, Style, Terminal,
    Verdict,
};

/// Width of the report where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// All reports of a run.
#[derive(Default)]
pub(super) struct Reports(Reporters);

impl Reports {
    /// Opens the files at once, so that a wrong path costs no run.
    pub(super) fn new(detail: Detail, behaviour: bool, json: &[PathBuf]) -> Result<Self, String> {
        let mut reporters = Reporters::default();
        let style = Style {
            color: super::stdout_has_colour(),
            width: width(),
            // A case on a real device takes its time: whoever watches, even through a pipe, is told
            // at once.
            live: true,
        };
        let terminal = Terminal::new(Quietable(anstream::stdout()), style, detail);
        reporters.add(terminal.with_behaviour(behaviour));
        for path in json {
            let file = File::create(path)
                .map_err(|error| format!("failed to create {}: {error}", path.display()))?;
            reporters.add(Named {
                path: path.clone(),
                inner: Json::new(BufWriter::new(file)),
            });
        }
        Ok(Self(reporters))
    }
}

/// Draws the moving line and feeds the reports.
pub(super) struct Live {
    reports: Reports,
    bar: ProgressBar,
    total: usize,
    done: usize,
    failed: usize,
    running: Option<String>,
    start: Instant,
    error: Option<ReportError>,
}

impl Live {
    pub(super) fn new(total: usize, reports: Reports) -> Self {
        // Hidden by itself where standard error is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let start = Instant::now();
        Self {
            reports,
            bar,
            total,
            done: 0,
            failed: 0,
            running: None,
            start,
            error: None,
        }
    }

    /// Writes the summary and the report files.
    pub(super) fn finish(mut self, report: &RunReport) -> Result<(), String> {
        self.bar.finish_and_clear();
        let outcome = self.reports.0.run_ended(report);
        match self.error.take().map_or(outcome, Err) {
            Ok(()) => Ok(()),
            Err(ReportError::Write { report, source }) => {
                Err(format!("failed to write the {report} report: {source}"))
            }
        }
    }

    fn draw(&self) {
        let progress = Progress {
            done: self.done,
            total: self.total,
            failed: self.failed,
            running: self.running.as_deref(),
            elapsed: self.start.elapsed(),
        };
        self.bar
            .set_message(progress.text(width().saturating_sub(1)));
        self.bar.tick();
    }
}

impl Watcher for Live {
    fn started(&mut self, case: &Case) {
        self.running = Some(case.id.clone());
        self.draw();
    }

    fn ended(&mut self, report: &CaseReport) {
        self.done += 1;
        self.failed += usize::from(report.verdict == Verdict::Fail);
        let outcome = self.bar.suspend(|| self.reports.0.case_ended(report));
        if let (Err(error), None) = (outcome, &self.error) {
            self.error = Some(error);
        }
        self.draw();
    }
}

/// A report file whose errors name it.
struct Named {
    path: PathBuf,
    inner: Json<BufWriter<File>>,
}

impl Named {
    fn name(&self, error: ReportError) -> ReportError {
        let ReportError::Write { report, source } = error;
        let path: &Path = &self.path;
        let named = io::Error::new(source.kind(), format!("{}: {source}", path.display()));
        ReportError::Write {
            report,
            source: named,
        }
    }
}

impl Reporter for Named {
    fn case_ended(&mut self, case: &CaseReport) -> Result<(), ReportError> {
        self.inner
            .case_ended(case)
            .map_err(|error| self.name(error))
    }

    fn run_ended(&mut self, run: &RunReport) -> Result<(), ReportError> {
        self.inner.run_ended(run).map_err(|error| self.name(error))
    }
}

/// Standard output, on which nobody reading any more (`urcheck run | head`) is no error.
struct Quietable<W>(W);

impl<W: Write> Write for Quietable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_broken(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_broken(self.0.flush(), ())
    }
}

fn unless_broken<T>(result: io::Result<T>, instead: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(instead),
        other => other,
    }
}

fn width() -> usize {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => WIDTH,
    }
}
