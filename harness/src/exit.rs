//! The exit codes of the command line: a contract with scripts.

use std::process::ExitCode;
use urcheck_reports::Outcome;

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was required passed.
    Passed = 0,
    /// The device broke a `must` or a `should`; or `coverage`, `fmt --check` found something.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A scenario, profile or clause file is wrong.
    Scenario = 3,
    /// No verdict: a case is inconclusive, the port is gone, the run was interrupted.
    Infrastructure = 4,
    /// Nothing was run: the selection is empty, or every case was skipped.
    Nothing = 5,
}

impl Exit {
    /// What a run came to.
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failures => Self::Failed,
            Outcome::Undecided => Self::Infrastructure,
            Outcome::NothingRun => Self::Nothing,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The list for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  all required cases passed
  1  the device failed a required case
  2  the command line is wrong
  3  a scenario, profile or clause file is wrong
  4  no verdict: a case is inconclusive, the port is missing, busy or lost, or the run was interrupted
  5  nothing was run";
