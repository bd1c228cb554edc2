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

pub(crate) use compose::Message;
pub(crate) use outcome::{End, Stage};

/// What the client writes, and what it makes of an ending.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// The message as it goes to the server.
    pub(crate) compose: fn(&Job, Vec<Attachment>) -> Result<Message, jiff::Error>,
    /// The URC that an ending means.
    pub(crate) decide: fn(Stage<'_>, End) -> Outcome,
}

impl Rules {
    /// Those of the reference module.
    pub(crate) const SHIPPED: Self = Self {
        compose: Message::new,
        decide: outcome::decide,
    };
}

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The server's greeting was accepted: the module now prints `+SMTP: OK`.
    Connected,
}
