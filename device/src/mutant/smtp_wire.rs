//! The SMTP dialogue: order, line ends, transparency, replies, QUIT, connections.

use super::wire::{HONEST, Seen, Tamper, replaced, send, swallowed};
use super::{Mutant, mutant};
use crate::exchange;
use crate::firmware::{Firmware, SHIPPED};
use crate::smtp::{Job, Outcome};
use std::time::Duration;

/// A build whose SMTP connections are tampered with. (A macro, because a function that stands in
/// the table cannot capture anything.)
macro_rules! over {
    ($tamper:expr) => {
        Firmware {
            send: |job, way, progress| send(job, way, progress, $tamper),
            ..SHIPPED
        }
    };
}

macro_rules! sent {
    ($sent:expr) => {
        over!(Tamper {
            sent: $sent,
            ..HONEST
        })
    };
}

macro_rules! heard {
    ($heard:expr) => {
        over!(Tamper {
            heard: $heard,
            ..HONEST
        })
    };
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "s-not-stuffed",
        "Lines that begin with a dot are sent without a second one",
        "rfc5321.dot-stuffing",
        sent!(|seen, line| match line {
            [b'.', rest @ ..] if seen.in_text => rest.to_vec(),
            line => line.to_vec(),
        }),
    ),
    mutant(
        "s-lone-dot-stuffed-only",
        "Only lines of a single dot get a second one, others lose theirs to the server",
        "rfc5321.dot-stuffing",
        sent!(|seen, line| match line {
            [b'.', rest @ ..] if seen.in_text && rest != b".\r\n" => rest.to_vec(),
            line => line.to_vec(),
        }),
    ),
    mutant(
        "s-stuffed-twice",
        "Lines that begin with a dot get two more",
        "rfc5321.dot-stuffing",
        sent!(|seen, line| match line {
            [b'.', ..] if seen.in_text => [b".", line].concat(),
            line => line.to_vec(),
        }),
    ),
    mutant(
        "s-commands-line-feed",
        "SMTP commands end in a line feed alone",
        "RFC 5321 2.3.8: lines end in CR LF",
        sent!(|seen, line| match line.strip_suffix(b"\r\n") {
            Some(text) if !seen.in_text => [text, b"\n"].concat(),
            _ => line.to_vec(),
        }),
    ),
    mutant(
        "s-mail-with-blank",
        "A blank stands between MAIL FROM: and the address",
        "RFC 5321 3.3: no space after the colon",
        sent!(|_, line| replaced(line, "MAIL FROM:<", "MAIL FROM: <")),
    ),
    mutant(
        "s-rcpt-without-brackets",
        "The address in RCPT TO has no angle brackets",
        "RFC 5321 4.1.1.3",
        sent!(|_, line| match line.starts_with(b"RCPT") {
            true => line
                .iter()
                .copied()
                .filter(|byte| !b"<>".contains(byte))
                .collect(),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "s-null-sender",
        "The envelope has an empty sender",
        "smtp.from, RFC 5321 4.5.5: only notifications have a null reverse-path",
        sent!(|_, line| match line.starts_with(b"MAIL") {
            true => b"MAIL FROM:<>\r\n".to_vec(),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "s-one-rcpt",
        "The server is asked for the first recipient only",
        "smtp.rcpt.kinds, smtp.rcpt.cc",
        sent!(|seen, line| {
            if line.starts_with(b"RCPT") && std::mem::replace(&mut seen.mark, true) {
                return swallowed(seen, "250 OK\r\n");
            }
            line.to_vec()
        }),
    ),
    mutant(
        "s-no-hello",
        "The client does not say EHLO or HELO",
        "RFC 5321 3.2, 4.1.4: a session begins with EHLO or HELO",
        sent!(
            |seen, line| match seen.after("EHLO") && line.starts_with(b"EHLO") {
                true => swallowed(seen, "250 localhost\r\n"),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-bare-ehlo",
        "EHLO has no argument",
        "RFC 5321 4.1.1.1",
        sent!(|_, line| match line.starts_with(b"EHLO") {
            true => b"EHLO\r\n".to_vec(),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "s-talks-first",
        "EHLO is sent before the greeting has come",
        "rfc5321.greeting",
        over!(Tamper {
            first: b"EHLO [127.0.0.1]\r\n",
            sent: |seen, line| {
                if !line.starts_with(b"EHLO") {
                    return line.to_vec();
                }
                let held = std::mem::take(&mut seen.held);
                seen.ready.extend(held);
                Vec::new()
            },
            // The answer to it is held back until it is asked for.
            heard: |seen, line| {
                if seen.command.is_empty() && seen.mark {
                    seen.held.extend_from_slice(line);
                    return Vec::new();
                }
                seen.mark |= line.starts_with(b"220 ");
                line.to_vec()
            },
            ..HONEST
        }),
    ),
    mutant(
        "s-no-helo",
        "A server that does not know EHLO gets no HELO",
        "rfc5321.helo-fallback",
        heard!(
            |seen, line| match seen.after("EHLO") && line.starts_with(b"50") {
                true => b"554 no\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-greeting-of-one-line",
        "Of a greeting with several lines the second is taken for the next reply",
        "rfc5321.greeting",
        heard!(|seen, line| match seen.command.is_empty() {
            true => replaced(line, "220-", "220 "),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "s-segment-is-reply",
        "Whatever arrives in one piece is taken for a whole reply",
        "rfc5321.greeting, RFC 5321 4.2",
        over!(Tamper {
            segments: true,
            ..HONEST
        }),
    ),
    mutant(
        "s-unlisted-mechanism",
        "The client authenticates with PLAIN where only LOGIN is offered",
        "rfc4954.mechanism",
        heard!(|seen, line| {
            if !seen.after("EHLO") || String::from_utf8_lossy(line).contains("PLAIN") {
                return line.to_vec();
            }
            replaced(line, "AUTH LOGIN", "AUTH PLAIN")
        }),
    ),
    mutant(
        "s-auth-refusal-ignored",
        "A refusal of the credentials is passed over, and the mail is offered all the same",
        "smtp.urc.auth-error",
        heard!(
            |seen, line| match is_auth(seen) && line.starts_with(b"535") {
                true => b"235 fine\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-auth-answer-cut",
        "An answer within AUTH is cut after 16 characters of base64",
        "smtp.auth.on",
        sent!(|seen, line| {
            // Neither command nor dot: an answer within the exchange.
            let is_answer = !seen.in_text && !line.contains(&b' ') && line.len() > 18;
            match is_answer {
                true => [line.get(..16).unwrap_or_default(), b"\r\n"].concat(),
                false => line.to_vec(),
            }
        }),
    ),
    mutant(
        "s-rcpt-refusal-ignored",
        "A refused recipient is passed over, and DATA follows even if none is left",
        "rfc5321.rcpt-before-data, smtp.urc.bad-rcpt",
        heard!(
            |seen, line| match seen.after("RCPT") && line.starts_with(b"5") {
                true => b"250 fine\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-data-refusal-ignored",
        "The message is sent although the server refused DATA",
        "smtp.urc.wrong-response, RFC 5321 3.3: the message follows a 354 reply",
        heard!(
            |seen, line| match seen.after("DATA") && !seen.in_text && !line.starts_with(b"354") {
                true => b"354 fine\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-refusal-is-success",
        "Any reply to the final dot counts as success",
        "smtp.urc.success",
        heard!(|seen, line| match seen.after(".") {
            true => b"250 fine\r\n".to_vec(),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "s-trouble-is-success",
        "A 4xx reply to the final dot counts as success",
        "smtp.urc.success",
        heard!(
            |seen, line| match seen.after(".") && line.starts_with(b"4") {
                true => b"250 fine\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-success-unheard",
        "Success is reported as soon as the final dot is sent, whatever the server answers",
        "smtp.urc.success",
        sent!(|seen, line| {
            if seen.after(".") && line == b".\r\n" {
                seen.ready.extend_from_slice(b"250 fine\r\n");
            }
            line.to_vec()
        }),
    ),
    mutant(
        "s-accepted-is-failure",
        "A reply of several lines to the final dot counts as failure, although the server took the mail",
        "smtp.urc.success",
        heard!(
            |seen, line| match seen.after(".") && line.starts_with(b"250-") {
                true => b"554-no\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "s-quit-decides",
        "Success is reported only if the server answers QUIT with 221, too",
        "rfc5321.quit, smtp.urc.success: what was answered with 250 is sent",
        over!(Tamper {
            sent: |seen, line| {
                if seen.after("QUIT") && seen.mark {
                    seen.closed = true;
                    return Vec::new();
                }
                line.to_vec()
            },
            heard: |seen, line| {
                if seen.after(".") && line.starts_with(b"250 ") {
                    (seen.command, seen.held) = (b"QUIT".to_vec(), line.to_vec());
                    (seen.write, seen.mark) = (b"QUIT\r\n".to_vec(), true);
                    return Vec::new();
                }
                match seen.after("QUIT") && seen.mark {
                    true if line.starts_with(b"221") => std::mem::take(&mut seen.held),
                    true => b"554 no\r\n".to_vec(),
                    false => line.to_vec(),
                }
            },
            ..HONEST
        }),
    ),
    mutant(
        "s-no-quit",
        "The connection is closed without QUIT",
        "rfc5321.quit",
        sent!(|seen, line| {
            if seen.after("QUIT") {
                seen.closed = true;
                return Vec::new();
            }
            line.to_vec()
        }),
    ),
    mutant(
        "s-left-open",
        "After the sending the connection stays open for a minute",
        "smtp.urc.success: network is closed",
        over!(Tamper {
            linger: Duration::from_secs(60),
            ..HONEST
        }),
    ),
    mutant(
        "s-connects-twice",
        "Every sending opens another connection before, which it does not use",
        "smtp.tcp: a TCP session",
        over!(Tamper {
            probe: true,
            ..HONEST
        }),
    ),
    mutant(
        "s-sends-again",
        "A sending that failed is tried once more on its own",
        "smtp.urc.wrong-response, smtp.timer: the application stops",
        Firmware {
            send: |job, way, progress| {
                Box::pin(async move {
                    let again = copy(&job);
                    let first = exchange::send(job, way.clone(), progress.clone()).await;
                    match first {
                        Outcome::ServerError => exchange::send(again, way, progress).await,
                        outcome => outcome,
                    }
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-size-unoffered",
        "SIZE stands in MAIL although the server does not offer it",
        "RFC 1870 3, RFC 5321 2.2.2: no parameters that were not offered",
        sent!(|_, line| match line.strip_suffix(b">\r\n") {
            Some(text) if line.starts_with(b"MAIL") => [text, b"> SIZE=1000\r\n"].concat(),
            _ => line.to_vec(),
        }),
    ),
    mutant(
        "s-final-dot-without-return",
        "The message ends in a dot between line feeds",
        "RFC 5321 4.1.1.4: CR LF, dot, CR LF",
        sent!(|seen, line| match seen.after(".") && line == b".\r\n" {
            true => b"\n.\n".to_vec(),
            false => line.to_vec(),
        }),
    ),
];

fn is_auth(seen: &Seen) -> bool {
    let verbs = ["EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "."];
    !seen.command.is_empty() && !verbs.iter().any(|verb| seen.after(verb))
}

/// Attachments cannot be read twice, so a mail that is sent again has none.
fn copy(job: &Job) -> Job {
    Job {
        server: job.server.clone(),
        port: job.port,
        auth: job.auth.clone(),
        from: job.from.clone(),
        to: job.to.clone(),
        cc: job.cc.clone(),
        bcc: job.bcc.clone(),
        subject: job.subject.clone(),
        body: job.body.clone(),
        attachments: Vec::new(),
        date: job.date.clone(),
        serial: job.serial,
    }
}
