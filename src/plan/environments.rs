//! The environments of a repository, and which of them a request is about.
//!
//! An environment is a set of roots: those with an entry file among its files. A file that no root is made from counts
//! as a root of its own.

use std::fmt;

use crate::effective::Root;
use crate::file_selection::Selection;
use crate::location::Location;
use crate::visible::inline;

/// An environment of `tagbump.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedEnvironment {
    pub name: String,
    pub files: Selection,
    /// The environment that its tags are promoted from.
    pub from: Option<String>,
    /// Where it is declared.
    pub at: Location,
}

/// The environments of a repository, and which of them count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environments {
    pub all: Vec<NamedEnvironment>,
    pub limit: EnvironmentLimit,
}

/// Which environments count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EnvironmentLimit {
    /// All, and what is in none.
    #[default]
    Everything,
    /// This one.
    Only(String),
    /// Those without `from`, and what is in none.
    NotPromoted,
}

/// A root that sets an image, and that the request isn't about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherRoot {
    pub root: String,
    pub environment: Option<String>,
}

impl fmt::Display for OtherRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&inline(&self.root))?;
        self.environment.as_ref().map_or(Ok(()), |name| write!(f, " (environment {})", inline(name)))
    }
}

/// A place of an image that the request doesn't set: another environment has it, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPlace {
    pub at: Location,
    pub environment: Option<String>,
}

/// A place that roots of other environments use too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPlace {
    pub at: Location,
    pub image: String,
    pub others: Vec<OtherRoot>,
    /// An added entry of a kustomization could set the image in its stead.
    pub can_add: bool,
}

/// How many roots a message lists.
const LISTED: usize = 5;

impl fmt::Display for SharedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<String> = self.others.iter().take(LISTED).map(OtherRoot::to_string).collect();
        write!(f, "{}: also sets {} in {}", self.at, inline(&self.image), others.join(", "))?;
        match self.others.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A root that is in two environments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: environments.{}: {} is in environment {} too, by its entry file {}", inline(.name), inline(.root), inline(.other), inline(.file))]
pub struct InTwoEnvironments {
    /// Where the second one is declared.
    pub at: Location,
    pub name: String,
    pub root: String,
    /// The entry file.
    pub file: String,
    pub other: String,
}

impl Environments {
    /// Whether some roots don't count.
    pub(super) fn is_limited(&self) -> bool {
        match self.limit {
            EnvironmentLimit::Everything => false,
            EnvironmentLimit::Only(_) => true,
            EnvironmentLimit::NotPromoted => self.all.iter().any(|environment| environment.from.is_some()),
        }
    }

    /// The environment that a root is in, if any.
    pub(super) fn of_root(&self, root: &Root) -> Result<Option<&NamedEnvironment>, Box<InTwoEnvironments>> {
        for level in root.entry.levels() {
            let mut here = self.all.iter().filter_map(|environment| {
                let file = level.iter().find(|path| environment.selects(path))?;
                Some((environment, file))
            });
            match (here.next(), here.next()) {
                (None, _) => {}
                (Some((environment, _)), None) => return Ok(Some(environment)),
                (Some((first, _)), Some((second, file))) => {
                    return Err(Box::new(InTwoEnvironments {
                        at: second.at.clone(),
                        name: second.name.clone(),
                        root: root.name.clone(),
                        file: file.clone(),
                        other: first.name.clone(),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The environment that a file on its own is in: the first one that selects it.
    pub(super) fn of_file(&self, path: &str) -> Option<&NamedEnvironment> {
        self.all.iter().find(|environment| environment.selects(path))
    }

    /// Whether what is in this environment, or in none, counts.
    pub(super) fn counts(&self, environment: Option<&NamedEnvironment>) -> bool {
        match &self.limit {
            EnvironmentLimit::Everything => true,
            EnvironmentLimit::Only(name) => environment.is_some_and(|environment| environment.name == *name),
            EnvironmentLimit::NotPromoted => environment.is_none_or(|environment| environment.from.is_none()),
        }
    }
}

impl NamedEnvironment {
    fn selects(&self, path: &str) -> bool {
        self.files.match_level_of_any(path).is_some()
    }
}
