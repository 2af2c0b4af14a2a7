//! Bumps that look for their image in a registry of the test's own.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use super::cli::{Run, command};
use super::registry::{Asked, Told};

pub const MANIFEST: &str = r#"{"schemaVersion": 2, "manifests": []}"#;
pub const PASSWORD: &str = "pass-word-1";

/// A folder with a kustomization for an image, tagged v1.
pub fn folder(image: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, &format!("images:\n- name: app\n  newName: {image}\n  newTag: v1\n"));
    folder
}

pub fn write(folder: &TempDir, kustomization: &str) {
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
}

pub fn content(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("kustomization.yaml")).unwrap()
}

/// A bump in the folder, with a home that is empty.
pub fn bump(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(folder);
    command.args(["bump", "--format", "json"]).args(arguments);
    command
}

/// Runs, and gives the JSON too.
#[track_caller]
pub fn run(mut command: Command) -> (Run, Value) {
    let run = Run::of(&command.output().unwrap());
    let json = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    (run, json)
}

/// ada's credentials for a registry, as text for a variable.
pub fn auth(host: &str, password: &str) -> String {
    auth_of(host, "ada", password)
}

/// The same for anyone.
pub fn auth_of(host: &str, user: &str, password: &str) -> String {
    let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
    format!(r#"{{"auths": {{"{host}": {{"auth": "{pair}"}}}}}}"#)
}

/// A registry that has `acme/api:v2`.
pub fn has_tag(asked: &Asked) -> Told {
    match asked.path.as_str() {
        "/v2/acme/api/manifests/v2" => Told::body(MANIFEST).with("Docker-Content-Digest", digest(MANIFEST)),
        _ => Told::status(404),
    }
}

/// The digest of a manifest.
pub fn digest(manifest: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, manifest.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
