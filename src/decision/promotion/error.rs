//! Why nothing can be promoted, as data.

use crate::image::ImageError;
use crate::location::Location;
use crate::visible::inline;

/// How many places a message lists.
const LISTED: usize = 10;

/// Why an environment can't get what another one runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromotionError {
    #[error("{at}: environments.{}: doesn't take its tags from another environment", inline(.env))]
    NoFrom { at: Location, env: String },
    #[error("no service or image was given, and tagbump.yaml has no services")]
    NoServices,
    #[error("no service of tagbump.yaml is in both {} and {}; nothing was written", inline(.from), inline(.env))]
    NothingInBoth { env: String, from: String },
    /// Other environments run it, or none.
    #[error("{message}")]
    NotRun { from: String, message: String },
    #[error("{} has {} only in a text that tagbump doesn't read; nothing was written", inline(.from), inline(.image))]
    OnlyInText { from: String, image: String },
    #[error("{} runs different tags of {}; nothing was written{}", inline(.from), inline(.image), listed(.found))]
    TwoTags { from: String, image: String, found: Vec<(Location, String)> },
    #[error("{at}: {} runs {} without a tag or digest to promote; nothing was written", inline(.from), inline(.image))]
    NoTag { at: Location, from: String, image: String },
    #[error("{at}: can't promote {} from {}: {error}; nothing was written", inline(.image), inline(.from))]
    InvalidTag { at: Location, from: String, image: String, error: ImageError },
}

fn listed(found: &[(Location, String)]) -> String {
    let more = found.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    let lines = found.iter().take(LISTED).map(|(at, tag)| {
        let tag = if tag.is_empty() { "(no tag)".to_owned() } else { inline(tag) };
        format!("\n  {at}  {tag}")
    });
    lines.collect::<String>() + &rest
}

impl PromotionError {
    /// The place that it is about.
    pub fn location(&self) -> Option<Location> {
        match self {
            PromotionError::NoFrom { at, .. }
            | PromotionError::NoTag { at, .. }
            | PromotionError::InvalidTag { at, .. } => Some(at.clone()),
            _ => None,
        }
    }
}
