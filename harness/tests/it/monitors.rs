//! Each monitor catches a build of the reference module in which its rule is broken.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use urcheck::judge::Policy;
use urcheck::monitor;
use urcheck::profile::Profile;
use urcheck::runner::Pace;
use urcheck::runner::schedule::{Session, one_embedded};
use urcheck::suite::{Library, Suite};
use urcheck::testbed::SmtpEngine;
use urcheck_device::{Settings, mutant};
use urcheck_reports::{Grade, Source};

/// A monitor, a build that breaks its rule, and a case that shows it.
const CAUGHT: &[(&str, &str, &str)] = &[
    ("result.second", "at-ok-twice", "at/case-of-values"),
    ("result.missing", "x-send-without-result", "note/3.2-send"),
    ("line.framing", "at-line-feed-only", "at/read-forms"),
    ("line.torn", "u-success-unended", "note/3.2-send"),
    ("line.echo", "x-echo-lost", "smtp/again-after-failure"),
    ("urc.spelling", "u-failure-misspelt", "pop3/odd-ends[lf]"),
    (
        "urc.place",
        "u-pop3-server-error-as-failure",
        "pop3/connection-limit[reply]",
    ),
    (
        "urc.recipient",
        "u-bad-rcpt-local-part",
        "smtp/bad-rcpt-all-of-several",
    ),
    ("report.second", "u-ok-after-success", "note/3.2-send"),
    ("report.missing", "t-success-late", "note/3.2-send"),
    (
        "report.unasked",
        "u-pop3-success-as-smtp",
        "note/4.4-retrieve-keep",
    ),
    (
        "report.session",
        "u-ok-early",
        "smtp/connection-limit[refused]",
    ),
    ("retrieval.unasked", "u-get-twice", "note/4.4-retrieve-keep"),
    (
        "retrieval.missing",
        "u-get-silent",
        "note/4.4-retrieve-keep",
    ),
    (
        "leak.server-text",
        "u-server-text",
        "smtp/bad-rcpt-all-of-several",
    ),
    ("value.number", "p-num-in-kib", "note/4.3-peek"),
    ("value.listing", "p-list-of-first", "note/4.3-peek"),
    (
        "truth.success",
        "s-refusal-is-success",
        "smtp/contradicting-lines[dot]",
    ),
    (
        "truth.failure",
        "s-quit-decides",
        "smtp/quit-faults[goodbye]",
    ),
    (
        "truth.duplicate",
        "s-sends-again",
        "smtp/code-without-blank[dot]",
    ),
    (
        "truth.bad-rcpt",
        "u-bad-rcpt-of-first",
        "smtp/bad-rcpt-one-of-several[second-server-com]",
    ),
    (
        "truth.auth-error",
        "u-success-as-auth-error",
        "smtp/auth-cram-md5",
    ),
    (
        "truth.param-error",
        "u-success-as-param-error",
        "note/3.2-send",
    ),
    ("truth.login", "p-pass-refusal-ignored", "pop3/apop-refused"),
    (
        "truth.retrieved",
        "p-half-is-success",
        "pop3/urc-failure[0-fin]",
    ),
    (
        "truth.marked",
        "p-del-refusal-ignored",
        "pop3/urc-wrong-id[at-pop3del-3]",
    ),
    ("truth.logout", "p-out-without-quit", "note/4.2-inquire"),
    (
        "truth.deleted",
        "p-del-taken-back",
        "note/4.5-retrieve-delete",
    ),
    (
        "truth.only-marked",
        "p-del-at-once",
        "pop3/delete-then-autologout",
    ),
    ("asked.connections", "s-connects-twice", "at/case-of-values"),
    ("asked.retr", "p-num-retrieves", "note/4.2-inquire"),
    ("asked.dele", "p-get-deletes", "note/4.4-retrieve-keep"),
    ("asked.quit", "p-stop-commits", "pop3/again-after-stop"),
    (
        "ending.full-storage-closes",
        "p-left-open",
        "pop3/urc-file-system-error",
    ),
    (
        "ending.session-kept",
        "p-error-ends-session",
        "pop3/urc-wrong-id[at-pop3list-3]",
    ),
    (
        "ending.pop3-silence",
        "p-stop-asks-on",
        "pop3/delete-then-stop",
    ),
    (
        "ending.pop3-stop-closes",
        "p-stop-leaves-open",
        "pop3/delete-then-stop",
    ),
    (
        "ending.pop3-closed",
        "p-left-open",
        "pop3/link-kept-after-out",
    ),
    (
        "ending.smtp-closed",
        "u-no-answer-as-auth-error",
        "smtp/no-greeting-in-clear",
    ),
    (
        "ending.smtp-stop-closes",
        "t-stop-late",
        "smtp/stop-before-late-answer",
    ),
    (
        "ending.smtp-silence",
        "x-stop-delivers",
        "smtp/stop-before-late-answer",
    ),
    (
        "truth.stopped",
        "x-stop-delivers",
        "smtp/stop-before-late-answer",
    ),
    ("legal.smtp", "s-commands-line-feed", "at/case-of-values"),
    ("legal.pop3", "p-pipelines", "note/4.2-inquire"),
    ("letter.envelope", "s-one-rcpt", "note/3.2-send"),
    ("letter.fields", "s-from-name-lost", "note/3.2-send"),
    ("letter.body", "s-body-last-lost", "note/3.2-send"),
    ("letter.files", "s-attachment-nameless", "smtp/header-once"),
    ("message.date", "s-date-malformed", "smtp/date"),
    ("message.clock", "s-date-of-epoch", "smtp/date"),
    ("message.ascii", "s-eight-bit-field", "note/3.2-send"),
    ("message.encoding", "s-base64-long-lines", "note/3.2-send"),
    ("secrets.smtp-login", "s-auth-default", "smtp/auth-off"),
    ("secrets.pop3-login", "p-srv-swapped", "note/4.2-inquire"),
    (
        "secrets.password",
        "s-password-in-header",
        "smtp/password-secret",
    ),
    ("secrets.bcc", "s-bcc-in-header", "smtp/bcc-secret"),
    (
        "timers.smtp-late",
        "u-late-failure-silent",
        "smtp/idle-after-silence",
    ),
    (
        "timers.smtp-early",
        "t-smtp-short",
        "smtp/every-answer-late",
    ),
    (
        "timers.pop3-late",
        "t-pop3-long",
        "pop3/connection-limit[silence]",
    ),
    (
        "timers.pop3-early",
        "t-pop3-short",
        "pop3/late-answers[greeting]",
    ),
    ("health", "t-pop3-connect-none", "pop3/no-connection"),
    (
        "report.after-stop",
        "x-stop-is-ignored",
        "smtp/stop-before-confirmation",
    ),
];

static SUITE: LazyLock<(Suite, Profile)> = LazyLock::new(|| {
    let suite = Suite::load(Library::Embedded).unwrap();
    let profile = suite.profile("sim5360").unwrap();
    (suite, profile)
});

/// The monitors that have found something in a case against a build; `None`: the shipped one.
fn found(id: &str, build: Option<&str>) -> BTreeSet<String> {
    let (suite, profile) = &*SUITE;
    let selection = suite.select(&[id.to_owned()]).unwrap();
    assert_eq!(selection.entries.len(), 1, "{id}");
    let case = suite.case(&selection.entries[0], profile, &Default::default());
    let session = Session {
        cases: Vec::new(),
        policy: Policy::of(profile).unwrap(),
        pace: Pace::of(profile),
        smtp_engine: SmtpEngine::BuiltIn,
        keep_timelines: false,
    };
    let mut settings = Settings::default();
    if let Some(name) = build {
        settings.firmware = mutant::find(name).unwrap();
    }
    let report = one_embedded(&case.unwrap(), &session, &settings);
    let counts = |source, grade| source == Source::Device && grade != Grade::Observation;
    let findings = report.findings.into_iter();
    findings
        .filter(|finding| counts(finding.source, finding.grade))
        .map(|finding| finding.monitor)
        .collect()
}

#[test]
fn a_module_with_its_rule_broken_is_caught_by_each_monitor() {
    let mut missing = Vec::new();
    for (monitor, build, case) in CAUGHT {
        let broken = found(case, Some(build));
        if !broken.contains(*monitor) {
            missing.push(format!("{monitor}: {build} in {case} has {broken:?}"));
        }
        assert!(found(case, None).is_empty(), "{case} on the shipped module");
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_monitor_stands_here_once() {
    let mut here: Vec<_> = CAUGHT.iter().map(|(monitor, ..)| *monitor).collect();
    let mut all: Vec<_> = monitor::all().map(|monitor| monitor.id).collect();
    all.push("health");
    here.sort_unstable();
    all.sort_unstable();
    assert_eq!(here, all);
}
