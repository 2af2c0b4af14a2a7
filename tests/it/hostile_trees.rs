//! Commits with paths that git itself never creates, but that a server can send: tagbump edits nothing there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::cli;
use crate::support::git::git;
use crate::support::repo::{self, API, FILE, World, ended, kustomization};

const NAMES: [&str; 6] = [".GIT", ".git", "git~1", "..", ".g\u{200c}it", ".git::$INDEX_ALLOCATION"];

/// Adds folders with these names to main, each with a manifest of the same image. Returns the content of main.
fn with_hostile_folders(world: &World) -> String {
    let file = world.path().join("x.yaml");
    std::fs::write(&file, kustomization(&[API.into()])).unwrap();
    let blob = git(&world.bare, &["hash-object", "-w", file.to_str().unwrap()]);
    let tree = |lines: &str| {
        let list = world.path().join("tree");
        std::fs::write(&list, lines).unwrap();
        let mut command = crate::support::git::command(&world.bare);
        let output = command.arg("mktree").stdin(std::fs::File::open(&list).unwrap()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let below = tree(&format!("100644 blob {blob}\tx.yaml\n"));
    let mut lines = git(&world.bare, &["ls-tree", "main"]) + "\n";
    for name in NAMES {
        lines += &format!("040000 tree {below}\t{name}\n");
    }
    let commit = git(&world.bare, &["commit-tree", "-p", "main", "-m", "hostile", &tree(&lines)]);
    git(&world.bare, &["update-ref", "refs/heads/main", &commit]);
    listed(world)
}

fn listed(world: &World) -> String {
    git(&world.bare, &["-c", "core.quotePath=false", "ls-tree", "-r", "main"])
}

#[test]
fn paths_that_mean_dot_git_are_not_edited_in_commits() {
    let world = World::new();
    let before = with_hostile_folders(&world);
    let image = format!("{API}:v1");
    let mut command = cli::command(world.path());
    command.args(["bump", &image, "-C", &world.url(), "--push", "--format", "json"]);
    command.args(["--author", "Ada <ada@example.com>"]);
    let told = ended(&repo::run(&mut command), 0, "landed");
    assert_eq!(told["changes"].as_array().unwrap().len(), 1, "{told}");
    assert!(world.file(FILE).contains("newTag: v1 "));
    let others =
        |list: &str| list.lines().filter(|line| !line.ends_with(FILE)).collect::<Vec<_>>().join("\n");
    assert_eq!(others(&listed(&world)), others(&before));
}

/// A file with such a name can be what runs, so the promise of no warning doesn't hold.
#[test]
fn manifest_in_a_commit_is_skipped_with_a_warning_if_its_name_is_not_utf8() {
    let world = World::new();
    let folder = world.shallow("w");
    std::fs::write(folder.join(OsStr::from_bytes(b"k8s\xff.yaml")), kustomization(&[API.into()])).unwrap();
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-qm", "add"]);
    git(&folder, &["push", "-q"]);
    let run = repo::run(&mut repo::push(&folder, "v1", &[]));
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stderr.contains("skipped, its name is not valid UTF-8: k8s"), "{}", run.stderr);
}
