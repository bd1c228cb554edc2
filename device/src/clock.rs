//! The real time clock: `AT+CCLK` sets it, mails and mail directories are stamped from it.
//!
//! It runs on tokio time, so with a paused clock it is exact.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Zoned};
use std::fmt;
use std::str::FromStr;
use tokio::time::Instant;

/// Quarters of an hour from UTC that `AT+CCLK` takes.
const QUARTERS: std::ops::RangeInclusive<i8> = -47..=48;

/// A date, a time and a time zone in the form of `AT+CCLK`: `yy/MM/dd,hh:mm:ss±zz`, the zone in
/// quarters of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockText {
    local: DateTime,
    /// `None` where the text left the zone out.
    quarters: Option<i8>,
}

/// A text that is no date and time in the form of `AT+CCLK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time in the form yy/MM/dd,hh:mm:ss±zz")]
pub struct ClockTextError;

impl Default for ClockText {
    /// The moment the mails of the note's chapter 4 are stamped with, in its time zone.
    fn default() -> Self {
        Self {
            local: jiff::civil::datetime(2010, 2, 2, 11, 4, 0, 0),
            quarters: Some(32),
        }
    }
}

impl FromStr for ClockText {
    type Err = ClockTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or(ClockTextError)
    }
}

impl fmt::Display for ClockText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.local.strftime("%y/%m/%d,%H:%M:%S").to_string())?;
        self.quarters
            .map_or(Ok(()), |quarters| write!(f, "{quarters:+03}"))
    }
}

/// The clock itself.
#[derive(Clone, Debug)]
pub(crate) struct Rtc {
    set_to: DateTime,
    set_at: Instant,
    quarters: i8,
}

impl Rtc {
    /// A clock that shows `start` now.
    pub(crate) fn start(start: ClockText) -> Self {
        Self {
            set_to: start.local,
            set_at: Instant::now(),
            quarters: start.quarters.unwrap_or_default(),
        }
    }

    /// Sets it; a zone that the text leaves out stays as it is.
    pub(crate) fn set(&mut self, to: ClockText) {
        self.set_to = to.local;
        self.set_at = Instant::now();
        self.quarters = to.quarters.unwrap_or(self.quarters);
    }

    /// What `AT+CCLK?` shows.
    pub(crate) fn text(&self) -> ClockText {
        ClockText {
            local: self.local(),
            quarters: Some(self.quarters),
        }
    }

    /// Local date and time, without zone.
    pub(crate) fn local(&self) -> DateTime {
        let passed = SignedDuration::try_from(self.set_at.elapsed()).unwrap_or(SignedDuration::MAX);
        self.set_to.saturating_add(passed)
    }

    /// Date, time and zone, for the Date field of a mail.
    pub(crate) fn zoned(&self) -> Option<Zoned> {
        let offset = Offset::from_seconds(i32::from(self.quarters) * 15 * 60).ok()?;
        self.local().to_zoned(TimeZone::fixed(offset)).ok()
    }
}

/// The twelve digits that name the directory of a mail: `yyMMddhhmmss`, `later` seconds from
/// `local`.
pub(crate) fn stamp(local: DateTime, later: u32) -> String {
    local
        .saturating_add(Span::new().seconds(later))
        .strftime("%y%m%d%H%M%S")
        .to_string()
}

fn read(text: &str) -> Option<ClockText> {
    let (stamp, zone) = text.split_at_checked(17)?;
    let bytes = stamp.as_bytes();
    let separators = [(2, b'/'), (5, b'/'), (8, b','), (11, b':'), (14, b':')];
    if separators
        .iter()
        .any(|(at, byte)| bytes.get(*at) != Some(byte))
    {
        return None;
    }
    let two = |at: usize| -> Option<i8> {
        let digits = stamp.get(at..at + 2)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let year = 2000 + i16::from(two(0)?);
    let local = DateTime::new(year, two(3)?, two(6)?, two(9)?, two(12)?, two(15)?, 0).ok()?;
    Some(ClockText {
        local,
        quarters: if zone.is_empty() {
            None
        } else {
            Some(read_zone(zone)?)
        },
    })
}

fn read_zone(zone: &str) -> Option<i8> {
    let (sign, digits) = zone.split_at_checked(1)?;
    if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i8 = digits.parse().ok()?;
    let quarters = match sign {
        "+" => number,
        "-" => -number,
        _ => return None,
    };
    QUARTERS.contains(&quarters).then_some(quarters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::Duration;

    #[rstest]
    #[case("10/02/02,11:04:00+32")]
    #[case("00/01/01,00:00:00+00")]
    #[case("99/12/31,23:59:59-47")]
    #[case("24/02/29,12:00:00+48")]
    #[case("14/01/01,02:14:36")]
    fn a_clock_text_is_written_as_it_was_read(#[case] text: &str) {
        assert_eq!(text.parse::<ClockText>().unwrap().to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("10/02/30,11:04:00+32")]
    #[case("10/02/02,24:00:00+32")]
    #[case("10/02/02 11:04:00+32")]
    #[case("10/02/02,11:04:00+49")]
    #[case("10/02/02,11:04:00-48")]
    #[case("10/02/02,11:04:00+8")]
    #[case("10/02/02,11:04:00*32")]
    #[case("2010/02/02,11:04:00+32")]
    #[case("+1/02/02,11:04:00+32")]
    #[case("äääääääää")]
    fn what_is_no_clock_text_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<ClockText>(), Err(ClockTextError));
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_on_tokio_time_and_is_set() {
        let mut rtc = Rtc::start(ClockText::default());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(rtc.text().to_string(), "10/02/02,11:05:01+32");
        rtc.set("10/12/31,23:59:59".parse().unwrap());
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(rtc.text().to_string(), "11/01/01,00:00:00+32");
        assert_eq!(
            rtc.zoned().unwrap().to_string(),
            "2011-01-01T00:00:00.5+08:00[+08:00]"
        );
    }

    #[test]
    fn stamps_go_on_by_the_second() {
        let local = jiff::civil::datetime(2010, 2, 2, 11, 4, 59, 0);
        assert_eq!(stamp(local, 0), "100202110459");
        assert_eq!(stamp(local, 1), "100202110500");
    }
}
