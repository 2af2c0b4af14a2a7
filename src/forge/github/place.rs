//! A branch that GitHub commits on, and signs: read by git, written by the API.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::commit::{BranchMove, Branches, CommitSpec, ExpectedRef, Verification};
use super::graphql::GraphQl;
use crate::error::{Exit, Failure, Result};
use crate::git::{GitRemoteBranch, RefUpdate};
use crate::landing::{FetchError, History, PublishOutcome, RemoteBranch, Tip};
use crate::plan::{FileEdit, FileSource};

/// What GitHub takes in one request is about 40 MB, and base64 makes 4 bytes of 3.
const MAX_FILES: usize = 28 * 1000 * 1000;

/// How long tidying up may take, beyond the budget.
const TIDY: Duration = Duration::from_secs(10);

/// The mode of a plain file, the only one that GitHub's API gives to a file.
const PLAIN: i32 = 0o100_644;

/// A branch of a repository on GitHub.
pub struct GitHubBranch {
    git: GitRemoteBranch,
    branches: Branches,
    /// The commits that were made here, by their names here. GitHub makes its own of them.
    made: HashMap<String, CommitSpec>,
    verification: Option<Verification>,
}

impl GitHubBranch {
    /// # Errors
    /// An address that is none, a remote that is no repository of GitHub's.
    pub fn new(git: GitRemoteBranch, graphql: &str, token: &str) -> Result<Self> {
        let repository = git.slug().ok_or_else(|| Failure::usage("the remote's URL names no repository"))?;
        let branches = Branches::new(GraphQl::new(git.http(), graphql, token)?, &repository);
        Ok(GitHubBranch { git, branches, made: HashMap::new(), verification: None })
    }

    /// The same branch, as git sees it.
    pub fn git(&self) -> &GitRemoteBranch {
        &self.git
    }

    /// What GitHub says of the landed commit's signature; asks where that is not known yet.
    pub fn verification(&self, commit: &str, deadline: Instant) -> Option<Verification> {
        self.verification.clone().or_else(|| self.branches.verification(deadline, commit))
    }

    fn file(&self, tip: &Tip, edit: &FileEdit) -> Result<(String, Vec<u8>)> {
        let (path, mode) = self.git.file_mode(&tip.commit, &edit.path)?;
        if mode == PLAIN {
            return Ok((path, edit.after.clone()));
        }
        let why = format!("{}: has mode {mode:o}, which GitHub's API would make 100644", edit.path);
        Err(Failure::new(Exit::NotEditable, why)
            .hinted("land it with --via git, or take the mode off the file"))
    }

    fn commit_on(
        &mut self,
        branch: &str,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<String, PublishOutcome> {
        let made = self.branches.commit(deadline, branch, wanted)?;
        self.verification = Some(made.verification);
        Ok(made.oid)
    }

    /// The new commit takes the place of what the branch holds. It is made on a branch of its own first: a
    /// branch that were set back to its base in between would have its pull request closed.
    fn replace_branch(
        &mut self,
        branch: &str,
        tip: &str,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<String, PublishOutcome> {
        let aside = format!("tagbump-aside/{:016x}", fastrand::u64(..));
        let made = self.commit_aside(&aside, branch, tip, wanted, deadline);
        if made.is_err() {
            // whatever became of it: nobody else knows of this branch. Where this fails too it is left behind
            let gone = BranchMove { branch: &aside, from: ExpectedRef::Anything, to: None };
            let _ = self.branches.moves(deadline.max(Instant::now() + TIDY), &[gone]);
        }
        made
    }

    fn commit_aside(
        &mut self,
        aside: &str,
        branch: &str,
        tip: &str,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<String, PublishOutcome> {
        let start = BranchMove { branch: aside, from: ExpectedRef::Nothing, to: Some(&wanted.parent) };
        self.branches.moves(deadline, &[start])?;
        let made = self.commit_on(aside, wanted, deadline)?;
        let put = BranchMove { branch, from: ExpectedRef::At(tip), to: Some(&made) };
        let gone = BranchMove { branch: aside, from: ExpectedRef::At(&made), to: None };
        self.branches.moves(deadline, &[put, gone]).map(|()| made)
    }

    fn try_publish(&mut self, commit: &str, deadline: Instant) -> Result<String, PublishOutcome> {
        let course = self.git.course(commit);
        if course == RefUpdate::UpToDate {
            return Ok(commit.to_owned());
        }
        let unmade = || PublishOutcome::Refused(Failure::other(format!("{commit} was not made here")));
        let wanted = self.made.get(commit).cloned().ok_or_else(unmade)?;
        match course {
            RefUpdate::UpToDate => Ok(commit.to_owned()),
            RefUpdate::FastForward { branch } => self.commit_on(&branch, &wanted, deadline),
            RefUpdate::Create { branch } => {
                let start =
                    BranchMove { branch: &branch, from: ExpectedRef::Nothing, to: Some(&wanted.parent) };
                self.branches.moves(deadline, &[start])?;
                let made = self.commit_on(&branch, &wanted, deadline);
                if let Err(PublishOutcome::Refused(_) | PublishOutcome::RejectedUnclear { .. }) = made {
                    // an empty branch is no use to anybody
                    let gone =
                        BranchMove { branch: &branch, from: ExpectedRef::At(&wanted.parent), to: None };
                    let _ = self.branches.moves(deadline.max(Instant::now() + TIDY), &[gone]);
                }
                made
            }
            RefUpdate::Replace { branch, tip } => self.replace_branch(&branch, &tip, &wanted, deadline),
        }
    }
}

impl RemoteBranch for GitHubBranch {
    fn tip(&mut self, deadline: Instant) -> Result<Tip, FetchError> {
        self.git.tip(deadline)
    }

    fn files(&self, tip: &Tip) -> Result<Box<dyn FileSource + '_>> {
        self.git.files(tip)
    }

    fn history(&self) -> &dyn History {
        self.git.history()
    }

    fn commit(&mut self, tip: &Tip, edits: &[FileEdit], message: &str) -> Result<String> {
        let files = edits.iter().map(|edit| self.file(tip, edit)).collect::<Result<Vec<_>>>()?;
        if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_FILES {
            return Err(Failure::new(
                Exit::NotEditable,
                "the changed files are more than GitHub's API takes at once",
            )
            .hinted("land them with --via git"));
        }
        let commit = self.git.commit(tip, edits, message)?;
        let wanted = CommitSpec { parent: tip.commit.clone(), message: message.to_owned(), files };
        self.made.insert(commit.clone(), wanted);
        Ok(commit)
    }

    fn publish(&mut self, commit: &str, deadline: Instant) -> PublishOutcome {
        if let Some(verdict) = self.git.keep_others(commit) {
            return verdict;
        }
        self.git.expect(commit);
        match self.try_publish(commit, deadline) {
            Ok(commit) => PublishOutcome::Published { commit },
            Err(verdict) => verdict,
        }
    }

    fn find(&mut self, tip: &Tip, commit: &str) -> Result<Option<String>> {
        self.git.find_twin(tip, commit)
    }
}
