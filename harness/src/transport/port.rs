//! The open line to a device: reads and writes with deadlines, never flushes.
//!
//! On a real UART a flush blocks the whole thread until the last bit is out, so there is none.

use super::Transport;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// The open line to a device.
pub struct Port {
    line: Box<dyn Transport>,
    /// A child whose end is the end of the line.
    child: Option<tokio::process::Child>,
    name: String,
}

/// The line broke.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{name}: {why}")]
pub struct LineLost {
    /// The device, as given on the command line.
    pub name: String,
    /// What happened.
    pub why: String,
    /// Whether the device is to blame: a program that was started here and ended by itself.
    pub by_device: bool,
}

impl Port {
    /// Takes an open line. `name` is what messages call it.
    pub fn new(name: String, line: Box<dyn Transport>) -> Self {
        Self {
            line,
            child: None,
            name,
        }
    }

    /// Binds the line to a child: when the child ends, the line is lost, and the other way round.
    pub fn with_child(mut self, child: tokio::process::Child) -> Self {
        self.child = Some(child);
        self
    }

    /// Reads what there is. `None`: nothing came until the deadline.
    ///
    /// # Errors
    /// The line is lost.
    pub async fn read(&mut self, until: Instant) -> Result<Option<Vec<u8>>, LineLost> {
        let mut buffer = [0; 4096];
        let ended = async {
            match self.child.as_mut() {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            biased;
            read = timeout_at(until, self.line.read(&mut buffer)) => match read {
                Err(_) => return Ok(None),
                Ok(Ok(0)) => CLOSED.to_owned(),
                Ok(Ok(count)) => {
                    return Ok(Some(buffer.get(..count).unwrap_or_default().to_vec()));
                }
                Ok(Err(error)) => error.to_string(),
            },
            // Why it ended is looked up below.
            _ = ended => CLOSED.to_owned(),
        };
        Err(self.lost(why).await)
    }

    /// Writes all bytes, and meanwhile hands on what is read, so that a device that echoes a long
    /// text cannot block both sides.
    ///
    /// # Errors
    /// The line is lost, or the device did not take the bytes until the deadline.
    pub async fn write(
        &mut self,
        bytes: &[u8],
        until: Instant,
        mut on_read: impl FnMut(Vec<u8>),
    ) -> Result<(), LineLost> {
        match write(&mut self.line, bytes, until, &mut on_read).await {
            Ok(()) => Ok(()),
            Err(why) => Err(self.lost(why).await),
        }
    }

    /// Why the line is lost: the end of the child, if that is what happened.
    async fn lost(&mut self, why: String) -> LineLost {
        let name = self.name.clone();
        let end = match self.child.as_mut() {
            Some(child) => timeout(REAPED, child.wait()).await,
            None => Ok(Err(std::io::ErrorKind::NotFound.into())),
        };
        match end {
            Ok(Ok(status)) => LineLost {
                name,
                why: format!("the program ended while it was the device: {status}"),
                by_device: !is_from_outside(status),
            },
            _ => LineLost {
                name,
                why,
                by_device: false,
            },
        }
    }
}

const CLOSED: &str = "the other side closed it";

/// How long the end of a child whose line is closed is waited for.
const REAPED: Duration = Duration::from_millis(500);

/// Whether somebody else ended the program: the user at the terminal, or the system.
fn is_from_outside(status: ExitStatus) -> bool {
    use rustix::process::Signal;
    let others = [Signal::HUP, Signal::INT, Signal::TERM, Signal::KILL];
    let signal = status.signal();
    others.iter().any(|other| signal == Some(other.as_raw()))
}

/// Writes all bytes to a line; see [`Port::write`]. The error says why it is lost.
async fn write(
    line: &mut Box<dyn Transport>,
    bytes: &[u8],
    until: Instant,
    on_read: &mut impl FnMut(Vec<u8>),
) -> Result<(), String> {
    let (mut reader, mut writer) = tokio::io::split(line);
    let write = writer.write_all(bytes);
    tokio::pin!(write);
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            biased;
            written = &mut write => return written.map_err(|error| error.to_string()),
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return Err(CLOSED.to_owned()),
                Ok(count) => on_read(buffer.get(..count).unwrap_or_default().to_vec()),
                Err(error) => return Err(error.to_string()),
            },
            () = tokio::time::sleep_until(until) => {}
        }
        // Not left to the timer: a device that never pauses would keep it from being asked.
        if Instant::now() >= until {
            return Err(format!(
                "the device did not take {} bytes in time",
                bytes.len()
            ));
        }
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
