//! Maildrops: what a POP3 server keeps for its users, and who has one open.
//!
//! A maildrop is locked by one session at a time, and messages leave it only through
//! [`Lease::remove`], which a server calls in the UPDATE state (RFC 1939 section 6). Whoever drops a
//! lease without that call has removed nothing. The store keeps a history of removals, because a
//! message that vanished without being asked for is the worst fault a POP3 client can have.
//!
//! Knows nothing of the protocol that is spoken over it.

use mail_parser::MessageParser;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Only this much of a message is looked at for its subject and sender, in octets.
const HEADER_LIMIT: usize = 256 * 1024;

/// A message at rest. Cloning it shares the octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    uid: String,
    octets: Arc<Vec<u8>>,
    subject: String,
    from: String,
}

impl Mail {
    fn new(octets: Arc<Vec<u8>>, ordinal: u64) -> Mail {
        let mut uid = format!("{ordinal}.");
        for byte in Sha256::digest(octets.as_slice()).iter().take(8) {
            // Writing to a string cannot fail.
            let _ = write!(uid, "{byte:02x}");
        }
        let header = octets.get(..HEADER_LIMIT).unwrap_or(&octets);
        let parsed = MessageParser::default().parse_headers(header);
        let subject = parsed
            .as_ref()
            .and_then(|m| m.subject())
            .unwrap_or_default()
            .to_owned();
        let from = parsed
            .as_ref()
            .and_then(|m| m.from()?.first()?.address())
            .unwrap_or_default()
            .to_owned();
        Mail {
            uid,
            octets,
            subject,
            from,
        }
    }

    /// The unique-id of RFC 1939 section 7: 1 to 70 characters of 0x21 to 0x7E, never used again in
    /// the same maildrop.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The message as it is delivered, without stuffing. Ends with CRLF unless it is empty.
    #[must_use]
    pub fn octets(&self) -> &Arc<Vec<u8>> {
        &self.octets
    }

    /// The exact size in octets: a line end counts as two (RFC 1939 section 11).
    #[must_use]
    pub fn size(&self) -> usize {
        self.octets.len()
    }

    /// The decoded subject, empty if there is none.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The first address of the `From` field, empty if there is none.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }
}

/// A message that a session has removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// Whose maildrop it was in.
    pub user: String,
    /// The message's unique-id.
    pub uid: String,
    /// The message's subject.
    pub subject: String,
    /// Number of the session that removed it.
    pub session: u64,
    /// When, counted from the making of the server.
    pub at: Duration,
}

/// Another session has the maildrop open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("maildrop of {user:?} is open in session {session}")]
pub struct InUse {
    /// Whose maildrop.
    pub user: String,
    /// The session that holds the lock.
    pub session: u64,
}

/// The maildrops of all users. Cloning it gives another handle to the same store.
#[derive(Clone, Debug, Default)]
pub struct Maildrops(Arc<Mutex<Store>>);

#[derive(Debug, Default)]
struct Store {
    drops: BTreeMap<String, Maildrop>,
    removed: Vec<Removal>,
}

#[derive(Debug, Default)]
struct Maildrop {
    mails: Vec<Mail>,
    delivered: u64,
    locked_by: Option<u64>,
}

impl Maildrops {
    /// An empty store.
    #[must_use]
    pub fn new() -> Maildrops {
        Maildrops::default()
    }

    /// Puts a message into the user's maildrop, which is made if it is new, and gives the
    /// message's unique-id. A last line without CRLF is completed, because RFC 1939 section 3
    /// cannot deliver it otherwise. An open session does not see the message.
    pub fn deliver(&self, user: &str, message: impl Into<Arc<Vec<u8>>>) -> String {
        let mut octets: Arc<Vec<u8>> = message.into();
        if !octets.is_empty() && !octets.ends_with(b"\r\n") {
            Arc::make_mut(&mut octets).extend_from_slice(b"\r\n");
        }
        let ordinal = {
            let mut store = self.store();
            let drop = store.drops.entry(user.to_owned()).or_default();
            drop.delivered += 1;
            drop.delivered
        };
        // Hashing and parsing happen outside the lock.
        let mail = Mail::new(octets, ordinal);
        let uid = mail.uid.clone();
        let mut store = self.store();
        store
            .drops
            .entry(user.to_owned())
            .or_default()
            .mails
            .push(mail);
        uid
    }

    /// Opens the user's maildrop for one session and locks it until the lease is dropped. A user
    /// without messages has an empty maildrop.
    ///
    /// # Errors
    ///
    /// [`InUse`] if another session holds it.
    pub fn open(&self, user: &str, session: u64) -> Result<Lease, InUse> {
        let mut store = self.store();
        let drop = store.drops.entry(user.to_owned()).or_default();
        if let Some(session) = drop.locked_by {
            return Err(InUse {
                user: user.to_owned(),
                session,
            });
        }
        drop.locked_by = Some(session);
        let mails = drop.mails.clone().into();
        Ok(Lease {
            drops: self.clone(),
            user: user.to_owned(),
            session,
            mails,
        })
    }

    /// What is in the user's maildrop now.
    #[must_use]
    pub fn mails(&self, user: &str) -> Vec<Mail> {
        self.store()
            .drops
            .get(user)
            .map(|drop| drop.mails.clone())
            .unwrap_or_default()
    }

    /// Every removal so far, oldest first.
    #[must_use]
    pub fn removed(&self) -> Vec<Removal> {
        self.store().removed.clone()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // Nothing below panics while it holds the lock, so a poisoned store is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open, locked maildrop: the messages as they were when the session entered the TRANSACTION
/// state. Dropping it unlocks the maildrop and removes nothing.
#[derive(Debug)]
pub struct Lease {
    drops: Maildrops,
    user: String,
    session: u64,
    mails: Arc<[Mail]>,
}

impl Lease {
    /// The messages; message number 1 of RFC 1939 is the first.
    #[must_use]
    pub fn mails(&self) -> &Arc<[Mail]> {
        &self.mails
    }

    /// Removes the messages at these positions (from 0), unlocks the maildrop, and gives the
    /// number removed. `at` is the time since the making of the server.
    pub fn remove(self, positions: &BTreeSet<usize>, at: Duration) -> usize {
        let chosen: BTreeSet<&str> = positions
            .iter()
            .filter_map(|&i| self.mails.get(i))
            .map(Mail::uid)
            .collect();
        let mut store = self.drops.store();
        let Some(drop) = store.drops.get_mut(&self.user) else {
            return 0;
        };
        let (gone, kept): (Vec<Mail>, Vec<Mail>) = std::mem::take(&mut drop.mails)
            .into_iter()
            .partition(|m| chosen.contains(m.uid()));
        drop.mails = kept;
        let removals = gone.iter().map(|mail| Removal {
            user: self.user.clone(),
            uid: mail.uid.clone(),
            subject: mail.subject.clone(),
            session: self.session,
            at,
        });
        store.removed.extend(removals);
        gone.len()
    }
}

impl std::ops::Drop for Lease {
    fn drop(&mut self) {
        if let Some(drop) = self.drops.store().drops.get_mut(&self.user) {
            drop.locked_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty(b"", b"")]
    #[case::whole(b"a\r\n", b"a\r\n")]
    #[case::no_end(b"a", b"a\r\n")]
    #[case::bare_lf(b"a\n", b"a\n\r\n")]
    #[case::bare_cr(b"a\r", b"a\r\r\n")]
    fn a_stored_message_ends_with_a_whole_line(#[case] given: &[u8], #[case] stored: &[u8]) {
        let drops = Maildrops::new();
        drops.deliver("un", given.to_vec());
        let mails = drops.mails("un");
        assert_eq!(mails[0].octets().as_slice(), stored);
        assert_eq!(mails[0].size(), stored.len());
    }

    #[test]
    fn equal_messages_get_different_stable_unique_ids() {
        let drops = Maildrops::new();
        let first = drops.deliver("un", b"Subject: x\r\n\r\n".to_vec());
        let second = drops.deliver("un", b"Subject: x\r\n\r\n".to_vec());
        assert_ne!(first, second);
        let lease = drops.open("un", 1).unwrap();
        assert_eq!(lease.remove(&BTreeSet::from([0]), Duration::ZERO), 1);
        let third = drops.deliver("un", b"Subject: x\r\n\r\n".to_vec());
        assert_ne!(first, third, "a unique-id is never used again");
        assert_eq!(drops.mails("un")[0].uid(), second);
        for uid in [&first, &second, &third] {
            assert!((1..=70).contains(&uid.len()));
            assert!(uid.bytes().all(|b| (0x21..=0x7e).contains(&b)));
        }
    }

    #[test]
    fn a_lease_excludes_others_and_removes_only_when_told() {
        let drops = Maildrops::new();
        drops.deliver(
            "un",
            b"From: A <a@b.example>\r\nSubject: =?utf-8?Q?gr=C3=BCn?=\r\n\r\n".to_vec(),
        );
        let lease = drops.open("un", 7).unwrap();
        let refused = drops.open("un", 8).unwrap_err();
        assert_eq!(
            refused,
            InUse {
                user: "un".into(),
                session: 7
            }
        );
        assert!(
            drops.open("other", 8).is_ok(),
            "another maildrop has its own lock"
        );
        drop(lease);
        assert_eq!(drops.mails("un").len(), 1);

        let lease = drops.open("un", 9).unwrap();
        let at = Duration::from_secs(3);
        assert_eq!(lease.remove(&BTreeSet::from([0, 5]), at), 1);
        assert!(drops.mails("un").is_empty());
        let removal = &drops.removed()[0];
        assert_eq!(
            (removal.subject.as_str(), removal.session, removal.at),
            ("grün", 9, at)
        );
        assert!(drops.open("un", 10).is_ok());
    }

    #[test]
    fn sender_and_subject_are_read_from_the_header() {
        let drops = Maildrops::new();
        drops.deliver(
            "un",
            b"From: \"FromName\" <f@server.com>\r\nSubject: First\r\n\r\nx\r\n".to_vec(),
        );
        let mails = drops.mails("un");
        assert_eq!(
            (mails[0].from(), mails[0].subject()),
            ("f@server.com", "First")
        );
    }
}
