//! What Flux makes of a repository: a Flux Kustomization is built, and the HelmReleases that it holds are templated
//! with their values and post-rendered. Charts that are not in the repository stay releases.

use std::path::Path;

use serde_json::{Value, json};

use super::render::{documents, template};
use super::tools::{Printed, Tools};

/// What a Flux Kustomization puts into the cluster.
pub fn reconcile(tree: &Path, file: &str, tools: &Tools) -> Printed {
    let text = std::fs::read_to_string(tree.join(file)).map_err(|error| format!("{file}: {error}"))?;
    let mut objects = Vec::new();
    for read in tools.read(&documents(&text))?.iter().filter(|read| read["kind"] == "Kustomization") {
        objects.extend(documents(&build(tree, &read["spec"], tools)?));
    }
    let releases: Vec<_> = objects.iter().filter(|object| is_release(object)).cloned().collect();
    let mut releases = tools.read(&releases)?.into_iter();
    let installed =
        objects.into_iter().map(|object| match is_release(&object).then(|| releases.next()).flatten() {
            Some(release) => install(tree, object, &release, tools),
            None => Ok(object),
        });
    Ok(installed.collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

fn is_release(object: &str) -> bool {
    object.lines().any(|line| line == "kind: HelmRelease")
}

/// `spec.path` with the spec's own transformations, which Flux writes into the kustomization that it finds there.
fn build(tree: &Path, spec: &Value, tools: &Tools) -> Printed {
    let path = format!("../{}", text(&spec["path"])?.trim_start_matches("./"));
    let components: Vec<_> =
        list(&spec["components"]).map(|c| format!("{path}/{}", c.as_str().unwrap())).collect();
    let overlay = json!({
        "resources": [path],
        "components": components,
        "images": spec["images"],
        "patches": spec["patches"],
        "namespace": spec["targetNamespace"],
    });
    kustomize(tree, &overlay, &[], tools)
}

/// A release's objects in place of the release, where its chart is in the repository.
fn install(tree: &Path, object: String, release: &Value, tools: &Tools) -> Printed {
    let (spec, chart) = (&release["spec"], &release["spec"]["chart"]["spec"]);
    if chart["sourceRef"]["kind"] != "GitRepository" {
        return Ok(object);
    }
    let values = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(values.path(), spec["values"].to_string()).unwrap();
    let mut arguments = vec!["--namespace", spec["targetNamespace"].as_str().unwrap_or("default")];
    for file in list(&chart["valuesFiles"]) {
        arguments.extend(["-f", text(file)?]);
    }
    arguments.extend(["-f", values.path().to_str().unwrap()]);
    let mut rendered = template(tree, &release_name(release)?, text(&chart["chart"])?, &arguments, tools)?;
    for renderer in list(&spec["postRenderers"]) {
        rendered = post_render(tree, &rendered, &renderer["kustomize"], tools)?;
    }
    Ok(rendered)
}

/// Flux puts the target namespace before a name that is not given.
fn release_name(release: &Value) -> Printed {
    let (spec, own) = (&release["spec"], text(&release["metadata"]["name"])?);
    Ok(match (spec["releaseName"].as_str(), spec["targetNamespace"].as_str()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(namespace)) => format!("{namespace}-{own}"),
        (None, None) => own.to_owned(),
    })
}

fn post_render(tree: &Path, rendered: &str, renderer: &Value, tools: &Tools) -> Printed {
    let (images, patches) = (&renderer["images"], &renderer["patches"]);
    let overlay = json!({ "resources": ["all.yaml"], "images": images, "patches": patches });
    kustomize(tree, &overlay, &[("all.yaml", rendered)], tools)
}

/// Builds a kustomization, with these files beside it, in a folder of its own in the tree.
fn kustomize(tree: &Path, kustomization: &Value, files: &[(&str, &str)], tools: &Tools) -> Printed {
    let mut set = kustomization.clone();
    set.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let folder = tempfile::Builder::new().prefix("flux").tempdir_in(tree).unwrap();
    std::fs::write(folder.path().join("kustomization.yaml"), set.to_string()).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    tools.kustomize(tree, folder.path().file_name().unwrap().to_str().unwrap())
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
