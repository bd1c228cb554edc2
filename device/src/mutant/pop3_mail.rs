//! POP3: what becomes of an e-mail that is retrieved, and of one that is read.

use super::pop3::asking;
use super::tools::{is, text, with_values};
use super::{Mutant, mutant};
use crate::at::syntax::Form;
use crate::command::{Flow, extended};
use crate::core::Request;
use crate::exchange::{Exchange, SessionAnswer, Way, ask, fetch};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Answer;
use crate::mail::Letter;
use crate::mail_store;
use crate::pop3::{Failure, Session};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A build that changes an e-mail before it is stored. (Macros, because a function that stands in
/// the table cannot capture anything.)
macro_rules! received {
    ($change:expr) => {
        Firmware {
            ask: |session, request, way| retrieving(session, request, way, $change),
            ..SHIPPED
        }
    };
}

/// A build that shows another text of a stored e-mail.
macro_rules! read_as {
    ($change:expr) => {
        Firmware {
            command: |core, name, form| {
                let change: fn(&str) -> String = $change;
                match extended(core, name, form)? {
                    Flow::Print(source) if is(name, "+POP3READ") => {
                        core.say(change(&String::from_utf8_lossy(&source.whole())));
                        Ok(Flow::Done)
                    }
                    flow => Ok(flow),
                }
            },
            ..SHIPPED
        }
    };
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "p-get-deletes",
        "An e-mail that was retrieved is deleted on the server at once",
        "pop3.retrieve-keep",
        asking(|session, request, way| {
            let Request::Retrieve { number, .. } = request else {
                return ask(session, request, way);
            };
            Box::pin(async move {
                let (mut session, answer) = ask(session, request, way).await;
                if let (Some(session), Ok(_)) = (&mut session, &answer) {
                    let _unwanted = session.delete(number).await;
                }
                (session, answer)
            })
        }),
    ),
    mutant(
        "p-get-first",
        "AT+POP3GET retrieves the first e-mail whatever ID it is given",
        "pop3.get",
        asking(|session, mut request, way| {
            if let Request::Retrieve { number, .. } = &mut request {
                *number = 1;
            }
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-get-without-attachments",
        "Attachments of an e-mail are not saved",
        "pop3.get.saves-in-email-dir",
        received!(|letter| letter.attachments.clear()),
    ),
    mutant(
        "p-get-attachment-cut",
        "Attachments of an e-mail lose their last octets",
        "pop3.get.saves-in-email-dir, pop3.save",
        received!(|letter| {
            for file in &mut letter.attachments {
                file.bytes.truncate(file.bytes.len() / 3 * 3);
                file.bytes.pop();
            }
        }),
    ),
    mutant(
        "p-get-attachment-encoded",
        "Attachments are saved in base64",
        "pop3.get.saves-in-email-dir, pop3.save",
        received!(|letter| {
            for file in &mut letter.attachments {
                file.bytes = BASE64_STANDARD.encode(&file.bytes).into_bytes();
            }
        }),
    ),
    mutant(
        "p-get-text-cut",
        "The text of an e-mail ends after 512 octets",
        "pop3.get, pop3.read.last",
        received!(|letter| letter.text.truncate(512)),
    ),
    mutant(
        "p-get-text-last-lost",
        "The last line of an e-mail's text is lost",
        "pop3.get, note.4.4.read",
        received!(|letter| {
            let text = letter.text.trim_ascii_end();
            let end = text.iter().rposition(|byte| *byte == b'\n');
            letter.text.truncate(end.map_or(0, |end| end + 1));
        }),
    ),
    mutant(
        "p-get-text-cut-at-32k",
        "The text of an e-mail ends after 32 KiB",
        "pop3.get, pop3.read.last",
        received!(|letter| letter.text.truncate(32 * 1024)),
    ),
    mutant(
        "p-get-five-attachments",
        "Of an e-mail's attachments no more than five are saved",
        "pop3.get.saves-in-email-dir",
        received!(|letter| letter.attachments.truncate(5)),
    ),
    mutant(
        "p-get-attachment-of-64k",
        "Attachments of an e-mail end after 64 KiB",
        "pop3.get.saves-in-email-dir, pop3.save",
        received!(|letter| {
            for file in &mut letter.attachments {
                file.bytes.truncate(64 * 1024);
            }
        }),
    ),
    mutant(
        "p-get-subject-lost",
        "A stored e-mail lacks its subject",
        "note.4.4.read, pop3.read.last",
        received!(|letter| letter.fields.subject = None),
    ),
    mutant(
        "p-get-to-lost",
        "A stored e-mail lacks its To field",
        "note.4.4.read",
        received!(|letter| letter.fields.to = None),
    ),
    mutant(
        "p-full-keeps-session",
        "After FILE SYSTEM ERROR the session goes on",
        "pop3.urc.file-system-error-closes",
        asking(|session, request, way| {
            let Request::Retrieve {
                number,
                files,
                drive,
                rtc,
            } = request
            else {
                return ask(session, request, way);
            };
            Box::pin(async move {
                let Some(mut session) = session else {
                    return (None, Err(Failure::ServerError));
                };
                let mut message = Vec::new();
                let answer = match session.retrieve(number, &mut message).await {
                    Ok(_) => mail_store::store(&Letter::parse(&message), &files, drive, &rtc)
                        .map(Answer::Stored)
                        .map_err(|_| Failure::FileSystemError),
                    Err(failure) => Err(failure),
                };
                (session.is_open().then_some(session), answer)
            })
        }),
    ),
    mutant(
        "p-read-first",
        "AT+POP3READ alone shows the e-mail that was received first",
        "pop3.read.last",
        Firmware {
            event: |interpreter, event| {
                let before = interpreter.core.pop3.last_mail.clone();
                interpreter.tell(event);
                let last = &mut interpreter.core.pop3.last_mail;
                *last = before.or(last.take());
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-read-named-is-last",
        "AT+POP3READ with a name shows the e-mail that was received last",
        "pop3.read.specified",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(_) if is(name, "+POP3READ") && core.pop3.last_mail.is_some() => {
                    extended(core, name, Form::Execute)
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-read-of-8k",
        "AT+POP3READ shows no more than 8 KiB of an e-mail",
        "pop3.read.last",
        read_as!(|mail| mail.chars().take(8 * 1024).collect()),
    ),
    mutant(
        "p-read-ends-at-eight-bit",
        "AT+POP3READ ends at the first octet that is not ASCII",
        "pop3.read.last",
        read_as!(|mail| {
            let ascii = mail.split(|character: char| !character.is_ascii());
            ascii.take(1).collect()
        }),
    ),
    mutant(
        "p-read-without-header",
        "AT+POP3READ shows the text of an e-mail without its header",
        "pop3.read.last, note.4.4.read",
        read_as!(|mail| {
            let (_, text) = mail.split_once("\r\n\r\n").unwrap_or(("", mail));
            text.to_owned()
        }),
    ),
    mutant(
        "p-read-without-text",
        "AT+POP3READ shows the header of an e-mail without its text",
        "pop3.read.last, note.4.4.read",
        read_as!(|mail| {
            let (header, _) = mail.split_once("\r\n\r\n").unwrap_or((mail, ""));
            header.to_owned()
        }),
    ),
    mutant(
        "p-read-of-card",
        "AT+POP3READ=0 looks for the e-mail on drive D:",
        "pop3.read.specified, note.4.7",
        Firmware {
            command: |core, name, form| match form {
                Form::Set([b'0', rest @ ..]) if is(name, "+POP3READ") => {
                    with_values(core, name, &("1".to_owned() + &text(rest)))
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
];

/// Asks for one thing; an e-mail is changed before it is stored.
fn retrieving(
    session: Option<Session>,
    request: Request,
    way: Way,
    change: fn(&mut Letter),
) -> Exchange<SessionAnswer> {
    Box::pin(async move {
        match (request, session) {
            (
                Request::Retrieve {
                    number,
                    files,
                    drive,
                    rtc,
                },
                Some(mut session),
            ) => {
                let answer = fetch(&mut session, number, &files, drive).await;
                let answer = answer.and_then(|mut letter| {
                    change(&mut letter);
                    mail_store::store(&letter, &files, drive, &rtc)
                        .map(Answer::Stored)
                        .map_err(|_| Failure::FileSystemError)
                });
                let open = session.is_open() && !matches!(answer, Err(Failure::FileSystemError));
                (open.then_some(session), answer)
            }
            (request, session) => ask(session, request, way).await,
        }
    })
}
