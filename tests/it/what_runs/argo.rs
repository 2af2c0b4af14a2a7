//! What Argo CD makes of an Application. (argo-cd, `reposerver/repository/repository.go` and `util/kustomize`.)

use serde_json::{Value, json};

use super::deploy::Run;
use super::files::{documents, is_yaml, join, list, shown, texts};
use super::flux::append;
use super::layout::{is_below, sources, value_file};
use super::release::merge;

pub fn render(run: &Run, application: &Value) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    for source in sources(application) {
        let Some(path) = source["path"].as_str().map(|path| join("", path)) else { continue };
        let source = with_overrides(run, source, &path, application);
        if run.layout.charts.contains(&path) {
            objects.extend(chart(run, &source, &path, application)?);
        } else if run.layout.kustomizations.contains_key(&path) {
            objects.extend(kustomization(run, &source["kustomize"], &path)?);
        } else {
            let files = run.files.iter().filter(|(file, _)| is_below(file, &path) && is_yaml(file));
            objects.extend(files.flat_map(|(_, text)| documents(text)));
        }
    }
    Ok(objects)
}

/// `.argocd-source.yaml`, then `.argocd-source-APP.yaml`, each a JSON merge patch.
fn with_overrides(run: &Run, source: Value, path: &str, application: &Value) -> Value {
    let name = application["metadata"]["name"].as_str().unwrap_or_default();
    let files = [".argocd-source.yaml".to_owned(), format!(".argocd-source-{name}.yaml")];
    let read = files.iter().filter_map(|file| run.files.get(&join(path, file)));
    read.flat_map(|text| documents(text)).fold(source, merge)
}

fn chart(run: &Run, source: &Value, path: &str, application: &Value) -> Result<Vec<Value>, String> {
    let helm = &source["helm"];
    let name = helm["releaseName"].as_str().or(application["metadata"]["name"].as_str()).unwrap_or_default();
    let mut arguments = vec!["template".to_owned(), name.to_owned(), shown(path).to_owned()];
    for file in texts(&helm["valueFiles"]) {
        arguments.extend(["-f".to_owned(), value_file(path, file)]);
    }
    let text = match &helm["valuesObject"] {
        Value::Object(_) => Some(helm["valuesObject"].to_string()),
        _ => helm["values"].as_str().map(str::to_owned),
    };
    if let Some(text) = text {
        std::fs::write(run.path().join(".values.yaml"), text).unwrap();
        arguments.extend(["-f".to_owned(), ".values.yaml".to_owned()]);
    }
    for parameter in list(&helm["parameters"]) {
        let is_string = parameter["forceString"].as_bool().unwrap_or_default();
        let flag = if is_string { "--set-string" } else { "--set" };
        let part = |key: &str| parameter[key].as_str().unwrap_or_default();
        arguments.extend([flag.to_owned(), format!("{}={}", part("name"), part("value"))]);
    }
    run.helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn kustomization(run: &Run, options: &Value, path: &str) -> Result<Vec<Value>, String> {
    let (file, document) = &run.layout.kustomizations[path];
    let mut kustomization = document.clone();
    if list(&options["images"]).next().is_some() {
        set_images(&mut kustomization, &options["images"]);
    }
    for key in ["patches", "components"] {
        append(&mut kustomization, key, list(&options[key]).cloned());
    }
    let file = file[path.len()..].trim_start_matches('/');
    run.build_with(path, file, &kustomization).map(|text| documents(&text))
}

/// As `kustomize edit set image` does: each replaces the whole entry of its name, and all are sorted by name.
/// (kustomize, `kustomize/commands/edit/set/setimage.go`.)
fn set_images(kustomization: &mut Value, images: &Value) {
    let lists = ["images", "imageTags"].map(|key| list(&kustomization[key]).cloned().collect::<Vec<_>>());
    let mut entries: std::collections::BTreeMap<String, Value> = Default::default();
    for entry in lists.concat() {
        entries.insert(entry["name"].as_str().unwrap_or_default().to_owned(), entry);
    }
    for text in texts(images) {
        let (name, mut entry) = parsed(text);
        let known = entries.get(&name);
        for key in ["newName", "newTag", "digest"] {
            if entry[key] == "*" {
                entry[key] = known.map_or(Value::Null, |known| known[key].clone());
            }
        }
        entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        entries.insert(name, entry);
    }
    kustomization.as_object_mut().unwrap().remove("imageTags");
    kustomization["images"] = entries.into_values().collect();
}

/// `NAME[=NEWNAME][:TAG][@DIGEST]` as an entry.
fn parsed(text: &str) -> (String, Value) {
    let (key, value) = text.split_once('=').map_or((None, text), |(key, value)| (Some(key), value));
    let (rest, digest) = value.split_once('@').map_or((value, None), |(rest, digest)| (rest, Some(digest)));
    let colon = rest.rfind(':').filter(|at| !rest[*at..].contains('/'));
    let (name, tag) = colon.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    let entry = |name: &str, new: Option<&str>| json!({ "name": name, "newName": new, "newTag": tag, "digest": digest });
    match key {
        Some(key) => (key.to_owned(), entry(key, Some(name))),
        None => (name.to_owned(), entry(name, None)),
    }
}
