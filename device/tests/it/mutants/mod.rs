// Its macros are used by the other one.
#[macro_use]
mod worlds;

mod long;
mod world;

use long::LONG;
use std::collections::BTreeSet;
use urcheck_device::Firmware;
use urcheck_device::mutant::{ALL, VARIANTS, find, names};
use world::{World, observe};
use worlds::WORLDS;

fn worlds() -> impl Iterator<Item = &'static World> {
    WORLDS.iter().chain(LONG)
}

/// The builds that no world tells from the shipped one.
fn dead(builds: impl Iterator<Item = (&'static str, Firmware)>) -> Vec<&'static str> {
    let shipped: Vec<_> = worlds()
        .map(|world| observe(world, Firmware::default()))
        .collect();
    let mut order: Vec<_> = worlds().zip(&shipped).collect();
    let mut dead = Vec::new();
    for (name, firmware) in builds {
        let differs = order
            .iter()
            .position(|(world, shipped)| observe(world, firmware) != **shipped);
        match differs {
            // The next build is probably told apart there, too.
            Some(at) => order[..=at].rotate_right(1),
            None => dead.push(name),
        }
    }
    dead
}

#[test]
fn the_shipped_module_does_the_same_twice() {
    for world in worlds() {
        let once = observe(world, Firmware::default());
        assert_eq!(once, observe(world, Firmware::default()), "{}", world.name);
    }
}

#[test]
fn every_mutant_differs_from_the_shipped_module() {
    let dead = dead(ALL.iter().map(|mutant| (mutant.name, mutant.firmware)));
    assert_eq!(dead, [""; 0], "mutants that nobody could tell apart");
}

#[test]
fn every_variant_differs_from_the_shipped_module() {
    let dead = dead(
        VARIANTS
            .iter()
            .map(|variant| (variant.name, variant.firmware)),
    );
    assert_eq!(dead, [""; 0], "variants that nobody could tell apart");
}

#[test]
fn every_name_stands_once_and_says_its_area() {
    let mut seen = BTreeSet::new();
    for name in names() {
        assert!(seen.insert(name), "{name} stands twice");
        assert!(find(name).is_some(), "{name} is not found");
        let legal = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        assert!(
            name.split('-')
                .all(|word| !word.is_empty() && word.chars().all(legal)),
            "{name}"
        );
    }
    for mutant in ALL.iter() {
        let area = mutant.name.split('-').next().unwrap();
        let areas = ["at", "s", "p", "f", "u", "t", "x"];
        assert!(areas.contains(&area), "{}", mutant.name);
    }
    assert!(find("no-such-mutant").is_none());
}

#[test]
fn every_build_is_told_in_one_sentence_with_its_ground() {
    let mutants = ALL
        .iter()
        .map(|mutant| (mutant.name, mutant.about, mutant.breaks));
    let variants = VARIANTS
        .iter()
        .map(|variant| (variant.name, variant.about, variant.allows));
    for (name, about, ground) in mutants.chain(variants) {
        let begins = |letter: char| letter.is_ascii_uppercase() || letter == '+';
        assert!(about.starts_with(begins), "{name}: {about}");
        assert!(
            !about.ends_with(['.', ' ']) && about.len() <= 110,
            "{name}: {about}"
        );
        assert!(
            !ground.is_empty() && !ground.ends_with('.'),
            "{name}: {ground}"
        );
    }
}
