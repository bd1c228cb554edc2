//! Where received mails are kept: `C:/Email/<stamp>/EMAIL000.TXT` or the same on drive `D:`, and
//! the attachments beside it (note 4.4 and 4.7).

use crate::clock::{self, Rtc};
use crate::files::path::{BadPath, DriveName, ModulePath};
use crate::files::{ENTRY_COST, FileError, FileSystem};
use crate::mail::{FileNames, Letter};
use jiff::civil::DateTime;

/// The text of a mail: its header, an empty line, and what it says.
const TEXT_FILE: &str = "EMAIL000.TXT";

/// The directory of all mails on a drive.
pub(crate) fn directory(drive: DriveName) -> Result<ModulePath, BadPath> {
    ModulePath::root(drive).child("Email")
}

/// Stores a mail in a directory of its own, named from the clock; returns the path of its text.
///
/// A mail that does not fit leaves nothing behind.
pub(crate) fn store(
    letter: &Letter,
    files: &FileSystem,
    drive: DriveName,
    rtc: &Rtc,
) -> Result<ModulePath, FileError> {
    let now = rtc.local();
    let all = directory(drive)?;
    let own = free_directory(files, &all, now)?;
    let text = letter.listing();
    // Said beforehand, so that not even the directory of all mails is made in vain.
    let directories = if files.is_directory(&all) { 1 } else { 2 };
    if files.free(drive)? < room(&text, letter, directories) {
        return Err(FileError::Full);
    }
    files.make_directories(&own)?;
    let stored = fill(&text, letter, files, &own, now);
    if stored.is_err() {
        files.remove_tree(&own)?;
    }
    stored
}

/// Two mails of the same second get directories a second apart.
fn free_directory(
    files: &FileSystem,
    all: &ModulePath,
    now: DateTime,
) -> Result<ModulePath, FileError> {
    (0..)
        .find_map(|later| match all.child(&clock::stamp(now, later)) {
            Ok(path) if files.exists(&path) => None,
            free => Some(free),
        })
        .ok_or(FileError::Full)?
        .map_err(FileError::from)
}

/// Octets that a mail takes on the drive, with those of so many new directories.
fn room(text: &[u8], letter: &Letter, directories: u64) -> u64 {
    let sizes = letter.attachments.iter().map(|file| file.bytes.len());
    let entries = (directories + 1).saturating_add(letter.attachments.len() as u64);
    sizes
        .chain([text.len()])
        .fold(entries.saturating_mul(ENTRY_COST), |sum, size| {
            sum.saturating_add(size as u64)
        })
}

fn fill(
    text: &[u8],
    letter: &Letter,
    files: &FileSystem,
    own: &ModulePath,
    now: DateTime,
) -> Result<ModulePath, FileError> {
    let path = own.child(TEXT_FILE)?;
    let mut writer = files.create(&path, now)?;
    writer.write(text)?;
    writer.finish()?;
    let mut names = FileNames::new([TEXT_FILE]);
    for attachment in &letter.attachments {
        let name = names.assign(attachment.name.as_deref());
        let mut writer = files.create(&own.child(&name)?, now)?;
        writer.write(&attachment.bytes)?;
        writer.finish()?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ClockText;
    use crate::files::path::is_legal;
    use crate::mail::LetterAttachment;
    use crate::settings::Storage;
    use proptest::prelude::*;

    fn drive(capacity: u64) -> (FileSystem, Rtc) {
        let storage = Storage {
            capacity,
            factory_files: false,
            card: 4_000,
            ..Storage::default()
        };
        let rtc = Rtc::start(ClockText::default());
        (FileSystem::open(&storage, rtc.local()).unwrap(), rtc)
    }

    fn letter(names: &[&str]) -> Letter {
        let attachment = |name: &&str| LetterAttachment {
            name: Some((*name).to_owned()),
            bytes: name.as_bytes().to_vec(),
        };
        Letter {
            text: b"text".to_vec(),
            attachments: names.iter().map(attachment).collect(),
            ..Letter::default()
        }
    }

    #[test]
    fn attachments_lie_beside_the_text_and_overwrite_nothing() {
        let (files, rtc) = drive(100_000);
        let names = [
            "a.txt",
            "A.TXT",
            "EMAIL000.TXT",
            "../../x",
            "C:/y",
            "",
            "..",
        ];
        let text = store(&letter(&names), &files, DriveName::Local, &rtc).unwrap();
        assert_eq!(text.to_string(), "C:/Email/100202110400/EMAIL000.TXT");
        assert_eq!(files.read(&text).unwrap(), b"\r\ntext");
        let listing = files.list(&text.parent()).unwrap();
        assert_eq!(listing.directories, [""; 0]);
        assert_eq!(listing.files.len(), 8, "{:?}", listing.files);
        let mut contents: Vec<_> = listing
            .files
            .iter()
            .filter(|name| *name != TEXT_FILE)
            .map(|name| files.read(&text.parent().child(name).unwrap()).unwrap())
            .collect();
        contents.sort();
        let mut expected = names.map(|name| name.as_bytes().to_vec());
        expected.sort();
        assert_eq!(contents, expected);
    }

    #[test]
    fn a_mail_without_room_leaves_nothing_behind() {
        let (files, rtc) = drive(150);
        let (long, local) = ("x".repeat(100), DriveName::Local);
        let result = store(&letter(&[&long]), &files, local, &rtc);
        assert!(matches!(result, Err(FileError::Full)), "{result:?}");
        assert!(!files.exists(&directory(local).unwrap()));
        store(&letter(&[]), &files, local, &rtc).unwrap();
        let result = store(&letter(&[&long]), &files, local, &rtc);
        assert!(matches!(result, Err(FileError::Full)), "{result:?}");
        let mails = files.list(&directory(local).unwrap()).unwrap();
        assert_eq!(mails.directories, ["100202110400"]);
    }

    #[test]
    fn a_mail_may_take_the_last_octet() {
        // Email, the mail's own directory, its text (6 octets) and one attachment.
        let exact = 4 * ENTRY_COST + 6 + 10;
        for (capacity, fits) in [(exact, true), (exact - 1, false)] {
            let (files, rtc) = drive(capacity);
            let mail = letter(&["ten octets"]);
            let stored = store(&mail, &files, DriveName::Local, &rtc);
            assert_eq!(stored.is_ok(), fits, "{capacity}: {stored:?}");
        }
    }

    #[test]
    fn a_mail_is_stored_on_the_card_while_it_is_there() {
        let (files, rtc) = drive(0);
        let card = DriveName::Card;
        let text = store(&letter(&["a.txt"]), &files, card, &rtc).unwrap();
        assert_eq!(text.to_string(), "D:/Email/100202110400/EMAIL000.TXT");
        files.set_card(false);
        let result = store(&letter(&[]), &files, card, &rtc);
        assert!(matches!(result, Err(FileError::Host(_))), "{result:?}");
        files.set_card(true);
        let mails = files.list(&directory(card).unwrap()).unwrap();
        assert_eq!(mails.directories, ["100202110400"]);
    }

    proptest! {
        #[test]
        fn every_name_that_is_given_out_may_stand_on_the_drive(
            offered in prop::collection::vec(any::<String>(), 1..5),
        ) {
            let mut names = FileNames::new([TEXT_FILE]);
            for name in offered {
                let given = names.assign(Some(&name));
                prop_assert!(is_legal(&given), "{given:?}");
            }
        }
    }
}
