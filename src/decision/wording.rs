//! The parts of the commit message about the built commit and about rollbacks.

use std::collections::BTreeMap;

use super::error::DecisionError;
use super::included_commits::included_commits;
use super::promotion::PromotionPlan;
use super::target_sources::TargetSources;
use super::targets;
use crate::git::Identity;
use crate::landing::message::{MessageParts, SubjectVerb};
use crate::landing::{IncludedCommits, RolledBack};
use crate::output::ChangeOrigin;
use crate::plan::{Plan, TargetIndex};
use crate::tag::Source;
use crate::template::Template;

/// Everything that the message of a plan is made from.
pub(super) struct Wording<'a> {
    pub sources: TargetSources<'a>,
    pub committer: &'a Identity,
    /// Commits of the checkout go below the bump.
    pub carries: bool,
    /// Tags that stay blocked, by the plan's targets.
    pub still_blocked: &'a [(TargetIndex, RolledBack)],
    /// The holds that the plan doesn't respect.
    pub overridden: &'a [String],
}

impl Wording<'_> {
    /// The commit message; empty if there is nothing to commit.
    pub fn message(&self, plan: &Plan, origins: &[ChangeOrigin]) -> Result<String, DecisionError> {
        if plan.is_empty() {
            return Ok(String::new());
        }
        let template = targets::message(self.sources.context.settings, self.sources.config, plan);
        // a list of commits is for people who review a pull request, not for those who read the log
        let without_list = |included| IncludedCommits { range: None, ..included };
        let included = included_commits(plan, origins).into_iter().map(without_list).collect();
        Ok(MessageParts { included, ..self.parts(template, plan)? }.message(plan)?)
    }

    /// The same with the commits that it includes, for a pull request.
    pub fn detailed_message(&self, plan: &Plan, origins: &[ChangeOrigin]) -> Result<String, DecisionError> {
        let template = targets::message(self.sources.context.settings, self.sources.config, plan);
        Ok(MessageParts { included: included_commits(plan, origins), ..self.parts(template, plan)? }
            .message(plan)?)
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
        let (TargetSources { context, origin, .. }, committer) = (self.sources, self.committer);
        let sources = self.image_sources(plan)?;
        let commit = &context.settings.delivery.commit;
        Ok(MessageParts {
            template,
            facts: context.build,
            verb: if origin.rollback().is_some() { SubjectVerb::RollBack } else { SubjectVerb::Update },
            included: Vec::new(),
            skip_ci: match commit.skip_ci {
                Some(asked) => asked,
                // CI hasn't run on the commits that are pushed along
                None => !self.carries && self.is_pushed_where_it_was_built(&sources)?,
            },
            sources: sources.into_iter().filter(|(_, source)| source.repository.is_some()).collect(),
            promoted_from: origin.promotion().and_then(PromotionPlan::trailer),
            rolled_back: match origin.rollback() {
                Some(rollback) => rollback.rolled_back.clone(),
                None => self.still_blocked.to_vec(),
            },
            overridden_holds: self.overridden.to_vec(),
            signoff: commit.signoff.then(|| format!("{} <{}>", committer.name, committer.email)),
            prefix: context.checkout()?.prefix(),
        })
    }

    /// The source of each target. Their tags can name different commits.
    fn image_sources(&self, plan: &Plan) -> Result<BTreeMap<TargetIndex, Source>, DecisionError> {
        let mut sources = BTreeMap::new();
        for (index, _) in TargetIndex::each(&plan.targets) {
            sources.extend(self.sources.of(index, &plan.targets)?.map(|source| (index, source)));
        }
        Ok(sources)
    }

    /// Whether CI would only build the same again.
    fn is_pushed_where_it_was_built(
        &self,
        sources: &BTreeMap<TargetIndex, Source>,
    ) -> Result<bool, DecisionError> {
        let context = self.sources.context;
        if sources.is_empty() {
            return context.is_pushed_where_it_was_built(None);
        }
        let mut each = sources.values().map(|source| context.is_pushed_where_it_was_built(Some(source)));
        each.try_fold(true, |all, is_same| Ok(all && is_same?))
    }
}
