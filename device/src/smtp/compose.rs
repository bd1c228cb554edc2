//! The message as it goes to the server (RFC 5322, RFC 2045, RFC 2047, RFC 2231).
//!
//! Written by hand rather than with a library, because the same job must always give the same
//! octets, a plain body must go out as it was set, and attachments must flow through in small
//! steps. Line ends are CR LF, lines have at most 998 octets; dot-stuffing comes later.

use super::encode::{self, BodyText};
use super::job::Attachment;
use super::{Address, Job};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use std::collections::VecDeque;
use std::io;

/// Octets of an attachment on one line: 76 characters of base64.
const LINE_OCTETS: u64 = 57;

/// Octets of an attachment that are read at once.
const STEP: usize = LINE_OCTETS as usize * 256;

/// A composed message, read from front to back.
#[derive(Debug)]
pub struct Message {
    pieces: VecDeque<Piece>,
    size: u64,
}

#[derive(Debug)]
enum Piece {
    Octets(Vec<u8>),
    File { file: Attachment, left: u64 },
}

impl Message {
    /// Composes the message of `job`; `attachments` are the job's own, taken out of it.
    ///
    /// # Errors
    ///
    /// If the date cannot be written (RFC 5322 knows no years before 0).
    pub fn new(job: &Job, attachments: Vec<Attachment>) -> Result<Self, jiff::Error> {
        let digest = digest(job, &attachments);
        let mut head = header(job, &digest)?;
        let text = BodyText::new(&job.body);
        if attachments.is_empty() {
            part_header(&text, &mut head);
            head.extend_from_slice(&text.octets);
            if !text.octets.is_empty() && !text.octets.ends_with(b"\r\n") {
                head.extend_from_slice(b"\r\n");
            }
            return Ok(Self::written(head));
        }
        let boundary = boundary(&digest, &text.octets);
        let opening = format!(
            "Content-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        );
        head.extend_from_slice(opening.as_bytes());
        part_header(&text, &mut head);
        head.extend_from_slice(&text.octets);
        let mut message = Self::written(head);
        for file in attachments {
            let (kind, disposition) = encode::file_name_parameters(&file.name);
            let opening = format!(
                "\r\n--{boundary}\r\nContent-Type: application/octet-stream{kind}\r\n\
                 Content-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment{disposition}\r\n\r\n"
            );
            message.push(Piece::Octets(opening.into_bytes()));
            message.push(Piece::File {
                left: file.size,
                file,
            });
        }
        message.push(Piece::Octets(
            format!("\r\n--{boundary}--\r\n").into_bytes(),
        ));
        Ok(message)
    }

    /// A message that is written already.
    pub(crate) fn written(octets: Vec<u8>) -> Self {
        let mut message = Self {
            pieces: VecDeque::new(),
            size: 0,
        };
        message.push(Piece::Octets(octets));
        message
    }

    /// Octets of the whole message, before dot-stuffing (RFC 1870 section 3).
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the next octets to `out`; `false` once there are none left.
    ///
    /// # Errors
    ///
    /// If an attachment cannot be read, or ends before its size.
    pub fn read_chunk(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        match self.pieces.pop_front() {
            None => return Ok(false),
            Some(Piece::Octets(octets)) => out.extend_from_slice(&octets),
            Some(Piece::File { mut file, left }) => {
                let due = usize::try_from(left).unwrap_or(STEP).min(STEP);
                let mut octets = vec![0_u8; due];
                file.content.reader().read_exact(&mut octets)?;
                for line in octets.chunks(LINE_OCTETS as usize) {
                    out.extend_from_slice(BASE64_STANDARD.encode(line).as_bytes());
                    out.extend_from_slice(b"\r\n");
                }
                let left = left.saturating_sub(due as u64);
                if left > 0 {
                    self.pieces.push_front(Piece::File { file, left });
                }
            }
        }
        Ok(true)
    }

    fn push(&mut self, piece: Piece) {
        self.size = self.size.saturating_add(match &piece {
            Piece::Octets(octets) => octets.len() as u64,
            Piece::File { left, .. } => 4 * left.div_ceil(3) + 2 * left.div_ceil(LINE_OCTETS),
        });
        self.pieces.push_back(piece);
    }
}

fn header(job: &Job, digest: &str) -> Result<Vec<u8>, jiff::Error> {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().zoned_to_string(&job.date)?;
    let mut head = format!("Date: {date}\r\nFrom: {}\r\n", encode::mailbox(&job.from));
    let mut list = |name: &str, addresses: &[Address]| {
        if !addresses.is_empty() {
            let boxes: Vec<_> = addresses.iter().map(encode::mailbox).collect();
            head.push_str(&format!("{name}: {}\r\n", boxes.join(",\r\n ")));
        }
    };
    list("To", &job.to);
    list("Cc", &job.cc);
    if job.to.is_empty() && job.cc.is_empty() {
        // Readers of the older RFC 822 want a destination field; Bcc must not be one.
        head.push_str("To: undisclosed-recipients:;\r\n");
    }
    head.push_str(&format!(
        "Subject: {}\r\n",
        encode::unstructured(&job.subject)
    ));
    head.push_str(&format!("Message-ID: <{}>\r\n", message_id(job, digest)));
    head.push_str("MIME-Version: 1.0\r\n");
    Ok(head.into_bytes())
}

fn part_header(text: &BodyText, out: &mut Vec<u8>) {
    let fields = format!(
        "Content-Type: text/plain; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n",
        text.charset, text.transfer_encoding
    );
    out.extend_from_slice(fields.as_bytes());
}

fn message_id(job: &Job, digest: &str) -> String {
    let domain = job
        .from
        .address
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain);
    let domain: String = domain
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-'))
        .take(255)
        .collect();
    let domain = if domain.is_empty() {
        "localhost"
    } else {
        domain.trim_matches('.')
    };
    format!("{}.{digest}@{domain}", job.date.strftime("%Y%m%d%H%M%S"))
}

/// A boundary that does not occur in `text`. Base64 lines cannot hold it, for its underscore.
fn boundary(digest: &str, text: &[u8]) -> String {
    let mut boundary = format!("=_{digest}");
    while text
        .windows(boundary.len())
        .any(|window| window == boundary.as_bytes())
    {
        boundary.push('_');
    }
    boundary
}

/// 32 hexadecimal digits that differ for different jobs.
fn digest(job: &Job, attachments: &[Attachment]) -> String {
    let mut hash = Md5::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(job.date.to_string().as_bytes());
    add(&job.serial.to_be_bytes());
    for address in std::iter::once(&job.from).chain(job.recipients()) {
        add(address.address.as_bytes());
    }
    add(job.subject.as_bytes());
    add(job.body.as_bytes());
    for file in attachments {
        add(file.name.as_bytes());
        add(&file.size.to_be_bytes());
    }
    format!("{:032x}", u128::from_be_bytes(hash.finalize().into()))
}
