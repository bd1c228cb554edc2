//! The keys of a profile with their types: read from files, overridden on the command line.

use super::Profile;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::scenario::duration::{duration, size};
use crate::scenario::table::{self, Kind};
use crate::source::SourceFile;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why an override cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// Not `KEY=VALUE`.
    #[error("`{0}` is no `KEY=VALUE`")]
    Form(String),
    /// No such key.
    #[error("profiles have no key `{key}`; near ones are: {near}")]
    Key {
        /// What was written.
        key: String,
        /// Keys that were perhaps meant.
        near: String,
    },
    /// A value of the wrong type.
    #[error("the value of `{key}` cannot be `{value}`: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What was written.
        value: String,
        /// Why not.
        reason: String,
    },
}

/// One key with its type.
pub(super) enum Slot<'a> {
    Text(&'a mut String),
    Flag(&'a mut bool),
    Number(&'a mut u64),
    Time(&'a mut Duration),
    List(&'a mut Vec<String>),
}

impl Profile {
    /// Overrides one key: `timers.smtp=3s`.
    ///
    /// # Errors
    /// If there is no such key, or the value has the wrong type.
    pub fn set(&mut self, assignment: &str) -> Result<(), SetError> {
        let form = || SetError::Form(assignment.to_owned());
        let (key, value) = assignment.split_once('=').ok_or_else(form)?;
        let (key, value) = (key.trim(), value.trim());
        for (prefix, map) in [
            ("known.", &mut self.known),
            ("disputes.", &mut self.disputes),
        ] {
            if let Some(id) = key.strip_prefix(prefix) {
                map.insert(id.to_owned(), value.to_owned());
                return Ok(());
            }
        }
        if key == "capabilities" {
            self.probe.clear();
        }
        for (known, slot) in self.slots() {
            if known == key {
                return slot.parse(value).map_err(|reason| SetError::Value {
                    key: key.to_owned(),
                    value: value.to_owned(),
                    reason,
                });
            }
        }
        let keys: Vec<&str> = self.slots().into_iter().map(|(key, _)| key).collect();
        Err(SetError::Key {
            key: key.to_owned(),
            near: near(key, &keys),
        })
    }

    /// All keys of one value, with their fields.
    pub(super) fn slots(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        let (timers, limits) = (&mut self.timers, &mut self.limits);
        vec![
            ("title", Slot::Text(&mut self.title)),
            ("line_end", Slot::Text(&mut self.line_end)),
            ("baud", Slot::Number(&mut self.baud)),
            ("echo", Slot::Flag(&mut self.echo)),
            ("capabilities", Slot::List(&mut self.capabilities)),
            ("probe", Slot::List(&mut self.probe)),
            ("timers.answer", Slot::Time(&mut timers.answer)),
            ("timers.smtp", Slot::Time(&mut timers.smtp)),
            ("timers.pop3", Slot::Time(&mut timers.pop3)),
            ("timers.tolerance", Slot::Time(&mut timers.tolerance)),
            ("timers.settle", Slot::Time(&mut timers.settle)),
            ("timers.boot", Slot::Time(&mut timers.boot)),
            ("limits.subject", Slot::Number(&mut limits.subject)),
            ("limits.body", Slot::Number(&mut limits.body)),
            ("limits.attachments", Slot::Number(&mut limits.attachments)),
            (
                "limits.attachments_total",
                Slot::Number(&mut limits.attachments_total),
            ),
            ("limits.recipients", Slot::Number(&mut limits.recipients)),
            ("storage.free", Slot::Number(&mut self.storage_free)),
            ("urcs.ignore", Slot::List(&mut self.ignore)),
            ("never.commands", Slot::List(&mut self.never)),
        ]
    }
}

impl Slot<'_> {
    /// Takes a value from the command line.
    fn parse(self, text: &str) -> Result<(), String> {
        match self {
            Self::Text(field) => text.clone_into(field),
            Self::Flag(field) => {
                *field = match text {
                    "true" | "yes" | "on" | "1" => true,
                    "false" | "no" | "off" | "0" => false,
                    _ => return Err("write true or false".to_owned()),
                };
            }
            Self::Number(field) => *field = size(text).map_err(|error| error.to_string())?,
            Self::Time(field) => *field = duration(text).map_err(|error| error.to_string())?,
            Self::List(field) => {
                let parts = text
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty());
                *field = parts.map(str::to_owned).collect();
            }
        }
        Ok(())
    }

    /// Takes a value from a profile file.
    pub(super) fn fill(
        self,
        file: &Arc<SourceFile>,
        value: &table::Value,
        found: &mut Diagnostics,
    ) {
        match (self, &value.value) {
            (Self::Text(field), Kind::String(text)) => text.clone_into(field),
            (Self::Flag(field), Kind::Boolean(flag)) => *field = *flag,
            (slot @ (Self::Number(_) | Self::Time(_)), Kind::String(text)) => {
                if let Err(reason) = slot.parse(text) {
                    found.push(Diagnostic::error("wrong-type", reason).at(file, value.span, ""));
                }
            }
            (slot @ Self::Number(_), Kind::Integer(number)) => {
                if slot.parse(number).is_err() {
                    table::mismatch(file, value, "a number that is not negative", found);
                }
            }
            (Self::List(field), Kind::Array(_)) => {
                *field = table::list(file, value.clone(), found)
                    .iter()
                    .filter_map(|one| table::text(file, one, found))
                    .map(|text| text.value)
                    .collect();
            }
            (slot, _) => table::mismatch(file, value, slot.wants(), found),
        }
    }

    fn wants(&self) -> &'static str {
        match self {
            Self::Text(_) => "text in quotes",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number or a size such as \"64KiB\"",
            Self::Time(_) => "a duration such as \"30s\"",
            Self::List(_) => "a list of texts",
        }
    }
}

/// The keys that a mistyped one may mean: the nearest, and those that end in the same word.
fn near(key: &str, keys: &[&str]) -> String {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let mut near: Vec<&str> = nearest(key, keys.iter().copied()).into_iter().collect();
    for one in keys {
        let alike = last(one) == last(key) || one.split('.').next() == key.split('.').next();
        if alike && !near.contains(one) {
            near.push(one);
        }
    }
    if near.is_empty() {
        near = keys.to_vec();
    }
    near.truncate(8);
    near.join(", ")
}
