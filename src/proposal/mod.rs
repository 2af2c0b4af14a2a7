//! What `tagbump init` proposes: a `tagbump.yaml` made of the references that were found, and a workflow.
//!
//! Pure: a listing in, text out. `sorting` groups references by image and tells which are left out, `environment`
//! and `origin` read paths and names, `services` and `names` make services of them, `template` guesses how tags
//! are made, `config_text` and `workflow` write.

mod config_text;
mod environment;
mod names;
mod origin;
mod services;
mod sorting;
mod template;
pub mod workflow;

use crate::config::Config;
use crate::error::{Failure, Result};
use crate::plan::Listing;
use config_text::Content;
use names::TakenNames;
use sorting::{Deployed, sorted};

/// A `tagbump.yaml` that is not written yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConfig {
    pub text: String,
    /// A service in it, or an image where it has none, to be named in examples.
    pub example: Option<String>,
}

/// Makes a configuration of what was found; nothing where no reference can be edited.
///
/// # Errors
/// Exit 1 where the text is no configuration, which is a fault of this program or of a repository that is
/// beyond what a configuration can say.
pub fn config(listing: &Listing, path: &str) -> Result<Option<NewConfig>> {
    let sorted = sorted(listing);
    if sorted.images.is_empty() {
        return Ok(None);
    }
    let (others, own): (Vec<_>, Vec<_>) = sorted.images.iter().partition(|d| origin::is_of_others(d.image));
    let mut taken = TakenNames::default();
    let content = Content {
        template: template::guess(own.iter().flat_map(|image| tags(image))),
        own: services::of(&own, &mut taken),
        others: services::of(&others, &mut taken),
        left: sorted.left,
        overridden: sorted.overridden,
    };
    let text = content.text();
    check(&content, path, &text)?;
    Ok(Some(NewConfig { example: content.example().map(str::to_owned), text }))
}

fn tags<'a>(image: &Deployed<'a>) -> impl Iterator<Item = &'a str> {
    let all: Vec<_> = image.places.values().flatten().copied().collect();
    all.into_iter().filter_map(|reference| reference.tag.as_deref())
}

/// Nothing is shown that tagbump would not read as it is meant.
fn check(content: &Content<'_>, path: &str, text: &str) -> Result<()> {
    let config = Config::parse(path, text.as_bytes());
    let config = config.map_err(|e| Failure::other(format!("no {path} can be made of this: {e}")))?;
    let own = || content.own.iter().flatten();
    let same = own().all(|s| config.service(&s.name).is_some_and(|read| read.image == s.image));
    if !same || config.names().count() != own().count() {
        return Err(Failure::other(format!(
            "no {path} can be made of this: it reads otherwise than it was meant"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
