//! Which files mention which paths, found without parsing: every word that is the path of an existing file or folder
//! counts. That is more than the tools include, so it only narrows down which files to read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::files::{folder_of, join};

/// Longer words are no paths.
const MAX_PATH: usize = 1024;

/// For each file and folder, the files that mention it.
#[derive(Debug, Default)]
pub struct Mentions {
    by: HashMap<String, Vec<String>>,
    /// For each file, the declarations that it refers to by name.
    declarations: HashMap<String, BTreeSet<String>>,
}

/// What refers to a declaration by name: values and variables from ConfigMaps, sources and charts of Flux.
const REFERENCES: [&[u8]; 4] = [b"valuesFrom", b"substituteFrom", b"sourceRef", b"chartRef"];

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
        let folders: HashSet<&str> = paths.iter().flat_map(|path| above(path)).collect();
        let exists = |path: &str| paths.contains(path) || folders.contains(path) || !is_yaml(path);
        let mut mentions = Mentions::default();
        for (file, bytes) in files {
            let targets: BTreeSet<String> = words(bytes)
                .flat_map(|word| [join(folder_of(file), word), join("", word)])
                .flatten()
                .filter(|path| exists(path))
                .collect();
            let refers = REFERENCES.iter().any(|key| memchr::memmem::find(bytes, key).is_some());
            let named = words(bytes).filter(|_| refers).filter_map(|word| by_name.get(word)).flatten();
            let named: BTreeSet<String> =
                named.filter(|path| path.as_str() != file).map(|path| (*path).clone()).collect();
            for target in targets.iter().chain(&named) {
                mentions.by.entry(target.clone()).or_default().push(file.clone());
            }
            mentions.declarations.insert(file.clone(), named);
        }
        mentions
    }

    /// The JSON files that are mentioned, such as patches.
    pub fn json_files(&self) -> impl Iterator<Item = &str> {
        self.by.keys().map(String::as_str).filter(|path| path.ends_with(".json"))
    }

    /// The declarations that some files refer to by name.
    pub fn declarations_of(&self, files: &BTreeSet<String>) -> BTreeSet<String> {
        files.iter().filter_map(|file| self.declarations.get(file)).flatten().cloned().collect()
    }

    /// The files from which a chain of mentions leads to one of `seeds`, with the seeds.
    pub fn reaching(&self, seeds: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = seeds.clone();
        let mut next: Vec<String> = seeds.iter().cloned().collect();
        while let Some(path) = next.pop() {
            let places = std::iter::once(path.as_str()).chain(above(&path));
            let by = places.filter_map(|place| self.by.get(place)).flatten();
            let new: Vec<String> = by.filter(|file| !reached.contains(*file)).cloned().collect();
            reached.extend(new.iter().cloned());
            next.extend(new);
        }
        reached
    }
}

/// The folders that a path is in, innermost first; the root is empty.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder_of(path)), |folder| (!folder.is_empty()).then(|| folder_of(folder)))
}

/// A file of another kind can't be looked up in the list of YAML files. It needs a suffix, to tell it from a word.
fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    !["json", "env", "properties", "txt", "conf", "tpl"].contains(&suffix)
}

/// The words of a text that may be paths, without quotes and brackets, and without what precedes a path in a Helm
/// dependency (`file://`) and in Argo CD's `valueFiles` (`$name/`).
fn words(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let words = text.split(|c: char| c.is_whitespace() || "[]{},\"'=;".contains(c));
    let words = words.map(|word| word.strip_prefix("file://").unwrap_or(word));
    let words = words.map(|word| match word.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
        Some((_, path)) => path,
        None => word,
    });
    words.filter(|word| !word.is_empty() && word.len() <= MAX_PATH && !word.ends_with(':'))
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
