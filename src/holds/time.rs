//! When a hold ends: RFC 3339 in the file, and on the command line also how long it lasts.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::duration;
use crate::visible::inline;

/// Why a text is not when a hold ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldTimeError {
    #[error("{} is not a time, such as 2026-12-01T08:00:00Z or 2026-12-01", inline(.text))]
    NotATime { text: String },
    #[error("{} is neither a time, such as 2026-12-01T08:00:00Z or 2026-12-01, nor how long, such as 36h or 7d", inline(.text))]
    Neither { text: String },
    #[error("{} is in the past", inline(.text))]
    Past { text: String },
}

/// A time as the file has it. A date alone means 00:00 UTC.
pub(super) fn stored(text: &str) -> Result<Timestamp, HoldTimeError> {
    time(text).ok_or_else(|| HoldTimeError::NotATime { text: text.to_owned() })
}

/// A time as it was typed: as in the file, or how long from `now`, which is in seconds since the epoch.
///
/// # Errors
/// If it is neither, or over.
pub fn end_of_hold(text: &str, now: i64) -> Result<Timestamp, HoldTimeError> {
    let neither = || HoldTimeError::Neither { text: text.to_owned() };
    let end = match (time(text), duration::with_units(text)) {
        (Some(time), _) => time,
        (None, Some(length)) => {
            let now = Timestamp::from_second(now).map_err(|_| neither())?;
            now.checked_add(length).map_err(|_| neither())?
        }
        (None, None) => return Err(neither()),
    };
    if end.as_second() <= now { Err(HoldTimeError::Past { text: text.to_owned() }) } else { Ok(end) }
}

fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Timestamp::from_second(time.as_second()).ok();
    }
    let is_date = text.len() == "2026-12-01".len() && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = text.parse::<Date>().ok().filter(|_| is_date)?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28T12:00:00Z
    const NOW: i64 = 1_795_867_200;

    #[test]
    fn ends_are_times_dates_and_lengths() {
        for (text, wanted) in [
            ("2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z"),
            ("2026-12-01T08:00:00.5+02:00", "2026-12-01T06:00:00Z"),
            ("2026-12-01", "2026-12-01T00:00:00Z"),
            ("36h", "2026-11-30T00:00:00Z"),
            ("1h30m", "2026-11-28T13:30:00Z"),
            ("7d", "2026-12-05T12:00:00Z"),
            ("2w", "2026-12-12T12:00:00Z"),
            ("1d12h", "2026-11-30T00:00:00Z"),
        ] {
            assert_eq!(end_of_hold(text, NOW).unwrap().to_string(), wanted, "{text}");
        }
    }

    #[test]
    fn other_texts_are_errors() {
        for text in
            ["", "tomorrow", "12", "2026-13-01", "2026-12-01T08:00", "999999999999d", "-2h", "20261201"]
        {
            assert!(matches!(end_of_hold(text, NOW), Err(HoldTimeError::Neither { .. })), "{text}");
        }
        for text in ["2026-11-28", "2026-11-28T12:00:00Z", "0s"] {
            assert!(matches!(end_of_hold(text, NOW), Err(HoldTimeError::Past { .. })), "{text}");
        }
        assert!(stored("36h").is_err());
    }
}
