//! Decides what a bump does: from the files of a tip and the options to one value.
//!
//! [`decide`] is the only way in, for edits, local commits, pushes, pull requests and rollbacks alike. It changes no file and no
//! branch. The landing loop calls it again for every new tip; what must not change from one call to the next is in
//! [`DecisionMemory`], which the caller passes in.
//!
//! 1. `targets`: which images are set, and to which tag; `tag_origin` is where a tag comes from, `rollback` finds the previous one,
//!    and `promotion` the one of another environment.
//! 2. `order_guard`: plans, and keeps the references that run a newer build. `freshness` compares a build with the current one,
//!    `writers` finds the commit that set a tag, `build_orders` orders two commits. `source_forges` asks about another repository's.
//!    `held` keeps what someone holds; `hold_change` decides a `hold` or `unhold`, `hold_wording` words it.
//! 3. `change_origins`: which commits the change includes, for the texts; `brought` says for which images.
//! 4. `wording` and `pr_text`: the commit message, and the title and body of a pull request.

mod base;
mod brought;
mod build_orders;
mod change_origins;
mod commits_between;
mod context;
mod error;
mod freshness;
mod held;
mod hold_change;
mod hold_wording;
mod order_guard;
mod plan_facts;
mod pr_text;
mod promotion;
mod registry_check;
mod rollback;
mod source_forges;
mod still_blocked;
mod tag_and_digest;
mod tag_origin;
mod target_sources;
mod targets;
mod wording;
mod writers;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::cli::IfHeld;
use crate::config::Config;
use crate::landing::{BuildOrder, Proposal, RequestText};
use crate::output::{ChangeOrigin, CommitCount, Promotion, PromotionRow, Secret, SkippedReference};
use crate::plan::{self, Cancellation, FileSource, Plan, Request, TargetIndex};
use crate::settings::Operation;
use change_origins::{KnownRanges, OriginSearch};
use held::ActiveHolds;
use order_guard::{GuardedPlan, OrderGuard};
use promotion::PromotionPlan;
use registry_check::{RegistryCheck, RegistryMemory};
use rollback::RollbackPlan;
use target_sources::TargetSources;
use wording::Wording;

pub use base::DecisionBase;
pub use context::{DecisionContext, forge_kind, same_repository};
pub use error::DecisionError;
pub use hold_change::HoldsEdit;
pub use plan_facts::PlanFacts;
pub use pr_text::PrText;
pub use promotion::PromotionError;
pub use rollback::{RollbackError, SearchedHistory};
pub use targets::{TargetError, environment_limit, lookup_request};

/// How long to look at the files outside of a folder. A landing must not fail because of a warning.
const LOOK_OUTSIDE: Duration = Duration::from_secs(2);

/// What a bump does on top of one tip.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    pub request: Request,
    pub plan: Plan,
    /// Where the plan's changes come from, in their order.
    pub origins: Vec<ChangeOrigin>,
    /// The commit message. Empty if the plan is, or if no commit is made.
    pub message: String,
    /// Empty if the branch and its base need no change, or if no pull request is made.
    pub pull_request: PrText,
    /// The references that keep their tag.
    pub skipped: Vec<SkippedReference>,
    /// What a promotion found.
    pub promotion: Option<Promotion>,
    /// References that are set although the order of the builds is unknown.
    pub notices: Vec<String>,
    /// The edit of a `hold` or `unhold`, whose plan this is.
    pub holds: Option<HoldsEdit>,
    /// How long registries were waited for.
    pub waited: Duration,
    /// What registries were sent or sent back, and must stay secret.
    pub secrets: Vec<Secret>,
    pub facts: PlanFacts,
}

/// There is no decision; the report shows what the last plan found.
#[derive(Debug)]
pub struct Undecided {
    pub error: DecisionError,
    pub secrets: Vec<Secret>,
    /// As in [`Decision::skipped`].
    pub skipped: Vec<SkippedReference>,
    pub facts: PlanFacts,
}

/// What stays the same when the landing loop decides again on a new tip.
#[derive(Debug, Default)]
pub struct DecisionMemory {
    /// What a rollback found on the first tip: it never rolls back a change that someone else pushed in the meantime.
    rollback: Option<RollbackPlan>,
    /// The order of each pair of commits that is known, so that no server is asked twice.
    orders: HashMap<(String, String), BuildOrder>,
    /// The commits between two, so that no forge is asked twice.
    ranges: KnownRanges,
    /// The warnings about files outside of the folder.
    outside: Option<Vec<String>>,
    /// What the registries said about the images, so that each is asked once.
    registries: RegistryMemory,
}

impl Decision {
    /// The same change, planned on other files. `None` if that isn't possible.
    pub fn plan_again(&self, files: &dyn FileSource) -> Option<Plan> {
        match &self.holds {
            Some(edit) => edit.plan(files).ok(),
            None => plan::plan(files, &self.request).plan.ok(),
        }
    }
}

impl Proposal for Decision {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn message(&self) -> &str {
        &self.message
    }

    fn request(&self) -> RequestText<'_> {
        RequestText { title: &self.pull_request.title, body: &self.pull_request.body }
    }

    fn waited(&self) -> Duration {
        self.waited
    }
}

/// Decides what a bump does on top of `base`.
///
/// # Errors
/// If the configuration, the options or the files don't allow a plan, or if the message can't be made.
pub fn decide(
    context: &DecisionContext<'_>,
    base: DecisionBase<'_>,
    memory: &mut DecisionMemory,
) -> Result<Decision, Box<Undecided>> {
    let mut facts = PlanFacts::default();
    let mut skipped = Vec::new();
    let decided = match &context.settings.operation {
        Operation::HoldChange(options) => hold_change::decide(context, base, options, &mut facts),
        _ => decide_noting(context, base, memory, (&mut facts, &mut skipped)),
    };
    let secrets = memory.registries.secrets();
    match decided {
        Ok(decision) => Ok(Decision { secrets, skipped, facts, ..decision }),
        Err(error) => Err(Box::new(Undecided { error, secrets, skipped, facts })),
    }
}

fn decide_noting(
    context: &DecisionContext<'_>,
    base: DecisionBase<'_>,
    memory: &mut DecisionMemory,
    (facts, skipped): (&mut PlanFacts, &mut Vec<SkippedReference>),
) -> Result<Decision, DecisionError> {
    let config = Config::load(base.files())?;
    let mut registry = RegistryCheck::new(context, &config, &mut memory.registries);
    let base = base.postponed(registry.longest_wait());
    let holds = ActiveHolds::load(context, base)?;
    let (mut request, promotion) = request(context, &config, base, &mut memory.rollback)?;
    if let Some(promotion) = promotion.as_ref().filter(|_| request.targets.is_empty()) {
        facts.images = Some(promotion.soaking_images());
        skipped.extend(promotion.soaking.iter().cloned());
        return Ok(decide_nothing(context, promotion));
    }
    let earlier = match &promotion {
        Some(promotion) => Some(promotion.sources.as_slice()),
        None => memory.rollback.as_ref().map(|rollback| rollback.sources.as_slice()),
    };
    holds.limit(&mut request);
    registry.pin(&mut request)?;
    let guarded = match base {
        DecisionBase::Head(files) => {
            registry.verified(facts.plan(files, &request)?).map(GuardedPlan::of_plan)
        }
        DecisionBase::Tip(tip) => {
            let guard = OrderGuard { context, config: &config, tip, request: &request, earlier };
            guard.plan_in_order(&mut memory.orders, &mut registry, facts)
        }
    };
    let outside = memory.outside.get_or_insert_with(|| warnings_about_outside(base.files(), &request));
    registry.mark(facts.images.as_deref_mut().unwrap_or_default());
    let GuardedPlan { mut plan, skipped: older, mut notices, still_blocked, writers } = guarded?;
    let rollback = memory.rollback.as_ref();
    plan.warnings.extend(outside.iter().cloned());
    note_origin_of_tags(promotion.as_ref(), rollback, &mut plan, skipped);
    let held = note_held(&holds, &mut plan, skipped);
    skipped.extend(older);
    if !held.is_empty() && context.settings.if_held == IfHeld::Fail {
        return Err(held::refusal(&held, &plan));
    }
    plan.warnings.extend(registry.warnings);
    notices.extend(registry.notices);
    let waited = registry.waited;
    let by_labels = registry.sources;
    let sources = TargetSources { context, config: &config, by_labels: &by_labels, earlier };
    let mut search = OriginSearch {
        sources,
        rollback,
        tip: base.tip(),
        writers: &writers,
        orders: &memory.orders,
        ranges: &mut memory.ranges,
        notices: BTreeSet::new(),
    };
    let origins = search.of_plan(&plan);
    notices.extend(std::mem::take(&mut search.notices));
    let between = |target| search.commits_between(&plan, &origins, target);
    let reported = promotion.as_ref().map(|promotion| report(context, promotion, &between));
    let decision =
        Decision { request, plan, origins, promotion: reported, notices, waited, ..Decision::default() };
    let Some(committer) = &context.committer else { return Ok(decision) };
    let wording = Wording {
        sources,
        committer,
        carries: base.carries(),
        rollback,
        promotion: promotion.as_ref(),
        still_blocked: &still_blocked,
        overridden: &holds.overridden(&decision.plan),
    };
    let message = wording.message(&decision.plan, &decision.origins)?;
    let pull_request = wording.pull_request(base, &decision, &mut search, facts)?;
    Ok(Decision { message, pull_request, ..decision })
}

/// The warnings about files outside of the folder. A landing that is tried again has no time to look for them again.
fn warnings_about_outside(files: &dyn FileSource, request: &Request) -> Vec<String> {
    let deadline = Instant::now() + LOOK_OUTSIDE;
    let cancellation = Cancellation::when(move || Instant::now() >= deadline);
    Config::unread(files).into_iter().chain(plan::overridden_outside(files, request, &cancellation)).collect()
}

/// Notes what was found where the tags come from: in another environment, or in the past.
fn note_origin_of_tags(
    promotion: Option<&PromotionPlan>,
    rollback: Option<&RollbackPlan>,
    plan: &mut Plan,
    skipped: &mut Vec<SkippedReference>,
) {
    if let Some(promotion) = promotion {
        plan.warnings.extend(promotion.warnings.iter().cloned());
        plan.notices.extend(promotion.notices.iter().cloned());
        skipped.extend(promotion.soaking.iter().cloned());
    }
    plan.warnings.extend(rollback.iter().flat_map(|rollback| rollback.warnings.iter().cloned()));
}

/// Notes the references that a hold keeps, and returns them.
fn note_held(
    holds: &ActiveHolds,
    plan: &mut Plan,
    skipped: &mut Vec<SkippedReference>,
) -> Vec<SkippedReference> {
    let held = holds.skipped(plan);
    plan.warnings.extend(held.iter().map(SkippedReference::to_string));
    skipped.extend(held.iter().cloned());
    held
}

/// Which images are set, and to what.
fn request(
    context: &DecisionContext<'_>,
    config: &Config,
    base: DecisionBase<'_>,
    known: &mut Option<RollbackPlan>,
) -> Result<(Request, Option<PromotionPlan>), DecisionError> {
    let request = targets::request(context.settings, config, &|template| context.computed_tag(template))?;
    let repository_url = context.repository_url();
    let request = Request { cancellation: base.cancellation(), repository_url, ..request };
    match &context.settings.operation {
        Operation::Rollback(options) => {
            Ok((rollback::request(context, config, base, (*options, request), known)?, None))
        }
        Operation::Promotion(options) => {
            let (request, promotion) = promotion::request(context, config, base, (options, request))?;
            Ok((request, Some(promotion)))
        }
        Operation::Bump | Operation::HoldChange(_) => Ok((request, None)),
    }
}

/// The decision if nothing has soaked.
fn decide_nothing(context: &DecisionContext<'_>, promotion: &PromotionPlan) -> Decision {
    let PromotionPlan { warnings, notices, .. } = promotion;
    let plan = Plan { warnings: warnings.clone(), notices: notices.clone(), ..Plan::default() };
    let promotion = Some(report(context, promotion, &|_| None));
    Decision { plan, promotion, ..Decision::default() }
}

/// A promotion as it is reported; `between` counts the commits of a target.
fn report(
    context: &DecisionContext<'_>,
    promotion: &PromotionPlan,
    between: &dyn Fn(TargetIndex) -> Option<CommitCount>,
) -> Promotion {
    let row = |(target, row): &(Option<TargetIndex>, PromotionRow)| PromotionRow {
        commits: target.and_then(between),
        ..row.clone()
    };
    let env = context.settings.places.env.clone().unwrap_or_default();
    Promotion { env, from: promotion.from.clone(), rows: promotion.rows.iter().map(row).collect() }
}
