//! The POP3 dialogue: order, line ends, arguments, multi-line answers, log-in, connections.

use super::wire::{HONEST, Tamper, replaced, swallowed, tampered};
use super::{Mutant, mutant};
use crate::core::Request;
use crate::exchange::ask;
use crate::firmware::{Firmware, SHIPPED};
use crate::pop3::Failure;
use std::time::Duration;

/// A build whose POP3 connections are tampered with. (Macros, because a function that stands in
/// the table cannot capture anything.)
macro_rules! over {
    ($tamper:expr) => {
        Firmware {
            ask: |session, request, way| ask(session, request, tampered(way, $tamper)),
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
        "p-commands-line-feed",
        "POP3 commands end in a line feed alone",
        "RFC 1939 3: lines end in CR LF",
        sent!(|_, line| replaced(line, "\r\n", "\n")),
    ),
    mutant(
        "p-trailing-blank",
        "POP3 commands have a blank at their end",
        "RFC 1939 3",
        sent!(|_, line| replaced(line, "\r\n", " \r\n")),
    ),
    mutant(
        "p-talks-first",
        "A command is sent before the greeting has come",
        "RFC 1939 4: the server greets first",
        over!(Tamper {
            first: b"CAPA\r\n",
            heard: |seen, line| {
                // Greeting first; then the answer to CAPA up to its end.
                if !seen.mark {
                    seen.mark = true;
                    return line.to_vec();
                }
                if seen.held.is_empty() {
                    let ended = line == b".\r\n" || line.starts_with(b"-ERR");
                    seen.held.extend_from_slice(if ended { b"." } else { b"" });
                    return Vec::new();
                }
                line.to_vec()
            },
            ..HONEST
        }),
    ),
    mutant(
        "p-pipelines",
        "NOOP is sent together with STAT, without waiting for the answer",
        "RFC 2449 6.6: pipelining only where it is offered",
        over!(Tamper {
            sent: |_, line| match line {
                b"STAT\r\n" => b"STAT\r\nNOOP\r\n".to_vec(),
                line => line.to_vec(),
            },
            heard: |seen, line| {
                let is_second = seen.after("STAT") && std::mem::replace(&mut seen.mark, true);
                if is_second {
                    seen.mark = false;
                    return Vec::new();
                }
                seen.mark = seen.after("STAT");
                line.to_vec()
            },
            ..HONEST
        }),
    ),
    mutant(
        "p-top-of-one",
        "TOP has one argument",
        "RFC 1939 7: TOP msg n",
        sent!(|seen, line| match seen.after("TOP ") {
            true => replaced(line, " 0\r\n", "\r\n"),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "p-signed-number",
        "Message numbers are sent with a sign",
        "RFC 1939 3, 5: arguments are decimal numbers",
        sent!(|_, line| {
            let line = replaced(line, "LIST ", "LIST +");
            replaced(&line, "RETR ", "RETR +")
        }),
    ),
    mutant(
        "p-pass-refusal-ignored",
        "A refused password is reported as a log-in",
        "pop3.urc.invalid-un-pwd, pop3.in",
        heard!(
            |seen, line| match seen.after("PASS") || seen.after("APOP") {
                true => b"+OK fine\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "p-user-is-enough",
        "The log-in ends after USER, without a password",
        "pop3.in, pop3.auth",
        over!(Tamper {
            sent: |seen, line| match seen.after("PASS") {
                true => swallowed(seen, "+OK fine\r\n"),
                false => line.to_vec(),
            },
            // Without a timestamp there is no APOP.
            heard: |seen, line| match seen.command.is_empty() {
                true => replaced(line, "<", "("),
                false => line.to_vec(),
            },
            ..HONEST
        }),
    ),
    mutant(
        "p-apop-upper",
        "The digest of APOP is written in upper case",
        "RFC 1939 7: lower-case hexadecimal digits",
        sent!(|_, line| {
            let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
            match words.as_slice() {
                [verb @ b"APOP", user, digest] => {
                    let digest = digest.to_ascii_uppercase();
                    [*verb, *user, digest.as_slice()].join(b" ".as_slice())
                }
                _ => line.to_vec(),
            }
        }),
    ),
    mutant(
        "p-apop-only",
        "After a refused APOP there is no USER and PASS",
        "pop3.auth, RFC 1939 7: APOP is optional",
        over!(Tamper {
            sent: |seen, line| match seen.after("USER") && seen.mark {
                true => swallowed(seen, "-ERR no\r\n"),
                false => line.to_vec(),
            },
            heard: |seen, line| {
                seen.mark |= seen.after("APOP");
                line.to_vec()
            },
            ..HONEST
        }),
    ),
    mutant(
        "p-segment-is-answer",
        "Whatever arrives in one piece is taken for whole lines",
        "RFC 1939 3: an answer is lines, in whatever pieces they come",
        over!(Tamper {
            segments: true,
            ..HONEST
        }),
    ),
    mutant(
        "p-not-unstuffed",
        "Lines that begin with a dot keep the second one",
        "rfc1939.multi-line",
        heard!(|seen, line| match line {
            [b'.', b'.', ..] if seen.in_text => [b".", line].concat(),
            line => line.to_vec(),
        }),
    ),
    mutant(
        "p-all-dots-unstuffed",
        "Lines lose all the dots that they begin with",
        "rfc1939.multi-line",
        heard!(|seen, line| match line {
            [b'.', b'.', ..] if seen.in_text => {
                let dots = line.iter().take_while(|byte| **byte == b'.').count();
                line.get(dots..).unwrap_or_default().to_vec()
            }
            line => line.to_vec(),
        }),
    ),
    mutant(
        "p-dot-line-ends",
        "A text ends at the first line that begins with a dot",
        "rfc1939.multi-line",
        heard!(|seen, line| {
            if !seen.in_text {
                seen.mark = false;
                return line.to_vec();
            }
            match line {
                _ if seen.mark => Vec::new(),
                [b'.', ..] => {
                    seen.mark = true;
                    b".\r\n".to_vec()
                }
                line => line.to_vec(),
            }
        }),
    ),
    mutant(
        "p-lines-of-80",
        "Lines of an e-mail are cut after 80 characters",
        "pop3.get, pop3.save",
        heard!(|seen, line| match seen.in_text && line.len() > 82 {
            true => [line.get(..80).unwrap_or_default(), b"\r\n"].concat(),
            false => line.to_vec(),
        }),
    ),
    mutant(
        "p-blank-lines-lost",
        "Empty lines within the text of an e-mail are lost",
        "pop3.get, pop3.save",
        heard!(|seen, line| {
            if !seen.in_text {
                seen.mark = false;
                return line.to_vec();
            }
            match line {
                // The first one is the end of the header.
                b"\r\n" if std::mem::replace(&mut seen.mark, true) => Vec::new(),
                line => line.to_vec(),
            }
        }),
    ),
    mutant(
        "p-half-is-success",
        "An e-mail whose transfer breaks off is stored and reported as success",
        "pop3.urc.failure",
        over!(Tamper {
            completes: true,
            ..HONEST
        }),
    ),
    mutant(
        "p-error-is-ok",
        "A refused retrieval stores an empty e-mail and reports success",
        "pop3.urc.failure, pop3.urc.wrong-id",
        heard!(
            |seen, line| match seen.after("RETR") && line.starts_with(b"-ERR") {
                true => b"+OK\r\n.\r\n".to_vec(),
                false => line.to_vec(),
            }
        ),
    ),
    mutant(
        "p-indicator-not-checked",
        "Any answer but -ERR is taken for +OK",
        "pop3.urc.wrong-response, RFC 1939 3",
        heard!(
            |seen, line| match seen.in_text || line.starts_with(b"-ERR") {
                true => line.to_vec(),
                false if line.starts_with(b"+OK") || seen.command == b"LIST" => line.to_vec(),
                false => [b"+OK ", line].concat(),
            }
        ),
    ),
    mutant(
        "p-connects-twice",
        "Every log-in opens another connection before, which it does not use",
        "pop3.in: a TCP session",
        over!(Tamper {
            probe: true,
            ..HONEST
        }),
    ),
    mutant(
        "p-left-open",
        "After the session the connection stays open for a minute",
        "pop3.out, pop3.urc.file-system-error-closes",
        over!(Tamper {
            linger: Duration::from_secs(60),
            ..HONEST
        }),
    ),
    mutant(
        "p-logs-in-again",
        "A log-in that is refused is tried once more on its own",
        "pop3.urc.invalid-un-pwd",
        Firmware {
            ask: |session, request, way| {
                Box::pin(async move {
                    let again = match &request {
                        Request::LogIn(account) => Some(Request::LogIn(account.clone())),
                        _ => None,
                    };
                    let answer = ask(session, request, way.clone()).await;
                    match (answer, again) {
                        ((_, Err(Failure::InvalidUserOrPassword)), Some(request)) => {
                            ask(None, request, way).await
                        }
                        (answer, _) => answer,
                    }
                })
            },
            ..SHIPPED
        },
    ),
];
