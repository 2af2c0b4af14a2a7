//! The branch to land on, or to watch, if the user doesn't name one.

use crate::ci::{Ci, Pipeline};
use crate::decision::same_repository;
use crate::diagnostics::BumpError;
use crate::git::{Checkout, RemoteUrl};
use crate::object_id::CommitId;
use crate::settings::RunContext;
use crate::visible::inline;

/// What the branch depends on.
pub(super) struct BranchChoice<'a> {
    pub run_context: &'a RunContext,
    /// The one that the user names.
    pub named: Option<&'a str>,
    /// The remote's name.
    pub remote: &'a str,
    pub checkout: &'a Checkout,
}

impl BranchChoice<'_> {
    /// The branch. `None` is the remote's default branch; a notice says why it is that one.
    pub fn branch(&self, url: &RemoteUrl, notices: &mut Vec<String>) -> Result<Option<String>, BumpError> {
        let (ci, checkout) = (&self.run_context.ci, self.checkout);
        if let Some(branch) = self.named {
            return Ok(Some(branch.to_owned()));
        }
        check_for_branch(ci)?;
        if let Some(branch) = checkout.branch() {
            return lasting(branch).map(Some);
        }
        if checkout.is_stand_in() {
            return Ok(None);
        }
        let (branch, why) = match ci {
            Ci::Known(pipeline) => self.branch_of_pipeline(pipeline, url)?,
            Ci::Unknown => return Err(BumpError::UnknownCi),
            Ci::None | Ci::Several(_) => (None, String::new()),
        };
        if branch.is_none() {
            notices.push(format!("HEAD is detached{why}: the target is the remote's default branch"));
        }
        branch.map(lasting).transpose()
    }

    /// The branch of a pipeline whose `HEAD` is detached; or none, and why.
    fn branch_of_pipeline(
        &self,
        pipeline: &Pipeline,
        url: &RemoteUrl,
    ) -> Result<(Option<String>, String), BumpError> {
        let (system, checkout) = (pipeline.system, self.checkout);
        let is_same = same_repository(pipeline.repository.as_deref(), url.repository().as_deref());
        let has_commit = |commit: CommitId| checkout.resolve(&commit.to_string()).is_some();
        let is_on =
            |branch: &str| pipeline.commit.is_some_and(|commit| checkout.is_on(self.remote, branch, commit));
        let is_built_here = match (pipeline.commit, &pipeline.repository, &pipeline.branch) {
            // a runner of GitHub always knows the repository's name, but the remote's URL can have another one
            (Some(commit), ..) if !system.is_actions() => is_same || has_commit(commit),
            (_, Some(_), branch) => is_same || branch.as_deref().is_some_and(is_on),
            (_, None, Some(branch)) if checkout.is_head_on(self.remote, branch) => true,
            (_, None, _) => return Err(BumpError::UnclearRepository { system }),
        };
        match (&pipeline.branch, &pipeline.git_tag) {
            _ if !is_built_here => Ok((None, format!(", and {system} builds another repository"))),
            (Some(branch), _) => Ok((Some(branch.clone()), String::new())),
            (None, Some(tag)) => Ok((None, format!(", and this is the build of tag {}", inline(tag)))),
            (None, None) => Err(BumpError::NoPipelineBranch { system }),
        }
    }
}

/// Refuses a branch of GitHub's merge queue, which is deleted with everything on it once the queue has merged. Source: GitHub's
/// "Managing a merge queue", which asks other CI systems to build these branches.
fn lasting(branch: String) -> Result<String, BumpError> {
    match branch.starts_with("gh-readonly-queue/") {
        true => Err(BumpError::MergeQueue { branch }),
        false => Ok(branch),
    }
}

/// Fails for a run that has no branch to land on, even if `HEAD` is on one.
fn check_for_branch(ci: &Ci) -> Result<(), BumpError> {
    match ci {
        Ci::Several(_) => Err(BumpError::SeveralSystems { markers: ci.rival_markers() }),
        Ci::Known(pipeline) => match &pipeline.request {
            Some(event) if pipeline.system.is_actions() => Err(BumpError::NoBranch { event: event.clone() }),
            Some(variable) => {
                Err(BumpError::RequestBuild { system: pipeline.system, variable: variable.clone() })
            }
            None => Ok(()),
        },
        Ci::None | Ci::Unknown => Ok(()),
    }
}
