//! Every kind of mistake that lint finds, with its exact words.

use std::path::PathBuf;
use urcheck::profile::Profile;
use urcheck::suite::{Library, Suite};

/// The folder holds one file for each group of mistakes; each has a snapshot of its own.
#[test]
fn every_mistake_is_reported_at_its_place() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad_scenarios");
    let suite = Suite::load(Library::Folder(PathBuf::from(root))).unwrap();
    let found = suite.lint(&Profile::default(), suite.scenarios());
    let mut paths = suite.library().paths().unwrap();
    paths.retain(|path| !["capabilities.toml", "profiles/plain.toml"].contains(&path.as_str()));
    assert!(paths.len() > 40);
    for path in paths {
        let of_file: Vec<_> = found
            .iter()
            .filter(|one| one.place().is_some_and(|(file, ..)| file == path))
            .cloned()
            .collect();
        let text = urcheck::diagnostic::render(&of_file, false);
        // The circle of fragments is reported where it closes, in one of them.
        let clean = [
            "fragments/ready.att",
            "fragments/chicken.att",
            "fragment-cycle.att",
        ];
        let clean = clean.contains(&path.as_str());
        assert_eq!(text.is_empty(), clean, "{path} is not as expected: {text}");
        if !clean {
            insta::assert_snapshot!(path.replace('/', "-"), text);
        }
    }
}
