//! What is typed after a prompt: a mail body, or the octets of a file.

use crate::at::result::ResultCode;
use crate::core::Core;
use crate::files::Writer;

/// What is typed after a prompt.
#[derive(Debug)]
pub(crate) enum Entry {
    /// `AT+SMTPBODY`.
    Body(Body),
    /// `AT+CFTRANRX`.
    Upload(Upload),
}

/// Ends the entry.
const CTRL_Z: u8 = 0x1a;
/// Cancels the entry.
const ESC: u8 = 0x1b;
const BACKSPACE: u8 = 0x08;

impl Entry {
    /// Takes bytes from the front of `bytes`; returns how many, and how the entry ended if it did.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        core: &mut Core,
    ) -> (usize, Option<Result<(), ResultCode>>) {
        match self {
            Self::Body(body) => match bytes.first() {
                Some(byte) => (1, body.take(*byte, core)),
                None => (0, None),
            },
            Self::Upload(upload) => upload.take(bytes),
        }
    }
}

/// A mail body that is being typed (SIM5320 manual, `AT+SMTPBODY`).
#[derive(Debug, Default)]
pub(crate) struct Body {
    text: String,
    /// Characters beyond the limit: counted so that they can be deleted, not kept.
    excess: usize,
    /// Characters that are not ASCII, and so can be in no body.
    foreign: usize,
}

impl Body {
    /// Above the limit or with other characters than ASCII the body is refused at its end: nobody
    /// wants a mail sent that was cut short or changed.
    fn take(&mut self, byte: u8, core: &mut Core) -> Option<Result<(), ResultCode>> {
        core.output.echo(&core.line, byte);
        match byte {
            CTRL_Z if self.excess == 0 && self.foreign == 0 => {
                core.smtp.body = std::mem::take(&mut self.text);
                return Some(Ok(()));
            }
            CTRL_Z => return Some(Err(ResultCode::Error)),
            ESC => return Some(Ok(())),
            BACKSPACE => self.delete(),
            b'\r' | b'\n' | b'\t' | b' '..=b'~' => self.append(char::from(byte), core),
            // Other control characters mean nothing in a text.
            0..0x20 | 0x7f => {}
            0x80.. => self.foreign = self.foreign.saturating_add(1),
        }
        None
    }

    fn append(&mut self, character: char, core: &Core) {
        if self.text.len() < core.settings.limits.body {
            self.text.push(character);
        } else {
            self.excess = self.excess.saturating_add(1);
        }
    }

    fn delete(&mut self) {
        if self.excess > 0 {
            self.excess -= 1;
        } else {
            self.text.pop();
        }
    }
}

/// A file that is being received. It is neither echoed nor edited.
#[derive(Debug)]
pub(crate) struct Upload {
    writer: Option<Writer>,
    left: u64,
    failed: bool,
}

impl Upload {
    /// The next `length` octets go to `writer`.
    pub(crate) fn new(writer: Writer, length: u64) -> Self {
        Self {
            writer: Some(writer),
            left: length,
            failed: false,
        }
    }

    /// After a write error the rest is still taken: the DTE goes on sending it.
    fn take(&mut self, bytes: &[u8]) -> (usize, Option<Result<(), ResultCode>>) {
        let count = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let octets = bytes.get(..count).unwrap_or_default();
        self.left -= octets.len() as u64;
        if let Some(writer) = &mut self.writer {
            self.failed |= writer.write(octets).is_err();
        }
        if self.left > 0 {
            return (octets.len(), None);
        }
        match self.writer.take().map(Writer::finish) {
            Some(Ok(())) => {}
            Some(Err(_)) | None => self.failed = true,
        }
        let result = if self.failed {
            Err(ResultCode::Error)
        } else {
            Ok(())
        };
        (octets.len(), Some(result))
    }
}
