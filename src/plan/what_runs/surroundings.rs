//! What a plan keeps of the files around those that it edits: which there are, which include others, and which
//! mention an image. What runs is computed from them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::super::SourceFile;
use crate::effective::{FileMarks, FileRole, StructuralFile};
use crate::file_selection::file_name;
use crate::manifest::is_compose;
use crate::memory::MANY_FILES;
use crate::mutex::{into_inner, lock};

/// The files around the edits.
#[derive(Default)]
pub struct Surroundings {
    /// Every YAML file.
    pub paths: BTreeSet<String>,
    /// The files that can decide what runs without being YAML.
    pub other: BTreeSet<String>,
    /// The files that can include others.
    pub structural: BTreeMap<String, StructuralFile>,
    /// The files that declare what others refer to by name, with the names.
    pub declarations: BTreeMap<String, Vec<String>>,
    /// The files that may name one of the images.
    pub seeds: BTreeSet<String>,
    /// The files with an image that has a variable in it.
    pub variables: BTreeSet<String>,
}

/// Collects the surroundings while the files are visited, from several threads.
#[derive(Default)]
pub struct SurroundingsCollector {
    marks: FileMarks,
    noted: Mutex<NotedFiles>,
}

#[derive(Default)]
struct NotedFiles {
    all: Vec<NotedFile>,
    structural: Vec<(String, StructuralFile)>,
}

struct NotedFile {
    path: String,
    declared: Vec<String>,
    names: Names,
}

/// What a file names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Nothing,
    /// It may name one of the images.
    Image,
    /// It may name an image with a variable in it.
    Variable,
}

impl SurroundingsCollector {
    /// Notes a file.
    pub fn note(&self, file: &SourceFile<'_>, names: Names) {
        let FileRole { is_structural, declared } = self.marks.role(file.path, file.bytes);
        // the image's name can be in a variable
        let has_variable = is_compose(file_name(file.path)) && file.bytes.contains(&b'$');
        let names = if has_variable { Names::Variable } else { names };
        let structural = || (file.path.to_owned(), StructuralFile::new(file.path, file.bytes));
        let structural = is_structural.then(structural);
        let file = NotedFile { path: file.path.to_owned(), declared, names };
        let mut noted = lock(&self.noted);
        noted.all.push(file);
        noted.structural.extend(structural);
    }

    /// `other` are the files beside those that aren't YAML.
    pub fn finish(self, other: BTreeSet<String>) -> Surroundings {
        let NotedFiles { all, structural } = into_inner(self.noted);
        if all.len() < MANY_FILES {
            return Surroundings {
                structural: structural.into_iter().collect(),
                other,
                ..Surroundings::of(all)
            };
        }
        std::thread::scope(|scope| {
            let structural = scope.spawn(|| structural.into_iter().collect());
            let rest = Surroundings::of(all);
            let structural = structural.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Surroundings { structural, other, ..rest }
        })
    }
}

impl Surroundings {
    /// All but the files of other kinds, and those that can include others.
    fn of(mut files: Vec<NotedFile>) -> Self {
        // sets and maps are made much faster from what is in order
        sort(&mut files);
        let named = |is_wanted: fn(Names) -> bool| {
            files.iter().filter(|file| is_wanted(file.names)).map(|file| file.path.clone()).collect()
        };
        let (seeds, variables) =
            (named(|names| names != Names::Nothing), named(|names| names == Names::Variable));
        let declaring = files.iter_mut().filter(|file| !file.declared.is_empty());
        let declarations =
            declaring.map(|file| (file.path.clone(), std::mem::take(&mut file.declared))).collect();
        let paths = files.into_iter().map(|file| file.path).collect();
        Surroundings { paths, declarations, seeds, variables, ..Surroundings::default() }
    }
}

/// Sorts files by path; many of them with two threads.
fn sort(files: &mut [NotedFile]) {
    let by_path = |a: &NotedFile, b: &NotedFile| in_order(a.path.as_bytes(), b.path.as_bytes());
    if files.len() < MANY_FILES {
        return files.sort_unstable_by(by_path);
    }
    let (lower, _, upper) = files.select_nth_unstable_by(files.len() / 2, by_path);
    std::thread::scope(|scope| {
        scope.spawn(|| lower.sort_unstable_by(by_path));
        upper.sort_unstable_by(by_path);
    });
}

/// Compares like `cmp`, but eight bytes at once: paths begin alike, and musl compares byte by byte.
fn in_order(a: &[u8], b: &[u8]) -> Ordering {
    let same = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(a, b)| a == b).count();
    a[8 * same..].cmp(&b[8 * same..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_in_the_order_of_their_bytes() {
        let paths = [
            "",
            "a",
            "apps/api/values-prod.yaml",
            "apps/api/values.yaml",
            "apps/api-2/values.yaml",
            "apps/é",
            "apps/api/",
        ];
        for a in paths {
            for b in paths {
                assert_eq!(in_order(a.as_bytes(), b.as_bytes()), a.cmp(b), "{a} {b}");
            }
        }
        let note =
            |path: &str| NotedFile { path: path.to_owned(), declared: Vec::new(), names: Names::Nothing };
        let found = Surroundings::of(paths.map(note).into());
        assert_eq!(found.paths, BTreeSet::from(paths.map(str::to_owned)));
        assert!(Surroundings::of(Vec::new()).paths.is_empty());
        let many: BTreeSet<String> =
            (0..2 * MANY_FILES).map(|nth| format!("apps/{}.yaml", nth * 7919 % 1000)).collect();
        let found = Surroundings::of(many.iter().rev().map(|path| note(path)).collect());
        assert_eq!(found.paths, many);
    }
}
