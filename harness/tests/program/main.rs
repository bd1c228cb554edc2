//! The program as its users meet it: messages, exit codes, real lines, devices that misbehave.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod bench;
mod builds;
mod devices;
mod lines;
#[cfg(target_os = "linux")]
mod memory;
mod probes;
mod sweep;
mod usage;
