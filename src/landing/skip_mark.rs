//! The mark that keeps CI from running, and whether a message has one.
//!
//! Pure. The marks are those that the CI systems document: GitHub Actions ("Skipping workflow runs"), GitLab ("Skip a pipeline", in any
//! case), Azure Pipelines ("Skipping CI for individual pushes"), Bitbucket, CircleCI, Buildkite and Woodpecker, whose marks are among these.

/// The mark that every one of these systems honours.
const SKIP: &str = "[skip ci]";

/// In lower case. Users who write one know which system reads it.
const MARKS: [&str; 14] = [
    SKIP,
    "[ci skip]",
    "[skip-ci]",
    "[ci-skip]",
    "[no ci]",
    "[skip actions]",
    "[actions skip]",
    "[skip azurepipelines]",
    "[azurepipelines skip]",
    "[skip azpipelines]",
    "[azpipelines skip]",
    "[skip azp]",
    "[azp skip]",
    "***no_ci***",
];

/// The mark at the end of the first line, unless the message has a mark: the systems look for one in the whole message.
pub fn marked(text: &str, ends_in_trailers: bool) -> String {
    if has_mark(text) || (ends_in_trailers && text.trim_end().lines().next_back().is_some_and(is_trailer)) {
        return text.to_owned();
    }
    let (subject, rest) = text.split_once('\n').map_or((text, ""), |(s, r)| (s, r));
    let line_break = if text.contains('\n') { "\n" } else { "" };
    format!("{} {SKIP}{line_break}{rest}", subject.trim_end())
}

/// The text without marks. What is left may still look like the mark of a system that isn't known here.
pub fn removed(text: &str) -> String {
    let mut text = text.to_owned();
    // removing one can make another
    while let Some((at, mark)) = first_mark(&text) {
        let rest = text.split_off(at);
        text.truncate(text.trim_end().len());
        text.push_str(&rest[mark.len()..]);
    }
    text
}

fn first_mark(text: &str) -> Option<(usize, &'static str)> {
    let lower = text.to_ascii_lowercase();
    MARKS.iter().find_map(|mark| Some((lower.find(mark)?, *mark)))
}

/// Whether a text has a word such as `skip`. Every mark has one of these words.
pub fn may_have_mark(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["skip", "no ci", "no_ci", "no-ci"].iter().any(|word| lower.contains(word))
}

fn has_mark(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark))
}

/// Whether a line is the trailer `skip-checks: true`, which must be the last one of a message (GitHub, "Skipping workflow runs").
pub fn is_trailer(line: &str) -> bool {
    let value = line.split_once(':').filter(|(key, _)| key.trim().eq_ignore_ascii_case("skip-checks"));
    value.is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_gets_no_second_mark() {
        for mark in MARKS.into_iter().flat_map(|mark| [mark.to_owned(), mark.to_uppercase()]) {
            for text in [format!("{mark} deploy\n\nbody"), format!("deploy\n\nbody {mark}")] {
                assert_eq!(marked(&text, false), text);
            }
        }
        assert_eq!(marked("deploy [Skip CI]", false), "deploy [Skip CI]");
        for trailer in ["skip-checks: true", "skip-checks:true", "Skip-Checks: True"] {
            let text = format!("deploy\n\n\nRefs: #1\n{trailer}\n");
            assert_eq!(marked(&text, true), text);
        }
    }

    #[test]
    fn mark_is_removed() {
        for (text, without) in [
            ("deploy [skip ci]", "deploy"),
            ("[CI SKIP] deploy", " deploy"),
            ("a [skip [skip ci] ci] b", "a b"),
            ("[JIRA-1] Fix", "[JIRA-1] Fix"),
        ] {
            assert_eq!(removed(text), without);
        }
        assert!(MARKS.iter().all(|mark| may_have_mark(&mark.to_uppercase())));
        assert!(!may_have_mark("[JIRA-1] Fix"));
    }

    #[test]
    fn text_that_skips_nothing_is_no_mark() {
        for text in
            ["deploy [skip] ci", "skip ci", "deploy\n\nskip-checks: false", "skip-checks: true\n\nbody"]
        {
            assert!(marked(text, true).lines().next().unwrap().ends_with(" [skip ci]"), "{text}");
        }
    }
}
