//! Durations, windows and sizes as people write them.

use super::case::Window;
use std::time::Duration;
use thiserror::Error;

/// No wait in a scenario or profile is longer than this.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why a text is no duration, window or size.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not a duration.
    #[error("`{0}` is no duration; write `300ms`, `2s` or `1m30s`")]
    Duration(String),
    /// Over [`LONGEST`].
    #[error("`{0}` is longer than a day")]
    TooLong(String),
    /// Zero long, or its end is before its start.
    #[error("the window `{0}` is empty")]
    EmptyWindow(String),
    /// Not a size.
    #[error("`{0}` is no size; write `4096`, `64KiB` or `10MB`")]
    Size(String),
}

/// Reads `300ms`, `2s`, `1m30s`.
///
/// # Errors
/// If it is none, negative, or longer than a day.
pub fn duration(text: &str) -> Result<Duration, AmountError> {
    let wrong = || AmountError::Duration(text.to_owned());
    // jiff would also take `1 hour, 2 minutes ago` and ISO 8601; one spelling is enough here.
    let plain = |c: char| c.is_ascii_digit() || c == '.' || matches!(c, 'h' | 'm' | 's');
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(plain) {
        return Err(wrong());
    }
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let value = Duration::try_from(signed).map_err(|_| wrong())?;
    if value > LONGEST {
        return Err(AmountError::TooLong(text.to_owned()));
    }
    Ok(value)
}

/// Writes a duration so that [`duration`] reads it again.
pub fn show(value: Duration) -> String {
    let (seconds, millis) = (value.as_secs(), value.subsec_millis());
    match (seconds, millis) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{seconds}s{millis}ms"),
    }
}

/// Reads `30s` (from 0 on) or `27s..33s`.
///
/// # Errors
/// If a part is no duration or the window is empty.
pub fn window(text: &str) -> Result<Window, AmountError> {
    let text = text.trim();
    let window = match text.split_once("..") {
        Some((from, to)) => Window {
            from: duration(from.trim())?,
            to: duration(to.trim())?,
        },
        None => Window {
            from: Duration::ZERO,
            to: duration(text)?,
        },
    };
    if window.to.is_zero() || window.from > window.to {
        return Err(AmountError::EmptyWindow(text.to_owned()));
    }
    Ok(window)
}

/// Reads `4096`, `64KiB`, `10MB` as a number of bytes.
///
/// # Errors
/// If it is none, or needs more than 63 bits.
pub fn size(text: &str) -> Result<u64, AmountError> {
    let wrong = || AmountError::Size(text.to_owned());
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("300ms", Some(300))]
    #[case("2s", Some(2000))]
    #[case("1m30s", Some(90_000))]
    #[case("0.5s", Some(500))]
    #[case("2", None)]
    #[case("-2s", None)]
    #[case("2s ago", None)]
    #[case("PT2S", None)]
    #[case("25h", None)]
    #[case("", None)]
    #[case("99999999999999999999s", None)]
    fn durations(#[case] text: &str, #[case] millis: Option<u64>) {
        let got = duration(text).ok();
        assert_eq!(got, millis.map(Duration::from_millis));
        if let Some(value) = got {
            assert_eq!(duration(&show(value)), Ok(value));
        }
    }

    #[rstest]
    #[case("30s", Some((0, 30)))]
    #[case("27s..33s", Some((27, 33)))]
    #[case(" 27s .. 33s ", Some((27, 33)))]
    #[case("33s..27s", None)]
    #[case("0s", None)]
    #[case("..3s", None)]
    fn windows(#[case] text: &str, #[case] seconds: Option<(u64, u64)>) {
        let expected = seconds.map(|(from, to)| Window {
            from: Duration::from_secs(from),
            to: Duration::from_secs(to),
        });
        assert_eq!(window(text).ok(), expected);
    }

    #[rstest]
    #[case("4096", Some(4096))]
    #[case("64KiB", Some(65536))]
    #[case("10MB", Some(10_000_000))]
    #[case("10 MiB", Some(10 << 20))]
    #[case("MiB", None)]
    #[case("99999999999999GiB", None)]
    fn sizes(#[case] text: &str, #[case] bytes: Option<u64>) {
        assert_eq!(size(text).ok(), bytes);
    }
}
