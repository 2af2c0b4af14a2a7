//! Parses the values of single flags.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp, tz::TimeZone};

use crate::error::{Failure, Result};
use crate::git::without_user;
use crate::image::ImageArg;
use crate::tag::Source;
use crate::template::Template;
use crate::yaml::FieldPath;

pub(super) fn source(text: &str) -> Result<Source> {
    // this ends up in the commit message, so don't allow a user and password in it
    let has_user = |source: &Source| source.repository.as_deref().is_some_and(|name| name.contains('@'));
    Source::parse(text).filter(|source| !has_user(source)).ok_or_else(|| {
        let shown = if text.contains(':') { without_user(text) } else { text.to_owned() };
        Failure::usage(format!("--source {shown}: is not [REPO@]SHA"))
            .hinted("write it as acme/api@1a2b3c4…, with 7 to 64 hex digits")
    })
}

/// Image names without tags.
pub(super) fn names(images: Vec<String>, hint: &str) -> Result<Vec<String>> {
    let images = listed(images);
    for image in &images {
        let parsed = ImageArg::parse(image).map_err(told)?;
        if parsed.name != *image {
            return Err(Failure::usage(format!("--image {image}: give the name alone")).hinted(hint));
        }
    }
    Ok(images)
}

pub(super) fn fields(paths: &[String]) -> Result<Vec<FieldPath>> {
    let parse = |path: &String| {
        FieldPath::parse(path).map_err(|e| {
            Failure::usage(e.to_string())
                .hinted("paths are keys parted by dots, [N] and [key=value]: list[0].tag")
        })
    };
    paths.iter().map(parse).collect()
}

pub(super) fn count(flag: &str, text: &str) -> Result<usize> {
    text.parse().map_err(|_| Failure::usage(format!("{flag} {text}: is no number")))
}

/// Parses a date, a time, or a duration in the past; returns seconds since the epoch. Dates are in UTC, like
/// the dates in tags.
pub(super) fn since(text: &str, now: i64) -> Result<i64> {
    let moment = || text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let day = || {
        let day = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(day.timestamp().as_second())
    };
    moment().or_else(day).or_else(|| ago(text, now)).ok_or_else(|| {
        Failure::usage(format!("--since {text}: is no time"))
            .hinted("write it as 2026-11-21, 2026-11-21T12:00:00Z, '2 weeks ago' or 36h")
    })
}

fn ago(text: &str, now: i64) -> Option<i64> {
    let text = if text == "yesterday" { "1 day" } else { text.strip_suffix("ago").unwrap_or(text).trim() };
    let span: Span = text.parse().ok()?;
    let now = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::UTC);
    Some(now.checked_sub(span.abs()).ok()?.timestamp().as_second())
}

pub(super) fn duration(text: &str) -> Result<Duration> {
    let fault =
        || Failure::usage(format!("--timeout {text}: is no duration")).hinted("write it as 90s, 2m or 1h30m");
    let seconds = text.parse::<u32>().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let parsed = seconds.or_else(|_| text.parse()).map_err(|_| fault())?;
    let parsed = Duration::try_from(parsed).map_err(|_| fault())?;
    if parsed > Duration::from_secs(24 * 60 * 60) { Err(fault()) } else { Ok(parsed) }
}

/// A valid branch name, without `refs/heads/`.
pub(super) fn branch(text: &str) -> Result<String> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    if name.starts_with('-') || !crate::git::is_branch_name(name) {
        return Err(Failure::usage(format!("--branch {text}: is no branch name"))
            .hinted("git check-ref-format --branch says what is"));
    }
    Ok(name.to_owned())
}

pub(super) fn parse_template(flag: &str, text: &str) -> Result<Template> {
    Template::parse(text).map_err(|e| {
        Failure::usage(format!("{flag}: {e}"))
            .hinted("variables are {name} or {name:argument}; {{ and }} are braces")
    })
}

pub(super) fn told(error: crate::image::ImageError) -> Failure {
    Failure::usage(error.to_string())
}

/// Treats an empty value as missing, since a workflow's `env:` sets unused variables to empty ones.
pub(super) fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

pub(super) fn listed(values: Vec<String>) -> Vec<String> {
    let values = values.into_iter().map(|value| value.trim_end_matches('\r').to_owned());
    values.filter(|value| !value.trim().is_empty()).collect()
}
