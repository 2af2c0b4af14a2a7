//! The commits of a branch, without those that merges brought to it: what the branch itself had, one after the other.

use super::{CommitId, CommitLinks, CommitMessage, CommitStore, HistoryError, ObjectId};

/// How many commits of a merged branch are read.
const MERGED: usize = 20;

/// A branch of which each commit has one parent at most.
///
/// That is the first parent, but for a `git pull` that merged: git makes the server's branch the second parent then, so the branch
/// goes on there.
pub struct FirstParents<'a>(pub &'a dyn CommitStore);

impl FirstParents<'_> {
    /// The messages of the commits that a merge added.
    pub fn merged_messages(&self, merge: CommitId) -> Vec<String> {
        let parents =
            |commit| self.0.links(commit).ok().flatten().map(|links| links.parents).unwrap_or_default();
        let own = self.links(merge).ok().flatten().and_then(|links| links.parents.first().copied());
        let mut messages = Vec::new();
        for side in parents(merge).into_iter().filter(|side| Some(*side) != own) {
            let chain = std::iter::successors(Some(side), |commit| parents(*commit).first().copied());
            messages.extend(chain.take(MERGED).map_while(|commit| Some(self.0.message(commit).ok()?.text)));
        }
        messages
    }
}

impl CommitStore for FirstParents<'_> {
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError> {
        let Some(links) = self.0.links(commit)? else { return Ok(None) };
        let own = match links.parents.as_slice() {
            [_, second] if is_pull(&self.0.message(commit)?.text) => Some(*second),
            parents => parents.first().copied(),
        };
        Ok(Some(CommitLinks { parents: own.into_iter().collect(), ..links }))
    }

    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError> {
        self.0.file(tree, path)
    }

    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError> {
        self.0.read(file)
    }

    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError> {
        self.0.old_name(tree, older, path)
    }

    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError> {
        self.0.message(commit)
    }

    fn deepen(&self) -> bool {
        self.0.deepen()
    }
}

/// Whether a message is that of a `git pull` which merged the server's branch into the same branch here. (git, `fmt-merge-msg.c`:
/// `Merge branch 'B' of URL into C`, `Merge remote-tracking branch 'R/B' into C`; without `into` on `main` and `master`.)
fn is_pull(message: &str) -> bool {
    let subject = message.lines().next().unwrap_or_default();
    let (merged, into) =
        subject.rsplit_once(" into ").map_or((subject, None), |(merged, into)| (merged, Some(into)));
    let quoted = |start: &str| merged.strip_prefix(start)?.split_once('\'');
    let branch = match (quoted("Merge branch '"), quoted("Merge remote-tracking branch '")) {
        (Some((branch, rest)), _) if rest.starts_with(" of ") => Some(branch),
        (_, Some((branch, _))) => branch.split_once('/').map(|(_, branch)| branch),
        _ => None,
    };
    branch.is_some_and(|branch| match into {
        Some(into) => into.trim_matches('\'') == branch,
        None => ["main", "master"].contains(&branch),
    })
}

#[cfg(test)]
mod tests {
    use super::is_pull;

    #[test]
    fn only_a_pull_of_the_same_branch_continues_at_its_second_parent() {
        for message in [
            "Merge branch 'main' of github.com:acme/gitops",
            "Merge branch 'prod' of https://git.example/acme/gitops into prod\n\nbody",
            "Merge remote-tracking branch 'origin/main'",
            "Merge remote-tracking branch 'origin/prod/eu' into prod/eu",
        ] {
            assert!(is_pull(message), "{message}");
        }
        for message in [
            "Merge branch 'feature'",
            "Merge branch 'feature' into 'main'",
            "Merge branch 'main' into prod",
            "Merge branch 'main' of github.com:acme/gitops into prod",
            "Merge branch 'develop' of github.com:acme/gitops",
            "Merge pull request #1 from acme/main",
            "Merge remote-tracking branch 'origin/feature'",
            "Merge remote-tracking branch 'origin/main' into prod",
            "",
        ] {
            assert!(!is_pull(message), "{message}");
        }
    }
}
