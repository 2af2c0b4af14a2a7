//! The commits that a merge brought.

use std::collections::{BinaryHeap, HashMap};

use super::{CommitId, CommitLinks, CommitStore};

/// How many commits are read at most.
const MOST: usize = 10_000;

/// The commits that a merge brought to one of its parents: those that aren't in that parent's history.
pub struct MergedCommits<'a> {
    commits: &'a dyn CommitStore,
    known: HashMap<CommitId, KnownCommit>,
    /// By time, newest first.
    queue: BinaryHeap<(i64, CommitId)>,
    /// Whether all commits were available.
    pub is_complete: bool,
}

struct KnownCommit {
    links: CommitLinks,
    /// Whether it was there before the merge.
    was_there: bool,
}

impl<'a> MergedCommits<'a> {
    /// Reads what `merge` brought to `mainline`, one of its parents. So many commits that they can't all be read count as none.
    pub fn read(commits: &'a dyn CommitStore, merge: &CommitLinks, mainline: CommitId) -> Self {
        let mut merged =
            MergedCommits { commits, known: HashMap::new(), queue: BinaryHeap::new(), is_complete: true };
        for parent in &merge.parents {
            merged.reach(*parent, *parent == mainline);
        }
        while let Some((_, commit)) = merged.next() {
            if merged.known.len() > MOST {
                merged.known.clear();
                break;
            }
            let Some(KnownCommit { links, was_there }) = merged.known.get(&commit) else { continue };
            let (parents, was_there) = (links.parents.clone(), *was_there);
            parents.into_iter().for_each(|parent| merged.reach(parent, was_there));
        }
        merged
    }

    /// Whether the merge brought this commit.
    pub fn contains(&self, commit: CommitId) -> bool {
        self.known.get(&commit).is_some_and(|known| !known.was_there)
    }

    /// All of them.
    pub fn into_commits(self) -> impl Iterator<Item = CommitId> {
        self.known.into_iter().filter(|(_, known)| !known.was_there).map(|(commit, _)| commit)
    }

    /// The next commit, unless all that are left were there before.
    fn next(&mut self) -> Option<(i64, CommitId)> {
        self.queue.iter().any(|(_, commit)| self.contains(*commit)).then(|| self.queue.pop())?
    }

    /// Takes a commit, and if it turns out to have been there, those before it that are known.
    fn reach(&mut self, commit: CommitId, was_there: bool) {
        let mut next = vec![commit];
        while let Some(commit) = next.pop() {
            match self.known.get_mut(&commit) {
                Some(known) if was_there && !known.was_there => {
                    known.was_there = true;
                    next.extend(&known.links.parents);
                }
                Some(_) => {}
                None => self.add(commit, was_there),
            }
        }
    }

    fn add(&mut self, commit: CommitId, was_there: bool) {
        match self.commits.links(commit) {
            Ok(Some(links)) => {
                self.queue.push((links.time, commit));
                self.known.insert(commit, KnownCommit { links, was_there });
            }
            Ok(None) | Err(_) => self.is_complete = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeCommits, id};
    use super::*;

    fn merged(fake: &FakeCommits, merge: usize, mainline: usize) -> (Vec<usize>, bool) {
        let links = fake.links(id(merge)).unwrap().unwrap();
        let merged = MergedCommits::read(fake, &links, id(mainline));
        ((1..20).filter(|commit| merged.contains(id(*commit))).collect(), merged.is_complete)
    }

    #[test]
    fn merge_brings_what_its_mainline_lacks() {
        let fake = FakeCommits::default();
        for (commit, parents) in [(1, &[][..]), (2, &[1]), (3, &[1]), (4, &[3, 2]), (5, &[2]), (6, &[5, 4])] {
            fake.commit(commit, parents, &[]);
        }
        assert_eq!(merged(&fake, 6, 5), (vec![3, 4], true));
        assert_eq!(merged(&fake, 6, 4), (vec![5], true));
        fake.cut.borrow_mut().push(id(3));
        assert_eq!(merged(&fake, 6, 5), (vec![4], false));
    }

    /// 2 is dated after the commit on top of it.
    #[test]
    fn commit_was_there_even_if_clocks_are_wrong() {
        let fake = FakeCommits::default();
        for (commit, parents) in [(1, &[][..]), (9, &[1]), (3, &[9]), (2, &[9]), (6, &[3, 2])] {
            fake.commit(commit, parents, &[]);
        }
        assert_eq!(merged(&fake, 6, 3), (vec![2], true));
        assert_eq!(merged(&fake, 6, 2), (vec![3], true));
    }
}
