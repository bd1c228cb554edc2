//! The settings as text: `KEY=VALUE`, as a command line gives them.

use super::{Echo, Root, Settings};
use jiff::SignedDuration;
use std::path::PathBuf;
use std::time::Duration;

/// A setting that cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingError {
    /// There is no such key.
    #[error("the module has no setting {key:?}; it has {}", known_keys())]
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// The value does not fit the key.
    #[error("setting {key} cannot be {value:?}: expected {expected}")]
    BadValue {
        /// The key.
        key: String,
        /// The value as given.
        value: String,
        /// What a value looks like.
        expected: &'static str,
    },
}

impl Settings {
    /// Every key that [`Settings::set`] knows, with one line about it.
    pub const KEYS: &'static [(&'static str, &'static str)] = &[
        (
            "timers.smtp",
            "how long the SMTP client waits for an answer (30s)",
        ),
        (
            "timers.pop3",
            "how long the POP3 client waits for an answer (30s)",
        ),
        ("limits.subject", "characters of a subject (512)"),
        ("limits.body", "characters of a body (5120)"),
        (
            "limits.recipients",
            "recipients of each kind, TO, CC and BCC (5)",
        ),
        ("limits.attachments", "attachments of a mail (10)"),
        (
            "limits.attachments-total",
            "bytes of all attachments together (10MiB)",
        ),
        (
            "limits.command-line",
            "bytes of a command line after AT (16384)",
        ),
        (
            "limits.server",
            "characters of a server address, user name or password (128)",
        ),
        ("limits.address", "characters of a mail address (128)"),
        ("limits.name", "characters of a present name (64)"),
        ("storage", "bytes that drive C: holds (12MiB)"),
        (
            "storage.free",
            "bytes that are free on drive C: at first, instead of `storage` (2MiB)",
        ),
        (
            "storage.factory-files",
            "whether the delivered files are put on drive C: (on)",
        ),
        (
            "storage.big-file",
            "whether C:/big.bin with 10MiB is one of them (on)",
        ),
        (
            "storage.root",
            "directory that is drive C: (a temporary one)",
        ),
        (
            "storage.card",
            "bytes that the storage card D: holds, or off for no card (2MiB)",
        ),
        (
            "storage.card-root",
            "directory that is the storage card D: (a temporary one)",
        ),
        (
            "clock",
            "what the real time clock starts with (10/02/02,11:04:00+32)",
        ),
        ("echo", "whether the echo is on after power-up (on)"),
    ];

    /// Makes one setting from text, as a command line gives it (`timers.smtp`, `2s`).
    ///
    /// # Errors
    /// If there is no such key (the message names the known ones) or the value does not fit it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        let text = Text { key, value };
        match key {
            "timers.smtp" => self.timers.smtp = text.duration()?,
            "timers.pop3" => self.timers.pop3 = text.duration()?,
            "limits.subject" => self.limits.subject = text.count()?,
            "limits.body" => self.limits.body = text.count()?,
            "limits.recipients" => self.limits.recipients = text.count()?,
            "limits.attachments" => self.limits.attachments = text.count()?,
            "limits.attachments-total" | "limits.attachments_total" => {
                self.limits.attachments_total = text.bytes()?;
            }
            "limits.command-line" | "limits.command_line" => {
                self.limits.command_line = text.count()?;
            }
            "limits.server" => self.limits.server = text.count()?,
            "limits.address" => self.limits.address = text.count()?,
            "limits.name" => self.limits.name = text.count()?,
            "storage" | "storage.capacity" => {
                self.storage.capacity = text.bytes()?;
                self.storage.free = None;
            }
            "storage.free" => self.storage.free = Some(text.bytes()?),
            "storage.factory-files" | "storage.factory_files" => {
                self.storage.factory_files = text.switch()?;
            }
            "storage.big-file" | "storage.big_file" => self.storage.big_file = text.switch()?,
            "storage.root" => self.storage.root = Root::Directory(PathBuf::from(value)),
            "storage.card" => self.storage.card = text.bytes_or_off()?,
            "storage.card-root" | "storage.card_root" => {
                self.storage.card_root = Root::Directory(PathBuf::from(value));
            }
            "clock" => {
                self.clock = value
                    .parse()
                    .map_err(|_| text.bad("a date and time such as 10/02/02,11:04:00+32"))?;
            }
            "echo" => self.echo = if text.switch()? { Echo::On } else { Echo::Off },
            _ => return Err(SettingError::UnknownKey { key: key.into() }),
        }
        Ok(())
    }
}

struct Text<'a> {
    key: &'a str,
    value: &'a str,
}

/// More than this of anything counted is a slip of the pen, not a module.
const COUNT_MAX: u64 = 1024 * 1024;

impl Text<'_> {
    fn duration(&self) -> Result<Duration, SettingError> {
        let expected = "a duration above zero such as 2s, 500ms or 1m30s";
        let duration: SignedDuration = self.value.parse().map_err(|_| self.bad(expected))?;
        match Duration::try_from(duration) {
            Ok(duration) if !duration.is_zero() => Ok(duration),
            _ => Err(self.bad(expected)),
        }
    }

    fn count(&self) -> Result<usize, SettingError> {
        let expected = "a whole number from 1 to 1048576";
        let count: u64 = self.value.parse().map_err(|_| self.bad(expected))?;
        if count == 0 || count > COUNT_MAX {
            return Err(self.bad(expected));
        }
        usize::try_from(count).map_err(|_| self.bad(expected))
    }

    fn bytes(&self) -> Result<u64, SettingError> {
        self.size()
            .ok_or_else(|| self.bad("a size in bytes such as 65536, 64KiB or 10MiB"))
    }

    fn bytes_or_off(&self) -> Result<u64, SettingError> {
        if self.value == "off" {
            return Ok(0);
        }
        self.size()
            .ok_or_else(|| self.bad("a size in bytes such as 65536, 64KiB or 10MiB, or off"))
    }

    fn size(&self) -> Option<u64> {
        let units = [
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("B", 1),
        ];
        let (digits, unit) = units
            .iter()
            .find_map(|(name, unit)| Some((self.value.strip_suffix(name)?, *unit)))
            .unwrap_or((self.value, 1_u64));
        digits
            .trim_end()
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
    }

    fn switch(&self) -> Result<bool, SettingError> {
        match self.value {
            "on" | "true" | "yes" => Ok(true),
            "off" | "false" | "no" => Ok(false),
            _ => Err(self.bad("on or off")),
        }
    }

    fn bad(&self, expected: &'static str) -> SettingError {
        SettingError::BadValue {
            key: self.key.into(),
            value: self.value.into(),
            expected,
        }
    }
}

fn known_keys() -> String {
    Settings::KEYS
        .iter()
        .map(|(key, _)| *key)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_listed_key_is_known_and_has_its_example() {
        for (key, about) in Settings::KEYS {
            let example = about.rsplit('(').next().unwrap().trim_end_matches(')');
            let result = Settings::default().set(key, example);
            assert_eq!(result, Ok(()), "{key} = {example}");
        }
    }

    #[rstest]
    #[case("timers.smtp", "2s")]
    #[case("timers.pop3", "1500ms")]
    #[case("limits.subject", "64")]
    #[case("storage", "64KiB")]
    #[case("storage", "4096")]
    #[case("storage.free", "32KiB")]
    #[case("storage.big-file", "off")]
    #[case("storage.card", "off")]
    #[case("storage.card", "0")]
    #[case("storage.card", "64MiB")]
    #[case("echo", "off")]
    fn settings_are_made(#[case] key: &str, #[case] value: &str) {
        assert_eq!(Settings::default().set(key, value), Ok(()));
    }

    #[test]
    fn values_are_meant_as_written() {
        let mut settings = Settings::default();
        settings.set("timers.smtp", "2s").unwrap();
        settings.set("storage", "64KiB").unwrap();
        settings.set("echo", "off").unwrap();
        settings.set("clock", "24/12/31,23:59:58-04").unwrap();
        assert_eq!(settings.timers.smtp, Duration::from_secs(2));
        assert_eq!(settings.timers.pop3, Duration::from_secs(30));
        assert_eq!(settings.storage.capacity, 65536);
        assert_eq!(settings.echo, Echo::Off);
        assert_eq!(settings.clock.to_string(), "24/12/31,23:59:58-04");
    }

    #[test]
    fn the_storage_is_given_as_a_whole_or_by_what_is_free() {
        let mut settings = Settings::default();
        settings.set("storage.free", "2MiB").unwrap();
        assert_eq!(settings.storage.free, Some(2 << 20));
        settings.set("storage", "64KiB").unwrap();
        assert_eq!(settings.storage.free, None);
        settings.set("storage.card", "off").unwrap();
        assert_eq!(settings.storage.card, 0);
    }

    #[rstest]
    #[case("timers.smtp", "soon")]
    #[case("timers.smtp", "0s")]
    #[case("timers.smtp", "-3s")]
    #[case("limits.body", "-1")]
    #[case("limits.body", "0")]
    #[case("limits.recipients", "99999999999")]
    #[case("storage", "99999999999GiB")]
    #[case("storage.free", "off")]
    #[case("storage.card", "none")]
    #[case("storage.big-file", "10MiB")]
    #[case("clock", "yesterday")]
    #[case("echo", "maybe")]
    fn bad_values_are_refused(#[case] key: &str, #[case] value: &str) {
        let error = Settings::default().set(key, value).unwrap_err();
        assert!(matches!(error, SettingError::BadValue { .. }), "{error}");
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_known_ones() {
        let error = Settings::default()
            .set("timer.smtp", "2s")
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"timer.smtp\""), "{error}");
        assert!(
            error.contains("timers.smtp, timers.pop3, limits.subject"),
            "{error}"
        );
    }
}
