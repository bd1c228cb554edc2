//! The module: the shell around the interpreter that moves bytes, dials, and keeps time.

use crate::clock::Rtc;
use crate::core::{Action, Core};
use crate::exchange::Exchanges;
use crate::files::FileSystem;
use crate::firmware::Firmware;
use crate::interpreter::Interpreter;
use crate::net::Dialer;
use crate::settings::Settings;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A reference module: power it up, then let it serve one DTE after the other.
#[derive(Debug)]
pub struct Module {
    interpreter: Interpreter,
    exchanges: Exchanges,
    firmware: Firmware,
}

/// A module that cannot be powered up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// One of its drives cannot be opened.
    #[error("failed to open {} as drive {drive} of the module", root.display())]
    Drive {
        /// The drive: `C:` or `D:`.
        drive: String,
        /// The directory that was to be the drive, or was to hold it.
        root: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Bytes taken from the line at a time.
const READ: usize = 4096;

impl Module {
    /// Powers up a module whose mail clients reach their servers through `dialer`.
    ///
    /// Its clock runs on tokio time from now on.
    ///
    /// # Errors
    /// If one of its drives cannot be opened.
    pub fn new(mut settings: Settings, dialer: Arc<dyn Dialer>) -> Result<Self, StartError> {
        let firmware = settings.firmware;
        (firmware.make)(&mut settings);
        let rtc = Rtc::start(settings.clock);
        let files = FileSystem::open(&settings.storage, rtc.local()).map_err(|error| {
            StartError::Drive {
                drive: error.drive.to_string(),
                root: error.root,
                source: error.source,
            }
        })?;
        let exchanges = Exchanges::new(dialer, settings.timers.clone(), firmware);
        let interpreter = Interpreter::new(Core::new(settings, files, rtc));
        Ok(Self {
            interpreter,
            exchanges,
            firmware,
        })
    }

    /// Serves one DTE until it closes the line; what is under way then is brought to its end
    /// first. The module keeps its state for the next DTE.
    ///
    /// Can be dropped at any time; the module goes on with the next call. To keep the line
    /// meanwhile, as over a [`Module::power_cycle`], pass `&mut line`.
    ///
    /// # Errors
    /// If the line fails.
    pub async fn run<L: AsyncRead + AsyncWrite + Unpin>(&mut self, line: L) -> io::Result<()> {
        self.interpreter.attach();
        let (mut reader, mut writer) = tokio::io::split(line);
        let mut buffer = vec![0; READ];
        // What was read and the interpreter could not take yet.
        let mut unread = 0..0;
        let mut closed = false;
        loop {
            self.interpret(&buffer, &mut unread);
            let output = self.interpreter.output();
            let active = self.exchanges.is_active();
            if closed && output.is_empty() && unread.is_empty() && !active {
                return Ok(());
            }
            let burst = output.get(..self.firmware.burst).unwrap_or(output);
            buffer.copy_within(unread.clone(), 0);
            unread = 0..unread.len();
            let listens = unread.is_empty() || self.interpreter.is_waiting() && unread.end < READ;
            let space = buffer.get_mut(unread.end..).unwrap_or_default();
            tokio::select! {
                biased;
                written = writer.write(burst), if !output.is_empty() => match written {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        self.interpreter.sent(count);
                        if self.interpreter.output().is_empty() {
                            writer.flush().await?;
                        }
                    }
                    // A DTE that has gone does not read the rest; what it began goes on.
                    Err(error) if closed || is_hang_up(&error) => {
                        closed = true;
                        self.interpreter.sent(usize::MAX);
                    }
                    Err(error) => return Err(error),
                },
                event = self.exchanges.next(), if active => {
                    (self.firmware.event)(&mut self.interpreter, event);
                }
                read = reader.read(space), if !closed && listens => match read? {
                    0 => closed = true,
                    count => unread.end += count,
                },
            }
        }
    }

    /// Switches the module off and on: sessions are cut, settings are lost, files and clock stay.
    pub fn power_cycle(&mut self) {
        self.exchanges.close();
        self.interpreter.power_cycle();
    }

    /// Pulls the storage card out: drive `D:` is gone, with what lies on it. Does nothing if the
    /// module has no card.
    pub fn pull_card(&mut self) {
        self.interpreter.set_card(false);
    }

    /// Puts the storage card back, with what lies on it. Does nothing if the module has no card.
    pub fn insert_card(&mut self) {
        self.interpreter.set_card(true);
    }

    /// Lets the interpreter take what it can, and carries out what it wants.
    fn interpret(&mut self, buffer: &[u8], unread: &mut std::ops::Range<usize>) {
        loop {
            while let Some(action) = self.interpreter.next_action() {
                self.act(action);
            }
            self.interpreter.print();
            let bytes = buffer.get(unread.clone()).unwrap_or_default();
            let taken = self.interpreter.feed(bytes);
            if taken == 0 {
                return;
            }
            unread.start += taken;
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send(job) => self.exchanges.send(job),
            Action::StopSending => self.exchanges.stop_sending(),
            Action::Ask(request) => self.exchanges.ask(request),
            Action::StopPop3 => self.exchanges.stop_pop3(),
        }
    }
}

/// Whether the other side has gone.
fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}
