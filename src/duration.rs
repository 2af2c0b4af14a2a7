//! How long something lasts, as people write it.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// No wait is longer than this: ten years.
const MAX_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;

/// Reads `90`, which are seconds, `30m`, `12h` or `7d`, as seconds. A day has 24 hours.
pub fn seconds(text: &str) -> Option<u64> {
    let days = SpanRelativeTo::days_are_24_hours();
    let plain = text.parse::<u32>().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let read = plain.ok().or_else(|| text.parse::<Span>().ok()?.to_duration(days).ok())?;
    u64::try_from(read.as_secs()).ok().filter(|seconds| *seconds <= MAX_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_units_and_in_seconds() {
        for (text, seconds) in
            [("90", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("1w", 604_800), ("1d 2h", 93_600)]
        {
            assert_eq!(super::seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "x", "-1h", "1 month", "100000000d", "12h ago", "99999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
