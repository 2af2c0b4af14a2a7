//! How long something lasts, as people write it.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// No wait is longer than this: ten years.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// Reads `30m`, `1d12h` or `7d`. A day has 24 hours.
pub fn with_units(text: &str) -> Option<SignedDuration> {
    let read = text.trim().parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(read).filter(|read| !read.is_negative() && *read <= LONGEST)
}

/// Reads also `90`, which are seconds.
pub fn any(text: &str) -> Option<SignedDuration> {
    let plain = text.parse::<u32>().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    plain.ok().filter(|read| *read <= LONGEST).or_else(|| with_units(text))
}

/// Reads a duration as whole seconds.
pub fn seconds(text: &str) -> Option<u64> {
    u64::try_from(any(text)?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_units_and_in_seconds() {
        for (text, seconds) in [
            ("90", 90),
            ("30m", 1800),
            ("12h", 43_200),
            ("7d", 604_800),
            ("1w", 604_800),
            ("1d 2h", 93_600),
            ("1d12h", 129_600),
            ("1.5h", 5400),
        ] {
            assert_eq!(super::seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "x", "-1h", "1 month", "100000000d", "12h ago", "99999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
