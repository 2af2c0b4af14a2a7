//! Many runs at once: every bump lands, no commit is lost, and the history stays linear.

use std::path::Path;
use std::process::Command;

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::repo::{self, FILE, PASSWORD, USER, World, ended, kustomization, run_together};

const WRITERS: usize = 16;
const BASE: usize = 2;

fn image(nth: usize) -> String {
    format!("ghcr.io/acme/app-{nth:02}")
}

fn images(count: usize) -> Vec<String> {
    (0..count).map(image).collect()
}

fn world(files: &[(&str, &str)]) -> World {
    World::with(|server| server.basic_auth(USER, PASSWORD), files)
}

fn bump(folder: &Path, reference: &str) -> Command {
    let mut command = cli::command(folder);
    command.args(["bump", reference, "--push", "--format", "json"]);
    command
}

/// Each writer has its own shallow clone; all start before the test waits for any.
fn race(world: &World, url: &str, references: &[String]) -> Vec<Run> {
    let clones = (0..references.len()).map(|n| world.clone_of(url, &format!("w{n}"), &["--depth", "1"]));
    let clones: Vec<_> = clones.collect();
    run_together(clones.iter().zip(references).map(|(folder, reference)| bump(folder, reference)).collect())
}

/// Every run landed a commit of its own, and main has exactly those on top of the base, in a line.
#[track_caller]
fn all_in_a_line(world: &World, runs: &[Run]) {
    let mut told: Vec<_> =
        runs.iter().map(|run| ended(run, 0, "landed")["commit"].as_str().unwrap().to_owned()).collect();
    let on_main = git(&world.bare, &["rev-list", "refs/heads/main"]);
    let mut on_main: Vec<_> = on_main.lines().map(str::to_owned).collect();
    assert_eq!(on_main.len(), BASE + runs.len(), "commits on main");
    assert_eq!(git(&world.bare, &["rev-list", "--merges", "refs/heads/main"]), "");
    on_main.truncate(runs.len());
    on_main.sort();
    told.sort();
    assert_eq!(told, on_main, "the commits that were told of are those on the branch");
    let touched = git(&world.bare, &["log", "--numstat", "--format=", &format!("-{}", runs.len()), "main"]);
    let touched: Vec<_> = touched.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(touched.len(), runs.len(), "one file a commit: {touched:?}");
    assert!(touched.iter().all(|line| line.starts_with("1\t1\t")), "one line a commit: {touched:?}");
    git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
}

fn sixteen_entries_of_one_file(url: impl FnOnce(&World) -> String) {
    let world = world(&[(FILE, &kustomization(&images(WRITERS)))]);
    let references: Vec<_> = (0..WRITERS).map(|n| format!("{}:main-{n:07x}", image(n))).collect();
    let runs = race(&world, &url(&world), &references);
    all_in_a_line(&world, &runs);
    let mut wanted = kustomization(&images(WRITERS));
    for n in 0..WRITERS {
        wanted = wanted.replacen("newTag: v0", &format!("newTag: main-{n:07x}"), 1);
    }
    assert_eq!(world.file(FILE), wanted.trim_end());
}

#[test]
fn sixteen_bumps_of_one_file_land_over_http() {
    sixteen_entries_of_one_file(World::url);
}

#[test]
fn sixteen_bumps_of_one_file_land_in_bare_directory() {
    sixteen_entries_of_one_file(|world| world.bare.to_str().unwrap().to_owned());
}

#[test]
fn eight_bumps_of_eight_files_land() {
    let files: Vec<_> =
        (0..8).map(|n| (format!("apps/{n}/kustomization.yaml"), kustomization(&[image(n)]))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = world(&files);
    let references: Vec<_> = (0..8).map(|n| format!("{}:v{n}.1", image(n))).collect();
    let runs = race(&world, &world.url(), &references);
    all_in_a_line(&world, &runs);
    for (n, (path, _)) in files.iter().enumerate() {
        assert!(world.file(path).contains(&format!("newTag: v{n}.1 # by CI")), "{}", world.file(path));
    }
}

#[test]
fn last_bump_replaces_first_when_two_set_one_entry() {
    let world = world(&[(FILE, &kustomization(&images(1)))]);
    let references = [format!("{}:left", image(0)), format!("{}:right", image(0))];
    let runs = race(&world, &world.url(), &references);
    all_in_a_line(&world, &runs);
    let last = world.last("%H");
    let winner = runs.iter().position(|run| repo::json(run)["commit"] == last.as_str()).unwrap();
    let tag = ["left", "right"][winner];
    assert!(world.file(FILE).contains(&format!("newTag: {tag} # by CI")), "{}", world.file(FILE));
    // the second one replaced the first one's tag, not the tag in its clone
    assert_eq!(repo::json(&runs[winner])["changes"][0]["from"], ["right", "left"][winner]);
}

/// Two runs in the same second may even make the identical commit: then both landed it.
#[test]
fn same_bump_lands_once_when_run_twice() {
    let world = world(&[(FILE, &kustomization(&images(1)))]);
    let references = vec![format!("{}:same", image(0)); 2];
    let runs = race(&world, &world.url(), &references);
    let tip = world.tip();
    for run in &runs {
        assert_eq!(run.exit, 0, "{}", run.output());
        let told = repo::json(run);
        let landed = told["outcome"] == "landed" && told["commit"] == tip.as_str();
        assert!(landed || told["outcome"] == "already", "{}", run.output());
    }
    assert_eq!(world.commits(), BASE + 1);
}
