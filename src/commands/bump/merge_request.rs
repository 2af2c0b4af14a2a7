//! The end of `--pr` on GitLab: the push made or updated the merge request already, and GitLab printed its address.

use super::Bump;
use super::pull_request::{PrLocation, proposes_others, pull_request_info, warn_of_conflicts};
use super::report::BumpReport;
use crate::cli::AutoMerge;
use crate::decision::Decision;
use crate::diagnostics::Error;
use crate::forge::gitlab::{PushAnswer, merge_request};
use crate::forge::{ForgeBranch, ForgeError};
use crate::landing::Landing;
use crate::landing::remote::GitBranch;
use crate::output::Outcome;
use crate::visible::inline;

impl Bump<'_> {
    /// Reports the merge request of a branch.
    pub(super) fn report_merge_request(
        &self,
        remote: &ForgeBranch,
        landed: Landing<Decision>,
        location: &PrLocation<'_>,
        report: &mut BumpReport,
    ) -> Result<(), Error> {
        let Landing { proposal: decision, commit, attempts, .. } = landed;
        report.is_repeated = commit.is_some() && attempts == 0;
        let git = &remote.git;
        warn_of_conflicts(git, commit, location, report);
        let outcome = match commit {
            Some(commit) => {
                report.commit_url = Some(location.site.commit_url(location.page, commit));
                report.commit = Some(commit);
                note_answer(remote.publisher().printed(), location.head, location.page, report)?;
                self.note_unread_rules(git, report);
                Outcome::Proposed
            }
            None if decision.plan.left > 0 || !git.has_head() => report.outcome(&decision, Outcome::Proposed),
            None => note_unchanged(remote, &decision, location.head, report),
        };
        Ok(report.end(decision, outcome)?)
    }

    /// What push options can't do.
    fn note_unread_rules(&self, git: &GitBranch, report: &mut BumpReport) {
        let pull = &self.settings.delivery.pull;
        if !pull.reviewers.is_empty() && !git.has_head() {
            let names = inline(&pull.reviewers.join(", "));
            report.warnings.push(format!(
                "no review was requested from {names}: GitLab's push options can't set reviewers; use CODEOWNERS or an approval rule"
            ));
        }
        if pull.auto_merge == AutoMerge::Off {
            return;
        }
        report.warnings.push(
            "the merge request stays open: tagbump merges only if the rules of the base require a check or a review, and \
             push options can't read these rules; set it to merge in GitLab"
                .to_owned(),
        );
    }
}

fn note_answer(
    printed: Option<&str>,
    head: &str,
    page: &str,
    report: &mut BumpReport,
) -> Result<(), ForgeError> {
    let Some(printed) = printed else {
        report.notices.push(format!(
            "this run got no answer to a push of {head}, so it has no link to its merge request: GitLab shows the link only in that answer"
        ));
        return Ok(());
    };
    match merge_request(printed, head, page) {
        PushAnswer::Link(pull) => report.pull_request = Some(pull_request_info(pull)),
        PushAnswer::NotMade { why } => return Err(ForgeError::NoMergeRequest { branch: head.to_owned(), why }),
        PushAnswer::Silent => report.warnings.push(format!(
            "GitLab showed no link to a merge request of {head}; check that there is one, and that the project shows links after a push"
        )),
    }
    Ok(())
}

/// The branch has the tag, or the base has it. Push options can't close a merge request.
fn note_unchanged(remote: &ForgeBranch, decision: &Decision, head: &str, report: &mut BumpReport) -> Outcome {
    let git = &remote.git;
    let base = git.branch().unwrap_or_default();
    let base_lacks_it = !decision.pull_request.title.is_empty();
    if git.has_own_head() && proposes_others(git, &decision.plan) {
        report.notices.push(format!("{head} proposes other images too, so its merge request stays open"));
    } else if !base_lacks_it {
        report.notices.push(format!(
            "the change is already on {base}; if {head} still has a merge request, close it by hand: a push can't"
        ));
    }
    if base_lacks_it { Outcome::Proposed } else { Outcome::Already }
}
