//! What Flux makes of a Flux Kustomization: the kustomization at its path, with the spec's own lists written into it.
//! (fluxcd/pkg, `kustomize_generator.go` and `kustomize_varsub.go`.)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::deploy::Run;
use super::files::{documents, folder_of, is_yaml, join, list};
use super::layout::is_below;

pub fn build(run: &Run, flux: &Value) -> Result<Vec<Value>, String> {
    let spec = &flux["spec"];
    let folder = join("", spec["path"].as_str().unwrap_or_default());
    let (file, mut kustomization) = match run.layout.kustomizations.get(&folder) {
        Some((path, document)) => (path[folder.len()..].trim_start_matches('/').to_owned(), document.clone()),
        None => ("kustomization.yaml".to_owned(), generated(run, &folder)),
    };
    for key in ["patches", "components"] {
        append(&mut kustomization, key, list(&spec[key]).cloned());
    }
    for image in list(&spec["images"]) {
        merge_image(&mut kustomization, image);
    }
    let text = run.build_with(&folder, &file, &kustomization)?;
    let vars = variables(run, flux);
    Ok(if vars.is_empty() { documents(&text) } else { documents(&substitute(&text, &vars)) })
}

/// What Flux writes where there is no kustomization: every file below the folder, and every kustomization.
fn generated(run: &Run, folder: &str) -> Value {
    let kustomizations = || run.layout.kustomizations.keys().filter(|other| is_below(other, folder));
    let in_kustomization = |file: &str| kustomizations().any(|other| is_below(file, other));
    let files =
        run.files.keys().filter(|path| is_below(path, folder) && is_yaml(path) && !in_kustomization(path));
    let outer = kustomizations().filter(|other| !in_kustomization(folder_of(other)));
    let relative = |path: &String| path[folder.len()..].trim_start_matches('/').to_owned();
    let resources: Vec<String> = files.chain(outer).map(relative).collect();
    json!({ "resources": resources })
}

pub fn append(kustomization: &mut Value, key: &str, items: impl Iterator<Item = Value>) {
    let all: Vec<Value> = list(&kustomization[key]).cloned().chain(items).collect();
    if !all.is_empty() {
        kustomization[key] = all.into();
    }
}

/// An entry of the same name gets the fields that are set; tag and digest are one.
fn merge_image(kustomization: &mut Value, image: &Value) {
    let entries = kustomization["images"].as_array_mut();
    let known = entries.and_then(|entries| entries.iter_mut().find(|entry| entry["name"] == image["name"]));
    let Some(entry) = known else { return append(kustomization, "images", std::iter::once(image.clone())) };
    if image["newName"].is_string() {
        entry["newName"] = image["newName"].clone();
    }
    if image["newTag"].is_string() || image["digest"].is_string() {
        for key in ["newTag", "digest"] {
            entry.as_object_mut().map(|entry| entry.remove(key));
            if image[key].is_string() {
                entry[key] = image[key].clone();
            }
        }
    }
}

fn variables(run: &Run, flux: &Value) -> BTreeMap<String, String> {
    let post_build = &flux["spec"]["postBuild"];
    let mut vars = BTreeMap::new();
    for from in list(&post_build["substituteFrom"]) {
        let is_named =
            |object: &&Value| object["kind"] == from["kind"] && object["metadata"]["name"] == from["name"];
        let map = run.layout.objects.values().flatten().find(is_named);
        vars.extend(map.into_iter().flat_map(|map| pairs(&map["data"])));
    }
    vars.extend(pairs(&post_build["substitute"]));
    vars
}

fn pairs(map: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// `${NAME}`, `${NAME:-default}` and `${NAME:=default}`.
fn substitute(text: &str, vars: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${");
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((inside, rest)) = part.split_once('}') else {
            made.extend(["${", part]);
            continue;
        };
        let end = inside.find([':', '-', '=']).unwrap_or(inside.len());
        let default = inside[end..].trim_start_matches([':', '-', '=']);
        let value = vars.get(&inside[..end]).map(String::as_str).filter(|value| !value.is_empty());
        made.extend([value.unwrap_or(default), rest]);
    }
    made
}
