//! Builds of the module that differ from the reference module on purpose.
//!
//! A [`Mutant`] has one small bug of the kind that firmware has: a conformance suite has to find
//! it. A [`Variant`] behaves differently and is right all the same: a suite must not mind. Each
//! replaces a decision or two of [`Firmware`], and is chosen with [`crate::Settings::firmware`].

mod at;
mod files;
mod message;
mod pop3;
mod pop3_mail;
mod pop3_wire;
mod smtp;
mod smtp_wire;
mod states;
mod timers;
mod tools;
mod urc;
mod urc_failure;
mod urc_pop3;
mod values;
mod variant;
mod variant_wire;
mod wire;

use crate::firmware::Firmware;
use std::sync::LazyLock;

/// A module with one bug.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// Its name: `AREA-WORDS`; the areas are `at`, `s` (SMTP), `p` (POP3), `f` (files), `u` (URCs),
    /// `t` (timers) and `x` (states).
    pub name: &'static str,
    /// What it does wrong: one sentence without a full stop.
    pub about: &'static str,
    /// What that breaks: clauses of the note by their id, or a section of a standard.
    pub breaks: &'static str,
    /// The build.
    pub firmware: Firmware,
}

/// A module that differs from the reference module and conforms to the note.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// What it does differently: one sentence without a full stop.
    pub about: &'static str,
    /// What allows that.
    pub allows: &'static str,
    /// The build.
    pub firmware: Firmware,
}

const fn mutant(
    name: &'static str,
    about: &'static str,
    breaks: &'static str,
    firmware: Firmware,
) -> Mutant {
    Mutant {
        name,
        about,
        breaks,
        firmware,
    }
}

const fn variant(
    name: &'static str,
    about: &'static str,
    allows: &'static str,
    firmware: Firmware,
) -> Variant {
    Variant {
        name,
        about,
        allows,
        firmware,
    }
}

/// Every mutant, area by area.
pub static ALL: LazyLock<Vec<&'static Mutant>> = LazyLock::new(|| {
    [
        at::MUTANTS,
        smtp::MUTANTS,
        values::MUTANTS,
        smtp_wire::MUTANTS,
        message::MUTANTS,
        pop3::MUTANTS,
        pop3_mail::MUTANTS,
        pop3_wire::MUTANTS,
        files::MUTANTS,
        urc::MUTANTS,
        urc_failure::MUTANTS,
        urc_pop3::MUTANTS,
        timers::MUTANTS,
        states::MUTANTS,
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Every conforming variant.
pub static VARIANTS: LazyLock<Vec<&'static Variant>> = LazyLock::new(|| {
    [variant::VARIANTS, variant_wire::VARIANTS]
        .into_iter()
        .flatten()
        .collect()
});

/// The mutant or variant of that name.
#[must_use]
pub fn find(name: &str) -> Option<Firmware> {
    let mutant = ALL.iter().find(|mutant| mutant.name == name);
    let variant = VARIANTS.iter().find(|variant| variant.name == name);
    mutant
        .map(|mutant| mutant.firmware)
        .or(variant.map(|variant| variant.firmware))
}

/// The names that [`find`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    let mutants = ALL.iter().map(|mutant| mutant.name);
    mutants.chain(VARIANTS.iter().map(|variant| variant.name))
}
