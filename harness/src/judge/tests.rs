//! The judge against simulated devices: no runtime, no clock, only events.

mod observed;

use super::*;
use crate::profile::Profile;
use crate::scenario::lower::Bench;
use crate::suite::{Library, Suite};
use rstest::rstest;
use std::collections::VecDeque;
use std::time::Duration;
use urcheck_reports::{Class, Grade};

/// What a simulated device sends after one send: `milliseconds text` with `;` between them.
type Answer = &'static str;

const OK: Answer = "10 \r\nOK\r\n";

fn case(body: &str) -> Case {
    case_for(&Profile::default(), body)
}

fn case_for(profile: &Profile, body: &str) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("+++\nformat = 1\ntitle  = \"T\"\n+++\n{body}");
    std::fs::write(folder.path().join("t.att"), text).unwrap();
    let suite = Suite::load(Library::Folder(folder.path().to_owned())).unwrap();
    let entry = suite.entries().next().unwrap();
    suite
        .case(&entry, profile, &Bench::default())
        .unwrap_or_else(|found| panic!("{}", found.render(false)))
}

/// Plays a dialogue: the nth send of the case gets the nth answer.
fn play(body: &str, answers: &[Answer]) -> Judged {
    play_case(&case(body), answers, &serde_json::Value::Null)
}

fn play_case(case: &Case, answers: &[Answer], state: &serde_json::Value) -> Judged {
    let policy = Policy::of(&Profile {
        echo: false,
        ..Profile::default()
    })
    .unwrap();
    let mut judge = Judge::new(case, &policy);
    drive(&mut judge, answers, state);
    judge.finish()
}

/// Plays the dialogue of a judge to its end.
fn drive(judge: &mut Judge<'_>, answers: &[Answer], state: &serde_json::Value) {
    const SETTLE: Duration = Duration::from_millis(300);
    let mut answers = answers.iter();
    let mut pending: VecDeque<(Duration, &[u8])> = VecDeque::new();
    let mut now = Duration::ZERO;
    for _ in 0..10_000 {
        let (at, kind) = match judge.want() {
            Want::Done => return,
            Want::Send { step, bytes } => {
                let answer = answers.next().copied().unwrap_or_default();
                for part in answer.split(';').filter(|part| !part.is_empty()) {
                    let (after, text) = part.split_once(' ').unwrap();
                    let after = Duration::from_millis(after.parse().unwrap());
                    pending.push_back((now + after, text.as_bytes()));
                }
                (
                    now,
                    EventKind::Sent {
                        step: Some(step),
                        bytes,
                    },
                )
            }
            Want::Wait { until } => {
                arrival(&mut pending, until).unwrap_or((until, EventKind::Tick))
            }
            Want::Act { step, .. } => (
                now,
                EventKind::Acted {
                    step,
                    what: String::new(),
                },
            ),
            Want::Quiet { step } => arrival(&mut pending, now + SETTLE).unwrap_or((
                now + SETTLE,
                EventKind::Acted {
                    step,
                    what: String::new(),
                },
            )),
            Want::Snapshot { step } => arrival(&mut pending, now + SETTLE).unwrap_or((
                now + SETTLE,
                EventKind::Snapshot {
                    step,
                    state: state.clone(),
                },
            )),
        };
        now = now.max(at);
        judge.observe(&Event { at: now, kind });
    }
    panic!("the judge never ends");
}

fn arrival(
    pending: &mut VecDeque<(Duration, &[u8])>,
    until: Duration,
) -> Option<(Duration, EventKind)> {
    let (at, bytes) = pending.pop_front_if(|(at, _)| *at <= until)?;
    Some((
        at,
        EventKind::Received {
            bytes: bytes.to_vec(),
        },
    ))
}

fn messages(judged: &Judged) -> Vec<&str> {
    judged
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect()
}

#[rstest]
#[case::plain("> AT\n< OK", &[OK])]
#[case::blank_lines("> AT\n< OK", &["10 \r\n\r\n\r\nOK\r\n\r\n"])]
#[case::torn("> AT\n< OK", &["10 \r;20 \nO;30 K\r;40 \n"])]
#[case::any_order("> S\n| A\n| B\n< C", &["1 B\r\nA\r\nC\r\n"])]
#[case::lines_since_the_send("> S\n< A\n> T\n< B\n= lines == [\"B\"] && section_lines == [\"A\", \"B\"]", &["1 A\r\n", "1 B\r\n"])]
#[case::lines_of_the_section("> S\n< A\n== other\n> T\n< B\n= section_lines == [\"B\"]\n== third\n= lines == [\"B\"] && section_lines.size() == 0", &["1 A\r\n", "1 B\r\n"])]
#[case::optional_left_out("> S\n? U\n| A\n| B", &["1 B\r\nA\r\n"])]
#[case::optional_between("> S\n? U\n| A\n| B", &["1 B\r\nU\r\nA\r\n"])]
#[case::optional_lingers_past_the_next_send("> S\n? U\n| A\n> T\n< B", &["1 A\r\n;60 U\r\n", "80 B\r\n"])]
#[case::optional_lingers_while_watching("> S\n< A\n? U\n![2s] X\n", &["1 A\r\n;900 U\r\n"])]
#[case::window("> S\n<[1s..3s] A", &["2000 A\r\n"])]
#[case::any_lines("> S\n< {{...}}\n< A", &["1 x\r\n\r\nOK\r\ny\r\nA\r\n"])]
#[case::any_lines_may_be_none("> S\n< {{...}}\n< A", &["1 A\r\n"])]
#[case::prompt("> S\n< >>\n>> body\\x1a\n< OK", &["1 \r\n>> ", OK])]
#[case::prompt_with_a_hole("> S\n< {{=/>> ?/}}\n>> body\\x1a\n< OK", &["1 \r\n>> ", OK])]
#[case::prompt_in_two_reads("> S\n< >>\n>> b\\x1a\n< OK", &["1 \r\n>>;5  ", OK])]
#[case::block("> S\n<<<\na\n\n# b\n<<<\n< OK", &["1 \r\na\r\n\r\n# b\r\n\r\nOK\r\n"])]
#[case::capture("> S\n< {{n:int}}\n> T\n< n=${n}", &["1 7\r\n", "1 n=7\r\n"])]
#[case::pause("> S\n< A\n~ 20s\n< B", &["1 A\r\n;23000 B\r\n"])]
fn dialogues_that_pass(#[case] body: &str, #[case] answers: &[Answer]) {
    let judged = play(&format!("== s\n{body}\n"), answers);
    assert_eq!((judged.verdict, messages(&judged)), (Verdict::Pass, vec![]));
}

/// Each dialogue with the verdict's first reason.
#[rstest]
#[case::silence("> AT\n< OK", &[""], "`OK` did not come within 5.000 s of the last command")]
#[case::late("> S\n<[1s] A", &["1002 A\r\n"], "`A` did not come within 1.000 s of the last command")]
#[case::early("> S\n<[1s..3s] A", &["500 A\r\n"], "`A` came 0.500 s after the last command, which is before 1.000 s")]
#[case::other_result("> AT\n< OK", &["1 ERROR\r\n"], "got `ERROR` instead of `OK`")]
#[case::misspelt("> S\n< +SMTP: SUCCESS", &["1 +SMTP: SUCESS\r\n"], "unexpected line `+SMTP: SUCESS`")]
#[case::wrong_order("> S\n< A\n< B", &["1 B\r\nA\r\n"], "unexpected line `B`")]
#[case::twice("> S\n? U\n| A", &["1 U\r\nU\r\nA\r\n"], "unexpected line `U`")]
#[case::after_the_end("> S\n< A", &["1 A\r\n;100 A\r\n"], "unexpected line `A`")]
#[case::optional_does_not_linger_for_ever("> S\n? U\n| A\n> T\n< B\n< C", &["1 A\r\n", "1 B\r\n;5 U\r\n;9 C\r\n"], "unexpected line `U`")]
#[case::forbidden("> S\n! X\n< {{...}}\n< A", &["1 X\r\nA\r\n"], "`X` must not appear here")]
#[case::watched("> S\n< A\n![3s] X", &["1 A\r\n;2900 X\r\n"], "`X` must not appear here")]
#[case::watched_before_the_next_send("> S\n< A\n![3s] X\n> T\n< B", &["1 A\r\n;2900 X\r\n", "1 B\r\n"], "`X` must not appear here")]
#[case::no_line_end("> S\n< A", &["1 \r\nA"], "`A` did not come within 5.000 s of the last command")]
#[case::block_differs("> S\n<<<\na\n\nb\n<<<", &["1 a\r\nb\r\n"], "expected the line `` of the block, got `b`")]
#[case::echo_is_off("> AT\n< OK", &["1 AT\r\r\nOK\r\n"], "unexpected line `AT`")]
#[case::binary("> S\n< A", &["1 \u{1}\u{7f}é\r\nA\r\n"], "unexpected line `\\x01\\x7f\\xc3\\xa9`")]
fn dialogues_that_fail(#[case] body: &str, #[case] answers: &[Answer], #[case] reason: &str) {
    let judged = play(&format!("== s\n{body}\n"), answers);
    assert_eq!(judged.verdict, Verdict::Fail);
    assert_eq!(messages(&judged).first(), Some(&reason));
}

#[test]
fn a_miss_names_the_nearest_line_and_what_has_no_line_end() {
    let judged = play(
        "== s\n> S\n< +SMTP: SUCCESS\n",
        &["1 +SMTP: SUCESS\r\n;2 +SM"],
    );
    let miss = judged
        .findings
        .iter()
        .find(|f| f.monitor == "expectation")
        .unwrap();
    assert_eq!(miss.details, ["the device sent `+SM` without a line end"]);
    let Some(Evidence::Missing {
        nearest: Some(nearest),
        ..
    }) = &miss.evidence
    else {
        panic!("{miss:?}")
    };
    assert_eq!(nearest.line, b"+SMTP: SUCESS");
}

#[test]
fn a_false_check_shows_its_parts_and_the_dialogue_goes_on() {
    let case = case("== s\n> S\n< n {{n:int}}\n= smtp.sessions.size() == n\n= n == 2\n> T\n< B\n");
    let state = serde_json::json!({ "smtp": { "sessions": [] }, "pop3": {} });
    let judged = play_case(&case, &["1 n 2\r\n", "1 B\r\n"], &state);
    assert_eq!(
        messages(&judged),
        ["the check `smtp.sessions.size() == n` is false"]
    );
    let Some(Evidence::Check { parts, .. }) = &judged.findings[0].evidence else {
        panic!()
    };
    let parts: Vec<_> = parts
        .iter()
        .map(|p| (p.expression.as_str(), p.value.as_str()))
        .collect();
    assert_eq!(
        parts,
        [
            ("smtp.sessions.size()", "0"),
            ("smtp.sessions", "[]"),
            ("n", "2")
        ]
    );
}

#[test]
fn a_flood_ends_the_case() {
    let mut judge_case = case("== s\n> S\n< A\n");
    judge_case.class = Class::Must;
    let policy = Policy::of(&Profile {
        echo: false,
        ..Profile::default()
    })
    .unwrap();
    let mut judge = Judge::new(&judge_case, &policy);
    let Want::Send { step, bytes } = judge.want() else {
        panic!()
    };
    let at = Duration::ZERO;
    judge.observe(&Event {
        at,
        kind: EventKind::Sent {
            step: Some(step),
            bytes,
        },
    });
    for _ in 0..=FLOOD / 4096 {
        judge.observe(&Event {
            at,
            kind: EventKind::Received {
                bytes: vec![b'x'; 4096],
            },
        });
    }
    assert_eq!(judge.want(), Want::Done);
    assert_eq!(judge.finish().findings[0].monitor, "flood");
}

#[rstest]
#[case::broke_by_itself(1, Verdict::Error)]
#[case::broke_under_a_flood(FLOOD / 4096 + 1, Verdict::Fail)]
fn a_flood_outweighs_the_line_that_breaks_under_it(
    #[case] pieces: usize,
    #[case] verdict: Verdict,
) {
    let case = case("== s\n> S\n< A\n");
    let policy = Policy::of(&Profile::default()).unwrap();
    let mut judge = Judge::new(&case, &policy);
    let at = Duration::ZERO;
    for _ in 0..pieces {
        let bytes = vec![b'x'; 4096];
        let kind = EventKind::Received { bytes };
        judge.observe(&Event { at, kind });
    }
    let message = "the device did not take 3 bytes in time".to_owned();
    let kind = EventKind::LineLost {
        message,
        by_device: false,
    };
    judge.observe(&Event { at, kind });
    assert_eq!(judge.finish().verdict, verdict);
}

/// A sending that has failed is not waited for twenty minutes.
#[test]
fn a_long_wait_ends_early_when_something_else_comes() {
    let judged = play("== s\n> S\n<[20m] A", &["1000 B\r\n"]);
    assert_eq!(judged.verdict, Verdict::Fail);
    let last = judged.findings.iter().map(|finding| finding.at).max();
    let expected = Duration::from_secs(1 + 35);
    assert!(
        last.is_some_and(|at| at >= expected && at < expected + Duration::from_secs(1)),
        "{last:?}"
    );
}

#[test]
fn in_a_case_of_class_info_nothing_fails() {
    let mut case = case("== s\n> S\n< A\n");
    case.class = Class::Info;
    let judged = play_case(&case, &["1 ERROR\r\n"], &serde_json::Value::Null);
    assert_eq!(judged.verdict, Verdict::Pass);
    assert_eq!(judged.findings[0].grade, Grade::Observation);
}

#[rstest]
#[case::nothing_else(false, None, "1 A\r\n", Verdict::Inconclusive)]
#[case::but_it_failed(false, None, "1 B\r\n", Verdict::Fail)]
#[case::but_it_is_stuck(false, Some("stuck"), "1 A\r\n", Verdict::Fail)]
#[case::it_may_have_asked_before(true, None, "1 B\r\n", Verdict::Inconclusive)]
#[case::and_is_stuck(true, Some("stuck"), "1 B\r\n", Verdict::Fail)]
fn an_unreached_fault_is_no_verdict_unless_the_device_failed(
    #[case] held: bool,
    #[case] stuck: Option<&str>,
    #[case] answer: Answer,
    #[case] verdict: Verdict,
) {
    let case = case("== s\n> S\n< A\n");
    let policy = Policy::of(&Profile::default()).unwrap();
    let mut judge = Judge::new(&case, &policy);
    drive(&mut judge, &[answer], &serde_json::Value::Null);
    judge.unreached(&Unreached {
        fault: "smtp fault 1".to_owned(),
        held,
    });
    if let Some(how) = stuck {
        judge.unhealthy(how.to_owned());
    }
    assert_eq!(judge.finish().verdict, verdict);
}

/// The judge is pure: the same timeline gives the same findings, and observing never panics.
mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_from_a_device_are_judged_alike_twice(
            reads in proptest::collection::vec(
                (0u64..9000, proptest::collection::vec(prop_oneof![
                    Just(b'\r'), Just(b'\n'), Just(b'A'), Just(b'>'), any::<u8>()], 0..40)),
                0..12)
        ) {
            let case = case("== s\n> S\n< {{x:line}}\n? U\n| A\n|[9s] {{*}}B\n![1s] X\n> ${x}\n< >>\n");
            let policy = Policy::of(&Profile::default()).unwrap();
            let judge = || {
                let mut judge = Judge::new(&case, &policy);
                let mut now = Duration::ZERO;
                for (after, bytes) in &reads {
                    now += Duration::from_millis(*after);
                    let kind = match judge.want() {
                        Want::Send { step, bytes } => EventKind::Sent { step: Some(step), bytes },
                        _ => EventKind::Received { bytes: bytes.clone() },
                    };
                    judge.observe(&Event { at: now, kind });
                }
                judge.finish()
            };
            let (first, second) = (judge(), judge());
            prop_assert_eq!(first.verdict, second.verdict);
            prop_assert_eq!(first.findings, second.findings);
        }
    }
}
