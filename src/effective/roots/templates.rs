//! Templates of charts that make Applications, Flux Kustomizations or HelmReleases, and that aren't valid YAML themselves.

use std::collections::BTreeSet;

use memchr::memmem::find;

use super::super::files::{Files, folder_of, join};
use super::super::folder_pattern::FolderPattern;
use super::super::repository_url::{same_name, same_repository};
use super::super::root::{Doubt, Root};
use super::scene::Scene;
use crate::file_selection::file_name;

/// What such a template makes.
struct Made {
    group: &'static str,
    kinds: &'static [&'static str],
    /// As a message calls them.
    name: &'static str,
    /// The key of the folder that they render.
    folder: &'static str,
}

const MADE: [Made; 3] = [
    Made {
        group: "argoproj.io/",
        kinds: &["Application", "ApplicationSet"],
        name: "Applications",
        folder: "path",
    },
    Made { group: "helm.toolkit.fluxcd.io/", kinds: &["HelmRelease"], name: "HelmReleases", folder: "chart" },
    Made {
        group: "kustomize.toolkit.fluxcd.io/",
        kinds: &["Kustomization"],
        name: "Flux Kustomizations",
        folder: "path",
    },
];

/// What changes the images of the folder that it deploys.
const CHANGES: [&str; 7] = ["helm", "kustomize", "plugin", "values", "valuesFrom", "patches", "images"];

/// Those of them that can hold a tag, or name files that do.
const SETS: [&str; 7] =
    ["values", "valuesObject", "valueFiles", "parameters", "valuesFrom", "patches", "images"];

/// A template of more folders may render any.
const MAX_FOLDERS: usize = 100;

/// A root for each such template that may change what other roots run.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    let mut roots: Vec<Root> = scene.reached.iter().filter_map(|path| root(files, path, scene.url)).collect();
    let charts: BTreeSet<&str> =
        scene.reached.iter().filter_map(|path| chart_of_values(files, path)).collect();
    let templates = |folder: &str| join(folder, "templates").map(|folder| files.below(&folder));
    let templates: BTreeSet<&str> = charts.into_iter().filter_map(templates).flatten().collect();
    roots.extend(templates.into_iter().filter_map(|path| root_of_any_folder(files, path, scene.url)));
    roots
}

/// The folder of the chart that a file holds the values of. They may name the folders that its templates render.
fn chart_of_values<'p>(files: &Files<'_>, path: &'p str) -> Option<&'p str> {
    let folder = folder_of(path);
    let is_values = file_name(path).starts_with("values");
    (is_values && files.has(&join(folder, "Chart.yaml")?)).then_some(folder)
}

/// A root for a template that renders a folder which its chart's values name.
fn root_of_any_folder(files: &mut Files<'_>, path: &str, url: Option<&str>) -> Option<Root> {
    let id = files.load(path)?;
    let text = std::str::from_utf8(&files.file(id).bytes).ok()?;
    let made = documents(text).iter().find_map(|document| document.made_of_any_folder(url))?;
    Some(root_of(path, made.name, FolderPattern::new(".").into_iter().collect()))
}

fn root(files: &mut Files<'_>, path: &str, url: Option<&str>) -> Option<Root> {
    let id = files.load(path)?;
    let file = files.file(id);
    if file.yaml.is_some() || find(&file.bytes, b"{{").is_none() {
        return None;
    }
    let documents = documents(std::str::from_utf8(&file.bytes).ok()?);
    let found: Vec<(&Made, FolderPattern)> =
        documents.iter().flat_map(|document| document.folders(url)).take(MAX_FOLDERS + 1).collect();
    let name = found.first()?.0.name;
    let may_render = match found.len() > MAX_FOLDERS {
        true => FolderPattern::new(".").into_iter().collect(),
        false => found.into_iter().map(|(_, folder)| folder).collect(),
    };
    Some(root_of(path, name, may_render))
}

fn root_of(path: &str, name: &str, may_render: Vec<FolderPattern>) -> Root {
    Root {
        name: format!("the {name} that it makes"),
        may_render,
        uncertain: vec![Doubt { at: None, what: format!("{path}: is a template of {name}") }],
        ..Root::default()
    }
}

/// The keys and values of one document's lines, without quotes and comments.
struct TemplateDocument<'a>(Vec<(&'a str, &'a str)>);

/// The documents of a text that is YAML only after a template engine has filled it in.
fn documents(text: &str) -> Vec<TemplateDocument<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .split(|line| line.starts_with("---"))
        .map(|lines| TemplateDocument(lines.iter().filter_map(|line| key_and_value(line)).collect()))
        .collect()
}

fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let (key, value) = line.split_once(':').filter(|(key, _)| !key.starts_with(['#', '{']))?;
    let value = value.split(" #").next().unwrap_or_default();
    let is_value = value.is_empty() || value.starts_with([' ', '\t']);
    is_value.then(|| (key.trim_matches(QUOTES), value.trim().trim_matches(QUOTES)))
}

const QUOTES: [char; 2] = ['"', '\''];

impl<'a> TemplateDocument<'a> {
    /// The values of a key, wherever it is.
    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| *own == key).map(|(_, value)| *value)
    }

    /// What it makes; `None` unless that changes images.
    fn made(&self) -> Option<&'static Made> {
        let made = MADE.iter().find(|made| {
            self.values("apiVersion").any(|version| version.starts_with(made.group))
                && self.values("kind").any(|kind| made.kinds.contains(&kind))
        })?;
        self.0.iter().any(|(key, _)| CHANGES.contains(key)).then_some(made)
    }

    /// The folders that it may render in this repository.
    fn folders(&self, url: Option<&str>) -> impl Iterator<Item = (&'static Made, FolderPattern)> {
        let made = self.made().filter(|made| self.may_be_here(made, url));
        made.into_iter().flat_map(move |made| {
            let paths = self.values(made.folder).filter(|path| !path.is_empty() && may_be_folder(made, path));
            let patterns = paths.filter_map(FolderPattern::new).filter(|folder| !folder.is_any());
            patterns.map(move |folder| (made, folder))
        })
    }

    /// What it makes, if the folder is nothing but a placeholder, and if it sets more than how to render that.
    fn made_of_any_folder(&self, url: Option<&str>) -> Option<&'static Made> {
        let is_any = |path: &str| {
            path.contains("{{") && FolderPattern::new(path).is_some_and(|folder| folder.is_any())
        };
        let made = self.made().filter(|made| self.may_be_here(made, url))?;
        let sets = self.0.iter().any(|(key, _)| SETS.contains(key));
        (sets && self.values(made.folder).any(is_any)).then_some(made)
    }

    /// Whether a source can be this repository, as far as that is known. A chart of a HelmRepository never is in it.
    fn may_be_here(&self, made: &Made, url: Option<&str>) -> bool {
        if made.folder == "chart" {
            let has = |kind: &str| self.0.iter().any(|(_, value)| value.contains(kind));
            return has("GitRepository") || !has("HelmRepository");
        }
        let is_here = |repository: &str| {
            let is_other = |own: &str| !same_repository(repository, own) && !same_name(repository, own);
            repository.contains("{{") || !url.is_some_and(is_other)
        };
        let mut named = self.values("repoURL").peekable();
        named.peek().is_none() || named.any(is_here)
    }
}

/// The path of an Application's source is relative: another one is of something else, such as a probe in its values.
fn may_be_folder(made: &Made, path: &str) -> bool {
    made.name != "Applications" || !path.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many folders the documents of a text may render, seen from a repository.
    fn count(text: &str, url: Option<&str>) -> usize {
        documents(text).iter().flat_map(|document| document.folders(url)).count()
    }

    #[test]
    fn application_of_another_repository_renders_no_folder_here() {
        let application = |repository: &str| {
            format!(
                "{{{{ if .x }}}}\napiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    \
                 repoURL: {repository}\n    path: api\n    helm: {{}}\n"
            )
        };
        let own = Some("https://github.com/acme/gitops");
        for (repository, url, expected) in [
            ("https://github.com/other/thing", own, 0),
            ("https://github.com/other/thing", None, 1),
            ("'git@github.com:acme/gitops.git' # this one", own, 1),
            ("{{ .repo }}", own, 1),
        ] {
            assert_eq!(count(&application(repository), url), expected, "{repository} {url:?}");
        }
    }

    #[test]
    fn document_counts_by_its_own_group_and_kind() {
        let of = |kind: &str, more: &str| {
            format!("a: {{{{ x }}}}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: {kind}\n{more}")
        };
        assert_eq!(count(&of("Kustomization", "spec:\n  path: /api\n  images: []\n"), None), 1);
        assert_eq!(count(&of("Kustomization", "spec:\n  path: /api\n"), None), 0);
        assert_eq!(count(&of("Kustomization", "spec:\n  path: /api\n---\nimages: []\n"), None), 0);
        assert_eq!(count(&of("Other", "spec:\n  path: /api\n  images: []\n"), None), 0);
        assert_eq!(count(&of("Kustomization", "spec:\n  path: '{{ .a }}'\n  images: []\n"), None), 0);
    }
}
