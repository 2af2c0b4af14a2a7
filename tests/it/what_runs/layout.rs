//! What there is in a repository, and what is part of what: read from the files as they are written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::files::{Files, documents, folder_of, is_yaml, join, list, name_of, texts};
use super::helmfile;

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

#[derive(Default)]
pub struct Layout {
    /// By folder: the file, and what it says.
    pub kustomizations: BTreeMap<String, (String, Value)>,
    /// Folders of kustomizations that another one includes, or a Flux Kustomization or an Application names.
    pub included: BTreeSet<String>,
    /// Folders with a Chart.yaml.
    pub charts: BTreeSet<String>,
    /// Charts that something in the repository deploys.
    pub used_charts: BTreeSet<String>,
    /// Values files that something deploys.
    pub used_values: BTreeSet<String>,
    /// By folder: the file that compose takes.
    pub projects: BTreeMap<String, String>,
    /// Objects by the file that they are written in.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// Files that are part of something else.
    pub parts: BTreeSet<String>,
}

impl Layout {
    pub fn of(files: &Files) -> Layout {
        let mut layout = Layout::default();
        for (path, text) in files {
            layout.enter(path, text);
        }
        for (path, text) in files.iter().filter(|(path, _)| is_yaml(path)) {
            if layout.is_plain(path) {
                let objects = documents(text).into_iter().filter(|object| object["kind"].is_string());
                layout.objects.insert(path.clone(), objects.collect());
            }
        }
        layout.follow_kustomizations(files);
        layout.follow_objects(files);
        layout.follow_helmfiles(files);
        layout.follow_charts(files);
        layout
    }

    fn enter(&mut self, path: &str, text: &str) {
        let (folder, name) = (folder_of(path).to_owned(), name_of(path));
        if KUSTOMIZATIONS.contains(&name) {
            let document = documents(text).into_iter().next().unwrap_or_default();
            self.kustomizations.insert(folder, (path.to_owned(), document));
        } else if name == "Chart.yaml" {
            self.charts.insert(folder);
        } else if let Some(rank) = COMPOSE.iter().position(|default| *default == name) {
            let known = self.projects.get(&folder).map(|file| name_of(file).to_owned());
            let known = known.and_then(|known| COMPOSE.iter().position(|default| *default == known));
            if known.is_none_or(|known| rank < known) {
                self.projects.insert(folder, path.to_owned());
            }
        }
    }

    /// Whether a file holds objects that somebody applies.
    fn is_plain(&self, path: &str) -> bool {
        let in_chart = self.charts.iter().any(|chart| is_below(path, chart));
        !in_chart && !KUSTOMIZATIONS.contains(&name_of(path)) && !name_of(path).starts_with('.')
    }

    fn follow_kustomizations(&mut self, files: &Files) {
        for (folder, (_, document)) in &self.kustomizations {
            for key in ["resources", "bases", "components"] {
                let below = texts(&document[key]).map(|path| join(folder, path));
                self.included.extend(below.filter(|path| self.kustomizations.contains_key(path)));
            }
            let mut named = Vec::new();
            strings(document, &mut named);
            self.parts.extend(
                named.into_iter().map(|path| join(folder, path)).filter(|path| files.contains_key(path)),
            );
            let home = document["helmGlobals"]["chartHome"].as_str().unwrap_or("charts");
            let generators = texts(&document["generators"]).map(|path| join(folder, path));
            let generated = generators.filter_map(|path| self.objects.get(&path)).flatten();
            for chart in list(&document["helmCharts"]).chain(generated) {
                let name = chart["name"].as_str().unwrap_or_default();
                self.used_charts.insert(join(&join(folder, home), name));
            }
        }
    }

    fn follow_objects(&mut self, files: &Files) {
        let objects: Vec<_> = self.objects.values().flatten().cloned().collect();
        for object in &objects {
            let spec = &object["spec"];
            if is_flux(object) {
                self.point_at(&join("", spec["path"].as_str().unwrap_or_default()), files);
            } else if is_release(object) {
                let chart = &spec["chart"]["spec"];
                self.used_charts.extend(local_chart(object, self));
                self.used_values.extend(texts(&chart["valuesFiles"]).map(|path| join("", path)));
            }
            for application in applications(object) {
                for source in sources(&application) {
                    let Some(path) = source["path"].as_str().map(|path| join("", path)) else { continue };
                    let values = texts(&source["helm"]["valueFiles"]);
                    self.used_values.extend(values.map(|file| value_file(&path, file)));
                    if self.charts.contains(&path) {
                        self.used_charts.insert(path);
                    } else {
                        self.point_at(&path, files);
                    }
                }
            }
        }
    }

    fn follow_helmfiles(&mut self, files: &Files) {
        for (path, release) in helmfile::releases(files) {
            self.used_charts.insert(helmfile::chart(&path, &release));
            self.used_values.extend(helmfile::values_files(&path, &release));
        }
    }

    /// Something deploys a folder: the kustomization there, or all files below it.
    fn point_at(&mut self, path: &str, files: &Files) {
        if self.kustomizations.contains_key(path) {
            self.included.insert(path.to_owned());
            return;
        }
        let below = |file: &&String| is_below(file, path);
        self.parts.extend(files.keys().filter(below).cloned());
        self.included.extend(self.kustomizations.keys().filter(|folder| is_below(folder, path)).cloned());
    }

    fn follow_charts(&mut self, files: &Files) {
        for chart in &self.charts {
            let parts = self.charts.iter().filter(|other| is_below(other, &join(chart, "charts")));
            self.used_charts.extend(parts.cloned());
            let about = files.get(&join(chart, "Chart.yaml")).map(|text| documents(text)).unwrap_or_default();
            for dependency in about.iter().flat_map(|about| list(&about["dependencies"])) {
                let url = dependency["repository"].as_str().unwrap_or_default();
                self.used_charts.extend(url.strip_prefix("file://").map(|path| join(chart, path)));
            }
        }
    }
}

/// Every text in a document, as a path; for a generator's `KEY=FILE`, the file.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text.split_once('=').map_or(text, |(_, file)| file)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

pub fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_of(object: &Value, kind: &str, group: &str) -> bool {
    object["kind"] == kind && object["apiVersion"].as_str().is_some_and(|version| version.starts_with(group))
}

pub fn is_flux(object: &Value) -> bool {
    is_of(object, "Kustomization", "kustomize.toolkit.fluxcd.io")
}

pub fn is_release(object: &Value) -> bool {
    is_of(object, "HelmRelease", "helm.toolkit.fluxcd.io")
}

pub fn is_argo(object: &Value) -> bool {
    is_of(object, "Application", "argoproj.io") || is_of(object, "ApplicationSet", "argoproj.io")
}

/// An Application itself; those that an ApplicationSet makes of its list.
pub fn applications(object: &Value) -> Vec<Value> {
    match object["kind"].as_str() {
        Some("Application") if is_argo(object) => vec![object.clone()],
        Some("ApplicationSet") if is_argo(object) => {
            let generators = list(&object["spec"]["generators"]);
            let elements = generators.flat_map(|generator| list(&generator["list"]["elements"]));
            elements.map(|element| from_template(&object["spec"]["template"], element)).collect()
        }
        _ => Vec::new(),
    }
}

fn from_template(template: &Value, element: &Value) -> Value {
    let mut text = template.to_string();
    for (key, value) in element.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        for pattern in [format!("{{{{{key}}}}}"), format!("{{{{.{key}}}}}"), format!("{{{{ .{key} }}}}")] {
            text = text.replace(&pattern, value);
        }
    }
    let mut application: Value = serde_json::from_str(&text).unwrap_or_default();
    application["kind"] = "Application".into();
    application
}

pub fn sources(application: &Value) -> Vec<Value> {
    let spec = &application["spec"];
    if spec["source"].is_object() {
        vec![spec["source"].clone()]
    } else {
        list(&spec["sources"]).cloned().collect()
    }
}

/// A values file of an Application, from the root; `$ref/FILE` is taken for a file of this repository.
pub fn value_file(path: &str, file: &str) -> String {
    match (file.strip_prefix('$').and_then(|rest| rest.split_once('/')), file.strip_prefix('/')) {
        (Some((_, rest)), _) => join("", rest),
        (None, Some(rest)) => join("", rest),
        (None, None) => join(path, file),
    }
}

/// The chart of a release, if it is in this repository.
pub fn local_chart(release: &Value, layout: &Layout) -> Option<String> {
    let chart = &release["spec"]["chart"]["spec"];
    let source = &chart["sourceRef"];
    let declared = layout.objects.values().flatten().any(|object| {
        is_of(object, "GitRepository", "source.toolkit.fluxcd.io")
            && object["metadata"]["name"] == source["name"]
    });
    let path = join("", chart["chart"].as_str()?);
    (source["kind"] == "GitRepository" && !declared && layout.charts.contains(&path)).then_some(path)
}
