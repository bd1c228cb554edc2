//! SMTP parameters and what becomes of them: every AT+SMTP… command of the note.

use super::tools::{ERROR, is, text, with_values};
use super::{Mutant, mutant};
use crate::at::syntax::Form;
use crate::at::value::Values;
use crate::command::{Flow, extended};
use crate::core::Core;
use crate::firmware::{Firmware, SHIPPED};
use crate::smtp::{Address, Attachment, Credentials, Job};
use std::collections::BTreeMap;

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "s-port-ignored",
        "Whatever port AT+SMTPSRV names, the client connects to port 25",
        "smtp.srv",
        job(|job| job.port = 25),
    ),
    mutant(
        "s-port-wraps",
        "Ports above 65535 are taken and lose their upper bits",
        "SIM5320 manual 18.1.1: ports 1 to 65535; v250.parameters",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if is(name, "+SMTPSRV") => {
                    let values = text(values);
                    let (server, port) = values.rsplit_once(',').unwrap_or((&values, "25"));
                    let port = port.parse::<u32>().map_or(0, |port| port & 0xffff);
                    with_values(core, name, &format!("{server},{port}"))
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-auth-off-ignored",
        "AT+SMTPAUTH=0 keeps the user name, and the client goes on to authenticate",
        "smtp.auth.off",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"0") if is(name, "+SMTPAUTH") => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-auth-first-stays",
        "A second AT+SMTPAUTH is answered with OK, and the first user name and password stay in use",
        "smtp.auth.on",
        Firmware {
            command: |core, name, form| {
                let before = core.smtp.credentials.clone();
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPAUTH") && core.smtp.credentials.is_some() && before.is_some() {
                    core.smtp.credentials = before;
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-auth-default",
        "Without credentials of its own the client authenticates as anonymous",
        "smtp.auth.off",
        job(|job| {
            job.auth.get_or_insert_with(|| Credentials {
                user: "anonymous".to_owned(),
                password: "anonymous".to_owned(),
            });
        }),
    ),
    mutant(
        "s-auth-never",
        "The client never authenticates, whatever AT+SMTPAUTH says",
        "smtp.auth.on",
        job(|job| job.auth = None),
    ),
    mutant(
        "s-auth-swapped",
        "User name and password are swapped",
        "smtp.auth.on",
        job(|job| {
            if let Some(credentials) = &mut job.auth {
                std::mem::swap(&mut credentials.user, &mut credentials.password);
            }
        }),
    ),
    mutant(
        "s-auth-password-word",
        "The password ends at its first blank",
        "smtp.auth.on",
        job(|job| {
            if let Some(credentials) = &mut job.auth {
                let end = credentials.password.find(' ');
                credentials.password.truncate(end.unwrap_or(usize::MAX));
            }
        }),
    ),
    mutant(
        "s-from-name-lost",
        "The sender's present name is not used",
        "smtp.from, smtp.header",
        job(|job| job.from.name.clear()),
    ),
    mutant(
        "s-from-name-required",
        "AT+SMTPFROM without a name is refused",
        "smtp.from.address-only",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if is(name, "+SMTPFROM") && !values.contains(&b',') => Err(ERROR),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-to-name-lost",
        "Names of recipients are not used",
        "smtp.rcpt.to, smtp.header",
        job(|job| job.to.iter_mut().for_each(|to| to.name.clear())),
    ),
    mutant(
        "s-cc-forgotten",
        "CC recipients are forgotten",
        "smtp.rcpt.cc",
        job(|job| job.cc.clear()),
    ),
    mutant(
        "s-bcc-forgotten",
        "BCC recipients get nothing",
        "smtp.rcpt.bcc",
        job(|job| job.bcc.clear()),
    ),
    mutant(
        "s-first-recipient-only",
        "Only the first normal recipient gets the mail",
        "smtp.rcpt.to-without-name, smtp.rcpt.kinds",
        job(|job| job.to.truncate(1)),
    ),
    mutant(
        "s-bcc-as-cc",
        "Recipients of kind 2 are treated as those of kind 1",
        "smtp.rcpt.bcc-secret",
        job(|job| job.cc.append(&mut job.bcc)),
    ),
    mutant(
        "s-bcc-as-to",
        "Recipients of kind 2 stand in the To field",
        "smtp.rcpt.bcc-secret",
        job(|job| job.to.append(&mut job.bcc)),
    ),
    mutant(
        "s-local-part-lower",
        "Addresses of recipients are put into lower case",
        "RFC 5321 2.4: the local part of an address keeps its case",
        job(|job| {
            for to in job.to.iter_mut().chain(&mut job.cc).chain(&mut job.bcc) {
                to.address.make_ascii_lowercase();
            }
        }),
    ),
    mutant(
        "s-clear-kind-clears-all",
        "AT+SMTPRCPT=0 clears recipients of every kind",
        "smtp.rcpt.clear-kind",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"0") if is(name, "+SMTPRCPT") => extended(core, name, Form::Execute),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-clear-kind-clears-first",
        "AT+SMTPRCPT=0 clears only the first normal recipient",
        "smtp.rcpt.clear-kind",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"0") if is(name, "+SMTPRCPT") => with_values(core, name, "0,0"),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-clear-one-clears-kind",
        "AT+SMTPRCPT=0,0 clears all normal recipients",
        "smtp.rcpt.clear-one",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"0,0") if is(name, "+SMTPRCPT") => with_values(core, name, "0"),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-clear-one-does-nothing",
        "AT+SMTPRCPT=0,0 is answered with OK and clears nothing",
        "smtp.rcpt.clear-one",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"0,0") if is(name, "+SMTPRCPT") => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-clear-cc-clears-to",
        "AT+SMTPRCPT=1 clears the normal recipients",
        "smtp.rcpt.clear-cc-bcc",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"1") if is(name, "+SMTPRCPT") => with_values(core, name, "0"),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-one-recipient-of-a-kind",
        "There is room for one recipient of each kind",
        "smtp.rcpt.to-without-name",
        Firmware {
            make: |settings| settings.limits.recipients = 1,
            ..SHIPPED
        },
    ),
    mutant(
        "s-recipient-added-not-replaced",
        "A recipient that is set anew is added, and the old one still gets the mail",
        "smtp.rcpt.to",
        Firmware {
            command: |core, name, form| {
                let before = core.smtp.recipients.clone();
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPRCPT") {
                    keep_replaced(core, &before);
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-subject-of-256",
        "A subject may have no more than 256 characters",
        "smtp.subject.length",
        Firmware {
            make: |settings| settings.limits.subject /= 2,
            ..SHIPPED
        },
    ),
    mutant(
        "s-subject-cut",
        "A subject of more than 78 characters is sent cut",
        "smtp.subject.length, smtp.sub",
        job(|job| job.subject = job.subject.chars().take(78).collect()),
    ),
    mutant(
        "s-body-of-2560",
        "A body may have no more than 2560 characters",
        "smtp.body.length",
        Firmware {
            make: |settings| settings.limits.body /= 2,
            ..SHIPPED
        },
    ),
    mutant(
        "s-body-cut",
        "A body of more than 1024 characters is sent cut",
        "smtp.body.length, smtp.body",
        job(|job| job.body = job.body.chars().take(1024).collect()),
    ),
    mutant(
        "s-body-last-lost",
        "The last character of the body is not sent",
        "smtp.body",
        job(|job| {
            job.body.pop();
        }),
    ),
    mutant(
        "s-nine-files",
        "A mail may have no more than nine attachments",
        "smtp.file.count",
        Firmware {
            make: |settings| settings.limits.attachments -= 1,
            ..SHIPPED
        },
    ),
    mutant(
        "s-half-the-total",
        "Attachments may have no more than 5 MB together",
        "smtp.file.total",
        Firmware {
            make: |settings| settings.limits.attachments_total /= 2,
            ..SHIPPED
        },
    ),
    mutant(
        "s-file-from-root",
        "AT+SMTPFILE looks for files in C:/, whatever the current directory is",
        "smtp.file.current-directory",
        Firmware {
            command: |core, name, form| {
                if !is(name, "+SMTPFILE") {
                    return extended(core, name, form);
                }
                let here = std::mem::take(&mut core.directory);
                let answer = extended(core, name, form);
                core.directory = here;
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-delete-file-deletes-all",
        "AT+SMTPFILE=1 deletes all attachments",
        "smtp.file.delete-one",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"1") if is(name, "+SMTPFILE") => extended(core, name, Form::Execute),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-delete-files-does-nothing",
        "AT+SMTPFILE alone is answered with OK and deletes nothing",
        "smtp.file.delete-all",
        Firmware {
            command: |core, name, form| match form {
                Form::Execute if is(name, "+SMTPFILE") => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "s-files-reversed",
        "Attachments are sent in reverse order",
        "smtp.file.select",
        job(|job| job.attachments.reverse()),
    ),
    mutant(
        "s-second-file-lost",
        "Only the first attachment is sent",
        "smtp.file.select, rfc2045.attachment",
        job(|job| job.attachments.truncate(1)),
    ),
    mutant(
        "s-file-as-text",
        "Attachments are read as text: each line feed becomes CR LF",
        "rfc2045.attachment",
        job(|job| {
            contents(job, |octets| {
                let lines: Vec<_> = octets.split(|byte| *byte == b'\n').collect();
                lines.join(b"\r\n".as_slice())
            })
        }),
    ),
    mutant(
        "s-file-last-octet-lost",
        "Attachments lose their last octet",
        "rfc2045.attachment",
        job(|job| {
            contents(job, |mut octets| {
                octets.pop();
                octets
            })
        }),
    ),
    mutant(
        "s-file-cut-at-16k",
        "Attachments end after 16 KiB",
        "rfc2045.attachment, smtp.file.total",
        job(|job| {
            contents(job, |mut octets| {
                octets.truncate(16 * 1024);
                octets
            })
        }),
    ),
    mutant(
        "s-file-name-short",
        "Names of attachments are cut to eight characters and three",
        "rfc2045.attachment",
        job(|job| {
            for file in &mut job.attachments {
                let (stem, extension) = file.name.rsplit_once('.').unwrap_or((&file.name, ""));
                let part = |text: &str, length| text.chars().take(length).collect::<String>();
                file.name = format!("{}.{}", part(stem, 8), part(extension, 3));
            }
        }),
    ),
    mutant(
        "s-subject-with-line-end",
        "Line ends in a subject are taken and sent as they are",
        "smtp.sub, RFC 5322 2.2: a field body holds no CR LF but in folding",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if is(name, "+SMTPSUB") => {
                    let longest = core.settings.limits.subject;
                    core.smtp.subject = Values::new(values).lines(longest).map_err(|_| ERROR)?;
                    Ok(Flow::Done)
                }
                form => extended(core, name, form),
            },
            smtp: super::message::raw_subject(),
            ..SHIPPED
        },
    ),
    mutant(
        "s-body-appended",
        "AT+SMTPBODY adds to the body that was set before",
        "smtp.body",
        Firmware {
            command: |core, name, form| {
                let before = core.smtp.body.clone();
                let is_set = matches!(form, Form::Set(_));
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPBODY") && is_set {
                    core.smtp.body.insert_str(0, &before);
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
];

/// A build that changes what is to be sent.
pub(super) const fn job(change: fn(&mut Job)) -> Firmware {
    Firmware {
        job: change,
        ..SHIPPED
    }
}

/// Changes the octets of every attachment.
fn contents(job: &mut Job, change: fn(Vec<u8>) -> Vec<u8>) {
    for file in &mut job.attachments {
        let mut octets = Vec::new();
        // What cannot be read is missing then.
        let _read = file.content.reader().read_to_end(&mut octets);
        *file = Attachment::from_bytes(file.name.clone(), change(octets));
    }
}

/// Puts the addresses that were replaced at indexes that no DTE can name.
fn keep_replaced(core: &mut Core, before: &[BTreeMap<u32, Address>; 3]) {
    for (now, before) in core.smtp.recipients.iter_mut().zip(before) {
        for (index, address) in before {
            if now.get(index).is_some_and(|other| other != address) {
                now.insert(index + 1_000, address.clone());
            }
        }
    }
}
