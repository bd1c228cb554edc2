//! A pseudo terminal as the module's serial line.
//!
//! The module holds the controlling side; a DTE opens [`Pty::path`] as it would open a serial
//! port.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The module's end of a pseudo terminal.
#[derive(Debug)]
pub struct Pty {
    controller: AsyncFd<OwnedFd>,
    /// While nobody has the user side open, reads from the controlling side fail; so one is kept.
    _keeper: OwnedFd,
    path: PathBuf,
    link: Option<PathBuf>,
}

/// A pseudo terminal that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PtyError {
    /// The host gives none.
    #[error("failed to open a pseudo terminal")]
    Open(#[source] io::Error),
    /// The link cannot be made.
    #[error("failed to link {} to the pseudo terminal {}", link.display(), target.display())]
    Link {
        /// Where the link was to be.
        link: PathBuf,
        /// What it was to lead to.
        target: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Pty {
    /// Opens a pseudo terminal in raw mode. Must be called in a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// If the host gives none.
    pub fn open() -> Result<Self, PtyError> {
        Self::open_raw().map_err(PtyError::Open)
    }

    fn open_raw() -> io::Result<Self> {
        let pair = rustix_openpty::openpty(None, None)?;
        // A fresh pair echoes and edits lines; a serial line does neither.
        let mut settings = tcgetattr(&pair.user)?;
        settings.make_raw();
        tcsetattr(&pair.user, OptionalActions::Now, &settings)?;
        let name = rustix::termios::ttyname(&pair.user, Vec::new())?;
        let path = PathBuf::from(name.into_string().map_err(io::Error::other)?);
        fcntl_setfl(
            &pair.controller,
            fcntl_getfl(&pair.controller)? | OFlags::NONBLOCK,
        )?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for descriptors that may be closed behind tokio's \
                      back; this one is owned"
        )]
        let controller = AsyncFd::new(pair.controller)?;
        Ok(Self {
            controller,
            _keeper: pair.user,
            path,
            link: None,
        })
    }

    /// The path that a DTE opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a symbolic link to [`Pty::path`], removed when the terminal is dropped. A link that
    /// already stands there is replaced; anything else is not.
    ///
    /// # Errors
    /// If the link cannot be made.
    pub fn link(&mut self, link: &Path) -> Result<(), PtyError> {
        self.make_link(link).map_err(|source| PtyError::Link {
            link: link.to_owned(),
            target: self.path.clone(),
            source,
        })
    }

    fn make_link(&mut self, link: &Path) -> io::Result<()> {
        self.remove_link();
        if link
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink())
        {
            std::fs::remove_file(link)?;
        }
        std::os::unix::fs::symlink(&self.path, link)?;
        self.link = Some(link.to_owned());
        Ok(())
    }

    /// Removes the link if it is still ours.
    fn remove_link(&mut self) {
        if let Some(link) = self.link.take()
            && std::fs::read_link(&link).is_ok_and(|target| target == self.path)
        {
            // Nothing can be done about a link that cannot be removed, and nothing depends on it.
            drop(std::fs::remove_file(&link));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.remove_link();
    }
}

impl AsyncRead for Pty {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.controller.poll_read_ready(context))?;
            let unfilled = buffer.initialize_unfilled();
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut *unfilled)?)) {
                Ok(read) => {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Pty {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.controller.poll_write_ready(context))?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
                Ok(written) => return Poll::Ready(written),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn bytes_pass_unchanged_both_ways() {
        let mut pty = Pty::open().unwrap();
        let path = pty.path().to_owned();
        let all: Vec<u8> = (0..=255).collect();
        let expected = all.clone();
        let user = tokio::task::spawn_blocking(move || {
            use std::io::{Read, Write};
            let mut user = std::fs::File::options()
                .read(true)
                .write(true)
                .open(path)
                .unwrap();
            user.write_all(&all).unwrap();
            let mut back = vec![0; 256];
            user.read_exact(&mut back).unwrap();
            back
        });
        let mut received = vec![0; 256];
        pty.read_exact(&mut received).await.unwrap();
        assert_eq!(received, expected);
        pty.write_all(&received).await.unwrap();
        assert_eq!(user.await.unwrap(), expected);
    }

    #[tokio::test]
    async fn the_link_leads_to_the_terminal_and_goes_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("modem");
        let mut pty = Pty::open().unwrap();
        pty.link(&link).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), pty.path());
        drop(pty);
        assert!(link.symlink_metadata().is_err());
    }

    #[tokio::test]
    async fn a_file_is_not_replaced_by_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("modem");
        std::fs::write(&link, "precious").unwrap();
        let error = Pty::open().unwrap().link(&link).unwrap_err();
        assert!(error.to_string().contains("modem"), "{error}");
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");
    }
}
