//! The wording of a hold, and of its end: the commit message, the pull request, and the notices.

use super::context::DecisionContext;
use super::error::DecisionError;
use super::{DecisionBase, PrText};
use crate::file_selection::HOLDS_PATH;
use crate::holds::{Hold, HoldsFile};
use crate::image::{same_image, short_name};
use crate::landing::message::{hold_message, subject_and_body};
use crate::plan::{Request, UpdateTarget};
use crate::settings::{HoldAction, HoldOptions};
use crate::tag::VariableError;
use crate::visible::inline;

/// Why a message about a hold has no tag.
const NO_TAG: &str = "a hold sets no tag";

/// How many images a notice lists.
const LISTED: usize = 5;

/// A name for people: the service, or the last part of the image's name.
fn name(target: &UpdateTarget) -> &str {
    target.service.as_deref().unwrap_or_else(|| short_name(&target.name))
}

/// The commit message.
pub(super) fn message(
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

/// The title and body of a pull request with this commit message.
pub(super) fn pr_text(message: &str) -> PrText {
    let (title, body) = message.split_once('\n').unwrap_or((message, ""));
    PrText { title: title.to_owned(), body: body.trim().to_owned() }
}

/// What to say if there was no hold to end. The name may be misspelled, or something else may be held.
pub(super) fn not_held(file: &HoldsFile, options: &HoldOptions, request: &Request) -> Vec<String> {
    let holds = file.holds.iter().map(|placed| &placed.hold);
    let mut held: Vec<String> = holds.map(|hold| image_in(&hold.image, hold.env.as_ref())).collect();
    held.sort();
    held.dedup();
    let more = held.len().saturating_sub(LISTED);
    held.truncate(LISTED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let held = if held.is_empty() { String::new() } else { format!("; held: {}{more}", held.join(", ")) };
    let is_narrowed = |target: &UpdateTarget| !target.scope.texts().is_empty();
    let line = |target: &UpdateTarget| {
        let files = if is_narrowed(target) { " in exactly these files" } else { "" };
        format!("{} is not held{files}{held}", image_in(&target.name, options.env.as_ref()))
    };
    request.targets.iter().map(line).collect()
}

/// An image, and the environment in which it is held.
fn image_in(image: &str, env: Option<&String>) -> String {
    let env = env.map(|env| format!(" in {}", inline(env))).unwrap_or_default();
    format!("{}{env}", inline(image))
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

/// What an edit means for each image. `remaining` are the holds that the edit leaves.
pub(super) fn notices(options: &HoldOptions, request: &Request, remaining: &[Hold]) -> Vec<String> {
    let image = |target: &UpdateTarget| image_in(&target.name, options.env.as_ref());
    let line = |target: &UpdateTarget| match &options.action {
        HoldAction::Hold { until: Some(until), .. } => format!("{} is held until {until}", image(target)),
        HoldAction::Hold { until: None, .. } => format!("{} is held until tagbump unhold", image(target)),
        HoldAction::Unhold => match remaining.iter().find(|hold| same_image(&hold.image, &target.name)) {
            Some(hold) => {
                format!("this hold of {} has ended; another one stays: {}", image(target), described(hold))
            }
            None => format!("{} is no longer held", inline(&target.name)),
        },
    };
    request.targets.iter().map(line).collect()
}
