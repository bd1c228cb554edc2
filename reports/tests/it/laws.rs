//! What holds for any evidence, however strange the device, the client or the scenario.

use crate::build::likeness;
use proptest::prelude::*;
use std::time::Duration;
use urcheck_reports::{
    Arrived, CaseReport, CheckPart, Class, Detail, Due, Event, EventKind, Evidence, Finding,
    Observed, Place, Protocol, QuotedStep, Reporter, RunReport, Style, Terminal, Timeline, Verdict,
    json, nearest,
};

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0_u64..200).prop_map(Duration::from_millis),
        1 => Just(Duration::MAX),
        1 => (0_u64..100_000_000).prop_map(Duration::from_micros),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\r'), 3 => Just(b'\n'), 6 => any::<u8>()];
    proptest::collection::vec(byte, 0..60)
}

fn any_event() -> impl Strategy<Value = Event> {
    let (protocol, connection) = (Protocol::Pop3, 2);
    let kind = prop_oneof![
        any_bytes().prop_map(|bytes| EventKind::Sent { step: None, bytes }),
        any_bytes().prop_map(|bytes| EventKind::Received { bytes }),
        (any_bytes(), any::<u64>()).prop_map(move |(bytes, omitted)| EventKind::FromClient {
            protocol,
            connection,
            bytes,
            omitted
        }),
        any::<String>().prop_map(move |what| EventKind::Wire {
            protocol,
            connection,
            what
        }),
        any::<usize>().prop_map(move |rule| EventKind::Fault {
            protocol,
            connection,
            rule,
            what: "did it".to_owned()
        }),
        (any::<String>(), any::<bool>())
            .prop_map(|(message, by_device)| EventKind::LineLost { message, by_device }),
        Just(EventKind::Tick),
    ];
    (any_time(), kind).prop_map(|(at, kind)| Event { at, kind })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let arrived = || (any_bytes(), any_time()).prop_map(|(line, at)| Arrived { line, at });
    let due =
        (any_time(), any_time(), any_time()).prop_map(|(since, from, to)| Due { since, from, to });
    let pattern = prop_oneof![any::<String>(), "[a-c{}=/]{0,40}"];
    let part = (any::<String>(), any::<String>())
        .prop_map(|(expression, value)| CheckPart { expression, value });
    prop_oneof![
        (
            pattern,
            proptest::option::of(due),
            proptest::option::of(arrived())
        )
            .prop_map(|(pattern, due, nearest)| Evidence::Missing {
                pattern,
                due,
                nearest
            }),
        (arrived(), proptest::collection::vec(any::<String>(), 0..3))
            .prop_map(|(line, allowed)| Evidence::Unexpected { line, allowed }),
        (any::<String>(), proptest::collection::vec(part, 0..3))
            .prop_map(|(expression, parts)| Evidence::Check { expression, parts }),
    ]
}

fn any_place() -> impl Strategy<Value = Place> {
    (0_usize..6).prop_map(|line| Place {
        file: "a.att".to_owned(),
        line,
    })
}

fn any_finding() -> impl Strategy<Value = Finding> {
    (
        any::<String>(),
        any_time(),
        proptest::option::of(0_usize..80),
        proptest::option::of(any_place()),
        proptest::option::of(any_evidence()),
        proptest::collection::vec(any::<String>(), 0..3),
    )
        .prop_map(|(message, at, event, place, evidence, details)| Finding {
            event,
            place,
            evidence,
            details,
            ..Finding::new("monitor", message, at)
        })
}

fn any_case() -> impl Strategy<Value = CaseReport> {
    let step =
        (any_place(), any::<String>(), "[ab]").prop_map(|(place, text, section)| QuotedStep {
            place,
            text,
            section,
        });
    (
        any::<String>(),
        proptest::sample::select(Verdict::ALL.to_vec()),
        any_time(),
        proptest::option::of(any::<String>()),
        proptest::collection::vec(any_finding(), 0..8),
        proptest::collection::vec(step, 0..8),
        proptest::collection::vec(any_event(), 0..70),
    )
        .prop_map(
            |(id, verdict, duration, reason, findings, steps, events)| CaseReport {
                title: id.clone(),
                id,
                verdict,
                class: Class::Should,
                clauses: Vec::new(),
                faults: vec!["S10".to_owned()],
                duration,
                reason,
                findings,
                observed: Observed::default(),
                steps,
                timeline: Timeline { events },
            },
        )
}

fn any_run() -> impl Strategy<Value = RunReport> {
    let cases = proptest::collection::vec(any_case(), 0..3);
    (cases, any::<String>(), any_time()).prop_map(|(cases, dut, duration)| RunReport {
        tool: "urcheck".to_owned(),
        not_run: vec![dut.clone()],
        ended_early: Some(dut.clone()),
        probes: Vec::new(),
        likenesses: vec![likeness()],
        dut,
        profile: "sim5360".to_owned(),
        cases,
        duration,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_evidence_can_break_the_report_or_reach_the_terminal(run in any_run()) {
        for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
            let style = Style { color: false, width: 0, live: true };
            let mut terminal = Terminal::new(Vec::new(), style, detail);
            for case in &run.cases {
                terminal.case_ended(case).unwrap();
            }
            terminal.run_ended(&run).unwrap();
            let text = String::from_utf8(terminal.into_inner()).unwrap();
            prop_assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "{text:?}");
        }
    }

    #[test]
    fn the_json_report_always_is_json(run in any_run()) {
        let mut out = Vec::new();
        json::write(&run, &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(value["cases"].as_array().map(Vec::len), Some(run.cases.len()));
        prop_assert_eq!(value["exit_status"].as_u64(), Some(u64::from(run.outcome().exit_status())));
    }

    #[test]
    fn evidence_survives_its_file(run in any_run()) {
        let text = serde_json::to_string(&run).unwrap();
        prop_assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), run);
    }

    #[test]
    fn a_line_is_nearest_to_itself(
        line in "[ -z]{1,40}",
        others in proptest::collection::vec(any_bytes(), 0..20),
        at in any::<prop::sample::Index>(),
    ) {
        let mut lines = others;
        let at = at.index(lines.len() + 1);
        lines.insert(at, line.clone().into_bytes());
        let found = nearest(&line, lines.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(&lines[found.index], line.as_bytes());
        prop_assert_eq!(found.similarity, 1.0);
    }
}
