//! What Flux makes of a HelmRelease: its chart, with the values that it merges, and post-rendered.

use serde_json::{Value, json};

use super::deploy::Run;
use super::files::{documents, join, list, shown, texts};
use super::layout::local_chart;
use crate::support::files::write;

/// Stands in for a chart that is in no repository here: it runs every image that its values name.
pub const REMOTE_CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/what_runs/remote-chart");

/// The objects in place of a release. ConfigMaps are looked for among those that are deployed with it.
pub fn install(run: &Run, release: &Value, beside: &[Value]) -> Result<Vec<Value>, String> {
    let spec = &release["spec"];
    let chart = local_chart(release, &run.layout);
    let defaults = chart.as_ref().map(|chart| join(chart, "values.yaml"));
    let files: Vec<_> = texts(&spec["chart"]["spec"]["valuesFiles"]).map(|file| join("", file)).collect();
    if let (Some(defaults), false) = (&defaults, files.is_empty()) {
        let merged = files.iter().fold(json!({}), |merged, file| merge(merged, read(run, file)));
        write(run.path(), defaults, &merged.to_string());
    }
    let values = values(run, release, beside)?;
    let file = run.path().join(".values.json");
    std::fs::write(&file, values.to_string()).unwrap();
    let name = release["metadata"]["name"].as_str().unwrap_or_default();
    let arguments =
        ["template", name, chart.as_deref().map_or(REMOTE_CHART, shown), "-f", file.to_str().unwrap()];
    let rendered = run.tools.helm(run.path(), &arguments);
    if let Some((path, text)) = defaults.and_then(|path| run.files.get_key_value(&path)) {
        write(run.path(), path, text);
    }
    let mut rendered = rendered?;
    for renderer in list(&spec["postRenderers"]) {
        rendered = post_render(run, &rendered, &renderer["kustomize"])?;
    }
    Ok(documents(&rendered))
}

fn read(run: &Run, file: &str) -> Value {
    run.files.get(file).and_then(|text| documents(text).into_iter().next()).unwrap_or_else(|| json!({}))
}

/// `valuesFrom`, then `values`, then `valuesFrom` with a target path. (helm-controller, `chartutil.ChartValuesFromReferences`.)
fn values(run: &Run, release: &Value, beside: &[Value]) -> Result<Value, String> {
    let spec = &release["spec"];
    let (mut values, mut late) = (json!({}), Vec::new());
    for from in list(&spec["valuesFrom"]) {
        let is_named =
            |object: &&Value| object["kind"] == from["kind"] && object["metadata"]["name"] == from["name"];
        let map =
            beside.iter().find(is_named).or_else(|| run.layout.objects.values().flatten().find(is_named));
        let key = from["valuesKey"].as_str().unwrap_or("values.yaml");
        let text = map.and_then(|map| map["data"][key].as_str()).ok_or_else(|| format!("no {from}"))?;
        match from["targetPath"].as_str() {
            Some(path) => late.push((path, text.to_owned())),
            None => values = merge(values, documents(text).into_iter().next().unwrap_or_else(|| json!({}))),
        }
    }
    if spec["values"].is_object() {
        values = merge(values, spec["values"].clone());
    }
    for (path, text) in late {
        let nested = path.rsplit('.').fold(Value::from(text), |value, key| json!({ key: value }));
        values = merge(values, nested);
    }
    Ok(values)
}

pub fn merge(weaker: Value, stronger: Value) -> Value {
    match (weaker, stronger) {
        (Value::Object(mut map), Value::Object(over)) => {
            for (key, value) in over {
                let merged = match map.remove(&key) {
                    Some(weaker) => merge(weaker, value),
                    None => value,
                };
                map.insert(key, merged);
            }
            Value::Object(map)
        }
        (_, stronger) => stronger,
    }
}

fn post_render(run: &Run, rendered: &str, renderer: &Value) -> Result<String, String> {
    let mut kustomization = json!({ "resources": ["all.yaml"] });
    for key in ["images", "patches"] {
        if renderer[key].is_array() {
            kustomization[key] = renderer[key].clone();
        }
    }
    write(run.path(), ".post-renderer/all.yaml", rendered);
    run.build_with(".post-renderer", "kustomization.yaml", &kustomization)
}
