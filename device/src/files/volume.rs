//! A drive in a directory of the host.
//!
//! The directory is opened as a capability, so not even a symbolic link in it leads out of it. The
//! drive is full when the files and their directory entries take its capacity; a file takes its
//! length, however much of it the host really keeps.

use super::FileError;
use crate::settings::Root;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustix::fs::Access;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tempfile::TempDir;

/// What a directory entry takes on the drive: that of FAT.
pub(crate) const ENTRY_COST: u64 = 32;

/// A drive.
#[derive(Debug)]
pub(super) struct Volume {
    directory: Dir,
    /// Bytes that it holds.
    pub(super) capacity: u64,
    /// Whether it is there: a card can be pulled out.
    present: AtomicBool,
    /// Removed with the drive.
    _temporary: Option<TempDir>,
}

impl Volume {
    /// Opens the directory that is to be a drive of this capacity.
    pub(super) fn open(root: &Root, capacity: u64) -> io::Result<Self> {
        let (directory, temporary) = match root {
            Root::Directory(path) => (Dir::open_ambient_dir(path, ambient_authority())?, None),
            Root::Temporary => {
                let temporary = tempfile::Builder::new()
                    .prefix("urcheck-module-")
                    .tempdir_in(fast_directory())?;
                (
                    Dir::open_ambient_dir(temporary.path(), ambient_authority())?,
                    Some(temporary),
                )
            }
        };
        Ok(Self {
            directory,
            capacity,
            present: AtomicBool::new(true),
            _temporary: temporary,
        })
    }

    /// Takes the drive away or brings it back, with what lies on it.
    pub(super) fn set_present(&self, present: bool) {
        self.present.store(present, Ordering::Relaxed);
    }

    /// Whether it is there.
    pub(super) fn is_present(&self) -> bool {
        self.present.load(Ordering::Relaxed)
    }

    /// Its root, if it is there.
    pub(super) fn directory(&self) -> io::Result<&Dir> {
        if self.is_present() {
            Ok(&self.directory)
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    }

    /// Bytes that files and directory entries take.
    pub(super) fn used(&self) -> io::Result<u64> {
        let mut used = 0_u64;
        let mut directories = vec![self.directory()?.try_clone()?];
        while let Some(directory) = directories.pop() {
            for entry in directory.entries()? {
                let entry = entry?;
                let kind = entry.file_type()?;
                used = used.saturating_add(ENTRY_COST);
                if kind.is_dir() {
                    directories.push(entry.open_dir()?);
                } else if kind.is_file() {
                    used = used.saturating_add(entry.metadata()?.len());
                }
            }
        }
        Ok(used)
    }
}

/// Writes a file, as far as the drive has room.
#[derive(Debug)]
pub(crate) struct Writer {
    file: File,
    length: u64,
    room: u64,
    now: DateTime,
}

impl Writer {
    /// Writes into an empty file that may have `room` octets.
    pub(super) fn new(file: File, room: u64, now: DateTime) -> Self {
        Self {
            file,
            length: 0,
            room,
            now,
        }
    }

    /// Writes more octets, all or none.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.take_room(bytes.len() as u64)?;
        Ok(self.file.write_all(bytes)?)
    }

    /// Ends the file with so many zeros, which the host need not keep.
    pub(super) fn pad(&mut self, zeros: u64) -> Result<(), FileError> {
        self.take_room(zeros)?;
        Ok(self.file.set_len(self.length)?)
    }

    fn take_room(&mut self, octets: u64) -> Result<(), FileError> {
        self.room = self.room.checked_sub(octets).ok_or(FileError::Full)?;
        self.length = self.length.saturating_add(octets);
        Ok(())
    }

    /// Stamps the file with the module's time.
    pub(crate) fn finish(self) -> Result<(), FileError> {
        // The module knows no other zone than that of its clock: local time is kept as if it
        // were UTC, and read back the same way.
        let time = self.now.to_zoned(TimeZone::UTC).map_err(io::Error::other)?;
        Ok(self
            .file
            .into_std()
            .set_modified(SystemTime::from(time.timestamp()))?)
    }
}

/// Where files need no disk.
const MEMORY: &str = "/dev/shm";
/// Bytes that must be free there, so that many modules never run into the host's limit instead of
/// their own; containers often have next to nothing.
const MEMORY_MIN: u64 = 1024 * 1024 * 1024;

/// Where temporary drives are made: in memory if there is plenty, because making and removing a
/// dozen files on a disk takes longer than most of what a module is made for.
pub(crate) fn fast_directory() -> PathBuf {
    let free = rustix::fs::statvfs(MEMORY)
        .map_or(0, |status| status.f_bavail.saturating_mul(status.f_frsize));
    let writable = rustix::fs::access(MEMORY, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    if free >= MEMORY_MIN && writable {
        PathBuf::from(MEMORY)
    } else {
        std::env::temp_dir()
    }
}
