//! How a request failed, in the words of the note's POP3 URC table.

use std::fmt;

/// How a request failed.
///
/// [`fmt::Display`] gives the text after `+POP3: `.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// `FAILURE`: the transfer of a message broke off.
    Failure,
    /// `NETWORK ERROR`: the session could not be established.
    NetworkError,
    /// `SERVER ERROR`: the server left, refused, gave a wrong response or none in time.
    ServerError,
    /// `INVALID UN`: the server refuses the user name.
    InvalidUser,
    /// `INVALID UN/PWD`: the server refuses user name and password together.
    InvalidUserOrPassword,
    /// `FILE SYSTEM ERROR`: what was received could not be stored. The session is closed.
    FileSystemError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failure => "FAILURE",
            Self::NetworkError => "NETWORK ERROR",
            Self::ServerError => "SERVER ERROR",
            Self::InvalidUser => "INVALID UN",
            Self::InvalidUserOrPassword => "INVALID UN/PWD",
            Self::FileSystemError => "FILE SYSTEM ERROR",
        })
    }
}
