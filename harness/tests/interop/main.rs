//! Programs that others wrote, on both sides of the wire: mail clients against `urcheck serve`, and
//! `urcheck module` against Postfix and Dovecot. They are the outside opinion on how the two ends
//! read the RFCs: the same misreading on both sides would never show in a run of the suite.
//!
//! Nothing needs to be installed: what is missing is skipped with a line that names it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod clients;
mod delivery;
mod host;
mod module;
mod program;
mod serve;
