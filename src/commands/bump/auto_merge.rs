//! Implements `--auto-merge`: the forge merges the pull request once the rules of its base branch are met. Whatever
//! stands in the way is a warning, and the pull request stays open.

use super::Bump;
use super::report::BumpReport;
use crate::cli::AutoMerge;
use crate::environment::Environment;
use crate::forge::{AutoMergeState, Forge, MergeMethod, PullRequest, PullRequestSpec, ScheduledMerge};
use crate::landing::Backoff;
use crate::landing::remote::GitBranch;
use crate::object_id::CommitId;

/// A pull request that has just been opened or updated.
pub(super) struct OpenPull<'a> {
    pub spec: &'a PullRequestSpec<'a>,
    pub pull: &'a PullRequest,
    pub commit: CommitId,
    pub git: &'a GitBranch,
}

impl Bump<'_> {
    /// Has a pull request merged, if the user wants that.
    pub(super) fn merge_when_ready(
        &self,
        forge: &dyn Forge,
        backoff: &mut Backoff<'_>,
        open: &OpenPull<'_>,
        report: &mut BumpReport,
    ) {
        let Some(method) = method(self.settings.delivery.pull.auto_merge) else { return };
        let url = &open.pull.url;
        if open.git.has_head() && !open.git.has_own_head() {
            report.warnings.push(format!(
                "{url} stays open: {} has commits besides this bump's, so a person must merge it",
                open.spec.head
            ));
            return;
        }
        let merge = ScheduledMerge { number: open.pull.number, head: open.commit, method };
        match forge.auto_merge(backoff, open.spec, merge) {
            Ok(AutoMergeState::Enabled { is_new, warning }) => {
                report.is_repeated &= !is_new;
                report.warnings.extend(warning);
                report.notices.extend(job_token_notice(open.git, &self.settings.run_context.environment));
                if let Some(pull) = &mut report.pull_request {
                    pull.auto_merge = true;
                }
            }
            Ok(AutoMergeState::NotEnabled { why }) => {
                report.warnings.push(format!("{url} stays open, because {why}; merge it by hand"));
            }
            Err(error) => report.warnings.push(format!(
                "{url} stays open, because auto-merge was refused: {error}; check the repository's merge settings and the token's permissions"
            )),
        }
    }
}

/// `None` if nothing is to be merged; the method is `None` for the repository's own.
fn method(wanted: AutoMerge) -> Option<Option<MergeMethod>> {
    match wanted {
        AutoMerge::Off => None,
        AutoMerge::On => Some(None),
        AutoMerge::Squash => Some(Some(MergeMethod::Squash)),
        AutoMerge::Merge => Some(Some(MergeMethod::Merge)),
        AutoMerge::Rebase => Some(Some(MergeMethod::Rebase)),
    }
}

/// What a job's own token does starts no workflows. actions/checkout may have left it in git's configuration.
fn job_token_notice(git: &GitBranch, environment: &Environment) -> Option<String> {
    let token = git.api_token()?;
    let is_it = |name: &&str| environment.get(name).is_some_and(|value| value.trim() == token);
    let name = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find(is_it)?;
    Some(format!("the merge starts no workflows, because {name} makes it; use an App's token if it should"))
}
