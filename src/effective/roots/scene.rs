//! What is known of a repository before anything is rendered.

use std::collections::BTreeSet;

use memchr::memmem::{Finder, find};
use memchr::{memchr, memrchr};

use super::super::entry_files::EntryFiles;
use super::super::files::{Files, folders_above, join};
use super::super::helmfile::is_helmfile;
use super::super::images::object_images;
use super::super::place::FileId;
use super::super::root::Root;
use super::super::value::Value;
use super::Deployment;
use crate::file_selection::file_name;
use crate::manifest::{is_compose, is_stack};

/// The file names that kustomize recognises.
pub(super) const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(super) const CHART_FILE: &str = "Chart.yaml";

/// The API groups of objects that include files, without `.io/`.
const GROUPS: [&[u8]; 3] = [b".toolkit.fluxcd", b"kustomize.config.k8s", b"argoproj"];

/// The files to start from.
pub struct Scene<'a> {
    /// The files from which mentions lead to an image, with those that name it.
    pub reached: &'a BTreeSet<String>,
    /// The files that declare what others refer to by name: sources, charts, ConfigMaps, Secrets.
    pub declarations: &'a BTreeSet<String>,
    /// The repository's URL, if it is known.
    pub url: Option<&'a str>,
}

/// Looks at files without parsing them.
pub struct FileMarks {
    groups: Finder<'static>,
    kinds: [Finder<'static>; 2],
    metadata: Finder<'static>,
}

/// What a file is to others.
pub struct FileRole {
    /// It can include others.
    pub is_structural: bool,
    /// The names in it, if it declares what other files refer to by name: sources and charts of Flux, and the
    /// ConfigMaps and Secrets that values and variables are taken from, also those that kustomize generates.
    pub declared: Vec<String>,
}

impl Default for FileMarks {
    fn default() -> Self {
        FileMarks {
            groups: Finder::new(".io/"),
            kinds: ["ConfigMap", "Secret"].map(Finder::new),
            metadata: Finder::new("metadata:"),
        }
    }
}

impl FileMarks {
    pub fn role(&self, path: &str, bytes: &[u8]) -> FileRole {
        let ends = |at: usize, ending: &[u8]| bytes[..at].ends_with(ending);
        let groups: Vec<usize> = self.groups.find_iter(bytes).collect();
        let has_group = |group: &[u8]| groups.iter().any(|&at| ends(at, group));
        let name = file_name(path);
        let is_structural = KUSTOMIZATION_FILES.contains(&name)
            || name == CHART_FILE
            || name.starts_with(".argocd-source")
            || GROUPS.iter().any(|group| has_group(group))
            || name.contains("compose")
            || is_stack(name)
            || is_helmfile(path);
        let declares =
            has_group(b"source.toolkit.fluxcd") || self.kinds.iter().any(|kind| kind.find(bytes).is_some());
        let mut declared = if declares { self.names(bytes) } else { Vec::new() };
        if KUSTOMIZATION_FILES.contains(&name) {
            declared.append(&mut generated_names(bytes));
        }
        FileRole { is_structural, declared }
    }

    /// The names of the objects in a file. In flow style, every name behind `metadata` counts.
    fn names(&self, bytes: &[u8]) -> Vec<String> {
        let names = self.metadata.find_iter(bytes).filter_map(|at| {
            let before = &bytes[at.saturating_sub(MAX_LOOKED_AT)..at];
            let indentation_of_key = before.len() - memrchr(b'\n', before).map_or(0, |end| end + 1);
            let behind = &bytes[at + self.metadata.needle().len()..];
            let near = &behind[..behind.len().min(MAX_LOOKED_AT)];
            let end = memchr(b'\n', near);
            let rest = near[..end.unwrap_or(near.len())].trim_ascii();
            if !rest.is_empty() && !rest.starts_with(b"#") {
                return name_in(rest.get(find(rest, b"name")? + b"name".len()..)?);
            }
            let lines = behind[end? + 1..].split(|&byte| byte == b'\n');
            let inside = lines
                .take(MAX_METADATA)
                .take_while(|line| line.trim_ascii().is_empty() || indentation(line) > indentation_of_key);
            name_in(inside.filter_map(|line| line.trim_ascii_start().strip_prefix(b"name")).next()?)
        });
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

/// The names of what the generators of a kustomization make, in block style.
fn generated_names(bytes: &[u8]) -> Vec<String> {
    if find(bytes, b"Generator:").is_none() {
        return Vec::new();
    }
    let (mut names, mut is_inside) = (BTreeSet::new(), false);
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.first().is_some_and(|first| !b" -#\r".contains(first)) {
            is_inside = GENERATORS.iter().any(|key| line.starts_with(key));
            continue;
        }
        let item = line.trim_ascii_start();
        let item = item.strip_prefix(b"-").map_or(item, <[u8]>::trim_ascii_start);
        names.extend(item.strip_prefix(b"name:").filter(|_| is_inside).and_then(name_in));
    }
    names.into_iter().map(str::to_owned).collect()
}

const GENERATORS: [&[u8]; 2] = [b"configMapGenerator:", b"secretGenerator:"];

/// This much of the line of `metadata:` is looked at, in bytes on each side: a file can have it many times in one long line.
const MAX_LOOKED_AT: usize = 8 * 1024;

/// An object's name is among the first lines of its metadata.
const MAX_METADATA: usize = 200;

fn indentation(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// The value behind a key without its colon: `: api`.
fn name_in(behind: &[u8]) -> Option<&str> {
    let without_blanks = |text: &'_ [u8]| text.iter().take_while(|byte| b" :\"'".contains(byte)).count();
    let mut value = &behind[without_blanks(behind)..];
    // an anchor or a tag before it
    while matches!(value.first(), Some(b'&' | b'!')) {
        value = &value[memchr(b' ', value)?..];
        value = &value[without_blanks(value)..];
    }
    let value = &value[..value.len().min(MAX_NAME + 1)];
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"',}#".contains(byte);
    let end = value.iter().position(is_end).unwrap_or(value.len());
    let name = std::str::from_utf8(&value[..end]).ok()?;
    (!name.is_empty() && name.len() <= MAX_NAME).then_some(name)
}

/// Kubernetes allows no longer names.
const MAX_NAME: usize = 253;

impl Scene<'_> {
    /// The folders of charts that hold or are reached files.
    pub(super) fn chart_folders(&self, files: &Files<'_>) -> Vec<String> {
        let folders: BTreeSet<&str> = self.reached.iter().flat_map(|path| folders_above(path)).collect();
        let is_chart = |folder: &&str| join(folder, CHART_FILE).is_some_and(|path| files.has(&path));
        folders.into_iter().filter(is_chart).map(str::to_owned).collect()
    }

    pub(super) fn declared_objects(&self, files: &mut Files<'_>) -> Vec<Value> {
        self.declarations.iter().flat_map(|path| documents(files, path)).collect()
    }

    /// The Kubernetes objects of a reached file, as they are written.
    pub(super) fn objects(&self, files: &mut Files<'_>, path: &str) -> Vec<Value> {
        if !may_hold_objects(files, path) {
            return Vec::new();
        }
        documents(files, path).into_iter().filter(is_kubernetes).collect()
    }

    /// As [`Scene::objects`], but only those of some kinds. Most files have none, and their values needn't be read.
    pub(super) fn objects_of_kinds(&self, files: &mut Files<'_>, path: &str, kinds: &[&str]) -> Vec<Value> {
        let is_any = |kind: &str| kind == "List" || kinds.contains(&kind);
        let loaded = may_hold_objects(files, path).then(|| files.load(path)).flatten();
        if !loaded.is_some_and(|file| files.kinds(file).any(is_any)) {
            return Vec::new();
        }
        let is_wanted = |object: &Value| object.text_at(&["kind"]).is_some_and(|kind| kinds.contains(&kind));
        self.objects(files, path).into_iter().filter(is_wanted).collect()
    }

    /// The reached files that no kustomization includes, each as a deployment of its own.
    pub(super) fn files_alone(&self, files: &mut Files<'_>, included: &BTreeSet<FileId>) -> Vec<Deployment> {
        let alone = self.reached.iter().filter_map(|path| {
            let id = files.load(path).filter(|id| !included.contains(id))?;
            let objects = self.objects(files, path);
            let images = objects.iter().flat_map(object_images).collect();
            let entry = EntryFiles::of_file(path);
            let files = BTreeSet::from([id]);
            let root = Root { name: path.clone(), entry, images, files, ..Root::default() };
            (!objects.is_empty()).then_some(Deployment { root, objects, is_file: true, implied_by: None })
        });
        alone.collect()
    }
}

fn may_hold_objects(files: &Files<'_>, path: &str) -> bool {
    let name = file_name(path);
    let is_other = KUSTOMIZATION_FILES.contains(&name) || name == CHART_FILE || is_compose(name);
    !is_other && files.has(path)
}

fn is_kubernetes(value: &Value) -> bool {
    value.text_at(&["apiVersion"]).is_some() && value.text_at(&["kind"]).is_some()
}

/// The documents of a file, each item of a `List` on its own.
pub(super) fn documents(files: &mut Files<'_>, path: &str) -> Vec<Value> {
    let Some(id) = files.load(path) else { return Vec::new() };
    let documents = files.documents(id).into_iter();
    documents
        .flat_map(|document| match document.get("items") {
            Some(Value::List(items)) if document.text_at(&["kind"]) == Some("List") => items.clone(),
            _ => vec![document],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generators_declare_what_they_make() {
        let text = b"configMapGenerator:\n# one\n- literals: [a=b]\n  name: \"versions\"\nimages:\n- name: api\nsecretGenerator:\n  - name: keys\n";
        let role = |path: &str| FileMarks::default().role(path, text).declared;
        assert_eq!(role("apps/kustomization.yaml"), ["keys", "versions"]);
        assert!(role("apps/other.yaml").is_empty());
    }

    #[test]
    fn names_are_found_in_both_styles() {
        let names = |text: &str| FileMarks::default().names(text.as_bytes());
        let block = "kind: ConfigMap\nmetadata: # of the app\n  labels: {a: b}\n  name: one\n";
        assert_eq!(names(block), ["one"]);
        assert_eq!(
            names("{kind: Secret, metadata: {name: two}}\n---\nmetadata: {labels: {}, name: 'three'}"),
            ["three", "two"]
        );
        assert_eq!(names("metadata:"), Vec::<String>::new());
        // a line is only looked at near the key
        let long = format!("{}metadata: {{name: four}}", "metadata: x ".repeat(100_000));
        assert_eq!(names(&long), ["four"]);
    }
}
