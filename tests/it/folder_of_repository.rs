//! Bumps in a folder of a repository, whose other files may override what is set there.

use std::path::Path;

use crate::support::cli::tagbump;
use crate::support::files;
use crate::support::git::git;
use crate::support::repo::{self, World, ended, push};

const WORKLOAD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: ghcr.io/acme/api:v1\n";
const BASE: &str = "resources: [api.yaml]\n";
const OVERLAY: &str = "resources: [../../deploy]\nimages:\n- name: ghcr.io/acme/api\n  newTag: v1\n";
const PLAIN: &str = "resources: [../../deploy]\n";
const WARNING: &str = "deploy/api.yaml:9: clusters/prod/kustomization.yaml:4, outside of deploy, sets what runs in \
                       kustomization clusters/prod; bump in the top folder of the repository instead";

/// A base, and an overlay outside of its folder.
fn layout(overlay: &str) -> [(&'static str, String); 3] {
    [
        ("deploy/api.yaml", WORKLOAD.to_owned()),
        ("deploy/kustomization.yaml", BASE.to_owned()),
        ("clusters/prod/kustomization.yaml", overlay.to_owned()),
    ]
}

fn write(root: &Path, overlay: &str) {
    git(root, &["init", "--quiet"]);
    layout(overlay).iter().for_each(|(path, text)| files::write(root, path, text));
}

#[test]
fn bump_warns_of_overlay_outside_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), OVERLAY);
    let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2"]);
    assert_eq!((run.exit, run.stdout.contains("edited 1 file")), (0, true), "{}", run.output());
    assert!(run.stderr.contains(WARNING), "{}", run.stderr);
    // as long as the overlay has the old tag
    let again = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2"]);
    assert_eq!((again.exit, again.stdout.contains("already")), (0, true), "{}", again.output());
    assert!(again.stderr.contains(WARNING), "{}", again.stderr);
}

#[test]
fn bump_sees_overlay_that_is_tracked_and_ignored() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), OVERLAY);
    files::write(folder.path(), ".gitignore", "clusters\n");
    git(folder.path(), &["add", "--force", "clusters"]);
    let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2", "-n"]);
    assert!(run.stderr.contains(WARNING), "{}", run.output());
}

#[test]
fn bump_says_which_name_overlay_gives_to_the_image() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &OVERLAY.replace("newTag: v1", "newName: mirror.local/acme/api"));
    let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2", "-n"]);
    let warning = "deploy/api.yaml:9: also sets the tag of mirror.local/acme/api, the name that clusters/prod/kustomization.yaml:3 \
                   gives it in kustomization clusters/prod";
    assert!(run.stderr.contains(warning), "{}", run.output());
}

#[test]
fn bump_says_nothing_if_overlay_has_the_tag_already_or_sets_none() {
    for overlay in [PLAIN.to_owned(), OVERLAY.replace("v1", "v2")] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &overlay);
        let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2"]);
        assert_eq!((run.exit, run.stdout.contains("edited 1 file")), (0, true), "{}", run.output());
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
}

#[test]
fn bump_warns_of_digest_outside_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    git(root, &["init", "--quiet"]);
    files::write(root, "chart/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n");
    files::write(root, "chart/values.yaml", "image:\n  repository: ghcr.io/acme/api\n  tag: v1\n");
    let release = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: api}}\nspec:\n  chart:\n    spec:\n      \
         chart: ./chart\n      sourceRef: {{kind: GitRepository, name: flux-system}}\n  values:\n    image:\n      digest: sha256:{}\n",
        "1a".repeat(32)
    );
    files::write(root, "apps/api.yaml", &release);
    let run = tagbump(&root.join("chart"), &["bump", "ghcr.io/acme/api:v2"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    let warning =
        "chart/values.yaml:3: apps/api.yaml:11, outside of chart, sets what runs in HelmRelease api";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
}

#[test]
fn bump_looks_into_component_outside_of_its_folder() {
    let harmless = "kind: Component\nnamePrefix: a-\n";
    let component = |rest: &str| format!("kind: Component\n{rest}");
    for (component, warning) in [
        (Some(harmless.to_owned()), None),
        (
            Some(component("images:\n- name: ghcr.io/acme/api\n  newTag: v1\n")),
            Some(
                "deploy/api.yaml:9: parts/kustomization.yaml:4, outside of deploy, sets what runs in kustomization deploy",
            ),
        ),
        (
            Some(component("transformers:\n- plugin.yaml\n")),
            Some(
                "parts/kustomization.yaml:3: runs a transformer; tagbump can't follow that, so check what runs in kustomization deploy",
            ),
        ),
        (None, Some("deploy/kustomization.yaml:2: includes a component that isn't in this repository")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]);
        files::write(folder.path(), "deploy/api.yaml", WORKLOAD);
        files::write(
            folder.path(),
            "deploy/kustomization.yaml",
            "resources: [api.yaml]\ncomponents: [../parts]\n",
        );
        component.iter().for_each(|text| files::write(folder.path(), "parts/kustomization.yaml", text));
        let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2", "-n"]);
        assert_eq!(run.exit, 0, "{}", run.output());
        assert_eq!(run.stderr.matches("warning").count(), usize::from(warning.is_some()), "{}", run.stderr);
        assert!(warning.is_none_or(|warning| run.stderr.contains(warning)), "{}", run.stderr);
    }
}

#[test]
fn bump_without_a_repository_warns_of_component_outside_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    files::write(folder.path(), "deploy/api.yaml", WORKLOAD);
    files::write(
        folder.path(),
        "deploy/kustomization.yaml",
        "resources: [api.yaml]\ncomponents: [../parts]\n",
    );
    let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2", "-n"]);
    let warning = "kustomization.yaml:2: includes a component outside of the folder that tagbump reads";
    assert!(run.exit == 0 && run.stderr.contains(warning), "{}", run.output());
}

#[test]
fn landing_warns_of_overlay_on_the_branch() {
    let files = layout(OVERLAY);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let world = World::with(|server| server, &files);
    let checkout = world.full("w");
    let run = repo::run(&mut push(&checkout.join("deploy"), "v2", &[]));
    ended(&run, 0, "landed");
    let warnings = repo::json(&run)["warnings"].to_string();
    assert!(warnings.contains(WARNING), "{warnings}");
}

/// The holds of the top folder are about its folders too.
#[test]
fn hold_of_the_top_folder_blocks_a_bump_in_a_folder() {
    for (files, is_held) in [
        ("", true),
        ("    files: [deploy]\n", true),
        ("    files: [deploy/api.yaml]\n", true),
        ("    files: ['**/api.yaml']\n", true),
        ("    files: [deploy/web.yaml, clusters]\n", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), PLAIN);
        let holds = format!("holds:\n  - image: ghcr.io/acme/api\n{files}    reason: freeze\n    by: Ada\n");
        files::write(folder.path(), "tagbump-holds.yaml", &holds);
        let run = tagbump(&folder.path().join("deploy"), &["bump", "ghcr.io/acme/api:v2", "-n"]);
        assert_eq!(run.exit == 4, is_held, "{files:?}: {}", run.output());
        assert_eq!(run.stderr.contains("held by Ada: freeze"), is_held, "{files:?}: {}", run.output());
    }
}

#[test]
fn hold_in_a_folder_says_that_it_holds_nothing_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), PLAIN);
    let hold = ["hold", "ghcr.io/acme/api", "--reason", "freeze"];
    let run = tagbump(&folder.path().join("deploy"), &hold);
    let warning = "warning: deploy/tagbump-holds.yaml is read by bumps in deploy alone";
    assert!(run.exit == 0 && run.stderr.contains(warning), "{}", run.output());
    let run = tagbump(folder.path(), &hold);
    assert!(run.exit == 0 && !run.stderr.contains("warning"), "{}", run.output());
}

#[test]
fn bump_says_that_the_configuration_of_the_top_folder_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), PLAIN);
    files::write(folder.path(), "tagbump.yaml", "environments: { prod: { files: [clusters] } }\n");
    let bump = ["bump", "ghcr.io/acme/api:v2", "-n"];
    let warning =
        "warning: tagbump.yaml in the top folder of the repository isn't read, because this runs in deploy";
    let run = tagbump(&folder.path().join("deploy"), &bump);
    assert!(run.exit == 0 && run.stderr.contains(warning), "{}", run.output());
    files::write(folder.path(), "deploy/tagbump.yaml", "services: {}\n");
    let run = tagbump(&folder.path().join("deploy"), &bump);
    assert!(run.exit == 0 && !run.stderr.contains("tagbump.yaml"), "{}", run.output());
}
