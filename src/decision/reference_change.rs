//! Decides what a bump, a rollback or a promotion does: which references are set, and the texts about them.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::base::DecisionBase;
use super::change_origins::OriginSearch;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::held::ActiveHolds;
use super::order_guard::{GuardedPlan, OrderGuard};
use super::plan_facts::PlanFacts;
use super::promotion::PromotionPlan;
use super::registry_check::{LabelSources, RegistryCheck};
use super::request_origin::{self, RequestOrigin};
use super::target_sources::TargetSources;
use super::wording::Wording;
use super::{Decision, DecisionMemory, Findings, KnownCommits};
use crate::config::Config;
use crate::image::same_image;
use crate::landing::BuildOrder;
use crate::output::{SkipReason, SkippedReference};
use crate::plan::{self, Cancellation, FileSource, Plan, Request, TargetIndex};

/// How long to look at the files outside of the folder. A landing must not fail because of a warning.
const LOOK_OUTSIDE: Duration = Duration::from_secs(2);

/// Decides a bump, a rollback or a promotion.
pub(super) fn decide(
    context: &DecisionContext<'_>,
    base: DecisionBase<'_>,
    memory: &mut DecisionMemory,
    findings: &mut Findings,
) -> Result<Decision, DecisionError> {
    let config = Config::load(base.files())?;
    let mut registry = RegistryCheck::new(context, &config, &mut memory.registries);
    let base = base.postponed(registry.longest_wait());
    let holds = ActiveHolds::load(context, base)?;
    let (mut request, origin) = request_origin::request(context, &config, base, &mut memory.rollback)?;
    if let Some(promotion) = origin.promotion().filter(|_| request.targets.is_empty()) {
        return Ok(nothing_soaked(promotion, &origin, findings));
    }
    holds.limit(&mut request);
    registry.pin(&mut request)?;
    let change = ReferenceChange { context, config: &config, base, origin: &origin, holds: &holds };
    let guarded = change.plan(&request, &mut memory.commits.orders, &mut registry, &mut findings.facts);
    let outside = memory.outside.get_or_insert_with(|| warnings_about_outside(base.files(), &request));
    registry.mark(findings.facts.images.as_deref_mut().unwrap_or_default());
    let mut guarded = guarded?;
    guarded.plan.warnings.extend(outside.iter().cloned());
    origin.note(&mut guarded.plan, &mut findings.skipped);
    note_skipped(&holds, &mut guarded, &mut findings.skipped)?;
    guarded.plan.warnings.extend(registry.warnings);
    guarded.notices.extend(registry.notices);
    let planned = PlannedChange { request, guarded, by_labels: registry.sources, waited: registry.waited };
    change.describe(planned, &mut memory.commits, findings)
}

/// The decision if nothing that could be promoted has run long enough.
fn nothing_soaked(
    promotion: &PromotionPlan,
    origin: &RequestOrigin<'_>,
    findings: &mut Findings,
) -> Decision {
    findings.facts.images = Some(promotion.soaking_images());
    let mut plan = Plan::default();
    origin.note(&mut plan, &mut findings.skipped);
    Decision { plan, promotion: Some(promotion.reported(&|_| None, &|_| None)), ..Decision::default() }
}

/// The warnings about files outside of the folder. A landing that is tried again has no time to look for them again.
fn warnings_about_outside(files: &dyn FileSource, request: &Request) -> Vec<String> {
    let deadline = Instant::now() + LOOK_OUTSIDE;
    let cancellation = Cancellation::when(move || Instant::now() >= deadline);
    Config::unread(files).into_iter().chain(plan::overridden_outside(files, request, &cancellation)).collect()
}

/// Notes the references that keep their tag, because they are held or run a newer build.
///
/// # Errors
/// If some are held, and the user wants no bump without them.
fn note_skipped(
    holds: &ActiveHolds<'_>,
    guarded: &mut GuardedPlan,
    skipped: &mut Vec<SkippedReference>,
) -> Result<(), DecisionError> {
    let held = holds.skipped(&guarded.plan);
    guarded.plan.warnings.extend(held.iter().map(SkippedReference::to_string));
    skipped.extend(held.iter().cloned());
    skipped.append(&mut guarded.skipped);
    holds.check_policy(&held, &guarded.plan)
}

/// Why all references of a target keep their tags, if the plan changes none of them.
fn reason_to_stay(plan: &Plan, skipped: &[SkippedReference], target: TargetIndex) -> Option<SkipReason> {
    if plan.changes.iter().any(|change| change.target == target) {
        return None;
    }
    let name = &target.of(&plan.targets)?.name;
    skipped.iter().find(|one| same_image(&one.image, name)).map(|one| one.reason)
}

/// A change of references, before its plan is made.
struct ReferenceChange<'a> {
    context: &'a DecisionContext<'a>,
    config: &'a Config,
    base: DecisionBase<'a>,
    origin: &'a RequestOrigin<'a>,
    holds: &'a ActiveHolds<'a>,
}

/// The same with its plan, and with what the registries say.
struct PlannedChange {
    request: Request,
    guarded: GuardedPlan,
    by_labels: LabelSources,
    /// How long registries were waited for.
    waited: Duration,
}

/// Said of a promotion in the checkout, whose history may lack what the remote branch has.
const NOT_GUARDED: &str = "the order guard works on the remote branch: in the checkout, a promotion also replaces a newer tag, and \
     sets one that was rolled back";

impl ReferenceChange<'_> {
    /// Plans, and verifies the images. On a remote branch, the order guard keeps newer builds.
    fn plan(
        &self,
        request: &Request,
        orders: &mut HashMap<(String, String), BuildOrder>,
        registry: &mut RegistryCheck<'_>,
        facts: &mut PlanFacts,
    ) -> Result<GuardedPlan, DecisionError> {
        let ReferenceChange { context, config, origin, .. } = *self;
        match self.base {
            DecisionBase::Head(files) => {
                let plan = registry.verified(facts.plan(files, request)?)?;
                let is_unguarded = origin.promotion().is_some() && !plan.is_empty();
                let notices = is_unguarded.then(|| NOT_GUARDED.to_owned()).into_iter().collect();
                Ok(GuardedPlan { notices, ..GuardedPlan::of_plan(plan) })
            }
            DecisionBase::Tip(tip) => {
                let guard = OrderGuard { context, config, tip, request, origin };
                guard.plan_in_order(orders, registry, facts)
            }
        }
    }

    /// Adds where the changes come from, and the texts about them.
    fn describe(
        &self,
        planned: PlannedChange,
        commits: &mut KnownCommits,
        findings: &mut Findings,
    ) -> Result<Decision, DecisionError> {
        let ReferenceChange { context, config, base, origin, holds } = *self;
        let PlannedChange { request, guarded, by_labels, waited } = planned;
        let GuardedPlan { plan, mut notices, still_blocked, writers, .. } = guarded;
        let sources = TargetSources { context, config, by_labels: &by_labels, origin };
        let mut search = OriginSearch {
            sources,
            tip: base.tip(),
            writers: &writers,
            orders: &commits.orders,
            ranges: &mut commits.ranges,
            notices: BTreeSet::new(),
        };
        let origins = search.of_plan(&plan);
        notices.extend(std::mem::take(&mut search.notices));
        let between = |target| search.commits_between(&plan, &origins, target);
        let stays = |target| reason_to_stay(&plan, &findings.skipped, target);
        let promotion = origin.promotion().map(|promotion| promotion.reported(&between, &stays));
        let decision = Decision { request, plan, origins, promotion, notices, waited, ..Decision::default() };
        let Some(committer) = &context.committer else { return Ok(decision) };
        let wording = Wording {
            sources,
            committer,
            carries: base.carries(),
            still_blocked: &still_blocked,
            overridden: &holds.overridden(&decision.plan),
        };
        let message = wording.message(&decision.plan, &decision.origins)?;
        let pull_request = wording.pull_request(base, &decision, &mut search, &mut findings.facts)?;
        let unrecorded_source = self.unrecorded_source(&decision.plan, &by_labels)?;
        Ok(Decision { message, pull_request, unrecorded_source, ..decision })
    }

    /// The commit that the user gave as the source, if no trailer records it.
    fn unrecorded_source(
        &self,
        plan: &Plan,
        by_labels: &LabelSources,
    ) -> Result<Option<String>, DecisionError> {
        if plan.is_empty() || self.context.settings.run_context.source.is_none() {
            return Ok(None);
        }
        let source = self.context.source_of_target(self.config, None, by_labels)?;
        Ok(source.filter(|source| source.repository.is_none()).map(|source| source.sha))
    }
}
