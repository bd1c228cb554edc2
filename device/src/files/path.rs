//! Names on the drives: what a path of the DTE means, and that it stays on its drive.

use std::fmt;

/// A drive (note chapter 2: "C:/Email" or "D:/Email").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DriveName {
    /// `C:`, the local storage.
    #[default]
    Local,
    /// `D:`, the storage card.
    Card,
}

impl DriveName {
    /// The drive with a number of `AT+FSLOCA` and `AT+POP3READ`: 0 or 1.
    pub(crate) fn numbered(number: u32) -> Self {
        if number == 0 { Self::Local } else { Self::Card }
    }

    /// Its number there.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Local => 0,
            Self::Card => 1,
        }
    }
}

impl fmt::Display for DriveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "C:",
            Self::Card => "D:",
        })
    }
}

/// A path on a drive: the directories and the name, each of them a legal name. There is no way to
/// write one that leaves the drive. Whether the drive is there is not its business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModulePath {
    drive: DriveName,
    parts: Vec<String>,
}

/// A text that is no path on a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path on a drive of the module")]
pub(crate) struct BadPath;

/// Characters of a whole path (SIM5320 manual, chapter 12).
const PATH_MAX: usize = 254;

impl ModulePath {
    /// `C:/` or `D:/`
    pub(crate) fn root(drive: DriveName) -> Self {
        Self {
            drive,
            parts: Vec::new(),
        }
    }

    /// Reads a path as it was typed while `self` was the current directory: `C:`, `C:/a/b`, `a/b`,
    /// `..`, `../a`. Above the root there is the root.
    pub(crate) fn resolve(&self, text: &str) -> Result<Self, BadPath> {
        let (mut path, relative) = match absolute(text) {
            None => (self.clone(), text),
            Some((drive, "" | "/")) => return Ok(Self::root(drive)),
            Some((drive, rest)) => (Self::root(drive), rest.strip_prefix('/').ok_or(BadPath)?),
        };
        for part in relative.split('/') {
            if part == ".." {
                path.parts.pop();
            } else if is_legal(part) {
                path.parts.push(part.to_owned());
            } else {
                return Err(BadPath);
            }
        }
        if path.to_string().len() > PATH_MAX {
            Err(BadPath)
        } else {
            Ok(path)
        }
    }

    /// The path of `name` in this directory; `name` must be a legal name without directories.
    pub(crate) fn child(&self, name: &str) -> Result<Self, BadPath> {
        if is_legal(name) {
            self.resolve(name)
        } else {
            Err(BadPath)
        }
    }

    /// The drive that it is on.
    pub(crate) fn drive(&self) -> DriveName {
        self.drive
    }

    /// The last part; `None` for the root.
    pub(crate) fn name(&self) -> Option<&str> {
        self.parts.last().map(String::as_str)
    }

    /// The directory that it is in; the root is in itself.
    pub(crate) fn parent(&self) -> Self {
        let mut parent = self.clone();
        parent.parts.pop();
        parent
    }

    /// Whether `other` is this directory or in it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.drive == other.drive && other.parts.starts_with(&self.parts)
    }

    /// The path below the directory that is the drive.
    pub(crate) fn on_disk(&self) -> String {
        if self.parts.is_empty() {
            ".".to_owned()
        } else {
            self.parts.join("/")
        }
    }

    /// The directory as the module prints it: with a slash at its end (note 3.2).
    pub(crate) fn as_directory(&self) -> String {
        let path = self.to_string();
        if self.parts.is_empty() {
            path
        } else {
            path + "/"
        }
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.drive, self.parts.join("/"))
    }
}

/// The drive that a text names, and what follows.
fn absolute(text: &str) -> Option<(DriveName, &str)> {
    let (letter, rest) = text.split_once(':')?;
    match letter {
        "C" | "c" => Some((DriveName::Local, rest)),
        "D" | "d" => Some((DriveName::Card, rest)),
        _ => None,
    }
}

/// Whether a name may stand on the drive (SIM5320 manual, chapter 12): it begins with a letter,
/// digit or underscore, has none of `\ : * ? " < > | , ;` and no control character, does not end
/// with a dot or a blank, and is no device name.
pub(crate) fn is_legal(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let plain = name
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !FORBIDDEN.contains(&byte));
    let end = !name.ends_with(['.', ' ']);
    first && plain && end && name.len() < PATH_MAX && !is_device(name)
}

const FORBIDDEN: &[u8] = b"\\/:*?\"<>|,;";

/// The names that FAT systems keep for devices, with or without an extension.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (matches!(
            stem.as_bytes(),
            [b'C', b'O', b'M', b'0'..=b'9'] | [b'L', b'P', b'T', b'0'..=b'9']
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn email() -> ModulePath {
        ModulePath::root(DriveName::Local)
            .resolve("C:/Email")
            .unwrap()
    }

    #[rstest]
    #[case("C:", "C:/")]
    #[case("C:/", "C:/")]
    #[case("c:/Picture", "C:/Picture")]
    #[case("D:", "D:/")]
    #[case("d:/Email", "D:/Email")]
    #[case("D:/../../x", "D:/x")]
    #[case("100202110457", "C:/Email/100202110457")]
    #[case("100202110457/EMAIL000.TXT", "C:/Email/100202110457/EMAIL000.TXT")]
    #[case("..", "C:/")]
    #[case("../..", "C:/")]
    #[case("../../../etc", "C:/etc")]
    #[case("a/../b", "C:/Email/b")]
    fn paths_are_resolved(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(email().resolve(text).unwrap().to_string(), expected);
    }

    #[rstest]
    #[case("")]
    #[case("/")]
    #[case("/etc/passwd")]
    #[case("E:/Email")]
    #[case("E:")]
    #[case("CD:/x")]
    #[case("D:C:/x")]
    #[case("a/D:")]
    #[case(":")]
    #[case("C:x")]
    #[case("D:x")]
    #[case("C://x")]
    #[case("a//b")]
    #[case("a/")]
    #[case(".")]
    #[case("./a")]
    #[case("...")]
    #[case(".hidden")]
    #[case("a.")]
    #[case("a\\b")]
    #[case("..\\..\\x")]
    #[case("a*b")]
    #[case("a\0b")]
    #[case("\u{e4}")]
    #[case("CON")]
    #[case("aux.txt")]
    #[case("com1")]
    fn what_is_no_path_is_refused(#[case] text: &str) {
        assert_eq!(email().resolve(text), Err(BadPath));
    }

    #[test]
    fn a_path_has_at_most_254_characters() {
        let root = ModulePath::default();
        assert!(root.resolve(&"a".repeat(251)).is_ok());
        assert_eq!(root.resolve(&"a".repeat(252)), Err(BadPath));
        assert_eq!(root.resolve(&vec!["abcd"; 60].join("/")), Err(BadPath));
    }

    proptest! {
        #[test]
        fn a_path_never_leaves_the_drive(text in "([CD]:)?[./a\\\\:]{0,12}") {
            if let Ok(path) = email().resolve(&text) {
                prop_assert!(path.parts.iter().all(|part| is_legal(part)));
            }
        }
    }
}
