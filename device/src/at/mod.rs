//! The AT command line (ITU-T V.250): editing, grammar, values, result codes, framing.
//!
//! Everything here is bytes in, values out; it knows no command, no mail and no file.

pub(crate) mod editor;
pub(crate) mod output;
pub(crate) mod result;
pub(crate) mod syntax;
pub(crate) mod value;

/// The settings of the line that the DTE can change (V.250 6.1 and 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineSettings {
    /// `E`: whether received characters are sent back.
    pub(crate) echo: bool,
    /// `V`: result codes as words, not as numbers.
    pub(crate) verbose: bool,
    /// `Q`: result codes are suppressed.
    pub(crate) quiet: bool,
    /// `X`: kept and shown; without calls it changes nothing.
    pub(crate) call_progress: u8,
    /// `S3`: ends a command line and a result.
    pub(crate) terminator: u8,
    /// `S4`: second character of a line end in results.
    pub(crate) formatting: u8,
    /// `S5`: deletes the character before it.
    pub(crate) editing: u8,
    /// `+CMEE`: how errors are told.
    pub(crate) cmee: result::ErrorStyle,
}

impl LineSettings {
    /// As after power-up.
    pub(crate) fn factory(echo: bool) -> Self {
        Self {
            echo,
            verbose: true,
            quiet: false,
            call_progress: 1,
            terminator: b'\r',
            formatting: b'\n',
            editing: 8,
            cmee: result::ErrorStyle::Plain,
        }
    }
}
