//! `--verify` and `--digest auto` on the way to a remote branch: once for all attempts, and for several images at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use serde_json::Value;

use crate::support::registry::{FakeRegistry, Told};
use crate::support::repo::{self, FILE, PASSWORD, USER, World, ended, kustomization};
use crate::support::verify::{MANIFEST, bump, digest, folder, has_tag, run};

fn world(files: &[(&str, &str)]) -> World {
    World::with(|server| server.basic_auth(USER, PASSWORD), files)
}

#[test]
fn digest_is_the_same_in_every_attempt_of_a_race() {
    // the tag moves with every answer
    let count = Arc::new(AtomicUsize::new(0));
    let registry = FakeRegistry::start(move |_, _| {
        Told::body(format!(r#"{{"manifests": [], "nth": {}}}"#, count.fetch_add(1, Ordering::SeqCst)))
    });
    let image = registry.image("acme/api");
    let world = world(&[(FILE, &kustomization(std::slice::from_ref(&image)))]);
    for nth in 0..3 {
        let bare = world.bare.clone();
        let path = format!("rival-{nth}.txt");
        world.server.before_receive(move || drop(repo::rival(&bare, &path, "theirs\n")));
    }
    let files = tempfile::tempdir().unwrap();
    let [outputs, summary] = ["outputs", "summary"].map(|name| files.path().join(name));
    let clone = world.shallow("w");
    let mut command = bump(&clone, &[&format!("{image}:v2"), "--push", "--digest", "auto"]);
    repo::actions(&mut command, "acme/gitops", &world.tip());
    command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
    let json = ended(&repo::run(&mut command), 0, "landed");
    assert_eq!(json["attempts"], 4);
    let asked = registry.asked();
    let of_tag = asked.iter().filter(|asked| asked.path.ends_with("/v2"));
    assert_eq!(of_tag.count(), 1, "{asked:?}");
    let digest = digest(r#"{"manifests": [], "nth": 0}"#);
    assert_eq!(
        (&json["images"][0]["digest"], &json["images"][0]["verified"]),
        (&digest.as_str().into(), &true.into())
    );
    assert!(world.file(FILE).contains(&format!("digest: {digest}")), "{}", world.file(FILE));
    assert!(world.message().contains(&format!("Tagbump-Image: {image}:v2@{digest}")), "{}", world.message());
    for file in [outputs, summary] {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&digest), "{}: {text}", file.display());
    }
}

#[test]
fn value_that_first_appears_in_a_later_attempt_is_looked_up_then() {
    let registry = FakeRegistry::start(|_, _| Told::body(MANIFEST));
    let (old, new) = (registry.image("acme/api"), registry.image("acme/api-next"));
    let config = |image: &str| format!("verify: true\nservices:\n  api: {{ image: \"{image}\" }}\n");
    let world =
        world(&[(FILE, &kustomization(&[old.clone(), new.clone()])), ("tagbump.yaml", &config(&old))]);
    let (bare, next) = (world.bare.clone(), config(&new));
    world.server.before_receive(move || drop(repo::rival(&bare, "tagbump.yaml", &next)));
    let clone = world.shallow("w");
    let json = ended(&repo::run(&mut bump(&clone, &["api", "--tag", "v2", "--push"])), 0, "landed");
    assert_eq!((&json["attempts"], &json["changes"][0]["image"]), (&2.into(), &new.as_str().into()));
    let asked: Vec<_> = registry.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/v2/acme/api/manifests/v2", "/v2/acme/api-next/manifests/v2"]);
}

#[test]
fn nothing_is_pushed_when_the_image_is_missing() {
    let registry = FakeRegistry::start(|_, _| Told::status(404));
    let image = registry.image("acme/api");
    let world = world(&[(FILE, &kustomization(std::slice::from_ref(&image)))]);
    let tip = world.tip();
    let arguments = [&*format!("{image}:v2"), "--push", "--verify", "--verify-timeout", "1s"];
    let clone = world.shallow("w");
    let (run, json) = run(bump(&clone, &arguments));
    assert_eq!((run.exit, &json["attempts"]), (3, &0.into()), "{run:?}");
    assert_eq!(world.tip(), tip);
}

#[test]
fn several_images_are_looked_up_at_once() {
    // each answer waits for the other request
    let both = Barrier::new(2);
    let registry = FakeRegistry::start(move |_, _| {
        both.wait();
        Told::body(MANIFEST)
    });
    let images = ["acme/api", "acme/web"].map(|path| registry.image(path));
    let folder = folder(&images[0]);
    let text: String = images.iter().map(|image| format!("- name: {image}\n  newTag: v1\n")).collect();
    std::fs::write(folder.path().join("kustomization.yaml"), format!("images:\n{text}")).unwrap();
    let arguments: Vec<_> = images.iter().map(|image| format!("{image}:v2")).collect();
    let (run, json) = run(bump(folder.path(), &[&arguments[0], &arguments[1], "--digest", "auto"]));
    assert_eq!(run.exit, 0, "{run:?}");
    for image in json["images"].as_array().unwrap() {
        assert_eq!(image["digest"], *digest(MANIFEST));
    }
    assert_eq!(registry.asked().len(), 2);
}

#[test]
fn registry_that_only_a_file_names_is_not_contacted() {
    let registry = FakeRegistry::start(|asked, _| has_tag(asked));
    let image = registry.image("acme/api");
    let folder = folder(&image);
    // the entry is found by its name, and runs what its newName says
    for how in ["--verify", "--digest=auto"] {
        let (run, json) = run(bump(folder.path(), &["app=*:v2", how, "--dry-run"]));
        assert_eq!((run.exit, registry.connections()), (0, 0), "{run:?}");
        assert_eq!((&json["outcome"], &json["images"][0]["verified"]), (&"planned".into(), &Value::Null));
        let warnings = json["warnings"].to_string();
        assert!(warnings.contains(&format!("didn't look for {image} in its registry")), "{warnings}");
    }
}
