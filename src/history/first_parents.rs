//! The commits of a branch, without those that merges brought to it: what the branch itself had, one after the other.

use super::{CommitId, CommitLinks, CommitMessage, CommitStore, HistoryError, NamedBranch, ObjectId};

/// How many commits of a merged branch are read.
const MERGED: usize = 20;

/// A branch of which each commit has one parent at most.
///
/// That is the first parent, unless the merge brought the branch itself: a `git pull` makes the server's branch the second parent, so
/// the branch goes on there.
pub struct FirstParents<'a> {
    pub commits: &'a dyn CommitStore,
    pub branch: &'a NamedBranch,
}

impl FirstParents<'_> {
    /// The messages of the commits that a merge added.
    pub fn merged_messages(&self, merge: CommitId) -> Vec<String> {
        let parents =
            |commit| self.commits.links(commit).ok().flatten().map(|links| links.parents).unwrap_or_default();
        let own = self.links(merge).ok().flatten().and_then(|links| links.parents.first().copied());
        let mut messages = Vec::new();
        for side in parents(merge).into_iter().filter(|side| Some(*side) != own) {
            let chain = std::iter::successors(Some(side), |commit| parents(*commit).first().copied());
            messages
                .extend(chain.take(MERGED).map_while(|commit| Some(self.commits.message(commit).ok()?.text)));
        }
        messages
    }
}

impl CommitStore for FirstParents<'_> {
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError> {
        let Some(links) = self.commits.links(commit)? else { return Ok(None) };
        let own = match links.parents.as_slice() {
            [_, second] if self.branch.is_brought_by(&self.commits.message(commit)?.text) => Some(*second),
            parents => parents.first().copied(),
        };
        Ok(Some(CommitLinks { parents: own.into_iter().collect(), ..links }))
    }

    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError> {
        self.commits.file(tree, path)
    }

    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError> {
        self.commits.read(file)
    }

    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError> {
        self.commits.old_name(tree, older, path)
    }

    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError> {
        self.commits.message(commit)
    }

    fn resolve(&self, sha: &str) -> Option<CommitId> {
        self.commits.resolve(sha)
    }

    fn depth(&self) -> usize {
        self.commits.depth()
    }

    fn deepen(&self) -> bool {
        self.commits.deepen()
    }
}
