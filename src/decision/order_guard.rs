//! The order guard: an older build never replaces a newer one.
//!
//! For each reference that a bump would change, it compares two commits: the one that our image was built from, and the one that the
//! current tag was built from. If ours is the older one, the reference keeps its tag. If the order is unknown, the reference is
//! set, and a notice says why.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::build_orders::BuildOrders;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::freshness::{Freshness, FreshnessCheck};
use super::plan_facts::PlanFacts;
use super::registry_check::RegistryCheck;
use super::request_origin::RequestOrigin;
use super::target_sources::TargetSources;
use super::writers::{WriterLookup, WriterSearch};
use crate::cli::IfOlder;
use crate::config::Config;
use crate::landing::{BuildOrder, ProvenCommit, RolledBack, Tip, TipSnapshot};
use crate::output::{SkipReason, SkippedReference};
use crate::plan::{ChangedReference, Plan, PlanError, Request, SkipReference, TargetIndex};
use crate::visible::inline;

/// A plan without the references that must keep their tag.
#[derive(Default)]
pub(super) struct GuardedPlan {
    pub plan: Plan,
    /// The references that keep their tag.
    pub skipped: Vec<SkippedReference>,
    /// Which references are set although their builds have no known order, and why.
    pub notices: Vec<String>,
    /// Tags that were rolled back and stay blocked, though another tag is set now; by the plan's targets.
    pub still_blocked: Vec<(TargetIndex, RolledBack)>,
    /// The commits that set the tags which are replaced, on the branch and on the other one of a pull request.
    pub writers: Vec<(ChangedReference, ProvenCommit)>,
}

impl GuardedPlan {
    /// A plan whose references are all set.
    pub fn of_plan(plan: Plan) -> Self {
        GuardedPlan { plan, ..GuardedPlan::default() }
    }
}

pub(super) struct OrderGuard<'a> {
    pub context: &'a DecisionContext<'a>,
    pub config: &'a Config,
    pub tip: TipSnapshot<'a>,
    pub request: &'a Request,
    pub origin: &'a RequestOrigin<'a>,
}

impl<'a> OrderGuard<'a> {
    /// Plans the bump, then plans it again without the references that must keep their tag.
    pub fn plan_in_order(
        &self,
        known_orders: &mut HashMap<(String, String), BuildOrder>,
        registry: &mut RegistryCheck<'_>,
        facts: &mut PlanFacts,
    ) -> Result<GuardedPlan, DecisionError> {
        let plan = registry.verified(facts.plan(self.tip.files, self.request)?)?;
        let settings = self.context.settings;
        if self.origin.rollback().is_some() || (plan.is_empty() && self.tip.other_branch.is_none()) {
            return Ok(GuardedPlan::of_plan(plan));
        }
        let orders = BuildOrders::new(self.context, self.tip, known_orders);
        let sources = TargetSources {
            context: self.context,
            config: self.config,
            by_labels: &registry.sources,
            origin: self.origin,
        };
        let mut check = FreshnessCheck { sources, orders };
        if settings.delivery.landing.if_older == IfOlder::Write {
            let writers = self.lookup(self.tip.tip, &plan.changes)?.available_writers();
            let still_blocked = check.still_blocked(&plan, &writers);
            return Ok(GuardedPlan { still_blocked, writers, ..GuardedPlan::of_plan(plan) });
        }
        let verdicts = self.compare_all(&plan, &mut check, facts)?;
        // with a second branch the last plan was the one for that: plan again, so that the facts are those of this plan
        let plan = if verdicts.skip.is_empty() && self.tip.other_branch.is_none() {
            plan
        } else {
            let request = Request { skip: verdicts.skip.clone(), ..self.request.clone() };
            facts.plan(self.tip.files, &request)?
        };
        let still_blocked = check.still_blocked(&plan, &verdicts.writers);
        Ok(verdicts.guarded(plan, still_blocked))
    }

    /// Compares with what the tip runs, and with what the other branch of a pull request runs.
    fn compare_all(
        &self,
        plan: &Plan,
        check: &mut FreshnessCheck<'_, '_>,
        facts: &mut PlanFacts,
    ) -> Result<GuardVerdicts, DecisionError> {
        let mut verdicts = GuardVerdicts::default();
        let mut writers = self.lookup(self.tip.tip, &plan.changes)?;
        for (nth, change) in plan.changes.iter().enumerate() {
            self.check_time()?;
            let (freshness, writer) = check.freshness(&mut writers, nth, plan);
            verdicts.writers.extend(writer.map(|writer| (change.clone(), writer)));
            verdicts.add(change, freshness, true);
        }
        let Some((tip, files)) = self.tip.other_branch else { return Ok(verdicts) };
        // a branch that allows no plan runs nothing newer
        let other = facts.plan(files, self.request).unwrap_or_default();
        let mut writers = self.lookup(tip, &other.changes)?;
        for (nth, change) in other.changes.iter().enumerate() {
            self.check_time()?;
            let (freshness, writer) = check.freshness(&mut writers, nth, &other);
            verdicts.writers_on_other_branch.extend(writer.map(|writer| (change.clone(), writer)));
            verdicts.add(change, freshness, false);
        }
        Ok(verdicts)
    }

    fn lookup<'c>(
        &'c self,
        tip: &'c Tip,
        changes: &'c [ChangedReference],
    ) -> Result<WriterLookup<'c>, DecisionError> {
        let prefix = self.context.checkout()?.prefix();
        let (snapshot, request) = (self.tip, self.request);
        Ok(WriterLookup::new(WriterSearch { snapshot, tip, prefix, request, changes }))
    }

    /// A plan may have many thousand changes, and each may need to read the history.
    fn check_time(&self) -> Result<(), PlanError> {
        if Instant::now() < self.tip.deadline { Ok(()) } else { Err(PlanError::Cancelled) }
    }
}

/// What the comparisons found.
#[derive(Default)]
struct GuardVerdicts {
    skip: Vec<SkipReference>,
    superseded: BTreeSet<SkippedReference>,
    /// About references whose builds have no known order.
    unordered: BTreeSet<String>,
    /// The commits that set the current tags on the branch that the bump is made on.
    writers: Vec<(ChangedReference, ProvenCommit)>,
    /// Those on the other branch of a pull request.
    writers_on_other_branch: Vec<(ChangedReference, ProvenCommit)>,
}

impl GuardVerdicts {
    /// `on_tip`: on the branch that the bump is made on. A reference of the other branch may have another tag there.
    fn add(&mut self, change: &ChangedReference, freshness: Freshness, on_tip: bool) {
        let ChangedReference { file, line, target, .. } = change;
        let (image, current) = (inline(&change.image), inline(&change.from));
        match freshness {
            Freshness::Current => {}
            Freshness::SameCommit(sha) => {
                let to = inline(&change.to);
                self.unordered.insert(format!(
                    "{image}: {current} and {to} were built from the same commit, {sha}: the one that lands last wins"
                ));
            }
            Freshness::Older(why) => {
                let from = on_tip.then(|| change.from.clone());
                self.skip.push(SkipReference { target: *target, file: file.clone(), from });
                self.superseded.insert(SkippedReference {
                    file: file.clone(),
                    line: *line,
                    image: change.image.clone(),
                    reason: SkipReason::Superseded,
                    detail: format!("stays at {current}, {why}"),
                });
            }
            Freshness::Unknown(why) => {
                self.unordered.insert(format!("{image}: can't determine whether {current} is newer: {why}"));
            }
        }
    }

    fn guarded(self, plan: Plan, still_blocked: Vec<(TargetIndex, RolledBack)>) -> GuardedPlan {
        // a pull request that proposes something newer stays, even if the base needs nothing from us
        let left = plan.left.max(if plan.is_empty() { self.skip.len() } else { 0 });
        let notices = self.unordered.into_iter().filter(|_| !plan.edits.is_empty()).collect();
        let skipped = self.superseded.into_iter().collect();
        // a reference that is the same on both counts as the branch's own
        let writers = self.writers_on_other_branch.into_iter().chain(self.writers).collect();
        GuardedPlan { plan: Plan { left, ..plan }, skipped, notices, still_blocked, writers }
    }
}
