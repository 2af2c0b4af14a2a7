//! Why there is nothing to roll back to, as data.

use std::fmt;

use crate::image::ImageError;
use crate::location::Location;
use crate::visible::inline;

/// How many tags a message lists.
const LISTED: usize = 10;

/// Why a reference can't go back to an earlier tag. Tags are `TAG`, `TAG@DIGEST` or `@DIGEST`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    #[error("not inside a git repository, so there is no history to roll back to")]
    NoHistory,
    /// The requested tag isn't in the history.
    #[error("{at}: {image} never had tag {tag}; it had {}{history}", listed(.had))]
    NeverHadTag { at: Location, image: String, tag: String, had: Vec<String>, history: SearchedHistory },
    #[error("{at}: {image}: no earlier tag{} found{}{history}", than(.now), rolled_back(.skipped))]
    NoEarlierTag {
        at: Location,
        image: String,
        now: String,
        /// Earlier tags that were rolled back.
        skipped: Vec<String>,
        history: SearchedHistory,
    },
    #[error(
        "{}: {image} has two tags, {} on line {} and {} on line {}",
        inline(.file), .tags.0, .lines.0, .tags.1, .lines.1
    )]
    TwoTags { file: String, image: String, tags: (String, String), lines: (usize, usize) },
    /// The references have one tag now, but had different ones before.
    #[error("{}: before {} {image} had two tags, {} and {}", inline(.file), or_no_tag(.now), .tags.0, .tags.1)]
    TwoTagsBefore { file: String, image: String, now: String, tags: (String, String) },
    /// The earlier tag can't be written: other tools accept more than tagbump does.
    #[error("{}: {image} can't go back to {tag}: {error}", inline(.file))]
    InvalidTag { file: String, image: String, tag: String, error: ImageError },
    /// Someone else pushed another tag since the rollback began.
    #[error(
        "not rolled back: {at}: {image} has {} now; it had {} when the rollback began",
        or_no_tag(.now), or_no_tag(.before)
    )]
    Moved { at: Location, image: String, now: String, before: String },
}

/// The history in which a rollback looked for an earlier tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchedHistory {
    Complete,
    /// A shallow clone.
    IncompleteCheckout,
    /// The server didn't give all of it.
    IncompleteFetch,
}

impl fmt::Display for SearchedHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SearchedHistory::Complete => "",
            SearchedHistory::IncompleteCheckout => " (the local history is incomplete)",
            SearchedHistory::IncompleteFetch => " (the history from the server is incomplete)",
        })
    }
}

fn listed(tags: &[String]) -> String {
    let shown = tags.get(..LISTED).unwrap_or(tags).join(", ");
    match tags.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

/// The end of "no earlier tag than v2"; empty if the reference has no tag.
pub(super) fn than(now: &str) -> String {
    if now.is_empty() { String::new() } else { format!(" than {now}") }
}

fn or_no_tag(tag: &str) -> &str {
    if tag.is_empty() { "no tag" } else { tag }
}

fn rolled_back(skipped: &[String]) -> String {
    match skipped {
        [] => String::new(),
        [only] => format!("; {only} was rolled back"),
        several => format!("; {} were rolled back", listed(several)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sentences_without_a_tag_and_with_many() {
        let at = || Location { file: "a.yaml".to_owned(), line: 3, column: None };
        let (image, history) = (|| "acme/api".to_owned(), SearchedHistory::Complete);
        let none = RollbackError::NoEarlierTag {
            at: at(),
            image: image(),
            now: String::new(),
            skipped: Vec::new(),
            history,
        };
        assert_eq!(none.to_string(), "a.yaml:3: acme/api: no earlier tag found");
        let had = (1..=12).map(|nth| format!("v{nth}")).collect();
        let never =
            RollbackError::NeverHadTag { at: at(), image: image(), tag: "x".to_owned(), had, history };
        assert!(never.to_string().ends_with("it had v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, and 2 more"));
    }
}
