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
use crate::tag::{self, BuildInfo, TagError, VariableError};
use crate::template::Template;
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
    let WorkLocation::Folder(folder) = &settings.run_context.root else {
        return Err(CommandError::TagWithoutFolder.into());
    };
    let checkout = Checkout::open(folder, &settings.run_context.environment)?;
    let facts = build_info::tag_facts(&settings.run_context, checkout.as_ref());
    let worktree = Worktree::open(folder)?;
    let files = match &checkout {
        Some(checkout) => checkout.inside(worktree),
        None => worktree,
    };
    let config = Config::load(&files)?;
    let ci = &settings.run_context.ci;
    let tagged: Vec<TaggedImage> =
        tagged(settings, &config, &facts).collect::<Result<_, _>>().map_err(|error| unfilled(error, ci))?;
    let mut notices: Vec<String> = rival_systems(ci).into_iter().chain(Config::unread(&files)).collect();
    let sha = facts.sha.as_deref().unwrap_or_default();
    let request = ci.pipeline().filter(|pipeline| pipeline.request.is_some());
    let is_other = |commit: CommitId| commit.to_string() != sha;
    if request.and_then(|pipeline| pipeline.commit).is_some_and(is_other)
        && settings.run_context.source.is_none()
    {
        notices.push(format!(
            "on pull requests, the commit is the head of the branch ({sha}), not the merge commit"
        ));
    }
    let first = tagged.first().map(|tagged| tagged.tag.to_string()).unwrap_or_default();
    let line = |tagged: &TaggedImage| match &tagged.image {
        Some(image) => format!("{image}:{}\n", tagged.tag),
        None => format!("{}\n", tagged.tag),
    };
    Ok(TagOutput { first, lines: tagged.iter().map(line).collect(), notices })
}

/// A tag, and the image that gets it, if one was named.
struct TaggedImage {
    image: Option<String>,
    tag: Tag,
}

/// Each image with its tag, for one template after the other. A service stands for its image, and has a template of its own.
fn tagged<'a>(
    settings: &'a TagSettings,
    config: &'a Config,
    facts: &'a BuildInfo,
) -> impl Iterator<Item = Result<TaggedImage, TagError>> + 'a {
    let images: Vec<Option<&str>> = match settings.images.as_slice() {
        [] => vec![None],
        images => images.iter().map(|image| Some(image.as_str())).collect(),
    };
    let typed: Vec<Option<&Template>> = match settings.templates.as_slice() {
        [] => vec![None],
        templates => templates.iter().map(Some).collect(),
    };
    typed.into_iter().flat_map(move |typed| {
        images.clone().into_iter().map(move |name| {
            let service = name.and_then(|name| config.service(name));
            let configured = service.and_then(|service| service.tag.as_ref()).or(config.tag.as_ref());
            let template = typed.or(configured).unwrap_or(&settings.default_template);
            let image = name.map(|name| service.map_or(name, |service| &service.image).to_owned());
            Ok(TaggedImage { image, tag: tag::compute(template, facts)? })
        })
    })
}

/// A variable may have no value because the markers of several CI systems are set.
fn unfilled(error: TagError, ci: &Ci) -> Error {
    let no_value = matches!(error, TagError::Variable { error: VariableError::NoValue { .. }, .. });
    match ci.rival_markers() {
        markers if no_value && !markers.is_empty() => CommandError::SeveralSystems { error, markers }.into(),
        _ => error.into(),
    }
}
