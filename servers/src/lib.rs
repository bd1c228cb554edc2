//! The fake mail servers of urcheck: what a device under test talks SMTP and POP3 to.
//!
//! ```text
//!  client ──► net (TCP, memory) ──► wire (transcript, faults, TLS, time) ──► engine (SMTP, POP3)
//!                                     │
//!                                     └──► events to whoever listens
//! ```
//!
//! An engine is an honest, complete server without input or output of its own. The wire owns the
//! socket, writes down what happens, and lies to the client where a fault rule says so. Nothing
//! in here knows AT commands, devices or scenarios.

mod allowance;
pub mod engine;
pub mod event;
pub mod fault;
pub mod maildrop;
pub mod net;
pub mod pop3;
pub mod server;
pub mod smtp;
pub mod tls;
#[cfg(feature = "mailin-embedded")]
pub mod upstream;
mod wire;
