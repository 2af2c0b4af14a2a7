//! `tagbump init`: what it proposes for a repository, and that the proposal works.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::files::{copy, snapshot, write};
use crate::support::init::{
    CONFIG, WORKFLOW, changed, changed_to, folder, monorepo, pod, read, root, services, written,
};
use crate::support::schema::Schema;
use clap::Parser;
use serde_json::Value;
use tagbump::cli::{Cli, Command};
use tagbump::commands::{bump, init};
use tagbump::environment::Environment;
use tagbump::error::Failure;
use tagbump::hint::Audience;
use tagbump::output::Report;
use tagbump::{diagnostics, settings};

/// The example shows the generated file, and the workflow linters check it.
#[test]
fn example_matches_what_init_writes() {
    let example = root().join("examples/init");
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy(&example, &work);
    std::fs::remove_file(work.join(CONFIG)).unwrap();
    std::fs::remove_dir_all(work.join(".github")).unwrap();
    assert_eq!(written(&work), ["api-dev", "api-prod", "web"]);
    for path in [CONFIG, WORKFLOW] {
        let (shown, made) = (read(&example, path), read(&work, path));
        assert!(shown == made, "examples/init/{path} must be:\n{made}");
    }
    assert_eq!(snapshot(&work), snapshot(&example));
}

#[test]
fn proposed_actions_match_those_of_this_repository() {
    let workflow = read(&root().join("examples/init"), WORKFLOW);
    let ours = read(root(), ".github/workflows/ci.yml");
    let pinned = workflow.lines().find(|line| line.contains("uses: actions/checkout@")).unwrap();
    assert!(ours.contains(pinned.trim()), "{pinned}");
}

#[test]
fn bump_of_proposed_service_changes_only_its_environment() {
    let folder = monorepo();
    assert_eq!(written(folder.path()), ["api-dev", "api-prod"]);
    for environment in ["dev", "prod"] {
        let files = changed(folder.path(), &[format!("api-{environment}")]).unwrap();
        assert_eq!(files, [format!("apps/api/overlays/{environment}/kustomization.yaml")]);
    }
    let text = read(folder.path(), CONFIG);
    assert!(text.contains("\ntag: \"{branch}-{sha:7}\"\n") && text.contains("\n  # postgres:\n"), "{text}");
}

#[test]
fn init_proposes_services_of_flux_repository() {
    let release = |tag: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    \
             image: {{ repository: ghcr.io/acme/shop, tag: {tag} }}\n"
        )
    };
    let folder = folder(&[
        ("clusters/staging-eu/shop.yaml", &release("v1.3.0")),
        ("clusters/production/eu/shop.yaml", &release("v1.2.0")),
        ("clusters/production/us/shop.yaml", &release("v1.2.0")),
    ]);
    assert_eq!(written(folder.path()), ["shop-production", "shop-staging"]);
    let files = changed(folder.path(), &["shop-production".to_owned()]).unwrap();
    assert_eq!(files, ["clusters/production/eu/shop.yaml", "clusters/production/us/shop.yaml"]);
    assert!(read(folder.path(), CONFIG).contains("\ntag: \"v{semver}\"\n"));
}

/// The kustomization that nothing includes decides which environment a root is in, wherever its patches are.
#[test]
fn proposed_environments_select_what_makes_a_root_one() {
    let overlay =
        |name: &str| format!("resources: [../../api/pod.yaml]\npatches: [{{path: ../../api/{name}.yaml}}]\n");
    let pod = |tag: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec:\n  containers:\n    - name: api\n      \
             image: ghcr.io/acme/api:{tag}\n"
        )
    };
    let folder = folder(&[
        ("apps/api/pod.yaml", &pod("v0")),
        ("apps/api/dev.yaml", &pod("v2")),
        ("apps/api/prod.yaml", &pod("v1")),
        ("apps/overlays/dev/kustomization.yaml", &overlay("dev")),
        ("apps/overlays/prod/kustomization.yaml", &overlay("prod")),
    ]);
    assert_eq!(written(folder.path()), ["api-dev", "api-prod"]);
    let text = read(folder.path(), CONFIG);
    for environment in ["dev", "prod"] {
        let wanted = format!("#   {environment}:\n#     files:\n#       - apps/overlays/{environment}/**\n");
        assert!(text.contains(&wanted), "{text}");
    }
}

/// Nothing could be promoted between them.
#[test]
fn environments_without_a_common_image_are_not_proposed() {
    let folder = folder(&[
        ("docker-compose.local.yml", "services:\n  web: {image: \"oven/bun:1\"}\n"),
        ("overlays/production/pod.yaml", &pod("ghcr.io/acme/api:v1")),
    ]);
    assert_eq!(written(folder.path()), ["api", "bun"]);
    assert!(!read(folder.path(), CONFIG).contains("environments"));
}

#[test]
fn init_names_images_with_same_short_name_apart() {
    let folder = folder(&[
        ("a.yaml", &pod("ghcr.io/acme/api:v1")),
        ("b.yaml", &pod("ghcr.io/other/api:v1")),
        ("c.yaml", &pod("localhost:5000/web:v1")),
    ]);
    assert_eq!(written(folder.path()), ["acme-api", "other-api", "web"]);
}

#[test]
fn init_selects_files_with_odd_names() {
    let folder = folder(&[
        ("k[8]s/{a,b}*.yaml", &pod("ghcr.io/acme/api:v1")),
        ("k8s/a.yaml", &pod("ghcr.io/acme/api:v1")),
        ("# x: ü\n.yaml", &pod("ghcr.io/acme/web:v1")),
    ]);
    std::fs::remove_file(folder.path().join("k8s/a.yaml")).unwrap();
    assert_eq!(written(folder.path()), ["api", "web"]);
    write(folder.path(), "k8s/a.yaml", &pod("ghcr.io/acme/api:v1"));
    let files = changed(folder.path(), &services(folder.path())).unwrap();
    assert_eq!(files, ["# x: ü\n.yaml", "k[8]s/{a,b}*.yaml"]);
}

#[test]
fn init_says_why_image_is_not_editable() {
    let folder = folder(&[
        ("a.yaml", &pod("ghcr.io/acme/api:v1")),
        ("b.yaml", &pod("ghcr.io/acme/api:${TAG}")),
        ("c.yaml", &pod("\"ghcr.io/a\\nb: c/d:v1\"")),
    ]);
    assert_eq!(written(folder.path()), ["api"]);
    let text = read(folder.path(), CONFIG);
    assert!(text.contains("\n# - b.yaml:5 ghcr.io/acme/api: the image is a placeholder"), "{text}");
    assert!(changed(folder.path(), &services(folder.path())).unwrap() == ["a.yaml"]);
}

#[test]
fn proposed_configuration_fits_schema() {
    let schema = Schema::of_file("tagbump.schema.json");
    let others = folder(&[("a.yaml", &pod("postgres:16"))]);
    for folder in [monorepo(), others] {
        written(folder.path());
        let config: Value = serde_yaml::from_str(&read(folder.path(), CONFIG)).unwrap();
        // an empty file is a valid configuration, but the schema describes an object
        let config = if config.is_null() { Value::Object(Default::default()) } else { config };
        assert_eq!(schema.problems(&config), Vec::<String>::new());
    }
}

/// Whatever a repository contains: the proposed file can be read, and each of its services finds a reference. A place
/// that can't be edited may stop a bump, and the file says so.
#[test]
fn proposed_services_work_in_every_fixture() {
    let cases = cases();
    let check = |cases: &[PathBuf]| cases.iter().filter(|case| makes_services(case)).count();
    let made: usize = std::thread::scope(|scope| {
        let parts: Vec<_> = cases.chunks(100).map(|part| scope.spawn(move || check(part))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });
    assert!(made > 300, "{made} were made");
}

/// The files of the services of an image are those that a bump of the image writes: the places that win.
#[test]
fn proposed_services_write_what_bump_of_image_writes() {
    let cases =
        cases().into_iter().filter(|case| case.parent().is_some_and(|kind| kind.ends_with("what-runs")));
    let wrong: Vec<String> = cases.filter_map(|case| writes_other_files(&case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the services of a case's images write, if that isn't what the case's bump writes.
fn writes_other_files(case: &Path) -> Option<String> {
    let cmd = std::fs::read_to_string(case.join("cmd")).unwrap();
    let images: Vec<&str> =
        cmd.lines().skip(1).map(|line| line.rsplit_once(':').unwrap_or((line, "")).0).collect();
    let is_plain = !cmd.lines().any(|line| line.starts_with('-') || line.contains('='));
    let (before, after) = (case.join("in"), case.join("out"));
    if !is_plain || !after.is_dir() {
        return None;
    }
    let tag = cmd.lines().last().unwrap().rsplit_once(':').unwrap().1;
    let before = snapshot(&before);
    let new = snapshot(&after).into_iter().filter(|file| !before.contains(file));
    let wanted: BTreeSet<String> = new.map(|(path, _)| path).collect();
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy(&case.join("in"), &work);
    write_proposal(&work).unwrap();
    let config: Value = serde_yaml::from_str(&read(&work, CONFIG)).unwrap();
    let services = config["services"].as_object().into_iter().flatten();
    let services = services.filter(|(_, service)| images.contains(&service["image"].as_str().unwrap()));
    let services: Vec<String> = services.map(|(name, _)| name.clone()).collect();
    // third-party images are only proposed in comments
    if services.is_empty() {
        return None;
    }
    let name = case.file_name().unwrap().display();
    match changed_to(&work, &services, tag) {
        Ok(files) if BTreeSet::from_iter(files.clone()) == wanted => None,
        Ok(files) => Some(format!("{name}: {files:?} instead of {wanted:?}")),
        Err(run) => Some(format!("{name}: {}", run.output())),
    }
}

fn makes_services(case: &Path) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    copy(&case.join("in"), &work);
    let notices = match write_proposal(&work) {
        Ok(notices) => notices,
        Err(failure) => {
            // a configuration that isn't valid
            let is_refused = failure.exit as u8 == 2
                && [CONFIG, ".github/tagbump.yaml"].iter().any(|path| work.join(path).exists());
            assert!(is_refused || [3, 6].contains(&(failure.exit as u8)), "{}: {failure:?}", case.display());
            return false;
        }
    };
    if !notices.iter().any(|notice| notice == "wrote tagbump.yaml") {
        return false;
    }
    let services = services(&work);
    if services.is_empty() {
        return false;
    }
    if let Some(failure) = rehearsed_bump(&work, &services).failure {
        let told = read(&work, CONFIG).contains("# A bump stops at ");
        // some images have only tags with a fixed part
        let is_partly_fixed = format!("{failure:?}").contains("so a new tag must have that too");
        assert!(failure.exit as u8 == 6 && (told || is_partly_fixed), "{}: {failure:?}", case.display());
    }
    true
}

/// `tagbump init --yes` in this process: there are hundreds of cases.
fn write_proposal(folder: &Path) -> Result<Vec<String>, Failure> {
    let Command::Init(args) = parse(folder, &["init", "--yes"]) else { unreachable!() };
    let settings = settings::init(args).unwrap();
    let describe = |error| diagnostics::diagnose(error, Audience::CommandLine);
    let proposal = init::propose(&settings, &|| ()).map_err(describe)?;
    proposal.files.iter().map(|file| init::write(&settings, file).map_err(describe)).collect()
}

/// A dry run of a bump in this process.
fn rehearsed_bump(folder: &Path, services: &[String]) -> Report {
    let services = services.iter().map(String::as_str);
    let line: Vec<_> = ["bump", "--tag", "new-tag", "-n", "--"].into_iter().chain(services).collect();
    let Command::Bump(args) = parse(folder, &line) else { unreachable!() };
    bump::run(&settings::bump(*args, Environment::default(), 0).unwrap(), &|_| {})
}

fn parse(folder: &Path, line: &[&str]) -> Command {
    let (command, rest) = line.split_first().unwrap();
    let start = ["tagbump", command, "-C", folder.to_str().unwrap()];
    Cli::try_parse_from(start.iter().chain(rest)).unwrap().command
}

/// Every folder `fixtures/<kind>/<case>`.
fn cases() -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let found = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        found.filter(|path| path.is_dir()).collect()
    };
    folders(&root().join("fixtures")).iter().flat_map(|kind| folders(kind)).collect()
}
