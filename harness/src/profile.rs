//! Profiles: what is known of a device.
//!
//! A profile is a TOML file; every key of it can be overridden on the command line. Scenarios
//! refer to its values by name, so that no scenario has a number of one device in it.

mod slot;

pub use slot::SetError;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::duration::show;
use crate::scenario::table::{self, Table, document};
use crate::source::{SourceFile, Span};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name of its file without the extension.
    pub name: String,
    /// One sentence.
    pub title: String,
    /// What ends a command line.
    pub line_end: String,
    /// Bits per second on a serial line.
    pub baud: u64,
    /// Whether the device echoes what it is sent.
    pub echo: bool,
    /// Times.
    pub timers: Timers,
    /// Limits.
    pub limits: Limits,
    /// Free bytes on its storage.
    pub storage_free: u64,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Those of the capabilities that a device need not have: before a run it is asked for each,
    /// and what it lacks is taken from the list. The embedded module is not asked. A profile (or
    /// `--set`) that lists capabilities and nothing here vouches for all of them.
    pub probe: Vec<String>,
    /// Files known to be on it.
    pub files: Vec<KnownFile>,
    /// Patterns of lines that the network causes at any time.
    pub ignore: Vec<String>,
    /// What must never be sent to it: a command that starts so.
    pub never: Vec<String>,
    /// Known failures: a glob over case ids, and the reason.
    pub known: BTreeMap<String, String>,
    /// Chosen readings of disputes: id of the dispute, id of the reading.
    pub disputes: BTreeMap<String, String>,
}

/// Times of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Until an answer that needs no network.
    pub answer: Duration,
    /// The SMTP timer (note 1: 30 s).
    pub smtp: Duration,
    /// The POP3 timer (note 1: 30 s).
    pub pop3: Duration,
    /// How far a timer may be off.
    pub tolerance: Duration,
    /// How long nothing must happen for the line to be quiet.
    pub settle: Duration,
    /// How long a restart takes.
    pub boot: Duration,
}

/// Limits of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of a subject (note 1: 512).
    pub subject: u64,
    /// Characters of a body (note 1: 5120).
    pub body: u64,
    /// Number of attachments (note 1: 10).
    pub attachments: u64,
    /// Bytes of all attachments (note 1: 10 MB).
    pub attachments_total: u64,
    /// Recipients of each kind.
    pub recipients: u64,
}

/// A file on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Full path, such as `C:/Picture/a.jpg`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

impl Default for Profile {
    /// The note's own numbers, and nothing that only some devices can do.
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            title: String::new(),
            line_end: "\r".to_owned(),
            baud: 115_200,
            echo: true,
            timers: Timers {
                answer: Duration::from_secs(5),
                smtp: Duration::from_secs(30),
                pop3: Duration::from_secs(30),
                tolerance: Duration::from_secs(5),
                settle: Duration::from_millis(300),
                boot: Duration::from_secs(10),
            },
            limits: Limits {
                subject: 512,
                body: 5120,
                attachments: 10,
                attachments_total: 10 << 20,
                recipients: 5,
            },
            storage_free: 64 << 20,
            capabilities: Vec::new(),
            probe: Vec::new(),
            files: Vec::new(),
            ignore: Vec::new(),
            never: Vec::new(),
            known: BTreeMap::new(),
            disputes: BTreeMap::new(),
        }
    }
}

impl Profile {
    /// Whether the device has a capability.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|one| one == capability)
    }

    /// The capabilities that the device is to be asked for.
    pub fn in_doubt(&self) -> impl Iterator<Item = &str> {
        let doubted = self.probe.iter().map(String::as_str);
        doubted.filter(|name| self.has(name))
    }

    /// The same device, known not to have a capability.
    pub fn lose(&mut self, capability: &str) {
        self.capabilities.retain(|one| one != capability);
    }

    /// Takes over what a profile file says; what it does not say stays as it is. The name of
    /// the profile that it inherits from is [`Profile::parent`]'s business.
    pub fn read(&mut self, file: &Arc<SourceFile>, found: &mut Diagnostics) {
        let span = Span::new(0, file.text.len());
        let mut top = Table::new(file, span, "a profile", document(file, span, found));
        let _ = top.take("inherits");
        let mut groups: BTreeMap<&'static str, Table<'_>> = BTreeMap::new();
        for group in ["timers", "limits", "storage", "urcs", "never"] {
            if let Some(table) = top.table(group, group_name(group), found) {
                groups.insert(group, table);
            }
        }
        let (mut vouched, mut asked) = (false, false);
        for (key, slot) in self.slots() {
            let value = match key.split_once('.') {
                Some((group, name)) => groups.get_mut(group).and_then(|table| table.take(name)),
                None => top.take(key),
            };
            if let Some(value) = value {
                vouched |= key == "capabilities";
                asked |= key == "probe";
                slot.fill(file, &value, found);
            }
        }
        if vouched && !asked {
            self.probe.clear();
        }
        for mut table in top.tables("files", "[[files]]", found) {
            let path = table.text("path", found).unwrap_or_default();
            let size = table.number("size", found).unwrap_or_default();
            let sha256 = table.text("sha256", found).unwrap_or_default().value;
            if path.value.is_empty() || sha256.len() != 64 {
                let message = "a file has a `path`, a `size` and a `sha256` of 64 digits";
                found.push(Diagnostic::error("bad-file", message).at(file, table.span(), ""));
            }
            table.finish(found);
            self.files.retain(|known| known.path != path.value);
            self.files.push(KnownFile {
                path: path.value,
                size,
                sha256: sha256.to_lowercase(),
            });
        }
        for (key, name) in [("known", "[known]"), ("disputes", "[disputes]")] {
            let Some(mut table) = top.table(key, name, found) else {
                continue;
            };
            let map = if key == "known" {
                &mut self.known
            } else {
                &mut self.disputes
            };
            for (key, value) in table.rest() {
                if let Some(value) = table::text(file, &value, found) {
                    map.insert(key.value, value.value);
                }
            }
        }
        groups.into_values().for_each(|table| table.finish(found));
        top.finish(found);
    }

    /// The profile that a profile file builds on.
    pub fn parent(file: &Arc<SourceFile>) -> Option<String> {
        let mut ignored = Diagnostics::new();
        let span = Span::new(0, file.text.len());
        let mut top = Table::new(file, span, "a profile", document(file, span, &mut ignored));
        top.text("inherits", &mut ignored).map(|name| name.value)
    }

    /// What scenarios can refer to.
    pub fn names(&self) -> Map<String, Value> {
        let Timers {
            answer,
            smtp,
            pop3,
            tolerance,
            settle,
            boot,
        } = self.timers;
        let range = |timer: Duration| {
            format!(
                "{}..{}",
                show(timer.saturating_sub(tolerance)),
                show(timer + tolerance)
            )
        };
        // Late, and still surely in time; half the timer where the tolerance eats all of it.
        let late = |timer: Duration| show(timer.saturating_sub(tolerance).max(timer / 2));
        // A pause that is no silence.
        let slow = |timer: Duration| show(timer / 10);
        // Enough for what is made of many answers, each of them in time.
        let long = |timer: Duration| show(timer * 10);
        let files: Map<String, Value> = self
            .files
            .iter()
            .map(|file| {
                (
                    file.path.clone(),
                    json!({ "size": file.size, "sha256": file.sha256 }),
                )
            })
            .collect();
        let limits = &self.limits;
        let names = json!({
            "timers": {
                "answer": show(answer), "smtp": show(smtp), "pop3": show(pop3),
                "tolerance": show(tolerance), "settle": show(settle), "boot": show(boot),
            },
            "within": { "smtp": show(smtp + tolerance), "pop3": show(pop3 + tolerance) },
            "window": { "smtp": range(smtp), "pop3": range(pop3) },
            "late": { "smtp": late(smtp), "pop3": late(pop3) },
            "slow": { "smtp": slow(smtp), "pop3": slow(pop3) },
            "long": { "smtp": long(smtp), "pop3": long(pop3) },
            "limits": {
                "subject": limits.subject, "body": limits.body,
                "attachments": limits.attachments,
                "attachments_total": limits.attachments_total,
                "recipients": limits.recipients,
            },
            "storage": { "free": self.storage_free },
            "files": files,
        });
        match names {
            Value::Object(names) => names,
            _ => Map::new(),
        }
    }
}

fn group_name(group: &str) -> &'static str {
    match group {
        "timers" => "[timers]",
        "limits" => "[limits]",
        "storage" => "[storage]",
        "urcs" => "[urcs]",
        _ => "[never]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("timers.smtp=3s", |profile: &Profile| profile.timers.smtp == Duration::from_secs(3))]
    #[case("storage.free = 64KiB", |profile: &Profile| profile.storage_free == 65536)]
    #[case("echo=off", |profile: &Profile| !profile.echo)]
    #[case("capabilities=smtp, pop3", |profile: &Profile| profile.has("pop3"))]
    #[case("disputes.smtp.misbehaviour=note", |profile: &Profile| {
        profile.disputes.get("smtp.misbehaviour").is_some_and(|id| id == "note")
    })]
    fn overrides(#[case] assignment: &str, #[case] holds: fn(&Profile) -> bool) {
        let mut profile = Profile::default();
        assert!(!holds(&profile));
        profile.set(assignment).unwrap();
        assert!(holds(&profile));
    }

    #[rstest]
    #[case(
        "timers.smpt=3s",
        "profiles have no key `timers.smpt`; near ones are: timers.smtp, "
    )]
    #[case(
        "storage=64KiB",
        "profiles have no key `storage`; near ones are: storage.free"
    )]
    #[case(
        "timers.smtp=3",
        "the value of `timers.smtp` cannot be `3`: `3` is no duration"
    )]
    #[case(
        "echo=maybe",
        "the value of `echo` cannot be `maybe`: write true or false"
    )]
    #[case("echo", "`echo` is no `KEY=VALUE`")]
    fn wrong_overrides(#[case] assignment: &str, #[case] message: &str) {
        let error = Profile::default().set(assignment).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn a_file_changes_what_it_says_and_reports_what_it_should_not() {
        let text = "echo = 1\nbuad = 9600\n[timers]\nsmtp = \"3s\"\nsettel = \"1s\"\n\
                    [limits]\nattachments_total = \"64KiB\"\n";
        let file = Arc::new(SourceFile::new("profiles/x.toml", text));
        let mut found = Diagnostics::new();
        let mut profile = Profile::default();
        profile.read(&file, &mut found);
        assert_eq!(profile.timers.smtp, Duration::from_secs(3));
        assert_eq!(profile.limits.attachments_total, 65536);
        insta::assert_snapshot!(found.render(false));
    }

    #[test]
    fn who_lists_capabilities_vouches_for_them() {
        let mut found = Diagnostics::new();
        let mut profile = Profile::default();
        let mut read = |profile: &mut Profile, text: &str| {
            let file = Arc::new(SourceFile::new("profiles/x.toml", text));
            profile.read(&file, &mut found);
        };
        let asked = |profile: &Profile| profile.in_doubt().map(str::to_owned).collect::<Vec<_>>();
        read(
            &mut profile,
            "capabilities = [\"a\", \"b\"]\nprobe = [\"b\", \"c\"]",
        );
        assert_eq!(
            asked(&profile),
            ["b"],
            "what it does not have, nobody asks for"
        );
        read(&mut profile, "echo = false");
        assert_eq!(asked(&profile), ["b"]);
        let mut other = profile.clone();
        read(&mut other, "capabilities = [\"b\"]");
        assert_eq!(asked(&other), Vec::<String>::new());
        let mut other = profile.clone();
        other.set("capabilities=a, b").unwrap();
        assert_eq!(asked(&other), Vec::<String>::new());
        profile.lose("b");
        assert!(profile.has("a") && !profile.has("b"));
        assert!(!found.has_errors());
    }

    #[test]
    fn windows_are_the_timer_and_its_tolerance() {
        let names = Profile::default().names();
        assert_eq!(names["within"]["smtp"], "35s");
        assert_eq!(names["window"]["pop3"], "25s..35s");
        assert_eq!(names["late"]["smtp"], "25s");
        assert_eq!(names["slow"]["pop3"], "3s");
        assert_eq!(names["long"]["smtp"], "300s");
    }

    #[test]
    fn a_late_answer_is_in_time_even_with_a_short_timer() {
        let mut profile = Profile::default();
        profile.set("timers.smtp=2s").unwrap();
        assert_eq!(profile.names()["late"]["smtp"], "1s");
    }
}
