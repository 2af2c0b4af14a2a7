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
    fn text_that_skips_nothing_is_no_mark() {
        for text in
            ["deploy [skip] ci", "skip ci", "deploy\n\nskip-checks: false", "skip-checks: true\n\nbody"]
        {
            assert!(marked(text, true).lines().next().unwrap().ends_with(" [skip ci]"), "{text}");
        }
    }
}
