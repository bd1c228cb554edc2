//! Conforming variants: what the note, a manual of a sibling module or an RFC allows and the
//! reference module does not do.

use super::Variant;
use super::tools::{is, rewritten};
use super::wire::{HONEST, Tamper, replaced, send, tampered};
use crate::at::output::{Block, framed};
use crate::command::extended;
use crate::command::pop3::Phase;
use crate::core::Request;
use crate::exchange::{self, Event, ask};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::{Answer, Waiting};
use crate::pop3::Failure;
use crate::settings::Echo;
use crate::smtp::outcome::decide;
use crate::smtp::{Attachment, End, Job, Message, Outcome, Rules};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::time::Duration;
use tokio::time::sleep;

const fn variant(
    name: &'static str,
    about: &'static str,
    allows: &'static str,
    firmware: Firmware,
) -> Variant {
    Variant {
        name,
        about,
        allows,
        firmware,
    }
}

/// A build whose POP3 connections are tampered with.
macro_rules! pop3_over {
    ($tamper:expr) => {
        Firmware {
            ask: |session, request, way| ask(session, request, tampered(way, $tamper)),
            ..SHIPPED
        }
    };
}

/// A build that writes its messages in another way.
macro_rules! message {
    ($compose:expr) => {
        Firmware {
            smtp: Rules {
                compose: $compose,
                ..Rules::SHIPPED
            },
            ..SHIPPED
        }
    };
}

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
        "+POP3: SUCCESS comes after OK where the note has it before",
        "SIM5320 manual 18.2.2, second alternative; the note shows that order for AT+POP3GET",
        Firmware {
            event: |interpreter, event| {
                if let Event::Pop3Answered {
                    answer: Ok(Answer::Done),
                    open,
                } = &event
                    && interpreter.stop_waiting_for(Waiting::Pop3)
                {
                    // What follows on the command line finds the session as it is now.
                    interpreter.core.pop3.phase = phase(*open);
                    interpreter.announce_after(Ok(()), event);
                } else {
                    interpreter.tell(event);
                }
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
        "comma-without-blank",
        "No blank follows the comma in the answers of AT+POP3NUM and AT+POP3LIST",
        "the note has two forms; V.250 5.4.3 knows no blank",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [only] if block == Block::Information && only.starts_with(b"+POP3: ") => {
                    framed(block, line, &[&replaced(only, ", ", ",")], out);
                }
                lines => framed(block, line, lines, out),
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
        "AT+SMTPSTOP reports +SMTP: USER CANCEL",
        "SIM5320 manual V2.02, codes of AT+SMTPSEND",
        Firmware {
            command: |core, name, form| {
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPSTOP") {
                    core.report(&["+SMTP: USER CANCEL"]);
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    variant(
        "literal-names",
        "A server that leaves, answers wrongly or not at all is reported as +SMTP: AUTH REQUIRED",
        "note chapter 1, the first of the two rows of AUTH REQUIRED",
        Firmware {
            smtp: Rules {
                decide: |stage, end| match decide(stage, end) {
                    Outcome::ServerError if !matches!(end, End::Unreachable(_)) => {
                        Outcome::AuthRequired
                    }
                    outcome => outcome,
                },
                ..Rules::SHIPPED
            },
            ..SHIPPED
        },
    ),
    variant(
        "manual-names",
        "A server that cannot be reached is reported as +SMTP: NETWORK ERROR",
        "SIM5320 manual 18.1.9, codes of AT+SMTPSEND",
        Firmware {
            smtp: Rules {
                decide: |stage, end| match end {
                    End::Unreachable(_) => Outcome::NetworkError,
                    end => decide(stage, end),
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
        "Whatever needs a server takes ten seconds more",
        "note chapter 1, NOTE: the timers are 30 seconds",
        Firmware {
            send: |job, way, progress| {
                Box::pin(async move {
                    sleep(Duration::from_secs(10)).await;
                    exchange::send(job, way, progress).await
                })
            },
            ask: |session, request, way| {
                Box::pin(async move {
                    sleep(Duration::from_secs(10)).await;
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
    variant(
        "helo",
        "A client that is not to authenticate says HELO at once",
        "RFC 5321 3.2, 4.1.1.1: HELO is to be supported for ever",
        Firmware {
            send: |job, way, progress| {
                if job.auth.is_some() {
                    return exchange::send(job, way, progress);
                }
                let tamper = Tamper {
                    sent: |_, line| replaced(line, "EHLO ", "HELO "),
                    ..HONEST
                };
                send(job, way, progress, tamper)
            },
            ..SHIPPED
        },
    ),
    variant(
        "lower-case-verbs",
        "SMTP commands are written in lower case",
        "RFC 5321 2.4: verbs are not case-sensitive",
        Firmware {
            send: |job, way, progress| {
                let tamper = Tamper {
                    sent: |seen, line| {
                        let verbs = [
                            "EHLO ",
                            "HELO ",
                            "MAIL FROM:",
                            "RCPT TO:",
                            "DATA",
                            "QUIT",
                            "RSET",
                        ];
                        let verb = verbs.iter().find(|verb| line.starts_with(verb.as_bytes()));
                        match verb.filter(|_| !seen.in_text) {
                            Some(verb) => replaced(line, verb, &verb.to_lowercase()),
                            None => line.to_vec(),
                        }
                    },
                    ..HONEST
                };
                send(job, way, progress, tamper)
            },
            ..SHIPPED
        },
    ),
    variant(
        "no-cram-md5",
        "The client does not know CRAM-MD5",
        "RFC 4954 4: the client chooses among the mechanisms that it has",
        Firmware {
            send: |job, way, progress| {
                let tamper = Tamper {
                    heard: |seen, line| match seen.after("EHLO") {
                        true => replaced(line, " CRAM-MD5", " X-UNKNOWN"),
                        false => line.to_vec(),
                    },
                    ..HONEST
                };
                send(job, way, progress, tamper)
            },
            ..SHIPPED
        },
    ),
    variant(
        "quoted-printable",
        "The body is sent as quoted-printable",
        "RFC 2045 6.7",
        message!(|job, files| {
            let body = encoded_body(job);
            rewritten(job, files, |text| {
                let text = text.replacen("Encoding: 7bit", "Encoding: quoted-printable", 1);
                match text.contains("quoted-printable\r\n\r\n") && !body.0.is_empty() {
                    true => text.replacen(&body.0, &body.1, 1),
                    false => text,
                }
            })
        }),
    ),
    variant(
        "base64-body",
        "The body is sent in base64",
        "RFC 2045 6.8",
        message!(|job, files| {
            let (plain, _) = encoded_body(job);
            rewritten(job, files, |text| {
                let head = "Encoding: 7bit\r\n\r\n".to_owned();
                let coded: Vec<_> = plain.as_bytes().chunks(57).collect();
                let coded: Vec<_> = coded
                    .iter()
                    .map(|line| BASE64_STANDARD.encode(line))
                    .collect();
                let to = format!("Encoding: base64\r\n\r\n{}", coded.join("\r\n"));
                text.replacen(&(head + &plain), &to, 1)
            })
        }),
    ),
    variant(
        "mime-preamble",
        "A message with attachments has a text before its first part and after its last",
        "RFC 2046 5.1.1: preamble and epilogue",
        message!(|job, files| {
            let has_parts = !files.is_empty();
            rewritten(job, files, |text| {
                if !has_parts {
                    return text.to_owned();
                }
                let preamble = "\r\n\r\nThis is a multi-part message in MIME format.\r\n";
                text.replacen("\r\n\r\n", preamble, 1) + "This is the end.\r\n"
            })
        }),
    ),
    variant(
        "mime-name-only",
        "The name of an attachment stands in its Content-Type alone",
        "RFC 2046 4.5.1, RFC 2183 1: many readers and writers use name",
        message!(|job, files| without_parameter(job, files, " filename=", "attachment")),
    ),
    variant(
        "mime-filename-only",
        "The name of an attachment stands in its Content-Disposition alone",
        "RFC 2183 2.3",
        message!(|job, files| without_parameter(job, files, " name=", "octet-stream")),
    ),
    variant(
        "names-unquoted",
        "Names of a single word stand in the header without quotes",
        "RFC 5322 3.2.5: a phrase is words",
        message!(|job, files| {
            let names: Vec<_> = std::iter::once(&job.from)
                .chain(job.recipients())
                .map(|mailbox| mailbox.name.clone())
                .filter(|name| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
                })
                .collect();
            rewritten(job, files, |text| {
                names.iter().fold(text.to_owned(), |text, name| {
                    text.replacen(&format!("\"{name}\" <"), &format!("{name} <"), 1)
                })
            })
        }),
    ),
    variant(
        "no-apop",
        "The client logs in with USER and PASS even where APOP is offered",
        "RFC 1939 7: APOP is optional",
        pop3_over!(Tamper {
            heard: |seen, line| match seen.command.is_empty() {
                true => replaced(line, "<", "("),
                false => line.to_vec(),
            },
            ..HONEST
        }),
    ),
    variant(
        "capa-first",
        "The client asks for the capabilities before it logs in",
        "RFC 2449 5",
        pop3_over!(Tamper {
            sent: |seen, line| {
                if seen.mark || !(seen.after("USER") || seen.after("APOP")) {
                    return line.to_vec();
                }
                seen.mark = true;
                (seen.held, seen.command) = (line.to_vec(), b"CAPA".to_vec());
                b"CAPA\r\n".to_vec()
            },
            heard: |seen, line| {
                if !seen.after("CAPA") {
                    return line.to_vec();
                }
                if line == b".\r\n" || line.starts_with(b"-ERR") {
                    seen.write = std::mem::take(&mut seen.held);
                    seen.command = seen.write.trim_ascii_end().to_vec();
                }
                Vec::new()
            },
            ..HONEST
        }),
    ),
    variant(
        "header-by-retr",
        "AT+POP3HDR reads the whole e-mail with RETR and keeps its header",
        "RFC 1939 7: TOP is optional",
        pop3_over!(Tamper {
            sent: |seen, line| match seen.after("TOP ") {
                true => replaced(&replaced(line, "TOP ", "RETR "), " 0\r\n", "\r\n"),
                false => line.to_vec(),
            },
            ..HONEST
        }),
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

/// The body as it stands in a message, and in quoted-printable with every letter E encoded.
fn encoded_body(job: &Job) -> (String, String) {
    let lines = job.body.replace("\r\n", "\n").replace('\r', "\n");
    let plain = lines.replace('\n', "\r\n");
    let coded: Vec<_> = lines.split('\n').map(quoted_printable).collect();
    (plain, coded.join("\r\n"))
}

/// A line in quoted-printable, with soft line breaks (RFC 2045 6.7).
fn quoted_printable(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    let last = line.chars().count().saturating_sub(1);
    for (at, character) in line.chars().enumerate() {
        let ends_in_blank = at == last && matches!(character, ' ' | '\t');
        let token = match character {
            '=' | 'e' | '\0'..=' ' | '\x7f'.. if character != ' ' || ends_in_blank => {
                let mut utf8 = [0; 4];
                let octets = character.encode_utf8(&mut utf8).bytes();
                octets.map(|octet| format!("={octet:02X}")).collect()
            }
            character => character.to_string(),
        };
        if width + token.len() > 75 {
            out.push_str("=\r\n");
            width = 0;
        }
        width += token.len();
        out.push_str(&token);
    }
    out
}

/// The message without the line of that parameter, which follows `word`.
fn without_parameter(
    job: &Job,
    files: Vec<Attachment>,
    parameter: &str,
    word: &str,
) -> Result<Message, jiff::Error> {
    rewritten(job, files, |text| {
        let lines: Vec<_> = text.split("\r\n").collect();
        let kept: Vec<_> = lines
            .into_iter()
            .filter(|line| !line.starts_with(parameter))
            .collect();
        let text = kept.join("\r\n");
        text.replace(
            &format!("{word};\r\nContent"),
            &format!("{word}\r\nContent"),
        )
        .replace(&format!("{word};\r\n\r\n"), &format!("{word}\r\n\r\n"))
    })
}
