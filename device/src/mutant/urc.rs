//! The unsolicited result codes of SMTP: every row of the note's table missing, misspelt, early,
//! late, twice, in the wrong order, torn, or in place of another one.

use super::tools::{is, reworded, silenced};
use super::wire::{HONEST, Tamper, send};
use super::{Mutant, mutant};
use crate::at::output::{Block, framed};
use crate::at::syntax::Form;
use crate::command::{Flow, extended};
use crate::core::Action;
use crate::exchange::Event;
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Waiting;
use crate::net::link::LinkError;
use crate::smtp::outcome::decide;
use crate::smtp::{Address, End, Outcome, Rules, Stage};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "u-ok-missing",
        "+SMTP: OK does not come",
        "smtp.urc.ok, note.3.2",
        Firmware {
            frame: |block, line, lines, out| silenced((block, line, lines, out), "+SMTP: OK"),
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-early",
        "+SMTP: OK comes before there is a connection, and even if there never is one",
        "smtp.urc.ok",
        Firmware {
            command: |core, name, form| {
                let flow = extended(core, name, form)?;
                if is(name, "+SMTPSEND") && matches!(flow, Flow::Wait) {
                    core.report(&["+SMTP: OK"]);
                }
                Ok(flow)
            },
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    if interpreter.stop_waiting_for(Waiting::Smtp) {
                        interpreter.resume(Ok(()));
                    }
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-twice",
        "+SMTP: OK comes twice",
        "smtp.urc.ok, note.3.2",
        Firmware {
            event: |interpreter, event| {
                if matches!(event, Event::SmtpConnected) {
                    interpreter.announce(vec!["+SMTP: OK".to_owned()]);
                }
                interpreter.tell(event);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-unspaced",
        "+SMTP:OK lacks the blank after the colon",
        "smtp.urc.ok, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded((block, line, lines, out), "+SMTP: OK", "+SMTP:OK");
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-renamed",
        "+SMTP: CONNECT OK comes instead of +SMTP: OK",
        "smtp.urc.ok, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded((block, line, lines, out), "+SMTP: OK", "+SMTP: CONNECT OK");
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-after-success",
        "+SMTP: OK comes after +SMTP: SUCCESS",
        "smtp.urc.ok, note.3.2",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {}
                event => {
                    let waits = interpreter.stop_waiting_for(Waiting::Smtp);
                    interpreter.tell(event);
                    interpreter.tell(Event::SmtpConnected);
                    if waits {
                        interpreter.resume(Ok(()));
                    }
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-missing",
        "+SMTP: SUCCESS does not come",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| silenced((block, line, lines, out), "+SMTP: SUCCESS"),
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-twice",
        "+SMTP: SUCCESS comes twice",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                if succeeded {
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-then-error",
        "+SMTP: SERVER ERROR follows +SMTP: SUCCESS",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                if succeeded {
                    interpreter.announce(vec!["+SMTP: SERVER ERROR".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-error-then-success",
        "+SMTP: SUCCESS follows every failure",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let failed =
                    matches!(&event, Event::SmtpEnded(outcome) if *outcome != Outcome::Success);
                interpreter.tell(event);
                if failed {
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-at-connection",
        "+SMTP: SUCCESS comes as soon as the server has greeted",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    interpreter.tell(event);
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
                Event::SmtpEnded(Outcome::Success) => {
                    interpreter.core.smtp.ended(&Outcome::Success);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-misspelt",
        "+SMTP: SUCCESS is misspelt: SUCESS",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded((block, line, lines, out), "+SMTP: SUCCESS", "+SMTP: SUCESS");
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-lower",
        "+SMTP: SUCCESS is in lower case",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SUCCESS",
                    "+SMTP: success",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-prefix",
        "+SMTPSEND: SUCCESS comes instead of +SMTP: SUCCESS",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SUCCESS",
                    "+SMTPSEND: SUCCESS",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-unspaced",
        "+SMTP:SUCCESS lacks the blank after the colon",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded((block, line, lines, out), "+SMTP: SUCCESS", "+SMTP:SUCCESS");
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-verbose",
        "+SMTP: SUCCESS is followed by more text",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SUCCESS",
                    "+SMTP: SUCCESS 1",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-torn",
        "+SMTP: SUCCESS is torn into two lines",
        "smtp.urc.success, note.3.2",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SUCCESS",
                    "+SMTP: SUC\r\nCESS",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-unended",
        "+SMTP: SUCCESS lacks the line end after it",
        "smtp.urc.success, note.3.2, V.250 5.7.1",
        Firmware {
            frame: |block, line, lines, out| {
                framed(block, line, lines, out);
                if block == Block::Unsolicited && lines == [b"+SMTP: SUCCESS"] {
                    out.truncate(out.len().saturating_sub(2));
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-unbegun",
        "Unsolicited result codes lack the line end before them",
        "smtp.urc.success, note.3.2, V.250 5.7.1",
        Firmware {
            frame: |block, line, lines, out| {
                let mut octets = Vec::new();
                framed(block, line, lines, &mut octets);
                let start = if block == Block::Unsolicited { 2 } else { 0 };
                out.extend_from_slice(octets.get(start..).unwrap_or_default());
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-into-text",
        "An unsolicited result code comes in the middle of what is being typed or printed",
        "smtp.urc.success, pop3.urc.success, V.250 5.7: a result code stands between responses",
        Firmware {
            event: |interpreter, event| {
                let (entry, source) = interpreter.take_foreground();
                interpreter.tell(event);
                interpreter.put_foreground(entry, source);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-missing",
        "AT+SMTPSEND during a sending is answered with ERROR alone",
        "smtp.urc.ongoing",
        Firmware {
            frame: |block, line, lines, out| silenced((block, line, lines, out), "+SMTP: ONGOING"),
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-misspelt",
        "+SMTP: ON GOING comes instead of +SMTP: ONGOING",
        "smtp.urc.ongoing",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: ONGOING",
                    "+SMTP: ON GOING",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-as-param-error",
        "+SMTP: PARAM ERROR comes instead of +SMTP: ONGOING",
        "smtp.urc.ongoing",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: ONGOING",
                    "+SMTP: PARAM ERROR",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-stops",
        "AT+SMTPSEND during a sending is answered with +SMTP: ONGOING and stops it",
        "smtp.urc.ongoing",
        Firmware {
            command: |core, name, form| {
                let was_sending = core.smtp.sending;
                let answer = extended(core, name, form);
                if is(name, "+SMTPSEND") && answer.is_err() && was_sending {
                    core.smtp.sending = false;
                    core.actions.push_back(Action::StopSending);
                }
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-replaces",
        "AT+SMTPSEND during a sending begins another one in its place",
        "smtp.urc.ongoing",
        Firmware {
            command: |core, name, form| {
                if is(name, "+SMTPSEND") && matches!(form, Form::Execute) {
                    core.smtp.sending = false;
                }
                extended(core, name, form)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-param-error-missing",
        "Without a mandatory parameter AT+SMTPSEND is answered with ERROR alone",
        "smtp.urc.param-error",
        Firmware {
            frame: |block, line, lines, out| {
                silenced((block, line, lines, out), "+SMTP: PARAM ERROR")
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-param-error-misspelt",
        "+SMTP: PARAMETER ERROR comes instead of +SMTP: PARAM ERROR",
        "smtp.urc.param-error",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: PARAM ERROR",
                    "+SMTP: PARAMETER ERROR",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-param-error-as-server-error",
        "+SMTP: SERVER ERROR comes instead of +SMTP: PARAM ERROR",
        "smtp.urc.param-error",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: PARAM ERROR",
                    "+SMTP: SERVER ERROR",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-param-error-not-for-sender",
        "Without a sender the mail is sent from nobody",
        "smtp.urc.param-error, smtp.mandatory",
        Firmware {
            command: |core, name, form| {
                let sends = is(name, "+SMTPSEND") && matches!(form, Form::Execute);
                if sends && core.smtp.from.is_none() {
                    core.smtp.from = Some(Address::new("unknown@localhost", ""));
                }
                extended(core, name, form)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-network-error-missing",
        "Without a network AT+SMTPSEND is answered with ERROR alone",
        "smtp.urc.network-error",
        Firmware {
            frame: |block, line, lines, out| {
                silenced((block, line, lines, out), "+SMTP: NETWORK ERROR")
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-network-error-misspelt",
        "+SMTP: NETWORK ERR comes instead of +SMTP: NETWORK ERROR",
        "smtp.urc.network-error",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: NETWORK ERROR",
                    "+SMTP: NETWORK ERR",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-network-error-as-auth-error",
        "+SMTP: AUTH ERROR comes instead of +SMTP: NETWORK ERROR",
        "smtp.urc.network-error",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: NETWORK ERROR",
                    "+SMTP: AUTH ERROR",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-server-error-missing",
        "+SMTP: SERVER ERROR does not come",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        Firmware {
            frame: |block, line, lines, out| {
                silenced((block, line, lines, out), "+SMTP: SERVER ERROR")
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-server-error-misspelt",
        "+SMTP: SERVER FAIL comes instead of +SMTP: SERVER ERROR",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SERVER ERROR",
                    "+SMTP: SERVER FAIL",
                );
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-server-error-invented",
        "+SMTP: TIMEOUT, which the note does not have, comes instead of +SMTP: SERVER ERROR",
        "smtp.urc.server-error, smtp.urc.released, smtp.urc.no-answer",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: SERVER ERROR",
                    "+SMTP: TIMEOUT",
                );
            },
            ..SHIPPED
        },
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
        Firmware {
            frame: |block, line, lines, out| {
                silenced((block, line, lines, out), "+SMTP: AUTH REQUIRED")
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-auth-required-misspelt",
        "+SMTP: AUTH REQUIRE comes instead of +SMTP: AUTH REQUIRED",
        "smtp.urc.auth-required, smtp.auth.missing-fails",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: AUTH REQUIRED",
                    "+SMTP: AUTH REQUIRE",
                );
            },
            ..SHIPPED
        },
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
        Firmware {
            frame: |block, line, lines, out| {
                silenced((block, line, lines, out), "+SMTP: AUTH ERROR")
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-auth-error-misspelt",
        "+SMTP: AUTH FAIL comes instead of +SMTP: AUTH ERROR",
        "smtp.urc.auth-error",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: AUTH ERROR",
                    "+SMTP: AUTH FAIL",
                );
            },
            ..SHIPPED
        },
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
        Firmware {
            frame: |block, line, lines, out| silenced((block, line, lines, out), "+SMTP: BAD RCPT"),
            ..SHIPPED
        },
    ),
    mutant(
        "u-bad-rcpt-misspelt",
        "+SMTP: BAD RECIPIENT comes instead of +SMTP: BAD RCPT",
        "smtp.urc.bad-rcpt",
        Firmware {
            frame: |block, line, lines, out| {
                reworded(
                    (block, line, lines, out),
                    "+SMTP: BAD RCPT",
                    "+SMTP: BAD RECIPIENT",
                );
            },
            ..SHIPPED
        },
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
