//! What people and machines read, through the public face of the crate.

#[cfg(test)]
mod build;
#[cfg(test)]
mod json;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod reporter;
#[cfg(test)]
mod sheet;
mod summary;
#[cfg(test)]
mod terminal;
