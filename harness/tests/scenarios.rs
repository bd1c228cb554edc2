//! Every scenario file as a test of its own, on the embedded module.

use rstest::rstest;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tokio_util::sync::CancellationToken;
use urcheck::judge::Policy;
use urcheck::runner::Pace;
use urcheck::runner::schedule::{Session, Watcher, embedded};
use urcheck::scenario::case::Case;
use urcheck::suite::{Library, Suite};
use urcheck::testbed::{self, SmtpEngine};
use urcheck_reports::{CaseReport, Verdict};

#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
static SUITE: LazyLock<Suite> = LazyLock::new(|| Suite::load(Library::Embedded).unwrap());

#[rstest]
fn passes(
    #[files("../scenarios/**/*.att")]
    #[exclude("fragments")]
    path: PathBuf,
) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .canonicalize();
    let file = path.canonicalize().unwrap();
    let id = file.strip_prefix(root.unwrap()).unwrap().with_extension("");
    let id = id.to_str().unwrap().to_owned();
    let profile = SUITE.profile("sim5360").unwrap();
    let selection = SUITE.select(&[id]).unwrap();
    let cases: Vec<Case> = selection
        .entries
        .iter()
        .map(|entry| SUITE.case(entry, &profile, &Default::default()).unwrap())
        .collect();
    let count = cases.len();
    let session = Session {
        cases,
        policy: Policy::of(&profile).unwrap(),
        pace: Pace::of(&profile),
        smtp_engine: SmtpEngine::BuiltIn,
        keep_timelines: false,
    };
    let settings = testbed::embedded::settings(&profile);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ran = runtime.block_on(embedded(
        Arc::new(session),
        settings,
        NonZeroUsize::MIN,
        CancellationToken::new(),
        &mut Nobody,
    ));
    assert_eq!(ran.reports.len(), count);
    for report in ran.reports {
        assert_eq!(
            report.verdict,
            Verdict::Pass,
            "{}: {:#?}",
            report.id,
            report.findings
        );
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn started(&mut self, _: &Case) {}
    fn ended(&mut self, _: &CaseReport) {}
}
