//! The seam between a run and its reports.

use crate::model::{CaseReport, RunReport};

/// Something that turns the course of a run into a report.
pub trait Reporter {
    /// A case has ended. Cases come in the order in which they end, not in that of the selection.
    ///
    /// # Errors
    /// If the report cannot be written.
    fn case_ended(&mut self, case: &CaseReport) -> Result<(), ReportError>;

    /// The run has ended; nothing follows.
    ///
    /// # Errors
    /// If the report cannot be written.
    fn run_ended(&mut self, run: &RunReport) -> Result<(), ReportError>;
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The writer refused.
    #[error("failed to write the {report} report")]
    Write {
        /// Which report.
        report: &'static str,
        /// What the writer said.
        #[source]
        source: std::io::Error,
    },
}

/// Several reporters behind one. They may live on another thread than the cases.
#[derive(Default)]
pub struct Reporters {
    all: Vec<Box<dyn Reporter + Send>>,
}

impl Reporters {
    /// Adds one more.
    pub fn add(&mut self, reporter: impl Reporter + Send + 'static) {
        self.all.push(Box::new(reporter));
    }

    /// Tells all of them, also those after one that fails: a full disk under one report must not
    /// cost the others. The first error is returned.
    fn tell(
        &mut self,
        mut what: impl FnMut(&mut dyn Reporter) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let mut first = Ok(());
        for reporter in &mut self.all {
            let outcome = what(reporter.as_mut());
            if first.is_ok() {
                first = outcome;
            }
        }
        first
    }
}

impl Reporter for Reporters {
    fn case_ended(&mut self, case: &CaseReport) -> Result<(), ReportError> {
        self.tell(|reporter| reporter.case_ended(case))
    }

    fn run_ended(&mut self, run: &RunReport) -> Result<(), ReportError> {
        self.tell(|reporter| reporter.run_ended(run))
    }
}
