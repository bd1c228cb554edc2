//! The evidence of a run, and its renderers.
//!
//! This room defines what a run *is* (timeline, finding, verdict, case, run) and turns it into
//! text. It knows no protocol, does no I/O besides writing to a given writer, reads no clock and
//! no environment: everything a report shows is in the evidence, so a report is reproducible.
//!
//! Whoever drives a run tells a [`Reporter`] about every case as it ends and about the run at its
//! end; [`Reporters`] passes that on to any number of them.
//!
//! ```
//! use urcheck_reports::{Detail, Reporter, RunReport, Style, Terminal};
//!
//! let run = RunReport {
//!     tool: "urcheck 0.1.0".into(),
//!     dut: "sim".into(),
//!     profile: "sim5360".into(),
//!     cases: Vec::new(),
//!     not_run: Vec::new(),
//!     ended_early: None,
//!     probes: Vec::new(),
//!     likenesses: Vec::new(),
//!     duration: std::time::Duration::ZERO,
//! };
//! let style = Style { color: false, width: 80, live: false };
//! let mut terminal = Terminal::new(Vec::new(), style, Detail::Normal);
//! terminal.run_ended(&run)?;
//! let text = String::from_utf8_lossy(&terminal.into_inner()).into_owned();
//! assert!(text.ends_with("Exit status 5: no case was run, so nothing is known about the device.\n"));
//! # Ok::<(), urcheck_reports::ReportError>(())
//! ```

pub mod finding;
pub mod json;
pub mod model;
pub mod nearest;
pub mod observed;
pub mod progress;
pub mod reporter;
pub mod sheet;
pub mod terminal;
pub mod timeline;

mod text;

pub use finding::{Arrived, CheckPart, Due, Evidence, Finding, Grade, Source};
pub use model::{
    CaseReport, Class, Likeness, Outcome, Place, Probe, QuotedStep, RunReport, Verdict,
};
pub use nearest::{Nearest, nearest};
pub use observed::{Behaviour, End, Leaning, Margin, Observed, Reading};
pub use progress::Progress;
pub use reporter::{ReportError, Reporter, Reporters};
pub use terminal::{Detail, Style, Terminal};
pub use timeline::{Event, EventKind, Protocol, Timeline};
