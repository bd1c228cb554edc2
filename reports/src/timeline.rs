//! The timeline: everything that happened in one case, on one monotonic clock.
//!
//! The judge reads nothing else, so a recorded timeline can be judged again without the device.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which of the two mail protocols an event of the server side belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 5321.
    Smtp,
    /// RFC 1939.
    Pop3,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
        })
    }
}

/// One event with its time since the start of the case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Time since the start of the case.
    pub at: Duration,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Byte strings of more than a fixed budget are cut by the recorder, which then
/// says so in `omitted`; the judge never needs the cut part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The DTE sent bytes to the device, for the step with this index.
    Sent {
        /// Index into the steps of the case; `None` for the harness's own sync and probes.
        step: Option<usize>,
        /// The bytes as they went out, line end included.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
    },
    /// One read from the device, exactly as it arrived.
    Received {
        /// The bytes.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
    },
    /// A client opened a connection to one of the servers.
    Connected {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
    },
    /// One line or data group from the client to the server.
    FromClient {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
        /// The bytes, cut to the recorder's budget.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
        /// How many bytes the recorder left out after `bytes`.
        omitted: u64,
    },
    /// Bytes from the server to the client.
    FromServer {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
        /// The bytes, cut to the recorder's budget.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
        /// How many bytes the recorder left out after `bytes`.
        omitted: u64,
    },
    /// Something else on a connection: TLS started, FIN, RST, close.
    Wire {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
        /// A short phrase in plain words, such as `client closed`.
        what: String,
    },
    /// The server saw the client break a rule of its protocol.
    Lint {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
        /// Stable id of the lint, such as `smtp.bare-lf`.
        id: String,
        /// What was wrong, in one sentence.
        message: String,
    },
    /// A fault rule fired.
    Fault {
        /// Protocol of the server.
        protocol: Protocol,
        /// Number of the connection in this case, from 1.
        connection: u32,
        /// Index of the rule in the scenario.
        rule: usize,
        /// What it did.
        what: String,
    },
    /// The runner carried out the action line or the wait with this step index.
    Acted {
        /// Index into the steps of the case.
        step: usize,
        /// What was done, in plain words.
        what: String,
    },
    /// The state of both servers, taken for the checks of the step with this index.
    Snapshot {
        /// Index into the steps of the case.
        step: usize,
        /// `{"smtp": …, "pop3": …}`, as described in `docs/checks.md`.
        state: serde_json::Value,
    },
    /// The line to the device broke.
    LineLost {
        /// What the transport said.
        message: String,
        /// Whether the device is to blame: a program that ended by itself.
        #[serde(default)]
        by_device: bool,
    },
    /// Time passed and nothing else happened; closes every window that ends before it.
    Tick,
}

/// Events in the order in which they were observed; their times never decrease.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline {
    /// The events.
    pub events: Vec<Event>,
}

/// Byte strings are written as text with `\xNN` for all that is not printable ASCII, so that a
/// person can read the evidence file and a machine gets the very bytes back.
pub(crate) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&bytes.escape_ascii())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        unescape(&text).ok_or_else(|| D::Error::custom(format!("bad escape in {text:?}")))
    }

    /// Undoes `u8::escape_ascii`.
    fn unescape(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            out.push(match rest.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                quoted @ (b'\\' | b'\'' | b'"') => quoted,
                _ => return None,
            });
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_evidence_file() {
        let kind = EventKind::Received {
            bytes: (0..=255).collect(),
        };
        let event = Event {
            at: Duration::from_millis(5),
            kind,
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
