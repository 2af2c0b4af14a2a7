//! What a set of paths and patterns selects.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{MatchLevel, SelectionError, inside_root, is_pattern, is_yaml};

/// Paths and patterns, checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Sorted, like the patterns.
    pub(super) names: Vec<String>,
    /// Each is a path too, that of a folder such as `apps/[id]`.
    pub(super) patterns: Vec<String>,
    set: GlobSet,
    /// Every YAML file, in addition to those that are named.
    pub(super) everything: bool,
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        let parts = |s: &Self| (s.names.clone(), s.patterns.clone(), s.everything);
        parts(self) == parts(other)
    }
}

impl Eq for Selection {}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen: Vec<_> = self.names.iter().chain(&self.patterns).map(String::as_str).collect();
        f.write_str(&chosen.join(", "))
    }
}

impl Selection {
    /// Takes paths and patterns relative to the root. A path without a wildcard may be a folder.
    ///
    /// # Errors
    /// A pattern that is not valid, or a path that leaves the root.
    pub fn new(arguments: &[String]) -> Result<Self, SelectionError> {
        let paths = arguments.iter().map(|argument| inside_root(argument)).collect::<Result<Vec<_>, _>>()?;
        let (mut patterns, mut names): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| is_pattern(path));
        for list in [&mut patterns, &mut names] {
            list.sort();
            list.dedup();
        }
        Ok(Selection { everything: arguments.is_empty(), set: glob_set(&patterns)?, names, patterns })
    }

    /// One file by its path, even if the path has characters that mean something in a pattern.
    pub fn of_file(path: &str) -> Self {
        Selection { names: vec![path.to_owned()], ..Selection::default() }
    }

    /// What any of several selections selects.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn all_of<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Result<Self, SelectionError> {
        let mut all = Selection::default();
        for one in selections {
            all.names.extend(one.names.iter().cloned());
            all.patterns.extend(one.patterns.iter().cloned());
            all.everything |= one.everything;
        }
        for list in [&mut all.names, &mut all.patterns] {
            list.sort();
            list.dedup();
        }
        all.set = glob_set(&all.patterns)?;
        Ok(all)
    }

    /// Selects at least the files that both selections select, and no named file that the other one can't select.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn narrowed_to(&self, other: &Selection) -> Result<Self, SelectionError> {
        if self.everything || other.everything {
            return Ok(if self.everything { other.clone() } else { self.clone() });
        }
        let named = |one: &Selection, by: &Selection| {
            let kept = one.names.iter().filter(|name| by.may_select_in(name)).cloned();
            kept.collect::<Vec<_>>()
        };
        let mut names = [named(self, other), named(other, self)].concat();
        names.sort();
        names.dedup();
        let patterns = if other.patterns.is_empty() { Vec::new() } else { self.patterns.clone() };
        Ok(Selection { names, set: glob_set(&patterns)?, patterns, everything: false })
    }

    /// Whether it selects this path or, if it is a folder, may select something in it by a pattern.
    fn may_select_in(&self, path: &str) -> bool {
        self.match_level_of_any(path).is_some() || (!is_yaml(path) && !self.patterns.is_empty())
    }

    /// Whether every YAML file is selected.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// The paths and patterns.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().chain(&self.patterns).cloned()
    }

    /// The paths without a wildcard: files or folders.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether only named paths are selected.
    pub fn names_only(&self) -> bool {
        self.patterns.is_empty() && !self.everything
    }

    /// Whether a folder can contain selected files.
    pub fn reaches(&self, folder: &str) -> bool {
        !self.names_only() || self.names_above(folder) || self.is_name(folder) || self.names_below(folder)
    }

    fn is_name(&self, path: &str) -> bool {
        has(&self.names, path)
    }

    /// Whether a folder that contains the path is named.
    fn names_above(&self, path: &str) -> bool {
        let is_named = |folder: &str| self.is_name(folder) || has(&self.patterns, folder);
        self.is_name(".") || path.match_indices('/').any(|(end, _)| is_named(&path[..end]))
    }

    /// Whether something inside the folder is named.
    fn names_below(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        let first = self.names.partition_point(|name| *name < inside);
        self.names.get(first).is_some_and(|name| name.starts_with(&inside))
    }

    /// How strongly the selection asks for a file; `None` if it isn't selected.
    pub fn match_level(&self, path: &str) -> Option<MatchLevel> {
        if self.is_name(path) {
            return Some(MatchLevel::Explicit);
        }
        if !is_yaml(path) { None } else { self.match_level_of_any(path) }
    }

    /// As [`Selection::match_level`], for a file that may be something else than YAML.
    pub fn match_level_of_any(&self, path: &str) -> Option<MatchLevel> {
        if self.is_name(path) {
            return Some(MatchLevel::Explicit);
        }
        if self.set.is_match(path) || has(&self.patterns, path) || self.names_above(path) {
            return Some(MatchLevel::Pattern);
        }
        self.everything.then_some(MatchLevel::Discovered)
    }
}

/// Whether a sorted list has a text.
fn has(sorted: &[String], text: &str) -> bool {
    sorted.binary_search_by(|one| one.as_str().cmp(text)).is_ok()
}

pub(super) fn glob_set(patterns: &[String]) -> Result<GlobSet, SelectionError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|e| unreadable(pattern, &e))?);
    }
    set.build().map_err(|e| unreadable(&patterns.join(" "), &e))
}

fn unreadable(argument: &str, error: &globset::Error) -> SelectionError {
    SelectionError::Pattern { pattern: argument.to_owned(), reason: error.kind().to_string() }
}
