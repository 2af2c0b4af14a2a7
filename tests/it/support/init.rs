//! Repositories for `tagbump init`, and what became of them.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{Run, command, tagbump};
use super::files::write;

pub const CONFIG: &str = "tagbump.yaml";
pub const WORKFLOW: &str = ".github/workflows/tagbump.yml";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

pub fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap()
}

pub fn pod(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image}\n")
}

pub fn kustomization(image: &str, tag: &str) -> String {
    format!("images:\n  - name: {image}\n    newTag: {tag}\n")
}

/// A monorepo with two environments.
pub fn monorepo() -> TempDir {
    let overlay = |tag: &str| format!("resources: [../../base]\n{}", kustomization("ghcr.io/acme/api", tag));
    folder(&[
        ("apps/api/base/deployment.yaml", &pod("ghcr.io/acme/api")),
        ("apps/api/base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("apps/api/overlays/dev/kustomization.yaml", &overlay("main-1a2b3c4")),
        ("apps/api/overlays/prod/kustomization.yaml", &overlay("main-1a2b3c0")),
        ("compose.yaml", "services:\n  db: { image: 'postgres:16' }\n"),
    ])
}

/// Writes what is proposed, and gives the services of the new configuration.
pub fn written(folder: &Path) -> Vec<String> {
    let run = tagbump(folder, &["init", "--yes"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    services(folder)
}

pub fn services(folder: &Path) -> Vec<String> {
    let config: Value = serde_yaml::from_str(&read(folder, CONFIG)).unwrap();
    let services = config["services"].as_object().map(|map| map.keys().cloned().collect());
    services.unwrap_or_default()
}

/// A dry run of a bump; gives the files that it would change.
pub fn changed(folder: &Path, services: &[String]) -> Result<Vec<String>, Run> {
    changed_to(folder, services, "new-tag")
}

/// The same, with a tag.
pub fn changed_to(folder: &Path, services: &[String], tag: &str) -> Result<Vec<String>, Run> {
    let bump = ["bump", "--tag", tag, "-n", "--format", "json", "--"].map(str::to_owned);
    let run = Run::of(&command(folder).args(bump).args(services).output().unwrap());
    if run.exit != 0 {
        return Err(run);
    }
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    let changes = told["changes"].as_array().unwrap().iter();
    Ok(changes.map(|change| change["file"].as_str().unwrap().to_owned()).collect())
}
