//! What a commit message or a pull request says about the commits that a bump includes.
//!
//! Pure. Subjects are the text of their authors: each is a code span, so that `@name`, `#12`, `fixes #1` and `[skip ci]` do nothing, not
//! even in the commit that a squash merge makes from a pull request's text.

use super::message::{code_span, shown};
use super::skip_mark;
use crate::history::CommitRange;
use crate::markdown;

/// How many images a line names, and how many ranges are described.
const MAX_NAMES: usize = 5;
const MAX_RANGES: usize = 20;

/// The commits between two builds of some images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludedCommits<'a> {
    /// The images, or their services.
    pub names: Vec<&'a str>,
    /// The page that shows the difference.
    pub url: &'a str,
    /// Whether they are taken away.
    pub goes_back: bool,
    /// `None` shows the page alone.
    pub range: Option<&'a CommitRange>,
}

/// A paragraph about each range. A single one needs no names.
pub(super) fn paragraphs(included: &[IncludedCommits<'_>]) -> Vec<String> {
    let names_matter = included.len() > 1;
    let mut paragraphs: Vec<String> =
        included.iter().take(MAX_RANGES).map(|range| paragraph(range, names_matter)).collect();
    let more = included.len().saturating_sub(MAX_RANGES);
    paragraphs.extend((more > 0).then(|| format!("Comparisons not shown: {more}")));
    paragraphs
}

fn paragraph(commits: &IncludedCommits<'_>, names_matter: bool) -> String {
    let names = if names_matter { names(&commits.names) } else { String::new() };
    let line = match commits.goes_back {
        true => format!("This goes back{names}: {}", commits.url),
        false => format!("Changes{names}: {}", commits.url),
    };
    match commits.range.filter(|range| !range.commits.is_empty()) {
        Some(range) => format!("{line}\n\n{}", list(range)),
        None => line,
    }
}

fn names(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(MAX_NAMES).map(|name| shown(name)).collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" in {}{more}", named.join(", "))
}

fn list(range: &CommitRange) -> String {
    let mut lines: Vec<String> =
        range.commits.iter().map(|commit| format!("- {}", subject_span(&commit.subject))).collect();
    let more = range.more();
    lines.extend((more > 0).then(|| format!("- and {more} more")));
    lines.join("\n")
}

/// A subject without the marks that keep CI from running.
fn subject_span(subject: &str) -> String {
    let subject = skip_mark::removed(subject);
    let is_plain = !skip_mark::may_have_mark(&subject);
    if is_plain { markdown::code_span(&subject) } else { code_span(&subject) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::ListedCommit;

    const URL: &str = "https://github.com/acme/app/compare/0123456789ab...ba9876543210";

    fn range(subjects: &[&str], total: usize) -> CommitRange {
        let commits = subjects.iter().map(|subject| ListedCommit::new("1", subject)).collect();
        CommitRange { commits, total }
    }

    fn included<'a>(names: &[&'a str], range: Option<&'a CommitRange>) -> IncludedCommits<'a> {
        IncludedCommits { names: names.to_vec(), url: URL, goes_back: false, range }
    }

    #[test]
    fn single_range_needs_no_names() {
        assert_eq!(paragraphs(&[included(&["api", "web"], None)]), [format!("Changes: {URL}")]);
        let back = IncludedCommits { goes_back: true, ..included(&["api"], None) };
        assert_eq!(paragraphs(&[back]), [format!("This goes back: {URL}")]);
        assert!(paragraphs(&[]).is_empty());
    }

    #[test]
    fn several_ranges_name_their_images() {
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        let back = IncludedCommits { goes_back: true, ..included(&["@acme"], None) };
        assert_eq!(
            paragraphs(&[included(&many, None), back]),
            [
                format!("Changes in a, b, c, d, e and 2 more: {URL}"),
                format!("This goes back in `@acme`: {URL}")
            ]
        );
        let paragraphs = paragraphs(&vec![included(&["a"], None); 25]);
        assert_eq!((paragraphs.len(), paragraphs[20].as_str()), (21, "Comparisons not shown: 5"));
    }

    #[test]
    fn subjects_do_nothing() {
        let subjects = [
            "[A-1] Fix (#12)",
            "fixes #1 @octocat",
            "a [skip ci]",
            "b [skip xy]",
            "`x` <img>",
            "***NO_CI***",
        ];
        let range = range(&subjects, 8);
        assert_eq!(
            paragraphs(&[included(&["api"], Some(&range))])[0],
            format!(
                "Changes: {URL}\n\n- `[A-1] Fix (#12)`\n- `fixes #1 @octocat`\n- `a`\n\
                 - `b \\u{{5b}}skip xy]`\n- `` `x` <img> ``\n- `  `\n- and 2 more"
            )
        );
        let long = "x".repeat(300);
        let range = self::range(&[&long], 1);
        let text = paragraphs(&[included(&["api"], Some(&range))]).remove(0);
        assert!(text.ends_with(&format!("- `{}…`", "x".repeat(100))), "{text}");
    }
}
