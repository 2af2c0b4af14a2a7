//! Which files may make one place override another, found without parsing. A listing renders only the roots around
//! them: without such a file, each image has one place.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memchr;
use memchr::memmem::{find, find_iter};

use super::files::folder_of;
use super::helmfile::is_helmfile;
use super::mentions::{Mentions, StructuralFile};
use crate::file_selection::{file_name, in_folder, paths_below};
use crate::manifest::is_kustomization_file;

/// Patches can have any effect, so it counts whether their text can name an image or a version.
const PATCHES: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];
const VERSIONS: [&str; 5] = ["mage", "tag", "Tag", "repo", "digest"];

/// What else in a kustomization, or in Flux's, sets images of something that it includes.
const TRANSFORMS: [&str; 10] = [
    "images",
    "imageTags",
    "components",
    "replacements",
    "vars",
    "transformers",
    "helmChart",
    "configurations",
    "generators",
    "Component",
];

/// A HelmRelease that only has its own values has nothing that could override them.
const RELEASES: [&str; 4] = ["valuesFrom", "postRenderers", "chartRef", "GitRepository"];

const APPLICATIONS: [&str; 4] = ["helm:", "kustomize:", "ApplicationSet", "plugin:"];

/// The files that may override something. `structural` are those that can include others; `read` gives the bytes of a
/// file.
pub fn overriders(
    structural: &BTreeMap<String, StructuralFile>,
    paths: &BTreeSet<String>,
    mentions: &Mentions<'_>,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> BTreeSet<String> {
    let folders = Folders::new(paths);
    let is_overrider = |path: &str, bytes: &[u8]| {
        let name = file_name(path);
        let patches = || {
            has_any(bytes, &PATCHES)
                && (has_any(bytes, &VERSIONS)
                    || mentions.of(path).iter().any(|file| {
                        file.ends_with(".json")
                            || paths.contains(file) && read(file).is_none_or(|b| has_any(&b, &VERSIONS))
                    }))
        };
        if is_kustomization_file(path) || find(bytes, b"kustomize.toolkit.fluxcd.io/").is_some() {
            return has_any(bytes, &TRANSFORMS) || patches();
        }
        if name == "Chart.yaml" {
            return folders.yaml_files(folder_of(path)) > 2
                || folders.holds(folder_of(path), "charts")
                || read(&in_folder(folder_of(path), "values.yaml"))
                    .is_some_and(|bytes| has_shared_tag(&bytes))
                || find(bytes, b"file:").is_some()
                || paths_below(&in_folder(folder_of(path), "templates"), paths)
                    .any(|template| read(template).is_some_and(|bytes| makes_image(&bytes)));
        }
        let is_project = || {
            name.contains("compose")
                && (folders.composes(folder_of(path)) > 1
                    || bytes.contains(&b'$')
                    || has_any(bytes, &["extends", "include"]))
        };
        let is_release = || find(bytes, b"helm.toolkit.fluxcd.io/").is_some() && has_any(bytes, &RELEASES);
        let is_application = || find(bytes, b"argoproj.io/").is_some() && has_any(bytes, &APPLICATIONS);
        name.starts_with(".argocd-source")
            || is_helmfile(path)
            || is_project()
            || is_release()
            || is_application()
    };
    let found = structural.iter().filter(|(path, file)| is_overrider(path, &file.bytes));
    found.map(|(path, _)| path.clone()).collect()
}

fn has_any(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| find(bytes, word.as_bytes()).is_some())
}

/// Whether a chart's template may give an image whose name isn't that of one block of values, as `helm create` writes it:
/// `image: "{{ .Values.image.repository }}:…"`.
fn makes_image(template: &[u8]) -> bool {
    find_iter(template, b"image:").any(|at| {
        let line = &template[at + b"image:".len()..];
        let line = &line[..memchr(b'\n', line).unwrap_or(line.len())];
        find(line, b"{{").is_some() && !begins_with_repository(line)
    })
}

fn begins_with_repository(image: &[u8]) -> bool {
    let is_around = |byte: &u8| b" \"'{-$".contains(byte);
    let path = &image[image.iter().take_while(|byte| is_around(byte)).count()..];
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let path = &path[..path.iter().take_while(|byte| is_part(byte)).count()];
    path.starts_with(b".Values.") && path.ends_with(b".repository")
}

/// Whether values have a tag at the top or under `global`, which a chart's templates may give to several images.
fn has_shared_tag(values: &[u8]) -> bool {
    let mut is_global = false;
    values.split(|&byte| byte == b'\n').any(|line| {
        let is_top = line.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'"');
        let colon = memchr(b':', line).unwrap_or(line.len());
        let key = line[..colon].trim_ascii();
        let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
        if is_top {
            is_global = key == b"global";
        }
        let is_tag = [&b"tag"[..], b"Tag", b"version", b"Version"].iter().any(|end| key.ends_with(end));
        (is_top || is_global) && is_tag && !line[colon..].trim_ascii().is_empty()
    })
}

/// What is directly in each folder.
struct Folders<'a> {
    yaml: BTreeMap<&'a str, Contents>,
}

#[derive(Default)]
struct Contents {
    files: usize,
    composes: usize,
}

impl<'a> Folders<'a> {
    fn new(paths: &'a BTreeSet<String>) -> Self {
        let mut yaml: BTreeMap<&str, Contents> = BTreeMap::new();
        for path in paths {
            let contents = yaml.entry(folder_of(path)).or_default();
            contents.files += 1;
            contents.composes += usize::from(file_name(path).contains("compose"));
        }
        Folders { yaml }
    }

    fn yaml_files(&self, folder: &str) -> usize {
        self.yaml.get(folder).map_or(0, |contents| contents.files)
    }

    fn composes(&self, folder: &str) -> usize {
        self.yaml.get(folder).map_or(0, |contents| contents.composes)
    }

    /// Whether there are YAML files below a folder in another one.
    fn holds(&self, folder: &str, inner: &str) -> bool {
        let inner = in_folder(folder, inner);
        // a folder whose name only starts like this can come between the two
        let below = format!("{inner}/");
        let is_below = |(path, _): (&&str, _)| path.starts_with(&below);
        self.yaml.contains_key(inner.as_str())
            || self.yaml.range(below.as_str()..).next().is_some_and(is_below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_at_the_top_or_under_global_may_be_of_several_images() {
        for values in
            ["imageTag: v1\n", "a: b\nglobal:\n  image:\n    tag: v1", "version: 1\r\n", "\"tag\": v1"]
        {
            assert!(has_shared_tag(values.as_bytes()), "{values}");
        }
        for values in ["image:\n  tag: v1\n", "# tag: v1\n", "global:\n  a: b\nimage:\n  tag: v1\n", ""] {
            assert!(!has_shared_tag(values.as_bytes()), "{values}");
        }
    }

    #[test]
    fn template_may_make_an_image_of_other_values_than_a_repository() {
        let line = "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n";
        for text in [
            line,
            "image: '{{- $.Values.image.repository }}:{{ .Values.tag }}'",
            "image: ghcr.io/acme/api:v1\n{{ .Values.x }}",
            "{{ .Values.image }}",
            "",
        ] {
            assert!(!makes_image(text.as_bytes()), "{text}");
        }
        for text in [
            "image: '{{ .Values.registry }}/{{ .Values.image.repository }}'",
            "image: {{ include \"api.image\" . }}",
            "- image: '{{ .Values.a }}/b:{{ .Values.tag }}'\n",
        ] {
            assert!(makes_image(format!("{line}{text}").as_bytes()), "{text}");
        }
    }

    #[test]
    fn folder_with_a_similar_name_hides_no_other() {
        let paths: BTreeSet<String> =
            ["app/charts-old/note.yaml", "app/charts/sub/Chart.yaml", "charts.yaml", "x/charts/a.yaml"]
                .map(str::to_owned)
                .into();
        let folders = Folders::new(&paths);
        assert!(folders.holds("app", "charts") && folders.holds("x", "charts"));
        assert!(!folders.holds("", "charts") && !folders.holds("app", "charts-new"));
    }
}
