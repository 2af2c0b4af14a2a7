//! The name of a pull request's branch, and the base that it is named after.

use super::Bump;
use crate::diagnostics::{BumpError, Error};
use crate::git::is_branch_name;
use crate::image::{Field, short_name};
use crate::landing::Backoff;
use crate::landing::remote::{GitBranch, LandingTarget};
use crate::settings::{HoldAction, Operation};

impl Bump<'_> {
    /// The remote's default branch. The pull request's own branch is named after it, and must be another one.
    pub(super) fn default_branch(
        &self,
        target: LandingTarget,
        backoff: &mut Backoff<'_>,
    ) -> Result<String, Error> {
        let tokens = &self.settings.delivery.landing.tokens;
        let mut remote = GitBranch::new(self.checkout()?, target, tokens)?;
        let timed_out = |problem: String| Error::from(BumpError::BaseUnknown { problem });
        backoff.retry(timed_out, |backoff| {
            remote.tip(backoff.deadline()).map_err(|error| error.map(Error::from))
        })?;
        Ok(remote.branch().unwrap_or_default().to_owned())
    }

    /// The pull request's branch, by its template.
    pub(super) fn head_branch(&self, base: &str) -> Result<String, BumpError> {
        let filled = self.settings.delivery.pull.branch.fill(|variable| match variable.name.as_str() {
            "base" => Ok(base.to_owned()),
            "name" => Ok(self.name_of_change()),
            _ => self.build.value(variable),
        });
        let filled = filled.map_err(BumpError::BranchTemplate)?;
        let branch: String = filled.chars().map(|c| if is_invalid(c) { '-' } else { c }).collect();
        if !is_branch_name(&branch) || branch.starts_with('-') || branch == base {
            return Err(BumpError::BadHeadBranch { branch });
        }
        Ok(branch)
    }

    /// The images; for a hold or a promotion, with the command before them, because their bumps have a branch of their own.
    fn name_of_change(&self) -> String {
        let command = match &self.settings.operation {
            Operation::Bump | Operation::Rollback(_) => None,
            Operation::Promotion(options) => Some(format!("promote-{}", options.env)),
            Operation::HoldChange(options) => Some(match options.action {
                HoldAction::Hold { .. } => "hold".to_owned(),
                HoldAction::Unhold => "unhold".to_owned(),
            }),
        };
        command.as_deref().into_iter().chain(self.short_names()).collect::<Vec<_>>().join("-")
    }

    fn short_names(&self) -> Vec<&str> {
        let images = self.settings.images.iter();
        let names = images.map(|image| match &image.new_name {
            Field::Set(new) => short_name(new),
            Field::Unspecified | Field::Keep => short_name(&image.name),
        });
        names.collect()
    }
}

/// Characters that git doesn't accept in branch names, and the `:` and `*` of image names.
fn is_invalid(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ":*?[\\^~@{}".contains(c)
}
