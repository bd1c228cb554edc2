//! Truth and lies about a maildrop.

use crate::monitor::story::Story;
use rstest::rstest;
use serde_json::{Value, json};
use urcheck_reports::{EventKind, Protocol::Pop3};
use urcheck_servers::fault::Rule;

const ALL: [&str; 6] = [
    "truth.login",
    "truth.retrieved",
    "truth.marked",
    "truth.logout",
    "truth.deleted",
    "truth.only-marked",
];

/// Which of the monitors fire.
fn fired(story: &Story) -> Vec<&'static str> {
    let fires = |id: &&str| !story.found(id).is_empty();
    ALL.into_iter().filter(fires).collect()
}

fn begun(report: &str) -> Story {
    let mut story = Story::new();
    story.case.pop3.mail = vec![b"Subject: x\r\n\r\nbody\r\n".to_vec()];
    story
        .send("AT+POP3IN")
        .connected_pop3(1)
        .server(Pop3, 1, "+OK ready")
        .says(&format!("+POP3: {report}"))
        .says("OK")
}

/// One session, with these members besides an accepted login.
fn state(more: Value) -> Value {
    let mut session = json!({"id": 1, "user": "un"});
    let members = more.as_object().cloned().unwrap_or_default();
    session.as_object_mut().unwrap().extend(members);
    json!({"pop3": {"sessions": [session]}})
}

fn with_removals(mut state: Value, count: usize) -> Value {
    state["pop3"]["removed"] = vec![json!({"session": 1}); count].into();
    state
}

#[rstest]
#[case("SUCCESS", json!("un"), &[])]
#[case("SUCCESS", Value::Null, &["truth.login"])]
#[case("INVALID UN/PWD", Value::Null, &[])]
#[case("INVALID UN/PWD", json!("un"), &["truth.login"])]
fn logins(#[case] report: &str, #[case] user: Value, #[case] monitors: &[&str]) {
    let story = begun(report).state(state(json!({"user": user})));
    assert_eq!(fired(&story), monitors);
}

#[test]
fn a_success_behind_a_refused_deletion_is_that_of_the_retrieval() {
    let story = begun("SUCCESS")
        .send("AT+POP3GET=1")
        .says("OK")
        .client(Pop3, 1, "RETR 1")
        .send("AT+POP3DEL=1")
        .says("ERROR")
        .server(Pop3, 1, "+OK")
        .says("+POP3: SUCCESS")
        .says("C:/Email/100202110400/, EMAIL000.TXT");
    let more = json!({"commands": ["APOP un 0", "RETR 1"], "replies": ["+OK ready", "+OK", "+OK"], "retrieved": [1], "quit": true});
    assert_eq!(fired(&story.state(state(more))), [""; 0]);
}

#[test]
fn a_second_login_may_find_the_session_of_the_first() {
    let story = begun("SUCCESS")
        .send("AT+POP3IN")
        .says("+POP3: SUCCESS")
        .says("OK")
        .state(state(json!({})));
    assert!(fired(&story).is_empty());
}

#[rstest]
#[case::whole("SUCCESS", json!([1]), "+OK", &[])]
#[case::not_whole("SUCCESS", json!([]), "+OK", &["truth.retrieved"])]
#[case::refused("SUCCESS", json!([]), "-ERR", &["truth.retrieved"])]
#[case::another("SUCCESS", json!([2]), "-ERR", &["truth.retrieved"])]
#[case::false_failure("FAILURE", json!([1]), "+OK", &["truth.retrieved"])]
#[case::failure("FAILURE", json!([]), "-ERR", &[])]
#[case::no_room("FILE SYSTEM ERROR", json!([1]), "+OK", &[])]
fn retrievals(
    #[case] report: &str,
    #[case] retrieved: Value,
    #[case] reply: &str,
    #[case] monitors: &[&str],
) {
    let story = begun("SUCCESS")
        .send("AT+POP3GET=1")
        .says("OK")
        .says(&format!("+POP3: {report}"))
        .state(state(json!({
            "retrieved": retrieved, "commands": ["RETR 1"], "replies": ["+OK ready", reply],
        })));
    assert_eq!(fired(&story), monitors);
}

#[rstest]
#[case::other_text(r#"{"when": "retr-body", "do": "reply", "text": "x"}"#, &[])]
#[case::cut(r#"{"when": "retr-body", "do": "truncate", "bytes": 5}"#, &["truth.retrieved"])]
fn a_retrieval_that_a_fault_changed(#[case] rule: &str, #[case] monitors: &[&str]) {
    let mut story = begun("SUCCESS");
    story.case.pop3.fault = vec![serde_json::from_str::<Rule>(rule).unwrap()];
    let story = story
        .send("AT+POP3GET=1")
        .push(EventKind::Fault {
            protocol: Pop3,
            connection: 1,
            rule: 0,
            what: String::new(),
        })
        .says("OK")
        .says("+POP3: SUCCESS")
        .state(state(json!({
            "commands": ["RETR 1"], "replies": ["+OK ready", "+OK"],
        })));
    assert_eq!(fired(&story), monitors);
}

#[rstest]
#[case::marked("SUCCESS", "+OK", true, 1, &[])]
#[case::not_marked("SUCCESS", "-ERR", true, 0, &["truth.marked", "truth.deleted"])]
#[case::kept_all_the_same("SUCCESS", "+OK", true, 0, &["truth.deleted"])]
#[case::false_failure("SERVER ERROR", "+OK", true, 1, &["truth.marked"])]
#[case::no_leave("SUCCESS", "+OK", false, 0, &["truth.logout", "truth.deleted"])]
fn deletions(
    #[case] report: &str,
    #[case] reply: &str,
    #[case] quit: bool,
    #[case] removed: usize,
    #[case] monitors: &[&str],
) {
    let told = json!({
        "commands": ["DELE 1"], "replies": ["+OK ready", reply], "quit": quit,
    });
    let story = begun("SUCCESS")
        .send("AT+POP3DEL=1")
        .says(&format!("+POP3: {report}"))
        .says("OK")
        .send("AT+POP3OUT")
        .says("+POP3: SUCCESS")
        .says("OK")
        .state(with_removals(state(told), removed));
    assert_eq!(fired(&story), monitors);
}

#[test]
fn stop_deletes_nothing() {
    let story = |removed| {
        begun("SUCCESS")
            .send("AT+POP3DEL=1")
            .says("+POP3: SUCCESS")
            .says("OK")
            .send("AT+POP3STOP")
            .says("OK")
            .state(with_removals(
                state(json!({"commands": ["DELE 1"], "replies": ["", "+OK"]})),
                removed,
            ))
    };
    assert!(fired(&story(0)).is_empty());
    assert_eq!(fired(&story(1)), ["truth.only-marked"]);
}
