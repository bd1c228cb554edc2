//! The reference module seen from its DTE and from its servers: raw bytes on both sides.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: one that cannot go on has failed"
)]

mod bench;

/// Conflicts of note chapter 5.
mod conflict;
/// Leaving the network, before a session and during one.
mod detach;
/// Files and transfers.
mod files;
/// Every command in every form.
mod forms;
/// Laws that hold for any input.
mod laws;
/// Limits, and what the settings make of them.
mod limits;
/// V.250 command line rules.
mod line;
/// Mutants and variants: each of them differs from the shipped module.
mod mutants;
/// The listings of the note, replayed.
mod note;
/// Retrieving mail.
mod pop3;
/// A real pseudo terminal.
mod pty;
/// Sending mail.
mod smtp;
/// Stopping a session while a command waits for its server.
mod stop;
