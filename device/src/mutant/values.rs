//! Values that are cut, mixed up or misread between the AT command and the e-mail.

use super::message::message;
use super::smtp::job;
use super::tools::{is, rewritten, with_field, with_values};
use super::{Mutant, mutant};
use crate::at::syntax::Form;
use crate::command::extended;
use crate::firmware::{Firmware, SHIPPED};
use crate::smtp::{Address, Job};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Zoned};

/// A build that takes some values of a command for others.
macro_rules! values {
    ($command:literal, $from:literal => $to:literal) => {
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if is(name, $command) && values == $from.as_bytes() => {
                    with_values(core, name, $to)
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        }
    };
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "s-password-cut",
        "A password has room for 31 characters, the rest is lost",
        "smtp.auth.on, SIM5320 manual 18.1.2: up to 127 characters",
        job(|job| {
            if let Some(login) = &mut job.auth {
                login.password.truncate(31);
            }
        }),
    ),
    mutant(
        "s-user-cut",
        "A user name has room for 63 characters, the rest is lost",
        "smtp.auth.on, SIM5320 manual 18.1.2: up to 127 characters",
        job(|job| {
            if let Some(login) = &mut job.auth {
                login.user.truncate(63);
            }
        }),
    ),
    mutant(
        "s-address-cut",
        "An address has room for 63 characters, the rest is lost",
        "smtp.rcpt.to, SIM5320 manual 18.1.4: up to 127 characters",
        job(|job| all(job).for_each(|one| one.address.truncate(63))),
    ),
    mutant(
        "s-name-cut",
        "A name has room for 31 characters, the rest is lost",
        "smtp.from, smtp.rcpt.to, SIM5320 manual 18.1.4: up to 63 characters",
        job(|job| all(job).for_each(|one| one.name.truncate(31))),
    ),
    mutant(
        "s-one-name-for-all",
        "Every recipient with a name gets that of the first one",
        "smtp.rcpt.to, smtp.header",
        job(|job| {
            let name = job.to.first().map(|first| first.name.clone());
            for one in job.to.iter_mut().chain(&mut job.cc) {
                if let Some(name) = name.clone().filter(|_| !one.name.is_empty()) {
                    one.name = name;
                }
            }
        }),
    ),
    mutant(
        "s-text-is-format",
        "Subject and body are taken for formats of the C library",
        "smtp.sub, smtp.body",
        job(|job| {
            for text in [&mut job.subject, &mut job.body] {
                *text = text.replace("%%", "%").replace("%s", "(null)");
            }
        }),
    ),
    mutant(
        "s-clear-second-clears-first",
        "AT+SMTPRCPT=0,1 clears the first normal recipient",
        "smtp.rcpt.clear-one",
        values!("+SMTPRCPT", "0,1" => "0,0"),
    ),
    mutant(
        "s-delete-second-deletes-first",
        "AT+SMTPFILE=2 deletes the first attachment",
        "smtp.file.delete-one",
        values!("+SMTPFILE", "2" => "1"),
    ),
    mutant(
        "s-date-of-twelve-hours",
        "The Date field shows the hours of the afternoon from 1 to 11",
        "smtp.header.date",
        job(|job| {
            if job.date.hour() > 12 {
                job.date = &job.date - SignedDuration::from_hours(12);
            }
        }),
    ),
    mutant(
        "s-zone-in-whole-hours",
        "The Date field shows the zone without its minutes",
        "smtp.header.date",
        job(|job| zone(job, |seconds| seconds / 3600 * 3600)),
    ),
    mutant(
        "s-zone-without-sign",
        "The Date field shows zones west of Greenwich as if they were east of it",
        "smtp.header.date",
        job(|job| zone(job, i32::abs)),
    ),
    mutant(
        "s-weekday-after-leap-day",
        "From March of a leap year the weekday is that of the day before",
        "smtp.header.date, RFC 5322 3.3",
        message(|job, files| {
            let leaps = job.date.in_leap_year() && job.date.month() > 2;
            rewritten(job, files, |text| match leaps {
                true => with_field(text, "Date", &date_of_day_before(&job.date)),
                false => text.to_owned(),
            })
        }),
    ),
    mutant(
        "s-message-id-constant",
        "Every message has the same Message-ID",
        "RFC 5322 3.6.4: a Message-ID is unique",
        message(|job, files| {
            rewritten(job, files, |text| {
                with_field(text, "Message-ID", "Message-ID: <1@module>\r\n")
            })
        }),
    ),
    mutant(
        "s-encoded-word-splits-character",
        "A long subject that is not ASCII is encoded in words of 31 octets, whatever character that cuts",
        "RFC 2047 5: a multi-octet character must not be split",
        message(|job, files| {
            rewritten(job, files, |text| {
                let words = job.subject.as_bytes().chunks(31);
                let words =
                    words.map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
                let subject = words.collect::<Vec<_>>().join("\r\n ");
                match job.subject.is_ascii() {
                    true => text.to_owned(),
                    false => with_field(text, "Subject", &format!("Subject: {subject}\r\n")),
                }
            })
        }),
    ),
    mutant(
        "s-name-with-comma-bare",
        "Names stand in the header without quotes, whatever signs they have",
        "RFC 5322 3.2.3, 3.2.5: a comma in a phrase must be quoted",
        message(|job, files| {
            let names: Vec<_> = std::iter::once(&job.from)
                .chain(job.recipients())
                .map(|one| one.name.clone())
                .collect();
            rewritten(job, files, |text| {
                names.iter().fold(text.to_owned(), |text, name| {
                    text.replace(&format!("\"{name}\" <"), &format!("{name} <"))
                })
            })
        }),
    ),
];

/// Sender and recipients.
fn all(job: &mut Job) -> impl Iterator<Item = &mut Address> {
    std::iter::once(&mut job.from)
        .chain(&mut job.to)
        .chain(&mut job.cc)
        .chain(&mut job.bcc)
}

/// The same hands of the clock, in another zone.
fn zone(job: &mut Job, change: fn(i32) -> i32) {
    let offset = Offset::from_seconds(change(job.date.offset().seconds()));
    let date = offset.and_then(|offset| job.date.datetime().to_zoned(TimeZone::fixed(offset)));
    // What cannot be is left as it was.
    if let Ok(date) = date {
        job.date = date;
    }
}

fn date_of_day_before(date: &Zoned) -> String {
    let before = date - SignedDuration::from_hours(24);
    let weekday = before.strftime("%a");
    date.strftime(&format!("Date: {weekday}, %d %b %Y %H:%M:%S %z\r\n"))
        .to_string()
}
