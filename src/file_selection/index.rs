//! Finds which of many selections select a path.

use std::collections::HashMap;

use globset::GlobSet;

use super::selection::glob_set;
use super::{Selection, SelectionError, is_yaml};

/// An index over many selections, to find all that select a path at once.
pub struct SelectionIndex {
    by_name: HashMap<String, Vec<usize>>,
    patterns: GlobSet,
    /// The selection that each pattern belongs to.
    of_pattern: Vec<usize>,
    everything: Vec<usize>,
}

impl SelectionIndex {
    /// # Errors
    /// As [`Selection::new`].
    pub fn new<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Result<Self, SelectionError> {
        let (mut patterns, mut of_pattern) = (Vec::new(), Vec::new());
        let (mut by_name, mut everything) = (HashMap::<_, Vec<_>>::new(), Vec::new());
        for (nth, selection) in selections.into_iter().enumerate() {
            for name in selection.names.iter().chain(&selection.patterns) {
                by_name.entry(name.clone()).or_default().push(nth);
            }
            patterns.extend(selection.patterns.iter().cloned());
            of_pattern.resize(patterns.len(), nth);
            everything.extend(selection.everything.then_some(nth));
        }
        Ok(SelectionIndex { by_name, patterns: glob_set(&patterns)?, of_pattern, everything })
    }

    /// The indexes of the selections that select a path, in order.
    pub fn selecting(&self, path: &str) -> Vec<usize> {
        let named = |name: &str| self.by_name.get(name).into_iter().flatten().copied();
        let mut found: Vec<usize> = named(path).collect();
        if is_yaml(path) {
            let folders = path.match_indices('/').map(|(end, _)| &path[..end]).chain(["."]);
            found.extend(folders.flat_map(named));
            found.extend(self.patterns.matches(path).into_iter().map(|nth| self.of_pattern[nth]));
            found.extend(&self.everything);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
