//! Final result codes and the errors of 3GPP TS 27.007 section 9.2.

/// How a command line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultCode {
    /// `OK`, or 0.
    Ok,
    /// `ERROR`, or 4.
    Error,
    /// `+CME ERROR`, where `AT+CMEE` allows it; else `ERROR`.
    Cme(CmeError),
}

/// What went wrong in a command that is not an e-mail or file command; those know only `ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CmeError {
    /// 3.
    NotAllowed,
    /// 50.
    IncorrectParameters,
}

impl CmeError {
    /// Its number.
    pub(crate) fn number(self) -> u16 {
        match self {
            Self::NotAllowed => 3,
            Self::IncorrectParameters => 50,
        }
    }

    /// Its words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotAllowed => "operation not allowed",
            Self::IncorrectParameters => "incorrect parameters",
        }
    }
}

/// `AT+CMEE`: how errors are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorStyle {
    /// 0: as `ERROR`.
    Plain,
    /// 1: with their number.
    Number,
    /// 2: in words.
    Words,
}

/// Why a command did not end in `OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// `ERROR`, whatever `AT+CMEE` says.
    Plain,
    /// An error with a number.
    Cme(CmeError),
}

impl From<CmeError> for Failure {
    fn from(error: CmeError) -> Self {
        Self::Cme(error)
    }
}

impl From<Failure> for ResultCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Plain => Self::Error,
            Failure::Cme(error) => Self::Cme(error),
        }
    }
}
