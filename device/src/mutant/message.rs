//! The message as it goes to the server: header, body text, MIME.

use super::tools::{and_field, rewritten, with_field, without_field};
use super::{Mutant, mutant};
use crate::firmware::{Firmware, SHIPPED};
use crate::smtp::{Attachment, Job, Message, Rules};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "s-no-date",
        "The message has no Date field",
        "smtp.header.date, RFC 5322 3.6",
        message(|job, files| rewritten(job, files, |text| without_field(text, "Date"))),
    ),
    mutant(
        "s-date-malformed",
        "The Date field has the form of the clock command",
        "smtp.header.date, RFC 5322 3.3",
        message(|job, files| {
            let date = job.date.strftime("Date: %y/%m/%d,%H:%M:%S\r\n").to_string();
            rewritten(job, files, |text| with_field(text, "Date", &date))
        }),
    ),
    mutant(
        "s-date-without-zone",
        "The Date field says +0000 whatever the time zone of the clock is",
        "smtp.header.date",
        message(|job, files| {
            let date = job.date.strftime("Date: %a, %d %b %Y %H:%M:%S +0000\r\n");
            rewritten(job, files, |text| {
                with_field(text, "Date", &date.to_string())
            })
        }),
    ),
    mutant(
        "s-date-of-epoch",
        "The Date field does not follow the clock",
        "smtp.header.date",
        message(|job, files| {
            let date = "Date: Sun, 06 Jan 1980 00:00:00 +0000\r\n";
            rewritten(job, files, |text| with_field(text, "Date", date))
        }),
    ),
    mutant(
        "s-no-from",
        "The message has no From field",
        "smtp.header, RFC 5322 3.6",
        message(|job, files| rewritten(job, files, |text| without_field(text, "From"))),
    ),
    mutant(
        "s-no-to",
        "The message has no To field",
        "smtp.header",
        message(|job, files| rewritten(job, files, |text| without_field(text, "To"))),
    ),
    mutant(
        "s-no-cc",
        "The message has no Cc field for its CC recipients",
        "smtp.header, smtp.rcpt.cc",
        message(|job, files| rewritten(job, files, |text| without_field(text, "Cc"))),
    ),
    mutant(
        "s-no-subject",
        "The message has no Subject field",
        "smtp.header, smtp.sub",
        message(|job, files| rewritten(job, files, |text| without_field(text, "Subject"))),
    ),
    mutant(
        "s-subject-twice",
        "The Subject field stands twice",
        "smtp.header, RFC 5322 3.6: at most one Subject",
        message(|job, files| {
            let line = format!("Subject: {}", job.subject);
            rewritten(job, files, |text| and_field(text, &line))
        }),
    ),
    mutant(
        "s-bcc-in-header",
        "The message has a Bcc field with the BCC recipients",
        "smtp.rcpt.bcc-secret",
        message(|job, files| {
            let boxes: Vec<_> = job.bcc.iter().map(|bcc| bcc.address.clone()).collect();
            let line = format!("Bcc: {}", boxes.join(", "));
            rewritten(job, files, |text| match boxes.is_empty() {
                true => text.to_owned(),
                false => and_field(text, &line),
            })
        }),
    ),
    mutant(
        "s-no-mime-version",
        "A message with attachments has no MIME-Version field",
        "RFC 2045 4",
        message(|job, files| rewritten(job, files, |text| without_field(text, "MIME-Version"))),
    ),
    mutant(
        "s-multipart-unclosed",
        "The last boundary of a message with attachments is missing",
        "RFC 2046 5.1.1",
        message(|job, files| {
            multipart(job, files, |text, boundary| {
                text.replace(&format!("--{boundary}--\r\n"), "")
            })
        }),
    ),
    mutant(
        "s-multipart-undeclared",
        "The header of a message with attachments declares another boundary",
        "RFC 2046 5.1.1, rfc2045.attachment",
        message(|job, files| {
            multipart(job, files, |text, boundary| {
                text.replacen(&format!("\"{boundary}\""), &format!("\"{boundary}x\""), 1)
            })
        }),
    ),
    mutant(
        "s-boundary-inside",
        "The boundary stands in the middle of an attachment, too",
        "RFC 2046 5.1.1: a boundary must not appear inside a part",
        message(|job, files| {
            multipart(job, files, |text, boundary| {
                let mut lines: Vec<&str> = text.split("\r\n").collect();
                let last = lines.iter().rposition(|line| line.len() == 76);
                let delimiter = format!("--{boundary}");
                lines.insert(last.unwrap_or(lines.len().saturating_sub(3)), &delimiter);
                lines.join("\r\n")
            })
        }),
    ),
    mutant(
        "s-base64-long-lines",
        "Lines of base64 have 100 characters",
        "RFC 2045 6.8: no more than 76 characters",
        message(|job, files| base64(job, files, |text| wrapped(text, 100))),
    ),
    mutant(
        "s-base64-one-line",
        "An attachment is a single line of base64",
        "RFC 5321 4.5.3.1.6: no more than 998 characters, RFC 2045 6.8",
        message(|job, files| base64(job, files, |text| wrapped(text, usize::MAX))),
    ),
    mutant(
        "s-base64-unpadded",
        "Base64 lacks its padding",
        "RFC 2045 6.8, rfc2045.attachment",
        message(|job, files| base64(job, files, |text| text.replace('=', ""))),
    ),
    mutant(
        "s-base64-url",
        "Base64 has - and _ in place of + and /",
        "RFC 2045 6.8, rfc2045.attachment",
        message(|job, files| base64(job, files, |text| text.replace('+', "-").replace('/', "_"))),
    ),
    mutant(
        "s-attachment-undeclared",
        "Attachments do not say that they are in base64",
        "RFC 2045 6.1, rfc2045.attachment",
        message(|job, files| {
            multipart(job, files, |text, _| {
                text.replace("Content-Transfer-Encoding: base64\r\n", "")
            })
        }),
    ),
    mutant(
        "s-attachment-nameless",
        "Attachments have no file name",
        "rfc2045.attachment",
        message(|job, files| {
            multipart(job, files, |text, _| {
                let lines = text
                    .split("\r\n")
                    .filter(|line| !line.starts_with(" name=") && !line.starts_with(" filename="));
                let lines: Vec<_> = lines.collect();
                lines
                    .join("\r\n")
                    .replace("attachment;\r\n", "attachment\r\n")
                    .replace("octet-stream;\r\n", "octet-stream\r\n")
            })
        }),
    ),
    mutant(
        "s-long-line",
        "A line of the body that is longer than 998 characters is sent as it is",
        "RFC 5321 4.5.3.1.6, RFC 5322 2.1.1",
        message(|job, files| {
            if !files.is_empty() || job.body.lines().all(|line| line.len() <= 998) {
                return Message::new(job, files);
            }
            rewritten(job, files, |text| {
                let (header, _) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
                let header = header.replace("quoted-printable", "7bit");
                format!("{header}\r\n\r\n{}\r\n", job.body)
            })
        }),
    ),
    mutant(
        "s-eight-bit-header",
        "A subject that is not ASCII stands in the header as raw UTF-8",
        "RFC 5322 2.2: header fields are ASCII; RFC 2047",
        Firmware {
            smtp: raw_subject(),
            ..SHIPPED
        },
    ),
    mutant(
        "s-eight-bit-field",
        "A header field of the client's own has a letter that is not ASCII",
        "RFC 5322 2.2: header fields are ASCII; RFC 2047",
        message(|job, files| {
            rewritten(job, files, |text| {
                and_field(text, "X-Mailer: Modul f\u{fc}r E-Mail")
            })
        }),
    ),
    mutant(
        "s-password-in-header",
        "A header field names the user and the password of the log-in",
        "smtp.auth: they are for the server",
        message(|job, files| {
            let login = job.auth.as_ref();
            rewritten(job, files, |text| match login {
                Some(login) => {
                    let field = format!("X-Login: {} {}", login.user, login.password);
                    and_field(text, &field)
                }
                None => text.to_owned(),
            })
        }),
    ),
    mutant(
        "s-header-unended",
        "No empty line stands between header and body",
        "RFC 5322 2.1, smtp.body",
        message(|job, files| rewritten(job, files, |text| text.replacen("\r\n\r\n", "\r\n", 1))),
    ),
    mutant(
        "s-message-line-feeds",
        "Lines of the message end in a line feed alone",
        "RFC 5321 2.3.8: lines end in CR LF",
        message(|job, files| {
            rewritten(job, files, |text| {
                let text = text.replace("\r\n", "\n");
                // The end of the message is left to its final dot.
                text.trim_end_matches('\n').to_owned()
            })
        }),
    ),
    mutant(
        "s-body-line-ends-lost",
        "Line ends within the body become blanks",
        "smtp.body",
        message(|job, files| {
            let body = job.body.replace("\r\n", "\n").replace('\r', "\n");
            rewritten(job, files, |text| {
                let lines = body.replace('\n', "\r\n");
                text.replacen(&lines, &body.replace('\n', " "), 1)
            })
        }),
    ),
];

/// The rules of a client that writes the subject as it was set.
pub(super) const fn raw_subject() -> Rules {
    Rules {
        compose: |job, files| {
            let line = format!("Subject: {}\r\n", job.subject);
            rewritten(job, files, |text| with_field(text, "Subject", &line))
        },
        ..Rules::SHIPPED
    }
}

type Compose = fn(&Job, Vec<Attachment>) -> Result<Message, jiff::Error>;

pub(super) const fn message(compose: Compose) -> Firmware {
    Firmware {
        smtp: Rules {
            compose,
            ..Rules::SHIPPED
        },
        ..SHIPPED
    }
}

/// A message with attachments, rewritten; its boundary is given with it.
fn multipart(
    job: &Job,
    files: Vec<Attachment>,
    rewrite: fn(&str, &str) -> String,
) -> Result<Message, jiff::Error> {
    rewritten(job, files, |text| {
        let boundary = text.split_once("boundary=\"").map(|(_, rest)| rest);
        match boundary.and_then(|rest| rest.split_once('"')) {
            Some((boundary, _)) => rewrite(text, boundary),
            None => text.to_owned(),
        }
    })
}

/// A message with attachments whose base64 is rewritten.
fn base64(
    job: &Job,
    files: Vec<Attachment>,
    rewrite: fn(&str) -> String,
) -> Result<Message, jiff::Error> {
    rewritten(job, files, |text| {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("base64\r\n") {
            let (fields, content) = after.split_once("\r\n\r\n").unwrap_or((after, ""));
            let end = content.find("\r\n--").unwrap_or(content.len());
            let (content, after) = content.split_at(end);
            out += &format!("{before}base64\r\n{fields}\r\n\r\n{}", rewrite(content));
            rest = after;
        }
        out + rest
    })
}

/// Lines of base64 put together and divided anew.
fn wrapped(base64: &str, width: usize) -> String {
    let joined: Vec<char> = base64
        .chars()
        .filter(|next| !next.is_whitespace())
        .collect();
    let lines: Vec<String> = joined
        .chunks(width)
        .map(|line| line.iter().collect())
        .collect();
    lines.join("\r\n") + "\r\n"
}
