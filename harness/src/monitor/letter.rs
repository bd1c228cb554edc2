//! An e-mail is what the DTE configured: its envelope, its fields, its text and its files.

use super::account::{Account, Connection, Message, Sending};
use super::configured::{Configured, List, Mailbox};
use super::context::{connections_of, is_whole, said};
use super::{Basis, Found, Monitor};
use mail_parser::{Address, MessageParser};
use std::collections::BTreeSet;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "letter.envelope",
        about: "submits an e-mail for the sender and the recipients that are configured",
        basis: Basis::Clause("smtp.rcpt.kinds"),
        watch: envelope,
    },
    Monitor {
        id: "letter.fields",
        about: "writes From, To, Cc and Subject as they are configured",
        basis: Basis::Clause("smtp.header"),
        watch: fields,
    },
    Monitor {
        id: "letter.body",
        about: "sends the text that is configured",
        basis: Basis::Clause("smtp.body"),
        watch: body,
    },
    Monitor {
        id: "letter.files",
        about: "attaches the files that are selected, in their order",
        basis: Basis::Clause("smtp.file.select"),
        watch: files,
    },
];

/// A sending with what was configured for it, where nothing was changed while it went on.
fn letters<'a>(account: &'a Account<'_>) -> Vec<(Sending, Configured, Vec<&'a Connection>)> {
    let mut all = Vec::new();
    for sending in account.sendings() {
        let ended = sending
            .reports
            .iter()
            .find(|line| account.ends_sending(**line))
            .and_then(|line| account.lines.get(*line))
            .map_or(sending.until, |line| line.event);
        let after = account
            .exchanges
            .get(sending.exchange + 1..)
            .unwrap_or_default();
        let alone = account
            .exchanges
            .get(sending.exchange)
            .is_some_and(|exchange| {
                exchange
                    .command
                    .as_ref()
                    .is_some_and(|line| line.only().is_some())
            });
        let changed = after
            .iter()
            .take_while(|e| e.event < ended)
            .any(|exchange| {
                let mut commands = exchange.commands();
                exchange.command.is_none()
                    || commands.any(|c| {
                        c.name.starts_with("+SMTP")
                            && !matches!(c.name.as_str(), "+SMTPSEND" | "+SMTPSTOP")
                    })
            });
        if alone && !changed {
            let state = Configured::before(account, sending.exchange);
            let connections = connections_of(account, &sending);
            all.push((sending, state, connections));
        }
    }
    all
}

fn messages<'a>(account: &'a Account<'_>, connection: &Connection) -> Vec<&'a Message> {
    let delivered = account.servers.smtp.delivered.iter();
    delivered
        .filter(|m| m.session == connection.number)
        .collect()
}

fn finished(account: &Account<'_>, connection: &Connection) -> usize {
    let lines = said(account, connection);
    let dot = lines.iter().rfind(|line| line.text == ".");
    dot.map_or(connection.event, |line| line.event)
}

/// The path of `MAIL FROM:<…>` and `RCPT TO:<…>`.
fn path(argument: &str) -> Option<String> {
    let rest = argument.trim().strip_prefix('<')?;
    rest.split_once('>').map(|(path, _)| path.to_lowercase())
}

fn addresses(list: &List<Mailbox>) -> BTreeSet<String> {
    let entries = list.entries.values();
    entries
        .map(|mailbox| mailbox.address.to_lowercase())
        .collect()
}

/// Addresses that are written in one way only; others may be quoted in the envelope.
fn is_simple(addresses: &BTreeSet<String>) -> bool {
    let simple = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    addresses.iter().all(|address| address.chars().all(simple))
}

fn envelope(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (_, state, connections) in letters(account) {
        let complete = state.recipients.iter().all(|list| list.complete);
        let configured: BTreeSet<String> = state.recipients.iter().flat_map(addresses).collect();
        let count = state
            .recipients
            .iter()
            .map(|list| list.entries.len())
            .sum::<usize>();
        for connection in connections {
            let mut named = Vec::new();
            for line in said(account, connection) {
                let from = line.after("MAIL FROM:").and_then(path);
                if let (Some(from), Some(mailbox)) = (from, &state.from)
                    && from != mailbox.address.to_lowercase()
                    && is_simple(&[mailbox.address.to_lowercase()].into())
                {
                    let message = format!(
                        "the envelope names <{from}> as the sender, not <{}>",
                        mailbox.address
                    );
                    found.push(Found::new(line.event, message));
                }
                // A transaction that begins anew, as after RSET.
                if line.after("MAIL FROM:").is_some() {
                    named.clear();
                }
                let Some(to) = line.after("RCPT TO:").and_then(path) else {
                    // What follows DATA is text, and may look like a command.
                    if line.text.eq_ignore_ascii_case("DATA") {
                        break;
                    }
                    continue;
                };
                named.push(to.clone());
                if !complete || !is_simple(&configured) {
                    continue;
                }
                if !configured.contains(&to) {
                    let message =
                        format!("the e-mail went to <{to}>, which is no configured recipient");
                    found.push(Found::new(line.event, message));
                } else if named.len() > count {
                    let message =
                        format!("the envelope names {} recipients of {count}", named.len());
                    found.push(Found::new(line.event, message));
                }
            }
            let Some(message) = messages(account, connection).first().copied() else {
                continue;
            };
            // Of a long dialogue the timeline keeps only the beginning.
            if !is_whole(account, connection) {
                continue;
            }
            let named: BTreeSet<String> = named.into_iter().collect();
            // Whether the rest gets it when the server refuses one is open to dispute.
            let all_accepted = message.recipients.len() >= named.len();
            let missing: Vec<_> = configured.difference(&named).cloned().collect();
            if all_accepted && is_simple(&configured) && !missing.is_empty() {
                let message = format!(
                    "the e-mail was not submitted for <{}>",
                    missing.join(">, <")
                );
                found.push(Found::new(finished(account, connection), message));
            }
        }
    }
    found
}

/// The addresses of a field, in lower case.
fn named(field: Option<&Address<'_>>) -> BTreeSet<String> {
    let addresses = field.into_iter().flat_map(|field| field.iter());
    let addresses = addresses.filter_map(|address| address.address());
    addresses.map(str::to_lowercase).collect()
}

/// With single blanks; folding and encoding may change how many there are.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_text(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\')
}

fn fields(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (_, state, connections) in letters(account) {
        for connection in connections {
            let event = finished(account, connection);
            for message in messages(account, connection) {
                let Some(parsed) = MessageParser::default().parse(message.raw.as_bytes()) else {
                    continue;
                };
                let mut wrong = |text: String| found.push(Found::new(event, text));
                if let Some(from) = &state.from {
                    let address = BTreeSet::from([from.address.to_lowercase()]);
                    let field = named(parsed.from());
                    if is_simple(&address) && field != address {
                        wrong(format!("From names {field:?}, not <{}>", from.address));
                    }
                    let shown = message.headers.get("from").map(|text| squeezed(text));
                    let shown = shown.unwrap_or_default();
                    if let Some(name) = from.name.as_ref().filter(|name| is_text(name))
                        && !shown.contains(&squeezed(name))
                    {
                        wrong(format!("From is {shown:?}, without the name {name:?}"));
                    }
                }
                let [to, cc, _] = &state.recipients;
                for (name, list, field) in [("To", to, parsed.to()), ("Cc", cc, parsed.cc())] {
                    let configured = addresses(list);
                    let field = named(field);
                    let known = if list.complete {
                        field == configured
                    } else {
                        configured.is_subset(&field)
                    };
                    if is_simple(&configured) && !known {
                        wrong(format!(
                            "{name} names {field:?}, and {configured:?} is configured"
                        ));
                    }
                }
                let subject = message.headers.get("subject").map(|text| squeezed(text));
                let subject = subject.unwrap_or_default();
                if let Some(configured) = state.subject.as_ref().filter(|text| is_text(text))
                    && subject != squeezed(configured)
                {
                    wrong(format!(
                        "Subject is {subject:?}, and {configured:?} is configured"
                    ));
                }
            }
        }
    }
    found
}

/// A text with single line feeds and without the last line ends.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end_matches('\n').to_owned()
}

/// Whether a body is the one that is configured. Where a line of that is longer than SMTP allows
/// (RFC 5322 2.1.1), a client may break lines.
fn same_text(configured: &str, body: &str) -> bool {
    const LONGEST: usize = 998;
    let without_ends = |text: &str| text.replace('\n', "");
    match configured.split('\n').any(|line| line.len() > LONGEST) {
        true => without_ends(configured) == without_ends(body),
        false => configured == body,
    }
}

fn body(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (_, state, connections) in letters(account) {
        let Some(configured) = &state.body else {
            continue;
        };
        // Whether other characters are sent, and how, the note does not say.
        let plain = |text: &String| {
            text.bytes()
                .all(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n'))
        };
        if !configured.iter().all(plain) {
            continue;
        }
        for connection in connections {
            for message in messages(account, connection) {
                let body = lines(&message.body);
                if !configured.iter().any(|text| same_text(&lines(text), &body)) {
                    let mut wrong = Found::new(
                        finished(account, connection),
                        "the text of the e-mail is not the one that is configured",
                    );
                    let cut = |text: &str| text.chars().take(200).collect::<String>();
                    wrong.details = configured
                        .iter()
                        .map(|text| format!("configured: {:?}", cut(text)))
                        .collect();
                    wrong.details.push(format!("sent: {:?}", cut(&body)));
                    found.push(wrong);
                }
            }
        }
    }
    found
}

fn files(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (_, state, connections) in letters(account) {
        if !state.files.complete {
            continue;
        }
        let selected: Vec<&str> = state
            .files
            .entries
            .values()
            .map(|name| name.rsplit('/').next().unwrap_or_default())
            .collect();
        if !selected.iter().all(|name| is_text(name)) {
            continue;
        }
        for connection in connections {
            for message in messages(account, connection) {
                // Only the first 16 MiB are read.
                if message.size > 16 * 1024 * 1024 {
                    continue;
                }
                let attached: Vec<&str> = message
                    .attachments
                    .iter()
                    .map(|a| a.name.as_str())
                    .collect();
                if attached != selected {
                    let text = format!(
                        "the e-mail has the files {attached:?}, and {selected:?} are selected"
                    );
                    found.push(Found::new(finished(account, connection), text));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use rstest::rstest;
    use serde_json::{Value, json};
    use urcheck_reports::Protocol::Smtp;

    const ALL: [&str; 4] = [
        "letter.envelope",
        "letter.fields",
        "letter.body",
        "letter.files",
    ];

    const FULL: [&str; 10] = [
        r#"AT+SMTPFROM="mike@server.com","mike""#,
        "AT+SMTPRCPT=0",
        "AT+SMTPRCPT=1",
        "AT+SMTPRCPT=2",
        "AT+SMTPFILE",
        r#"AT+SMTPRCPT=0,0,"to@server.com","to name""#,
        r#"AT+SMTPRCPT=2,0,"bcc@server.com""#,
        r#"AT+SMTPSUB="First email""#,
        r#"AT+SMTPBODY="one\0D\0Atwo""#,
        r#"AT+SMTPFILE=1,"a.txt""#,
    ];

    fn message() -> Value {
        json!({
            "session": 1,
            "recipients": ["to@server.com", "bcc@server.com"],
            "headers": {"from": "mike <mike@server.com>", "subject": "First email"},
            "raw": "From: mike <mike@server.com>\r\nTo: to name <to@server.com>\r\n\r\n",
            "body": "one\ntwo\n",
            "attachments": [{"name": "a.txt"}],
        })
    }

    fn told(configured: &[&str], envelope: &[&str], message: Value) -> Story {
        let story = configured
            .iter()
            .fold(Story::new(), |story, line| story.send(line).says("OK"));
        let story = story.send("AT+SMTPSEND").connected_smtp(1).says("OK");
        let story = envelope
            .iter()
            .fold(story, |story, line| story.client(Smtp, 1, line));
        story
            .client(Smtp, 1, "DATA")
            .client(Smtp, 1, ".")
            .says("+SMTP: SUCCESS")
            .state(json!({"smtp": {"delivered": [message]}}))
    }

    const ENVELOPE: [&str; 3] = [
        "MAIL FROM:<mike@server.com>",
        "RCPT TO:<to@server.com>",
        "RCPT TO:<bcc@server.com>",
    ];

    fn fired(story: &Story) -> Vec<&'static str> {
        let fires = |id: &&str| !story.found(id).is_empty();
        ALL.into_iter().filter(fires).collect()
    }

    #[test]
    fn what_is_configured_is_sent() {
        assert!(fired(&told(&FULL, &ENVELOPE, message())).is_empty());
    }

    #[rstest]
    #[case::sender(&["MAIL FROM:<other@server.com>", "RCPT TO:<to@server.com>", "RCPT TO:<bcc@server.com>"])]
    #[case::one_more(&["MAIL FROM:<mike@server.com>", "RCPT TO:<to@server.com>", "RCPT TO:<bcc@server.com>", "RCPT TO:<x@server.com>"])]
    #[case::one_less(&["MAIL FROM:<mike@server.com>", "RCPT TO:<to@server.com>"])]
    #[case::twice(&["RCPT TO:<to@server.com>", "RCPT TO:<bcc@server.com>", "RCPT TO:<bcc@server.com>"])]
    fn envelopes(#[case] envelope: &[&str]) {
        assert_eq!(
            fired(&told(&FULL, envelope, message())),
            ["letter.envelope"]
        );
    }

    #[test]
    fn a_transaction_may_begin_anew() {
        let [from, to, bcc] = ENVELOPE;
        let again = [from, to, "RSET", from, to, bcc];
        assert!(fired(&told(&FULL, &again, message())).is_empty());
    }

    #[rstest]
    #[case("body", json!("one"), &["letter.body"])]
    #[case("body", json!("one\\0D\\0Atwo"), &[])]
    #[case("attachments", json!([]), &["letter.files"])]
    #[case("attachments", json!([{"name": "a.txt"}, {"name": "b.txt"}]), &["letter.files"])]
    #[case("headers", json!({"from": "mike", "subject": "Second"}), &["letter.fields"])]
    #[case("headers", json!({"from": "mike", "subject": "First  email"}), &[])]
    #[case("headers", json!({"from": "x", "subject": "First email"}), &["letter.fields"])]
    #[case("raw", json!("From: mike@server.com\r\nTo: bcc@server.com\r\n\r\n"), &["letter.fields"])]
    #[case("raw", json!("From: mike@server.com\r\nTo: to@server.com\r\nCc: x@y.z\r\n\r\n"), &["letter.fields"])]
    #[case("raw", json!("From: x@server.com\r\nTo: to@server.com\r\n\r\n"), &["letter.fields"])]
    fn contents(#[case] member: &str, #[case] value: Value, #[case] monitors: &[&str]) {
        let mut message = message();
        message[member] = value;
        assert_eq!(fired(&told(&FULL, &ENVELOPE, message)), monitors);
    }

    #[test]
    fn what_an_earlier_case_left_is_not_known() {
        let message = json!({
            "session": 1, "body": "old", "headers": {"subject": "old", "from": "old"},
            "raw": "From: old@b.test\r\nTo: to@server.com, old@b.test\r\n\r\n",
            "recipients": ["to@server.com", "old@b.test"],
        });
        let envelope = [
            "MAIL FROM:<old@b.test>",
            "RCPT TO:<to@server.com>",
            "RCPT TO:<old@b.test>",
        ];
        let configured = [r#"AT+SMTPRCPT=0,0,"to@server.com""#];
        assert!(fired(&told(&configured, &envelope, message)).is_empty());
    }

    #[test]
    fn a_second_sending_may_keep_or_forget() {
        let story = told(&FULL, &ENVELOPE, message());
        let again = story.send("AT+SMTPSEND").connected_smtp(2).says("OK");
        let again = again.client(Smtp, 2, "MAIL FROM:<mike@server.com>");
        let again = again
            .client(Smtp, 2, "RCPT TO:<x@server.com>")
            .client(Smtp, 2, ".");
        let state = json!({"smtp": {"delivered": [message(), {
            "session": 2, "recipients": ["x@server.com"], "headers": {"from": "mike"},
            "raw": "From: mike@server.com\r\n\r\n",
        }]}});
        assert!(fired(&again.state(state)).is_empty());
    }

    #[test]
    fn a_body_from_the_prompt() {
        let told = |body: &str| {
            let story = Story::new().send("AT+SMTPBODY").bytes(b"\r\n>> ");
            let story = story.send_raw(b"one\r\ntwo\r\n\x1a").says("OK");
            story
                .send("AT+SMTPSEND")
                .connected_smtp(1)
                .says("OK")
                .state(json!({"smtp": {
                    "delivered": [{"session": 1, "body": body}],
                }}))
        };
        assert!(told("one\ntwo\n").found("letter.body").is_empty());
        assert_eq!(told("one").found("letter.body").len(), 1);
    }
}
