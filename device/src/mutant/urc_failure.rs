//! The unsolicited result codes of SMTP that tell of a failure: each of them missing, misspelt, or in
//! place of another one, and the truth of them.

use super::tools::{says, silent};
use super::wire::{HONEST, Tamper, send};
use super::{Mutant, mutant};
use crate::exchange::Event;
use crate::firmware::{Firmware, SHIPPED};
use crate::net::link::LinkError;
use crate::smtp::outcome::decide;
use crate::smtp::{End, Outcome, Rules, Stage};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "u-network-error-missing",
        "Without a network AT+SMTPSEND is answered with ERROR alone",
        "smtp.urc.network-error",
        silent!("+SMTP: NETWORK ERROR"),
    ),
    mutant(
        "u-network-error-misspelt",
        "+SMTP: NETWORK ERR comes instead of +SMTP: NETWORK ERROR",
        "smtp.urc.network-error",
        says!("+SMTP: NETWORK ERROR", "+SMTP: NETWORK ERR"),
    ),
    mutant(
        "u-network-error-as-auth-error",
        "+SMTP: AUTH ERROR comes instead of +SMTP: NETWORK ERROR",
        "smtp.urc.network-error",
        says!("+SMTP: NETWORK ERROR", "+SMTP: AUTH ERROR"),
    ),
    mutant(
        "u-server-error-missing",
        "+SMTP: SERVER ERROR does not come",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        silent!("+SMTP: SERVER ERROR"),
    ),
    mutant(
        "u-server-error-misspelt",
        "+SMTP: SERVER FAIL comes instead of +SMTP: SERVER ERROR",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        says!("+SMTP: SERVER ERROR", "+SMTP: SERVER FAIL"),
    ),
    mutant(
        "u-server-error-invented",
        "+SMTP: TIMEOUT, which the note does not have, comes instead of +SMTP: SERVER ERROR",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        says!("+SMTP: SERVER ERROR", "+SMTP: TIMEOUT"),
    ),
    mutant(
        "u-refused-as-auth-error",
        "A server that refuses the connection is reported as wrong credentials",
        "smtp.urc.server-error",
        deciding(|stage, end| match (stage, end) {
            (_, End::Unreachable(io::ErrorKind::ConnectionRefused)) => Outcome::AuthError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-no-answer-as-auth-error",
        "A server that does not answer in time is reported as wrong credentials",
        "smtp.urc.no-answer",
        deciding(|stage, end| match (stage, end) {
            (_, End::Link(LinkError::TimedOut)) => Outcome::AuthError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-no-answer-is-success",
        "No answer to the final dot is reported as success",
        "smtp.urc.success, smtp.urc.no-answer",
        deciding(|stage, end| match (stage, end) {
            (Stage::AfterDot, End::Link(LinkError::TimedOut)) => Outcome::Success,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-released-is-success",
        "A connection that is lost after the final dot is reported as success",
        "smtp.urc.success, smtp.urc.released",
        deciding(|stage, end| match (stage, end) {
            (Stage::AfterDot, End::Link(LinkError::Closed | LinkError::Broken)) => Outcome::Success,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-released-as-bad-rcpt",
        "A connection that is lost is reported as a bad recipient",
        "smtp.urc.released",
        deciding(|stage, end| match (stage, end) {
            (_, End::Link(LinkError::Closed | LinkError::Broken)) => {
                Outcome::BadRecipient(vec!["unknown".to_owned()])
            }
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-refused-message-as-bad-rcpt",
        "A refused message is reported as a bad recipient",
        "smtp.urc.wrong-response",
        deciding(|stage, end| match (stage, end) {
            (Stage::AfterDot, End::Reply(400..=599)) => {
                Outcome::BadRecipient(vec!["unknown".to_owned()])
            }
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-late-failure-silent",
        "A failure after +SMTP: OK is not reported",
        "smtp.urc.released, smtp.urc.wrong-response, smtp.urc.no-answer",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpEnded(outcome)
                    if outcome != Outcome::Success && interpreter.waiting.is_none() =>
                {
                    interpreter.core.smtp.ended(&outcome);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-auth-required-missing",
        "+SMTP: AUTH REQUIRED does not come",
        "smtp.urc.auth-required, smtp.auth.missing-fails",
        silent!("+SMTP: AUTH REQUIRED"),
    ),
    mutant(
        "u-auth-required-misspelt",
        "+SMTP: AUTH REQUIRE comes instead of +SMTP: AUTH REQUIRED",
        "smtp.urc.auth-required, smtp.auth.missing-fails",
        says!("+SMTP: AUTH REQUIRED", "+SMTP: AUTH REQUIRE"),
    ),
    mutant(
        "u-auth-required-as-auth-error",
        "A server that requires authentication is reported as wrong credentials",
        "smtp.urc.auth-required, smtp.auth.missing-fails",
        deciding(|stage, end| match (stage, end) {
            (stage, End::Reply(530)) if stage != Stage::Greeting => Outcome::AuthError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-auth-required-as-bad-rcpt",
        "A server that requires authentication is reported as a bad recipient",
        "smtp.urc.auth-required, smtp.auth.missing-fails",
        deciding(|stage, end| match (stage, end) {
            (Stage::Mail | Stage::Recipient(_), End::Reply(530)) => {
                Outcome::BadRecipient(vec!["unknown".to_owned()])
            }
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-auth-error-missing",
        "+SMTP: AUTH ERROR does not come",
        "smtp.urc.auth-error",
        silent!("+SMTP: AUTH ERROR"),
    ),
    mutant(
        "u-auth-error-misspelt",
        "+SMTP: AUTH FAIL comes instead of +SMTP: AUTH ERROR",
        "smtp.urc.auth-error",
        says!("+SMTP: AUTH ERROR", "+SMTP: AUTH FAIL"),
    ),
    mutant(
        "u-auth-error-as-required",
        "Wrong credentials are reported as missing ones",
        "smtp.urc.auth-error",
        deciding(|stage, end| match (stage, end) {
            (Stage::Auth, End::Reply(535)) => Outcome::AuthRequired,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-auth-error-as-server-error",
        "Wrong credentials are reported as trouble with the server",
        "smtp.urc.auth-error",
        deciding(|stage, end| match (stage, end) {
            (Stage::Auth, End::Reply(535)) => Outcome::ServerError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-bad-rcpt-missing",
        "+SMTP: BAD RCPT does not come",
        "smtp.urc.bad-rcpt",
        silent!("+SMTP: BAD RCPT"),
    ),
    mutant(
        "u-bad-rcpt-misspelt",
        "+SMTP: BAD RECIPIENT comes instead of +SMTP: BAD RCPT",
        "smtp.urc.bad-rcpt",
        says!("+SMTP: BAD RCPT", "+SMTP: BAD RECIPIENT"),
    ),
    mutant(
        "u-bad-rcpt-as-server-error",
        "A refused recipient is reported as trouble with the server",
        "smtp.urc.bad-rcpt",
        deciding(|stage, end| match (stage, end) {
            (Stage::Recipient(_), End::Reply(400..=599)) => Outcome::ServerError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-bad-rcpt-as-auth-error",
        "A refused recipient is reported as wrong credentials",
        "smtp.urc.bad-rcpt",
        deciding(|stage, end| match (stage, end) {
            (Stage::Recipient(_), End::Reply(400..=599)) => Outcome::AuthError,
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-bad-rcpt-lower",
        "The address of +SMTP: BAD RCPT is in lower case",
        "smtp.urc.bad-rcpt",
        deciding(|stage, end| match (stage, end) {
            (Stage::Recipient(address), End::Reply(400..=599)) => {
                Outcome::BadRecipient(vec![address.to_lowercase()])
            }
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-bad-rcpt-local-part",
        "The address of +SMTP: BAD RCPT lacks its domain",
        "smtp.urc.bad-rcpt",
        deciding(|stage, end| match (stage, end) {
            (Stage::Recipient(address), End::Reply(400..=599)) => {
                let local = address.split('@').next().unwrap_or_default();
                Outcome::BadRecipient(vec![local.to_owned()])
            }
            (stage, end) => decide(stage, end),
        }),
    ),
    mutant(
        "u-bad-rcpt-of-first",
        "+SMTP: BAD RCPT names the first recipient, whichever was refused",
        "smtp.urc.bad-rcpt",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpEnded(Outcome::BadRecipient(_)) => {
                    let recipients = &interpreter.core.smtp.recipients;
                    let first = recipients.iter().flat_map(BTreeMap::values).next();
                    let first = first.map_or_else(String::new, |first| first.address.clone());
                    interpreter.tell(Event::SmtpEnded(Outcome::BadRecipient(vec![first])));
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-server-text",
        "The server's reply is printed behind +SMTP: BAD RCPT",
        "smtp.urc.bad-rcpt, V.250 5.7: what a server says is no result code",
        Firmware {
            send: |job, way, progress| {
                let last = Arc::new(Mutex::new(Vec::new()));
                let tamper = Tamper {
                    refusal: Some(Arc::clone(&last)),
                    ..HONEST
                };
                let sending = send(job, way, progress, tamper);
                Box::pin(async move {
                    let text = |last: &Mutex<Vec<u8>>| {
                        let octets = last.lock().map(|last| last.clone()).unwrap_or_default();
                        let text = octets.get(4..).unwrap_or_default();
                        String::from_utf8_lossy(text).trim().to_owned()
                    };
                    match sending.await {
                        Outcome::BadRecipient(addresses) => Outcome::BadRecipient(vec![format!(
                            "{}\r\n{}",
                            addresses.join(","),
                            text(&last)
                        )]),
                        outcome => outcome,
                    }
                })
            },
            ..SHIPPED
        },
    ),
];

const fn deciding(decide: fn(Stage<'_>, End) -> Outcome) -> Firmware {
    Firmware {
        smtp: Rules {
            decide,
            ..Rules::SHIPPED
        },
        ..SHIPPED
    }
}
