//! The Applications that an ApplicationSet makes.

use std::collections::BTreeSet;

use super::super::files::{Files, folder_of};
use super::super::root::Doubt;
use super::super::unfilled::UNFILLED;
use super::super::value::{Scalar, Value};
use super::template::{placeholders, substitute};
use super::value_files::{PATHS_OF_A_VALUE, matcher, matching};
use super::{Application, may_be_here};

/// The most Applications of one set.
const MAX_APPLICATIONS: usize = 500;

/// Generators that are nested deeper than this are not followed. Argo CD allows two levels.
const MAX_DEPTH: usize = 3;

/// Kubernetes allows no longer names.
const MAX_NAME: usize = 253;

/// The Applications of a set. Lists, files and folders of this repository are followed, and their combinations.
pub fn applications(files: &mut Files<'_>, set: &Value, url: Option<&str>) -> Vec<Application> {
    let Some(template) = set.at(&["spec", "template"]) else { return Vec::new() };
    let generators = set.at(&["spec", "generators"]).map(Value::items).unwrap_or_default();
    let mut generated = Generated { url, is_complete: true };
    let mut parameters = generated.all(files, generators, 0);
    if parameters.is_empty() || !generated.is_complete {
        // what the template says without parameters is right if it has no placeholder
        parameters.push(Value::default());
    }
    let patch = set.at(&["spec", "templatePatch"]).filter(|patch| may_change_sources(patch));
    let patch = patch.and_then(Value::place);
    let mut applications = Vec::new();
    for parameters in parameters.into_iter().take(MAX_APPLICATIONS) {
        if !files.spend(template.size() + parameters.size()) {
            break;
        }
        let mut application = Application::new(&substitute(template, &parameters), parameters);
        if application.name.is_empty() {
            set.text_at(&["metadata", "name"]).unwrap_or_default().clone_into(&mut application.name);
        }
        application.doubts.extend(application.sources.iter().filter_map(unfilled));
        let patched = patch.map(|at| Doubt { at: Some(at), what: "changes the Applications".to_owned() });
        application.doubts.extend(patched);
        applications.push(application);
    }
    applications
}

/// Whether a patch of the template may change what the Applications render, and not only how they are synced.
fn may_change_sources(patch: &Value) -> bool {
    let text = patch.text().unwrap_or_default();
    let words = ["source", "helm", "kustomize", "directory", "plugin"];
    words.iter().any(|word| text.contains(word)) || text.lines().any(is_filled_with_a_block)
}

/// Whether a line of a template holds nothing but a placeholder, which can become any number of keys. Statements become nothing.
fn is_filled_with_a_block(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let line = line.strip_prefix("spec:").map_or(line, str::trim_start);
    let Some(rest) = line.strip_prefix("{{") else { return false };
    let rest = rest.trim_start_matches('-').trim_start();
    !["if", "else", "end", "range", "with", "/*", "$"].iter().any(|word| rest.starts_with(word))
}

/// A placeholder that is left makes a source uncertain, unless it is for another branch or a mirror, or in a field that decides
/// neither which files are read nor which images run.
fn unfilled(source: &Value) -> Option<Doubt> {
    has_unfilled(source).then(|| Doubt { at: source.place(), what: UNFILLED.to_owned() })
}

fn has_unfilled(fields: &Value) -> bool {
    fields.pairs().iter().any(|(key, value)| match (key.as_str(), value) {
        ("repoURL" | "targetRevision" | "name", _) => false,
        ("releaseName" | "namespace" | "kubeVersion" | "namePrefix" | "nameSuffix", _) => false,
        ("commonLabels" | "commonAnnotations" | "replicas", _) => false,
        ("helm" | "kustomize", Value::Map(_)) => has_unfilled(value),
        _ => placeholders(value) > 0,
    })
}

/// Collects parameters.
struct Generated<'a> {
    url: Option<&'a str>,
    /// Every generator could be followed.
    is_complete: bool,
}

impl Generated<'_> {
    /// The parameters of several generators, one after the other.
    fn all(&mut self, files: &mut Files<'_>, generators: &[Value], depth: usize) -> Vec<Value> {
        let mut all = Vec::new();
        for generator in generators {
            match self.parameters(files, generator, depth) {
                Some(parameters) => all.extend(parameters),
                None => self.is_complete = false,
            }
            all.truncate(MAX_APPLICATIONS);
        }
        all
    }

    /// The parameters of a generator; `None` if it can't be followed.
    fn parameters(&mut self, files: &mut Files<'_>, generator: &Value, depth: usize) -> Option<Vec<Value>> {
        if depth > MAX_DEPTH || generator.get("selector").is_some() {
            return None;
        }
        if let Some(list) = generator.get("list") {
            return list
                .get("elementsYaml")
                .is_none()
                .then(|| list.get("elements").map_or(&[][..], Value::items).to_vec());
        }
        if let Some(git) = generator.get("git") {
            return may_be_here(git, self.url).then(|| self.git(files, git)).flatten();
        }
        let inner = generator.at(&["matrix", "generators"]).map(Value::items)?;
        self.matrix(files, inner, depth + 1)
    }

    /// Every combination. The second generator can use the parameters of the first. (Argo CD,
    /// `MatrixGenerator.GenerateParams`.)
    fn matrix(&mut self, files: &mut Files<'_>, generators: &[Value], depth: usize) -> Option<Vec<Value>> {
        let [first, second] = generators else { return None };
        let mut combined = Vec::new();
        for (nth, of_first) in self.parameters(files, first, depth)?.into_iter().enumerate() {
            if nth == MAX_APPLICATIONS || !files.spend(second.size() + of_first.size()) {
                return None;
            }
            for other in self.parameters(files, &substitute(second, &of_first), depth)? {
                let mut both = of_first.clone();
                both.merge(other);
                if combined.len() == MAX_APPLICATIONS || !files.spend(both.size()) {
                    return None;
                }
                combined.push(both);
            }
        }
        Some(combined)
    }

    /// (Argo CD, `GitGenerator`.)
    fn git(&self, files: &mut Files<'_>, git: &Value) -> Option<Vec<Value>> {
        let mut found = match (git.get("files"), git.get("directories")) {
            (Some(listed), _) => of_files(files, listed.items())?,
            (None, Some(listed)) => of_folders(files, listed.items()),
            (None, None) => return None,
        };
        for parameters in &mut found {
            if let Some(prefix) = git.text_at(&["pathParamPrefix"]).filter(|prefix| !prefix.is_empty())
                && let Some(path) = parameters.remove("path")
            {
                parameters.set(prefix, Value::Map(vec![("path".to_owned(), path)]));
            }
            if let Some(values) = git.get("values") {
                let values = substitute(values, parameters);
                parameters.set("values", values);
            }
        }
        Some(found)
    }
}

/// What the files hold: each a map, or a list of maps.
fn of_files(files: &mut Files<'_>, listed: &[Value]) -> Option<Vec<Value>> {
    let paths = |exclude: bool| listed.iter().filter(move |item| is_excluded(item) == exclude);
    let mut found = BTreeSet::new();
    for pattern in paths(false).filter_map(|item| item.text_at(&["path"])) {
        let matched = matching(files, pattern);
        // only YAML and JSON files can be listed, but any file can be read
        let is_pattern = pattern.contains(['*', '?', '[', '{']);
        let is_listed = [".yaml", ".yml", ".json"].iter().any(|ending| pattern.ends_with(ending));
        if matched.is_empty() && is_pattern && !is_listed {
            return None;
        }
        let is_there = matched.is_empty() && files.load(pattern).is_some();
        found.extend(matched.into_iter().chain(is_there.then(|| pattern.to_owned())));
    }
    let excluded: Vec<_> = paths(true).filter_map(|item| matcher(item.text_at(&["path"])?)).collect();
    found.retain(|path| !excluded.iter().any(|excluded| excluded.is_match(path)));
    let mut parameters = Vec::new();
    for path in &found {
        let file = files.load(path)?;
        for document in files.documents(file).into_iter().take(1) {
            let single = std::slice::from_ref(&document);
            let maps = if document.items().is_empty() { single } else { document.items() };
            parameters.extend(maps.iter().map(|map| with_path(map.clone(), folder_of(path), Some(path))));
        }
    }
    (!found.is_empty()).then_some(parameters)
}

fn of_folders(files: &mut Files<'_>, listed: &[Value]) -> Vec<Value> {
    let patterns = |exclude: bool| {
        let chosen = listed.iter().filter(move |item| is_excluded(item) == exclude);
        chosen.filter_map(|item| matcher(item.text_at(&["path"])?)).collect::<Vec<_>>()
    };
    let (wanted, excluded) = (patterns(false), patterns(true));
    let (mut folders, mut looked_at) = (BTreeSet::new(), 0);
    for path in files.below("") {
        looked_at += 1;
        let mut folder = folder_of(path);
        while !folder.is_empty() && folders.insert(folder) {
            folder = folder_of(folder);
        }
    }
    let is_any =
        |patterns: &[globset::GlobMatcher], folder: &str| patterns.iter().any(|p| p.is_match(folder));
    let is_wanted = |folder: &&str| is_any(&wanted, folder) && !is_any(&excluded, folder);
    if !files.spend(looked_at / PATHS_OF_A_VALUE) {
        return Vec::new();
    }
    folders.into_iter().filter(is_wanted).map(|folder| with_path(Value::default(), folder, None)).collect()
}

fn is_excluded(item: &Value) -> bool {
    item.text_at(&["exclude"]) == Some("true")
}

/// Adds the parameters that say where a file or a folder is.
fn with_path(mut parameters: Value, folder: &str, file: Option<&str>) -> Value {
    let text = |text: &str| Value::Scalar(Scalar::generated(text));
    let name = |path: &str| text(path.rsplit('/').next().unwrap_or(path));
    let mut path = Value::default();
    path.set("path", text(folder));
    path.set("basename", name(folder));
    path.set("basenameNormalized", text(&normalised(folder)));
    path.set("segments", Value::List(folder.split('/').map(text).collect()));
    if let Some(file) = file {
        path.set("filename", name(file));
        path.set("filenameNormalized", text(&normalised(file)));
    }
    parameters.set("path", path);
    parameters
}

/// The last part of a path as the name of an object. (Argo CD, `utils.SanitizeName`.)
fn normalised(path: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let mut name = name.replace(|c| !fits(c), "-");
    name.truncate(MAX_NAME);
    name.trim_matches(['-', '.']).to_owned()
}
