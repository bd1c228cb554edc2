//! What is printed piece by piece, because it may be as large as the drive: files and mails.

use crate::at::result::ResultCode;
use crate::core::Core;
use cap_std::fs::File;
use std::io::Read;

/// A file that is being printed.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    shape: Shape,
    /// Octets that are still to be printed; what is appended meanwhile is not.
    left: u64,
    /// The last octet that was printed.
    last: Option<u8>,
}

/// How a file is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As blocks, each behind its length, and an empty one (`AT+CFTRANTX`).
    Blocks,
    /// As the lines of information text (`AT+POP3READ`).
    Text,
}

/// Octets that are printed at once.
const PIECE: usize = 512;

impl Source {
    /// A file that is about to be printed.
    pub(crate) fn begin(file: File, shape: Shape, core: &mut Core) -> std::io::Result<Self> {
        let left = file.metadata()?.len();
        if shape == Shape::Text {
            core.output.header(&core.line);
        }
        Ok(Self {
            file,
            shape,
            left,
            last: None,
        })
    }

    /// All that was to be printed, or as much of it as can be read.
    pub(crate) fn whole(mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let _read = (&mut self.file).take(self.left).read_to_end(&mut octets);
        octets
    }

    /// Prints the next piece; returns how it ended, if it did.
    pub(crate) fn print(&mut self, core: &mut Core) -> Option<Result<(), ResultCode>> {
        let mut piece = Vec::with_capacity(PIECE);
        let wanted = self.left.min(PIECE as u64);
        match (&mut self.file).take(wanted).read_to_end(&mut piece) {
            Err(_) => return Some(Err(ResultCode::Error)),
            Ok(0) => {
                self.end(core);
                return Some(Ok(()));
            }
            Ok(length) => self.left = self.left.saturating_sub(length as u64),
        }
        if self.shape == Shape::Blocks {
            core.say(format!("+CFTRANTX: DATA,{}", piece.len()));
        }
        core.output.raw(&piece);
        self.last = piece.last().copied();
        None
    }

    fn end(&self, core: &mut Core) {
        match self.shape {
            Shape::Blocks => core.say("+CFTRANTX: 0"),
            // The line end that the text ends with is that of the text's last line.
            Shape::Text if self.last == Some(b'\n') => {}
            Shape::Text => core
                .output
                .raw(&[core.line.terminator, core.line.formatting]),
        }
    }
}
