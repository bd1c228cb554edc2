//! The fan-out, and writers that refuse.

use crate::build::{case, run};
use std::error::Error;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use urcheck_reports::json::Json;
use urcheck_reports::{
    CaseReport, Detail, ReportError, Reporter, Reporters, RunReport, Style, Terminal, Verdict,
};

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many cases and runs it was told of.
struct Counter(Arc<Mutex<(usize, usize)>>);

impl Reporter for Counter {
    fn case_ended(&mut self, _: &CaseReport) -> Result<(), ReportError> {
        self.0.lock().unwrap().0 += 1;
        Ok(())
    }

    fn run_ended(&mut self, _: &RunReport) -> Result<(), ReportError> {
        self.0.lock().unwrap().1 += 1;
        Ok(())
    }
}

#[test]
fn a_full_disk_under_one_report_does_not_cost_the_others() {
    let told = Arc::new(Mutex::new((0, 0)));
    let style = Style {
        color: false,
        width: 80,
        live: false,
    };
    let mut all = Reporters::default();
    all.add(Terminal::new(Full, style, Detail::Normal));
    all.add(Json::new(Full));
    all.add(Counter(told.clone()));

    let passed = case("smtp/send", Verdict::Pass, 12);
    let error = all.case_ended(&passed).unwrap_err();
    assert_eq!(error.to_string(), "failed to write the terminal report");
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .unwrap();
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert!(all.run_ended(&run(vec![passed])).is_err());
    assert_eq!(*told.lock().unwrap(), (1, 1));
}

#[test]
fn a_json_report_that_cannot_be_written_is_an_error() {
    let error = urcheck_reports::json::write(&run(Vec::new()), Full).unwrap_err();
    assert_eq!(error.to_string(), "failed to write the JSON report");
}
