//! POP3: what each command asks of the server, and what becomes of its answer.

use super::tools::is;
use super::{Mutant, mutant};
use crate::at::syntax::Form;
use crate::command::{Flow, extended};
use crate::core::Request;
use crate::exchange::{Abandoned, Exchange, SessionAnswer, Way, ask};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Answer;
use crate::pop3::{DropListing, Failure, Session};
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
        "p-list-of-256",
        "The list of all e-mails ends after 256 of them",
        "pop3.list.all",
        answering!(|answer| match answer {
            Ok(Answer::Listings(mut listings)) => {
                listings.truncate(256);
                Ok(Answer::Listings(listings))
            }
            answer => answer,
        }),
    ),
    mutant(
        "p-list-in-16-bits",
        "The size of an e-mail is kept in 16 bits",
        "pop3.list.one, pop3.list.id-size",
        answering!(|answer| match answer {
            Ok(Answer::Listing(mut listing)) => {
                listing.size &= 0xffff;
                Ok(Answer::Listing(listing))
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
        "p-stop-asks-on",
        "Two seconds after AT+POP3STOP the client still sends NOOP, to keep a session that is over",
        "pop3.stop",
        Firmware {
            abandon: |abandoned| {
                if let Abandoned::Session(mut session) = abandoned {
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(2)).await;
                        session.request("NOOP").await
                    });
                }
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
];

type Ask = fn(Option<Session>, Request, Way) -> Exchange<SessionAnswer>;

pub(super) const fn asking(ask: Ask) -> Firmware {
    Firmware { ask, ..SHIPPED }
}
