//! The machine contract.

use crate::build::{case, has, lacking, likeness, ms, place, run};
use insta::assert_snapshot;
use urcheck_reports::{
    Arrived, CaseReport, CheckPart, Due, Evidence, Finding, Grade, RunReport, Source, Verdict, json,
};

fn text(run: &RunReport) -> String {
    let mut out = Vec::new();
    json::write(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A run that has every field.
fn example() -> RunReport {
    let failed = CaseReport {
        title: "Wrong credentials end in AUTH ERROR and nothing is submitted".to_owned(),
        clauses: vec!["smtp.urc.auth-error".to_owned(), "smtp.auth".to_owned()],
        faults: vec!["S10".to_owned()],
        findings: vec![
            Finding {
                clause: Some("smtp.urc.auth-error".to_owned()),
                grade: Grade::FalseSuccess,
                place: place(38),
                expected: Some("|[30s]  +SMTP: AUTH ERROR".to_owned()),
                evidence: Some(Evidence::Missing {
                    pattern: "+SMTP: AUTH ERROR".to_owned(),
                    due: Some(Due {
                        since: ms(10),
                        from: ms(0),
                        to: ms(30_000),
                    }),
                    nearest: Some(Arrived {
                        line: b"+SMTP: SUCCESS".to_vec(),
                        at: ms(20),
                    }),
                }),
                ..Finding::new(
                    "smtp.truth",
                    "`+SMTP: SUCCESS` came, nothing was accepted",
                    ms(20),
                )
            },
            Finding {
                evidence: Some(Evidence::Unexpected {
                    line: Arrived {
                        line: b"\xff\0".to_vec(),
                        at: ms(25),
                    },
                    allowed: vec!["< OK".to_owned()],
                }),
                details: vec!["the second of two such lines".to_owned()],
                ..Finding::new("framing", "two bytes that are not ASCII", ms(25))
            },
            Finding {
                source: Source::Scenario,
                place: place(43),
                evidence: Some(Evidence::Check {
                    expression: "smtp.delivered.size() == 0".to_owned(),
                    parts: vec![CheckPart {
                        expression: "smtp.delivered.size()".to_owned(),
                        value: "1".to_owned(),
                    }],
                }),
                ..Finding::new("check", "`smtp.delivered.size() == 0` is false", ms(3_020))
            },
        ],
        ..case("smtp/auth-error [535 5.7.8]", Verdict::Fail, 3_020)
    };
    let skipped = CaseReport {
        title: "The body prompt takes 5120 characters".to_owned(),
        clauses: vec!["smtp.body.prompt".to_owned()],
        reason: Some("needs capability body-prompt".to_owned()),
        ..case("smtp/body-prompt", Verdict::Skipped, 0)
    };
    RunReport {
        not_run: vec!["pop3/retrieve".to_owned()],
        ended_early: Some("the line to /dev/ttyUSB2 was lost".to_owned()),
        probes: vec![has("body-prompt"), lacking("pictures")],
        likenesses: vec![likeness()],
        ..run(vec![failed, skipped])
    }
}

#[test]
fn the_contract_is_as_promised() {
    assert_snapshot!(text(&example()));
}

/// The page is what people write their scripts from.
#[test]
fn the_page_shows_what_is_really_written() {
    let page = include_str!("../../../docs/report-json.md");
    let (_, after) = page.split_once("```json\n").unwrap();
    let (shown, _) = after.split_once("```").unwrap();
    assert_eq!(
        shown,
        text(&example()),
        "update the example in docs/report-json.md"
    );
}

#[test]
fn every_field_is_described() {
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    found.push(name.clone());
                    names(value, found);
                }
            }
            serde_json::Value::Array(values) => {
                values.iter().for_each(|value| names(value, found));
            }
            _ => {}
        }
    }
    let page = include_str!("../../../docs/report-json.md");
    let (_, tables) = page.split_once("## Fields").unwrap();
    let mut found = Vec::new();
    for run in [example(), crate::sheet::telling()] {
        names(&serde_json::from_str(&text(&run)).unwrap(), &mut found);
    }
    assert!(found.len() > 40, "{found:?}");
    for name in found {
        assert!(
            tables.contains(&format!("`{name}`")),
            "{name} is not described"
        );
    }
}

#[test]
fn a_bare_run_has_all_that_is_always_there() {
    let value: serde_json::Value = serde_json::from_str(&text(&run(Vec::new()))).unwrap();
    let mut fields: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "behaviour",
            "cases",
            "dut",
            "exit_status",
            "findings",
            "not_run",
            "outcome",
            "profile",
            "readings",
            "seconds",
            "summary",
            "tool"
        ]
    );
    for verdict in Verdict::ALL {
        assert_eq!(value["summary"][verdict.word()], 0);
    }
}
