//! The timers of the mail clients: none, short, long, not started again.

use super::{Mutant, mutant};
use crate::core::Request;
use crate::exchange::{Abandoned, ask, send};
use crate::firmware::{Firmware, SHIPPED};
use crate::net::{Dialer, Dialing, Stream};
use crate::pop3::Failure;
use crate::smtp::{End, Outcome, Stage};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "t-smtp-short",
        "The SMTP timer is a third of what it is to be",
        "smtp.timer, rfc5321.late-reply",
        Firmware {
            make: |settings| settings.timers.smtp /= 3,
            ..SHIPPED
        },
    ),
    mutant(
        "t-smtp-long",
        "The SMTP timer is twice what it is to be",
        "smtp.timer",
        Firmware {
            make: |settings| settings.timers.smtp *= 2,
            ..SHIPPED
        },
    ),
    mutant(
        "t-smtp-none",
        "There is no SMTP timer",
        "smtp.timer",
        Firmware {
            make: |settings| settings.timers.smtp *= 1_000,
            ..SHIPPED
        },
    ),
    mutant(
        "t-smtp-once",
        "The SMTP timer is not started again when a reply comes, so that it limits a whole sending",
        "rfc5321.late-reply, smtp.timer",
        Firmware {
            send: |job, way, progress| {
                let (timer, rules) = (way.timer, way.rules);
                Box::pin(async move {
                    timeout(timer, send(job, way, progress))
                        .await
                        .unwrap_or_else(|_| (rules.decide)(Stage::Content, End::Malformed))
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-smtp-connect-none",
        "No timer runs while the SMTP client connects",
        "smtp.timer",
        Firmware {
            send: |job, mut way, progress| {
                Box::pin(async move {
                    let dialed = way.dialer.dial(&job.server, job.port).await;
                    way.dialer = Arc::new(Dialed(Mutex::new(Some(dialed))));
                    send(job, way, progress).await
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-success-late",
        "Success is reported 100 seconds after the server took the mail",
        "smtp.urc.success, smtp.timer",
        Firmware {
            send: |job, way, progress| {
                Box::pin(async move {
                    let outcome = send(job, way, progress).await;
                    if outcome == Outcome::Success {
                        sleep(Duration::from_secs(100)).await;
                    }
                    outcome
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-failure-late",
        "A failure is reported 60 seconds after it happened",
        "smtp.urc.server-error, smtp.timer",
        Firmware {
            send: |job, way, progress| {
                Box::pin(async move {
                    let outcome = send(job, way, progress).await;
                    if outcome != Outcome::Success {
                        sleep(Duration::from_secs(60)).await;
                    }
                    outcome
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-stop-late",
        "After AT+SMTPSTOP the connection is closed 20 seconds later",
        "smtp.stop",
        Firmware {
            abandon: |abandoned| {
                if let Abandoned::Sending(sending) = abandoned {
                    tokio::spawn(async move {
                        sleep(Duration::from_secs(20)).await;
                        drop(sending);
                    });
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-pop3-short",
        "The POP3 timer is a third of what it is to be",
        "pop3.timer, rfc1939.late-reply",
        Firmware {
            make: |settings| settings.timers.pop3 /= 3,
            ..SHIPPED
        },
    ),
    mutant(
        "t-pop3-long",
        "The POP3 timer is twice what it is to be",
        "pop3.timer",
        Firmware {
            make: |settings| settings.timers.pop3 *= 2,
            ..SHIPPED
        },
    ),
    mutant(
        "t-pop3-none",
        "There is no POP3 timer",
        "pop3.timer",
        Firmware {
            make: |settings| settings.timers.pop3 *= 1_000,
            ..SHIPPED
        },
    ),
    mutant(
        "t-pop3-once",
        "The POP3 timer limits a whole transfer, however steadily it moves",
        "pop3.timer, rfc1939.late-reply",
        Firmware {
            ask: |session, request, way| {
                let timer = way.timer;
                let is_transfer = matches!(request, Request::Retrieve { .. });
                let asked = ask(session, request, way);
                if !is_transfer {
                    return asked;
                }
                Box::pin(async move {
                    timeout(timer, asked)
                        .await
                        .unwrap_or((None, Err(Failure::Failure)))
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-pop3-connect-none",
        "No timer runs while the POP3 client connects",
        "pop3.timer",
        Firmware {
            ask: |session, request, mut way| {
                Box::pin(async move {
                    if let Request::LogIn(account) = &request {
                        let dialed = way.dialer.dial(&account.server, account.port).await;
                        way.dialer = Arc::new(Dialed(Mutex::new(Some(dialed))));
                    }
                    ask(session, request, way).await
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-num-late",
        "The answer of AT+POP3NUM comes 60 seconds after that of the server",
        "pop3.num, pop3.timer",
        Firmware {
            ask: |session, request, way| {
                let is_number = matches!(request, Request::Number);
                Box::pin(async move {
                    let answer = ask(session, request, way).await;
                    if is_number {
                        sleep(Duration::from_secs(60)).await;
                    }
                    answer
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "t-get-late",
        "The result of AT+POP3GET comes 100 seconds after the e-mail",
        "pop3.urc.success, pop3.timer",
        Firmware {
            ask: |session, request, way| {
                let is_transfer = matches!(request, Request::Retrieve { .. });
                Box::pin(async move {
                    let answer = ask(session, request, way).await;
                    if is_transfer {
                        sleep(Duration::from_secs(100)).await;
                    }
                    answer
                })
            },
            ..SHIPPED
        },
    ),
];

/// Hands out a connection that is there already.
struct Dialed(Mutex<Option<io::Result<Box<dyn Stream>>>>);

impl Dialer for Dialed {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> Dialing<'a> {
        let taken = self.0.lock().ok().and_then(|mut dialed| dialed.take());
        Box::pin(std::future::ready(
            taken.unwrap_or(Err(io::ErrorKind::ConnectionRefused.into())),
        ))
    }
}
