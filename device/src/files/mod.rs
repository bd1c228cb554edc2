//! The file system of the module: drive `C:`, and drive `D:` if there is a storage card.
//!
//! What it knows of paths is in [`path`], what it knows of the host in [`volume`].

pub(crate) mod factory;
pub(crate) mod path;
#[cfg(test)]
mod tests;
mod volume;

pub(crate) use volume::{ENTRY_COST, Writer, fast_directory};

use crate::settings::{Root, Storage};
use cap_std::fs::{Dir, File, OpenOptions};
use factory::Content;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use path::{DriveName, ModulePath};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use volume::Volume;

/// The drives. Clones are the same drives.
#[derive(Clone, Debug)]
pub(crate) struct FileSystem {
    local: Arc<Volume>,
    card: Option<Arc<Volume>>,
}

/// A drive that cannot be opened.
#[derive(Debug)]
pub(crate) struct OpenError {
    /// Which one.
    pub(crate) drive: DriveName,
    /// The directory that was to be the drive, or was to hold it.
    pub(crate) root: PathBuf,
    /// Why not.
    pub(crate) source: io::Error,
}

/// Why something cannot be done on a drive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The drive has not enough room.
    #[error("the drive is full")]
    Full,
    /// The drive is not there, or the host's file system refuses.
    #[error("failed to access the drive")]
    Host(#[from] io::Error),
    /// The name cannot stand on the drive.
    #[error(transparent)]
    Name(#[from] path::BadPath),
}

/// What stands in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Names of the directories, sorted.
    pub(crate) directories: Vec<String>,
    /// Names of the files, sorted.
    pub(crate) files: Vec<String>,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// Octets.
    pub(crate) size: u64,
    /// When it was written, by the clock of the module.
    pub(crate) written: DateTime,
}

impl FileSystem {
    /// Opens the drives, and puts the delivered files on `C:` if they are wanted and missing.
    pub(crate) fn open(storage: &Storage, now: DateTime) -> Result<Self, OpenError> {
        let local = local(storage, now)
            .map_err(|source| OpenError::new(DriveName::Local, &storage.root, source))?;
        let card = match storage.card {
            0 => None,
            capacity => {
                let volume = Volume::open(&storage.card_root, capacity).map_err(|source| {
                    OpenError::new(DriveName::Card, &storage.card_root, source)
                })?;
                Some(Arc::new(volume))
            }
        };
        Ok(Self {
            local: Arc::new(local),
            card,
        })
    }

    /// Whether a drive is there.
    pub(crate) fn has(&self, drive: DriveName) -> bool {
        self.volume(drive).is_ok_and(Volume::is_present)
    }

    /// Pulls the storage card out or puts it back, if there is one.
    pub(crate) fn set_card(&self, present: bool) {
        if let Some(card) = &self.card {
            card.set_present(present);
        }
    }

    fn volume(&self, drive: DriveName) -> io::Result<&Volume> {
        match drive {
            DriveName::Local => Ok(&self.local),
            DriveName::Card => self
                .card
                .as_deref()
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    /// The root of the drive that a path is on.
    fn directory_of(&self, path: &ModulePath) -> io::Result<&Dir> {
        self.volume(path.drive())?.directory()
    }

    /// Bytes that a drive holds, and those of them that files and directory entries take.
    pub(crate) fn capacity_and_used(&self, drive: DriveName) -> io::Result<(u64, u64)> {
        let volume = self.volume(drive)?;
        Ok((volume.capacity, volume.used()?))
    }

    /// Bytes that are left.
    pub(crate) fn free(&self, drive: DriveName) -> io::Result<u64> {
        let (capacity, used) = self.capacity_and_used(drive)?;
        Ok(capacity.saturating_sub(used))
    }

    /// Whether there is a file or directory.
    pub(crate) fn exists(&self, path: &ModulePath) -> bool {
        self.directory_of(path)
            .and_then(|root| root.symlink_metadata(path.on_disk()))
            .is_ok()
    }

    /// Whether there is a directory.
    pub(crate) fn is_directory(&self, path: &ModulePath) -> bool {
        self.directory_of(path)
            .and_then(|root| root.metadata(path.on_disk()))
            .is_ok_and(|metadata| metadata.is_dir())
    }

    /// What stands in a directory. Names that the drive would not allow are not shown.
    pub(crate) fn list(&self, path: &ModulePath) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in self.directory_of(path)?.read_dir(path.on_disk())? {
            let entry = entry?;
            let kind = entry.file_type()?;
            match entry.file_name().into_string() {
                Ok(name) if path::is_legal(&name) && kind.is_dir() => {
                    listing.directories.push(name);
                }
                Ok(name) if path::is_legal(&name) && kind.is_file() => listing.files.push(name),
                _ => {}
            }
        }
        listing.directories.sort_unstable();
        listing.files.sort_unstable();
        Ok(listing)
    }

    /// Size and time of a file.
    pub(crate) fn attributes(&self, path: &ModulePath) -> io::Result<Attributes> {
        let metadata = self.file(path)?.metadata()?;
        Ok(Attributes {
            size: metadata.len(),
            written: shown(metadata.modified()?.into_std()),
        })
    }

    /// Opens a file for reading; it stays readable when it is deleted.
    pub(crate) fn file(&self, path: &ModulePath) -> io::Result<File> {
        let file = self.directory_of(path)?.open(path.on_disk())?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::from(io::ErrorKind::IsADirectory))
        }
    }

    /// Makes a directory in one that exists.
    pub(crate) fn make_directory(&self, path: &ModulePath) -> Result<(), FileError> {
        if self.free(path.drive())? < ENTRY_COST {
            return Err(FileError::Full);
        }
        Ok(self.directory_of(path)?.create_dir(path.on_disk())?)
    }

    /// Makes a directory and those above it, as far as they are missing.
    pub(crate) fn make_directories(&self, path: &ModulePath) -> Result<(), FileError> {
        if self.is_directory(path) {
            return Ok(());
        }
        if path.name().is_some() {
            self.make_directories(&path.parent())?;
        }
        self.make_directory(path)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_directory(&self, path: &ModulePath) -> io::Result<()> {
        self.directory_of(path)?.remove_dir(path.on_disk())
    }

    /// Removes a directory with all that is in it.
    pub(crate) fn remove_tree(&self, path: &ModulePath) -> io::Result<()> {
        self.directory_of(path)?.remove_dir_all(path.on_disk())
    }

    /// Removes a file.
    pub(crate) fn remove_file(&self, path: &ModulePath) -> io::Result<()> {
        self.directory_of(path)?.remove_file(path.on_disk())
    }

    /// Gives a file or directory another name on the same drive; nothing is overwritten.
    pub(crate) fn rename(&self, from: &ModulePath, to: &ModulePath) -> io::Result<()> {
        if self.exists(to) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let (source, target) = (self.directory_of(from)?, self.directory_of(to)?);
        source.rename(from.on_disk(), target, to.on_disk())
    }

    /// Makes a file that does not exist yet.
    pub(crate) fn create(&self, path: &ModulePath, now: DateTime) -> Result<Writer, FileError> {
        let room = self
            .free(path.drive())?
            .checked_sub(ENTRY_COST)
            .ok_or(FileError::Full)?;
        let file = new_file(self.directory_of(path)?, path)?;
        Ok(Writer::new(file, room, now))
    }
}

impl OpenError {
    fn new(drive: DriveName, root: &Root, source: io::Error) -> Self {
        let root = match root {
            Root::Temporary => fast_directory(),
            Root::Directory(path) => path.clone(),
        };
        Self {
            drive,
            root,
            source,
        }
    }
}

/// Drive `C:` as it is delivered.
fn local(storage: &Storage, now: DateTime) -> io::Result<Volume> {
    let mut volume = Volume::open(&storage.root, storage.capacity)?;
    let before = volume.used()?;
    let room = match storage.free {
        Some(_) => u64::MAX,
        None => storage.capacity.saturating_sub(before),
    };
    let delivered = if storage.factory_files {
        deliver(volume.directory()?, room, storage.big_file, now).map_err(io::Error::other)?
    } else {
        0
    };
    if let Some(free) = storage.free {
        volume.capacity = before.saturating_add(delivered).saturating_add(free);
    }
    Ok(volume)
}

/// Puts the delivered files that are missing on a drive with so much room; returns what they take.
///
/// Files that do not fit on a small drive are left out, as no file is cut short. The room is
/// counted along, because modules are made by the hundred.
fn deliver(drive: &Dir, room: u64, big: bool, now: DateTime) -> Result<u64, FileError> {
    let root = ModulePath::root(DriveName::Local);
    let mut left = room;
    for file in factory::files(big) {
        let directory = match file.directory {
            "" => root.clone(),
            name => root.child(name)?,
        };
        let path = directory.child(&file.name)?;
        let is_new_directory = drive.symlink_metadata(directory.on_disk()).is_err();
        let entries = if is_new_directory { 2 } else { 1 };
        let cost = file.content.len() + entries * ENTRY_COST;
        if left < cost || drive.symlink_metadata(path.on_disk()).is_ok() {
            continue;
        }
        if is_new_directory {
            drive.create_dir(directory.on_disk())?;
        }
        let mut writer = Writer::new(new_file(drive, &path)?, file.content.len(), now);
        match &file.content {
            Content::Octets(octets) => writer.write(octets)?,
            Content::Zeros(count) => writer.pad(*count)?,
        }
        writer.finish()?;
        left -= cost;
    }
    Ok(room - left)
}

fn new_file(drive: &Dir, path: &ModulePath) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    drive.open_with(path.on_disk(), &options)
}

fn shown(time: SystemTime) -> DateTime {
    jiff::Timestamp::try_from(time).map_or(DateTime::default(), |time| {
        time.to_zoned(TimeZone::UTC).datetime()
    })
}
