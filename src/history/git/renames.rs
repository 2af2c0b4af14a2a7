//! The names that files had in an older tree.

use std::collections::HashMap;

use git2::{Delta, Diff, DiffDelta, DiffFile, DiffFindOptions, Oid, Repository};

/// The renames between two trees, computed only when needed, and only once.
pub struct Renames {
    /// The newer tree and the older one.
    pub trees: (Oid, Oid),
    exact: HashMap<String, String>,
    similar: Option<HashMap<String, String>>,
}

impl Renames {
    /// Finds the files that were moved without a change.
    pub fn between(repo: &Repository, trees: (Oid, Oid)) -> Result<Self, git2::Error> {
        let diff = diff(repo, trees)?;
        let mut gone: HashMap<Oid, Vec<String>> = HashMap::new();
        for delta in diff.deltas().filter(|delta| delta.status() == Delta::Deleted) {
            let file = delta.old_file();
            gone.entry(file.id()).or_default().extend(path(&file));
        }
        let new = diff.deltas().filter(|delta| delta.status() == Delta::Added);
        let exact = new.filter_map(|delta| {
            let new = path(&delta.new_file())?;
            Some((new.clone(), most_similar(&new, gone.get(&delta.new_file().id())?)?))
        });
        Ok(Renames { trees, exact: exact.collect(), similar: None })
    }

    /// The old name of a file that is new in the newer tree. A file with the same content comes first; if there were
    /// several, the one with the most similar path. If there was none, git's own rule for files that were moved and
    /// changed applies (`--find-renames` in `git help diff`).
    pub fn old_name(&mut self, repo: &Repository, path: &str) -> Result<Option<String>, git2::Error> {
        if let Some(old) = self.exact.get(path) {
            return Ok(Some(old.clone()));
        }
        if self.similar.is_none() {
            self.similar = Some(similar(repo, self.trees)?);
        }
        Ok(self.similar.as_ref().and_then(|similar| similar.get(path).cloned()))
    }
}

fn diff(repo: &Repository, (newer, older): (Oid, Oid)) -> Result<Diff<'_>, git2::Error> {
    let (before, after) = (repo.find_tree(older)?, repo.find_tree(newer)?);
    repo.diff_tree_to_tree(Some(&before), Some(&after), None)
}

fn similar(repo: &Repository, trees: (Oid, Oid)) -> Result<HashMap<String, String>, git2::Error> {
    let mut diff = diff(repo, trees)?;
    diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
    let renamed = diff.deltas().filter(|delta| delta.status() == Delta::Renamed);
    let names = |delta: DiffDelta<'_>| Some((path(&delta.new_file())?, path(&delta.old_file())?));
    Ok(renamed.filter_map(names).collect())
}

fn path(file: &DiffFile<'_>) -> Option<String> {
    file.path()?.to_str().map(str::to_owned)
}

fn most_similar(path: &str, others: &[String]) -> Option<String> {
    let likeness = |other: &&String| (strsim::normalized_levenshtein(path, other) * 1e6) as u32;
    others.iter().max_by_key(likeness).cloned()
}
