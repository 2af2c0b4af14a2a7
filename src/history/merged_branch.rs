//! Which branch a merge brought, by the message that git gives it.

use crate::tag::may_be_one_repository;

/// A branch, and the remote that it is on, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct NamedBranch {
    /// `None` if `HEAD` is detached, for example.
    pub branch: Option<String>,
    /// The remote's name.
    pub remote: String,
    /// The remote's URL, if it has one.
    pub url: Option<String>,
}

/// The name that git gives to the remote of a clone.
const USUAL_REMOTE: &str = "origin";

/// Where `into` is left out by default. (git, `merge.suppressDest`.)
const UNNAMED: [&str; 2] = ["main", "master"];

/// What the subject of a merge says. (git, `fmt-merge-msg.c`.)
enum MergeSubject<'m> {
    /// `Merge branch 'B'`.
    Local { branch: &'m str },
    /// `Merge branch 'B' of URL`, as `git pull` writes it.
    Pulled { branch: &'m str, url: &'m str },
    /// `Merge remote-tracking branch 'R/B'`.
    Tracking { name: &'m str },
}

impl NamedBranch {
    /// Whether a merge brought the branch itself, on the server or here, into another one that then took its place. Its second
    /// parent is the branch then. Without the branch's name, only a merge into a branch of the same name is known to be one.
    pub(super) fn is_brought_by(&self, message: &str) -> bool {
        let subject = message.lines().next().unwrap_or_default();
        let (merged, into) =
            subject.rsplit_once(" into ").map_or((subject, None), |(merged, into)| (merged, Some(into)));
        let is_into = |branch: &str| match into {
            Some(into) => into.trim_matches('\'') == branch,
            None => UNNAMED.contains(&branch),
        };
        let is_this = |branch: &str| self.branch.as_deref() == Some(branch);
        match MergeSubject::parse(merged) {
            // one that is merged into a branch of its own name is another repository's
            Some(MergeSubject::Local { branch }) => is_this(branch) && !is_into(branch),
            Some(MergeSubject::Pulled { branch, url }) => {
                (is_this(branch) || is_into(branch)) && self.is_remote(url)
            }
            Some(MergeSubject::Tracking { name }) => {
                self.branch_on_remote(name).is_some_and(|branch| is_this(branch) || is_into(branch))
            }
            None => false,
        }
    }

    fn is_remote(&self, url: &str) -> bool {
        self.url.as_deref().is_some_and(|own| may_be_one_repository(own, url))
    }

    /// The branch that a remote-tracking branch follows, if it is on this remote, which other clones may call `origin`.
    fn branch_on_remote<'m>(&self, name: &'m str) -> Option<&'m str> {
        let names = [self.remote.as_str(), USUAL_REMOTE];
        let is_here = self.url.is_some();
        names.into_iter().filter(|_| is_here).find_map(|remote| name.strip_prefix(remote)?.strip_prefix('/'))
    }
}

impl<'m> MergeSubject<'m> {
    /// Reads a subject without its `into`.
    fn parse(merged: &'m str) -> Option<Self> {
        let quoted = |start: &str| merged.strip_prefix(start)?.split_once('\'');
        if let Some((name, _)) = quoted("Merge remote-tracking branch '") {
            return Some(MergeSubject::Tracking { name });
        }
        let (branch, rest) = quoted("Merge branch '")?;
        match rest.strip_prefix(" of ") {
            Some(url) => Some(MergeSubject::Pulled { branch, url }),
            None => rest.is_empty().then_some(MergeSubject::Local { branch }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NamedBranch;

    const URL: &str = "https://github.com/acme/gitops.git";

    fn is_brought(branch: Option<&str>, url: Option<&str>, message: &str) -> bool {
        let (branch, url) = (branch.map(str::to_owned), url.map(str::to_owned));
        NamedBranch { branch, remote: "origin".to_owned(), url }.is_brought_by(message)
    }

    #[test]
    fn pull_of_the_branch_brings_it_whatever_it_was_merged_into() {
        for message in [
            "Merge branch 'main' of github.com:acme/gitops",
            "Merge branch 'main' of github.com:acme/gitops into HEAD",
            "Merge branch 'main' of https://github.com/acme/gitops into fix\n\nbody",
            "Merge remote-tracking branch 'origin/main'",
            "Merge remote-tracking branch 'origin/main' into fix",
            "Merge branch 'main' into feature",
            "Merge branch 'main' into HEAD",
        ] {
            assert!(is_brought(Some("main"), Some(URL), message), "{message}");
        }
    }

    #[test]
    fn pull_into_the_same_branch_brings_it_to_branches_that_start_later() {
        for message in [
            "Merge branch 'main' of github.com:acme/gitops",
            "Merge branch 'prod' of git@work:acme/gitops into prod",
            "Merge remote-tracking branch 'origin/main'",
            "Merge remote-tracking branch 'origin/prod/eu' into prod/eu",
        ] {
            assert!(is_brought(Some("topic"), Some(URL), message), "{message}");
            assert!(is_brought(None, Some(URL), message), "{message}");
        }
    }

    #[test]
    fn merge_of_another_branch_or_repository_does_not_bring_it() {
        for message in [
            "Merge branch 'feature'",
            "Merge branch 'feature' into 'main'",
            "Merge branch 'main'",
            "Merge branch 'main' into 'main'",
            "Merge branch 'prod' into main",
            "Merge branch 'main' of github.com:upstream/gitops",
            "Merge branch 'main' of ../gitops",
            "Merge branch 'develop' of github.com:acme/gitops",
            "Merge remote-tracking branch 'upstream/main'",
            "Merge remote-tracking branch 'origin/feature'",
            "Merge pull request #1 from acme/main",
            "Merge branch 'acme:main' into main",
            "",
        ] {
            assert!(!is_brought(Some("main"), Some(URL), message), "{message}");
        }
        for message in
            ["Merge branch 'main' into prod", "Merge branch 'main' of github.com:acme/gitops into prod"]
        {
            assert!(!is_brought(Some("prod"), Some(URL), message), "{message}");
            assert!(!is_brought(None, Some(URL), message), "{message}");
        }
    }

    #[test]
    fn nothing_is_pulled_from_a_remote_that_is_not_there() {
        for message in
            ["Merge branch 'main' of github.com:acme/gitops", "Merge remote-tracking branch 'origin/main'"]
        {
            assert!(!is_brought(Some("main"), None, message), "{message}");
        }
    }
}
