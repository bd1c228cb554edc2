//! A message is one by RFC 5322 and MIME, as far as the server has no lint for it.

use super::account::{Account, Argument, Connection, Exchange, Kind, Message};
use super::context::{connections_of, margin, murky, said};
use super::{Basis, Found, Monitor};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::Offset;
use mail_parser::{MessageParser, MimeHeaders};
use std::time::Duration;

pub(super) const MONITORS: &[Monitor] = &[
    Monitor {
        id: "message.date",
        about: "writes a Date that can be read",
        basis: Basis::Document("RFC 5322 3.3"),
        watch: date,
    },
    Monitor {
        id: "message.clock",
        about: "dates an e-mail by its clock and time zone",
        basis: Basis::Clause("smtp.header.date"),
        watch: clock,
    },
    Monitor {
        id: "message.ascii",
        about: "writes header fields of ASCII, and encoded words of 75 characters at most",
        basis: Basis::Document("RFC 5322 2.2, RFC 2047 2"),
        watch: fields,
    },
    Monitor {
        id: "message.encoding",
        about: "encodes each part as it says",
        basis: Basis::Document("RFC 2045 6"),
        watch: encoding,
    },
];

/// A delivered message, the exchange that asked for it, its connection, and the event of its end.
struct Letter<'a> {
    message: &'a Message,
    exchange: &'a Exchange,
    event: usize,
    /// When it was finished.
    at: Duration,
}

fn letters<'a>(account: &'a Account<'_>) -> Vec<Letter<'a>> {
    let mut all = Vec::new();
    for sending in account.sendings() {
        let Some(exchange) = account.exchanges.get(sending.exchange) else {
            continue;
        };
        for connection in connections_of(account, &sending) {
            let (event, at) = finished(account, connection);
            let delivered = account.servers.smtp.delivered.iter();
            let of_it = delivered.filter(|m| m.session == connection.number);
            all.extend(of_it.map(|message| Letter {
                message,
                exchange,
                event,
                at,
            }));
        }
    }
    all
}

fn finished(account: &Account<'_>, connection: &Connection) -> (usize, Duration) {
    let lines = said(account, connection);
    let dot = lines.iter().rfind(|line| line.text == ".");
    dot.map_or((connection.event, account.end()), |line| {
        (line.event, line.at)
    })
}

/// What stands in its first field of this name.
fn field<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.header_lines.iter().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim())
    })
}

fn date(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for letter in letters(account) {
        let Some(date) = field(letter.message, "Date") else {
            continue;
        };
        if rfc2822::parse(date).is_err() {
            found.push(Found::new(
                letter.event,
                format!("`Date: {date}` is no date"),
            ));
        }
    }
    found
}

/// What `AT+CCLK="yy/MM/dd,hh:mm:ss±zz"` sets; the zone in quarters of an hour.
fn clock_setting(text: &str) -> Option<(DateTime, Option<Offset>)> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let marks = [(2, '/'), (5, '/'), (8, ','), (11, ':'), (14, ':')];
    if !marks
        .iter()
        .all(|(at, mark)| text.get(*at..).is_some_and(|rest| rest.starts_with(*mark)))
    {
        return None;
    }
    let date = DateTime::new(
        2000 + i16::from(number(0..2)?),
        number(3..5)?,
        number(6..8)?,
        number(9..11)?,
        number(12..14)?,
        number(15..17)?,
        0,
    );
    let zone = match text.get(17..)? {
        "" => None,
        zone => {
            let quarters: i32 = zone.parse().ok()?;
            Some(Offset::from_seconds(quarters.checked_mul(15 * 60)?).ok()?)
        }
    };
    Some((date.ok()?, zone))
}

/// How far a clock of seconds may be off, with the time that a command takes.
const CLOCK: i64 = 3;

fn clock(account: &Account<'_>) -> Vec<Found> {
    let networked = account.lines.iter().any(|line| {
        let text = String::from_utf8_lossy(account.text(line));
        line.kind == Kind::Network && (text.contains("NITZ") || text.contains("CTZV"))
    });
    let restarted = account.events.iter().any(|event| {
        matches!(&event.kind, urcheck_reports::EventKind::Acted { what, .. } if what.contains("power") || what.contains("reset"))
    });
    if networked || restarted || murky(account) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for letter in letters(account) {
        let mut before = account
            .exchanges
            .iter()
            .filter(|e| e.event < letter.exchange.event);
        let sets = |exchange: &&Exchange| {
            let mut commands = exchange.commands();
            commands.any(|c| c.name == "+CCLK" && !c.arguments().is_empty())
        };
        let Some(set) = before.rfind(sets) else {
            continue;
        };
        let argument = set
            .command
            .as_ref()
            .and_then(|line| line.only()?.arguments().first());
        let Some(Argument::Quoted(bytes)) = argument.filter(|_| account.result(set) == Some(true))
        else {
            continue;
        };
        let setting = std::str::from_utf8(bytes).ok().and_then(clock_setting);
        let parsed = field(letter.message, "Date").and_then(|date| rfc2822::parse(date).ok());
        let (Some((start, zone)), Some(date)) = (setting, parsed) else {
            continue;
        };
        // Without a zone only the hands of the clock are known, and universal time shows others.
        if zone.is_none() && date.offset() == Offset::UTC {
            continue;
        }
        let (Ok(start), Ok(shown)) = (
            zone.unwrap_or(Offset::UTC).to_timestamp(start),
            match zone {
                Some(_) => Ok(date.timestamp()),
                None => Offset::UTC.to_timestamp(date.datetime()),
            },
        ) else {
            continue;
        };
        let passed =
            |at: Duration| i64::try_from(at.saturating_sub(set.at).as_secs()).unwrap_or(i64::MAX);
        let slack = CLOCK + i64::try_from(margin(account).as_secs()).unwrap_or(0);
        let since = seconds(shown).saturating_sub(seconds(start));
        let text = field(letter.message, "Date").unwrap_or_default();
        if since < passed(letter.exchange.at) - slack || since > passed(letter.at) + slack {
            let message = format!("`Date: {text}` is {since} s after what the clock was set to");
            let due = format!(
                "the e-mail was sent {} s after that",
                passed(letter.exchange.at)
            );
            found.push(Found {
                details: vec![due],
                ..Found::new(letter.event, message)
            });
        } else if zone.is_some_and(|zone| ![zone, Offset::UTC].contains(&date.offset())) {
            // The same moment in universal time is right by RFC 5322 3.3, which prefers local time.
            let message =
                format!("`Date: {text}` is not in the time zone that the clock was set to");
            found.push(Found::new(letter.event, message));
        }
    }
    found
}

fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

fn fields(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for letter in letters(account) {
        for line in &letter.message.header_lines {
            let name = line.split(':').next().unwrap_or_default();
            if !line.is_ascii() {
                let message = format!("the field {name} has characters that are not ASCII");
                found.push(Found::new(letter.event, message));
            }
            let long = line
                .split_whitespace()
                .find(|word| word.starts_with("=?") && word.ends_with("?=") && word.len() > 75);
            if let Some(word) = long {
                let message = format!("an encoded word in {name} has {} characters", word.len());
                found.push(Found::new(letter.event, message));
            }
        }
    }
    found
}

fn encoding(account: &Account<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for letter in letters(account) {
        let raw = letter.message.raw.as_bytes();
        // Of a long message only the beginning is kept.
        let whole = u64::try_from(raw.len()) == Ok(letter.message.size);
        let Some(parsed) = MessageParser::default().parse(raw).filter(|_| whole) else {
            continue;
        };
        for part in &parsed.parts {
            let said = part.content_transfer_encoding().unwrap_or("7bit");
            let body = raw
                .get(part.offset_body as usize..part.offset_end as usize)
                .unwrap_or_default();
            if let Some(wrong) =
                wrong_encoding(&said.trim().to_ascii_lowercase(), body, part.is_multipart())
            {
                found.push(Found::new(letter.event, wrong));
            }
        }
    }
    found
}

/// What is wrong with a part that says that it is encoded so.
fn wrong_encoding(said: &str, body: &[u8], multipart: bool) -> Option<String> {
    match said {
        "7bit" => (!body.is_ascii()).then(|| "a part in 7bit has octets above 127".to_owned()),
        "8bit" | "binary" => None,
        _ if multipart => Some(format!("a multipart says that it is encoded in {said}")),
        "quoted-printable" => {
            let long = body
                .split(|&byte| byte == b'\n')
                .map(<[u8]>::trim_ascii_end);
            let long = long.map(<[u8]>::len).find(|length| *length > 76);
            long.map(|length| format!("a line of quoted-printable has {length} characters"))
        }
        "base64" => {
            let lines = body.split(|&byte| byte == b'\n');
            let lines: Vec<&[u8]> = lines.map(<[u8]>::trim_ascii_end).collect();
            if let Some(long) = lines.iter().find(|line| line.len() > 76) {
                return Some(format!("a line of base64 has {} characters", long.len()));
            }
            let octets = lines.concat();
            let broken = BASE64_STANDARD.decode(octets).err();
            broken.map(|error| format!("a part in base64 cannot be decoded: {error}"))
        }
        other => Some(format!(
            "a part is encoded in {other:?}, which MIME does not know"
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use rstest::rstest;
    use serde_json::{Value, json};
    use urcheck_reports::Protocol::Smtp;

    fn sent(story: Story, message: Value) -> Story {
        story
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .client(Smtp, 1, ".")
            .says("OK")
            .state(json!({"smtp": {"delivered": [message]}}))
    }

    #[rstest]
    #[case("Fri, 21 Feb 2014 10:20:30 +0800", 0)]
    #[case("21 Feb 2014 10:20 +0000", 0)]
    #[case("2014-02-21 10:20:30", 1)]
    #[case("Mon, 21 Feb 2014 10:20:30 +0800", 1)]
    #[case("Fri, 31 Feb 2014 10:20:30 +0800", 1)]
    fn dates(#[case] date: &str, #[case] count: usize) {
        let message = json!({"session": 1, "header_lines": [format!("Date: {date}")]});
        let story = sent(Story::new(), message);
        assert_eq!(story.found("message.date").len(), count);
    }

    #[rstest]
    #[case::right("14/02/21,10:20:30+32", "Fri, 21 Feb 2014 10:21:30 +0800", 0)]
    #[case::stopped("14/02/21,10:20:30+32", "Fri, 21 Feb 2014 10:20:30 +0800", 1)]
    #[case::another_day("14/02/21,10:20:30+32", "Sat, 22 Feb 2014 10:21:30 +0800", 1)]
    #[case::universal_time("14/02/21,10:20:30+32", "Fri, 21 Feb 2014 02:21:30 +0000", 0)]
    #[case::another_zone("14/02/21,10:20:30+32", "Fri, 21 Feb 2014 03:21:30 +0100", 1)]
    #[case::zone_forgotten("14/02/21,10:20:30+32", "Fri, 21 Feb 2014 10:21:30 +0000", 1)]
    #[case::west("14/02/21,10:20:30-20", "Fri, 21 Feb 2014 10:21:30 -0500", 0)]
    #[case::without_zone("14/02/21,10:20:30", "Fri, 21 Feb 2014 10:21:30 +0100", 0)]
    #[case::without_zone_stopped("14/02/21,10:20:30", "Fri, 21 Feb 2014 10:20:30 +0100", 1)]
    #[case::without_zone_universal("14/02/21,10:20:30", "Fri, 21 Feb 2014 09:21:30 +0000", 0)]
    #[case::unreadable("soon", "Fri, 21 Feb 2014 10:21:30 +0100", 0)]
    fn clocks(#[case] set: &str, #[case] date: &str, #[case] count: usize) {
        let message = json!({"session": 1, "header_lines": [format!("Date: {date}")]});
        let story = Story::new().send(&format!("AT+CCLK=\"{set}\"")).says("OK");
        let story = sent(story.after(60.0), message);
        assert_eq!(story.found("message.clock").len(), count);
    }

    #[rstest]
    #[case("Subject: plain", 0)]
    #[case("Subject: =?utf-8?q?short?= =?utf-8?q?short?=", 0)]
    #[case("Subject: gr\u{fc}n", 1)]
    #[case(
        "Subject: =?utf-8?q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=",
        1
    )]
    fn header_fields(#[case] line: &str, #[case] count: usize) {
        let story = sent(Story::new(), json!({"session": 1, "header_lines": [line]}));
        assert_eq!(story.found("message.ascii").len(), count);
    }

    #[rstest]
    #[case::plain("", "hello\r\n".to_owned(), 0)]
    #[case::seven("", "gr\u{fc}n\r\n".to_owned(), 1)]
    #[case::eight("8bit", "gr\u{fc}n\r\n".to_owned(), 0)]
    #[case::base64("base64", "aGVsbG8=\r\n".to_owned(), 0)]
    #[case::broken("base64", "aGVsbG8\r\n".to_owned(), 1)]
    #[case::long("base64", "aGVs".repeat(20), 1)]
    #[case::printable("quoted-printable", "a=\r\n".to_owned(), 0)]
    #[case::printable_long("quoted-printable", "a".repeat(80), 1)]
    #[case::unknown("rot13", "uryyb\r\n".to_owned(), 1)]
    fn encodings(#[case] said: &str, #[case] body: String, #[case] count: usize) {
        let said = match said {
            "" => String::new(),
            said => format!("Content-Transfer-Encoding: {said}\r\n"),
        };
        let raw = format!("MIME-Version: 1.0\r\n{said}\r\n{body}");
        let message = json!({"session": 1, "size": raw.len(), "raw": raw});
        assert_eq!(
            sent(Story::new(), message).found("message.encoding").len(),
            count
        );
        let cut = json!({"session": 1, "size": raw.len() + 1, "raw": raw});
        assert!(sent(Story::new(), cut).found("message.encoding").is_empty());
    }
}
