//! What all cases of a run together say of a device.

use crate::build::{case, ms, run};
use rstest::rstest;
use urcheck_reports::{
    Behaviour, CaseReport, Class, Detail, End, Leaning, Margin, Observed, Outcome, Place, Reading,
    Reporter, Style, Terminal, Verdict,
};

fn place(line: usize) -> Place {
    Place {
        file: "smtp/urc.att".to_owned(),
        line,
    }
}

/// A case whose only line is right under these readings: `names=note+cut=sending`, one text for
/// each list, with `|` between them. A dispute that varies has a `~` before it.
fn leaning(id: &str, under: &str) -> CaseReport {
    let list = |text: &str| {
        let one = |text: &str| {
            let (dispute, reading) = text.split_once('=').unwrap();
            Reading {
                dispute: dispute.trim_start_matches('~').to_owned(),
                reading: reading.to_owned(),
                varies: dispute.starts_with('~'),
            }
        };
        text.split('+')
            .filter(|text| !text.is_empty())
            .map(one)
            .collect()
    };
    let leaning = Leaning {
        place: place(7),
        saw: "+SMTP: SERVER ERROR".to_owned(),
        at: ms(30),
        under: under.split('|').map(list).collect(),
    };
    let observed = Observed {
        readings: vec![leaning],
        ..Observed::default()
    };
    CaseReport {
        observed,
        ..case(id, Verdict::Pass, 40)
    }
}

#[rstest]
#[case::nothing_decided(&[], &[])]
#[case::one_reading(&["names=note", "names=note"], &[])]
#[case::two_readings(&["names=note", "names=manual"], &["names: 1 note, 2 manual"])]
#[case::two_disputes(&["names=note", "order=manual"], &[])]
#[case::what_both_allow_decides_nothing(
    &["names=note|names=manual", "names=manual", "names=note|names=manual"], &[]
)]
#[case::a_dispute_that_varies(&["~cut=sending", "~cut=released"], &[])]
#[case::it_may_still_decide_another(
    &["names=note+~cut=sending", "names=manual+~cut=released"], &["names: 1 note, 2 manual"]
)]
#[case::what_is_right_anyhow_decides_nothing(&["|names=note", "names=manual"], &[])]
#[case::one_decision_settles_another(
    &["names=note+cut=sending|names=manual+cut=released", "names=note", "cut=released"],
    &["cut: 3 released, 1 sending"]
)]
#[case::of_three_the_first_two_are_named(
    &["names=a", "names=b", "names=c"], &["names: 1 a, 2 b"]
)]
fn a_mixture_of_readings_is_found(#[case] lines: &[&str], #[case] expected: &[&str]) {
    let ids = ["1", "2", "3"];
    let cases = lines.iter().zip(ids).map(|(under, id)| leaning(id, under));
    let run = run(cases.chain([case("4", Verdict::Pass, 1)]).collect());
    let found: Vec<_> = run
        .readings()
        .mixtures
        .iter()
        .map(|mixture| {
            let (first, second) = (&mixture.first, &mixture.second);
            format!(
                "{}: {} {}, {} {}",
                mixture.dispute, first.case, first.reading, second.case, second.reading
            )
        })
        .collect();
    assert_eq!(found, expected);
    let outcome = match expected.is_empty() {
        true => Outcome::Passed,
        false => Outcome::Failures,
    };
    assert_eq!(run.outcome(), outcome);
}

#[rstest]
#[case(Class::Info, Verdict::Pass)]
#[case(Class::Must, Verdict::KnownFail)]
fn some_cases_are_no_reason_for_a_mixture(#[case] class: Class, #[case] verdict: Verdict) {
    let other = CaseReport {
        class,
        verdict,
        ..leaning("2", "names=manual")
    };
    let run = run(vec![leaning("1", "names=note"), other]);
    assert_eq!(run.readings().mixtures, []);
    assert_eq!(run.outcome(), Outcome::Passed);
    assert_eq!(run.readings().followed.len(), 2);
}

#[test]
fn the_order_of_the_cases_changes_only_who_is_named() {
    let one = leaning("1", "names=note+cut=sending|names=manual+cut=released");
    let two = leaning("2", "names=note");
    let three = leaning("3", "cut=released");
    for cases in [
        vec![one.clone(), two.clone(), three.clone()],
        vec![three.clone(), two.clone(), one.clone()],
        vec![two, three, one],
    ] {
        assert_eq!(run(cases).readings().mixtures.len(), 1);
    }
}

fn behaving(id: &str, values: &[(&str, serde_json::Value)]) -> CaseReport {
    let entry = |(key, value): &(&str, serde_json::Value)| Behaviour {
        key: (*key).to_owned(),
        value: value.clone(),
        problem: None,
        place: place(9),
        at: ms(50),
    };
    let observed = Observed {
        behaviour: values.iter().map(entry).collect(),
        ..Observed::default()
    };
    CaseReport {
        observed,
        ..case(id, Verdict::Pass, 40)
    }
}

/// A run with a bit of everything.
pub(crate) fn telling() -> urcheck_reports::RunReport {
    let margin = |left, end, at| Margin {
        place: place(12),
        expected: "|[25s..35s] +SMTP: SERVER ERROR".to_owned(),
        at: ms(at),
        left: ms(left),
        end,
        least: ms(2500),
    };
    let marginal = CaseReport {
        verdict: Verdict::Marginal,
        observed: Observed {
            margins: vec![
                margin(400, End::End, 34_600),
                margin(2400, End::Start, 27_400),
                margin(5000, End::End, 30_000),
            ],
            ..Observed::default()
        },
        ..case("smtp/no-answer", Verdict::Marginal, 34_600)
    };
    run(vec![
        leaning("smtp/first", "names=note"),
        leaning("smtp/second", "names=manual"),
        leaning("smtp/third", "~cut=sending"),
        behaving(
            "smtp/quit",
            &[
                ("smtp.quit", true.into()),
                ("smtp.lines", vec!["OK", "+SMTP: OK"].into()),
            ],
        ),
        behaving("smtp/quit-again", &[("smtp.quit", false.into())]),
        behaving("smtp/quit-once-more", &[("smtp.quit", false.into())]),
        marginal,
    ])
}

fn shown(whole: bool) -> String {
    let style = Style {
        color: false,
        width: 100,
        live: false,
    };
    let mut terminal = Terminal::new(Vec::new(), style, Detail::Quiet).with_behaviour(whole);
    terminal.run_ended(&telling()).unwrap();
    String::from_utf8(terminal.into_inner()).unwrap()
}

#[test]
fn the_summary_names_mixtures_and_margins_and_offers_the_sheet() {
    insta::assert_snapshot!(shown(false));
}

#[test]
fn the_whole_sheet() {
    insta::assert_snapshot!(shown(true));
}

#[test]
fn the_machine_contract_has_all_of_it() {
    let mut out = Vec::new();
    urcheck_reports::json::write(&telling(), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
