//! The POP3 server through its public face: first without a network, then behind the wire, then
//! against clients that others wrote.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod dialogue;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod support;
