//! Which files mention which paths, found without parsing: every word that is the path of an existing file or folder
//! counts. That is more than the tools include, so it only narrows down which files to read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::files::{folder_of, join};
use crate::manifest::is_kustomization_file;

/// Longer words are no paths.
const MAX_PATH: usize = 1024;

/// For each file and folder, the files that mention it.
#[derive(Debug, Default)]
pub struct Mentions {
    by: HashMap<String, Vec<String>>,
    /// For each file, the files and folders that it mentions.
    of: HashMap<String, BTreeSet<String>>,
    /// For each file, the declarations that it refers to by name.
    declarations: HashMap<String, BTreeSet<String>>,
}

/// What refers to a declaration by name: values and variables from ConfigMaps, sources and charts of Flux.
const REFERENCES: [&[u8]; 4] = [b"valuesFrom", b"substituteFrom", b"sourceRef", b"chartRef"];

/// What is before a path of one part, outside of kustomizations: other single words are too often names.
const BEFORE_PATHS: [&str; 11] = [
    ":",
    "-",
    "path:",
    "chart:",
    "file:",
    "repository:",
    "components:",
    "valueFiles:",
    "valuesFiles:",
    "valuesFile:",
    "include:",
];

impl Mentions {
    /// Reads the words of `files`; `paths` are all YAML files of the repository, `declarations` those that declare
    /// something with these names.
    pub fn new<'a>(
        files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>,
        paths: &BTreeSet<String>,
        declarations: &BTreeMap<String, Vec<String>>,
    ) -> Self {
        let mut by_name: HashMap<&str, Vec<&String>> = HashMap::new();
        for (path, names) in declarations {
            names.iter().for_each(|name| by_name.entry(name).or_default().push(path));
        }
        let declared_names = WordFilter::new(by_name.keys().copied());
        let existing = Existing::new(paths);
        let mut mentions = Mentions::default();
        for (file, bytes) in files {
            let refers = REFERENCES.iter().any(|key| memchr::memmem::find(bytes, key).is_some());
            let (mut targets, mut named) = (BTreeSet::new(), BTreeSet::new());
            let (is_kustomization, mut before) = (is_kustomization_file(file), "");
            let mut is_path = false;
            for word in words(bytes) {
                let behind = std::mem::replace(&mut before, word);
                if word.ends_with(':') {
                    is_path = false;
                    continue;
                }
                // the next item of a list in flow style is one if this is
                is_path = is_path
                    || is_kustomization
                    || word.contains(['/', '.'])
                    || BEFORE_PATHS.contains(&behind);
                if is_path && existing.may_have(word) {
                    let joined = [join(folder_of(file), word), join("", word)].into_iter().flatten();
                    targets.extend(joined.filter(|path| existing.has(path)));
                }
                if refers && ["name:", ":"].contains(&behind) && declared_names.may_have(word) {
                    let declared = by_name.get(word).into_iter().flatten();
                    named.extend(declared.filter(|path| path.as_str() != file).map(|path| (*path).clone()));
                }
            }
            for target in targets.iter().chain(&named) {
                mentions.by.entry(target.clone()).or_default().push(file.clone());
            }
            mentions.declarations.insert(file.clone(), named);
            mentions.of.insert(file.clone(), targets);
        }
        mentions
    }

    /// The JSON files that are mentioned, such as patches.
    pub fn json_files(&self) -> impl Iterator<Item = &str> {
        self.by.keys().map(String::as_str).filter(|path| path.ends_with(".json"))
    }

    /// The files and folders that a file mentions.
    pub fn of(&self, file: &str) -> impl Iterator<Item = &str> {
        self.of.get(file).into_iter().flatten().map(String::as_str)
    }

    /// What some files include, directly or by others, with those files. Of a folder with a kustomization, that is the
    /// kustomization, else everything below.
    pub fn included(&self, files: &BTreeSet<String>, paths: &BTreeSet<String>) -> BTreeSet<String> {
        let mut included = files.clone();
        let mut next: Vec<String> = files.iter().cloned().collect();
        let mut visited: HashSet<&str> = HashSet::new();
        while let Some(path) = next.pop() {
            let declarations = self.declarations.get(&path).into_iter().flatten().map(String::as_str);
            let beside = (last_part(&path) == "Chart.yaml").then(|| folder_of(&path)).into_iter();
            let targets: Vec<&str> = self.of(&path).chain(declarations).collect();
            for target in targets.into_iter().filter(|target| visited.insert(target)) {
                next.extend(below(target, paths).into_iter().filter(|path| included.insert(path.clone())));
            }
            for folder in beside {
                next.extend(
                    everything_below(folder, paths).into_iter().filter(|path| included.insert(path.clone())),
                );
            }
        }
        included
    }

    /// The declarations that some files refer to by name.
    pub fn declarations_of(&self, files: &BTreeSet<String>) -> BTreeSet<String> {
        files.iter().filter_map(|file| self.declarations.get(file)).flatten().cloned().collect()
    }

    /// The files from which a chain of mentions leads to one of `seeds`, with the seeds.
    pub fn reaching(&self, seeds: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = seeds.clone();
        let mut next: Vec<String> = seeds.iter().cloned().collect();
        let mut visited: HashSet<&str> = HashSet::new();
        while let Some(path) = next.pop() {
            for place in std::iter::once(path.as_str()).chain(above(&path)) {
                let Some((place, by)) = self.by.get_key_value(place) else { continue };
                if !visited.insert(place) {
                    continue;
                }
                let new = by.iter().filter(|file| reached.insert((*file).clone()));
                next.extend(new.cloned());
            }
        }
        reached
    }
}

/// The files that a mention of a file or folder includes.
fn below(target: &str, paths: &BTreeSet<String>) -> Vec<String> {
    if paths.contains(target) {
        return vec![target.to_owned()];
    }
    let inside = |name: &str| if target.is_empty() { name.to_owned() } else { format!("{target}/{name}") };
    let kustomization = ["kustomization.yaml", "kustomization.yml", "Kustomization"].map(inside);
    match kustomization.into_iter().find(|path| paths.contains(path)) {
        Some(path) => vec![path],
        None => everything_below(target, paths),
    }
}

fn everything_below(folder: &str, paths: &BTreeSet<String>) -> Vec<String> {
    let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let inside = paths.range(start.clone()..).take_while(|path| path.starts_with(&start));
    inside.cloned().collect()
}

/// The files and folders of a repository.
struct Existing<'a> {
    paths: &'a BTreeSet<String>,
    folders: HashSet<&'a str>,
    /// The last parts of all paths.
    names: WordFilter,
}

impl<'a> Existing<'a> {
    fn new(paths: &'a BTreeSet<String>) -> Self {
        let mut folders: HashSet<&str> = HashSet::new();
        for path in paths {
            // a folder that is known came with those above it
            above(path).take_while(|folder| folders.insert(folder)).for_each(drop);
        }
        let names = paths.iter().map(String::as_str).chain(folders.iter().copied());
        let names = WordFilter::new(names.map(last_part));
        Existing { paths, folders, names }
    }

    /// Whether a word can be a path that exists. Cheap, because it is asked for every word of every file.
    fn may_have(&self, word: &str) -> bool {
        let name = last_part(word.trim_end_matches('/'));
        ["", ".", ".."].contains(&name) || self.names.may_have(name) || !is_yaml(name)
    }

    fn has(&self, path: &str) -> bool {
        self.folders.contains(path) || self.paths.contains(path) || !is_yaml(path)
    }
}

fn last_part(path: &str) -> &str {
    memchr::memrchr(b'/', path.as_bytes()).map_or(path, |at| &path[at + 1..])
}

/// Says of most words quickly that they are none of some names.
struct WordFilter(Vec<u64>);

impl WordFilter {
    const BITS: usize = 1 << 16;

    fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut filter = WordFilter(vec![0; Self::BITS / 64]);
        for name in names {
            let (at, bit) = Self::place(name);
            filter.0[at] |= bit;
        }
        filter
    }

    fn may_have(&self, word: &str) -> bool {
        let (at, bit) = Self::place(word);
        self.0[at] & bit != 0
    }

    /// FNV-1a.
    fn place(word: &str) -> (usize, u64) {
        let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = word.bytes().fold(0x811c_9dc5, mix);
        let bit = (hash ^ (hash >> 16)) as usize % Self::BITS;
        (bit / 64, 1 << (bit % 64))
    }
}

/// The folders that a path is in, innermost first; the root is empty.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder_of(path)), |folder| (!folder.is_empty()).then(|| folder_of(folder)))
}

/// A file of another kind can't be looked up in the list of YAML files. It needs a suffix, to tell it from a word.
fn is_yaml(path: &str) -> bool {
    let suffix = last_part(path).rsplit_once('.').map_or("", |(_, suffix)| suffix);
    !["json", "env", "properties", "txt", "conf", "tpl"].contains(&suffix)
}

const SEPARATORS: [bool; 128] = {
    let (mut table, bytes) = ([false; 128], b" \t\n\r\x0b\x0c[]{},\"'=;");
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
};

/// The words of a text that may be paths, without quotes and brackets, and without what precedes a path in a Helm
/// dependency (`file://`) and in Argo CD's `valueFiles` (`$name/`).
fn words(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let words = text.split(|c: char| SEPARATORS.get(c as usize).is_some_and(|is| *is));
    let words = words.map(|word| word.strip_prefix("file://").unwrap_or(word));
    let words = words.map(|word| match word.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
        Some((_, path)) => path,
        None => word,
    });
    words.filter(|word| !word.is_empty() && word.len() <= MAX_PATH)
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
        let files: Vec<_> =
            files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into_iter().collect();
        let more = ["apps/base/deployment.yaml", "other/a.yaml"].map(str::to_owned);
        let paths = files.iter().map(|(path, _)| path.clone()).chain(more).collect();
        let mentions =
            Mentions::new(files.iter().map(|(path, bytes)| (path, bytes)), &paths, &BTreeMap::new());
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
