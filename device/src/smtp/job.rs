//! What is to be sent, and where to.

use std::fmt;
use std::io::{Cursor, Read};

/// One e-mail with its way to the server.
#[derive(Debug)]
pub struct Job {
    /// Host name or address of the server (`AT+SMTPSRV`).
    pub server: String,
    /// Port of the server.
    pub port: u16,
    /// User name and password, if `AT+SMTPAUTH=1`.
    pub auth: Option<Credentials>,
    /// The sender (`AT+SMTPFROM`).
    pub from: Address,
    /// Recipients of kind 0.
    pub to: Vec<Address>,
    /// Recipients of kind 1.
    pub cc: Vec<Address>,
    /// Recipients of kind 2; they never appear in the header.
    pub bcc: Vec<Address>,
    /// The subject, as set; characters that cannot stand in a header are encoded or left out.
    pub subject: String,
    /// The text, as set; any line end becomes CR LF.
    pub body: String,
    /// Attachments, in the order in which they are sent.
    pub attachments: Vec<Attachment>,
    /// The real time clock with its time zone (`AT+CCLK`), for the `Date` field.
    pub date: jiff::Zoned,
    /// Counts the sends since power-up, so that two equal mails in one second do not get the same
    /// `Message-ID`.
    pub serial: u32,
}

impl Job {
    /// Every recipient: To, then Cc, then Bcc.
    pub fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// User name and password for `AUTH`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A mailbox: address and display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address, `local@domain`.
    pub address: String,
    /// The display name; empty if none was set.
    pub name: String,
}

impl Address {
    /// An address with its display name (empty for none).
    pub fn new(address: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: name.into(),
        }
    }

    /// Whether it can stand in a `MAIL` or `RCPT` command at all: printable ASCII, and outside a
    /// quoted local part neither space nor angle bracket (RFC 5321 section 4.1.2).
    pub fn is_transmissible(&self) -> bool {
        let mut quoted = false;
        let mut escaped = false;
        for character in self.address.chars() {
            if escaped {
                escaped = false;
            } else {
                match character {
                    '\\' if quoted => escaped = true,
                    '"' => quoted = !quoted,
                    ' ' | '<' | '>' if !quoted => return false,
                    _ => {}
                }
            }
            if !(' '..='~').contains(&character) {
                return false;
            }
        }
        !self.address.is_empty() && !quoted
    }
}

/// A file that is sent along.
#[derive(Debug)]
pub struct Attachment {
    /// The file name without directories.
    pub name: String,
    /// Its size in octets, for `SIZE=`.
    pub size: u64,
    /// Where its octets come from.
    pub content: Content,
}

impl Attachment {
    /// An attachment that is in memory.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        let content = Content(Box::new(Cursor::new(bytes)));
        Self {
            name: name.into(),
            size,
            content,
        }
    }

    /// An attachment of `size` octets that is read in small steps while it is sent. Reads happen
    /// on the runtime thread, so `reader` is to be a local file or memory.
    pub fn from_reader(
        name: impl Into<String>,
        size: u64,
        reader: impl Read + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            size,
            content: Content(Box::new(reader)),
        }
    }
}

/// The octets of an attachment.
pub struct Content(Box<dyn Read + Send + Sync>);

impl Content {
    /// Reads them.
    pub(crate) fn reader(&mut self) -> &mut dyn Read {
        &mut *self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content")
    }
}
