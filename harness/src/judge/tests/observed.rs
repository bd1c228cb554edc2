//! What the judge records without a verdict.

use super::*;
use urcheck_reports::End;

/// Plays one send with a profile that chose readings: `dispute=reading`.
fn play_with(chosen: &[&str], body: &str, answer: Answer) -> Judged {
    let mut profile = Profile::default();
    for one in chosen {
        profile.set(&format!("disputes.{one}")).unwrap();
    }
    let case = case_for(&profile, &format!("== a\n{body}"));
    play_case(&case, &[answer], &serde_json::Value::Null)
}

/// The readings behind each line that leans on a dispute.
fn readings(judged: &Judged) -> Vec<String> {
    let list = |list: &Vec<urcheck_reports::Reading>| {
        let list = list
            .iter()
            .map(|one| format!("{}={}", one.dispute, one.reading));
        list.collect::<Vec<_>>().join("+")
    };
    let leanings = judged.observed.readings.iter();
    leanings
        .map(|leaning| {
            let under: Vec<_> = leaning.under.iter().map(list).collect();
            format!("{}: {}", leaning.saw, under.join(" or "))
        })
        .collect()
}

#[rstest]
#[case::decided(
    "> S\n< +SMTP: {{:smtp.misbehaviour}}",
    "1 +SMTP: AUTH REQUIRED\r\n",
    "+SMTP: AUTH REQUIRED: smtp.urc-names=note"
)]
#[case::decided_otherwise(
    "> S\n< +SMTP: {{:smtp.misbehaviour}}",
    "1 +SMTP: SERVER ERROR\r\n",
    "+SMTP: SERVER ERROR: smtp.urc-names=manual"
)]
#[case::nothing_decided(
    "> S\n< +SMTP: {{:smtp.cut-while-sending}}",
    "1 +SMTP: SERVER ERROR\r\n",
    "+SMTP: SERVER ERROR: smtp.cut-while-sending=sending+smtp.urc-names=note or \
     smtp.cut-while-sending=released+smtp.urc-names=manual"
)]
#[case::between_other_text(
    "> S\n< C:/Email/{{=/[0-9]{12}/}}/, {{:pop3.mail-file-name}}",
    "1 C:/Email/100202110457/, EMAIL000.TXT\r\n",
    "C:/Email/100202110457/, EMAIL000.TXT: pop3.mail-file-name=note"
)]
#[case::a_term_or_a_plain_text(
    "> S\n< +SMTP: {{:SUCCESS|smtp.misbehaviour}}",
    "1 +SMTP: AUTH REQUIRED\r\n",
    "+SMTP: AUTH REQUIRED: smtp.urc-names=note"
)]
#[case::a_blank_is_a_text(
    "> S\n< +POP3: 2{{:pop3.num-separator}}2134",
    "1 +POP3: 2 2134\r\n",
    "+POP3: 2 2134: pop3.num-separator=space"
)]
fn what_came_decides_a_reading(#[case] body: &str, #[case] answer: Answer, #[case] seen: &str) {
    let judged = play_with(&[], body, answer);
    assert_eq!(judged.verdict, Verdict::Pass, "{:?}", judged.findings);
    assert_eq!(readings(&judged), [seen]);
}

#[test]
fn a_plain_text_beside_a_term_decides_nothing() {
    let body = "> S\n< +SMTP: {{:SUCCESS|smtp.misbehaviour}}";
    let judged = play_with(&[], body, "1 +SMTP: SUCCESS\r\n");
    assert_eq!((judged.verdict, readings(&judged)), (Verdict::Pass, vec![]));
}

#[rstest]
#[case::as_chosen("smtp.urc-names=manual", "SERVER ERROR", Verdict::Pass)]
#[case::the_other("smtp.urc-names=note", "SERVER ERROR", Verdict::Fail)]
#[case::neither("smtp.urc-names=note", "NETWORK ERROR", Verdict::Fail)]
fn a_profile_that_chose_accepts_only_that(
    #[case] chosen: &str,
    #[case] text: &str,
    #[case] verdict: Verdict,
) {
    let answer = format!("1 +SMTP: {text}\r\n").leak();
    let judged = play_with(&[chosen], "> S\n< +SMTP: {{:smtp.misbehaviour}}", answer);
    assert_eq!(judged.verdict, verdict);
}

#[test]
fn a_line_of_another_reading_is_named_and_nothing_more_is_awaited() {
    let judged = play_with(
        &["smtp.urc-names=note"],
        "> S\n| OK\n|[30s] +SMTP: {{:smtp.misbehaviour}}",
        "1 +SMTP: SERVER ERROR\r\n",
    );
    assert_eq!(
        messages(&judged),
        [
            "`+SMTP: SERVER ERROR` follows reading `manual` of smtp.urc-names, the profile chose `note`"
        ]
    );
    let [finding] = judged.findings.as_slice() else {
        panic!("{:?}", judged.findings);
    };
    assert_eq!(finding.monitor, "reading");
    assert!(finding.at < Duration::from_secs(1));
    let lean = "leans on dispute smtp.urc-names: the profile chose `note`, that is `AUTH REQUIRED`";
    assert_eq!(finding.details[0], lean);
}

#[rstest]
#[case::first("1 +SMTP: OK\r\nOK\r\n", &["+SMTP: OK` `OK: smtp.send-order=note"], Verdict::Pass)]
#[case::last("1 OK\r\n+SMTP: OK\r\n", &["OK` `+SMTP: OK: smtp.send-order=manual"], Verdict::Pass)]
fn the_order_of_lines_decides_a_reading(
    #[case] answer: Answer,
    #[case] seen: &[&str],
    #[case] verdict: Verdict,
) {
    let body = "> S\n| OK\n| +SMTP: OK\n\
                % reading smtp.send-order = lines[0] == \"OK\" ? \"manual\" : \"note\"";
    let judged = play_with(&[], body, answer);
    assert_eq!(readings(&judged), seen);
    assert_eq!(judged.verdict, verdict);
}

#[test]
fn a_recorded_reading_that_was_not_chosen_is_a_finding() {
    let body = "> S\n| OK\n| +SMTP: OK\n\
                % reading smtp.send-order = lines[0] == \"OK\" ? \"manual\" : \"note\"";
    let judged = play_with(&["smtp.send-order=note"], body, "1 OK\r\n+SMTP: OK\r\n");
    assert_eq!(judged.verdict, Verdict::Fail);
    assert_eq!(
        messages(&judged),
        ["the device follows reading `manual` of smtp.send-order, the profile accepts `note`"]
    );
}

#[test]
fn values_are_recorded_without_a_verdict() {
    let body =
        "> S\n< {{n:int}}\n% a.lines = lines\n% a.sum = n + 1\n% a.absent = smtp.sessions[7].user";
    let judged = play_with(&[], body, "1 41\r\n");
    assert_eq!(judged.verdict, Verdict::Pass);
    let seen: Vec<_> = judged
        .observed
        .behaviour
        .iter()
        .map(|one| {
            (
                one.key.as_str(),
                one.value.to_string(),
                one.problem.is_some(),
            )
        })
        .collect();
    let expected = [
        ("a.lines", "[\"41\"]".to_owned(), false),
        ("a.sum", "42".to_owned(), false),
        ("a.absent", "null".to_owned(), true),
    ];
    assert_eq!(seen, expected);
}

/// The profile's tolerance is 5 s and its answer time 5 s: a line is marginal with less than 2.5 s
/// of a long window left, or less than a quarter of a short one.
#[rstest]
#[case::in_the_middle("<[25s..35s] A", "30000 A\r\n", Verdict::Pass)]
#[case::just_enough_at_the_end("<[25s..35s] A", "32500 A\r\n", Verdict::Pass)]
#[case::too_near_to_the_end("<[25s..35s] A", "32501 A\r\n", Verdict::Marginal)]
#[case::at_the_very_end("<[25s..35s] A", "35000 A\r\n", Verdict::Marginal)]
#[case::at_the_very_start("<[25s..35s] A", "25000 A\r\n", Verdict::Marginal)]
#[case::behind_the_end("<[25s..35s] A", "35001 A\r\n", Verdict::Fail)]
#[case::just_enough_at_the_start("<[25s..35s] A", "27500 A\r\n", Verdict::Pass)]
#[case::too_near_to_the_start("<[25s..35s] A", "27499 A\r\n", Verdict::Marginal)]
#[case::at_once("<[35s] A", "0 A\r\n", Verdict::Pass)]
#[case::late("<[35s] A", "32501 A\r\n", Verdict::Marginal)]
#[case::a_slow_answer("< A", "3750 A\r\n", Verdict::Pass)]
#[case::a_very_slow_answer("< A", "3751 A\r\n", Verdict::Marginal)]
#[case::a_short_window("<[1s] A", "750 A\r\n", Verdict::Pass)]
#[case::the_end_of_a_short_window("<[1s] A", "751 A\r\n", Verdict::Marginal)]
fn marginal_is_a_met_deadline_with_little_left(
    #[case] expectation: &str,
    #[case] answer: Answer,
    #[case] verdict: Verdict,
) {
    let judged = play_with(&[], &format!("> S\n{expectation}"), answer);
    assert_eq!(judged.verdict, verdict, "{:?}", judged.findings);
}

#[test]
fn margins_are_kept_as_numbers() {
    let judged = play_with(
        &[],
        "> S\n<[10s] A\n<[25s..35s] B\n< C",
        "9000 A\r\n;26000 B\r\nC\r\n",
    );
    let margins: Vec<_> = judged
        .observed
        .margins
        .iter()
        .map(|one| {
            (
                one.expected.as_str(),
                one.left.as_millis(),
                one.end,
                one.is_marginal(),
            )
        })
        .collect();
    let expected = [
        ("<[10s] A", 1000, End::End, true),
        ("<[25s..35s] B", 1000, End::Start, true),
    ];
    assert_eq!(margins[..2], expected);
    assert_eq!(judged.findings[0].grade, Grade::Observation);
}

#[test]
fn what_fails_is_not_marginal() {
    let judged = play_with(&[], "> S\n<[10s] A\n< B", "9900 A\r\nX\r\nB\r\n");
    assert_eq!(judged.verdict, Verdict::Fail);
}
