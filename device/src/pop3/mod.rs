//! The POP3 client (note chapter 4; RFC 1939, RFC 2449, RFC 3206).
//!
//! A [`Session`] asks exactly what it is told to ask and says how each request ended in the words
//! of the note's URC table ([`Failure`]). This room knows no AT command and no file system.

mod failure;
mod session;
mod status;
#[cfg(test)]
mod tests;
mod unstuffing;

pub use crate::mail::HeaderFields;
pub use failure::Failure;
pub use session::Session;

/// Where to log in, and as whom (`AT+POP3SRV`).
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Host name or address of the server.
    pub server: String,
    /// Port of the server.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The drop listing (answer to `STAT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropListing {
    /// Number of messages in the maildrop.
    pub count: u32,
    /// Their size together, in octets.
    pub size: u64,
}

/// One scan listing (answer to `LIST`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanListing {
    /// Message number.
    pub number: u32,
    /// Size in octets.
    pub size: u64,
}
