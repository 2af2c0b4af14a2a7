//! After a landing, tagbump fast-forwards a plain checkout by itself. Where git would do more than write files, git
//! does it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{self, FILE, World, ended, push, script_at, write};

fn head(folder: &Path) -> String {
    git(folder, &["rev-parse", "HEAD"])
}

/// Lands `v1` while no git is in the path.
fn without_git(world: &World, folder: &Path) -> Command {
    let mut command = push(folder, "v1", &[]);
    command.env("PATH", world.path());
    command
}

#[test]
fn plain_checkout_is_fast_forwarded_when_git_is_not_installed() {
    let world = World::new();
    let folder = world.shallow("w");
    let before = head(&folder);
    write(&folder, "untracked.txt", "mine\n");
    let run = repo::run(&mut without_git(&world, &folder));
    ended(&run, 0, "landed");
    assert!(!run.stderr.contains("left unchanged"), "{}", run.stderr);
    assert_ne!(world.tip(), before);
    assert_eq!(head(&folder), world.tip());
    assert_eq!(
        git(&folder, &["status", "--porcelain", "--branch"]),
        "## main...origin/main\n?? untracked.txt"
    );
    assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap().trim_end(), world.file(FILE));
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
}

/// What a fast-forward leaves behind, apart from times and the names of the commits.
fn traces(world: &World, folder: &Path) -> Vec<String> {
    let (old, new) = (git(folder, &["rev-parse", "HEAD~1"]), head(folder));
    let place = world.path().to_str().unwrap();
    let reflog = |name: &str| git(folder, &["reflog", "-2", "--format=%gs", name]);
    let mut traces = vec![
        git(folder, &["ls-files", "--stage", "-v"]),
        git(folder, &["status", "--porcelain", "--branch"]),
        git(folder, &["diff-files"]),
        git(folder, &["for-each-ref", "--format=%(refname) %(objectname)"]),
        git(folder, &["rev-parse", "ORIG_HEAD"]),
        reflog("HEAD"),
        reflog("main"),
        reflog("origin/main"),
        std::fs::read_to_string(folder.join(FILE)).unwrap(),
    ];
    traces
        .iter_mut()
        .for_each(|text| *text = text.replace(&old, "OLD").replace(&new, "NEW").replace(place, ""));
    let rest = std::fs::read_dir(folder.join(".git"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut rest: Vec<_> = rest.filter(|name| name != "hooks").collect();
    rest.sort();
    traces.extend(rest);
    traces
}

/// A hook that does nothing makes the difference whether git does it.
#[test]
fn fast_forward_leaves_what_git_leaves() {
    for (name, arguments) in [("shallow", &["--depth", "1"][..]), ("full", &[])] {
        let left = [true, false].map(|by_git| {
            let world = World::new();
            let folder = world.clone_of(&world.url(), name, arguments);
            if by_git {
                script_at(&folder.join(".git/hooks/post-merge"), "touch .git/hooks/ran");
            }
            ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
            assert_eq!(folder.join(".git/hooks/ran").exists(), by_git);
            traces(&world, &folder)
        });
        assert_eq!(left[0], left[1], "{name}");
        assert!(
            left[1].contains(&"merge NEW: Fast-forward".to_owned()) || left[1][5].starts_with("merge NEW")
        );
    }
}

/// Something about a checkout that takes git.
type Special = (&'static str, fn(&World, &Path));

const SPECIAL: [Special; 12] = [
    ("hook", |_, folder| write(folder, ".git/hooks/reference-transaction", "")),
    ("hook in the configuration", |_, folder| {
        git(folder, &["config", "hook.x.event", "post-merge"]);
    }),
    ("attributes of the repository", |_, folder| write(folder, ".git/info/attributes", "*.yaml text\n")),
    ("attributes beside the file", |_, folder| write(folder, "k8s/.gitattributes", "*.yaml text\n")),
    ("attributes of the user", |world, _| write(world.path(), "home/git/attributes", "*.yaml text\n")),
    ("line ends", |_, folder| {
        git(folder, &["config", "core.autocrlf", "input"]);
    }),
    ("file system without modes", |_, folder| {
        git(folder, &["config", "core.fileMode", "false"]);
    }),
    ("file that is assumed to be unchanged", |_, folder| {
        git(folder, &["update-index", "--assume-unchanged", "README.md"]);
    }),
    ("file that is left out", |_, folder| {
        git(folder, &["update-index", "--skip-worktree", "README.md"]);
    }),
    ("added file", |world, _| {
        world.rival("new.txt", "theirs\n");
    }),
    ("replaced object", |_, folder| {
        let tree = git(folder, &["rev-parse", "HEAD^{tree}"]);
        let other = git(folder, &["commit-tree", "-m", "other", &tree]);
        git(folder, &["replace", "HEAD", &other]);
    }),
    ("merge in progress", |_, folder| {
        let head = git(folder, &["rev-parse", "HEAD"]);
        write(folder, ".git/MERGE_HEAD", &format!("{head}\n"));
    }),
];

/// A world and a checkout, made special.
fn special(make: fn(&World, &Path)) -> (World, PathBuf) {
    let world = World::new();
    let folder = world.shallow("w");
    make(&world, &folder);
    (world, folder)
}

#[test]
fn git_is_needed_where_it_would_do_more() {
    for (name, make) in SPECIAL {
        let (world, folder) = special(make);
        let before = git(&folder, &["--no-replace-objects", "rev-parse", "HEAD"]);
        let mut command = without_git(&world, &folder);
        let run = repo::run(command.env("XDG_CONFIG_HOME", world.path().join("home")));
        ended(&run, 0, "landed");
        assert!(run.stderr.contains("git was not found"), "{name}: {}", run.stderr);
        assert_eq!(head(&folder), before, "{name}");
    }
}

#[test]
fn filter_and_hook_run() {
    let world = World::new();
    world.rival(".gitattributes", "*.yaml filter=shout\n");
    let folder = world.full("w");
    git(&folder, &["config", "filter.shout.smudge", "sed s/newTag/NEWTAG/"]);
    git(&folder, &["config", "filter.shout.clean", "sed s/NEWTAG/newTag/"]);
    git(&folder, &["rm", "--quiet", "--cached", "-r", "."]);
    git(&folder, &["reset", "--quiet", "--hard"]);
    script_at(&folder.join(".git/hooks/post-merge"), "echo ran > ran.txt");
    ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(head(&folder), world.tip());
    assert!(std::fs::read_to_string(folder.join(FILE)).unwrap().contains("NEWTAG: v1"));
    assert!(world.file(FILE).contains("newTag: v1"));
    assert_eq!(git(&folder, &["status", "--porcelain"]), "?? ran.txt");
}

#[test]
fn added_file_comes_with_the_fast_forward() {
    let world = World::new();
    let folder = world.shallow("w");
    world.rival("new.txt", "theirs\n");
    ended(&repo::run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(head(&folder), world.tip());
    assert_eq!(std::fs::read_to_string(folder.join("new.txt")).unwrap(), "theirs\n");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

/// A change of the same size, made in the moment in which git wrote the index.
#[test]
fn quick_change_is_kept() {
    let world = World::new();
    let folder = world.shallow("w");
    let before = head(&folder);
    let index = folder.join(".git/index");
    write(&folder, "README.md", "newer\n");
    git(&folder, &["add", "README.md"]);
    write(&folder, "README.md", "older\n");
    git(&folder, &["add", "README.md"]);
    write(&folder, "README.md", "newer\n");
    let time = std::fs::metadata(folder.join("README.md")).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&index).unwrap().set_modified(time).unwrap();
    let run = repo::run(&mut push(&folder, "v1", &[]));
    ended(&run, 0, "landed");
    assert!(run.stderr.contains("uncommitted changes"), "{}", run.stderr);
    assert_eq!(head(&folder), before);
    assert_eq!(std::fs::read_to_string(folder.join("README.md")).unwrap(), "newer\n");
}

#[test]
fn checkout_is_left_when_another_git_has_locked_its_index() {
    let world = World::new();
    let folder = world.shallow("w");
    let (before, text) = (head(&folder), std::fs::read_to_string(folder.join(FILE)).unwrap());
    write(&folder, ".git/index.lock", "");
    let run = repo::run(&mut push(&folder, "v1", &[]));
    ended(&run, 0, "landed");
    assert!(run.stderr.contains("index.lock"), "{}", run.stderr);
    std::fs::remove_file(folder.join(".git/index.lock")).unwrap();
    assert_eq!(head(&folder), before);
    assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap(), text);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}
