//! Publishes commits by GitHub's API, which makes commits of its own and signs them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::commit::{BranchMove, Branches, CommitSpec, ExpectedRef};
use super::error::GitHubError;
use super::graphql::GraphQl;
use crate::forge::ForgeError;
use crate::http::HttpSettings;
use crate::landing::remote::{GitBranch, Publisher, RefUpdate, Verification};
use crate::landing::{Proposal, PublishOutcome, Tip};
use crate::object_id::CommitId;
use crate::plan::FileEdit;

/// GitHub accepts about 40 MB in one request, and base64 turns 3 bytes into 4.
const MAX_FILES: usize = 28 * 1000 * 1000;

/// How long the cleanup may take beyond the budget.
const TIDY: Duration = Duration::from_secs(10);

/// The mode of a plain file, the only one that GitHub's API gives to a file.
const PLAIN: i32 = 0o100_644;

/// Commits on the branches of a repository on GitHub.
pub struct GitHubCommits {
    branches: Branches,
    /// The commits to be made, by the IDs of those that git made. GitHub makes its own of them.
    prepared: HashMap<CommitId, CommitSpec>,
    /// Of the last commit that was made.
    verification: Option<Verification>,
}

impl GitHubCommits {
    /// `graphql` is the address of the GraphQL API, `repository` is `owner/name`.
    ///
    /// # Errors
    /// If the address or the token is not valid.
    pub fn new(
        http: &HttpSettings,
        graphql: &str,
        token: &str,
        repository: &str,
    ) -> Result<Self, ForgeError> {
        let branches = Branches::new(GraphQl::new(http, graphql, token)?, repository);
        Ok(GitHubCommits { branches, prepared: HashMap::new(), verification: None })
    }

    fn commit_on(
        &mut self,
        branch: &str,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<CommitId, PublishOutcome<ForgeError>> {
        let made = self.branches.commit(deadline, branch, wanted)?;
        self.verification = Some(made.verification);
        Ok(made.id)
    }

    /// The new commit replaces those of the branch. It is made on a temporary branch first: if the branch itself were reset to its base in
    /// between, GitHub would close its pull request.
    fn replace_branch(
        &mut self,
        branch: &str,
        tip: CommitId,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<CommitId, PublishOutcome<ForgeError>> {
        let temporary = format!("tagbump-aside/{:016x}", fastrand::u64(..));
        let made = self.commit_on_temporary_branch(&temporary, branch, tip, wanted, deadline);
        if made.is_err() {
            // no one else knows this branch, so it is deleted in any case. If that fails too, it is left behind
            let gone = BranchMove { branch: &temporary, from: ExpectedRef::Anything, to: None };
            let _ = self.branches.moves(deadline.max(Instant::now() + TIDY), &[gone]);
        }
        made
    }

    fn commit_on_temporary_branch(
        &mut self,
        temporary: &str,
        branch: &str,
        tip: CommitId,
        wanted: &CommitSpec,
        deadline: Instant,
    ) -> Result<CommitId, PublishOutcome<ForgeError>> {
        let start = BranchMove { branch: temporary, from: ExpectedRef::Nothing, to: Some(wanted.parent) };
        self.branches.moves(deadline, &[start])?;
        let made = self.commit_on(temporary, wanted, deadline)?;
        let put = BranchMove { branch, from: ExpectedRef::At(tip), to: Some(made) };
        let gone = BranchMove { branch: temporary, from: ExpectedRef::At(made), to: None };
        self.branches.moves(deadline, &[put, gone]).map(|()| made)
    }

    fn try_publish(
        &mut self,
        git: &GitBranch,
        commit: CommitId,
        deadline: Instant,
    ) -> Result<CommitId, PublishOutcome<ForgeError>> {
        let update = git.ref_update(commit);
        if update == RefUpdate::UpToDate {
            return Ok(commit);
        }
        let unprepared = || PublishOutcome::Refused(GitHubError::NotPrepared { commit }.into());
        let wanted = self.prepared.get(&commit).cloned().ok_or_else(unprepared)?;
        match update {
            RefUpdate::UpToDate => Ok(commit),
            RefUpdate::FastForward { branch } => self.commit_on(&branch, &wanted, deadline),
            RefUpdate::Create { branch } => {
                let start =
                    BranchMove { branch: &branch, from: ExpectedRef::Nothing, to: Some(wanted.parent) };
                self.branches.moves(deadline, &[start])?;
                let made = self.commit_on(&branch, &wanted, deadline);
                if let Err(PublishOutcome::Refused(_) | PublishOutcome::RejectedUnclear { .. }) = made {
                    // a branch without a commit is useless
                    let gone = BranchMove { branch: &branch, from: ExpectedRef::At(wanted.parent), to: None };
                    let _ = self.branches.moves(deadline.max(Instant::now() + TIDY), &[gone]);
                }
                made
            }
            RefUpdate::Replace { branch, tip } => self.replace_branch(&branch, tip, &wanted, deadline),
        }
    }
}

impl Publisher<ForgeError> for GitHubCommits {
    fn prepare(
        &mut self,
        git: &GitBranch,
        tip: &Tip,
        commit: CommitId,
        proposal: &dyn Proposal,
    ) -> Result<(), ForgeError> {
        let files =
            proposal.plan().edits.iter().map(|edit| file(git, tip, edit)).collect::<Result<Vec<_>, _>>()?;
        if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_FILES {
            return Err(GitHubError::FilesTooLarge.into());
        }
        let spec = CommitSpec { parent: tip.commit, message: proposal.message().to_owned(), files };
        self.prepared.insert(commit, spec);
        Ok(())
    }

    fn publish(
        &mut self,
        git: &GitBranch,
        commit: CommitId,
        deadline: Instant,
    ) -> PublishOutcome<ForgeError> {
        match self.try_publish(git, commit, deadline) {
            Ok(commit) => PublishOutcome::Published { commit },
            Err(outcome) => outcome,
        }
    }

    fn find(&self, git: &GitBranch, tip: &Tip, commit: CommitId) -> Result<Option<CommitId>, ForgeError> {
        Ok(git.find_equivalent(tip, commit)?)
    }

    fn makes_own_commits(&self) -> bool {
        true
    }

    fn verification(&self, commit: CommitId, deadline: Instant) -> Verification {
        self.verification.clone().unwrap_or_else(|| self.branches.verification(deadline, commit))
    }
}

/// A changed file as the API wants it: its path below the repository's top, and all its bytes.
fn file(git: &GitBranch, tip: &Tip, edit: &FileEdit) -> Result<(String, Vec<u8>), ForgeError> {
    let (path, mode) = git.file_mode(tip.commit, &edit.path)?;
    match mode {
        // a new file gets the same mode
        Some(PLAIN) | None => Ok((path, edit.after.clone())),
        Some(mode) => Err(GitHubError::FileMode { path: edit.path.clone(), mode }.into()),
    }
}
