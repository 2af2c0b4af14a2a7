//! Why there is no plan, as data.

use std::collections::HashSet;
use std::fmt;

use super::environments::{EnvironmentLimit, InTwoEnvironments, OtherPlace, SharedPlace};
use super::no_match::NoMatch;
use super::{SourceError, WiderPattern};
use crate::file_selection::SelectionError;
use crate::location::Location;
use crate::manifest::RefusalReason;
use crate::visible::inline;
use crate::yaml::{ParseAborted, YamlError};

/// How many references a message lists.
const LISTED: usize = 10;

/// Why a plan can't be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{}", matched_twice(.one, .other, .at))]
    MatchedTwice { one: String, other: String, at: Location },
    #[error("no document of {files} has a field {path}; nothing was written")]
    FieldNotFound { files: String, path: String },
    /// None of a service's files was typed.
    #[error("service {} has no file in {}; its files are: {}", inline(.service), list_of(.typed), list_of(.own))]
    NoneOfItsFiles { service: String, image: String, own: Vec<String>, typed: Vec<String> },
    #[error(transparent)]
    NoMatch(Box<NoMatch>),
    #[error("{}", refused_lines(.0))]
    NotEditable(Vec<RefusedReference>),
    #[error("{}: the edit would change more than the tag; nothing was written", inline(.file))]
    NotVerified { file: String },
    #[error("expected {}, found {}; nothing was written{}", references(*.expected), .found.len(), list(.found))]
    WrongCount { expected: usize, found: Vec<MatchedValue> },
    #[error("{image} has different tags in {}; nothing was written{}", places(distinct(.found)), list(.found))]
    DifferentTags { image: String, found: Vec<MatchedValue> },
    /// Places name the image, but something stronger makes another image run there.
    #[error("{image} doesn't run here; nothing was written{}", replaced_lines(.places))]
    Replaced { image: String, tag: Option<String>, places: Vec<ReplacedImage> },
    /// Every place that was searched is a default, or overridden, or a place elsewhere sets the image.
    #[error("none of the places searched decides which tag of {image} runs; nothing was written{}", weaker_lines(.places))]
    OnlyWeaker { image: String, places: Vec<(Location, WithoutEffect)> },
    #[error(transparent)]
    InTwoEnvironments(Box<InTwoEnvironments>),
    #[error("{}; nothing was written{}", not_here(.image, .service.as_deref(), .limit), other_places(.places))]
    OtherEnvironments {
        image: String,
        /// The service, if it has files of its own.
        service: Option<String>,
        limit: EnvironmentLimit,
        places: Vec<OtherPlace>,
    },
    #[error("{}", shared_lines(.0))]
    SharedEnvironments(Vec<SharedPlace>),
    #[error("{}: {reason}; nothing was written", inline(.file))]
    TooMuchWork { file: String, reason: ParseAborted },
    #[error("not landed: the time ran out while files were read")]
    Cancelled,
    #[error("{}:{error} (not valid YAML)", inline(.file))]
    NotYaml { file: String, error: YamlError, is_template: bool },
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A path of a service isn't there.
    #[error("{config}: services.{}: {error}", inline(.service))]
    ServiceFileMissing {
        /// The configuration.
        config: String,
        service: String,
        error: SourceError,
        wider: Option<Box<WiderPattern>>,
    },
    /// A path that was typed isn't there, but in another folder.
    #[error("{error}")]
    NotFoundHere { error: SourceError, wider: WiderPattern },
}

/// A reference that would have to be edited, and why it can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedReference {
    pub at: Location,
    /// Where the value is written that this reference only uses.
    pub written_at: Option<Location>,
    pub reason: RefusalReason,
    /// Its path as sops takes it.
    pub sops_path: Option<String>,
}

impl fmt::Display for RefusedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.reason)?;
        self.written_at.as_ref().map_or(Ok(()), |at| write!(f, " ({at})"))
    }
}

/// A place that names an image, and what runs instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedImage {
    pub name: String,
    pub at: Location,
    pub by: Option<Location>,
    /// What replaces it is an entry of a kustomization's `images`, which the old name leads to.
    pub is_by_entry: bool,
    pub image: String,
    pub root: String,
}

impl fmt::Display for ReplacedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReplacedImage { name, at, by, image, .. } = self;
        let (name, image) = (inline(name), inline(image));
        match by {
            Some(by) => write!(f, "{by}: replaces {name} by {image} ({at})"),
            None => write!(f, "{at}: {name} is replaced by {image}"),
        }
    }
}

/// Why a bump doesn't set a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WithoutEffect {
    OverriddenBy(Location),
    Default,
    /// It sets what runs, and isn't among the files that may be written. An entry could be added to a kustomization that is.
    NotSearched {
        can_add: bool,
    },
    /// It is in a list or map of values that stronger ones replace.
    ReplacedValue,
    /// Its tag is empty, so that of the chart runs.
    Empty,
}

fn matched_twice(one: &str, other: &str, at: &Location) -> String {
    match one == other {
        true => format!("{one} is named twice, and both set the reference at {at}"),
        false => format!("{one} and {other} both match the reference at {at}"),
    }
}

fn weaker_lines(places: &[(Location, WithoutEffect)]) -> String {
    let line = |(at, why): &(Location, WithoutEffect)| match why {
        WithoutEffect::OverriddenBy(by) => format!("\n  {at}: {by} overrides it"),
        WithoutEffect::Default => {
            format!("\n  {at}: is only a chart's default, which values files or releases override")
        }
        WithoutEffect::NotSearched { .. } => format!("\n  {at}: sets it, and isn't among the files to write"),
        WithoutEffect::ReplacedValue => {
            format!("\n  {at}: nothing that tagbump renders uses this value")
        }
        WithoutEffect::Empty => format!("\n  {at}: has an empty tag, so the chart's appVersion runs"),
    };
    lines(places, line)
}

fn replaced_lines(places: &[ReplacedImage]) -> String {
    lines(places, |place| format!("\n  {place}"))
}

/// The first lines, and how many more there are.
fn lines<T>(all: &[T], line: impl Fn(&T) -> String) -> String {
    let shown: String = all.iter().take(LISTED).map(line).collect();
    format!("{shown}{}", and_more(all.len()))
}

fn and_more(all: usize) -> String {
    let more = all.saturating_sub(LISTED);
    if more > 0 { format!("\n  and {more} more") } else { String::new() }
}

/// A reference that matched, with its tag, or its digest if it has no tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedValue {
    pub at: Location,
    pub image: String,
    pub version: Option<String>,
}

impl PlanError {
    /// The place that it is about.
    pub fn location(&self) -> Option<Location> {
        match self {
            PlanError::NotEditable(refused) => refused.first().map(|first| first.at.clone()),
            PlanError::SharedEnvironments(places) => places.first().map(|first| first.at.clone()),
            PlanError::InTwoEnvironments(found) => Some(found.at.clone()),
            PlanError::NotYaml { file, error, .. } => {
                Some(Location { file: file.clone(), line: error.line, column: Some(error.column) })
            }
            _ => None,
        }
    }
}

fn not_here(image: &str, service: Option<&str>, limit: &EnvironmentLimit) -> String {
    let image = inline(image);
    match (limit, service) {
        (EnvironmentLimit::Only(name), Some(service)) => {
            format!("service {} has no files in environment {}", inline(service), inline(name))
        }
        (EnvironmentLimit::Only(name), None) => format!("environment {} doesn't run {image}", inline(name)),
        (_, Some(service)) => {
            format!(
                "service {} has files only in environments that take their tags from another one",
                inline(service)
            )
        }
        _ => format!("{image} runs only in environments that take their tags from another one"),
    }
}

fn other_places(places: &[OtherPlace]) -> String {
    let line = |OtherPlace { at, environment }: &OtherPlace| match environment {
        Some(name) => format!("\n  {at}: in environment {}", inline(name)),
        None => format!("\n  {at}: in no environment"),
    };
    lines(places, line)
}

fn shared_lines(places: &[SharedPlace]) -> String {
    let shown = places.iter().take(LISTED).map(|place| format!("{place}; nothing was written"));
    format!("{}{}", shown.collect::<Vec<_>>().join("\n"), and_more(places.len()))
}

fn refused_lines(refused: &[RefusedReference]) -> String {
    let shown = refused.iter().take(LISTED).map(|refused| format!("{refused}; nothing was written"));
    format!("{}{}", shown.collect::<Vec<_>>().join("\n"), and_more(refused.len()))
}

fn list_of(paths: &[String]) -> String {
    let more = paths.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown: Vec<_> = paths.iter().take(LISTED).map(|path| inline(path)).collect();
    format!("{}{rest}", shown.join(", "))
}

/// The places in their order, at least one of each tag as far as there is room.
fn list(found: &[MatchedValue]) -> String {
    let (mut seen, mut again) = (HashSet::new(), Vec::new());
    let mut shown = Vec::new();
    for (nth, value) in found.iter().enumerate() {
        if seen.insert((&value.image, &value.version)) { shown.push(nth) } else { again.push(nth) }
    }
    shown.extend(again);
    shown.truncate(LISTED);
    shown.sort_unstable();
    let line = |nth: usize| {
        let value = &found[nth];
        let version = value.version.as_deref().unwrap_or("(no tag)");
        format!("\n  {}  {}  {}", value.at, inline(&value.image), inline(version))
    };
    format!("{}{}", shown.into_iter().map(line).collect::<String>(), and_more(found.len()))
}

/// In how many places values were found: one can give several roots different tags.
fn distinct(found: &[MatchedValue]) -> usize {
    found.iter().map(|value| (&value.at.file, value.at.line, value.at.column)).collect::<HashSet<_>>().len()
}

fn places(n: usize) -> String {
    if n == 1 { "1 place".to_owned() } else { format!("{n} places") }
}

fn references(n: usize) -> String {
    if n == 1 { "1 reference".to_owned() } else { format!("{n} references") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(tags: &[&str]) -> Vec<MatchedValue> {
        let at = |nth| Location { file: format!("{nth:02}.yaml"), line: 1, column: None };
        let place = |(nth, tag): (usize, &&str)| MatchedValue {
            at: at(nth),
            image: "api".to_owned(),
            version: Some((*tag).to_owned()),
        };
        tags.iter().enumerate().map(place).collect()
    }

    #[test]
    fn each_tag_is_listed_even_behind_many_places_with_one_tag() {
        let tags = [["v1"; 12].as_slice(), &["v2"]].concat();
        let listed = list(&places(&tags));
        assert!(listed.starts_with("\n  00.yaml:1  api  v1\n  01.yaml:1  api  v1"), "{listed}");
        assert!(listed.ends_with("\n  08.yaml:1  api  v1\n  12.yaml:1  api  v2\n  and 3 more"), "{listed}");
        assert!(!list(&places(&tags[..10])).contains("more"));
    }

    #[test]
    fn lists_that_end_early_say_so() {
        let all: Vec<usize> = (0..12).collect();
        assert!(lines(&all, |one| format!("\n  {one}")).ends_with("\n  9\n  and 2 more"));
    }
}
