//! The open line to a device: reads and writes with deadlines, never flushes.
//!
//! On a real UART a flush blocks the whole thread until the last bit is out, so there is none.

use super::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

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
        let name = &self.name;
        let ended = async {
            match self.child.as_mut() {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            read = timeout_at(until, self.line.read(&mut buffer)) => match read {
                Err(_) => Ok(None),
                Ok(Ok(0)) => Err(lost(name, "the other side closed it")),
                Ok(Ok(count)) => Ok(Some(buffer.get(..count).unwrap_or_default().to_vec())),
                Ok(Err(error)) => Err(lost(name, error)),
            },
            status = ended => Err(match status {
                Ok(status) => lost(name, format!("the command ended: {status}")),
                Err(error) => lost(name, format!("the command was lost: {error}")),
            }),
        }
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
        let name = &self.name;
        let (mut reader, mut writer) = tokio::io::split(&mut self.line);
        let write = writer.write_all(bytes);
        tokio::pin!(write);
        let mut buffer = [0; 4096];
        loop {
            tokio::select! {
                biased;
                written = &mut write => return written.map_err(|error| lost(name, error)),
                read = reader.read(&mut buffer) => match read {
                    Ok(0) => return Err(lost(name, "the other side closed it")),
                    Ok(count) => on_read(buffer.get(..count).unwrap_or_default().to_vec()),
                    Err(error) => return Err(lost(name, error)),
                },
                () = tokio::time::sleep_until(until) => {}
            }
            // Not left to the timer: a device that never pauses would keep it from being asked.
            if Instant::now() >= until {
                let why = format!("the device did not take {} bytes in time", bytes.len());
                return Err(lost(name, why));
            }
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

fn lost(name: &str, why: impl std::fmt::Display) -> LineLost {
    LineLost {
        name: name.to_owned(),
        why: why.to_string(),
    }
}
