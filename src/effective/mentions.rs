//! Which files mention which paths, found without parsing: every word that is the path of an existing file or folder
//! counts. That is more than the tools include, so it only narrows down which files to read.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use memchr::memmem::find;

use super::files::{folder_of, folders_above, join};
use super::path_words::PathWords;
use super::word_index::WordIndex;
use super::words::{FileWords, hash, last_part};
use crate::file_selection::{file_name, in_folder, paths_below};

/// A file that can include others.
#[derive(Debug, Default)]
pub struct StructuralFile {
    pub bytes: Vec<u8>,
    words: FileWords,
}

impl StructuralFile {
    pub fn new(path: &str, bytes: &[u8]) -> Self {
        StructuralFile { bytes: bytes.to_vec(), words: FileWords::of(path, bytes) }
    }
}

/// For each file and folder, the files that mention it. A word is compared with the paths only if an answer depends on
/// it.
pub struct Mentions<'a> {
    /// The files that can include others.
    files: &'a BTreeMap<String, StructuralFile>,
    /// The same files, by the position that the indexes use.
    positions: Vec<(&'a str, &'a StructuralFile)>,
    /// All YAML files of the repository.
    paths: &'a BTreeSet<String>,
    /// The files that declare something, with the names.
    declarations: &'a BTreeMap<String, Vec<String>>,
    /// The files that declare something, by name.
    declared: HashMap<&'a str, Vec<&'a str>>,
    path_words: PathWords<'a>,
    /// Made when the first name is looked up.
    name_words: OnceCell<WordIndex>,
    /// For each path that a word was compared with, the files that mention it.
    by: HashMap<String, Vec<&'a str>>,
    /// The hashes of the words that were compared.
    compared: HashSet<u32>,
}

impl<'a> Mentions<'a> {
    /// `paths` are all YAML files of the repository, `declarations` those that declare something with these names.
    pub fn new(
        files: &'a BTreeMap<String, StructuralFile>,
        paths: &'a BTreeSet<String>,
        declarations: &'a BTreeMap<String, Vec<String>>,
    ) -> Self {
        let mut declared: HashMap<&str, Vec<&str>> = HashMap::new();
        for (path, names) in declarations {
            names.iter().for_each(|name| declared.entry(name).or_default().push(path));
        }
        let mut mentions = Mentions {
            files,
            positions: files.iter().map(|(path, file)| (path.as_str(), file)).collect(),
            paths,
            declarations,
            declared,
            path_words: PathWords::new(files.values().map(|file| file.words.paths.as_slice())),
            name_words: OnceCell::new(),
            by: HashMap::new(),
            compared: HashSet::new(),
        };
        // these can lead to any folder
        mentions.compare([".", ".."].into_iter());
        mentions
    }

    /// Compares the words that have the last part of one of these paths.
    fn compare<'p>(&mut self, paths: impl Iterator<Item = &'p str>) {
        let hashes = paths.map(|path| hash(last_part(path.as_bytes())));
        let new: HashSet<u32> = hashes.filter(|hash| self.compared.insert(*hash)).collect();
        for (position, word) in self.path_words.with_hashes(&new) {
            let (file, StructuralFile { bytes, .. }) = self.positions[position];
            for path in joined(file, word.text(bytes)) {
                self.by.entry(path).or_default().push(file);
            }
        }
    }

    /// The files that mention a file or folder whose words were compared.
    fn mentioning(&self, path: &str) -> impl Iterator<Item = &'a str> {
        self.by.get(path).into_iter().flatten().copied()
    }

    /// The kustomizations that may render the chart in a folder: `helmCharts` name only the chart, and its folder is
    /// looked for in `charts` beside the kustomization. (Another `chartHome` is mentioned as a path.)
    fn inflating(&self, chart: &str) -> Vec<&'a str> {
        let home = folder_of(chart);
        if file_name(home) != "charts" {
            return Vec::new();
        }
        let has_charts = |path: &&'a str| {
            let has =
                |text: &[u8]| self.files.get(*path).is_some_and(|file| find(&file.bytes, text).is_some());
            // a generator can be in a file of its own
            has(b"helmChart") || has(b"generators")
        };
        let files = kustomization_files(folder_of(home)).into_iter();
        files
            .filter_map(|path| Some(self.files.get_key_value(&path)?.0.as_str()))
            .filter(has_charts)
            .collect()
    }

    /// The files that refer to a declaration by name.
    fn referring(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let index = || WordIndex::new(self.files.values().map(|file| file.words.names.as_slice()));
        let words = self.name_words.get_or_init(index).with_hash(hash(name.as_bytes()));
        let files = words.map(|(position, word)| (self.positions[position], word));
        files.filter(move |((_, file), word)| word.text(&file.bytes) == name).map(|((path, _), _)| path)
    }

    /// The files that are mentioned and that a search doesn't find: patches in JSON, and lines of `NAME=VALUE`.
    pub fn unsearched_files(&self) -> BTreeSet<String> {
        let words = self.files.iter().flat_map(|(path, StructuralFile { bytes, words })| {
            words.unsearched.iter().map(move |word| (path, word.text(bytes)))
        });
        words.flat_map(|(path, word)| joined(path, word)).collect()
    }

    /// The files and folders that a file mentions.
    pub fn of(&self, file: &str) -> BTreeSet<String> {
        let Some(StructuralFile { bytes, words }) = self.files.get(file) else { return BTreeSet::new() };
        let paths = words.paths.iter().flat_map(|word| joined(file, word.text(bytes)));
        paths.filter(|path| self.exists(path)).collect()
    }

    /// Whether a path may be that of a file or folder.
    fn exists(&self, path: &str) -> bool {
        !is_yaml(path) || self.paths.contains(path) || paths_below(path, self.paths).next().is_some()
    }

    /// The declarations that a file refers to by name.
    fn declarations_for(&self, file: &str) -> BTreeSet<&'a str> {
        let Some(StructuralFile { bytes, words }) = self.files.get(file) else { return BTreeSet::new() };
        let named = words.names.iter().filter_map(|word| self.declared.get(word.text(bytes)));
        named.flatten().copied().filter(|path| *path != file).collect()
    }

    /// The declarations that some files refer to by name.
    pub fn declarations_of(&self, files: &BTreeSet<String>) -> BTreeSet<String> {
        files.iter().flat_map(|file| self.declarations_for(file)).map(str::to_owned).collect()
    }

    /// What some files include, directly or by others, with those files. For a folder with a kustomization, that is the
    /// kustomization, else everything below.
    pub fn included(&self, files: &BTreeSet<String>) -> BTreeSet<String> {
        let mut included = files.clone();
        let mut next: Vec<String> = files.iter().cloned().collect();
        let mut visited: HashSet<String> = HashSet::new();
        while let Some(path) = next.pop() {
            let declarations = self.declarations_for(&path).into_iter().map(str::to_owned);
            let mut found = Vec::new();
            for target in self.of(&path).into_iter().chain(declarations) {
                if !visited.contains(&target) {
                    found.extend(below(&target, self.paths));
                    visited.insert(target);
                }
            }
            if last_part(path.as_bytes()) == b"Chart.yaml" {
                found.extend(paths_below(folder_of(&path), self.paths).cloned());
            }
            next.extend(found.into_iter().filter(|path| included.insert(path.clone())));
        }
        included
    }

    /// The files from which a chain of mentions leads to one of `seeds`, with the seeds.
    pub fn reaching(&mut self, seeds: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = seeds.clone();
        let mut next: Vec<String> = seeds.iter().cloned().collect();
        let (mut visited, mut names) = (HashSet::new(), HashSet::new());
        while !next.is_empty() {
            let mut places: Vec<&str> = Vec::new();
            for path in &next {
                let on_the_way = std::iter::once(path.as_str()).chain(folders_above(path));
                places.extend(on_the_way.take_while(|place| visited.insert((*place).to_owned())));
            }
            places.retain(|place| self.exists(place));
            self.compare(places.iter().copied());
            let mut found: Vec<&str> = Vec::new();
            for place in places {
                found.extend(self.mentioning(place));
                found.extend(self.inflating(place));
            }
            let declared = next.iter().filter_map(|path| self.declarations.get(path)).flatten();
            for name in declared.filter(|name| names.insert(name.as_str())) {
                found.extend(self.referring(name));
            }
            next = found.into_iter().map(str::to_owned).filter(|file| reached.insert(file.clone())).collect();
        }
        reached
    }
}

/// What a word of a file means if it is a path: one relative to the file, or to the repository's root.
fn joined(file: &str, word: &str) -> impl Iterator<Item = String> + use<> {
    [join(folder_of(file), word), join("", word)].into_iter().flatten()
}

/// The files that a mention of a file or folder includes.
fn below(target: &str, paths: &BTreeSet<String>) -> Vec<String> {
    if paths.contains(target) {
        return vec![target.to_owned()];
    }
    match kustomization_files(target).into_iter().find(|path| paths.contains(path)) {
        Some(path) => vec![path],
        None => paths_below(target, paths).cloned().collect(),
    }
}

/// What the kustomization in a folder can be called.
fn kustomization_files(folder: &str) -> [String; 3] {
    ["kustomization.yaml", "kustomization.yml", "Kustomization"].map(|name| in_folder(folder, name))
}

/// A file of another kind can't be looked up in the list of YAML files. It needs a suffix, to tell it from a word.
fn is_yaml(path: &str) -> bool {
    let suffix = file_name(path).rsplit_once('.').map_or("", |(_, suffix)| suffix);
    !["json", "env", "properties", "txt", "conf", "tpl"].contains(&suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_of_mentions_leads_from_a_file_to_everything_above_it() {
        let files: [(&str, &str); 4] = [
            ("apps/base/kustomization.yaml", "resources: [deployment.yaml]\n"),
            ("apps/prod/kustomization.yaml", "resources:\n- ../base\n"),
            ("flux/prod.yaml", "spec:\n  path: ./apps/prod\n"),
            ("other/kustomization.yaml", "resources:\n- a.yaml\n"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), StructuralFile::new(path, text.as_bytes())));
        let files = BTreeMap::from(files);
        let more = ["apps/base/deployment.yaml", "other/a.yaml"].map(str::to_owned);
        let paths = files.keys().cloned().chain(more).collect();
        let declarations = BTreeMap::new();
        let mut mentions = Mentions::new(&files, &paths, &declarations);
        let seeds = BTreeSet::from(["apps/base/deployment.yaml".to_owned()]);
        let reached: Vec<_> = mentions.reaching(&seeds).into_iter().collect();
        assert_eq!(
            reached,
            [
                "apps/base/deployment.yaml",
                "apps/base/kustomization.yaml",
                "apps/prod/kustomization.yaml",
                "flux/prod.yaml"
            ]
        );
    }
}
