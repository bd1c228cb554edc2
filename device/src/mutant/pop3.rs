//! POP3: what each command asks of the server, and what becomes of its answer.

use super::tools::{is, text, with_values};
use super::{Mutant, mutant};
use crate::at::syntax::Form;
use crate::command::{Flow, extended};
use crate::core::Request;
use crate::exchange::{Abandoned, Exchange, SessionAnswer, Way, ask, fetch};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Answer;
use crate::mail::Letter;
use crate::mail_store;
use crate::pop3::{DropListing, Failure, Session};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::time::Duration;

/// A build that changes what the server answered. (Macros, because a function that stands in the
/// table cannot capture anything.)
macro_rules! answering {
    ($change:expr) => {
        Firmware {
            ask: |session, request, way| {
                let change: fn(Result<Answer, Failure>) -> Result<Answer, Failure> = $change;
                Box::pin(async move {
                    let (session, answer) = ask(session, request, way).await;
                    (session, change(answer))
                })
            },
            ..SHIPPED
        }
    };
}

/// A build that changes the number of e-mails and their size.
macro_rules! counted {
    ($change:expr) => {
        answering!(|answer| {
            let change: fn(&mut DropListing) = $change;
            answer.map(|answer| match answer {
                Answer::Number(mut listing) => {
                    change(&mut listing);
                    Answer::Number(listing)
                }
                answer => answer,
            })
        })
    };
}

/// A build that changes an e-mail before it is stored.
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
        "p-port-ignored",
        "Whatever port AT+POP3SRV names, the client connects to port 110",
        "pop3.srv",
        asking(|session, mut request, way| {
            if let Request::LogIn(account) = &mut request {
                account.port = 110;
            }
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-srv-swapped",
        "AT+POP3SRV takes the password for the user name and the user name for the password",
        "pop3.srv, pop3.auth",
        asking(|session, mut request, way| {
            if let Request::LogIn(account) = &mut request {
                std::mem::swap(&mut account.user, &mut account.password);
            }
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-password-word",
        "The password ends at its first blank",
        "pop3.auth, RFC 1939 7: a password may hold blanks",
        asking(|session, mut request, way| {
            if let Request::LogIn(account) = &mut request {
                let end = account.password.find(' ');
                account.password.truncate(end.unwrap_or(usize::MAX));
            }
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-user-lower",
        "The user name is put into lower case",
        "pop3.srv, pop3.auth",
        asking(|session, mut request, way| {
            if let Request::LogIn(account) = &mut request {
                account.user.make_ascii_lowercase();
            }
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-srv-first-stays",
        "A second AT+POP3SRV is answered with OK, and the first account stays in use",
        "pop3.srv",
        Firmware {
            command: |core, name, form| {
                let before = core.pop3.account.clone();
                let answer = extended(core, name, form)?;
                let is_set = !core.pop3.account.server.is_empty() && !before.server.is_empty();
                if is(name, "+POP3SRV") && is_set {
                    core.pop3.account = before;
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-num-less-one",
        "The number of e-mails is one too small",
        "pop3.num, pop3.num.totals",
        counted!(|listing| listing.count = listing.count.saturating_sub(1)),
    ),
    mutant(
        "p-num-swapped",
        "The size of the e-mails stands before their number",
        "pop3.num, note.4.3",
        counted!(|listing| {
            let count = u64::from(listing.count);
            listing.count = u32::try_from(listing.size).unwrap_or(u32::MAX);
            listing.size = count;
        }),
    ),
    mutant(
        "p-num-in-kib",
        "The size of the e-mails is told in KiB",
        "pop3.num, rfc1939.octets",
        counted!(|listing| listing.size /= 1024),
    ),
    mutant(
        "p-num-wraps",
        "The number of e-mails is kept in eight bits",
        "pop3.num.totals",
        counted!(|listing| listing.count &= 0xff),
    ),
    mutant(
        "p-num-retrieves",
        "Inquiring the number of e-mails retrieves the first one",
        "pop3.inquire-only",
        asking(|session, request, way| {
            Box::pin(async move {
                let mut session = session;
                if let (Request::Number, Some(session)) = (&request, &mut session) {
                    let _unwanted = session.retrieve(1, &mut Vec::new()).await;
                }
                ask(session, request, way).await
            })
        }),
    ),
    mutant(
        "p-list-of-first",
        "AT+POP3LIST with an ID tells the size of the first e-mail",
        "pop3.list.one",
        asking(|session, request, way| {
            let Request::List(number) = request else {
                return ask(session, request, way);
            };
            Box::pin(async move {
                let (session, answer) = ask(session, Request::List(1), way).await;
                let answer = answer.map(|answer| match answer {
                    Answer::Listing(mut listing) => {
                        listing.number = number;
                        Answer::Listing(listing)
                    }
                    answer => answer,
                });
                (session, answer)
            })
        }),
    ),
    mutant(
        "p-list-last-missing",
        "The list of all e-mails lacks the last one",
        "pop3.list.all",
        answering!(|answer| match answer {
            Ok(Answer::Listings(mut listings)) => {
                listings.pop();
                Ok(Answer::Listings(listings))
            }
            answer => answer,
        }),
    ),
    mutant(
        "p-list-from-zero",
        "The list of all e-mails counts from 0",
        "pop3.list.all: from 1 to unread emails' number",
        answering!(|answer| match answer {
            Ok(Answer::Listings(mut listings)) => {
                for listing in &mut listings {
                    listing.number = listing.number.saturating_sub(1);
                }
                Ok(Answer::Listings(listings))
            }
            answer => answer,
        }),
    ),
    mutant(
        "p-id-wraps",
        "IDs are kept in 16 bits, so that 65537 is the first e-mail",
        "pop3.urc.wrong-id",
        asking(|session, request, way| {
            let request = match request {
                Request::List(number) => Request::List(number & 0xffff),
                Request::Header(number) => Request::Header(number & 0xffff),
                Request::Delete(number) => Request::Delete(number & 0xffff),
                request => request,
            };
            ask(session, request, way)
        }),
    ),
    mutant(
        "p-hdr-of-first",
        "AT+POP3HDR shows the header of the first e-mail",
        "pop3.hdr",
        asking(|session, request, way| match request {
            Request::Header(_) => ask(session, Request::Header(1), way),
            request => ask(session, request, way),
        }),
    ),
    mutant(
        "p-hdr-without-subject",
        "AT+POP3HDR does not show the subject",
        "pop3.hdr, note.4.3.hdr",
        answering!(|answer| match answer {
            Ok(Answer::Header(mut fields)) => {
                fields.subject = None;
                Ok(Answer::Header(fields))
            }
            answer => answer,
        }),
    ),
    mutant(
        "p-hdr-subject-cut",
        "AT+POP3HDR cuts the subject after 16 characters",
        "pop3.hdr, note.4.3.hdr",
        answering!(|answer| match answer {
            Ok(Answer::Header(mut fields)) => {
                if let Some(subject) = &mut fields.subject {
                    subject.truncate(16);
                }
                Ok(Answer::Header(fields))
            }
            answer => answer,
        }),
    ),
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
        "p-del-does-nothing",
        "AT+POP3DEL reports success and does not ask the server",
        "pop3.del",
        asking(|session, request, way| match request {
            Request::Delete(_) => Box::pin(async { (session, Ok(Answer::Done)) }),
            request => ask(session, request, way),
        }),
    ),
    mutant(
        "p-del-at-once",
        "AT+POP3DEL ends the session, so that the e-mail is gone at once",
        "pop3.del.only-marks",
        asking(|session, request, way| {
            let Request::Delete(_) = request else {
                return ask(session, request, way);
            };
            Box::pin(async move {
                let (session, answer) = ask(session, request, way).await;
                match (session, answer) {
                    (Some(session), Ok(answer)) => (None, session.quit().await.map(|()| answer)),
                    other => other,
                }
            })
        }),
    ),
    mutant(
        "p-del-next",
        "AT+POP3DEL marks the e-mail after the one that it names",
        "pop3.del",
        asking(|session, request, way| match request {
            Request::Delete(number) => ask(session, Request::Delete(number.saturating_add(1)), way),
            request => ask(session, request, way),
        }),
    ),
    mutant(
        "p-del-taken-back",
        "The mark of AT+POP3DEL is taken back before the session ends",
        "pop3.del, pop3.retrieve-delete",
        asking(|session, request, way| {
            let Request::LogOut = request else {
                return ask(session, request, way);
            };
            Box::pin(async move {
                let mut session = session;
                if let Some(session) = &mut session {
                    let _unwanted = session.request("RSET").await;
                }
                ask(session, request, way).await
            })
        }),
    ),
    mutant(
        "p-del-refusal-ignored",
        "A refused deletion is reported as success",
        "pop3.urc.wrong-id, pop3.del",
        asking(|session, request, way| {
            let Request::Delete(_) = request else {
                return ask(session, request, way);
            };
            Box::pin(async move { (ask(session, request, way).await.0, Ok(Answer::Done)) })
        }),
    ),
    mutant(
        "p-out-without-quit",
        "AT+POP3OUT closes the connection without QUIT",
        "pop3.out, rfc1939.update",
        asking(|session, request, way| match request {
            Request::LogOut => Box::pin(async {
                drop(session);
                (None, Ok(Answer::Done))
            }),
            request => ask(session, request, way),
        }),
    ),
    mutant(
        "p-out-stays",
        "AT+POP3OUT reports success, and the session goes on",
        "pop3.out",
        asking(|session, request, way| match request {
            Request::LogOut => Box::pin(async { (session, Ok(Answer::Done)) }),
            request => ask(session, request, way),
        }),
    ),
    mutant(
        "p-stop-commits",
        "AT+POP3STOP sends QUIT, so that marked e-mails are deleted",
        "pop3.del.only-marks, pop3.stop.force",
        Firmware {
            abandon: |abandoned| {
                if let Abandoned::Session(session) = abandoned {
                    tokio::spawn(session.quit());
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-stop-leaves-open",
        "AT+POP3STOP is answered with OK, and the connection stays open for a minute",
        "pop3.stop",
        Firmware {
            abandon: |abandoned| {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    drop(abandoned);
                });
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-stop-is-ignored",
        "AT+POP3STOP is answered with OK and does nothing",
        "pop3.stop.force",
        Firmware {
            command: |core, name, form| match form {
                Form::Execute if is(name, "+POP3STOP") && !core.pop3.is_free() => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "p-error-ends-session",
        "After SERVER ERROR the client closes the session",
        "pop3.urc.session-kept",
        asking(|session, request, way| {
            Box::pin(async move {
                match ask(session, request, way).await {
                    (_, Err(failure)) => (None, Err(failure)),
                    other => other,
                }
            })
        }),
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

type Ask = fn(Option<Session>, Request, Way) -> Exchange<SessionAnswer>;

const fn asking(ask: Ask) -> Firmware {
    Firmware { ask, ..SHIPPED }
}

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
