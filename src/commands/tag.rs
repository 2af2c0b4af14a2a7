//! `tagbump tag`: computes tags from templates and the current commit.

use super::bump::rival_systems;
use crate::build_info;
use crate::ci::Ci;
use crate::config::Config;
use crate::diagnostics::{CommandError, Error};
use crate::git::Checkout;
use crate::image::Tag;
use crate::object_id::CommitId;
use crate::settings::{TagSettings, WorkLocation};
use crate::tag::{self, TagError, VariableError};
use crate::worktree::Worktree;

/// The output of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagOutput {
    /// The tag to deploy.
    pub first: String,
    /// Tags or full image names, one per line.
    pub lines: String,
    pub notices: Vec<String>,
}

/// Computes the tags.
///
/// # Errors
/// If a template has a variable without a value, or doesn't make a valid tag.
pub fn run(settings: &TagSettings) -> Result<TagOutput, Error> {
    let WorkLocation::Folder(folder) = &settings.place.root else {
        return Err(CommandError::TagWithoutFolder.into());
    };
    let checkout = Checkout::open(folder, &settings.place.environment)?;
    let facts = build_info::tag_facts(&settings.place, checkout.as_ref());
    let mut templates = settings.templates.clone();
    if templates.is_empty() {
        let config = Config::load(&Worktree::open(folder)?)?;
        templates.push(config.tag.unwrap_or_else(|| settings.default_template.clone()));
    }
    let ci = &settings.place.ci;
    let tags = templates.iter().map(|template| tag::compute(template, &facts));
    let tags: Vec<Tag> = tags.collect::<Result<_, _>>().map_err(|error| unfilled(error, ci))?;
    let mut notices = Vec::from_iter(rival_systems(ci));
    let sha = facts.sha.as_deref().unwrap_or_default();
    let request = ci.pipeline().filter(|pipeline| pipeline.request.is_some());
    let is_other = |commit: CommitId| commit.to_string() != sha;
    if request.and_then(|pipeline| pipeline.commit).is_some_and(is_other) && settings.place.source.is_none() {
        notices.push(format!(
            "on pull requests, the commit is the head of the branch ({sha}), not the merge commit"
        ));
    }
    let line = |tag: &Tag| match settings.images.as_slice() {
        [] => format!("{tag}\n"),
        images => images.iter().map(|image| format!("{image}:{tag}\n")).collect(),
    };
    let first = tags.first().map(Tag::to_string).unwrap_or_default();
    Ok(TagOutput { first, lines: tags.iter().map(line).collect(), notices })
}

/// A variable may have no value because the markers of several CI systems are set.
fn unfilled(error: TagError, ci: &Ci) -> Error {
    let no_value = matches!(error, TagError::Variable { error: VariableError::NoValue { .. }, .. });
    match ci.rival_markers() {
        markers if no_value && !markers.is_empty() => CommandError::SeveralSystems { error, markers }.into(),
        _ => error.into(),
    }
}
