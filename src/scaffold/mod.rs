//! The files that `tagbump init` proposes: a `tagbump.yaml` based on the references found, and a workflow.
//!
//! Pure: a listing in, text out. `sorting` groups references by image and leaves some out, `environment` and
//! `origin` interpret paths and names, `services`, `names` and `environments` create what they propose, `template` guesses the tag
//! template, and `config_text` and `workflow` write the files.

mod config_text;
mod environment;
mod environments;
mod names;
mod origin;
mod services;
mod sorting;
mod template;
pub mod workflow;

use crate::config::{Config, ConfigError};
use crate::plan::Listing;
use config_text::ConfigContent;
use names::TakenNames;
use sorting::{DeployedImage, sorted};

/// The text of a proposed `tagbump.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConfig {
    pub text: String,
    /// A service in it for examples, or an image if it has no services.
    pub example: Option<String>,
}

/// Why there is no valid configuration for a repository.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    #[error("can't make a valid {path} for this repository: {error}")]
    Invalid { path: String, error: Box<ConfigError> },
    #[error("can't make a valid {path} for this repository: it would not read back as written")]
    ReadsDifferently { path: String },
}

/// Makes a configuration from the references; `None` if no reference can be edited.
///
/// # Errors
/// If the text is not a valid configuration: a bug in this program, or a repository that a configuration can't describe.
pub fn config(listing: &Listing, path: &str) -> Result<Option<NewConfig>, ScaffoldError> {
    let sorted = sorted(listing);
    if sorted.images.is_empty() {
        return Ok(None);
    }
    let (others, own): (Vec<_>, Vec<_>) = sorted.images.iter().partition(|d| origin::is_of_others(d.image));
    let environments = environments::of(&own);
    let mut taken = TakenNames::default();
    // a service can't be called like an environment
    environments.iter().for_each(|environment| drop(taken.take(environment.name.clone())));
    let content = ConfigContent {
        template: template::guess(own.iter().flat_map(|image| tags(image))),
        own: services::of(&own, &mut taken),
        others: services::of(&others, &mut taken),
        environments,
        left: sorted.left,
        overridden: sorted.overridden,
    };
    let text = content.text();
    check(&content, path, &text)?;
    Ok(Some(NewConfig { example: content.example().map(str::to_owned), text }))
}

fn tags<'a>(image: &DeployedImage<'a>) -> impl Iterator<Item = &'a str> {
    let all: Vec<_> = image.places.values().flatten().copied().collect();
    all.into_iter().filter_map(|reference| reference.tag.as_deref())
}

/// Checks that tagbump parses the text to the same services.
fn check(content: &ConfigContent<'_>, path: &str, text: &str) -> Result<(), ScaffoldError> {
    let config = Config::parse(path, text.as_bytes());
    let config =
        config.map_err(|error| ScaffoldError::Invalid { path: path.to_owned(), error: Box::new(error) })?;
    let own = || content.own.iter().flatten();
    if !content.environments.is_empty() {
        let uncommented = format!("{text}\n{}", content.uncommented_environments());
        Config::parse(path, uncommented.as_bytes())
            .map_err(|error| ScaffoldError::Invalid { path: path.to_owned(), error: Box::new(error) })?;
    }
    let same = own().all(|s| config.service(&s.name).is_some_and(|read| read.image == s.image));
    if !same || config.names().count() != own().count() {
        return Err(ScaffoldError::ReadsDifferently { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
