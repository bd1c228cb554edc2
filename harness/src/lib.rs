//! urcheck: a conformance harness for e-mail AT command implementations.
//!
//! A scenario file ([`scenario`]) says what is sent to the device and what must come back; the
//! [`suite`] is the collection of them, [`profile`] says what is known of a device and [`clause`]
//! what the application note demands. Everything that a person got wrong in these files becomes a
//! [`diagnostic`].
//!
//! The [`runner`] replays a case over a [`transport`], with the servers of the [`testbed`] behind
//! the device, and the [`judge`], a pure function over the timeline, says what is next and what
//! came of it. A [`monitor`] watches every case for a rule that no scenario has to spell out.

pub mod clause;
pub mod cli;
pub mod diagnostic;
pub mod exit;
pub mod judge;
pub mod monitor;
pub mod profile;
pub mod runner;
pub mod scenario;
pub mod source;
pub mod suite;
pub mod sweep;
pub mod testbed;
pub mod transport;
