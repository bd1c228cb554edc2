//! Every scenario file as a test of its own, on the embedded module.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use rstest::rstest;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use tokio_util::sync::CancellationToken;
use urcheck::judge::Policy;
use urcheck::runner::Pace;
use urcheck::runner::schedule::{Session, Watcher, embedded};
use urcheck::scenario::case::Case;
use urcheck::suite::{Entry, Library, Suite};
use urcheck::testbed::{self, SmtpEngine};
use urcheck_reports::{CaseReport, Verdict};

static SUITE: LazyLock<Suite> = LazyLock::new(|| Suite::load(Library::Embedded).unwrap());

#[rstest]
fn passes(
    #[files("../scenarios/**/*.att")]
    #[exclude("fragments")]
    #[exclude("probes")]
    path: PathBuf,
) {
    let selection = SUITE.select(&[id(&path)]).unwrap();
    on_the_module(&selection.entries);
}

/// What the embedded module is not asked for, it has.
#[rstest]
fn has(#[files("../scenarios/probes/*.att")] path: PathBuf) {
    let id = id(&path);
    let capability = id.strip_prefix("probes/").unwrap();
    let profile = SUITE.profile("sim5360").unwrap();
    assert!(
        profile.in_doubt().any(|one| one == capability),
        "nobody asks for `{capability}`"
    );
    on_the_module(&[SUITE.probe(capability).unwrap()]);
}

/// The id of the scenario in this file.
fn id(path: &Path) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .canonicalize();
    let file = path.canonicalize().unwrap();
    let id = file.strip_prefix(root.unwrap()).unwrap().with_extension("");
    id.to_str().unwrap().to_owned()
}

fn on_the_module(entries: &[Entry<'_>]) {
    let profile = SUITE.profile("sim5360").unwrap();
    let cases: Vec<Case> = entries
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
