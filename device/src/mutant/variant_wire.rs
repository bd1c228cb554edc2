//! Conforming variants towards the servers: what an RFC allows and the reference module does not do.

use super::tools::rewritten;
use super::wire::{HONEST, Tamper, replaced, send, tampered};
use super::{Variant, variant};
use crate::exchange::{self, ask};
use crate::firmware::{Firmware, SHIPPED};
use crate::smtp::{Attachment, Job, Message, Rules};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::mpsc::unbounded_channel;

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
        "ok-after-login",
        "+SMTP: OK comes once the server has greeted and taken the credentials, else it does not come",
        "SIM5320 manual 18.1.9: the server indicates that it is working well; third alternative",
        Firmware {
            send: |job, way, progress| {
                let tamper = Tamper {
                    mail: Some(progress),
                    ..HONEST
                };
                let (unheard, _) = unbounded_channel();
                send(job, way, unheard, tamper)
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
        "boundary-unquoted",
        "The boundary is a token without quotes",
        "RFC 2045 5.1, RFC 2046 5.1.1",
        message!(|job, files| {
            rewritten(job, files, |text| {
                let quoted = text.split_once("boundary=\"");
                let boundary = quoted.and_then(|(_, rest)| rest.split_once('"'));
                match boundary {
                    Some((boundary, _)) => text
                        .replacen(&format!("\"{boundary}\""), boundary, 1)
                        .replace(boundary, "----NextPart_000_0001_01C8A1B2.C3D4E5F0"),
                    None => text.to_owned(),
                }
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
                .filter(|name| is_plain(name) && !name.contains(' '))
                .collect();
            rewritten(job, files, |text| {
                names.iter().fold(text.to_owned(), |text, name| {
                    text.replacen(&format!("\"{name}\" <"), &format!("{name} <"), 1)
                })
            })
        }),
    ),
    variant(
        "names-as-comments",
        "Names stand behind their addresses, as comments",
        "RFC 5322 3.2.2, 3.4; RFC 822 A.1.2",
        message!(|job, files| {
            let named = std::iter::once(&job.from).chain(job.recipients());
            let named: Vec<_> = named.filter(|one| is_plain(&one.name)).cloned().collect();
            rewritten(job, files, |text| {
                named.iter().fold(text.to_owned(), |text, one| {
                    let phrase = format!("\"{}\" <{}>", one.name, one.address);
                    text.replacen(&phrase, &format!("{} ({})", one.address, one.name), 1)
                })
            })
        }),
    ),
    variant(
        "empty-bcc",
        "A message has a Bcc field in which nobody is named",
        "RFC 5322 3.6.3",
        message!(|job, files| {
            rewritten(job, files, |text| {
                text.replacen("\r\nSubject:", "\r\nBcc: \r\nSubject:", 1)
            })
        }),
    ),
    variant(
        "universal-time",
        "The Date field shows the moment in universal time",
        "RFC 5322 3.3: the local time only should be shown",
        Firmware {
            job: |job| job.date = job.date.with_time_zone(jiff::tz::TimeZone::UTC),
            ..SHIPPED
        },
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
];

/// Whether a name is one of letters, digits and blanks.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
    !name.is_empty() && name.bytes().all(plain)
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
