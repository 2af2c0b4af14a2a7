//! `tagbump-holds.yaml`: images that must keep their tags for a while, by whom and why.
//!
//! `Hold` is an entry, `HoldsFile` the file; `edit` adds and removes entries in place, and `time` reads when a hold ends. The
//! file's format is that of the types here; `tagbump-holds.schema.json` is generated from them, and a test keeps it up to
//! date.
//!
//! Pure: text in, text out.

mod edit;
mod error;
mod time;

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use crate::file_selection::{HOLDS_PATH, Selection};
use crate::image::{ImageArg, same_image};
use crate::location::Location;
use crate::plan::{FileContent, FileSource, HeldImage};
use crate::visible::inline;
use crate::yaml::{NodeId, ParsedYaml, ReadError, SECOND_DOCUMENT, TypeError, scan, without_bom};

pub use edit::{HoldQuery, HoldsChange, HoldsEditError, edited};
pub use error::{HoldProblem, HoldsError};
pub use time::{HoldTimeError, end_of_hold};

/// In bytes. A real file is never larger.
const MAX_SIZE: usize = 1_000_000;

/// Images that tagbump leaves alone for now
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawHolds {
    /// One entry for each image
    #[serde(default)]
    holds: Option<Vec<RawHold>>,
}

/// An image that keeps its tag
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawHold {
    /// The image's name, without a tag: `ghcr.io/acme/api`
    image: String,
    /// Only in this environment of `tagbump.yaml`
    env: Option<String>,
    /// Only in these files: paths, folders or patterns below the root
    #[serde(default)]
    files: Vec<String>,
    /// Why, for everyone whose bump is skipped
    reason: String,
    /// When the hold ends: `2026-12-01T08:00:00Z`, or a date, which means 00:00 UTC; without it, it doesn't end
    until: Option<String>,
    /// Who holds the image
    by: String,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// A name without a tag.
    pub image: String,
    pub env: Option<String>,
    /// Paths and patterns, as they are written; empty for all files.
    pub files: Vec<String>,
    pub reason: String,
    pub until: Option<Timestamp>,
    pub by: String,
}

impl Hold {
    /// Whether the hold has ended at a time, in seconds since the epoch.
    pub fn is_over(&self, now: i64) -> bool {
        self.until.is_some_and(|until| until.as_second() <= now)
    }

    /// Whether both are about the same references.
    pub fn covers_the_same(&self, other: &Hold) -> bool {
        let sorted = |hold: &Hold| {
            let mut files = hold.files.clone();
            files.sort();
            files
        };
        same_image(&self.image, &other.image) && self.env == other.env && sorted(self) == sorted(other)
    }
}

/// Who holds, until when, and why.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held by {}", inline(&self.by))?;
        self.env.as_ref().map_or(Ok(()), |env| write!(f, " in environment {}", inline(env)))?;
        self.until.map_or(Ok(()), |until| write!(f, " until {until}"))?;
        write!(f, ": {}", inline(&self.reason))
    }
}

/// An entry, and where it is.
#[derive(Clone, Debug)]
pub struct PlacedHold {
    pub hold: Hold,
    pub at: Location,
    /// The files of the hold; `None` for all.
    files: Option<Selection>,
    item: NodeId,
}

impl PlacedHold {
    /// What a plan must leave alone.
    pub fn held_image(&self) -> HeldImage {
        HeldImage { image: self.hold.image.clone(), files: self.files.clone(), env: self.hold.env.clone() }
    }

    /// What the hold is in a folder, to which paths are relative then; `None` if it is about files elsewhere.
    pub fn in_folder(self, folder: &str) -> Option<Self> {
        let files = match &self.files {
            None => None,
            Some(_) => match patterns_in(folder, &self.hold.files)?.as_slice() {
                [] => None,
                patterns => Selection::new(patterns).ok(),
            },
        };
        Some(PlacedHold { files, ..self })
    }
}

/// What paths and patterns select in a folder: none for all files of it, and `None` for no file. A pattern that may or may not
/// select files there counts as all of them.
fn patterns_in(folder: &str, patterns: &[String]) -> Option<Vec<String>> {
    let mut inside = Vec::new();
    for pattern in patterns {
        let path = pattern.trim_end_matches('/');
        if let Some(rest) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) {
            inside.push(rest.to_owned());
        } else if path.contains(['*', '?', '[', '{']) || format!("{folder}/").starts_with(&format!("{path}/"))
        {
            return Some(Vec::new());
        }
    }
    Some(inside).filter(|inside| !inside.is_empty())
}

/// The file, as it was read.
#[derive(Debug, Default)]
pub struct HoldsFile {
    pub holds: Vec<PlacedHold>,
    /// Its bytes; `None` if there is no such file.
    pub bytes: Option<Vec<u8>>,
    yaml: ParsedYaml,
}

impl HoldsFile {
    /// The repository's holds; none if it has no such file.
    ///
    /// # Errors
    /// With file, line and column, if the file isn't valid.
    pub fn load(files: &dyn FileSource) -> Result<Self, HoldsError> {
        match files.read(HOLDS_PATH, MAX_SIZE)? {
            None => Ok(HoldsFile::default()),
            Some(FileContent::TooLarge) => Err(HoldsError::TooLarge),
            Some(FileContent::Bytes(bytes)) => HoldsFile::parse(bytes),
        }
    }

    /// Reads the file's content.
    ///
    /// # Errors
    /// With line and column.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, HoldsError> {
        if bytes.len() > MAX_SIZE {
            return Err(HoldsError::TooLarge);
        }
        let unreadable = |error| match error {
            ReadError::Syntax(error) => HoldsError::NotYaml(error),
            ReadError::Stopped(reason) => HoldsError::TooMuchWork(reason),
        };
        let yaml = scan(&bytes).map_err(unreadable)?;
        yaml.check().map_err(HoldsError::TooMuchWork)?;
        if let Some(position) = yaml.second_document() {
            let reason = SECOND_DOCUMENT.to_owned();
            return Err(HoldsError::Types { position: Some(position), reason });
        }
        let is_empty = yaml.roots().iter().all(|&root| yaml.node(root).is_null());
        let raw = if is_empty { RawHolds::default() } else { read(&bytes)? };
        let items: Vec<NodeId> = list_of(&yaml).map(|list| yaml.items(list).collect()).unwrap_or_default();
        let raw = raw.holds.unwrap_or_default().into_iter();
        let holds = raw.zip(items).map(|(raw, item)| placed(&yaml, item, raw));
        Ok(HoldsFile { holds: holds.collect::<Result<_, _>>()?, yaml, bytes: Some(bytes) })
    }
}

/// The node of the list of entries.
fn list_of(yaml: &ParsedYaml) -> Option<NodeId> {
    yaml.roots().first().and_then(|&root| yaml.at(root, &["holds"]))
}

fn read(bytes: &[u8]) -> Result<RawHolds, HoldsError> {
    serde_yaml::from_slice(without_bom(bytes)).map_err(|error| {
        let TypeError { position, reason } = error.into();
        HoldsError::Types { position, reason }
    })
}

fn placed(yaml: &ParsedYaml, item: NodeId, raw: RawHold) -> Result<PlacedHold, HoldsError> {
    let place = |id: NodeId| {
        let node = yaml.node(id);
        Location { file: HOLDS_PATH.to_owned(), line: node.line, column: Some(node.column) }
    };
    let wrong = |key: &'static str, problem: HoldProblem| {
        let at = yaml.at(item, &[key]).unwrap_or(item);
        HoldsError::Value { at: place(at), key, problem }
    };
    let image = ImageArg::parse(&raw.image).map_err(|error| wrong("image", error.into()))?;
    if image.name != raw.image {
        return Err(wrong("image", HoldProblem::NotBareName));
    }
    if raw.files.iter().any(|file| file.trim().is_empty()) {
        return Err(wrong("files", HoldProblem::EmptyPath));
    }
    let files = Selection::new(&raw.files).map_err(|error| wrong("files", error.into()))?;
    let until = raw.until.as_deref().map(time::stored).transpose();
    let until = until.map_err(|error| wrong("until", error.into()))?;
    let files = (!raw.files.is_empty()).then_some(files);
    let RawHold { image, env, reason, by, .. } = raw;
    let hold = Hold { image, env, files: raw.files, reason, until, by };
    Ok(PlacedHold { hold, at: place(item), files, item })
}

#[cfg(test)]
mod tests;
