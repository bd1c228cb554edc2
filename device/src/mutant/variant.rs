//! Conforming variants on the AT line: what the note or a manual of a sibling module allows and the
//! reference module does not do. Those towards the servers stand in [`super::variant_wire`].

use super::tools::is;
use super::{Variant, variant};
use crate::at::output::{Block, framed};
use crate::command::pop3::Phase;
use crate::command::{Flow, extended};
use crate::core::Request;
use crate::exchange::{self, Event, ask};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::{Answer, Waiting};
use crate::pop3::Failure;
use crate::settings::Echo;
use crate::smtp::outcome::decide;
use crate::smtp::{End, Outcome, Rules};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::sleep;

pub(super) const VARIANTS: &[Variant] = &[
    variant(
        "ok-first",
        "OK comes before +SMTP: OK",
        "SIM5320 manual 18.1.9, first alternative",
        Firmware {
            event: |interpreter, event| {
                let connected = matches!(event, Event::SmtpConnected);
                if connected && interpreter.stop_waiting_for(Waiting::Smtp) {
                    interpreter.resume(Ok(()));
                }
                interpreter.tell(event);
            },
            ..SHIPPED
        },
    ),
    variant(
        "pop3-ok-first",
        "The OK of AT+POP3IN comes at once, and +POP3: SUCCESS follows",
        "SIM5320 manual 18.2.2, second alternative; the note shows that order for AT+POP3GET",
        Firmware {
            command: |core, name, form| match extended(core, name, form)? {
                Flow::Wait if is(name, "+POP3IN") => Ok(Flow::Done),
                flow => Ok(flow),
            },
            ..SHIPPED
        },
    ),
    variant(
        "num-without-comma",
        "AT+POP3NUM answers with a blank between number and size",
        "note 4.3: +POP3: 2 2134",
        Firmware {
            event: |interpreter, event| match event {
                Event::Pop3Answered {
                    answer: Ok(Answer::Number(listing)),
                    open,
                } => {
                    interpreter.core.pop3.phase = phase(open);
                    let line = format!("+POP3: {} {}", listing.count, listing.size);
                    interpreter.core.say(line);
                    if interpreter.stop_waiting_for(Waiting::Pop3) {
                        interpreter.resume(Ok(()));
                    }
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    variant(
        "echo-off",
        "The echo is off after power-up",
        "V.250 6.2.4: the default is the maker's",
        Firmware {
            make: |settings| settings.echo = Echo::Off,
            ..SHIPPED
        },
    ),
    variant(
        "ok-after-failure",
        "A command that fails at the server ends in OK, after its URC",
        "the note does not show how such a command ends",
        Firmware {
            event: |interpreter, event| match failed(&event) {
                Some(what) => {
                    let waits = interpreter.stop_waiting_for(what);
                    interpreter.tell(event);
                    if waits {
                        interpreter.resume(Ok(()));
                    }
                }
                None => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    variant(
        "extended-errors",
        "A command that fails ends in +CME ERROR and words",
        "3GPP TS 27.007 9.2; with what AT+CMEE begins, the manuals do not say",
        Firmware {
            frame: |block, line, lines, out| {
                let extended: &[&[u8]] = &[b"+CME ERROR: unknown"];
                let fails = block == Block::Final && lines == [b"ERROR"];
                framed(block, line, if fails { extended } else { lines }, out);
            },
            ..SHIPPED
        },
    ),
    variant(
        "failure-after-ok",
        "A command that fails at the server ends in OK, and its URC follows",
        "SIM5320 manual 18.1.9 and 18.2.6: OK, then the code",
        Firmware {
            event: |interpreter, event| match failed(&event) {
                Some(what) if interpreter.stop_waiting_for(what) => {
                    if let Event::Pop3Answered { open, .. } = &event {
                        interpreter.core.pop3.phase = phase(*open);
                    }
                    interpreter.announce_after(Ok(()), event);
                }
                _ => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    variant(
        "kept-after-success",
        "Recipients, subject, body and attachments stay set after a successful sending",
        "the note does not say that they are cleared",
        Firmware {
            event: |interpreter, event| {
                let smtp = &interpreter.core.smtp;
                let (subject, body) = (smtp.subject.clone(), smtp.body.clone());
                let (recipients, files) = (smtp.recipients.clone(), smtp.files.clone());
                interpreter.tell(event);
                let smtp = &mut interpreter.core.smtp;
                (smtp.subject, smtp.body) = (subject, body);
                (smtp.recipients, smtp.files) = (recipients, files);
            },
            ..SHIPPED
        },
    ),
    variant(
        "user-cancel",
        "AT+SMTPSTOP reports +SMTP: USER CANCEL after its OK",
        "SIM5320 manual V2.02, codes of AT+SMTPSEND",
        Firmware {
            command: |core, name, form| {
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPSTOP") {
                    core.report(&["+SMTP: USER CANCEL"]);
                }
                Ok(answer)
            },
            // Said before the command ends, so it is put behind the result code.
            frame: |block, line, lines, out| {
                let report = b"\r\n+SMTP: USER CANCEL\r\n";
                let waits = block == Block::Final && out.ends_with(report);
                if waits {
                    out.truncate(out.len().saturating_sub(report.len()));
                }
                framed(block, line, lines, out);
                if waits {
                    out.extend_from_slice(report);
                }
            },
            ..SHIPPED
        },
    ),
    variant(
        "literal-names",
        "A server that misbehaves is reported as +SMTP: AUTH REQUIRED, one out of reach as SERVER ERROR",
        "note chapter 1, SMTP URCs as printed",
        Firmware {
            smtp: Rules {
                decide: |stage, end| match (decide(stage, end), end) {
                    // Without a network, that is what is wrong.
                    (outcome, End::Unreachable(ErrorKind::NetworkDown)) => outcome,
                    (_, End::Unreachable(_)) => Outcome::ServerError,
                    (Outcome::ServerError, _) => Outcome::AuthRequired,
                    (outcome, _) => outcome,
                },
                ..Rules::SHIPPED
            },
            ..SHIPPED
        },
    ),
    variant(
        "broken-transfer-as-server-error",
        "A transfer that breaks off is reported as +POP3: SERVER ERROR",
        "note chapter 1: POP3 server released the session, or does not respond in time",
        Firmware {
            event: |interpreter, event| {
                interpreter.tell(match event {
                    Event::Pop3Answered {
                        answer: Err(Failure::Failure),
                        open,
                    } => Event::Pop3Answered {
                        answer: Err(Failure::ServerError),
                        open,
                    },
                    event => event,
                });
            },
            ..SHIPPED
        },
    ),
    variant(
        "slow",
        "Whatever needs a server takes three seconds more",
        "note chapter 1, NOTE: the timers are 30 seconds",
        Firmware {
            send: |job, way, progress| {
                Box::pin(async move {
                    sleep(Duration::from_secs(3)).await;
                    exchange::send(job, way, progress).await
                })
            },
            ask: |session, request, way| {
                Box::pin(async move {
                    sleep(Duration::from_secs(3)).await;
                    ask(session, request, way).await
                })
            },
            ..SHIPPED
        },
    ),
    variant(
        "chatty",
        "The network reports something before and after each news of a server",
        "V.250 5.7, TS 27.007: unsolicited result codes may come at any time between responses",
        Firmware {
            event: |interpreter, event| {
                interpreter.announce(vec!["+CREG: 1".to_owned()]);
                interpreter.tell(event);
                interpreter.announce(vec!["RING".to_owned()]);
            },
            ..SHIPPED
        },
    ),
    variant(
        "byte-by-byte",
        "Each octet is handed to the line on its own",
        "V.250: a line is a stream of characters",
        Firmware {
            burst: 1,
            ..SHIPPED
        },
    ),
    variant(
        "blank-lines",
        "An empty line follows each block",
        "SIM5320 manual 18.1.9: empty lines between the items; drivers skip them",
        Firmware {
            frame: |block, line, lines, out| {
                framed(block, line, lines, out);
                if block != Block::Echo {
                    out.extend([line.terminator, line.formatting]);
                }
            },
            ..SHIPPED
        },
    ),
    variant(
        "fsls-blank-lines",
        "An empty line ends each list of AT+FSLS",
        "SIM5320 manual chapter 12, AT+FSLS",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [head, ..] if head.starts_with(b"+FSLS: ") && lines.len() > 1 => {
                    framed(block, line, &[lines, &[b"".as_slice()]].concat(), out);
                }
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    variant(
        "long-file-name",
        "The text of an e-mail is stored as EMAIL, twelve digits, three digits, .TXT",
        "SIM5320 manual 18.2.6",
        Firmware {
            ask: |session, request, way| {
                let files = match &request {
                    Request::Retrieve { files, .. } => Some(files.clone()),
                    _ => None,
                };
                Box::pin(async move {
                    let (session, answer) = ask(session, request, way).await;
                    let answer = match (answer, files) {
                        (Ok(Answer::Stored(path)), Some(files)) => {
                            let own = path.parent();
                            let stamp = own.name().unwrap_or_default();
                            let long = own.child(&format!("EMAIL{stamp}000.TXT"));
                            match long.ok().filter(|long| files.rename(&path, long).is_ok()) {
                                Some(long) => Ok(Answer::Stored(long)),
                                None => Ok(Answer::Stored(path)),
                            }
                        }
                        (answer, _) => answer,
                    };
                    (session, answer)
                })
            },
            ..SHIPPED
        },
    ),
];

fn phase(open: bool) -> Phase {
    if open {
        Phase::LoggedIn
    } else {
        Phase::LoggedOut
    }
}

/// What a command that fails so waits for.
fn failed(event: &Event) -> Option<Waiting> {
    match event {
        Event::SmtpEnded(outcome) if *outcome != Outcome::Success => Some(Waiting::Smtp),
        Event::Pop3Answered { answer: Err(_), .. } => Some(Waiting::Pop3),
        _ => None,
    }
}
