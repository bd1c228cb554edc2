//! File names that a message offers, made safe (faults C02 to C04).
//!
//! A name comes from a stranger. What leaves this room is one plain component that the module's
//! file system accepts, that no AT response can be broken with, and that overwrites nothing.

use std::collections::BTreeSet;

/// The longest name given out, in octets; `C:/Email/YYMMDDHHMMSS/` before it stays below the 254
/// octets of a full path.
pub(super) const NAME_LIMIT: usize = 128;

/// What a file without a usable name is called.
const NAMELESS: &str = "attachment";

/// Names that are devices on FAT systems, whatever extension follows.
const RESERVED: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// Gives out names for the files of one message directory, each only once.
#[derive(Clone, Debug)]
pub struct FileNames {
    /// Upper-case forms: the file system may not tell `a` from `A`.
    taken: BTreeSet<String>,
}

impl FileNames {
    /// Starts with `taken`: names that are in the directory already, such as `EMAIL000.TXT`.
    pub fn new<'a>(taken: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            taken: taken.into_iter().map(str::to_ascii_uppercase).collect(),
        }
    }

    /// The name under which a file is stored that the message calls `offered`.
    pub fn assign(&mut self, offered: Option<&str>) -> String {
        let wanted = sanitize(offered.unwrap_or_default());
        let (stem, extension) = split_extension(&wanted);
        let mut name = wanted.clone();
        let mut counter = 1_u64;
        while !self.taken.insert(name.to_ascii_uppercase()) {
            let suffix = format!("_{counter}");
            let room = NAME_LIMIT.saturating_sub(suffix.len() + extension.len());
            let stem = stem.get(..room.min(stem.len())).unwrap_or(NAMELESS);
            name = format!("{stem}{suffix}{extension}");
            counter += 1;
        }
        name
    }
}

/// One safe path component for the name `offered`: ASCII letters, digits and a few marks, starting
/// with a letter, a digit or an underscore, not ending in a dot or a blank, at most
/// 128 octets, never empty and never a device name.
#[must_use]
pub fn sanitize(offered: &str) -> String {
    let last = offered
        .rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let bytes = last.as_bytes();
    let last = match bytes {
        [drive, b':', ..] if drive.is_ascii_alphabetic() => last.get(2..).unwrap_or_default(),
        _ => last,
    };
    let plain: String = last
        .trim()
        .chars()
        .filter(|character| !character.is_control())
        .map(|character| if is_plain(character) { character } else { '_' })
        .collect();
    let plain = plain.trim_matches(['.', ' ']);
    let (stem, extension) = split_extension(plain);
    let room = NAME_LIMIT.saturating_sub(extension.len());
    let stem = cut(stem, room);
    match stem {
        "" if extension.is_empty() => NAMELESS.to_owned(),
        "" => format!("{NAMELESS}{extension}"),
        // Judged after cutting, which may bring a device name to light.
        _ if is_reserved(stem) || !starts_well(stem) => {
            format!("_{}{extension}", cut(stem, room.saturating_sub(1)))
        }
        _ => format!("{stem}{extension}"),
    }
}

/// The first `room` octets of an ASCII stem, without trailing dots and blanks.
fn cut(stem: &str, room: usize) -> &str {
    stem.get(..room.min(stem.len()))
        .unwrap_or_default()
        .trim_end_matches([' ', '.'])
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || " ._-+@()[]{}=!#$%&'~^`".contains(character)
}

fn starts_well(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
}

fn is_reserved(stem: &str) -> bool {
    let word = stem
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    let numbered = word
        .strip_prefix("COM")
        .or_else(|| word.strip_prefix("LPT"))
        .is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    numbered || RESERVED.contains(&word.as_str())
}

/// Splits `name.ext` before its last dot. Something very long is no extension.
fn split_extension(name: &str) -> (&str, &str) {
    name.rfind('.')
        .filter(|dot| name.len() - dot <= 16)
        .and_then(|dot| name.split_at_checked(dot))
        .unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("20100202_100006.jpg", "20100202_100006.jpg")]
    #[case::spaces_inside("my photo 1.jpg", "my photo 1.jpg")]
    #[case::traversal("../../x", "x")]
    #[case::traversal_backslash("..\\..\\x", "x")]
    #[case::absolute("/etc/passwd", "passwd")]
    #[case::drive("C:/x.txt", "x.txt")]
    #[case::drive_without_slash("C:x.txt", "x.txt")]
    #[case::colon("a:b:c.txt", "b_c.txt")]
    #[case::stream("file.txt::$DATA", "file.txt__$DATA")]
    #[case::trailing_separator("a/b/", "b")]
    #[case::empty("", "attachment")]
    #[case::dot(".", "attachment")]
    #[case::dots("....", "attachment")]
    #[case::hidden(".bashrc", "bashrc")]
    #[case::trailing_dot_and_blank("a.txt. .", "a.txt")]
    #[case::reserved("CON", "_CON")]
    #[case::reserved_with_extension("nul.txt", "_nul.txt")]
    #[case::reserved_port("lpt1.tar.gz", "_lpt1.tar.gz")]
    #[case::not_reserved("console.txt", "console.txt")]
    #[case::quotes("a\"b;c,d.txt", "a_b_c_d.txt")]
    #[case::line_ends("a\r\nOK\r\n.txt", "aOK.txt")]
    #[case::nul("a\0b", "ab")]
    #[case::non_ascii("résumé.pdf", "r_sum_.pdf")]
    #[case::dash_first("-rf", "_-rf")]
    #[case::reserved_when_cut(&format!("CON{}x", " ".repeat(200)), "_CON")]
    #[case::only_extension(". .jpg", "jpg")]
    fn names(#[case] offered: &str, #[case] stored: &str) {
        assert_eq!(sanitize(offered), stored);
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = sanitize(&format!("{}.jpeg", "a".repeat(1_000)));
        assert_eq!(name.len(), NAME_LIMIT);
        assert!(name.ends_with("a.jpeg"), "{name}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let mut names = FileNames::new(["EMAIL000.TXT"]);
        let given: Vec<_> = [
            Some("a.txt"),
            Some("A.TXT"),
            Some("x/a.txt"),
            Some("email000.txt"),
            None,
            None,
        ]
        .into_iter()
        .map(|offered| names.assign(offered))
        .collect();
        assert_eq!(
            given,
            [
                "a.txt",
                "A_1.TXT",
                "a_2.txt",
                "email000_1.txt",
                "attachment",
                "attachment_1"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_name_is_one_safe_component(offered in "(\\PC|[./\\\\:\"; \r\n\0]){0,300}") {
            let name = sanitize(&offered);
            prop_assert!(!name.is_empty() && name.len() <= NAME_LIMIT, "{name:?}");
            prop_assert!(name.chars().all(is_plain), "{name:?}");
            prop_assert!(starts_well(&name), "{name:?}");
            prop_assert!(!name.ends_with(['.', ' ']), "{name:?}");
            prop_assert!(!is_reserved(&name), "{name:?}");
            prop_assert_eq!(sanitize(&name), name.clone(), "it is stable");
        }

        #[test]
        fn names_given_out_differ(offered in prop::collection::vec("[aA./]{0,3}|a{120,140}", 0..40)) {
            let mut names = FileNames::new(["EMAIL000.TXT"]);
            let mut seen = BTreeSet::new();
            for offered in &offered {
                let name = names.assign(Some(offered));
                prop_assert!(name.len() <= NAME_LIMIT);
                prop_assert!(seen.insert(name.to_ascii_uppercase()), "{name} twice");
            }
        }
    }
}
