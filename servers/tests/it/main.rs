//! The servers through their public face.

mod fault_actions;
#[cfg(test)]
mod fault_octets;
// `cfg(test)` tells clippy that these may unwrap, too.
#[cfg(test)]
mod helper;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod real_tcp;
mod smtp_dialogue;
mod smtp_view;
mod transport;
#[cfg(feature = "mailin-embedded")]
#[cfg(test)]
mod upstream;
