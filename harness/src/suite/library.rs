//! Where the files of the suite come from: the folder that is embedded, or one on disk.

use include_dir::{Dir, include_dir};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use thiserror::Error;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../scenarios");

/// No file of the suite is larger than this.
const MAX_BYTES: u64 = 64 << 20;

/// No folder has more files than this.
const MAX_FILES: usize = 20_000;

/// Folders in each other, at most.
const MAX_DEPTH: usize = 16;

/// Where the files of the suite come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// The files that the program carries.
    Embedded,
    /// A folder.
    Folder(PathBuf),
}

/// Why a file cannot be read.
#[derive(Debug, Error)]
pub enum LibraryError {
    /// There is none.
    #[error("there is no file `{0}`")]
    Missing(String),
    /// It points out of the folder.
    #[error("`{0}` is not a path within the scenario folder")]
    Outside(String),
    /// It is too large.
    #[error("`{0}` is larger than 64 MiB")]
    TooLarge(String),
    /// The folder has too many files or is too deep.
    #[error("`{0}` has too many files, or folders too deep in each other")]
    TooMany(String),
    /// The operating system says no.
    #[error("failed to read `{path}`: {source}")]
    Io {
        /// Which file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Library {
    /// The paths of all files, relative to the folder, with `/`, sorted.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn paths(&self) -> Result<Vec<String>, LibraryError> {
        let mut paths = Vec::new();
        match self {
            Self::Embedded => paths.extend(embedded().keys().cloned()),
            Self::Folder(root) => walk(root, "", 0, &mut paths)?,
        }
        paths.sort();
        Ok(paths)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If it does not exist, lies outside, is too large or cannot be read.
    pub fn read(&self, path: &str) -> Result<Cow<'static, [u8]>, LibraryError> {
        let within = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !within {
            return Err(LibraryError::Outside(path.to_owned()));
        }
        match self {
            Self::Embedded => match embedded().get(path) {
                Some(bytes) => Ok(Cow::Borrowed(*bytes)),
                None => Err(LibraryError::Missing(path.to_owned())),
            },
            Self::Folder(root) => match read_file(&root.join(path)) {
                Ok(bytes) => Ok(Cow::Owned(bytes)),
                // Where the folder stands is no news.
                Err(LibraryError::Missing(_)) => Err(LibraryError::Missing(path.to_owned())),
                Err(error) => Err(error),
            },
        }
    }
}

/// Reads a file that is not too large.
///
/// # Errors
/// If it does not exist, is too large or cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, LibraryError> {
    let name = || path.display().to_string();
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => LibraryError::Missing(name()),
        _ => LibraryError::Io {
            path: name(),
            source,
        },
    };
    let file = fs::File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(LibraryError::Missing(name()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(LibraryError::TooLarge(name()));
    }
    Ok(bytes)
}

/// The embedded files by path. A search in the folder itself compares with every file.
fn embedded() -> &'static BTreeMap<String, &'static [u8]> {
    static FILES: OnceLock<BTreeMap<String, &[u8]>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = BTreeMap::new();
        collect(&EMBEDDED, &mut files);
        files
    })
}

fn collect(dir: &Dir<'static>, to: &mut BTreeMap<String, &'static [u8]>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if !path.starts_with('.') && !path.contains("/.") {
            to.insert(path, file.contents());
        }
    }
    dir.dirs().for_each(|dir| collect(dir, to));
}

fn walk(root: &Path, inside: &str, depth: usize, to: &mut Vec<String>) -> Result<(), LibraryError> {
    let folder = root.join(inside);
    let io = |source| LibraryError::Io {
        path: folder.display().to_string(),
        source,
    };
    for entry in fs::read_dir(&folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = if inside.is_empty() {
            name
        } else {
            format!("{inside}/{name}")
        };
        // Not through links, which could go round in circles.
        let kind = entry.file_type().map_err(io)?;
        if to.len() >= MAX_FILES || depth >= MAX_DEPTH {
            return Err(LibraryError::TooMany(root.display().to_string()));
        }
        if kind.is_dir() {
            walk(root, &path, depth + 1, to)?;
        } else if kind.is_file() {
            to.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("../Cargo.toml")]
    #[case("/etc/passwd")]
    #[case("")]
    #[case("mail/../../Cargo.toml")]
    fn nothing_outside_is_read(#[case] path: &str) {
        assert!(matches!(
            Library::Embedded.read(path),
            Err(LibraryError::Outside(_))
        ));
        let folder = Library::Folder(PathBuf::from("."));
        assert!(matches!(folder.read(path), Err(LibraryError::Outside(_))));
    }

    #[test]
    fn a_folder_and_the_embedded_files_are_the_same() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let folder = Library::Folder(PathBuf::from(root));
        assert_eq!(folder.paths().unwrap(), Library::Embedded.paths().unwrap());
    }
}
