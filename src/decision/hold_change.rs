//! Decides what `hold` and `unhold` do: one edit of the file of holds.

use super::base::is_on_pr_branch;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::plan_facts::PlanFacts;
use super::targets;
use super::{Decision, DecisionBase, PrText};
use crate::config::Config;
use crate::file_selection::{HOLDS_PATH, literal};
use crate::holds::{Hold, HoldQuery, HoldsChange, HoldsFile, edited};
use crate::image::{same_image, short_name};
use crate::landing::message::{hold_message, subject_and_body};
use crate::output::BumpedImage;
use crate::plan::{
    self, CurrentReference, EnvironmentLimit, FileEdit, FileSource, Plan, RepositoryFiles, Request,
    TargetIndex, UpdateTarget,
};
use crate::settings::{HoldAction, HoldOptions};
use crate::tag::VariableError;
use crate::visible::inline;

/// Why a message about a hold has no tag.
const NO_TAG: &str = "a hold sets no tag";

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
    let config = Config::load(base.files())?;
    let request = targets::request(context.settings, &config, &|template| context.computed_tag(template))?;
    facts.images = Some(request.targets.iter().map(image_of).collect());
    let limit = match &options.env {
        Some(_) => request.environments.limit.clone(),
        None => EnvironmentLimit::Everything,
    };
    let environments = config.limited_to(limit);
    let request = Request { cancellation: base.cancellation(), environments, ..request };
    let is_narrowed = request.targets.iter().any(|target| target.scope.within.is_some());
    let places = if matches!(options.action, HoldAction::Hold { .. }) || is_narrowed {
        // a hold of an image that nothing runs would hold nothing
        plan::some_mentions(base.files(), &request)?
    } else {
        Vec::new()
    };
    let edit =
        HoldsEdit { change: change(context, options, &request, &places), now: context.settings.place.now };
    let mut plan = edit.plan(base.files())?;
    if let Some(RepositoryFiles { folder, .. }) = base.files().repository().filter(|_| !plan.is_empty()) {
        plan.warnings.push(format!(
            "{0}/{HOLDS_PATH} is read by bumps in {0} alone; run in the top folder of the repository instead",
            inline(&folder)
        ));
    }
    let text = |plan: &Plan| {
        if plan.is_empty() { Ok(String::new()) } else { message(context, options, &request, base) }
    };
    let message = text(&plan)?;
    let pull_request = match base {
        DecisionBase::Tip(tip) if plan.is_empty() && is_on_pr_branch(&tip) => {
            // the branch has the change already; the text describes it as long as the base lacks it
            let missing = tip.beside.map(|(_, files)| edit.plan(files)).transpose()?.unwrap_or_default();
            pr_text(&text(&missing)?)
        }
        _ => pr_text(&message),
    };
    let notices = match options.action {
        HoldAction::Unhold if plan.is_empty() => not_held(&HoldsFile::load(base.files())?, options, &request),
        _ if plan.is_empty() => Vec::new(),
        _ => notices(options, &request, &left(&plan, &edit)?),
    };
    Ok(Decision { request, plan, message, pull_request, notices, holds: Some(edit), ..Decision::default() })
}

fn image_of(target: &UpdateTarget) -> BumpedImage {
    BumpedImage { name: target.name.clone(), tag: None, digest: None, verified: None }
}

/// The files of a hold. What two selections have in common can't be written as a pattern, so these are the files
/// that set the image.
fn held_files(index: TargetIndex, target: &UpdateTarget, places: &[CurrentReference]) -> Vec<String> {
    if target.scope.within.is_none() {
        return target.scope.texts();
    }
    let mut files: Vec<String> =
        places.iter().filter(|place| place.target == index).map(|place| literal(&place.file)).collect();
    files.sort();
    files.dedup();
    files
}

fn change(
    context: &DecisionContext<'_>,
    options: &HoldOptions,
    request: &Request,
    places: &[CurrentReference],
) -> HoldsChange {
    let targets = TargetIndex::each(&request.targets);
    let typed = &context.settings.places.selection;
    match &options.action {
        HoldAction::Hold { reason, until } => {
            let by = options.by.clone().or_else(|| context.committer.as_ref().map(|who| who.name.clone()));
            let hold = |(index, target): (TargetIndex, &UpdateTarget)| Hold {
                image: target.name.clone(),
                env: options.env.clone(),
                files: held_files(index, target, places),
                reason: reason.clone(),
                until: *until,
                by: by.clone().or_else(|| context.user_name()).unwrap_or_else(|| "unknown".to_owned()),
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
                    held_files(index, target, places)
                },
            };
            HoldsChange::Remove(targets.map(query).collect())
        }
    }
}

/// A name for people: the service, or the last part of the image's name.
fn name(target: &UpdateTarget) -> &str {
    target.service.as_deref().unwrap_or_else(|| short_name(&target.name))
}

fn message(
    context: &DecisionContext<'_>,
    options: &HoldOptions,
    request: &Request,
    base: DecisionBase<'_>,
) -> Result<String, DecisionError> {
    let settings = context.settings;
    let names: Vec<&str> = request.targets.iter().map(name).collect();
    let images: Vec<&str> = request.targets.iter().map(|target| target.name.as_str()).collect();
    let (verb, why) = match &options.action {
        HoldAction::Hold { reason, .. } => ("hold", Some(reason.as_str())),
        HoldAction::Unhold => ("unhold", None),
    };
    let commit = &settings.delivery.commit;
    let skips_ci = match commit.skip_ci {
        Some(asked) => asked,
        None => !base.carries() && context.is_pushed_where_it_was_built(None)?,
    };
    let signoff = context.committer.as_ref().filter(|_| commit.signoff);
    let signoff = signoff.map(|who| format!("{} <{}>", who.name, who.email));
    let text = hold_message(verb, &names, &images, why);
    let text = match &commit.message {
        Some(template) => {
            let filled = template.fill(|variable| match variable.name.as_str() {
                "name" => Ok(names.join(", ")),
                "image" | "images" => Ok(images.join(", ")),
                "files" => Ok(HOLDS_PATH.to_owned()),
                "tag" => Err(VariableError::NoValue { name: "tag", reason: NO_TAG }),
                "old_tag" => Err(VariableError::NoValue { name: "old_tag", reason: NO_TAG }),
                _ => context.build.value(variable),
            });
            let option = "message";
            let template = template.as_str().to_owned();
            filled.map_err(|error| crate::landing::MessageError::Variable { option, template, error })?
        }
        None => text,
    };
    Ok(subject_and_body(&text, skips_ci, signoff.as_deref())?)
}

fn pr_text(message: &str) -> PrText {
    let (title, body) = message.split_once('\n').unwrap_or((message, ""));
    PrText { title: title.to_owned(), body: body.trim().to_owned() }
}

/// How many images a notice lists.
const LISTED: usize = 5;

/// What to say if there was no hold to end. The name may be misspelled, or something else may be held.
fn not_held(file: &HoldsFile, options: &HoldOptions, request: &Request) -> Vec<String> {
    let named = |image: &str, env: Option<&String>| {
        let env = env.map(|env| format!(" in {}", inline(env))).unwrap_or_default();
        format!("{}{env}", inline(image))
    };
    let holds = file.holds.iter().map(|placed| &placed.hold);
    let mut held: Vec<String> = holds.map(|hold| named(&hold.image, hold.env.as_ref())).collect();
    held.sort();
    held.dedup();
    let more = held.len().saturating_sub(LISTED);
    held.truncate(LISTED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let held = if held.is_empty() { String::new() } else { format!("; held: {}{more}", held.join(", ")) };
    let is_narrowed = |target: &UpdateTarget| !target.scope.texts().is_empty();
    let line = |target: &UpdateTarget| {
        let there = if is_narrowed(target) { " in exactly these files" } else { "" };
        format!("{} is not held{there}{held}", named(&target.name, options.env.as_ref()))
    };
    request.targets.iter().map(line).collect()
}

/// The holds of the file that an edit leaves, as far as they aren't over.
fn left(plan: &Plan, edit: &HoldsEdit) -> Result<Vec<Hold>, DecisionError> {
    let Some(written) = plan.edits.iter().find(|written| written.path == HOLDS_PATH) else {
        return Ok(Vec::new());
    };
    let holds = HoldsFile::parse(written.after.clone())?.holds.into_iter().map(|placed| placed.hold);
    Ok(holds.filter(|hold| !hold.is_over(edit.now)).collect())
}

/// Where a hold counts, whose it is, and why.
fn described(hold: &Hold) -> String {
    let env = hold.env.as_ref().map(|env| format!("in {}, ", inline(env))).unwrap_or_default();
    let files = if hold.files.is_empty() {
        String::new()
    } else {
        format!("in {}, ", inline(&hold.files.join(", ")))
    };
    format!("{env}{files}by {}: {}", inline(&hold.by), inline(&hold.reason))
}

/// What an edit means for each image. `left` are the holds that there are afterwards.
fn notices(options: &HoldOptions, request: &Request, left: &[Hold]) -> Vec<String> {
    let there = |target: &UpdateTarget| {
        let env = options.env.as_ref().map(|env| format!(" in {}", inline(env))).unwrap_or_default();
        format!("{}{env}", inline(&target.name))
    };
    let line = |target: &UpdateTarget| match &options.action {
        HoldAction::Hold { until: Some(until), .. } => format!("{} is held until {until}", there(target)),
        HoldAction::Hold { until: None, .. } => format!("{} is held until tagbump unhold", there(target)),
        HoldAction::Unhold => match left.iter().find(|hold| same_image(&hold.image, &target.name)) {
            Some(hold) => {
                format!("this hold of {} has ended; another one stays: {}", there(target), described(hold))
            }
            None => format!("{} is no longer held", inline(&target.name)),
        },
    };
    request.targets.iter().map(line).collect()
}
