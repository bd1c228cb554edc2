//! Tests through the public face of the crate.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod bad_scenarios;
mod commands;
mod line;
mod lowering;
mod monitors;
mod print;
mod sample;
