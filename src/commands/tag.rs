//! `tagbump tag`: computes tags from templates and the current commit.

use crate::build_info;
use crate::config::Config;
use crate::diagnostics::{CommandError, Error};
use crate::git::Checkout;
use crate::image::Tag;
use crate::settings::{TagSettings, WorkLocation};
use crate::tag;
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
    let tags: Vec<Tag> = templates.iter().map(|t| tag::compute(t, &facts)).collect::<Result<_, _>>()?;
    let mut notices = Vec::new();
    if settings.place.run.is_pull_request() && settings.place.source.is_none() {
        let sha = facts.sha.as_deref().unwrap_or_default();
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
