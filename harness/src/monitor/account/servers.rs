//! The state of the servers at the end of a case, as far as monitors need it; the members are
//! those of `docs/checks.md` and `docs/checks-pop3.md`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Both servers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Servers {
    /// The SMTP server.
    pub smtp: Smtp,
    /// The POP3 server.
    pub pop3: Pop3,
}

/// The SMTP server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Smtp {
    /// In the order of the connections.
    pub sessions: Vec<SmtpSession>,
    /// In the order of their delivery.
    pub delivered: Vec<Message>,
    /// Sessions that were not kept.
    pub sessions_omitted: u64,
    /// Messages that were not kept.
    pub delivered_omitted: u64,
}

/// One SMTP session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SmtpSession {
    /// Number of the connection, from 1.
    pub id: u32,
    /// How it ended; `None` while it lasts.
    pub closed_by: Option<String>,
    /// Who is logged in.
    pub user: Option<String>,
    /// Mechanism of the last attempt that came to a verdict.
    pub mechanism: Option<String>,
    /// Every command and authentication line, passwords included; not the message.
    pub commands: Vec<String>,
    /// The commands that the server knows, in capitals.
    pub verbs: Vec<String>,
    /// What the client was really told.
    pub replies: Vec<String>,
    /// Whether QUIT was sent.
    pub quit: bool,
    /// Rules that the client broke.
    pub lints: Vec<Lint>,
    /// Lines that were not kept.
    pub omitted: u64,
}

/// A delivered message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Number of its connection.
    pub session: u32,
    /// Seconds since the server was made.
    pub at: f64,
    /// The reverse-path.
    pub from: String,
    /// The accepted forward-paths.
    pub recipients: Vec<String>,
    /// Octets.
    pub size: u64,
    /// Names in lower case, values unfolded and decoded.
    pub headers: BTreeMap<String, String>,
    /// All fields in order, unfolded, not decoded.
    pub header_lines: Vec<String>,
    /// The text part.
    pub body: String,
    /// As it came, at most 64 KiB.
    pub raw: String,
    /// Files.
    pub attachments: Vec<Attachment>,
}

/// A file in a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
}

/// A rule that a client broke.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Lint {
    /// Stable id.
    pub id: String,
    /// One sentence.
    pub message: String,
}

/// The POP3 server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pop3 {
    /// In the order of the connections.
    pub sessions: Vec<Pop3Session>,
    /// What the accounts have now.
    pub mailboxes: BTreeMap<String, Vec<Mail>>,
    /// Every message that a session removed, oldest first.
    pub removed: Vec<Removal>,
}

/// One POP3 session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pop3Session {
    /// Number of the connection, from 1.
    pub id: u32,
    /// How it ended; `None` while it lasts.
    pub closed_by: Option<String>,
    /// Who is logged in.
    pub user: Option<String>,
    /// Every line as it was sent.
    pub commands: Vec<String>,
    /// The keywords among them, in capitals.
    pub verbs: Vec<String>,
    /// What the client was really told: the greeting, then a status line for each line.
    pub replies: Vec<String>,
    /// Whether QUIT was sent.
    pub quit: bool,
    /// `authorization`, `transaction`, `update`.
    pub state: String,
    /// The messages that went out whole.
    pub retrieved: Vec<u64>,
    /// The messages marked at the end.
    pub deleted: Vec<u64>,
    /// Rules that the client broke.
    pub lints: Vec<Lint>,
    /// Lines that were not kept.
    pub omitted: u64,
}

/// A message in a mailbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// Its unique id.
    pub uid: String,
    /// Octets.
    pub size: u64,
}

/// A message that a session removed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Removal {
    /// Whose it was.
    pub user: String,
    /// Its unique id.
    pub uid: String,
    /// Number of the connection.
    pub session: u32,
}
