//! `tagbump.yaml` end to end: services, templates and messages, and which configuration counts.

use std::path::{Path, PathBuf};

use crate::support::cli::{Run, command, tagbump};
use crate::support::files::snapshot;
use crate::support::git::git;
use crate::support::repo::{self, PASSWORD, USER, World, commit, ended, failed, json, local, write};
use crate::support::schema::Schema;
use serde_json::Value;
use tagbump::config::Config;
use tempfile::TempDir;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Two services whose names aren't the last parts of their images' names.
const SERVICES: &str = "\
services:
  shop:
    image: ghcr.io/acme/backend
    files: [apps/shop.yaml]
  jobs:
    image: ghcr.io/acme/worker
    fields:
      - { file: charts/prod.yaml, path: workers.image.tag }
";
const SHOP: &str = "apps/shop.yaml";
const JOBS: &str = "charts/prod.yaml";
const JOBS_TEXT: &str = "workers:\n  image:\n    tag: v0\n";

fn pod(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image}\n")
}

/// The services' own files.
fn manifests() -> [(&'static str, String); 2] {
    [(SHOP, pod("ghcr.io/acme/backend:v0")), (JOBS, JOBS_TEXT.to_owned())]
}

/// A folder without git.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

/// A folder without git, with the services' files and this configuration.
fn configured(config: &str) -> TempDir {
    let folder = folder(&[("tagbump.yaml", config)]);
    for (path, text) in manifests() {
        write(folder.path(), path, &text);
    }
    folder
}

/// A repository of one commit; gives its folder and the commit.
fn committed(files: &[(&str, &str)]) -> (TempDir, PathBuf, String) {
    let (parent, folder) = local();
    for (path, text) in files {
        write(&folder, path, text);
    }
    git(&folder, &["add", "--all"]);
    git(&folder, &["commit", "--quiet", "--message", "base"]);
    let sha = git(&folder, &["rev-parse", "HEAD"]);
    (parent, folder, sha)
}

/// The services' repository on a server, with this configuration.
fn world(config: &str) -> World {
    let [(shop, shop_text), (jobs, jobs_text)] = manifests();
    let files = [("tagbump.yaml", config), (shop, &shop_text), (jobs, &jobs_text)];
    World::with(|server| server.basic_auth(USER, PASSWORD), &files)
}

/// Bumps, and returns the JSON report.
fn bump(folder: &Path, arguments: &[&str]) -> Run {
    tagbump(folder, &[&["bump", "--format", "json"], arguments].concat())
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap()
}

/// The requested images, as `name:tag`.
fn images(told: &Value) -> Vec<String> {
    let images = told["images"].as_array().unwrap().iter();
    images.map(|i| format!("{}:{}", i["name"].as_str().unwrap(), i["tag"].as_str().unwrap_or("-"))).collect()
}

/// The files that were changed.
fn changed(told: &Value) -> Vec<&str> {
    told["changes"].as_array().unwrap().iter().map(|change| change["file"].as_str().unwrap()).collect()
}

#[test]
fn several_services_land_as_one_commit() {
    let world = world(SERVICES);
    let base = world.tip();
    let folder = world.shallow("w");
    ended(&bump(&folder, &["shop", "jobs", "--tag", "v1", "--push"]), 0, "landed");
    assert_eq!(world.last("%P"), base, "one commit");
    assert_eq!(
        world.message(),
        "chore: update 2 images [skip ci]\n\n\
         ghcr.io/acme/backend: v0 -> v1 (apps/shop.yaml)\n\
         ghcr.io/acme/worker: v0 -> v1 (charts/prod.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/backend:v1\n\
         Tagbump-Image: ghcr.io/acme/worker:v1"
    );
    assert_eq!(world.file(SHOP), pod("ghcr.io/acme/backend:v1").trim_end());
    assert_eq!(world.file(JOBS), JOBS_TEXT.replace("v0", "v1").trim_end());
}

#[test]
fn several_services_are_one_local_commit() {
    let [(shop, shop_text), (jobs, jobs_text)] = manifests();
    let (_parent, folder, base) =
        committed(&[("tagbump.yaml", SERVICES), (shop, &shop_text), (jobs, &jobs_text)]);
    ended(&bump(&folder, &["jobs:v2", "shop:v1", "--commit"]), 0, "committed");
    assert_eq!(git(&folder, &["log", "-1", "--format=%P"]), base, "one commit");
    assert_eq!(
        git(&folder, &["log", "-1", "--format=%B"]),
        "chore: update 2 images [skip ci]\n\n\
         ghcr.io/acme/backend: v0 -> v1 (apps/shop.yaml)\n\
         ghcr.io/acme/worker: v0 -> v2 (charts/prod.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/worker:v2\n\
         Tagbump-Image: ghcr.io/acme/backend:v1"
    );
    assert_eq!(git(&folder, &["status", "--porcelain"]), "", "the files are edited too");
}

#[test]
fn subject_names_the_service() {
    let world = world(SERVICES);
    let folder = world.shallow("w");
    ended(&bump(&folder, &["shop:v1", "--push"]), 0, "landed");
    assert_eq!(world.last("%s"), "chore: update shop image to v1 [skip ci]");
    ended(&bump(&folder, &["ghcr.io/acme/backend:v2", "--push"]), 0, "landed");
    assert_eq!(world.last("%s"), "chore: update backend image to v2 [skip ci]", "no service was asked for");
    let words = "deploy {name} with {image}";
    ended(&bump(&folder, &["shop", "jobs", "--tag", "v3", "--push", "-m", words]), 0, "landed");
    let subject = "deploy shop, jobs with ghcr.io/acme/backend, ghcr.io/acme/worker [skip ci]";
    assert_eq!(world.last("%s"), subject);
}

/// A service whose references already have the tag isn't part of the commit.
#[test]
fn message_leaves_out_service_that_is_up_to_date() {
    let world = world(SERVICES);
    let folder = world.shallow("w");
    ended(&bump(&folder, &["shop:v1", "--push"]), 0, "landed");
    ended(&bump(&folder, &["shop", "jobs", "--tag", "v1", "--push"]), 0, "landed");
    assert_eq!(
        world.message(),
        "chore: update jobs image to v1 [skip ci]\n\n\
         ghcr.io/acme/worker: v0 -> v1 (charts/prod.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/worker:v1"
    );
}

/// With `--push`, the configuration of the tip counts.
mod landing {
    use super::*;

    const LEFT: &str = "services: { shop: { image: app, files: [left.yaml], message: 'left {tag}' } }\n";
    const RIGHT: &str = "services: { shop: { image: app, files: [right.yaml], message: 'right {tag}' } }\n";

    /// The same image in two files; the configuration names the left one.
    fn two_files() -> World {
        let pod = pod("app:v0");
        let files = [("tagbump.yaml", LEFT), ("left.yaml", pod.as_str()), ("right.yaml", pod.as_str())];
        World::with(|server| server.basic_auth(USER, PASSWORD), &files)
    }

    #[track_caller]
    fn landed_on_the_right(world: &World, told: &Value) {
        assert_eq!(changed(told), ["right.yaml"]);
        assert_eq!(world.last("%s"), "right v1 [skip ci]");
        assert_eq!(world.file("left.yaml"), pod("app:v0").trim_end());
        assert_eq!(world.file("right.yaml"), pod("app:v1").trim_end());
    }

    #[test]
    fn configuration_of_tip_is_used_when_checkout_has_older_one() {
        let world = two_files();
        let folder = world.shallow("w");
        world.rival("tagbump.yaml", RIGHT);
        let told = ended(&bump(&folder, &["shop:v1", "--push"]), 0, "landed");
        landed_on_the_right(&world, &told);
    }

    #[test]
    fn uncommitted_configuration_is_not_used() {
        for uncommitted in [LEFT, "services: [\n", ""] {
            let world = two_files();
            world.rival("tagbump.yaml", RIGHT);
            let folder = world.shallow("w");
            write(&folder, "tagbump.yaml", uncommitted);
            let told = ended(&bump(&folder, &["shop:v1", "--push"]), 0, "landed");
            landed_on_the_right(&world, &told);
            assert_eq!(read(&folder, "tagbump.yaml"), uncommitted, "and it stays");
        }
    }

    #[test]
    fn configuration_of_local_commit_is_not_used() {
        let world = two_files();
        world.rival("tagbump.yaml", RIGHT);
        let folder = world.full("w");
        commit(&folder, "tagbump.yaml", LEFT);
        let told = ended(&bump(&folder, &["shop:v1", "--push"]), 0, "landed");
        landed_on_the_right(&world, &told);
    }

    #[test]
    fn dry_run_uses_configuration_of_tip() {
        let world = two_files();
        let folder = world.shallow("w");
        let tip = world.rival("tagbump.yaml", RIGHT);
        let told = ended(&bump(&folder, &["shop:v1", "--push", "-n"]), 0, "planned");
        assert_eq!(changed(&told), ["right.yaml"]);
        assert_eq!(world.tip(), tip);
    }

    /// Another push lands between our fetch and our push.
    fn overtaken(world: &World, config: &'static str) -> Run {
        let folder = world.shallow("w");
        let bare = world.bare.clone();
        world.server.before_receive(move || {
            repo::rival(&bare, "tagbump.yaml", config);
        });
        bump(&folder, &["shop:v1", "--push"])
    }

    #[test]
    fn retry_uses_new_configuration_when_rival_changed_it() {
        let world = two_files();
        let told = ended(&overtaken(&world, RIGHT), 0, "landed");
        assert_eq!(told["attempts"], 2);
        landed_on_the_right(&world, &told);
    }

    #[test]
    fn retry_uses_new_template_when_rival_changed_it() {
        let world = world("tag: 'old-{sha:7}'\nservices: { shop: { image: ghcr.io/acme/backend } }\n");
        let folder = world.shallow("w");
        let sha = git(&folder, &["rev-parse", "HEAD"]);
        let bare = world.bare.clone();
        world.server.before_receive(move || {
            let config = "tag: 'new-{sha:7}'\nservices: { shop: { image: ghcr.io/acme/backend } }\n";
            repo::rival(&bare, "tagbump.yaml", config);
        });
        let told = ended(&bump(&folder, &["shop", "--push"]), 0, "landed");
        let tag = format!("new-{}", &sha[..7]);
        assert_eq!((&told["attempts"], &told["tag"]), (&2.into(), &tag.as_str().into()));
        assert_eq!(world.file(SHOP), pod(&format!("ghcr.io/acme/backend:{tag}")).trim_end());
    }

    #[test]
    fn retry_fails_when_rival_removed_service() {
        let world = two_files();
        let said = failed(&overtaken(&world, "services: { store: { image: app } }\n"), 3);
        assert!(said.contains("nothing matches shop") && said.contains("services of tagbump.yaml: store"));
        assert_eq!(world.last("%s"), "change tagbump.yaml", "nothing was landed");
    }

    #[test]
    fn retry_fails_when_rival_broke_configuration() {
        let world = two_files();
        let said = failed(&overtaken(&world, "services:\n  shop: {}\n"), 2);
        assert!(said.contains("tagbump.yaml:2:") && said.contains("`image` is missing"), "{said}");
        assert_eq!(world.last("%s"), "change tagbump.yaml", "nothing was landed");
    }

    #[test]
    fn two_configurations_on_tip_are_refused() {
        let world = two_files();
        let tip = world.rival(".github/tagbump.yaml", RIGHT);
        let said = failed(&bump(&world.shallow("w"), &["shop:v1", "--push"]), 2);
        assert!(said.contains("both tagbump.yaml and .github/tagbump.yaml"), "{said}");
        assert_eq!(world.tip(), tip);
    }
}

/// `--commit` plans on `HEAD`, so it reads the configuration from there.
mod committing {
    use super::*;

    const CONFIG: &str = "services: { shop: { image: app, files: [left.yaml] } }\n";

    fn two_files() -> (TempDir, PathBuf, String) {
        let pod = pod("app:v0");
        committed(&[("tagbump.yaml", CONFIG), ("left.yaml", &pod), ("right.yaml", &pod)])
    }

    #[test]
    fn uncommitted_configuration_is_not_used() {
        for staged in [false, true] {
            let (_parent, folder, _) = two_files();
            let uncommitted = CONFIG.replace("left", "right");
            write(&folder, "tagbump.yaml", &uncommitted);
            if staged {
                git(&folder, &["add", "tagbump.yaml"]);
            }
            let told = ended(&bump(&folder, &["shop:v1", "--commit"]), 0, "committed");
            assert_eq!(changed(&told), ["left.yaml"]);
            assert_eq!(git(&folder, &["show", "--format=", "--name-only", "HEAD"]), "left.yaml");
            assert_eq!(read(&folder, "tagbump.yaml"), uncommitted, "it stays uncommitted");
        }
    }

    #[test]
    fn configuration_that_was_never_committed_is_not_used() {
        let (_parent, folder, base) = committed(&[("left.yaml", &pod("app:v0"))]);
        write(&folder, "tagbump.yaml", CONFIG);
        failed(&bump(&folder, &["shop:v1", "--commit"]), 3);
        assert_eq!(git(&folder, &["rev-parse", "HEAD"]), base);
        ended(&bump(&folder, &["shop:v1"]), 0, "edited");
    }

    #[test]
    fn dry_run_of_commit_uses_committed_configuration() {
        let (_parent, folder, _) = two_files();
        write(&folder, "tagbump.yaml", "services: [\n");
        let told = ended(&bump(&folder, &["shop:v1", "--commit", "-n"]), 0, "planned");
        assert_eq!(changed(&told), ["left.yaml"]);
    }

    #[test]
    fn broken_committed_configuration_is_refused() {
        let (_parent, folder, base) = committed(&[("tagbump.yaml", "tga: x\n"), ("a.yaml", &pod("app:v0"))]);
        let said = failed(&bump(&folder, &["app:v1", "--commit"]), 2);
        assert!(said.starts_with("tagbump.yaml:1:1: unknown key tga\ndid you mean tag?"), "{said}");
        assert_eq!(git(&folder, &["rev-parse", "HEAD"]), base);
        assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    }
}

#[test]
fn edit_uses_configuration_of_work_tree() {
    let (_parent, folder, _) = committed(&[("left.yaml", &pod("app:v0")), ("right.yaml", &pod("app:v0"))]);
    write(&folder, "tagbump.yaml", "services: { shop: { image: app, files: [left.yaml] } }\n");
    write(&folder, ".gitignore", "tagbump.yaml\n");
    let told = ended(&bump(&folder, &["shop:v1"]), 0, "edited");
    assert_eq!(changed(&told), ["left.yaml"]);
    write(&folder, "tagbump.yaml", "services: { shop: { image: app, files: [right.yaml] } }\n");
    let told = ended(&bump(&folder, &["shop:v1"]), 0, "edited");
    assert_eq!(changed(&told), ["right.yaml"]);
}

#[test]
fn configuration_is_found_in_github_folder() {
    let [(shop, shop_text), (jobs, jobs_text)] = manifests();
    let files = [(".github/tagbump.yaml", SERVICES), (shop, &shop_text), (jobs, &jobs_text)];
    let told = ended(&bump(folder(&files).path(), &["shop", "jobs", "-t", "v1"]), 0, "edited");
    assert_eq!(changed(&told), [SHOP, JOBS], "its paths are relative to the root");
    let (_parent, committed, _) = committed(&files);
    ended(&bump(&committed, &["shop:v1", "--commit"]), 0, "committed");
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &files);
    ended(&bump(&world.shallow("w"), &["shop:v1", "--push"]), 0, "landed");
    let broken = folder(&[(".github/tagbump.yaml", "tga: x\n")]);
    let said = failed(&bump(broken.path(), &["shop:v1"]), 2);
    assert!(said.starts_with(".github/tagbump.yaml:1:1: unknown key tga"), "{said}");
}

#[test]
fn two_configurations_are_refused() {
    let folder = configured(SERVICES);
    write(folder.path(), ".github/tagbump.yaml", "");
    for arguments in [&["shop:v1"][..], &["ghcr.io/acme/backend:v1"], &["shop:v1", "-n"]] {
        let said = failed(&bump(folder.path(), arguments), 2);
        assert!(said.contains("both tagbump.yaml and .github/tagbump.yaml"), "{said}");
    }
    assert_eq!(read(folder.path(), SHOP), manifests()[0].1);
}

#[test]
fn configuration_is_found_only_at_root() {
    let folder = folder(&[("tagbump.yaml", "tga: x\n"), ("sub/tagbump.yaml", SERVICES)]);
    for (path, text) in manifests() {
        write(folder.path(), &format!("sub/{path}"), &text);
    }
    let told = ended(&bump(folder.path(), &["shop:v1", "-C", "sub"]), 0, "edited");
    assert_eq!(changed(&told), [SHOP], "and its paths are relative to that root");
    failed(&bump(folder.path(), &["shop:v1"]), 2);
}

/// The configuration can name images, but can't run any.
#[test]
fn configuration_is_never_edited() {
    let config = "services: { shop: { image: app } }\n";
    for path in ["tagbump.yaml", ".github/tagbump.yaml"] {
        for arguments in [&["app:v1"][..], &["app:v1", "-f", "**/*.yaml"], &["app:v1", "-f", "."]] {
            let folder = folder(&[(path, config), ("a.yaml", &pod("app:v0"))]);
            let told = ended(&bump(folder.path(), arguments), 0, "edited");
            assert_eq!(changed(&told), ["a.yaml"], "{arguments:?}");
            assert_eq!(read(folder.path(), path), config, "{arguments:?}");
        }
    }
}

/// Mistakes in the configuration, and how each message starts.
const WRONG: [(&str, &str); 20] = [
    ("tags: x\n", "tagbump.yaml:1:1: unknown key tags\nhint: did you mean tag?"),
    ("servces: {}\n", "tagbump.yaml:1:1: unknown key servces\nhint: did you mean services?"),
    (
        "services:\n  a:\n    image: a/b\n    flies: [x]\n",
        "tagbump.yaml:4:5: services.a: unknown key flies\nhint: did you mean files?",
    ),
    (
        "services:\n  a:\n    image: a/b\n    fields:\n      - file: x.yaml\n        paht: y\n",
        "tagbump.yaml:6:9: services.a.fields[0]: unknown key paht\nhint: did you mean path?",
    ),
    ("tag: x\ntag: y\n", "tagbump.yaml:2:1: the key tag already exists"),
    ("services:\n  a: { image: a/b }\n  a: { image: a/c }\n", "tagbump.yaml:3:3: the key a already exists"),
    ("services:\n  a: { image: a/b, image: a/c }\n", "tagbump.yaml:2:20: the key image already exists"),
    ("services:\n  a: {}\n", "tagbump.yaml:2:6: services.a: `image` is missing"),
    ("services:\n  a:\n    image: a/b\n    files: ['a[']\n", "tagbump.yaml:4:12: services.a.files: a[: "),
    (
        "services:\n  a:\n    image: a/b\n    files: [../x.yaml]\n",
        "tagbump.yaml:4:12: services.a.files: ../x.yaml: is outside the root",
    ),
    (
        "services:\n  a:\n    image: a/b\n    fields: [{ file: x.yaml, path: 'a[0' }]\n",
        "tagbump.yaml:4:13: services.a.fields: a[0: missing ]",
    ),
    (
        "services:\n  a:\n    image: a/b\n    fields: [{ file: ' ', path: a }]\n",
        "tagbump.yaml:4:13: services.a.fields: a path is empty",
    ),
    ("tag: '{sha'\n", "tagbump.yaml:1:6: tag: template \"{sha\": unmatched {"),
    (
        "services:\n  a:\n    image: a/b\n    message: '{}'\n",
        "tagbump.yaml:4:14: services.a.message: template \"{}\": a variable without a name",
    ),
    ("services:\n  a:\n    image: a/b:v1\n", "tagbump.yaml:3:12: services.a.image: give the name alone"),
    ("services:\n  a:\n    image: A b\n", "tagbump.yaml:3:12: services.a.image: "),
    ("services:\n  a:\n    image: [a/b]\n", "tagbump.yaml:3:12: services.a.image: must be text"),
    ("services:\n  a:\n", "tagbump.yaml:2:5: services.a: `image` is missing"),
    ("services: [\n", "tagbump.yaml:2:1: "),
    ("- a\n", "tagbump.yaml:1:1: must be a map"),
];

/// First the place, then the hint.
#[test]
fn error_in_configuration_names_the_position() {
    for (config, wanted) in WRONG {
        let folder = configured(config);
        let before = snapshot(folder.path());
        let run = tagbump(folder.path(), &["bump", "ghcr.io/acme/backend:v1"]);
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{config:?}: {}", run.output());
        assert!(run.stderr.starts_with(&format!("error: {wanted}")), "{config:?}: {}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "{config:?}: {}", run.stderr);
        assert_eq!(snapshot(folder.path()), before, "nothing was written");
    }
}

#[test]
fn scan_and_init_refuse_invalid_configuration() {
    let folder = folder(&[("tagbump.yaml", "servces: {}\n"), ("a.yaml", &pod("app:v0"))]);
    let before = snapshot(folder.path());
    for command in [&["scan"][..], &["scan", "--image", "app"], &["init", "--yes"]] {
        let run = tagbump(folder.path(), command);
        assert_eq!(run.exit, 2, "{command:?}: {}", run.output());
        assert!(run.stderr.contains("tagbump.yaml:1:1: unknown key servces"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(snapshot(folder.path()), before, "nothing was written");
}

/// Editors warn about what the program refuses, and about nothing else.
#[test]
fn schema_accepts_what_the_program_accepts() {
    let schema = Schema::of_file("tagbump.schema.json");
    let is_valid = |text: &str| {
        let value: Value = serde_yaml::from_str(text).unwrap();
        schema.problems(&value).is_empty()
    };
    let service = |line: &str| format!("services:\n  api: {{ image: a/b, {line} }}\n");
    let image = |name: &str| format!("services:\n  api: {{ image: '{name}' }}\n");
    let prod = |line: &str| {
        format!("environments:\n  staging: {{ files: [s] }}\n  prod: {{ files: [p], {line} }}\n")
    };
    for text in [
        SERVICES.to_owned(),
        String::new(),
        "services:\n".to_owned(),
        "environments:\n".to_owned(),
        service("files: "),
        service("fields: "),
        service("files: [envs/**, ./a.yaml]"),
        image("localhost:5000/x"),
        image("localhost/x"),
        image("nginx"),
        image("GHCR.io/acme/api"),
        image("[::1]:5000/x"),
        image("${REGISTRY}/api"),
        prod("from: staging, soak: 0"),
        prod("from: staging, soak: 12"),
        prod("from: staging, soak: 1h30m"),
    ] {
        let refused = Config::parse("tagbump.yaml", text.as_bytes()).err().map(|error| error.to_string());
        assert_eq!((refused, is_valid(&text)), (None, true), "{text}");
    }
    for text in [
        "servces: {}\n".to_owned(),
        "- a\n".to_owned(),
        "services:\n  a/b: { image: a/b }\n".to_owned(),
        "services:\n  '': { image: a/b }\n".to_owned(),
        "environments:\n  a b: { files: [p] }\n".to_owned(),
        "environments:\n  -p: { files: [p] }\n".to_owned(),
        "environments:\n  p: { files: [] }\n".to_owned(),
        image("ghcr.io/acme/api:v1"),
        image("ghcr.io/acme/api@sha256:0123"),
        image("ghcr.io/Acme/api"),
        image("Acme/api"),
        image("https://ghcr.io/acme/api"),
        image("a=b"),
        image("-a"),
        image(""),
        service("files: [/etc/x]"),
        service("files: ['']"),
        service("fields: [{ file: /x, path: a }]"),
        prod("soak: 12h"),
        prod("from: staging, soak: never"),
        prod("from: staging, soak: -1"),
    ] {
        let is_refused = Config::parse("tagbump.yaml", text.as_bytes()).is_err();
        assert_eq!((is_refused, is_valid(&text)), (true, false), "{text}");
    }
}

#[test]
fn error_in_configuration_is_in_json_error() {
    for (config, wanted) in WRONG {
        let folder = configured(config);
        let run = bump(folder.path(), &["ghcr.io/acme/backend:v1"]);
        let said = failed(&run, 2);
        assert!(said.starts_with(&wanted.replace("\nhint: ", "\n")), "{config:?}: {said}");
        assert_eq!(json(&run)["changed"], false);
    }
}

/// A template is filled in later; mistakes in it are still reported as mistakes in the file.
#[test]
fn unknown_variable_in_template_names_the_file() {
    let (_parent, folder, base) = committed(&[("a.yaml", &pod("app:v0"))]);
    for config in [
        "tag: '{brnch}'\nservices: { shop: { image: app } }\n",
        "services: { shop: { image: app, tag: '{brnch}' } }\n",
        "message: '{brnch}'\nservices: { shop: { image: app, tag: v1 } }\n",
        "services: { shop: { image: app, tag: v1, message: '{brnch}' } }\n",
    ] {
        let base = commit(&folder, "tagbump.yaml", config);
        let said = failed(&bump(&folder, &["shop", "--commit"]), 2);
        assert!(said.contains("did you mean {branch}?"), "{config:?}: {said}");
        assert!(said.contains("tagbump.yaml"), "{config:?}: nobody typed a flag: {said}");
        assert_eq!(git(&folder, &["rev-parse", "HEAD"]), base);
    }
    assert_ne!(git(&folder, &["rev-parse", "HEAD"]), base, "the configurations were committed");
}

/// Where a tag can come from, and from which template: each line takes precedence over the ones below it.
#[test]
fn templates_follow_their_precedence() {
    let services = "services:\n  a: { image: app/a, tag: 'own-{sha:5}' }\n  b: { image: app/b }\n";
    let with_default = format!("tag: 'top-{{sha:4}}'\n{services}");
    let manifest = format!("{}---\n{}---\n{}", pod("app/a:v0"), pod("app/b:v0"), pod("app/c:v0"));
    let (_parent, folder, sha) = committed(&[("a.yaml", &manifest)]);
    let told = |config: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        write(&folder, "tagbump.yaml", config);
        let mut command = command(&folder);
        command.args(["bump", "a", "b", "app/c", "-n", "--format", "json"]).args(arguments);
        images(&ended(&repo::run(command.envs(variables.iter().copied())), 0, "planned"))
    };
    let all = |tag: String| ["a", "b", "c"].map(|name| format!("app/{name}:{tag}"));
    let typed = &["--tag-template", "typed-{sha:3}"];
    let variable = &[("TAGBUMP_TAG_TEMPLATE", "variable-{sha:2}")];
    assert_eq!(told(&with_default, &["--tag", "v9"], variable), all("v9".to_owned()));
    assert_eq!(told(&with_default, typed, variable), all(format!("typed-{}", &sha[..3])));
    assert_eq!(told(&with_default, &[], variable), all(format!("variable-{}", &sha[..2])));
    let own = format!("app/a:own-{}", &sha[..5]);
    let rest = |tag: &str| [own.clone(), format!("app/b:{tag}"), format!("app/c:{tag}")];
    assert_eq!(told(&with_default, &[], &[]), rest(&format!("top-{}", &sha[..4])));
    assert_eq!(told(services, &[], &[]), rest(&sha[..7]));
}

#[test]
fn messages_follow_their_precedence() {
    let services = "services:\n  a: { image: app/a, message: 'own {name} {tag}' }\n  b: { image: app/b }\n";
    let with_default = format!("message: 'top {{name}} {{tag}}'\n{services}");
    let manifest = format!("{}---\n{}", pod("app/a:v0"), pod("app/b:v0"));
    let (_parent, folder, _) = committed(&[("a.yaml", &manifest), ("tagbump.yaml", &with_default)]);
    let mut tag = 0;
    let mut subject = |services: &[&str], arguments: &[&str], variables: &[(&str, &str)]| {
        tag += 1;
        let mut command = command(&folder);
        command.args(["bump", "--commit", "--no-skip-ci", "--format", "json", "--tag", &format!("v{tag}")]);
        command.args(services).args(arguments).envs(variables.iter().copied());
        ended(&repo::run(&mut command), 0, "committed");
        git(&folder, &["log", "-1", "--format=%s"])
    };
    let typed = &["--message", "typed {name} {tag}"];
    let variable = &[("TAGBUMP_MESSAGE", "variable {name} {tag}")];
    assert_eq!(subject(&["a"], typed, variable), "typed a v1");
    assert_eq!(subject(&["a"], &[], variable), "variable a v2");
    assert_eq!(subject(&["a"], &[], &[]), "own a v3");
    assert_eq!(subject(&["b"], &[], &[]), "top b v4");
    assert_eq!(subject(&["app/a"], &[], &[]), "top a v5", "the image, not the service");
    assert_eq!(subject(&["a", "b"], &[], &[]), "top a, b v6", "no service speaks for another");
    commit(&folder, "tagbump.yaml", services);
    assert_eq!(subject(&["b"], &[], &[]), "chore: update b image to v7");
    assert_eq!(subject(&["a", "b"], &[], &[]), "chore: update 2 images");
}

#[test]
fn message_of_service_keeps_its_trailers() {
    let config = "message: \"deploy {name}\\n\\nRefs: #1\"\nservices: { shop: { image: app } }\n";
    let (_parent, folder, _) = committed(&[("a.yaml", &pod("app:v0")), ("tagbump.yaml", config)]);
    ended(&bump(&folder, &["shop:v1", "--commit"]), 0, "committed");
    let message = git(&folder, &["log", "-1", "--format=%B"]);
    assert_eq!(message, "deploy shop [skip ci]\n\nRefs: #1\nTagbump-Image: app:v1");
}

/// The template of the service itself made the explicit tag.
#[test]
fn source_is_read_from_tag_by_template_of_service() {
    let sha = "1111111222222233333334444444555555566666";
    let config = "services: { shop: { image: app, tag: 'b{sha:7}x' } }\n";
    let (_parent, folder, _) = committed(&[("a.yaml", &pod("app:v0")), ("tagbump.yaml", config)]);
    let mut command = command(&folder);
    command.args(["bump", "shop:b1111111x", "--commit", "--format", "json"]);
    let run = repo::run(repo::actions(&mut command, "acme/api", sha).env("GITHUB_SHA", sha));
    ended(&run, 0, "committed");
    let message = git(&folder, &["log", "-1", "--format=%B"]);
    assert!(message.contains(&format!("Tagbump-Source: acme/api@{sha}")), "{message}");
    let mut other = crate::support::cli::command(&folder);
    other.args(["bump", "shop:b7777777x", "--commit", "--format", "json"]);
    let run = repo::run(repo::actions(&mut other, "acme/api", sha));
    ended(&run, 0, "committed");
    let message = git(&folder, &["log", "-1", "--format=%B"]);
    assert!(message.contains("Tagbump-Source: acme/api@7777777"), "not the event's commit: {message}");
}

#[test]
fn tag_command_uses_template_of_configuration() {
    let config = "tag: 'main-{sha:9}'\nservices: { shop: { image: app, tag: 'own-{sha:5}' } }\n";
    let (_parent, folder, sha) = committed(&[("tagbump.yaml", config)]);
    let tag = |arguments: &[&str], variables: &[(&str, &str)]| {
        repo::run(command(&folder).arg("tag").args(arguments).envs(variables.iter().copied()))
    };
    let by_config = format!("main-{}\n", &sha[..9]);
    assert_eq!(tag(&[], &[]).stdout, by_config);
    assert_eq!(tag(&["--image", "app"], &[]).stdout, format!("app:{by_config}"));
    assert_eq!(tag(&["-T", "x{sha:3}"], &[]).stdout, format!("x{}\n", &sha[..3]));
    let variable = &[("TAGBUMP_TAG_TEMPLATE", "y{sha:3}")];
    assert_eq!(tag(&[], variable).stdout, format!("y{}\n", &sha[..3]));
    assert_eq!(tag(&["-T", "x{sha:3}"], variable).stdout, format!("x{}\n", &sha[..3]));
    write(&folder, "tagbump.yaml", "services: {}\n");
    assert_eq!(tag(&[], &[]).stdout, format!("{}\n", &sha[..7]), "the default, and the working tree's file");
    write(&folder, "tagbump.yaml", "tga: x\n");
    let broken = tag(&[], &[]);
    assert_eq!((broken.exit, broken.stdout.as_str()), (2, ""), "{}", broken.output());
    assert!(broken.stderr.starts_with("error: tagbump.yaml:1:1: unknown key tga\n"), "{}", broken.stderr);
}

/// `tag` in the build and `bump` in the deployment give the same tag.
#[test]
fn bump_computes_the_tag_that_tag_command_prints() {
    let config = "tag: '{branch}-{sha:9}'\nservices: { shop: { image: app } }\n";
    let (_parent, folder, _) = committed(&[("a.yaml", &pod("app:v0")), ("tagbump.yaml", config)]);
    let printed = tagbump(&folder, &["tag"]).stdout;
    let told = ended(&bump(&folder, &["shop"]), 0, "edited");
    assert_eq!(told["tag"], printed.trim_end());
    assert_eq!(read(&folder, "a.yaml"), pod(&format!("app:{}", printed.trim_end())));
}

#[test]
fn service_accepts_tag_and_digest() {
    let with_digest = format!("ghcr.io/acme/backend:v0@{DIGEST}");
    for (service, more, wanted) in [
        ("shop:v1".to_owned(), &[][..], "ghcr.io/acme/backend:v1".to_owned()),
        (format!("shop@{DIGEST}"), &[], with_digest.clone()),
        (format!("shop:v1@{DIGEST}"), &[], with_digest.replace("v0", "v1")),
        ("shop:v1".to_owned(), &["--digest", DIGEST], with_digest.replace("v0", "v1")),
    ] {
        let folder = configured(SERVICES);
        let told = ended(&bump(folder.path(), &[&[service.as_str()], more].concat()), 0, "edited");
        assert_eq!(told["images"][0]["name"], "ghcr.io/acme/backend", "{service}");
        assert_eq!(read(folder.path(), SHOP), pod(&wanted), "{service}");
        assert_eq!(read(folder.path(), JOBS), JOBS_TEXT, "{service}");
    }
}

#[test]
fn service_and_image_are_bumped_in_one_run() {
    let folder = configured(SERVICES);
    write(folder.path(), "other.yaml", &pod("redis:v0"));
    let told = ended(&bump(folder.path(), &["redis:v7", "shop:v1"]), 0, "edited");
    assert_eq!(images(&told), ["redis:v7", "ghcr.io/acme/backend:v1"]);
    assert_eq!(changed(&told), [SHOP, "other.yaml"]);
    assert_eq!(read(folder.path(), "other.yaml"), pod("redis:v7"));
    assert_eq!(read(folder.path(), SHOP), pod("ghcr.io/acme/backend:v1"));
}

#[test]
fn services_of_one_image_change_only_their_own_files() {
    let config =
        "services:\n  dev: { image: app, files: [dev] }\n  prod: { image: app, files: ['prod/**'] }\n";
    let manifest = pod("app:v0");
    let files =
        [("tagbump.yaml", config), ("dev/a.yaml", manifest.as_str()), ("prod/a.yaml", manifest.as_str())];
    let folder = folder(&files);
    let told = ended(&bump(folder.path(), &["dev:v1", "prod:v2"]), 0, "edited");
    assert_eq!(images(&told), ["app:v1", "app:v2"]);
    assert_eq!(read(folder.path(), "dev/a.yaml"), pod("app:v1"));
    assert_eq!(read(folder.path(), "prod/a.yaml"), pod("app:v2"));
    let told = ended(&bump(folder.path(), &["prod:v3"]), 0, "edited");
    assert_eq!(changed(&told), ["prod/a.yaml"], "other tags elsewhere are no question");
}

const SHARED: &str = "\
services:
  one: { image: app, files: [a.yaml] }
  two: { image: app, files: ['*.yaml'] }
  field: { image: app, fields: [{ file: a.yaml, path: 'spec.containers[0].image' }] }
";

/// Two images or services that match the same reference; nothing is written, whatever their tags are.
#[track_caller]
fn meant_twice(one: &str, other: &str) {
    for tag in ["v1", "v2"] {
        let folder = folder(&[("tagbump.yaml", SHARED), ("a.yaml", &pod("app:v0"))]);
        let said = failed(&bump(folder.path(), &[&format!("{one}:v1"), &format!("{other}:{tag}")]), 2);
        assert!(said.contains("a.yaml:5"), "{one} and {other}: {said}");
        assert_eq!(read(folder.path(), "a.yaml"), pod("app:v0"));
    }
}

#[test]
fn overlapping_services_are_refused() {
    meant_twice("one", "two");
    meant_twice("one", "one");
}

#[test]
fn service_that_overlaps_an_image_is_refused() {
    meant_twice("one", "app");
    meant_twice("docker.io/library/app", "two");
}

#[test]
fn field_that_another_service_finds_is_refused() {
    meant_twice("one", "field");
    meant_twice("field", "field");
}

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: \"v0\" # by CI\n";
const LIST: &str = "items:\n  - name: web\n    rev: v0\n  - name: worker\n    rev: v0\n";

#[test]
fn fields_set_tags_that_no_rule_finds() {
    let config = "\
services:
  shop:
    image: ghcr.io/acme/backend
    fields:
      - { file: charts/shop/Chart.yaml, path: appVersion }
      - { file: 'charts/*/list.yaml', path: 'items[name=worker].rev' }
      - { file: charts/shop/list.yaml, path: 'items[0].rev' }
";
    let folder = folder(&[
        ("tagbump.yaml", config),
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/list.yaml", LIST),
        ("charts/other/Chart.yaml", CHART),
        ("charts/other/list.yaml", LIST),
        ("pod.yaml", &pod("ghcr.io/acme/backend:v0")),
    ]);
    let told = ended(&bump(folder.path(), &["shop:v1"]), 0, "edited");
    assert_eq!(told["changes"].as_array().unwrap().len(), 4, "{told}");
    assert_eq!(read(folder.path(), "charts/shop/Chart.yaml"), CHART.replace("\"v0\"", "\"v1\""));
    assert_eq!(read(folder.path(), "charts/shop/list.yaml"), LIST.replace("v0", "v1"));
    let one_item = LIST.replace("worker\n    rev: v0", "worker\n    rev: v1");
    assert_eq!(read(folder.path(), "charts/other/list.yaml"), one_item);
    assert_eq!(read(folder.path(), "charts/other/Chart.yaml"), CHART);
    assert_eq!(read(folder.path(), "pod.yaml"), pod("ghcr.io/acme/backend:v0"), "the fields and only they");
    ended(&bump(folder.path(), &["shop:v1"]), 0, "already");
}

#[test]
fn fields_and_files_are_both_set() {
    let config = "\
services:
  shop:
    image: app
    files: [pod.yaml]
    fields: [{ file: Chart.yaml, path: appVersion }]
";
    let files = [("tagbump.yaml", config), ("Chart.yaml", CHART), ("pod.yaml", &pod("app:v0"))];
    let folder = folder(&files);
    let told = ended(&bump(folder.path(), &["shop:v1"]), 0, "edited");
    assert_eq!(changed(&told), ["Chart.yaml", "pod.yaml"]);
}

/// A service's file, or a field in it, doesn't exist.
#[test]
fn missing_file_or_field_of_service_is_exit_3() {
    let missing_file = SERVICES.replace("charts/prod.yaml", "charts/gone.yaml");
    let missing_path = SERVICES.replace("apps/shop.yaml", "apps/gone.yaml");
    let missing_field = SERVICES.replace("workers.image.tag", "workers.image.tags");
    for (config, service, named) in [
        (missing_file.as_str(), "jobs:v1", "charts/gone.yaml"),
        (&missing_path, "shop:v1", "apps/gone.yaml"),
        (&missing_field, "jobs:v1", "no document of charts/prod.yaml has a field workers.image.tags"),
    ] {
        let folder = configured(config);
        let before = snapshot(folder.path());
        let said = failed(&bump(folder.path(), &[service]), 3);
        assert!(said.contains(named), "{said}");
        assert_eq!(snapshot(folder.path()), before);
        let world = world(config);
        let tip = world.tip();
        let said = failed(&bump(&world.shallow("w"), &[service, "--push"]), 3);
        assert!(said.contains(named), "{said}");
        assert_eq!(world.tip(), tip);
    }
}

/// The user didn't type `-f`, so the configuration has to be fixed.
#[test]
fn missing_file_of_service_is_not_called_a_flag() {
    let folder = configured(&SERVICES.replace("apps/shop.yaml", "apps/gone.yaml"));
    let said = failed(&bump(folder.path(), &["shop:v1"]), 3);
    assert!(said.starts_with("tagbump.yaml: services.shop: apps/gone.yaml: "), "{said}");
    assert!(!said.contains("-f"), "{said}");
}

#[test]
fn image_that_is_named_twice_is_called_so() {
    let folder = folder(&[("a.yaml", &pod("app:v0"))]);
    let said = failed(&bump(folder.path(), &["app:v1", "app:v2"]), 2);
    assert!(said.starts_with("app is named twice, and both set the reference at a.yaml:5"), "{said}");
}

#[test]
fn hint_about_a_pattern_without_files_says_what_it_is_relative_to() {
    let folder = folder(&[("a.yaml", &pod("app:v0"))]);
    let said = failed(&bump(folder.path(), &["app:v1", "-f", "prod/**"]), 3);
    assert!(said.contains("paths and patterns are relative to the root; check -C and -f"), "{said}");
    // the field is not to blame
    let said = failed(&bump(folder.path(), &["app:v1", "-f", "prod/**", "--field", "a"]), 3);
    assert!(said.contains("prod/** matches no file"), "{said}");
    let said = failed(&bump(tempfile::tempdir().unwrap().path(), &["app:v1"]), 3);
    assert!(said.contains("found no YAML files"), "{said}");
}

/// `-f` narrows a service's files: a file of prod never becomes one of the service for dev.
#[test]
fn typed_files_narrow_files_of_service() {
    const CONFIG: &str =
        "services:\n  dev: { image: app, files: [dev] }\n  both: { image: app, files: ['*/*.yaml'] }\n";
    let manifest = pod("app:v0");
    let paths = ["dev/a.yaml", "dev/b.yaml", "prod/a.yaml"];
    for (service, typed, expected) in [
        ("dev", "dev/a.yaml", &paths[..1]),
        ("dev", "**/a.yaml", &paths[..1]),
        ("dev", ".", &paths[..2]),
        ("both", "dev", &paths[..2]),
        ("both", "*/a.yaml", &["dev/a.yaml", "prod/a.yaml"]),
        ("both", "prod/a.yaml", &paths[2..]),
    ] {
        let mut files = vec![("tagbump.yaml", CONFIG)];
        files.extend(paths.map(|path| (path, manifest.as_str())));
        let folder = folder(&files);
        let run = command(folder.path())
            .args(["bump", service, "-t", "v1", "--format", "json"])
            .env("TAGBUMP_FILE", typed)
            .output()
            .unwrap();
        assert_eq!(changed(&ended(&Run::of(&run), 0, "edited")), expected, "{service} -f {typed}");
    }
}

/// If nothing is left, every command that takes a service names both selections.
#[test]
fn typed_files_outside_service_are_exit_3() {
    let folder = configured(SERVICES);
    write(folder.path(), "elsewhere.yaml", &pod("ghcr.io/acme/backend:v0"));
    let before = snapshot(folder.path());
    for typed in ["elsewhere.yaml", "else*.yaml", "gone"] {
        let said = failed(&bump(folder.path(), &["shop:v1", "-f", typed]), 3);
        let both = format!("service shop has no file in {typed}; its files are: apps/shop.yaml");
        assert!(said.contains(&both) && said.contains("ghcr.io/acme/backend"), "{said}");
    }
    let field = ["shop:v1", "-f", "elsewhere.yaml", "--field", "spec.containers[0].image"];
    failed(&bump(folder.path(), &field), 3);
    failed(&bump(folder.path(), &["jobs:v1", "-f", "elsewhere.yaml"]), 3);
    assert_eq!(snapshot(folder.path()), before);
    let world = world(SERVICES);
    let (work, tip) = (world.shallow("w"), world.tip());
    for arguments in [
        &["bump", "shop", "-t", "v1", "--push"][..],
        &["rollback", "shop", "--push"],
        &["history", "shop"],
        &["hold", "shop", "--reason", "r", "--push"],
        &["unhold", "shop", "--push"],
    ] {
        let typed = [arguments, &["-f", "charts", "--format", "json"]].concat();
        let run = Run::of(&command(&work).args(&typed).output().unwrap());
        let said = failed(&run, 3);
        assert!(said.contains("service shop has no file in charts"), "{arguments:?}: {said}");
    }
    assert_eq!(world.tip(), tip);
}

/// A broken or missing file of a service is of no concern if `-f` leaves it out.
#[test]
fn typed_files_leave_out_broken_files_of_service() {
    let config = "services: { shop: { image: app, files: [a.yaml, broken.yaml, gone.yaml] } }\n";
    let folder =
        folder(&[("tagbump.yaml", config), ("a.yaml", &pod("app:v0")), ("broken.yaml", "a: [app:v0\n")]);
    for typed in ["a.yaml", "a*.yaml"] {
        let told = ended(&bump(folder.path(), &["shop:v1", "-f", typed]), 0, "edited");
        assert_eq!(changed(&told), ["a.yaml"]);
        write(folder.path(), "a.yaml", &pod("app:v0"));
    }
}

/// A hold of a service's files among those that were typed doesn't hold its others, and ends in the same way.
#[test]
fn typed_files_narrow_hold_of_service() {
    let config = "services: { shop: { image: app, files: ['*/*.yaml'] } }\n";
    let manifest = pod("app:v0");
    let folder = folder(&[("tagbump.yaml", config), ("dev/a.yaml", &manifest), ("prod/a.yaml", &manifest)]);
    let run = |arguments: &[&str]| {
        Run::of(&command(folder.path()).args(arguments).args(["--format", "json"]).output().unwrap())
    };
    ended(&run(&["hold", "shop", "--reason", "r", "-f", "prod"]), 0, "edited");
    assert!(read(folder.path(), "tagbump-holds.yaml").contains("files: [prod/a.yaml]"));
    let told = ended(&run(&["bump", "shop", "-t", "v1", "--if-held", "skip"]), 0, "edited");
    assert_eq!(changed(&told), ["dev/a.yaml"]);
    ended(&run(&["unhold", "shop", "-f", "prod"]), 0, "edited");
    assert!(!read(folder.path(), "tagbump-holds.yaml").contains("image: app"));
}

/// A service's field still applies to files given with `-f`.
#[track_caller]
fn chosen_among(field_file: &str) {
    for typed in ["charts/a.yaml", "charts/a*", "charts/{a,x}.yaml"] {
        let field = format!("{{ file: '{field_file}', path: workers.image.tag }}");
        let config = format!("services: {{ jobs: {{ image: app, fields: [{field}] }} }}\n");
        let files =
            [("tagbump.yaml", config.as_str()), ("charts/a.yaml", JOBS_TEXT), ("charts/b.yaml", JOBS_TEXT)];
        let folder = folder(&files);
        let told = ended(&bump(folder.path(), &["jobs:v1", "-f", typed]), 0, "edited");
        assert_eq!(changed(&told), ["charts/a.yaml"], "-f {typed}");
    }
}

#[test]
fn typed_files_select_fields_of_service() {
    chosen_among("charts/a.yaml");
}

#[test]
fn typed_files_select_fields_with_pattern() {
    chosen_among("charts/*.yaml");
}

#[test]
fn typed_files_select_fields_in_folder() {
    chosen_among("charts");
}

/// As if there were no `files` at all.
#[test]
fn empty_list_of_files_means_every_file() {
    for files in ["[]", ""] {
        let config = format!("services:\n  shop:\n    image: app\n    files: {files}\n");
        let manifest = pod("app:v0");
        let files = [
            ("tagbump.yaml", config.as_str()),
            ("a.yaml", manifest.as_str()),
            ("b/c.yaml", manifest.as_str()),
        ];
        let folder = folder(&files);
        let told = ended(&bump(folder.path(), &["shop:v1"]), 0, "edited");
        assert_eq!(changed(&told), ["a.yaml", "b/c.yaml"], "{config}");
        write(folder.path(), "a.yaml", &pod("app:v9"));
        failed(&bump(folder.path(), &["shop:v2"]), 3);
    }
}

/// Most likely an unset variable: on the command line this is exit 2 too.
#[test]
fn empty_path_is_refused() {
    for path in ["", " "] {
        let config = format!("services:\n  shop:\n    image: app\n    files: ['{path}']\n");
        let folder = folder(&[("tagbump.yaml", &config), ("a.yaml", &pod("app:v0"))]);
        let said = failed(&bump(folder.path(), &["shop:v1"]), 2);
        assert!(said.starts_with("tagbump.yaml:4:12: services.shop.files: "), "{said}");
        assert_eq!(read(folder.path(), "a.yaml"), pod("app:v0"));
    }
}

#[test]
fn configuration_over_limit_is_refused() {
    let padded = |size: usize| format!("{SERVICES}#{}\n", "x".repeat(size - SERVICES.len() - 2));
    let folder = configured(&padded(1_000_000));
    ended(&bump(folder.path(), &["shop:v1"]), 0, "edited");
    let folder = configured(&padded(1_000_001));
    let said = failed(&bump(folder.path(), &["shop:v1"]), 2);
    assert!(said.contains("tagbump.yaml: is over 1 MB"), "{said}");
    assert_eq!(read(folder.path(), SHOP), manifests()[0].1);
}

/// So large that manifests of that size would be skipped.
#[test]
fn configuration_over_manifest_limit_is_refused() {
    let folder = configured(SERVICES);
    let file = std::fs::File::options().write(true).open(folder.path().join("tagbump.yaml")).unwrap();
    file.set_len(50_000_001).unwrap();
    let said = failed(&bump(folder.path(), &["shop:v1"]), 2);
    assert!(said.contains("tagbump.yaml: is over 1 MB"), "{said}");
}

#[test]
fn alias_bombs_are_refused() {
    let aliases: String =
        (1..30).map(|n| format!("x{n}: &x{n} [*x{m}, *x{m}, *x{m}, *x{m}]\n", m = n - 1)).collect();
    let files = "services:\n  shop:\n    image: &x0 app\n";
    let nested: String =
        (1..30).map(|n| format!("    - &y{n} [*y{m}, *y{m}, *y{m}, *y{m}]\n", m = n - 1)).collect();
    let merges: String =
        (1..30).map(|n| format!("  x{n}: &x{n} {{ <<: [*x{m}, *x{m}] }}\n", m = n - 1)).collect();
    for config in [
        format!("x0: &x0 a\n{aliases}"),
        format!("{files}    files:\n    - &y0 a\n{nested}"),
        format!("services:\n  x0: &x0 {{ image: app }}\n{merges}"),
        format!("tag: {}a{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{}a\n", "- ".repeat(100_000)),
    ] {
        let folder = configured(&config);
        let said = failed(&bump(folder.path(), &["ghcr.io/acme/backend:v1"]), 2);
        assert!(said.starts_with("tagbump.yaml:"), "{said}");
        assert_eq!(read(folder.path(), SHOP), manifests()[0].1);
    }
}

#[test]
fn configuration_that_is_not_text_is_refused() {
    let utf16: Vec<u8> =
        b"\xff\xfe".iter().copied().chain("a: 1\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (bytes, wanted) in [
        (b"tag: v1\nmessage: caf\xe9\n".to_vec(), "tagbump.yaml:2:13: is not UTF-8"),
        (b"tag: v1\nmessage: a\0b\n".to_vec(), "tagbump.yaml:2:11: holds a NUL byte"),
        (utf16, "tagbump.yaml:1:1: is UTF-16; save it as UTF-8"),
    ] {
        let folder = configured("");
        std::fs::write(folder.path().join("tagbump.yaml"), bytes).unwrap();
        let said = failed(&bump(folder.path(), &["ghcr.io/acme/backend:v1"]), 2);
        assert!(said.starts_with(wanted), "{said}");
    }
}

#[test]
fn configuration_is_read_with_byte_order_mark_and_crlf() {
    let folder = configured(&format!("\u{feff}{}", SERVICES.replace('\n', "\r\n")));
    let told = ended(&bump(folder.path(), &["shop:v1", "jobs:v1"]), 0, "edited");
    assert_eq!(changed(&told), [SHOP, JOBS]);
}

#[test]
fn configuration_is_read_without_services() {
    for config in ["", "# nothing\n", "---\n", "services: {}\n", "tag: v7\n"] {
        let folder = configured(config);
        ended(&bump(folder.path(), &["ghcr.io/acme/backend:v1"]), 0, "edited");
        assert_eq!(read(folder.path(), SHOP), pod("ghcr.io/acme/backend:v1"), "{config:?}");
    }
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    /// The real file is outside the root; a link to it, or to its folder, takes its place.
    fn linked(outside: &Path, root: &Path, path: &str) {
        write(outside, "tagbump.yaml", "services: { shop: { image: app } }\n");
        match path {
            ".github" => symlink(outside, root.join(path)).unwrap(),
            _ => symlink(outside.join("tagbump.yaml"), root.join(path)).unwrap(),
        }
    }

    #[test]
    fn symlink_as_configuration_is_not_followed() {
        for path in ["tagbump.yaml", ".github"] {
            let (outside, folder) = (tempfile::tempdir().unwrap(), folder(&[("a.yaml", &pod("app:v0"))]));
            linked(outside.path(), folder.path(), path);
            let run = bump(folder.path(), &["shop:v1"]);
            assert_eq!(json(&run)["outcome"], "failed", "{path}");
            assert_eq!(read(folder.path(), "a.yaml"), pod("app:v0"), "{path}");
        }
    }

    /// Skipping it would compute tags with another template than the user's.
    #[test]
    fn symlink_as_configuration_is_refused() {
        for path in ["tagbump.yaml", ".github"] {
            let outside = tempfile::tempdir().unwrap();
            let (_parent, folder, _) = committed(&[("a.yaml", &pod("app:v0"))]);
            linked(outside.path(), &folder, path);
            git(&folder, &["add", "--all"]);
            git(&folder, &["commit", "--quiet", "--message", "link"]);
            for reach in [&[][..], &["--commit"]] {
                let said = failed(&bump(&folder, &[&["app"], reach].concat()), 2);
                assert!(said.contains(path) && said.contains("symlink"), "{path} {reach:?}: {said}");
            }
            assert_eq!(read(&folder, "a.yaml"), pod("app:v0"), "{path}");
        }
    }
}

#[test]
fn hint_about_a_value_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for (service, advice) in [
        ("Api: {image: ghcr.io/Acme/api}", "hint: write ghcr.io/acme/api\n"),
        ("a b: {image: acme/api}", "hint: write a short name"),
        ("api: {image: 'acme/api:v1'}", "hint: the tag comes from the command line"),
        ("api: {image: acme/api, files: ['a[b']}", "hint: patterns are *, **"),
        ("api: {image: acme/api, files: ['']}", "hint: write the path of a file"),
    ] {
        std::fs::write(folder.path().join("tagbump.yaml"), format!("services: {{{service}}}\n")).unwrap();
        let run = Run::of(&command(folder.path()).args(["bump", "api:v1"]).output().unwrap());
        assert_eq!(run.exit, 2, "{}", run.output());
        assert!(run.stderr.contains(advice), "{service}: {}", run.stderr);
    }
    let long = ["wait", "api", "--url", "https://x.example", "--wait-timeout", "48h"];
    let run = Run::of(&command(folder.path()).args(long).output().unwrap());
    assert!(
        run.exit == 2 && run.stderr.contains("--wait-timeout 48h: longer than a day"),
        "{}",
        run.output()
    );
}

#[test]
fn byte_order_mark_is_no_document() {
    let services = format!("\u{feff}{SERVICES}");
    let folder = folder(&[("tagbump.yaml", &services), (SHOP, &pod("ghcr.io/acme/backend:v0"))]);
    let holds = "\u{feff}holds:\n  - image: ghcr.io/acme/backend\n    by: Ada\n    reason: freeze\n";
    std::fs::write(folder.path().join("tagbump-holds.yaml"), holds).unwrap();
    let run = Run::of(&command(folder.path()).args(["bump", "shop:v1"]).output().unwrap());
    assert!(run.stderr.contains("held by Ada: freeze"), "{}", run.output());
}
