//! The commits that `git revert` took away.

use std::collections::HashSet;

use crate::history::{CommitId, CommitStore, MergedCommits};

/// What git writes before the ID of a commit that it reverts. (git, `sequencer.c`.)
const REVERTS: &str = "This reverts commit ";
/// What it writes before the parent whose content comes back, if that commit is a merge.
const MAINLINE: &str = "changes made to ";

/// How many of them are noted at most: messages are contributors' input.
const MOST: usize = 200;

/// The commits that later ones reverted.
#[derive(Clone, Default)]
pub struct Reverts {
    named: Vec<Revert>,
    /// The commits that reverted merges brought.
    merged: HashSet<CommitId>,
}

/// A commit that the message of a later one names as reverted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Revert {
    /// Its ID, perhaps abbreviated.
    sha: String,
    /// The parent that a merge was reverted to.
    mainline: Option<String>,
    /// Whether it is known what it brought.
    is_read: bool,
    /// How much of the history was available when it was looked for.
    looked_in: Option<usize>,
}

impl Reverts {
    /// Notes what the message of a commit says.
    pub fn note(&mut self, message: &str) {
        for revert in named_in(message).take(MOST) {
            let is_known = self.named.iter().any(|known| known.sha == revert.sha);
            if !is_known && self.named.len() < MOST {
                self.named.push(revert);
            }
        }
    }

    /// The same as those of another history of the same branch, and more.
    pub fn extend(&mut self, other: &Reverts) {
        self.named.extend(other.named.iter().cloned());
        self.merged.extend(&other.merged);
    }

    /// Whether a commit was reverted, by itself or with the merge that brought it.
    pub fn contains(&mut self, commit: CommitId, commits: &dyn CommitStore) -> bool {
        let depth = Some(commits.depth());
        for revert in self.named.iter_mut().filter(|revert| !revert.is_read && revert.looked_in != depth) {
            revert.looked_in = depth;
            revert.read(commits, &mut self.merged);
        }
        let id = commit.to_string();
        self.merged.contains(&commit) || self.named.iter().any(|revert| id.starts_with(&revert.sha))
    }
}

impl Revert {
    /// Reads what a merge brought, as far as that is available.
    fn read(&mut self, commits: &dyn CommitStore, merged: &mut HashSet<CommitId>) {
        let Some(links) = commits.resolve(&self.sha).and_then(|commit| commits.links(commit).ok()?) else {
            return;
        };
        self.is_read = true;
        let is_mainline = |parent: &&CommitId| {
            self.mainline.as_ref().is_some_and(|sha| parent.to_string().starts_with(sha))
        };
        let mainline = links.parents.iter().find(is_mainline).or(links.parents.first());
        if let Some(mainline) = mainline.filter(|_| links.parents.len() > 1) {
            let brought = MergedCommits::read(commits, &links, *mainline);
            self.is_read = brought.is_complete;
            merged.extend(brought.into_commits());
        }
    }
}

/// The commits that a message names as reverted. One message can name several, such as that of a squashed pull request.
fn named_in(message: &str) -> impl Iterator<Item = Revert> {
    message.split(REVERTS).skip(1).filter_map(|behind| {
        let mainline = behind.split_once(MAINLINE).and_then(|(_, parent)| id_at_start(parent));
        Some(Revert { sha: id_at_start(behind)?, mainline, is_read: false, looked_in: None })
    })
}

/// The ID of a commit that a text starts with, perhaps abbreviated.
fn id_at_start(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    (7..=64).contains(&end).then(|| text[..end].to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fake::{FakeCommits, id};

    #[test]
    fn message_names_each_commit_that_it_reverts() {
        let named = |message: &str| {
            let named = named_in(message).map(|revert| (revert.sha, revert.mainline.unwrap_or_default()));
            named.map(|(sha, mainline)| format!("{sha}-{mainline}")).collect::<Vec<_>>()
        };
        let (one, two) = ("1a".repeat(20), "2b".repeat(20));
        assert_eq!(named(&format!("x\n\nThis reverts commit {one}.\n")), [format!("{one}-")]);
        let both = format!("This reverts commit {one}.\n\n* Revert\n\nThis reverts commit {two}.");
        assert_eq!(named(&both), [format!("{one}-"), format!("{two}-")]);
        let merge = format!("This reverts commit {one}, reversing\nchanges made to {two}.");
        assert_eq!(named(&merge), [format!("{one}-{two}")]);
        assert_eq!(named("This reverts commit 1a2B3c4 (api v2, 2026-11-30)."), ["1a2b3c4-"]);
        assert!(named("This reverts commit 12345.\nThis reverts commit of Ada").is_empty());
    }

    #[test]
    fn commits_of_a_reverted_merge_are_reverted() {
        let fake = FakeCommits::default();
        for (commit, parents) in [(1, &[][..]), (2, &[1]), (3, &[1]), (4, &[3, 2])] {
            fake.commit(commit, parents, &[]);
        }
        let mut reverts = Reverts::default();
        reverts.note(&format!("This reverts commit {}, reversing\nchanges made to {}.", id(4), id(3)));
        let reverted = |reverts: &mut Reverts| [1, 2, 3, 4].map(|commit| reverts.contains(id(commit), &fake));
        assert_eq!(reverted(&mut reverts), [false, true, false, true]);
        reverts.note(&format!("This reverts commit {}", id(3)));
        assert_eq!(reverted(&mut reverts), [false, true, true, true]);
    }

    /// The history is fetched step by step.
    #[test]
    fn merge_that_is_not_there_yet_is_read_later() {
        let fake = FakeCommits::default();
        for (commit, parents) in [(1, &[][..]), (2, &[1]), (3, &[1]), (4, &[3, 2])] {
            fake.commit(commit, parents, &[]);
        }
        let mut reverts = Reverts::default();
        reverts.note(&format!("This reverts commit {}", id(4)));
        fake.cut.borrow_mut().push(id(4));
        assert!(reverts.contains(id(4), &fake) && !reverts.contains(id(2), &fake));
        fake.deepen();
        assert!(reverts.contains(id(2), &fake));
    }
}
