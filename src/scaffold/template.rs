//! Guesses the tag template that fits most tags in use.

use std::collections::HashMap;

/// Prefixes that are most likely the branch that was built.
const BRANCHES: [&str; 12] = [
    "main",
    "master",
    "trunk",
    "develop",
    "development",
    "dev",
    "test",
    "staging",
    "stage",
    "release",
    "prod",
    "production",
];

/// Prefixes that people put before a commit hash.
const MARKS: [&str; 3] = ["sha", "git", "commit"];

/// Moving tags, which tell nothing about the tags of builds.
const MOVING: [&str; 5] = ["", "latest", "stable", "edge", "nightly"];

/// The template that fits more than half of these tags, if any.
pub fn guess<'a>(tags: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let tags = tags.into_iter().filter(|tag| !MOVING.contains(tag) && !BRANCHES.contains(tag));
    let mut count: HashMap<String, usize> = HashMap::new();
    let mut all = 0;
    for tag in tags {
        all += 1;
        if let Some(template) = of(tag) {
            *count.entry(template).or_default() += 1;
        }
    }
    count.into_iter().find(|(_, n)| n * 2 > all).map(|(template, _)| template)
}

/// The template of one tag, if it has a known form.
fn of(tag: &str) -> Option<String> {
    if tag.strip_prefix('v').is_some_and(is_version) {
        return Some("v{semver}".to_owned());
    }
    if is_version(tag) {
        return Some("{semver}".to_owned());
    }
    let Some((prefix, commit)) = tag.rsplit_once('-') else { return sha(tag) };
    let commit = sha(commit)?;
    match prefix {
        mark if MARKS.contains(&mark) => Some(format!("{mark}-{commit}")),
        branch if BRANCHES.contains(&branch) => Some(format!("{{branch}}-{commit}")),
        _ => None,
    }
}

/// Three numbers, with an optional pre-release suffix (semver.org 2.0.0).
fn is_version(text: &str) -> bool {
    let core = text.split('-').next().unwrap_or(text);
    let number = |n: &str| !n.is_empty() && n.len() < 8 && n.bytes().all(|b| b.is_ascii_digit());
    core.split('.').count() == 3 && core.split('.').all(number)
}

/// The variable for a full or abbreviated commit hash. In an abbreviated one, digits only may be a date, and
/// letters only a word, so both must occur.
fn sha(text: &str) -> Option<String> {
    let is_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mixed = text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_alphabetic());
    match text.len() {
        40 if is_hex => Some("{sha}".to_owned()),
        n @ 7..40 if is_hex && mixed => Some(format!("{{sha:{n}}}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_by_their_looks() {
        for (tag, wanted) in [
            ("main-1a2b3c4", "{branch}-{sha:7}"),
            ("1a2b3c4d5e6f", "{sha:12}"),
            ("sha-1a2b3c4", "sha-{sha:7}"),
            ("0123456789abcdef0123456789abcdef01234567", "{sha}"),
            ("v1.2.3", "v{semver}"),
            ("1.10.0-rc.1", "{semver}"),
        ] {
            assert_eq!(of(tag).as_deref(), Some(wanted), "{tag}");
        }
        for tag in ["20240101", "nightly-20240101", "deadbeef", "v1", "1.2", "-1a2b3c4", "api-1a2b3c4", "x"] {
            assert_eq!(of(tag), None, "{tag}");
        }
    }

    #[test]
    fn more_than_half_decide() {
        assert_eq!(guess(["main-1a2b3c4", "main-0f0f0f0", "v1.2.3", "latest"]).unwrap(), "{branch}-{sha:7}");
        assert_eq!(guess(["main-1a2b3c4", "v1.2.3"]), None);
        assert_eq!(guess(["latest", "main"]), None);
        assert_eq!(guess([]), None);
    }
}
