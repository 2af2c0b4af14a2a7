//! Parses the values of single flags.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

use super::{BareName, ExpectedValue, SettingsError};
use crate::duration;
use crate::git::without_user;
use crate::image::ImageArg;
use crate::tag::Source;
use crate::template::Template;
use crate::yaml::FieldPath;

pub(super) fn source(text: &str) -> Result<Source, SettingsError> {
    // this ends up in the commit message, so don't allow a user and password in it
    let has_user = |source: &Source| source.repository.as_deref().is_some_and(|name| name.contains('@'));
    Source::parse(text).filter(|source| !has_user(source)).ok_or_else(|| {
        let value = if text.contains(':') { without_user(text) } else { text.to_owned() };
        SettingsError::Value { flag: "source", value, expected: ExpectedValue::Source }
    })
}

/// Image names without tags.
pub(super) fn names(images: Vec<String>, takes: BareName) -> Result<Vec<String>, SettingsError> {
    listed(images).into_iter().map(|image| bare_name(image, takes)).collect()
}

/// A name without tag.
pub(super) fn bare_name(image: String, takes: BareName) -> Result<String, SettingsError> {
    let parsed = ImageArg::parse(&image)?;
    if parsed.name == image { Ok(image) } else { Err(SettingsError::NotBareName { image, takes }) }
}

pub(super) fn fields(paths: &[String]) -> Result<Vec<FieldPath>, SettingsError> {
    paths.iter().map(|path| Ok(FieldPath::parse(path)?)).collect()
}

pub(super) fn count(flag: &'static str, text: &str) -> Result<usize, SettingsError> {
    let error = |_| SettingsError::Value { flag, value: text.to_owned(), expected: ExpectedValue::Number };
    text.parse().map_err(error)
}

/// Parses a date, a time, or a duration in the past; returns seconds since the epoch. Dates are in UTC, like
/// the dates in tags.
pub(super) fn since(text: &str, now: i64) -> Result<i64, SettingsError> {
    let moment = || text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let day = || {
        let day = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(day.timestamp().as_second())
    };
    moment().or_else(day).or_else(|| ago(text, now)).ok_or_else(|| SettingsError::Value {
        flag: "since",
        value: text.to_owned(),
        expected: ExpectedValue::Time,
    })
}

fn ago(text: &str, now: i64) -> Option<i64> {
    let text = if text == "yesterday" { "1 day" } else { text.strip_suffix("ago").unwrap_or(text).trim() };
    let span: Span = text.parse().ok()?;
    let now = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::UTC);
    Some(now.checked_sub(span.abs()).ok()?.timestamp().as_second())
}

/// No job waits longer.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn duration(flag: &'static str, text: &str) -> Result<Duration, SettingsError> {
    let wrong = |expected| SettingsError::Value { flag, value: text.to_owned(), expected };
    let error = || wrong(ExpectedValue::Duration);
    let parsed = Duration::try_from(duration::any(text).ok_or_else(error)?).map_err(|_| error())?;
    if parsed > A_DAY { Err(wrong(ExpectedValue::AtMostADay)) } else { Ok(parsed) }
}

/// A valid branch name, without `refs/heads/`.
pub(super) fn branch(text: &str) -> Result<String, SettingsError> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    if name.starts_with('-') || !crate::git::is_branch_name(name) {
        let expected = ExpectedValue::Branch;
        return Err(SettingsError::Value { flag: "branch", value: text.to_owned(), expected });
    }
    Ok(name.to_owned())
}

pub(super) fn parse_template(flag: &'static str, text: &str) -> Result<Template, SettingsError> {
    Template::parse(text).map_err(|error| SettingsError::Template { flag, error })
}

/// Treats an empty value as missing, since a workflow's `env:` sets unused variables to empty ones.
pub(super) fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

pub(super) fn listed(values: Vec<String>) -> Vec<String> {
    let values = values.into_iter().map(|value| value.trim_end_matches('\r').to_owned());
    values.filter(|value| !value.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_take_days_and_weeks_too() {
        let seconds = |text: &str| duration("timeout", text).map(|read| read.as_secs_f64());
        for (text, wanted) in
            [("90", 90.0), ("500ms", 0.5), ("1h30m", 5400.0), ("1d", 86_400.0), ("12h", 43_200.0)]
        {
            assert_eq!(seconds(text), Ok(wanted), "{text}");
        }
        for text in ["1d12h", "1w", "25h"] {
            let expected = ExpectedValue::AtMostADay;
            let error = SettingsError::Value { flag: "timeout", value: text.to_owned(), expected };
            assert_eq!(seconds(text), Err(error));
        }
        for text in ["", "x", "-1h", "1 month"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
