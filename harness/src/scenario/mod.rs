//! The scenario language: written form, parser, printer, and what a scenario means.
//!
//! A file is read by [`parser`] into the [`written`] form, which [`mod@print`] can write back; [`front`]
//! reads its front matter; [`lower`] turns it, with a profile and one row of its matrix, into a
//! [`case`]. It knows no transport and no clock, and of the servers only their set-up.

pub mod case;
pub mod check;
pub mod duration;
pub mod front;
pub mod lint;
pub mod lower;
pub mod names;
pub mod parser;
pub mod print;
pub mod setup;
pub mod table;
pub mod text;
pub mod unit;
pub mod written;
