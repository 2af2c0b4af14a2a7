//! Builds whose tags contain no commit are ordered by the labels of their images.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::cli;
use crate::support::git::git;
use crate::support::mono::{Mono, notices};
use crate::support::registry::{Asked, FakeRegistry, Told};
use crate::support::repo::{self, FILE, PASSWORD, USER, World, ended, kustomization};

/// The digest of a text, and the text.
fn blob(content: &Value) -> (String, String) {
    let text = content.to_string();
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("sha256:{hex}"), text)
}

type Contents = Arc<Mutex<Vec<(String, String, String)>>>;

/// A registry, and what it has: path, text, digest.
fn registry() -> (FakeRegistry, Contents) {
    let contents = Contents::default();
    let shared = Arc::clone(&contents);
    let registry = FakeRegistry::start(move |asked: &Asked, _| {
        let contents = shared.lock().unwrap();
        let found = contents.iter().find(|(path, ..)| *path == asked.path);
        found.map_or(Told::status(404), |(_, text, digest)| {
            Told::body(text.as_str()).with("Docker-Content-Digest", digest.as_str())
        })
    });
    (registry, contents)
}

/// Pushes an image for one platform, whose labels name this commit and repository, in an index that lists its attestation
/// first.
fn push(contents: &Contents, tag: &str, revision: &str, source: &str) {
    let labels = json!({
        "org.opencontainers.image.revision": revision, "org.opencontainers.image.source": source,
    });
    let (config, text) = blob(&json!({"config": {"Labels": labels}}));
    let mut contents = contents.lock().unwrap();
    contents.push((format!("/v2/acme/api/blobs/{config}"), text, config.clone()));
    let (manifest, text) = blob(&json!({"schemaVersion": 2, "config": {"digest": config}}));
    contents.push((format!("/v2/acme/api/manifests/{manifest}"), text, manifest.clone()));
    let listed =
        |digest: &str, os: &str| json!({"digest": digest, "platform": {"os": os, "architecture": os}});
    let attestation = format!("sha256:{}", "0".repeat(64));
    let manifests = [listed(&attestation, "unknown"), listed(&manifest, "linux")];
    let (index, text) = blob(&json!({"schemaVersion": 2, "manifests": manifests}));
    contents.push((format!("/v2/acme/api/manifests/{index}"), text.clone(), index.clone()));
    contents.push((format!("/v2/acme/api/manifests/{tag}"), text, index));
}

/// A repository that runs the image, with two commits to build it from.
fn mono(image: &str) -> Mono {
    let world = World::with(
        |server| server.basic_auth(USER, PASSWORD),
        &[(FILE, &kustomization(&[image.to_owned()]))],
    );
    git(&world.bare, &["config", "uploadpack.allowReachableSHA1InWant", "true"]);
    let builds = (0..2).map(|nth| world.rival("src/main.rs", &format!("// {nth}\n"))).collect();
    Mono { world, builds }
}

/// Deploys a tag, from a job of the newest commit.
fn deploy(mono: &Mono, image: &str, tag: &str, more: &[&str]) -> cli::Run {
    let newest = &mono.builds[1];
    let mut command = cli::command(&mono.checkout(tag, newest));
    command.args(["bump", &format!("{image}:{tag}"), "--push", "--format", "json"]).args(more);
    repo::run(repo::actions(&mut command, "acme/gitops", newest))
}

#[test]
fn late_build_is_superseded_by_its_label() {
    let (registry, contents) = registry();
    let image = registry.image("acme/api");
    let mono = mono(&image);
    let here = "https://github.com/acme/gitops.git";
    push(&contents, "v1.1.0", &mono.builds[1], here);
    push(&contents, "v1.0.0", &mono.builds[0], here);
    ended(&deploy(&mono, &image, "v1.1.0", &["--verify"]), 0, "landed");
    assert!(mono.world.message().contains(&format!("Tagbump-Source: acme/gitops@{}", mono.builds[1])));
    let late = ended(&deploy(&mono, &image, "v1.0.0", &["--verify"]), 0, "superseded");
    assert!(notices(&late).contains("which is newer"), "{late}");
    // the job's own commit is the newest one, so without the label it would land
    ended(&deploy(&mono, &image, "v1.0.0", &[]), 0, "landed");
}

#[test]
fn label_of_another_repository_is_ignored() {
    let (registry, contents) = registry();
    let image = registry.image("acme/api");
    let mono = mono(&image);
    push(&contents, "v1.1.0", &mono.builds[1], "https://github.com/acme/gitops");
    push(&contents, "v1.0.0", &mono.builds[0], "https://github.com/acme/base");
    push(&contents, "v1.0.1", &mono.builds[0], "https://other.example/acme/gitops");
    ended(&deploy(&mono, &image, "v1.1.0", &["--verify"]), 0, "landed");
    ended(&deploy(&mono, &image, "v1.0.0", &["--digest", "auto"]), 0, "landed");
    ended(&deploy(&mono, &image, "v1.0.1", &["--verify"]), 0, "landed");
}
