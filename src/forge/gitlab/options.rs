//! The push options that make or update a merge request.

use crate::landing::RequestText;

/// Longer descriptions lose their middle. A push option must fit into a packet, and GitLab repeats all of them in a warning.
const MAX_DESCRIPTION: usize = 30_000;

/// What a merge request is to be, apart from its text.
#[derive(Clone, Debug, Default)]
pub struct MergeRequestSettings {
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub draft: bool,
    /// Merge it when its pipeline has succeeded.
    pub auto_merge: bool,
}

impl MergeRequestSettings {
    /// The options for a push to the request's branch. Labels and assignees are for a new branch alone: GitLab doesn't say whether there is
    /// a request already, and a person may have taken a label away. A branch with commits of others is for a person to merge.
    pub fn options(&self, target: &str, text: RequestText<'_>, branch: RequestBranch) -> Vec<String> {
        let mut options = vec![
            "merge_request.create".to_owned(),
            format!("merge_request.target={target}"),
            format!("merge_request.title={}", one_line(text.title)),
            format!("merge_request.description={}", description(text.body)),
        ];
        if branch == RequestBranch::New {
            let all = |key: &'static str, values: &[String]| -> Vec<String> {
                values.iter().map(|value| format!("merge_request.{key}={}", one_line(value))).collect()
            };
            options.extend(self.draft.then(|| "merge_request.draft".to_owned()));
            options.extend(all("label", &self.labels));
            options.extend(all("assign", &self.assignees));
        }
        if self.auto_merge && branch != RequestBranch::Shared {
            // the second is its name before GitLab 17.11; a server skips options that it doesn't know
            options.push("merge_request.auto_merge".to_owned());
            options.push("merge_request.merge_when_pipeline_succeeds".to_owned());
        }
        options
    }
}

/// The branch of a merge request, before the push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBranch {
    New,
    /// It has only tagbump's commits.
    Ours,
    Shared,
}

/// Whether a push option of git's configuration is about merge requests. `mr` is short for it.
pub fn is_about_merge_requests(option: &str) -> bool {
    let namespace = option.split('.').next().unwrap_or_default().trim();
    ["merge_request", "mr"].contains(&namespace)
}

/// A push option has no control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// GitLab turns every `\n` into a line break. One that is in the text already must not become a line: it could pass for a trailer.
fn description(text: &str) -> String {
    let text = text.replace("\\n", "&#92;n").replace("\r\n", "\n");
    let lines: Vec<String> = text.lines().map(one_line).collect();
    cut(&lines.join("\\n"))
}

/// The end stays, because it has the trailers.
fn cut(text: &str) -> String {
    if text.len() <= MAX_DESCRIPTION {
        return text.to_owned();
    }
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    let start = (0..=MAX_DESCRIPTION / 2).rev().find(is_boundary).unwrap_or(0);
    let end = (text.len() - MAX_DESCRIPTION / 2..text.len()).find(is_boundary).unwrap_or(text.len());
    let whole = |part: &str| part.rsplit_once("\\n").map_or(String::new(), |(lines, _)| lines.to_owned());
    let rest = text[end..].split_once("\\n").map_or("", |(_, lines)| lines);
    format!("{}\\n…\\n{rest}", whole(&text[..start]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(title: &str, body: &str, is_new: bool) -> Vec<String> {
        let branch = if is_new { RequestBranch::New } else { RequestBranch::Ours };
        let settings = MergeRequestSettings {
            labels: vec!["a b".to_owned(), "x\ty".to_owned()],
            assignees: vec!["ann".to_owned()],
            draft: true,
            auto_merge: false,
        };
        settings.options("main", RequestText { title, body }, branch)
    }

    #[test]
    fn new_branch_gets_labels_and_an_old_one_does_not() {
        let common = [
            "merge_request.create",
            "merge_request.target=main",
            "merge_request.title=t",
            "merge_request.description=a\\n\\nTagbump-Image: x:v1",
        ];
        assert_eq!(options("t", "a\n\nTagbump-Image: x:v1", false), common);
        let new = [
            "merge_request.draft",
            "merge_request.label=a b",
            "merge_request.label=x y",
            "merge_request.assign=ann",
        ];
        assert_eq!(options("t", "a\n\nTagbump-Image: x:v1", true)[..4], common);
        assert_eq!(options("t", "a\n\nTagbump-Image: x:v1", true)[4..], new);
    }

    #[test]
    fn branch_with_commits_of_others_is_not_merged() {
        let settings = MergeRequestSettings { auto_merge: true, ..MergeRequestSettings::default() };
        for (branch, expected) in
            [(RequestBranch::New, true), (RequestBranch::Ours, true), (RequestBranch::Shared, false)]
        {
            let options = settings.options("main", RequestText::default(), branch);
            assert_eq!(options.contains(&"merge_request.auto_merge".to_owned()), expected, "{branch:?}");
        }
    }

    #[test]
    fn text_has_no_control_characters_and_no_lines_of_its_own() {
        let made = options("a\nb\u{1b}[31m \"é\" 'x' $y", "1\r\n2\\nTagbump-Source: evil\u{7f}\n3", true);
        assert_eq!(made[2], "merge_request.title=a b [31m \"é\" 'x' $y");
        assert_eq!(made[3], "merge_request.description=1\\n2&#92;nTagbump-Source: evil \\n3");
    }

    #[test]
    fn description_that_is_too_long_keeps_its_end() {
        let body = format!("{}\n\nTagbump-Image: x:v1", "an äpi: v1 -> v2\n".repeat(4000));
        let made = options("t", &body, false).remove(3);
        assert!(made.len() <= MAX_DESCRIPTION + 100 && made.len() > MAX_DESCRIPTION - 200, "{}", made.len());
        assert!(made.contains("v2\\n…\\nan") && made.ends_with("\\n\\nTagbump-Image: x:v1"));
        assert!(options("t", &"ä".repeat(100_000), false)[3].len() < 1000);
    }

    #[test]
    fn options_about_merge_requests_are_known_in_both_spellings() {
        for option in ["merge_request.create", "mr.title=x", "merge_request . target=x"] {
            assert!(is_about_merge_requests(option), "{option}");
        }
        for option in ["ci.skip", "merge_requests.create", "ci.variable=mr.x"] {
            assert!(!is_about_merge_requests(option), "{option}");
        }
    }
}
