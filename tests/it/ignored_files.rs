//! Which files git ignores: the rules are git's own, wherever they are written.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use tagbump::file_selection::Selection;
use tagbump::plan::{FileSource, SourceFile, VisitScope};
use tagbump::worktree::Worktree;

use crate::support::cli::command;
use crate::support::files::write;
use crate::support::git::git;

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: app:v1\n";

/// The YAML files that a search finds.
fn found(root: &Path) -> BTreeSet<String> {
    let paths = Mutex::default();
    let look = |file: SourceFile<'_>| {
        let is_new = tagbump::mutex::lock::<BTreeSet<String>>(&paths).insert(file.path.to_owned());
        assert!(is_new, "{} was found twice", file.path);
        ControlFlow::Continue(())
    };
    let everything = Selection::new(&[]).unwrap();
    Worktree::open(root).unwrap().visit(&everything, VisitScope::Selected, &look).unwrap();
    tagbump::mutex::into_inner(paths)
}

/// The YAML files that git doesn't ignore. A repository in a folder is listed as the folder.
fn not_ignored(root: &Path) -> BTreeSet<String> {
    let listed = git(root, &["ls-files", "-z", "--others", "--exclude-standard"]);
    let is_yaml = |path: &&str| path.ends_with(".yaml") || path.ends_with(".yml");
    listed.split('\0').filter(is_yaml).map(str::to_owned).collect()
}

#[test]
fn search_finds_what_git_does_not_ignore() {
    const FOLDERS: [&str; 7] = ["", "a", "a/b", "a/b/a", "b", "b/é f", "c.d/a"];
    const FILES: [&str; 4] = ["a.yaml", "b.yml", "x y.yaml", "#z.yaml"];
    const RULES: [&str; 26] = [
        "a",
        "a/",
        "/a",
        "/a/",
        "b/*.yml",
        "*.yaml",
        "!a.yaml",
        "!*.yaml",
        "**/a",
        "a/**",
        "a/**/a.yaml",
        "!/b/",
        "!b",
        "x*",
        "# a",
        "\\#z.yaml",
        "[ab].yaml",
        "",
        "a.yaml ",
        "/*/b",
        "*",
        "!*/",
        "c.d",
        "/b/é f/",
        "x\\ y.yaml",
        "[",
    ];
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        git(root, &["init", "--quiet"]);
        for (at, name) in FOLDERS.iter().flat_map(|at| FILES.map(|name| (at, name))) {
            write(root, format!("{at}/{name}").trim_start_matches('/'), POD);
        }
        let mut texts: Vec<(&str, String)> = Vec::new();
        for at in [".git/info/exclude", ".gitignore", "a/.gitignore", "a/b/.gitignore", "b/.gitignore"] {
            let count = random.usize(1..4);
            texts.push((
                at,
                (0..count).map(|_| format!("{}\n", RULES[random.usize(..RULES.len())])).collect(),
            ));
        }
        let kept = |nth: usize| (seed as usize >> nth) & 1 == 0 || nth == 1;
        let texts: Vec<_> =
            texts.into_iter().enumerate().filter(|(nth, _)| kept(*nth)).map(|(_, text)| text).collect();
        fs::create_dir_all(root.join(".git/info")).unwrap();
        texts.iter().for_each(|(at, text)| write(root, at, text));
        assert_eq!(found(root), not_ignored(root), "seed {seed}: {texts:?}");
        seen.insert(found(root).len());
        for below in ["a", "b", "c.d"] {
            // git lists nothing in a folder that is ignored; there, a search does what it is asked for
            let is_ignored = git(root, &["status", "--porcelain", "--ignored", "--", below]).contains("!! ");
            if !is_ignored {
                assert_eq!(
                    found(&root.join(below)),
                    not_ignored(&root.join(below)),
                    "seed {seed}, {below}: {texts:?}"
                );
            }
        }
    }
    assert!(seen.len() > 10, "the rules make no difference: {seen:?}");
}

#[test]
fn rules_of_repository_apply_in_linked_worktree() {
    let folder = tempfile::tempdir().unwrap();
    let (main, linked) = (folder.path().join("main"), folder.path().join("linked"));
    write(&main, "a.yaml", POD);
    git(&main, &["init", "--quiet"]);
    git(&main, &["add", "."]);
    git(&main, &["commit", "--quiet", "--message", "x"]);
    git(&main, &["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    write(&main, ".git/info/exclude", "left.yaml\n/k/left.yml\n");
    for path in ["left.yaml", "k/left.yml", "k/kept.yaml"] {
        write(&linked, path, POD);
    }
    assert_eq!(found(&linked), BTreeSet::from(["a.yaml", "k/kept.yaml"].map(str::to_owned)));
    assert_eq!(found(&linked.join("k")), BTreeSet::from(["kept.yaml".to_owned()]));
}

#[test]
fn rules_of_user_apply() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (folder.path().join("root"), folder.path().join("home"));
    write(&root, "left/x.yaml", POD);
    write(&root, "k/left.yaml", POD);
    write(&root, "k/kept.yaml", POD);
    write(&home, ".config/git/ignore", "left*\n");
    git(&root, &["init", "--quiet"]);
    for (at, kept) in [("", "k/kept.yaml"), ("k", "kept.yaml")] {
        let mut bump = command(&root.join(at));
        bump.args(["bump", "app:v2", "-n"]).env("HOME", &home).env_remove("XDG_CONFIG_HOME");
        let output = bump.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(kept) && !stdout.contains("left"), "{stdout}");
    }
}

#[test]
fn rules_with_mark_and_broken_bytes_apply() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a.yaml", "b.yaml", "c.yaml"] {
        write(root, name, POD);
    }
    fs::write(root.join(".gitignore"), b"\xef\xbb\xbfa.yaml\n\xff\xfe\n[\nc.yaml").unwrap();
    assert_eq!(found(root), BTreeSet::from(["b.yaml".to_owned()]));
}

/// git doesn't read such rules either, and a pipe behind the link would never end.
#[cfg(unix)]
#[test]
fn ignore_file_that_is_a_symlink_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "k/a.yaml", POD);
    write(root, "rules", "a.yaml\n");
    std::os::unix::fs::symlink("../rules", root.join("k/.gitignore")).unwrap();
    git(root, &["init", "--quiet"]);
    assert_eq!(found(root), BTreeSet::from(["k/a.yaml".to_owned()]));
    assert_eq!(not_ignored(root), found(root));
}

/// It isn't part of the repository, so nothing opens it.
#[cfg(unix)]
#[test]
fn ignore_file_above_repository_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("top");
    write(&root, "k/a.yaml", POD);
    git(&root, &["init", "--quiet"]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join(".gitignore")).status();
    assert!(made.unwrap().success());
    assert_eq!(found(&root), BTreeSet::from(["k/a.yaml".to_owned()]));
    assert_eq!(found(&root.join("k")), BTreeSet::from(["a.yaml".to_owned()]));
}

/// Nothing can open it by its path.
#[cfg(unix)]
#[test]
fn folder_with_endless_path_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.yaml", POD);
    let (deep, folder_above) = (root.join("deep"), root.join("above"));
    write(&deep, "x.yaml", POD);
    for _ in 0..25 {
        fs::create_dir(&folder_above).unwrap();
        fs::rename(&deep, folder_above.join("d".repeat(200))).unwrap();
        fs::rename(&folder_above, &deep).unwrap();
    }
    let run = crate::support::cli::tagbump(root, &["bump", "app:v2"]);
    assert_eq!((run.exit, run.stdout.ends_with("\nedited 1 file\n")), (0, true), "{}", run.output());
    assert!(run.stderr.contains("warning: skipped: ") && run.stderr.contains("too long"), "{}", run.stderr);
}
