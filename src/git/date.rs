//! Parses commit dates in `GIT_AUTHOR_DATE` and `GIT_COMMITTER_DATE`.
//!
//! Source: `git help commit`, DATE FORMATS. The older formats, such as `MM/DD/YYYY`, are not supported.

use git2::Time;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;

use super::error::GitSettingError;

/// A longer number can't be a year or a day: it counts seconds.
const LONGEST_DATE: usize = 8;

/// A point in time and its UTC offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitDate {
    seconds: i64,
    /// In minutes; `None` means this machine's offset.
    offset: Option<i32>,
    /// Whether `seconds` is local time, and so is off by this machine's UTC offset.
    is_local: bool,
}

impl CommitDate {
    /// Parses seconds since 1970 (`@1112904793 +0200`), RFC 2822 (`Thu, 07 Apr 2005 22:13:13 +0200`) or ISO 8601
    /// (`2005-04-07T22:13:13+02:00`). The error names `variable`.
    ///
    /// # Errors
    /// Fails for any other format.
    pub fn parse(text: &str, variable: &str) -> Result<Self, GitSettingError> {
        let text = text.trim();
        seconds(text)
            .or_else(|| mail(text))
            .or_else(|| iso(text))
            .ok_or_else(|| GitSettingError::Date { variable: variable.to_owned(), text: text.to_owned() })
    }

    /// The time for a commit; `here` is this machine's UTC offset in minutes.
    pub fn time(self, here: i32) -> Time {
        let ahead = if self.is_local { i64::from(here) * 60 } else { 0 };
        Time::new(self.seconds - ahead, self.offset.unwrap_or(here))
    }

    fn of(at: DateTime, offset: Option<Offset>) -> Option<Self> {
        let seconds = offset.unwrap_or(Offset::UTC).to_timestamp(at).ok()?.as_second();
        let is_local = offset.is_none();
        Some(CommitDate { seconds, offset: offset.map(|offset| offset.seconds() / 60), is_local })
    }
}

fn seconds(text: &str) -> Option<CommitDate> {
    let (marked, text) = text.strip_prefix('@').map_or((false, text), |text| (true, text));
    let mut parts = text.split_whitespace();
    let (number, offset) = (parts.next()?, parts.next());
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    if !digits || parts.next().is_some() || !(marked || number.len() > LONGEST_DATE) {
        return None;
    }
    let offset = match offset {
        Some(offset) => Some(minutes(offset)?),
        None => None,
    };
    Some(CommitDate { seconds: number.parse().ok()?, offset, is_local: false })
}

/// Parses an offset such as `+0200` into minutes.
fn minutes(text: &str) -> Option<i32> {
    let sign = match text.as_bytes() {
        [b'+', rest @ ..] if rest.len() == 4 => 1,
        [b'-', rest @ ..] if rest.len() == 4 => -1,
        _ => return None,
    };
    let number: i32 = text[1..].parse().ok().filter(|number| *number >= 0)?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn mail(text: &str) -> Option<CommitDate> {
    let at = rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    CommitDate::of(at.datetime(), Some(at.offset()))
}

fn iso(text: &str) -> Option<CommitDate> {
    // git itself prints a space before the offset
    let joined = match text.rsplit_once(' ') {
        Some((date, offset)) if offset.starts_with(['+', '-']) => format!("{date}{offset}"),
        _ => text.to_owned(),
    };
    let pieces = Pieces::parse(&joined).ok().filter(|pieces| pieces.time_zone_annotation().is_none())?;
    let offset = match pieces.offset() {
        None => None,
        Some(PiecesOffset::Numeric(offset)) => Some(offset.offset()),
        Some(_) => Some(Offset::UTC),
    };
    CommitDate::of(pieces.date().to_datetime(pieces.time()?), offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_git_takes() {
        for text in [
            "@1112904793 +0200",
            "1112904793 +0200",
            "Thu, 07 Apr 2005 22:13:13 +0200",
            "7 Apr 2005 22:13:13 +0200",
            "2005-04-07T22:13:13+02:00",
            "2005-04-07T22:13:13+0200",
            "2005-04-07 22:13:13 +0200",
            " 2005-04-07T22:13:13.5+02 ",
        ] {
            let at = CommitDate::parse(text, "V").unwrap().time(7);
            assert_eq!((at.seconds(), at.offset_minutes()), (1_112_904_793, 120), "{text}");
        }
        let utc = CommitDate::parse("2005-04-07T20:13:13Z", "V").unwrap().time(7);
        assert_eq!((utc.seconds(), utc.offset_minutes()), (1_112_904_793, 0));
        let local = CommitDate::parse("2005-04-07 20:20:13", "V").unwrap().time(7);
        assert_eq!((local.seconds(), local.offset_minutes()), (1_112_904_793, 7));
        for (text, offset) in [("@0", 7), ("1112904793", 7), ("@5 -0330", -210)] {
            assert_eq!(CommitDate::parse(text, "V").unwrap().time(7).offset_minutes(), offset, "{text}");
        }
    }

    #[test]
    fn dates_that_it_does_not() {
        for text in
            ["", "yesterday", "2005", "2005-04-07", "@x", "@1 0200", "@1 +9900", "@1 +0000 x", "1 +0200"]
        {
            assert!(CommitDate::parse(text, "V").is_err(), "{text}");
        }
    }
}
