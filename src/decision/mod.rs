//! Decides what a bump does: from the files of a tip and the options to one value.
//!
//! [`decide`] is the only way in, for edits, local commits, pushes, pull requests and rollbacks alike. It changes no file and no
//! branch. The landing loop calls it again for every new tip; what must not change from one call to the next is in
//! [`DecisionMemory`], which the caller passes in.
//!
//! `reference_change` decides a bump, a rollback or a promotion, in these steps; `hold_change` decides a `hold` or `unhold`.
//!
//! 1. `request_origin`: which images are set, and to which tag. `targets` reads what was typed, and `tag_origin` where a tag comes
//!    from; `rollback` finds the previous one, and `promotion` the one of another environment.
//! 2. `order_guard`: plans, and keeps the references that run a newer build. `freshness` compares a build with the current one,
//!    `writers` finds the commit that set a tag, `build_orders` orders two commits. `source_forges` asks about another repository's.
//!    `held` keeps what someone holds, and `registry_check` asks whether the images are there.
//! 3. `change_origins`: which commits the change includes, for the texts; `included_commits` says for which images.
//! 4. `wording` and `pr_text`: the commit message, and the title and body of a pull request.

mod base;
mod build_orders;
mod change_origins;
mod commits_between;
mod context;
mod error;
mod freshness;
mod held;
mod hold_change;
mod hold_wording;
mod included_commits;
mod order_guard;
mod plan_facts;
mod pr_text;
mod promotion;
mod reference_change;
mod registry_check;
mod request_origin;
mod rollback;
mod source_forges;
mod still_blocked;
mod tag_and_digest;
mod tag_origin;
mod target_sources;
mod targets;
mod wording;
mod writers;

use std::collections::HashMap;
use std::time::Duration;

use crate::landing::{BuildOrder, Proposal, RequestText};
use crate::output::{ChangeOrigin, Promotion, Secret, SkippedReference};
use crate::plan::{self, FileSource, Plan, Request};
use crate::settings::Operation;
use change_origins::KnownRanges;
use registry_check::RegistryMemory;
use rollback::RollbackPlan;

pub use base::DecisionBase;
pub use context::{DecisionContext, forge_kind, same_repository};
pub use error::DecisionError;
pub use hold_change::HoldsEdit;
pub use plan_facts::PlanFacts;
pub use pr_text::PrText;
pub use promotion::PromotionError;
pub use rollback::{RollbackError, SearchedHistory};
pub use targets::{TargetError, environment_limit, lookup_request};

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
    /// The commit that the user gave as the source, if its repository is unknown, so that no trailer records it.
    pub unrecorded_source: Option<String>,
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
    commits: KnownCommits,
    /// The warnings about files outside of the folder.
    outside: Option<Vec<String>>,
    /// The registries' answers about the images, so that each is asked once.
    registries: RegistryMemory,
}

/// What was found out about commits, so that no server is asked twice.
#[derive(Debug, Default)]
struct KnownCommits {
    /// The order of each pair.
    orders: HashMap<(String, String), BuildOrder>,
    /// The commits between two.
    ranges: KnownRanges,
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

/// What a decision reports even if it fails.
#[derive(Default)]
struct Findings {
    facts: PlanFacts,
    skipped: Vec<SkippedReference>,
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
    let mut findings = Findings::default();
    let decided = match &context.settings.operation {
        Operation::HoldChange(options) => hold_change::decide(context, base, options, &mut findings.facts),
        _ => reference_change::decide(context, base, memory, &mut findings),
    };
    let secrets = memory.registries.secrets();
    let Findings { facts, skipped } = findings;
    match decided {
        Ok(decision) => Ok(Decision { secrets, skipped, facts, ..decision }),
        Err(error) => Err(Box::new(Undecided { error, secrets, skipped, facts })),
    }
}
