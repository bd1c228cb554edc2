//! The report for people, one snapshot for each thing that it has to show.

use crate::build::{Tape, auth_error_steps, case, failed, ms, place, refused, run};
use insta::assert_snapshot;
use urcheck_reports::{
    Arrived, CaseReport, CheckPart, Detail, Due, EventKind, Evidence, Finding, Grade, Reporter,
    RunReport, Style, Terminal, Verdict,
};

pub(crate) const PLAIN: Style = Style {
    color: false,
    width: 100,
    live: false,
};

pub(crate) fn report(run: &RunReport, style: Style, detail: Detail) -> String {
    let mut terminal = Terminal::new(Vec::new(), style, detail);
    for case in &run.cases {
        terminal.case_ended(case).unwrap();
    }
    terminal.run_ended(run).unwrap();
    String::from_utf8(terminal.into_inner()).unwrap()
}

pub(crate) fn plain(cases: Vec<CaseReport>) -> String {
    report(&run(cases), PLAIN, Detail::Normal)
}

/// The block of one case, without the summary.
fn block(case: &CaseReport) -> String {
    let mut terminal = Terminal::new(Vec::new(), PLAIN, Detail::Normal);
    terminal.case_ended(case).unwrap();
    String::from_utf8(terminal.into_inner()).unwrap()
}

fn missing(pattern: &str, due: Due, nearest: Option<Arrived>) -> Option<Evidence> {
    Some(Evidence::Missing {
        pattern: pattern.to_owned(),
        due: Some(due),
        nearest,
    })
}

fn arrived(line: &[u8], at: u64) -> Arrived {
    Arrived {
        line: line.to_vec(),
        at: ms(at),
    }
}

const WITHIN_30_S: Due = Due {
    since: std::time::Duration::from_millis(10),
    from: std::time::Duration::ZERO,
    to: std::time::Duration::from_secs(30),
};

/// The device says success although the server refused the credentials.
pub(crate) fn false_success() -> CaseReport {
    let tape = refused()
        .line(20, "+SMTP: SUCCESS")
        .wire(21, "client closed");
    let finding = Finding {
        clause: Some("smtp.urc.auth-error".to_owned()),
        grade: Grade::FalseSuccess,
        place: place(38),
        expected: Some("|[30s]  +SMTP: AUTH ERROR".to_owned()),
        event: Some(11),
        evidence: missing(
            "+SMTP: AUTH ERROR",
            WITHIN_30_S,
            Some(arrived(b"+SMTP: SUCCESS", 20)),
        ),
        ..Finding::new(
            "smtp.truth",
            "`+SMTP: SUCCESS` came although the server accepted no mail",
            ms(20),
        )
    };
    CaseReport {
        title: "Wrong credentials end in AUTH ERROR and nothing is submitted".to_owned(),
        steps: auth_error_steps(),
        ..failed("smtp/auth-error [535 5.7.8]", finding, tape)
    }
}

#[test]
fn a_failed_expectation_shows_the_nearest_line_and_both_sides() {
    assert_snapshot!(plain(vec![false_success()]));
}

#[test]
fn verbose_shows_the_timeline_of_a_pass() {
    let passed = CaseReport {
        timeline: refused().line(20, "+SMTP: AUTH ERROR").timeline(),
        findings: vec![Finding {
            grade: Grade::Observation,
            ..Finding::new("dispute.smtp-ok", "`+SMTP: OK` comes before `OK`", ms(15))
        }],
        ..case("smtp/auth-error", Verdict::Pass, 20)
    };
    assert_snapshot!(report(&run(vec![passed]), PLAIN, Detail::Verbose));
}

#[test]
fn a_failed_check_shows_the_values_of_its_parts() {
    let part = |expression: &str, value: &str| CheckPart {
        expression: expression.to_owned(),
        value: value.to_owned(),
    };
    let expression = "smtp.delivered.size() == 0";
    let finding = Finding {
        clause: Some("smtp.auth".to_owned()),
        place: place(43),
        evidence: Some(Evidence::Check {
            expression: expression.to_owned(),
            parts: vec![
                part("smtp.delivered.size()", "1"),
                part("smtp.delivered", "[{…}]"),
            ],
        }),
        ..Finding::new("check", format!("`{expression}` is false"), ms(3_020))
    };
    let tape = refused().line(20, "+SMTP: AUTH ERROR").push(
        3_020,
        EventKind::Snapshot {
            step: 8,
            state: serde_json::Value::Null,
        },
    );
    let case = CaseReport {
        steps: auth_error_steps(),
        ..failed("smtp/auth-error", finding, tape)
    };
    assert_snapshot!(block(&case));
}

#[test]
fn a_missing_line_says_when_it_was_due() {
    let finding = Finding {
        place: place(38),
        evidence: missing("+SMTP: AUTH ERROR", WITHIN_30_S, None),
        ..Finding::new(
            "expectation",
            "`+SMTP: AUTH ERROR` did not come within 30 s",
            ms(30_010),
        )
    };
    let tape = refused().push(33_000, EventKind::Tick);
    let case = CaseReport {
        steps: auth_error_steps(),
        ..failed("smtp/auth-error", finding, tape)
    };
    assert_snapshot!(block(&case));
}

#[test]
fn a_right_line_that_is_late_has_no_marks() {
    let finding = Finding {
        place: place(38),
        evidence: missing(
            "+SMTP: BAD RCPT {{address:line}}",
            WITHIN_30_S,
            Some(arrived(b"+SMTP: BAD RCPT bob@test", 31_260)),
        ),
        ..Finding::new(
            "expectation",
            "`+SMTP: BAD RCPT …` came too late",
            ms(30_010),
        )
    };
    let text = block(&failed("smtp/bad-rcpt", finding, Tape::default()));
    assert!(
        text.contains("31.260 s, 31.25 s after the send: 1.25 s too late"),
        "{text}"
    );
    assert!(!text.contains('^'), "{text}");
}

#[test]
fn an_unexpected_line_says_what_was_allowed() {
    let finding = Finding {
        place: place(39),
        event: Some(12),
        evidence: Some(Evidence::Unexpected {
            line: arrived(b"+SMTP: SUCCESS", 1_200),
            allowed: vec!["? +SMTP: OK".to_owned()],
        }),
        ..Finding::new(
            "expectation",
            "`+SMTP: SUCCESS` is forbidden here",
            ms(1_200),
        )
    };
    let tape = refused()
        .line(20, "+SMTP: AUTH ERROR")
        .line(1_200, "+SMTP: SUCCESS");
    let case = CaseReport {
        steps: auth_error_steps(),
        ..failed("smtp/auth-error", finding, tape)
    };
    assert_snapshot!(block(&case));
}

#[test]
fn binary_garbage_cannot_reach_the_terminal() {
    let garbage = b"\x00\xff\xfe\x1b[2J\x07+SMTP: \x8eSUCCESS\r\r\n\x7f";
    let finding = Finding {
        event: Some(1),
        evidence: Some(Evidence::Unexpected {
            line: arrived(garbage, 5),
            allowed: Vec::new(),
        }),
        details: vec!["raw \u{1b}[31mescape\nand a second line\u{202e}".to_owned()],
        ..Finding::new("framing", "bytes outside ASCII: \u{1b}]0;title\u{7}", ms(5))
    };
    let case = CaseReport {
        title: "A title with \u{9b}31m".to_owned(),
        reason: Some("be\u{8}\u{8}cause".to_owned()),
        ..failed(
            "smtp/it's [\u{1b}]",
            finding,
            Tape::default().sent(0, "AT").bytes(5, garbage),
        )
    };
    let text = block(&case);
    assert!(
        !text.chars().any(|char| char.is_control() && char != '\n'),
        "{text:?}"
    );
    assert_snapshot!(text);
}

/// On a paused clock hundreds of events share one instant, so that only the event's index says
/// where a finding belongs.
#[test]
fn a_long_timeline_is_cut_around_the_finding() {
    let mut tape = Tape::default().sent(10, "AT+SMTPSEND").connected(10);
    for line in 0..300 {
        tape = tape.client(10, &format!("line {line} of the body"));
    }
    tape = tape
        .client_cut(10, &[b'A'; 200], 10_240)
        .server(10, "250 OK")
        .line(10, "+SMTP: OK");
    for line in 0..100 {
        tape = tape.client(10, &format!("line {line} of the next"));
    }
    let finding = Finding {
        event: Some(304),
        ..Finding::new(
            "smtp.order",
            "`+SMTP: OK` came after the mail was accepted",
            ms(10),
        )
    };
    assert_snapshot!(block(&failed("smtp/long", finding, tape)));
}

#[test]
fn a_very_long_line_is_shown_where_it_differs() {
    let line = format!("+POP3: {}, {}", "7".repeat(30_000), "8".repeat(30_000));
    let finding = Finding {
        evidence: missing(
            &line.replacen("7, 8", "7 8", 1),
            WITHIN_30_S,
            Some(arrived(line.as_bytes(), 20)),
        ),
        ..Finding::new("expectation", "another line came", ms(20))
    };
    let text = block(&failed(
        "pop3/long",
        finding,
        Tape::default().sent(0, "AT+POP3NUM"),
    ));
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert_snapshot!(text);
}

/// A serial line gives a byte at a time; a stall within a line must stay visible.
#[test]
fn pieces_of_a_line_are_joined_and_a_stall_is_not_hidden() {
    let mut tape = Tape::default().sent(0, "AT");
    for (index, byte) in b"\r\nOK\r\n".iter().enumerate() {
        tape = tape.bytes(1 + index as u64, &[*byte]);
    }
    tape = tape.bytes(100, b"\r\n+SMTP: SUC").bytes(5_100, b"CESS\r\n");
    let finding = Finding::new("framing", "the line stalled", ms(5_100));
    assert_snapshot!(block(&failed("smtp/pieces", finding, tape)));
}

#[test]
fn several_findings_are_numbered_and_capped() {
    let mut case = false_success();
    for number in 0..7 {
        case.findings.push(Finding::new(
            "lint",
            format!("lint number {number}"),
            ms(21),
        ));
    }
    let text = block(&case);
    assert!(text.contains("1. false success: "), "{text}");
    assert!(text.contains("5. deviation: lint number 3"), "{text}");
    assert!(!text.contains("6. deviation"), "{text}");
    assert!(text.contains("… 3 more findings not shown"), "{text}");
    assert!(text.contains("▸ finding 1"), "{text}");
}

#[test]
fn colour_marks_the_verdict_and_the_lanes() {
    let style = Style {
        color: true,
        ..PLAIN
    };
    let run = run(vec![case("smtp/send", Verdict::Pass, 12), false_success()]);
    let text = report(&run, style, Detail::Normal);
    assert_snapshot!(text.replace('\u{1b}', "␛"));
}
