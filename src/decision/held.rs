//! The holds of the tree that a decision is made on.
//!
//! They are read again for every tip, so a bump never lands on top of a hold of its image.

use std::collections::HashMap;

use super::base::{DecisionBase, is_on_pr_branch};
use super::context::DecisionContext;
use super::error::DecisionError;
use crate::cli::IfHeld;
use crate::file_selection::HOLDS_PATH;
use crate::history::git::CommitWalk;
use crate::history::{CommitId, CommitStore, ObjectId};
use crate::holds::{Hold, HoldsError, HoldsFile, PlacedHold};
use crate::landing::MAX_SEARCHED_COMMITS;
use crate::output::{SkipReason, SkippedReference};
use crate::plan::{FileSource, Plan, RepositoryFiles, Request};
use crate::visible::inline;

/// The holds that have not ended.
pub(super) struct ActiveHolds<'a> {
    context: &'a DecisionContext<'a>,
    base: DecisionBase<'a>,
    holds: Vec<PlacedHold>,
    /// The file can't be read, and the user wants to write anyway.
    is_unreadable: bool,
}

impl<'a> ActiveHolds<'a> {
    /// Reads the holds of a tree. On the branch of a pull request, those of its base count too.
    ///
    /// # Errors
    /// If they can't be read, unless held references are to be written anyway.
    pub fn load(context: &'a DecisionContext<'a>, base: DecisionBase<'a>) -> Result<Self, HoldsError> {
        let mut active = ActiveHolds { context, base, holds: Vec::new(), is_unreadable: false };
        active.add(base.files())?;
        if let DecisionBase::Tip(tip) = base {
            let target = tip.other_branch.filter(|_| is_on_pr_branch(&tip));
            target.map_or(Ok(()), |(_, files)| active.add(files))?;
        }
        Ok(active)
    }

    /// Adds the holds of a tree; if it is a folder of a repository, also those that the top folder has for it.
    fn add(&mut self, files: &dyn FileSource) -> Result<(), HoldsError> {
        self.add_file(files, Some)?;
        match files.repository() {
            Some(RepositoryFiles { files, folder }) => {
                self.add_file(files.as_ref(), |hold| hold.in_folder(&folder))
            }
            None => Ok(()),
        }
    }

    fn add_file(
        &mut self,
        files: &dyn FileSource,
        here: impl Fn(PlacedHold) -> Option<PlacedHold>,
    ) -> Result<(), HoldsError> {
        let now = self.context.settings.run_context.now;
        match HoldsFile::load(files) {
            Ok(found) => {
                let active = found.holds.into_iter().filter(|placed| !placed.hold.is_over(now));
                self.holds.extend(active.filter_map(here));
            }
            Err(_) if self.is_overridden() => self.is_unreadable = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_overridden(&self) -> bool {
        self.context.settings.if_held == IfHeld::Write
    }

    /// Keeps a plan from changing what is held.
    pub fn limit(&self, request: &mut Request) {
        request.holds = self.holds.iter().map(PlacedHold::held_image).collect();
        request.overrides_holds = self.is_overridden();
    }

    /// The references that a plan left as they are.
    pub fn skipped(&self, plan: &Plan) -> Vec<SkippedReference> {
        if self.is_overridden() {
            return Vec::new();
        }
        let mut details: HashMap<usize, String> = HashMap::new();
        let held = plan.held.iter().filter_map(|reference| {
            let hold = &self.holds.get(reference.nth)?.hold;
            let detail = details.entry(reference.nth).or_insert_with(|| self.detail(hold)).clone();
            Some(SkippedReference {
                file: reference.file.clone(),
                line: reference.line,
                image: reference.image.clone(),
                reason: SkipReason::Held,
                detail: format!("{}{detail}", stays_at(&reference.from)),
            })
        });
        held.collect()
    }

    /// Fails if references are held, and the user wants no bump without them.
    pub fn check_policy(&self, skipped: &[SkippedReference], plan: &Plan) -> Result<(), DecisionError> {
        if skipped.is_empty() || self.context.settings.if_held != IfHeld::Fail {
            return Ok(());
        }
        let references = skipped.iter().map(SkippedReference::to_string).collect();
        Err(DecisionError::Held { references, all: plan.is_empty() })
    }

    /// The holds that a plan doesn't respect, for the commit message: their images, or the file if it can't be read.
    pub fn overridden(&self, plan: &Plan) -> Vec<String> {
        if !self.is_overridden() {
            return Vec::new();
        }
        let held = plan.held.iter().filter_map(|reference| self.holds.get(reference.nth));
        let mut all: Vec<String> = held.map(|placed| placed.hold.image.clone()).collect();
        all.extend(self.is_unreadable.then(|| HOLDS_PATH.to_owned()));
        all.sort();
        all.dedup();
        all
    }

    /// Who holds, until when, why, and the commit of it.
    fn detail(&self, hold: &Hold) -> String {
        let commit = self.commit_of(hold).map(|commit| format!(" (commit {})", commit.short()));
        format!("{hold}{}", commit.unwrap_or_default())
    }

    /// The commit that added a hold, if the available history has it.
    fn commit_of(&self, hold: &Hold) -> Option<CommitId> {
        let checkout = self.context.checkout?;
        let path = checkout.full_path(HOLDS_PATH);
        match self.base {
            DecisionBase::Tip(snapshot) => {
                let commits = snapshot.history.recent(snapshot.deadline, false);
                let base = snapshot.other_branch.map(|(tip, _)| tip.commit);
                let of = |start: CommitId| oldest_with(&*commits, start, &path, hold);
                of(snapshot.tip.commit).or_else(|| of(base?))
            }
            DecisionBase::Head(_) => {
                let (commits, head) = CommitWalk::of_head(checkout).ok()?;
                oldest_with(&commits, head, &path, hold)
            }
        }
    }
}

/// The oldest commit in a line without a gap whose file has an entry.
fn oldest_with(commits: &dyn CommitStore, start: CommitId, path: &str, hold: &Hold) -> Option<CommitId> {
    let (mut at, mut found) = (start, None);
    let mut known: HashMap<ObjectId, bool> = HashMap::new();
    for _ in 0..MAX_SEARCHED_COMMITS {
        let links = commits.links(at).ok()??;
        let file = commits.file(links.tree, path).ok()?;
        let has_entry = file.is_some_and(|file| {
            *known.entry(file).or_insert_with(|| {
                let read = commits.read(file).ok().and_then(|bytes| HoldsFile::parse(bytes).ok());
                read.is_some_and(|read| read.holds.iter().any(|placed| placed.hold == *hold))
            })
        });
        if !has_entry {
            return found;
        }
        found = Some(at);
        let Some(parent) = links.parents.first() else { return found };
        at = *parent;
    }
    None
}

fn stays_at(from: &str) -> String {
    if from.is_empty() { "stays as it is, ".to_owned() } else { format!("stays at {}, ", inline(from)) }
}
