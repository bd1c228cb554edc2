//! Messages as they lie on the wire and in the file system: header fields, text, attachments,
//! file names. Pure functions over bytes; no connection and no file is touched here.

mod fields;
mod letter;
mod names;
mod part;
#[cfg(test)]
mod tests;

pub use fields::HeaderFields;
pub use letter::{Letter, LetterAttachment};
pub use names::{FileNames, sanitize};
