//! The drives as commands see them.

use super::*;
use jiff::civil::datetime;
use rstest::rstest;

fn open(storage: &Storage) -> FileSystem {
    FileSystem::open(storage, datetime(2010, 2, 2, 11, 4, 0, 0)).unwrap()
}

fn drive(capacity: u64, factory_files: bool) -> FileSystem {
    open(&Storage {
        capacity,
        factory_files,
        ..Storage::default()
    })
}

impl FileSystem {
    /// A whole file.
    pub(crate) fn read(&self, path: &ModulePath) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        io::Read::read_to_end(&mut self.file(path)?, &mut octets)?;
        Ok(octets)
    }
}

fn path(text: &str) -> ModulePath {
    ModulePath::default().resolve(text).unwrap()
}

fn write(files: &FileSystem, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let mut writer = files.create(&path(name), datetime(2024, 2, 29, 1, 2, 3, 0))?;
    writer.write(bytes)?;
    writer.finish()
}

#[test]
fn the_delivered_files_are_there() {
    let files = drive(1 << 20, true);
    let root = files.list(&ModulePath::default()).unwrap();
    assert_eq!(root.directories, ["Picture"]);
    assert_eq!(root.files.len(), 10);
    let pictures = files.list(&path("Picture")).unwrap();
    assert_eq!(
        pictures.files,
        ["20100202_100006.jpg", "20100202_100016.jpg"]
    );
    let attributes = files
        .attributes(&path("Picture/20100202_100006.jpg"))
        .unwrap();
    assert_eq!(attributes.size, 18_204);
    assert_eq!(attributes.written, datetime(2010, 2, 2, 11, 4, 0, 0));
}

/// What the twelve small files, the big one and the directory `Picture` take.
const SMALL: u64 = 18_204 + 21_377 + 9 * 63 + 65 + 13 * ENTRY_COST;
const BIG: u64 = (10 << 20) + ENTRY_COST;

#[test]
fn the_big_file_counts_with_its_length_and_takes_no_room_of_the_host() {
    let root = tempfile::tempdir().unwrap();
    let files = open(&Storage {
        root: Root::Directory(root.path().to_owned()),
        ..Storage::default()
    });
    let big = files.attributes(&path("big.bin")).unwrap();
    assert_eq!(big.size, 10_485_760);
    assert_eq!(big.written, datetime(2010, 2, 2, 11, 4, 0, 0));
    assert!(
        files
            .read(&path("big.bin"))
            .unwrap()
            .iter()
            .all(|octet| *octet == 0)
    );
    assert_eq!(
        files.capacity_and_used(DriveName::Local).unwrap(),
        (12 << 20, SMALL + BIG)
    );
    // A mail of 2 MiB does not fit beside it.
    assert!(files.free(DriveName::Local).unwrap() < 2 << 20);
}

#[rstest]
#[case::all(true, true, SMALL + BIG)]
#[case::small(true, false, SMALL)]
#[case::none(false, true, 0)]
fn what_is_free_can_be_given(
    #[case] factory_files: bool,
    #[case] big_file: bool,
    #[case] used: u64,
) {
    let files = open(&Storage {
        free: Some(5_000),
        factory_files,
        big_file,
        ..Storage::default()
    });
    let drive = DriveName::Local;
    assert_eq!(
        files.capacity_and_used(drive).unwrap(),
        (used + 5_000, used)
    );
    assert_eq!(files.free(drive).unwrap(), 5_000);
}

#[test]
fn what_lies_on_a_kept_drive_counts_and_is_not_delivered_again() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("own"), [1; 100]).unwrap();
    std::fs::write(root.path().join("big.bin"), "mine").unwrap();
    let storage = Storage {
        root: Root::Directory(root.path().to_owned()),
        free: Some(5_000),
        ..Storage::default()
    };
    for _ in 0..2 {
        let files = open(&storage);
        assert_eq!(files.free(DriveName::Local).unwrap(), 5_000);
        assert_eq!(files.read(&path("big.bin")).unwrap(), b"mine");
    }
}

#[test]
fn what_does_not_fit_is_not_delivered() {
    let files = drive(1 << 20, true);
    assert!(!files.exists(&path("big.bin")));
    assert!(files.exists(&path("file10.txt")));
}

#[test]
fn the_card_is_a_drive_of_its_own_until_it_is_pulled_out() {
    let files = drive(1 << 20, false);
    write(&files, "a", b"local").unwrap();
    write(&files, "D:/a", b"card").unwrap();
    assert_eq!(files.read(&path("a")).unwrap(), b"local");
    assert_eq!(files.read(&path("D:/a")).unwrap(), b"card");
    assert_eq!(
        files.capacity_and_used(DriveName::Card).unwrap(),
        (2 << 20, ENTRY_COST + 4)
    );
    files.set_card(false);
    assert!(!files.has(DriveName::Card) && files.has(DriveName::Local));
    assert!(!files.is_directory(&path("D:")));
    assert!(files.read(&path("D:/a")).is_err());
    assert!(files.list(&path("D:")).is_err());
    assert!(files.make_directories(&path("D:/x/y")).is_err());
    assert!(files.free(DriveName::Card).is_err());
    files.set_card(true);
    assert_eq!(files.read(&path("D:/a")).unwrap(), b"card");
}

#[test]
fn without_a_card_there_is_no_second_drive() {
    let files = open(&Storage {
        card: 0,
        ..Storage::default()
    });
    files.set_card(true);
    assert!(!files.has(DriveName::Card));
    assert!(write(&files, "D:/a", b"x").is_err());
}

#[test]
fn a_full_drive_takes_nothing() {
    let files = drive(100, false);
    write(&files, "a", &[0; 30]).unwrap();
    assert_eq!(
        files.capacity_and_used(DriveName::Local).unwrap(),
        (100, 62)
    );
    assert!(matches!(write(&files, "b", &[0; 7]), Err(FileError::Full)));
    assert!(matches!(
        files.make_directory(&path("d")),
        Err(FileError::Full)
    ));
    files.remove_file(&path("a")).unwrap();
    files.make_directory(&path("d")).unwrap();
}

#[test]
fn nothing_is_overwritten() {
    let files = drive(1000, false);
    write(&files, "a", b"first").unwrap();
    write(&files, "b", b"second").unwrap();
    assert!(matches!(
        write(&files, "a", b"third"),
        Err(FileError::Host(_))
    ));
    assert!(files.rename(&path("b"), &path("a")).is_err());
    assert_eq!(files.read(&path("a")).unwrap(), b"first");
    assert_eq!(
        files.attributes(&path("a")).unwrap().written,
        datetime(2024, 2, 29, 1, 2, 3, 0)
    );
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let inside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
    let root = Root::Directory(inside.path().to_owned());
    let storage = Storage {
        root,
        factory_files: false,
        ..Storage::default()
    };
    let files = FileSystem::open(&storage, DateTime::default()).unwrap();
    assert!(files.read(&path("link/secret")).is_err());
    assert!(write(&files, "link/new", b"x").is_err());
    assert_eq!(
        files.list(&ModulePath::default()).unwrap(),
        Listing::default()
    );
}
