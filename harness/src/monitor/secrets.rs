//! What the device may tell whom: credentials only to the server that they are for, blind
//! recipients to nobody.

use super::account::Account;
use super::configured::{Configured, Login};
use super::context::{attempts, connections_of, said, smtp_session};
use super::{Basis, Found, Monitor};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "secrets.smtp-login",
        about: "logs in to the SMTP server only if AT+SMTPAUTH says so, and as it says",
        basis: Basis::Clause("smtp.auth.on"),
        watch: smtp_login,
    },
    Monitor {
        id: "secrets.pop3-login",
        about: "logs in to the POP3 server as AT+POP3SRV says",
        basis: Basis::Clause("pop3.srv"),
        watch: pop3_login,
    },
    Monitor {
        id: "secrets.password",
        about: "does not put a password into an e-mail",
        basis: Basis::Clause("smtp.auth"),
        watch: password_in_message,
    },
    Monitor {
        id: "secrets.bcc",
        about: "does not name a blind recipient in the e-mail",
        basis: Basis::Clause("smtp.rcpt.bcc-secret"),
        watch: bcc,
    },
];

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.trim()).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with the lines of an authentication dialogue: those of the client from the one
/// that begins with AUTH, and the challenges that it was given.
fn wrong_dialogue(lines: &[&str], challenges: &[String], login: &Login) -> Option<String> {
    let mut words = lines.first()?.split_ascii_whitespace().skip(1);
    let mechanism = words.next()?.to_ascii_uppercase();
    let initial = words.next().filter(|word| *word != "=");
    let given = initial.into_iter().chain(lines.iter().skip(1).copied());
    let given: Vec<&str> = given.take_while(|line| line.trim() != "*").collect();
    let same = |line: Option<&&str>, text: &str| {
        line.and_then(|line| decoded(line))
            .is_none_or(|bytes| bytes == text.as_bytes())
    };
    match mechanism.as_str() {
        "PLAIN" => {
            let bytes = decoded(given.first()?)?;
            let parts: Vec<&[u8]> = bytes.split(|&byte| byte == 0).collect();
            let [_, user, password] = parts.as_slice() else {
                return None;
            };
            (*user != login.user.as_bytes() || *password != login.password.as_bytes())
                .then(|| "other credentials than those configured".to_owned())
        }
        "LOGIN" => {
            if !same(given.first(), &login.user) {
                return Some("another user name than the one configured".to_owned());
            }
            (!same(given.get(1), &login.password))
                .then(|| "another password than the one configured".to_owned())
        }
        "CRAM-MD5" => {
            let bytes = decoded(given.first()?)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains(&login.password) && !login.password.is_empty() {
                return Some("the password in clear".to_owned());
            }
            let (user, digest) = text.rsplit_once(' ')?;
            if user != login.user {
                return Some("another user name than the one configured".to_owned());
            }
            let challenge = decoded(challenges.first()?)?;
            let mut mac = Hmac::<Md5>::new_from_slice(login.password.as_bytes()).ok()?;
            mac.update(&challenge);
            (digest != hexadecimal(&mac.finalize().into_bytes()))
                .then(|| "a digest of another password than the one configured".to_owned())
        }
        _ => None,
    }
}

/// The lines of each authentication dialogue among these: AUTH, and what is no other command.
fn dialogues<'a>(lines: &[&'a str], verbs: &[&str]) -> Vec<Vec<&'a str>> {
    let mut all: Vec<Vec<&str>> = Vec::new();
    let mut within = false;
    for line in lines {
        let verb = line.split(' ').next().unwrap_or_default();
        if verb.eq_ignore_ascii_case("AUTH") {
            all.push(Vec::new());
            within = true;
        } else if verbs.iter().any(|known| verb.eq_ignore_ascii_case(known)) {
            within = false;
        }
        if let Some(last) = all.last_mut().filter(|_| within) {
            last.push(line);
        }
    }
    all
}

fn smtp_login(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let Some(auth) = Configured::before(account, sending.exchange).auth else {
            continue;
        };
        for connection in connections_of(account, &sending) {
            let Some(session) = smtp_session(account, connection.number) else {
                continue;
            };
            let begun = said(account, connection).into_iter();
            let begun = begun.filter(|line| line.after("AUTH ").is_some());
            let Some(event) = begun.map(|line| line.event).next() else {
                continue;
            };
            let Some(login) = &auth else {
                let message = "the device logged in although AT+SMTPAUTH=0 was accepted";
                found.push(Found::new(event, message));
                continue;
            };
            let lines: Vec<&str> = session.commands.iter().map(String::as_str).collect();
            let verbs = [
                "EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT", "RSET", "NOOP", "STARTTLS",
            ];
            let challenges = session
                .replies
                .iter()
                .filter_map(|reply| reply.strip_prefix("334 "));
            let challenges: Vec<String> = challenges.map(str::to_owned).collect();
            // Which challenge belongs to which of several dialogues is not recorded.
            let challenges = match dialogues(&lines, &verbs).len() {
                1 => challenges,
                _ => Vec::new(),
            };
            for dialogue in dialogues(&lines, &verbs) {
                if let Some(wrong) = wrong_dialogue(&dialogue, &challenges, login) {
                    let message = format!("the device gave {wrong} to the SMTP server");
                    found.push(Found::new(event, message));
                }
            }
        }
    }
    found
}

fn pop3_login(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for attempt in attempts(account) {
        let (Some(connection), Some(session)) = (attempt.connection, attempt.session) else {
            continue;
        };
        let Some(login) = Configured::before(account, attempt.exchange).maildrop else {
            continue;
        };
        for line in said(account, connection) {
            let wrong = if let Some(user) = line.after("USER ") {
                (user != login.user.trim())
                    .then(|| "another user name than the one configured".to_owned())
            } else if let Some((verb, password)) = line.text.split_once(' ')
                && verb.eq_ignore_ascii_case("PASS")
            {
                (password != login.password)
                    .then(|| "another password than the one configured".to_owned())
            } else if let Some(rest) = line.after("APOP ") {
                wrong_apop(rest, session.replies.first().map(String::as_str), &login)
            } else {
                None
            };
            if let Some(wrong) = wrong {
                let message = format!("the device gave {wrong} to the POP3 server");
                found.push(Found::new(line.event, message));
            }
        }
        let lines: Vec<&str> = session.commands.iter().map(String::as_str).collect();
        let verbs = [
            "CAPA", "USER", "PASS", "APOP", "STAT", "LIST", "RETR", "DELE", "TOP", "UIDL", "QUIT",
            "STLS",
        ];
        for dialogue in dialogues(&lines, &verbs) {
            if let Some(wrong) = wrong_dialogue(&dialogue, &[], &login) {
                let message = format!("the device gave {wrong} to the POP3 server");
                found.push(Found::new(connection.event, message));
            }
        }
    }
    found
}

/// RFC 1939 7: the digest of the timestamp in the greeting and the shared secret.
fn wrong_apop(rest: &str, greeting: Option<&str>, login: &Login) -> Option<String> {
    let (user, digest) = rest.rsplit_once(' ')?;
    if user != login.user {
        return Some("another user name than the one configured".to_owned());
    }
    let greeting = greeting?;
    let start = greeting.find('<')?;
    let end = greeting.get(start..)?.find('>')? + start;
    let timestamp = greeting.get(start..=end)?;
    let due = Md5::digest(format!("{timestamp}{}", login.password));
    (digest.to_ascii_lowercase() != hexadecimal(&due))
        .then(|| "a digest of another password than the one configured".to_owned())
}

/// Whether a text has this word, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(&word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !inside(before) && !inside(after)
    })
}

/// Everything of a message that people read: its fields as they came and decoded, and its text.
fn readable(message: &super::account::Message) -> String {
    let mut text = String::new();
    let fields = message.header_lines.iter().chain(message.headers.values());
    for line in fields.chain([&message.body]) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The event at which a message was finished.
fn finished(account: &Account<'_>, connection: &super::account::Connection) -> usize {
    let lines = said(account, connection);
    let dot = lines.iter().rfind(|line| line.text == ".");
    dot.map_or(connection.event, |line| line.event)
}

fn password_in_message(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let state = Configured::before(account, sending.exchange);
        let logins = [state.auth.clone().flatten(), state.maildrop.clone()];
        for connection in connections_of(account, &sending) {
            let delivered = account.servers.smtp.delivered.iter();
            for message in delivered.filter(|m| m.session == connection.number) {
                for login in logins.iter().flatten() {
                    // A short or everyday word can be in any text; so can what the DTE put there.
                    let password = &login.password;
                    let typed = state.typed.lines().filter(|line| has_word(line, password));
                    let elsewhere = typed
                        .filter(|line| {
                            let line = line.to_ascii_uppercase();
                            !line.contains("+SMTPAUTH") && !line.contains("+POP3SRV")
                        })
                        .count();
                    if password.len() >= 8
                        && *password != login.user
                        && elsewhere == 0
                        && has_word(&readable(message), password)
                    {
                        let message = format!("the password of {:?} is in the e-mail", login.user);
                        found.push(Found::new(finished(account, connection), message));
                    }
                }
            }
        }
    }
    found
}

fn bcc(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for sending in account.sendings() {
        let state = Configured::before(account, sending.exchange);
        let [_, _, hidden] = &state.recipients;
        for connection in connections_of(account, &sending) {
            let delivered = account.servers.smtp.delivered.iter();
            for message in delivered.filter(|m| m.session == connection.number) {
                let text = readable(message);
                let entries = hidden.entries.values();
                let words = entries.flat_map(|m| [Some(&m.address), m.name.as_ref()]);
                for word in words.flatten().filter(|word| word.len() >= 4) {
                    // Where the DTE itself wrote it, it is no secret of the device.
                    let typed = state.typed.lines().filter(|line| has_word(line, word));
                    let elsewhere = typed.filter(|line| {
                        let line: String = line.to_ascii_uppercase().split_whitespace().collect();
                        !line.contains("+SMTPRCPT=2,")
                    });
                    let raw = word.contains('@') && has_word(&message.raw, word);
                    if (has_word(&text, word) || raw) && elsewhere.count() == 0 {
                        let message = format!("the e-mail names the blind recipient {word:?}");
                        found.push(Found::new(finished(account, connection), message));
                    }
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
    use serde_json::json;
    use urcheck_reports::Protocol::{Pop3, Smtp};

    fn accepted(story: Story, line: &str) -> Story {
        story.send(line).says("OK")
    }

    #[rstest]
    #[case::plain(r#"=1,"tim","tanstaaftanstaaf""#, &["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"], 0)]
    #[case::plain_other(r#"=1,"tim","other""#, &["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"], 1)]
    #[case::plain_after_challenge(r#"=1,"joe","x""#, &["AUTH PLAIN", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "QUIT"], 1)]
    #[case::login(r#"=1,"alice","correct horse""#, &["AUTH LOGIN", "YWxpY2U=", "Y29ycmVjdCBob3JzZQ==", "MAIL FROM:<a@b>"], 0)]
    #[case::login_user(r#"=1,"bob","correct horse""#, &["AUTH LOGIN", "YWxpY2U=", "Y29ycmVjdCBob3JzZQ=="], 1)]
    #[case::login_password(r#"=1,"alice","x""#, &["AUTH LOGIN", "YWxpY2U=", "Y29ycmVjdCBob3JzZQ=="], 1)]
    #[case::login_cancelled(r#"=1,"alice","x""#, &["AUTH LOGIN", "*", "QUIT"], 0)]
    #[case::cram(r#"=1,"tim","tanstaaftanstaaf""#, &["AUTH CRAM-MD5", "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"], 0)]
    #[case::cram_other(r#"=1,"tim","other""#, &["AUTH CRAM-MD5", "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"], 1)]
    #[case::cram_in_clear(r#"=1,"tim","tanstaaftanstaaf""#, &["AUTH CRAM-MD5", "dGltIHRhbnN0YWFmdGFuc3RhYWY="], 1)]
    #[case::off("=0", &["AUTH LOGIN"], 1)]
    #[case::unknown("?", &["AUTH LOGIN"], 0)]
    fn smtp(#[case] auth: &str, #[case] lines: &[&str], #[case] count: usize) {
        let story = accepted(Story::new(), &format!("AT+SMTPAUTH{auth}"));
        let story = story.send("AT+SMTPSEND").connected_smtp(1);
        let story = lines
            .iter()
            .fold(story, |story, line| story.client(Smtp, 1, line));
        let challenge = "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
        let story = story.says("OK").state(json!({"smtp": {"sessions": [
            {"id": 1, "commands": lines, "replies": ["220 x", challenge]}
        ]}}));
        assert_eq!(story.found("secrets.smtp-login").len(), count);
    }

    #[rstest]
    #[case::good(&["USER un", "PASS pwd"], 0)]
    #[case::user(&["USER other", "PASS pwd"], 1)]
    #[case::password(&["USER un", "PASS pwd "], 1)]
    #[case::apop(&["APOP un 18de0e04af36aa8e99bca413a7ed3b0f"], 1)]
    fn pop3(#[case] lines: &[&str], #[case] count: usize) {
        let story = accepted(Story::new(), r#"AT+POP3SRV="h","un","pwd",110"#);
        let story = story.send("AT+POP3IN").connected_pop3(1);
        let story = lines
            .iter()
            .fold(story, |story, line| story.client(Pop3, 1, line));
        let story = story.state(json!({"pop3": {"sessions": [
            {"id": 1, "commands": lines, "replies": ["+OK <1896.697170952@dbc.mtview.ca.us>"]}
        ]}}));
        assert_eq!(story.found("secrets.pop3-login").len(), count);
    }

    #[test]
    fn apop_as_in_rfc_1939() {
        let login = |password: &str| super::Login {
            user: "mrose".to_owned(),
            password: password.to_owned(),
        };
        let greeting = Some("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>");
        let given = "mrose c4c9334bac560ecc979e58001b3e22fb";
        assert_eq!(super::wrong_apop(given, greeting, &login("tanstaaf")), None);
        assert!(super::wrong_apop(given, greeting, &login("other")).is_some());
    }

    #[rstest]
    #[case::secret("", "Hello", 0)]
    #[case::address_in_field("X-To: bccaddr@server.com", "Hello", 1)]
    #[case::name_in_field("To: \"bccname\" <a@b.test>", "Hello", 1)]
    #[case::address_in_body("", "for bccaddr@server.com", 1)]
    #[case::password("X-Key: correct horse", "Hello", 1)]
    fn messages(#[case] field: &str, #[case] body: &str, #[case] count: usize) {
        let told = |typed: &str| {
            let story = accepted(Story::new(), r#"AT+SMTPAUTH=1,"alice","correct horse""#);
            let story = accepted(story, r#"AT+SMTPRCPT=2,0,"bccaddr@server.com","bccname""#);
            let story = accepted(story, &format!("AT+SMTPBODY=\"{typed}\""));
            story
                .send("AT+SMTPSEND")
                .connected_smtp(1)
                .says("OK")
                .state(json!({"smtp": {
                    "delivered": [{"session": 1, "header_lines": [field], "body": body}],
                }}))
        };
        let findings = |story: &Story| {
            story.found("secrets.bcc").len() + story.found("secrets.password").len()
        };
        assert_eq!(findings(&told("Hello")), count);
        let all = "bccaddr@server.com bccname correct horse";
        assert_eq!(findings(&told(all)), 0);
    }
}
