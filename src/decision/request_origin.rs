//! Makes the request of a plan: the typed images, with the tags that a rollback or a promotion finds for them.

use super::base::DecisionBase;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::promotion::{PromotionPlan, PromotionSearch};
use super::rollback::{RollbackPlan, RollbackSearch};
use super::targets;
use crate::config::Config;
use crate::output::SkippedReference;
use crate::plan::{Plan, Request};
use crate::settings::Operation;
use crate::tag::Source;

/// What a request's tags were taken from.
pub(super) enum RequestOrigin<'a> {
    /// The command line, the configuration or the build.
    Typed,
    /// The history.
    Rollback(&'a RollbackPlan),
    /// Another environment.
    Promotion(PromotionPlan),
}

/// The images that are set, and to what. `known` is the rollback that was determined on the first tip.
pub(super) fn request<'m>(
    context: &DecisionContext<'_>,
    config: &Config,
    base: DecisionBase<'_>,
    known: &'m mut Option<RollbackPlan>,
) -> Result<(Request, RequestOrigin<'m>), DecisionError> {
    let typed = targets::request(context.settings, config, &|template| context.computed_tag(template))?;
    let repository_url = context.repository_url();
    let typed = Request { cancellation: base.cancellation(), repository_url, ..typed };
    match &context.settings.operation {
        Operation::Bump | Operation::HoldChange(_) => Ok((typed, RequestOrigin::Typed)),
        Operation::Rollback(options) => {
            let search = RollbackSearch::new(context, config, base, *options);
            let (request, plan) = search.request(typed, known)?;
            Ok((request, RequestOrigin::Rollback(plan)))
        }
        Operation::Promotion(options) => {
            let search = PromotionSearch::new(context, config, base, options);
            let (request, plan) = search.request(&typed)?;
            Ok((request, RequestOrigin::Promotion(plan)))
        }
    }
}

impl RequestOrigin<'_> {
    pub fn rollback(&self) -> Option<&RollbackPlan> {
        match self {
            RequestOrigin::Rollback(plan) => Some(plan),
            RequestOrigin::Typed | RequestOrigin::Promotion(_) => None,
        }
    }

    pub fn promotion(&self) -> Option<&PromotionPlan> {
        match self {
            RequestOrigin::Promotion(plan) => Some(plan),
            RequestOrigin::Typed | RequestOrigin::Rollback(_) => None,
        }
    }

    /// If the targets get earlier tags: the commits that those were built from, in the order of the targets. The build that
    /// runs this says nothing about them.
    pub fn earlier_sources(&self) -> Option<&[Option<Source>]> {
        match self {
            RequestOrigin::Typed => None,
            RequestOrigin::Rollback(plan) => Some(&plan.sources),
            RequestOrigin::Promotion(plan) => Some(&plan.sources),
        }
    }

    /// Adds to a plan what was found while looking for the tags, and to `skipped` the references that wait for a soak.
    pub fn note(&self, plan: &mut Plan, skipped: &mut Vec<SkippedReference>) {
        match self {
            RequestOrigin::Typed => {}
            RequestOrigin::Rollback(rollback) => plan.warnings.extend(rollback.warnings.iter().cloned()),
            RequestOrigin::Promotion(promotion) => {
                plan.warnings.extend(promotion.warnings.iter().cloned());
                plan.notices.extend(promotion.notices.iter().cloned());
                skipped.extend(promotion.soaking.iter().cloned());
            }
        }
    }
}
