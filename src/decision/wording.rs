//! The parts of the commit message about the built commit and about rollbacks.

use super::brought::brought;
use super::context::{DecisionContext, same_repository};
use super::error::DecisionError;
use super::registry_check::LabelSources;
use super::rollback::RollbackPlan;
use super::targets;
use crate::config::Config;
use crate::git::Identity;
use crate::landing::message::MessageParts;
use crate::landing::{BroughtCommits, RolledBack};
use crate::output::ChangeOrigin;
use crate::plan::{Plan, TargetIndex};
use crate::settings::Destination;
use crate::tag::Source;
use crate::template::Template;

/// Everything that the message of a plan is made from.
pub(super) struct Wording<'a> {
    pub context: &'a DecisionContext<'a>,
    pub config: &'a Config,
    pub committer: &'a Identity,
    pub by_labels: &'a LabelSources,
    pub rollback: Option<&'a RollbackPlan>,
    /// Tags that stay blocked, by the plan's targets.
    pub still_blocked: &'a [(TargetIndex, RolledBack)],
}

impl Wording<'_> {
    /// The commit message; empty if there is nothing to commit.
    pub fn message(&self, plan: &Plan, origins: &[ChangeOrigin]) -> Result<String, DecisionError> {
        if plan.is_empty() {
            return Ok(String::new());
        }
        let template = targets::message(self.context.settings, self.config, plan);
        // a list of commits is for people who review a pull request, not for those who read the log
        let brought =
            brought(plan, origins).into_iter().map(|brought| BroughtCommits { range: None, ..brought });
        Ok(MessageParts { brought: brought.collect(), ..self.parts(template, plan)? }.message(plan)?)
    }

    /// The same with the commits that it brings, for a pull request.
    pub fn detailed_message(&self, plan: &Plan, origins: &[ChangeOrigin]) -> Result<String, DecisionError> {
        let template = targets::message(self.context.settings, self.config, plan);
        Ok(MessageParts { brought: brought(plan, origins), ..self.parts(template, plan)? }.message(plan)?)
    }

    /// The text of a template that was given with `flag`. The mark `[skip ci]` is for commits only.
    pub fn filled(
        &self,
        flag: &'static str,
        template: &Template,
        plan: &Plan,
    ) -> Result<String, DecisionError> {
        let parts = self.parts(Some(template), plan)?;
        Ok(MessageParts { skip_ci: false, ..parts }.text_of(flag, plan)?)
    }

    fn parts<'a>(
        &'a self,
        template: Option<&'a Template>,
        plan: &Plan,
    ) -> Result<MessageParts<'a>, DecisionError> {
        let (context, committer) = (self.context, self.committer);
        let source = match self.rollback {
            Some(rollback) => {
                rollback.source.clone().map(|source| context.with_repository(source)).transpose()?
            }
            None => {
                let tagged = plan.targets.iter().find(|target| target.tag.is_some());
                context.source_of_target(self.config, tagged, self.by_labels)?
            }
        };
        let commit = &context.settings.delivery.commit;
        Ok(MessageParts {
            template,
            facts: context.build,
            brought: Vec::new(),
            skip_ci: match commit.skip_ci {
                Some(asked) => asked,
                // CI hasn't run on the commits that are pushed along
                None => !context.carries && self.is_pushed_where_it_was_built(source.as_ref())?,
            },
            source: source.filter(|source| source.repository.is_some()).map(|source| source.to_string()),
            rolled_back: match self.rollback {
                Some(rollback) => rollback.rolled_back.clone(),
                None => self.still_blocked.to_vec(),
            },
            signoff: commit.signoff.then(|| format!("{} <{}>", committer.name, committer.email)),
            prefix: context.checkout()?.prefix(),
        })
    }

    /// Whether CI would only build the same again. Without a source, the checkout was built.
    fn is_pushed_where_it_was_built(&self, source: Option<&Source>) -> Result<bool, DecisionError> {
        let settings = self.context.settings;
        let built = source.and_then(|s| s.repository.as_deref());
        let Some(built) = built.or(settings.place.ci.repository()) else { return Ok(true) };
        let checkout = self.context.checkout()?;
        let remote = &settings.delivery.landing.remote;
        if settings.delivery.destination == Destination::LocalCommit && !checkout.has_remote(remote) {
            return Ok(true);
        }
        let (_, target) = checkout.remote(remote)?;
        Ok(same_repository(Some(built), target.repository().as_deref()))
    }
}
