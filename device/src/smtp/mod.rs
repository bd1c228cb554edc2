//! The SMTP client (note chapter 3; RFC 5321, RFC 4954, RFC 1870).
//!
//! [`send()`] carries one [`Job`] to its server and says how it ended in the words of the note's
//! URC table. What each ending means is decided in one place, [`outcome`]. This room knows no AT
//! command and no file system.

mod auth;
mod client;
pub mod compose;
mod encode;
mod hello;
mod job;
pub mod outcome;
mod reply;
mod stuffing;
#[cfg(test)]
mod tests;

pub use client::send;
pub use job::{Address, Attachment, Content, Credentials, Job};
pub use outcome::Outcome;

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The server's greeting was accepted: the module now prints `+SMTP: OK`.
    Connected,
}
