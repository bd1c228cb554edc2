//! What the reference module is like: timers, limits, storage, clock and identity.
//!
//! The defaults are the module of the application note; every number can be overridden with
//! `KEY=VALUE` text. This room knows nothing of commands: they ask it.

mod keys;

pub use keys::SettingError;

use crate::clock::ClockText;
use crate::firmware::Firmware;
use std::path::PathBuf;
use std::time::Duration;

/// How the module is made. `Default` is the module that the application note describes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long the mail clients wait for an answer.
    pub timers: Timers,
    /// How much of everything the module takes.
    pub limits: Limits,
    /// Where its files are.
    pub storage: Storage,
    /// What the real time clock shows when the module is made.
    pub clock: ClockText,
    /// Whether the echo is on after power-up.
    pub echo: Echo,
    /// What it says that it is.
    pub identity: Identity,
    /// The build of its firmware: the reference module, or one of [`crate::mutant`].
    pub firmware: Firmware,
}

/// How long the mail clients wait (note chapter 1, NOTE).
#[derive(Clone, Debug)]
pub struct Timers {
    /// The SMTP timer; 30 s in the note.
    pub smtp: Duration,
    /// The POP3 timer; 30 s in the note.
    pub pop3: Duration,
}

/// How much of everything the module takes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Characters of a subject (note chapter 1: 512).
    pub subject: usize,
    /// Characters of a body (note chapter 1: 5120).
    pub body: usize,
    /// Recipients of each kind: TO, CC and BCC.
    pub recipients: usize,
    /// Attachments (note chapter 1: 10).
    pub attachments: usize,
    /// Bytes of all attachments together (note chapter 1: 10 MB).
    pub attachments_total: u64,
    /// Bytes between the `AT` prefix and the end of the command line. The default holds a body of
    /// 5120 characters even if each of them is written as an escape.
    pub command_line: usize,
    /// Characters of a server address, a user name or a password.
    pub server: usize,
    /// Characters of a mail address.
    pub address: usize,
    /// Characters of a present name.
    pub name: usize,
}

/// Where the files of the module are.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The directory that is drive `C:`.
    pub root: Root,
    /// Bytes that drive `C:` holds, unless [`Storage::free`] says otherwise.
    pub capacity: u64,
    /// Bytes that are left on drive `C:` when the module is made. If set, the drive holds that much
    /// more than lies there then, whatever [`Storage::capacity`] says.
    pub free: Option<u64>,
    /// Whether the files that a module is delivered with are put there.
    pub factory_files: bool,
    /// Whether `C:/big.bin` is one of them: 10 MiB, as much as all attachments may have (note
    /// chapter 1).
    pub big_file: bool,
    /// Bytes that the storage card holds, which is drive `D:` (note chapter 2, `AT+POP3GET`); 0 if
    /// there is no card.
    pub card: u64,
    /// The directory that is drive `D:`.
    pub card_root: Root,
}

/// The directory that is a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A fresh directory, removed with the module.
    Temporary,
    /// This directory, which must exist; it is kept.
    Directory(PathBuf),
}

/// Whether the echo is on after power-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Received characters are sent back (V.250 6.2.4, the default).
    #[default]
    On,
    /// They are not.
    Off,
}

/// What the module says that it is (`ATI`, `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`).
#[derive(Clone, Debug)]
pub struct Identity {
    /// Manufacturer.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Revision of the firmware.
    pub revision: String,
    /// Serial number: 15 digits.
    pub serial: String,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            smtp: Duration::from_secs(30),
            pop3: Duration::from_secs(30),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subject: 512,
            body: 5120,
            recipients: 5,
            attachments: 10,
            attachments_total: 10 * 1024 * 1024,
            command_line: 16 * 1024,
            server: 128,
            address: 128,
            name: 64,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            root: Root::Temporary,
            capacity: 12 * 1024 * 1024,
            free: None,
            factory_files: true,
            big_file: true,
            card: 2 * 1024 * 1024,
            card_root: Root::Temporary,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            manufacturer: "SIMCOM INCORPORATED".into(),
            model: "SIMCOM_SIM5360E".into(),
            revision: concat!("URCHECK_REFERENCE_", env!("CARGO_PKG_VERSION")).into(),
            serial: "351602000330570".into(),
        }
    }
}
