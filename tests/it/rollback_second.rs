//! After a rollback: another rollback, a bump, fixes, rebuilds; and files that were
//! moved.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::mono::{Mono, notices};
use crate::support::past::{Past, tags_and_files};
use crate::support::repo::{self, API, FILE, commit, ended, kustomization};

fn at(tag: &str) -> String {
    kustomization(&[API.into()]).replace("newTag: v0", &format!("newTag: {tag}"))
}

/// The image in a pod, with this text after the name.
fn pod(said: &str) -> String {
    let container = format!("    - name: api\n      image: {API}{said}\n");
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: api\nspec:\n  containers:\n{container}")
}

fn past(path: &str, texts: &[String]) -> Past {
    let past = Past::new();
    for (nth, text) in texts.iter().enumerate() {
        past.write(path, text);
        past.commit("Ada", &format!("version {nth}"));
    }
    past
}

/// Rolls back in a local commit. Returns its message.
#[track_caller]
fn back(past: &Past, more: &[&str]) -> String {
    let mut command = cli::command(&past.path);
    command.args(["rollback", API, "--commit", "--format", "json"]).args(more);
    ended(&Run::of(&command.output().unwrap()), 0, "committed");
    past.git("x", &["log", "-1", "--format=%B"])
}

fn digest(nth: usize) -> String {
    format!("sha256:{nth:064x}")
}

#[test]
fn reinstated_tag_is_restored_by_second_rollback() {
    let past = past(FILE, &["v1", "v2", "v3"].map(at));
    assert!(back(&past, &[]).contains(&format!("Tagbump-Rollback: {API}:v3")));
    let forth = back(&past, &["--to", "v3"]);
    assert!(!forth.contains("Tagbump-Rollback"), "{forth}");
    assert!(back(&past, &[]).contains(&format!("Tagbump-Image: {API}:v2")));
}

#[test]
fn bad_tag_is_held_when_digest_was_added() {
    for bad in
        [[":v3".to_owned(), format!(":v3@{}", digest(3))], [format!(":v3@{}", digest(3)), ":v3".to_owned()]]
    {
        let said = [":v1".to_owned(), ":v2".to_owned()].into_iter().chain(bad);
        let past = past("pod.yaml", &said.map(|said| pod(&said)).collect::<Vec<_>>());
        assert!(back(&past, &[]).contains(&format!("Tagbump-Image: {API}:v2\n")));
        assert!(back(&past, &[]).contains(&format!("Tagbump-Image: {API}:v1\n")));
    }
}

#[test]
fn notice_names_tags_that_were_skipped() {
    let past = past(FILE, &["v1", "v2"].map(at));
    back(&past, &[]);
    let mut command = cli::command(&past.path);
    let text = Run::of(&command.args(["rollback", API, "--commit"]).output().unwrap()).stderr;
    assert!(text.contains("no earlier tag than v1 found; v2 was rolled back"), "{text}");
}

#[test]
fn rollback_without_commit_holds_nothing_and_says_so() {
    let past = past(FILE, &["v1", "v2"].map(at));
    let mut command = cli::command(&past.path);
    let run = Run::of(&command.args(["rollback", API]).output().unwrap());
    assert!(
        run.exit == 0 && run.stderr.contains("a late build can set the rolled-back tag again"),
        "{}",
        run.output()
    );
}

/// git itself pairs these two the other way around.
#[test]
fn each_file_keeps_its_history_when_equal_files_move() {
    let past = Past::new();
    for (env, tags) in [("dev", ["d1", "v2"]), ("prod", ["p1", "v2"])] {
        for tag in tags {
            past.write(&format!("overlays/{env}/kustomization.yaml"), &at(tag));
            past.commit("Ada", &format!("{env} {tag}"));
        }
    }
    past.git("x", &["mv", "overlays/dev", "staging"]);
    past.git("x", &["mv", "overlays/prod", "production"]);
    past.commit("Ada", "moved");
    let told = tags_and_files(&past.told(&[API]));
    let wanted = ["v2 production", "p1 production", "v2 staging", "d1 staging"];
    assert_eq!(told, wanted.map(|told| format!("{told}/kustomization.yaml")));
    back(&past, &["-f", "production"]);
    assert!(past.read("production/kustomization.yaml").contains("newTag: p1"));
}

#[test]
fn file_keeps_its_history_when_folder_moved_on_branch() {
    let past = past("old/kustomization.yaml", &[at("v1")]);
    past.git("x", &["checkout", "--quiet", "-b", "move"]);
    past.git("x", &["mv", "old", "new"]);
    past.commit("Ada", "moved");
    past.git("x", &["checkout", "--quiet", "main"]);
    for tag in ["v2", "v3"] {
        past.write("old/kustomization.yaml", &at(tag));
        past.commit("Ada", tag);
    }
    past.git("x", &["checkout", "--quiet", "move"]);
    past.git("x", &["merge", "--quiet", "--no-edit", "main"]);
    let told = tags_and_files(&past.told(&[API]));
    assert_eq!(told, ["v3", "v2", "v1"].map(|tag| format!("{tag} new/kustomization.yaml")));
}

/// Builds 1 and 3 have landed, and 3 was rolled back.
fn rolled_back(count: usize) -> Mono {
    let mono = Mono::new(count);
    for nth in [1, 3] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &[])), 0, "landed");
    }
    ended(&mono.rollback(&[]), 0, "landed");
    mono
}

/// A full checkout of the sources, on a new branch that starts at one of the builds.
fn branch(mono: &Mono, nth: usize) -> (std::path::PathBuf, String) {
    let work = mono.world.full("hotfix");
    git(&work, &["checkout", "--quiet", "-b", "hotfix", &mono.builds[nth]]);
    let fix = commit(&work, "src/fix.rs", "// fixed\n");
    (work, fix)
}

#[test]
fn fix_of_good_build_lands_after_rollback() {
    let mono = rolled_back(5);
    let (work, fix) = branch(&mono, 1);
    let mut job = crate::support::mono::job_in(&work, &fix, &["--branch", "main", "--no-sync"]);
    ended(&repo::run(&mut job), 0, "landed");
    // and the bad tag stays blocked
    let told = ended(&repo::run(&mut mono.job(&mono.builds[3], &[])), 0, "superseded");
    assert!(notices(&told).contains("was rolled back"), "{told}");
}

#[test]
fn good_build_lands_after_rollback() {
    let mono = rolled_back(4);
    let good = &mono.builds[1];
    ended(&repo::run(&mut mono.job(good, &["--tag", "good", "--source", good])), 0, "landed");
}

/// A version that was rebuilt from a newer commit is another build.
#[test]
fn rebuilt_version_lands_after_rollback() {
    let mono = Mono::new(4);
    for (nth, tag) in [(0, "v1.0.0"), (1, "v1.1.0")] {
        ended(&repo::run(&mut mono.job(&mono.builds[nth], &["--tag", tag])), 0, "landed");
    }
    ended(&mono.rollback(&[]), 0, "landed");
    let job = |nth: usize, more: &[&str]| {
        repo::run(&mut mono.job(&mono.builds[nth], &[&["--tag", "v1.1.0"], more].concat()))
    };
    // a later run may deploy the old image again
    ended(&job(1, &[]), 0, "superseded");
    ended(&job(2, &[]), 0, "superseded");
    ended(&job(2, &["--source", &mono.builds[2]]), 0, "landed");
}

#[test]
fn tag_without_commit_does_not_hide_older_builds() {
    let mono = Mono::new(4);
    ended(&repo::run(&mut mono.job(&mono.builds[1], &[])), 0, "landed");
    let work = mono.world.full("by-hand");
    commit(&work, FILE, &at("by-hand"));
    git(&work, &["push", "--quiet", mono.world.bare.to_str().unwrap(), "HEAD:main"]);
    ended(&mono.rollback(&[]), 0, "landed");
    let told = ended(&repo::run(&mut mono.job(&mono.builds[0], &[])), 0, "superseded");
    assert!(notices(&told).contains("which is newer"), "{told}");
}

#[test]
fn digest_without_tag_is_held() {
    let mono = Mono::new(4);
    let work = mono.world.full("by-hand");
    commit(&work, "pod.yaml", &pod(&format!("@{}", digest(9))));
    git(&work, &["push", "--quiet", mono.world.bare.to_str().unwrap(), "HEAD:main"]);
    let job = |nth: usize, made: usize| {
        let image = format!("{API}@{}", digest(made));
        let folder = mono.checkout(&format!("d-{nth}-{made}"), &mono.builds[nth]);
        let mut command = cli::command(&folder);
        command.args(["bump", &image, "-f", "pod.yaml", "--push", "--format", "json"]);
        repo::actions(&mut command, "acme/gitops", &mono.builds[nth]);
        repo::run(&mut command)
    };
    for nth in [1, 2] {
        ended(&job(nth, nth), 0, "landed");
    }
    ended(&mono.rollback(&["-f", "pod.yaml"]), 0, "landed");
    assert!(mono.world.message().contains(&format!("Tagbump-Source: acme/gitops@{}", mono.builds[1])));
    // the bad commit, built again, and an older one
    for (nth, made) in [(2, 22), (0, 0)] {
        let told = ended(&job(nth, made), 0, "superseded");
        assert!(notices(&told).contains("was rolled back"), "{told}");
    }
    ended(&job(3, 3), 0, "landed");
}

/// A rollback in one environment says nothing about another.
#[test]
fn each_environment_is_held_by_its_own_rollback() {
    let mono = Mono::new(6);
    let work = mono.world.full("by-hand");
    for env in ["dev", "prod"] {
        commit(&work, &format!("{env}/kustomization.yaml"), &at("v0"));
    }
    git(&work, &["rm", "--quiet", FILE]);
    git(&work, &["commit", "--quiet", "--message", "environments"]);
    git(&work, &["push", "--quiet", mono.world.bare.to_str().unwrap(), "HEAD:main"]);
    for (env, builds) in [("dev", [3, 4, 5]), ("prod", [1, 2, 3])] {
        for nth in builds {
            ended(&repo::run(&mut mono.job(&mono.builds[nth], &["-f", env])), 0, "landed");
        }
    }
    ended(&mono.rollback(&["--all"]), 0, "landed");
    let message = mono.world.message();
    for (bad, good) in [(5, 4), (3, 2)] {
        let [bad, good] = [bad, good].map(|nth: usize| &mono.builds[nth]);
        let wanted = format!("Tagbump-Rollback: {API}:{bad:.7} acme/gitops@{bad} -> {good:.7}");
        assert!(message.contains(&wanted), "{message}");
    }
    // 4 runs well in dev, and is newer than the tag that prod rolled back
    ended(&repo::run(&mut mono.job(&mono.builds[4], &["-f", "prod"])), 0, "landed");
}

/// Beyond the part of the history that is searched, the order is unknown, and a notice says so.
#[test]
fn notice_says_when_rollback_is_below_a_thousand_commits() {
    let mono = rolled_back(5);
    let parent = mono.world.tip();
    let one = |nth: u64| {
        let from = if nth == 0 { format!("from {parent}\n") } else { String::new() };
        let time = 4_000_000_000 + nth;
        format!("commit refs/heads/main\ncommitter Ada <ada@example.com> {time} +0000\ndata 1\n.\n{from}\n")
    };
    fast_import(&mono.world.bare, &(0..1001).map(one).collect::<String>());
    let work = mono.world.full("full");
    git(&work, &["checkout", "--quiet", "--detach", &mono.builds[3]]);
    let mut job = crate::support::mono::job_in(&work, &mono.builds[3], &["--branch", "main", "-n"]);
    let told = ended(&repo::run(&mut job), 0, "planned");
    assert!(notices(&told).contains("is not among the last 1,000 commits"), "{told}");
}

fn fast_import(bare: &Path, stream: &str) {
    let mut command = crate::support::git::command(bare);
    let mut running = command.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(running.wait().unwrap().success());
}
