//! The steps and commands that the guides show do what the guides say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tagbump::ci::System;
use tagbump::holds::HoldsFile;

use crate::support::cli::{Run, command, tagbump};
use crate::support::git::git;

/// The inputs of one step that uses the action.
pub type Inputs = Vec<(String, String)>;

pub fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The inputs of every step on a page that uses the action; workflow expressions are replaced by the new tag.
pub fn steps(page: &str) -> Vec<Inputs> {
    let one = |rest: &str| {
        let lines = rest.lines().skip(1).skip_while(|line| line.trim() == "with:");
        let pairs = lines.map_while(|line| line.trim().split_once(": ").filter(|_| !line.contains("uses:")));
        pairs.map(|(name, value)| (name.to_owned(), filled(value))).collect()
    };
    page.split("uses: tagbump/tagbump@v1").skip(1).map(one).collect()
}

fn filled(value: &str) -> String {
    if value.starts_with("${{") { "main-1a2b3c4".to_owned() } else { value.to_owned() }
}

/// Runs a step as the action does, except for the push.
fn run(folder: &Path, inputs: &Inputs) -> Run {
    let input =
        |wanted: &str| inputs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let image = input("image").unwrap();
    let mut command = command(folder);
    match input("command") {
        Some("tag") => command.arg("tag").env("TAGBUMP_IMAGE", image).env("TAGBUMP_SOURCE", "1a2b3c4d5e6f"),
        _ => command.args(["bump", "--", image]),
    };
    for (name, value) in
        inputs.iter().filter(|(name, _)| !["command", "image", "token"].contains(&name.as_str()))
    {
        command.env(format!("TAGBUMP_{}", name.to_uppercase().replace('-', "_")), value);
    }
    Run::of(&command.output().unwrap())
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: api }
spec:
  values:
    image: { repository: ghcr.io/acme/api, tag: main-0000000 }
    sidecar: { repository: ghcr.io/acme/proxy, tag: v1 }
";

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
  - name: ghcr.io/acme/api
    newTag: main-0000000
";

/// As Flux's image automation writes it: the name is in the block, the marker on the tag.
const MARKED: &str = r#"apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: api }
spec:
  values:
    image:
      repository: ghcr.io/acme/api
      tag: main-0000000 # {"$imagepolicy": "flux-system:api:tag"}
"#;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec: { template: { spec: { containers: [{ name: api, image: 'ghcr.io/acme/api:main-0000000' }] } } }
";

#[test]
fn steps_of_migration_page_change_only_the_tag() {
    let files = [
        ("infra/releases/api.yaml", RELEASE),
        (
            "values-prod.yaml",
            "# prod\napi:\n  image:\n    repository: ghcr.io/acme/api\n    tag: main-0000000\n",
        ),
        ("settings.yaml", "apiVersionTag: main-0000000\nother: main-0000001\n"),
        ("k8s/backend/kustomization.yaml", KUSTOMIZATION),
        ("apps/api.yaml", MARKED),
        ("apps/api.yaml", DEPLOYMENT),
    ];
    let steps = steps(&page("migration.md"));
    assert_eq!(steps.len(), files.len(), "{steps:?}");
    for (step, (file, before)) in steps.iter().zip(files) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), file, before);
        let run = run(folder.path(), step);
        assert_eq!(run.exit, 0, "{step:?}: {}", run.output());
        let after = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(after, before.replace("main-0000000", "main-1a2b3c4"), "{step:?}");
    }
}

#[test]
fn mark_without_name_is_set_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let before = "api:\n  tag: main-0000000 # {\"$imagepolicy\": \"flux-system:api:tag\"}\n";
    write(folder.path(), "values.yaml", before);
    let bump = ["bump", "ghcr.io/acme/api:main-1a2b3c4"];
    assert_eq!(tagbump(folder.path(), &bump).exit, 3);
    let named = [&bump[..], &["-f", "values.yaml", "--field", "api.tag"]].concat();
    assert_eq!(tagbump(folder.path(), &named).exit, 0);
    let after = std::fs::read_to_string(folder.path().join("values.yaml")).unwrap();
    assert_eq!(after, before.replace("main-0000000", "main-1a2b3c4"));
}

#[test]
fn steps_of_quick_start_run() {
    let steps = steps(&page("quick-start.md"));
    assert_eq!(steps.len(), 4, "{steps:?}");
    for step in &steps {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "deployments/api.yaml", DEPLOYMENT);
        let run = run(folder.path(), step);
        assert_eq!(run.exit, 0, "{step:?}: {}", run.output());
        let after = std::fs::read_to_string(folder.path().join("deployments/api.yaml")).unwrap();
        let looks = step.iter().any(|(name, _)| ["command", "dry-run"].contains(&name.as_str()));
        assert_eq!(after == DEPLOYMENT, looks, "{step:?}");
    }
}

#[test]
fn commands_of_quick_start_run() {
    let page = page("quick-start.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "api.yaml", DEPLOYMENT);
    for command in commands {
        let run = tagbump(folder.path(), &command.split_whitespace().collect::<Vec<_>>());
        assert_eq!(run.exit, 0, "{command}: {}", run.output());
        assert!(run.stdout.contains("ghcr.io/acme/api"), "{command}: {}", run.output());
    }
}

/// The arguments of a command as a shell splits them, without redirections.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" >> ").next().unwrap();
    let quoted = |(nth, part): (usize, &str)| -> Vec<String> {
        match nth % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        }
    };
    line.split('\'').enumerate().flat_map(quoted).collect()
}

#[test]
fn commands_of_history_page_run() {
    let page = page("history.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 8, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let [bare, work] = clone_of_bare(folder.path());
    write(&work, "tagbump.yaml", "environments: { prod: { files: [envs/prod] } }\n");
    for tag in ["main-0000000", "main-f81271a", "main-9a89012"] {
        for file in ["envs/dev/release.yaml", "envs/prod/release.yaml"] {
            write(&work, file, &RELEASE.replace("main-0000000", tag));
        }
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "--message", tag]);
    }
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    for command in commands {
        let run = tagbump(&work, &words(command).iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.exit, 0, "{command}: {}", run.output());
    }
    let landed = |env: &str| git(&bare, &["show", &format!("main:envs/{env}/release.yaml")]);
    assert!(landed("prod").contains("tag: main-f81271a }"), "{}", landed("prod"));
    assert!(landed("dev").contains("tag: main-9a89012 }"), "{}", landed("dev"));
}

#[test]
fn commands_of_hold_page_run() {
    let page = page("hold.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let [bare, work] = clone_of_bare(folder.path());
    write(&work, "api.yaml", DEPLOYMENT);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "--message", "first"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    let holds = commands.iter().map(|command| {
        let run = tagbump(&work, &words(command).iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.exit, 0, "{command}: {}", run.output());
        git(&bare, &["show", "main:tagbump-holds.yaml"])
    });
    let holds: Vec<String> = holds.collect();
    assert!(holds[0].contains("reason: incident 42\n") && holds[1].ends_with("holds: []"), "{holds:?}");
    let example = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let file = HoldsFile::parse(example.as_bytes().to_vec()).unwrap();
    assert_eq!(file.holds[0].hold.by, "ada");
}

/// A bare repository, and a clone of it.
fn clone_of_bare(folder: &Path) -> [PathBuf; 2] {
    let (bare, work) = (folder.join("bare.git"), folder.join("work"));
    git(folder, &["init", "--quiet", "--bare", "--initial-branch", "main", bare.to_str().unwrap()]);
    git(folder, &["clone", "--quiet", bare.to_str().unwrap(), work.to_str().unwrap()]);
    git(&work, &["config", "user.name", "Ada"]);
    git(&work, &["config", "user.email", "ada@example.com"]);
    [bare, work]
}

/// The example with a shared base is that of the page: first refused, then with an added entry.
#[test]
fn commands_of_environments_page_run() {
    let page = page("environments.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 5, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let [bare, work] = clone_of_bare(folder.path());
    let config = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    write(&work, "tagbump.yaml", config);
    let header = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    let entry = |tag: &str| format!("images:\n- name: ghcr.io/acme/api\n  newTag: {tag}\n");
    write(&work, "base/deployment.yaml", &DEPLOYMENT.replace(":main-0000000", ""));
    write(
        &work,
        "base/kustomization.yaml",
        &format!("{header}resources: [deployment.yaml]\n{}", entry("v0")),
    );
    let overlay = format!("{header}resources: [../../base]\n");
    let commit = |message: &str| {
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "--message", message]);
        git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    };
    for tag in ["v0", "v1"] {
        for env in ["staging", "prod"] {
            write(&work, &format!("envs/{env}/kustomization.yaml"), &format!("{overlay}{}", entry(tag)));
        }
        commit(tag);
    }
    let run = |command: &str| tagbump(&work, &words(command).iter().map(String::as_str).collect::<Vec<_>>());
    let landed = |env: &str| git(&bare, &["show", &format!("main:envs/{env}/kustomization.yaml")]);
    for command in &commands[..4] {
        let run = run(command.split('#').next().unwrap());
        assert_eq!(run.exit, 0, "{command}: {}", run.output());
    }
    assert!(landed("staging").contains("newTag: v2") && landed("prod").contains("newTag: v0"));
    for env in ["staging", "prod"] {
        write(&work, &format!("envs/{env}/kustomization.yaml"), &overlay);
    }
    commit("share the base");
    let refused = run("bump ghcr.io/acme/api:v2 --env staging --push");
    let shown = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!((refused.exit, refused.stderr.trim_end()), (6, shown.trim_end()), "{}", refused.output());
    let added = run(commands[4]);
    assert_eq!(added.exit, 0, "{}", added.output());
    assert!(landed("staging").contains("newTag: v2") && !landed("prod").contains("newTag"));
}

/// Staging has run what it runs for longer than the soak time.
#[test]
fn commands_of_promotion_page_run() {
    let page = page("promotion.md");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let [bare, work] = clone_of_bare(folder.path());
    write(&work, "tagbump.yaml", page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap());
    let images = |api: &str, web: &str| {
        let entry = |name: &str, tag: &str| format!("- name: ghcr.io/acme/{name}\n  newTag: {tag}\n");
        format!("kind: Kustomization\nimages:\n{}{}", entry("api", api), entry("web", web))
    };
    write(&work, "envs/prod/kustomization.yaml", &images("v1.4.0", "v2.1.0"));
    write(&work, "envs/staging/kustomization.yaml", &images("v1.5.0", "v2.1.0"));
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "--message", "base"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    let run = |command: &str| {
        let words = words(command.split('#').next().unwrap());
        tagbump(&work, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let dry = run(commands[0]);
    let (shown, heading) = (page.split("```text\n").nth(1).unwrap(), dry.stdout.lines().next().unwrap());
    let columns = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(columns(heading), columns(shown.lines().next().unwrap()), "{}", dry.output());
    assert!(dry.stdout.contains("api      v1.4.0    v1.5.0"), "{}", dry.output());
    assert_eq!(run(commands[1]).exit, 0);
    let landed = git(&bare, &["show", "main:envs/prod/kustomization.yaml"]);
    assert_eq!(landed, images("v1.5.0", "v2.1.0").trim_end());
    // there is no forge here
    let proposed = run(commands[2]);
    assert!(proposed.exit == 2 && proposed.stderr.contains("--forge"), "{}", proposed.output());
}

/// The bullet points of a page, each with its continuation lines.
fn points(page: &str) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for line in page.lines() {
        match (line.starts_with("- "), line.starts_with("  "), points.last_mut()) {
            (true, ..) => points.push(line.to_owned()),
            (false, true, Some(point)) => point.push_str(line),
            _ => {}
        }
    }
    points
}

/// Whether a bullet point names at least one test, and only existing tests: `FILE: TEST`, or a check of `.ci/action`.
fn is_backed(point: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checks = std::fs::read_to_string(root.join(".ci/action")).unwrap();
    let quoted = point.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|name| match name.split_once(".rs: ") {
        Some((file, test)) => {
            let text = std::fs::read_to_string(root.join(format!("tests/it/{file}.rs"))).unwrap_or_default();
            Some(text.contains(&format!("fn {test}()")))
        }
        None => checks.contains(&format!("def check_{name}(")).then_some(true),
    });
    let tests: Vec<bool> = tests.collect();
    !tests.is_empty() && tests.iter().all(|exists| *exists)
}

#[test]
fn every_point_of_security_page_names_existing_tests() {
    let points = points(&page("security.md"));
    assert!(points.len() > 20, "{points:?}");
    // tests can't show what is trusted, or what an attacker can do
    let limits = ["- The machine, the user", "- **can** "];
    let promises = points.iter().filter(|point| !limits.iter().any(|limit| point.starts_with(limit)));
    let unbacked: Vec<_> = promises.filter(|point| !is_backed(point)).collect();
    assert!(unbacked.is_empty(), "{unbacked:#?}");
    assert!(!is_backed("- **can't** fly. `docs.rs: nothing_flies`"));
}

/// Each row of a table names its tests, whether tagbump respects the setting or says that it doesn't.
#[test]
fn every_row_of_git_settings_names_its_test() {
    let page = page("git-settings.md");
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| `") || line.starts_with("| a ")).collect();
    assert!(rows.len() > 30, "{rows:?}");
    let says = |row: &&&str| ["| yes |", "| error |", "| warning |"].iter().any(|word| row.contains(word));
    assert_eq!(rows.iter().filter(says).count(), rows.len());
    let tests = |row: &&str| row.rsplit(" | ").next().unwrap_or_default().to_owned();
    let unbacked: Vec<_> = rows.iter().filter(|row| !is_backed(&tests(row))).collect();
    assert!(unbacked.is_empty(), "{unbacked:#?}");
}

/// The table of CI systems has a row for each known one, and one for the others; each row names its test.
#[test]
fn every_row_of_ci_systems_names_its_test() {
    let page = page("ci-systems.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.ends_with("` |")).collect();
    let known = rows.iter().filter(|row| row.contains("| yes |"));
    let known: Vec<&str> = known.filter_map(|row| row.split(" | ").next()?.strip_prefix("| ")).collect();
    let systems: Vec<String> = System::ALL.iter().map(System::to_string).collect();
    assert_eq!(known, systems);
    assert_eq!(rows.len(), systems.len() + 1, "the last row is about all others: {rows:?}");
    for (row, system) in rows.iter().zip(System::ALL) {
        assert!(row.contains(&format!("| `{}` |", system.marker())), "{row}");
    }
    let unbacked: Vec<_> = rows.iter().filter(|row| !is_backed(row)).collect();
    assert!(unbacked.is_empty(), "{unbacked:#?}");
}

/// Each row names the fixture that shows it, and each fixture has its row.
#[test]
fn every_row_of_what_runs_names_its_fixture() {
    let page = page("what-runs.md");
    let last_cell = |line: &str| Some(line.strip_suffix("` |")?.rsplit_once('`')?.1.to_owned());
    let shown: BTreeSet<String> = page.lines().filter_map(last_cell).collect();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/what-runs");
    let names = std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(shown, names);
}
