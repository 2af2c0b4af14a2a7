//! The files that make a root one. They decide which environment it belongs to.

use std::collections::BTreeSet;

/// The entry files of a root, in sets, the most telling one first: what it renders, what deploys it, and where it is
/// written. For most roots that is a single file: the kustomization that nothing includes, or the values file of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFiles {
    levels: Vec<BTreeSet<String>>,
    /// The level of what deploys it.
    outer: Option<usize>,
}

impl EntryFiles {
    pub fn of_file(path: &str) -> Self {
        EntryFiles { levels: vec![BTreeSet::from([path.to_owned()])], outer: None }
    }

    /// Of an object that makes a tool render something: the files that it renders, the most telling one first, the entry
    /// files of what deploys it, and the file that it is written in.
    pub fn of_pointer(rendered: &[String], deployed_by: &EntryFiles, written_in: Option<&str>) -> Self {
        let mut entry = EntryFiles::default();
        rendered.iter().for_each(|path| entry.push(path));
        entry.outer = Some(entry.levels.len());
        entry.levels.push(deployed_by.levels.iter().flatten().cloned().collect());
        written_in.into_iter().for_each(|path| entry.push(path));
        entry
    }

    /// The same, and if that tells nothing, the file that an object is written in.
    #[must_use]
    pub fn or_file(mut self, written_in: Option<&str>) -> Self {
        written_in.into_iter().for_each(|path| self.push(path));
        self
    }

    fn push(&mut self, path: &str) {
        self.levels.push(BTreeSet::from([path.to_owned()]));
    }

    /// Adds the entry files of something else that deploys the same.
    pub fn deployed_by(&mut self, other: &EntryFiles) {
        let outer = self.outer.and_then(|outer| self.levels.get_mut(outer));
        outer.into_iter().for_each(|level| level.extend(other.levels.iter().flatten().cloned()));
    }

    /// The sets of files, the most telling one first.
    pub fn levels(&self) -> impl Iterator<Item = &BTreeSet<String>> {
        self.levels.iter()
    }
}
