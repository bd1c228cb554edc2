//! The case lines and the end of the report for people.

use crate::build::{Tape, case, failed, has, lacking, ms, run};
use crate::terminal::{PLAIN, false_success, plain, report};
use insta::assert_snapshot;
use rstest::rstest;
use urcheck_reports::{CaseReport, Class, Detail, EventKind, Finding, RunReport, Source, Verdict};

#[test]
fn a_run_in_which_all_pass_is_short() {
    let cases = vec![
        case("smtp/send", Verdict::Pass, 12),
        case("smtp/timer [greeting]", Verdict::Pass, 30_012),
        case("pop3/retrieve", Verdict::Pass, 1_841_007),
    ];
    assert_snapshot!(plain(cases));
}

#[test]
fn every_verdict_has_its_line() {
    let cases = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let mut case = case(&format!("smtp/{}", verdict.word()), verdict, 1_500);
            match verdict {
                Verdict::Marginal => case.findings.push(Finding::new(
                    "expectation",
                    "`OK` came 4.9 s after the send, 0.1 s before its deadline",
                    ms(4_900),
                )),
                Verdict::Fail => case.findings.push(Finding {
                    clause: Some("smtp.stop".to_owned()),
                    ..Finding::new("smtp.silence", "`+SMTP: OK` came after SMTPSTOP", ms(700))
                }),
                Verdict::Inconclusive => case.findings.push(Finding {
                    source: Source::Bench,
                    ..Finding::new("fault", "fault rule 1 did not fire", ms(1_500))
                }),
                Verdict::Error => case.findings.push(Finding {
                    source: Source::Scenario,
                    ..Finding::new("check", "`smtp.sessions[3]` does not exist", ms(1_500))
                }),
                Verdict::Skipped => case.reason = Some("needs capability body-prompt".to_owned()),
                Verdict::KnownFail => case.reason = Some("FW-1182, fixed in 1.5".to_owned()),
                Verdict::UnexpectedPass => case.reason = Some("FW-1090".to_owned()),
                Verdict::Pass => {}
            }
            case
        })
        .collect();
    assert_snapshot!(plain(cases));
}

#[test]
fn quiet_shows_only_what_needs_attention() {
    let cases = vec![
        case("smtp/send", Verdict::Pass, 12),
        case("smtp/body", Verdict::Skipped, 0),
        false_success(),
    ];
    let text = report(&run(cases), PLAIN, Detail::Quiet);
    assert!(
        text.contains("fail      0.021 s  smtp/auth-error"),
        "{text}"
    );
    assert!(!text.contains("smtp/send"), "{text}");
    assert!(!text.contains("smtp/body"), "{text}");
    assert!(text.contains("3 cases"), "{text}");
}

#[test]
fn a_lost_line_ends_the_run_early() {
    let finding = Finding {
        source: Source::Bench,
        event: Some(1),
        ..Finding::new("link", "the line to the device broke", ms(120))
    };
    let lost = EventKind::LineLost {
        message: "Input/output error (os error 5)".to_owned(),
        by_device: false,
    };
    let case = CaseReport {
        verdict: Verdict::Error,
        ..failed(
            "smtp/send",
            finding,
            Tape::default().sent(0, "AT+SMTPSEND").push(120, lost),
        )
    };
    let run = RunReport {
        not_run: vec!["smtp/stop".to_owned(), "pop3/retrieve".to_owned()],
        ended_early: Some("the line to /dev/ttyUSB2 was lost".to_owned()),
        ..run(vec![case])
    };
    assert_snapshot!(report(&run, PLAIN, Detail::Normal));
}

#[test]
fn a_run_that_skips_everything_says_so() {
    let skipped = |id: &str, reason: &str| CaseReport {
        reason: Some(reason.to_owned()),
        ..case(id, Verdict::Skipped, 0)
    };
    let cases = vec![
        skipped("smtp/body-prompt", "needs capability body-prompt"),
        skipped("files/upload", "needs capability cftranrx"),
    ];
    assert_snapshot!(plain(cases));
}

#[test]
fn what_the_device_lacks_is_told_with_the_reason() {
    let skipped = CaseReport {
        reason: Some("the device has no `pictures`".to_owned()),
        ..case("fs/list", Verdict::Skipped, 0)
    };
    let run = RunReport {
        probes: vec![lacking("pictures"), has("body-prompt")],
        ..run(vec![case("smtp/send", Verdict::Pass, 1), skipped])
    };
    assert_snapshot!(report(&run, PLAIN, Detail::Quiet));
}

#[rstest]
#[case::passed(&[(Verdict::Pass, Class::Must), (Verdict::Skipped, Class::Must)], 0)]
#[case::near(&[(Verdict::Marginal, Class::Must), (Verdict::KnownFail, Class::Must)], 0)]
#[case::profile_is_behind(&[(Verdict::UnexpectedPass, Class::Must)], 0)]
#[case::info_is_no_demand(&[(Verdict::Pass, Class::Must), (Verdict::Error, Class::Info)], 0)]
#[case::a_monitor_counts_everywhere(&[(Verdict::Fail, Class::Info)], 1)]
#[case::should_fails(&[(Verdict::Fail, Class::Should)], 1)]
#[case::failure_outweighs(&[(Verdict::Error, Class::Must), (Verdict::Fail, Class::Must)], 1)]
#[case::undecided(&[(Verdict::Pass, Class::Must), (Verdict::Inconclusive, Class::Must)], 4)]
#[case::harness(&[(Verdict::Error, Class::Must)], 4)]
#[case::skipped(&[(Verdict::Skipped, Class::Must)], 5)]
#[case::empty(&[], 5)]
fn the_exit_status_is_explained(#[case] cases: &[(Verdict, Class)], #[case] status: u8) {
    let cases = cases
        .iter()
        .map(|&(verdict, class)| CaseReport {
            class,
            ..case("smtp/send", verdict, 1)
        })
        .collect();
    let run = run(cases);
    assert_eq!(run.outcome().exit_status(), status);
    let text = report(&run, PLAIN, Detail::Normal);
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("Exit status {status}: ")),
        "{last}"
    );
}

#[test]
fn a_false_success_that_is_known_is_still_named() {
    let known = CaseReport {
        verdict: Verdict::KnownFail,
        ..false_success()
    };
    let text = plain(vec![known]);
    assert!(
        text.contains("  false success  smtp/auth-error [535 5.7.8] (known-fail)"),
        "{text}"
    );
    assert!(!text.contains("timeline"), "{text}");
}

#[test]
fn cases_that_did_not_run_leave_the_device_uncleared() {
    let run = RunReport {
        not_run: vec!["smtp/stop".to_owned()],
        ..run(vec![case("smtp/send", Verdict::Pass, 1)])
    };
    assert_eq!(run.outcome().exit_status(), 4);
}
