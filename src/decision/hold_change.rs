//! Decides what `hold` and `unhold` do: one edit of the file of holds.

use super::base::is_on_pr_branch;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::hold_wording::{message, not_held, notices, pr_text};
use super::plan_facts::PlanFacts;
use super::targets;
use super::{Decision, DecisionBase};
use crate::config::Config;
use crate::file_selection::{HOLDS_PATH, literal};
use crate::holds::{Hold, HoldQuery, HoldsChange, HoldsFile, edited};
use crate::output::BumpedImage;
use crate::plan::{
    self, CurrentReference, EnvironmentLimit, FileEdit, FileSource, Plan, RepositoryFiles, Request,
    TargetIndex, UpdateTarget,
};
use crate::settings::{HoldAction, HoldOptions};
use crate::visible::inline;

/// A change of the holds, which can be made in several versions of the file.
#[derive(Clone, Debug)]
pub struct HoldsEdit {
    change: HoldsChange,
    /// In seconds since the epoch.
    now: i64,
}

impl HoldsEdit {
    /// The edit of the file as a tree has it.
    ///
    /// # Errors
    /// If the file can't be read, or not be edited in place.
    pub fn plan(&self, files: &dyn FileSource) -> Result<Plan, DecisionError> {
        let file = HoldsFile::load(files)?;
        let after = edited(&file, &self.change, self.now)?;
        let before = file.bytes.unwrap_or_default();
        let edit = after.map(|after| FileEdit { path: HOLDS_PATH.to_owned(), before, after });
        Ok(Plan { edits: edit.into_iter().collect(), ..Plan::default() })
    }
}

/// Decides a hold, or the end of one.
pub(super) fn decide(
    context: &DecisionContext<'_>,
    base: DecisionBase<'_>,
    options: &HoldOptions,
    facts: &mut PlanFacts,
) -> Result<Decision, DecisionError> {
    let request = request(context, base, options)?;
    facts.images = Some(request.targets.iter().map(image_of).collect());
    let is_narrowed = request.targets.iter().any(|target| target.scope.within.is_some());
    let references = if matches!(options.action, HoldAction::Hold { .. }) || is_narrowed {
        // a hold of an image that nothing runs would hold nothing
        plan::matching_references(base.files(), &request)?
    } else {
        Vec::new()
    };
    let change = change(context, options, &request, &references);
    let edit = HoldsEdit { change, now: context.settings.run_context.now };
    let mut plan = edit.plan(base.files())?;
    plan.warnings.extend(folder_warning(base.files()).filter(|_| !plan.is_empty()));
    let message_of = |plan: &Plan| {
        if plan.is_empty() { Ok(String::new()) } else { message(context, options, &request, base) }
    };
    let message = message_of(&plan)?;
    let pull_request = match base {
        DecisionBase::Tip(tip) if plan.is_empty() && is_on_pr_branch(&tip) => {
            // the branch has the change already; the text describes it as long as the base lacks it
            let missing =
                tip.other_branch.map(|(_, files)| edit.plan(files)).transpose()?.unwrap_or_default();
            pr_text(&message_of(&missing)?)
        }
        _ => pr_text(&message),
    };
    let notices = match options.action {
        HoldAction::Unhold if plan.is_empty() => not_held(&HoldsFile::load(base.files())?, options, &request),
        _ if plan.is_empty() => Vec::new(),
        _ => notices(options, &request, &remaining_holds(&plan, &edit)?),
    };
    Ok(Decision { request, plan, message, pull_request, notices, holds: Some(edit), ..Decision::default() })
}

/// The images that are held or released. An environment limits them only if it is named.
fn request(
    context: &DecisionContext<'_>,
    base: DecisionBase<'_>,
    options: &HoldOptions,
) -> Result<Request, DecisionError> {
    let config = Config::load(base.files())?;
    let request = targets::request(context.settings, &config, &|template| context.computed_tag(template))?;
    let limit = match &options.env {
        Some(_) => request.environments.limit.clone(),
        None => EnvironmentLimit::Everything,
    };
    let environments = config.limited_to(limit);
    Ok(Request { cancellation: base.cancellation(), environments, ..request })
}

/// The warning that bumps elsewhere in the repository don't read the holds of a folder.
fn folder_warning(files: &dyn FileSource) -> Option<String> {
    let RepositoryFiles { folder, .. } = files.repository()?;
    Some(format!(
        "{0}/{HOLDS_PATH} is read by bumps in {0} alone; run in the top folder of the repository instead",
        inline(&folder)
    ))
}

fn image_of(target: &UpdateTarget) -> BumpedImage {
    BumpedImage { name: target.name.clone(), tag: None, digest: None, verified: None }
}

/// The files of a hold. What two selections have in common can't be written as a pattern, so these are the files
/// that set the image.
fn held_files(index: TargetIndex, target: &UpdateTarget, references: &[CurrentReference]) -> Vec<String> {
    if target.scope.within.is_none() {
        return target.scope.texts();
    }
    let mut files: Vec<String> =
        references.iter().filter(|found| found.target == index).map(|found| literal(&found.file)).collect();
    files.sort();
    files.dedup();
    files
}

fn change(
    context: &DecisionContext<'_>,
    options: &HoldOptions,
    request: &Request,
    references: &[CurrentReference],
) -> HoldsChange {
    let targets = TargetIndex::each(&request.targets);
    let typed = &context.settings.references.selection;
    match &options.action {
        HoldAction::Hold { reason, until } => {
            let by = options.by.clone().or_else(|| context.user_name());
            let hold = |(index, target): (TargetIndex, &UpdateTarget)| Hold {
                image: target.name.clone(),
                env: options.env.clone(),
                files: held_files(index, target, references),
                reason: reason.clone(),
                until: *until,
                by: by.clone().unwrap_or_else(|| "unknown".to_owned()),
            };
            HoldsChange::Add(targets.map(hold).collect())
        }
        HoldAction::Unhold => {
            let query = |(index, target): (TargetIndex, &UpdateTarget)| HoldQuery {
                image: target.name.clone(),
                env: options.env.clone(),
                files: if typed.is_everything() && target.service.is_none() {
                    Vec::new()
                } else {
                    held_files(index, target, references)
                },
            };
            HoldsChange::Remove(targets.map(query).collect())
        }
    }
}

/// The holds that an edit leaves in the file and that aren't over.
fn remaining_holds(plan: &Plan, edit: &HoldsEdit) -> Result<Vec<Hold>, DecisionError> {
    let Some(written) = plan.edits.iter().find(|written| written.path == HOLDS_PATH) else {
        return Ok(Vec::new());
    };
    let holds = HoldsFile::parse(written.after.clone())?.holds.into_iter().map(|placed| placed.hold);
    Ok(holds.filter(|hold| !hold.is_over(edit.now)).collect())
}
