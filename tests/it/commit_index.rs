//! `--commit` in repositories with an unusual index or unusual references: nothing is lost.

use std::path::{Path, PathBuf};

use crate::support::cli::{Run, command};
use crate::support::git::{git, try_git};
use crate::support::repo::{self, API, FILE, commit, ended, kustomization, write};
use tempfile::TempDir;

/// A repository with one image and two more files.
fn local() -> (TempDir, PathBuf) {
    let (folder, path) = repo::local();
    commit(&path, "docs/a.md", "a\n");
    commit(&path, "z/b.md", "b\n");
    commit(&path, FILE, &kustomization(&[API.into()]));
    (folder, path)
}

fn bump(folder: &Path) -> Run {
    let image = format!("{API}:v1");
    Run::of(&command(folder).args(["bump", &image, "--commit", "--format", "json"]).output().unwrap())
}

/// Only the bump is committed, as git sees the repository.
#[track_caller]
fn commits(path: &Path) {
    let before = git(path, &["rev-parse", "HEAD"]);
    let told = ended(&bump(path), 0, "committed");
    assert_eq!(told["commit"], git(path, &["rev-parse", "HEAD"]).as_str());
    assert_eq!(git(path, &["rev-parse", "HEAD~1"]), before);
    assert_eq!(git(path, &["diff", "--name-status", "HEAD~1", "HEAD"]), format!("M\t{FILE}"));
    assert!(git(path, &["show", &format!("HEAD:{FILE}")]).contains("newTag: v1 "));
    git(path, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn intent_to_add_stays_when_another_file_is_committed() {
    let (_keep, path) = local();
    write(&path, "new.txt", "new\n");
    git(&path, &["add", "--intent-to-add", "new.txt"]);
    let before = [git(&path, &["status", "--porcelain"]), git(&path, &["diff"])];
    commits(&path);
    assert_eq!([git(&path, &["status", "--porcelain"]), git(&path, &["diff"])], before);
}

#[test]
fn flags_of_index_entries_stay_after_commit() {
    let (_keep, path) = local();
    git(&path, &["update-index", "--assume-unchanged", "docs/a.md"]);
    git(&path, &["update-index", "--skip-worktree", "z/b.md"]);
    write(&path, "docs/a.md", "changed\n");
    write(&path, "z/b.md", "changed\n");
    let before = git(&path, &["ls-files", "-v"]);
    commits(&path);
    assert_eq!(git(&path, &["ls-files", "-v"]), before);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
}

/// As after a `git stash pop` that failed.
#[test]
fn commit_works_when_another_file_has_conflict() {
    let (_keep, path) = local();
    write(&path, "docs/a.md", "mine\n");
    git(&path, &["stash", "--quiet"]);
    commit(&path, "docs/a.md", "theirs\n");
    assert!(!try_git(&path, &["stash", "pop"]).status.success());
    let before = [git(&path, &["ls-files", "--unmerged"]), git(&path, &["diff"])];
    assert!(!before[0].is_empty());
    let run = bump(&path);
    assert_eq!([git(&path, &["ls-files", "--unmerged"]), git(&path, &["diff"])], before, "{}", run.output());
    assert_eq!(git(&path, &["show", "HEAD:docs/a.md"]), "theirs");
}

#[test]
fn commit_works_when_sparse_checkout_has_file() {
    let (_keep, path) = local();
    git(&path, &["sparse-checkout", "set", "--cone", "k8s"]);
    assert!(!path.join("docs").exists());
    commits(&path);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    assert!(!path.join("docs").exists());
    assert!(git(&path, &["ls-files", "-t", "docs"]).starts_with("S "));
}

/// libgit2 can't read either of them: tagbump refuses, says what to do, and touches nothing.
#[test]
fn commit_is_refused_when_index_is_unreadable() {
    for arguments in [
        &["sparse-checkout", "set", "--cone", "--sparse-index", "k8s"][..],
        &["update-index", "--split-index"],
    ] {
        let (_keep, path) = local();
        git(&path, arguments);
        let head = git(&path, &["rev-parse", "HEAD"]);
        let run = bump(&path);
        assert_eq!(run.exit, 1, "{}", run.output());
        assert!(run.output().contains("git update-index --no-split-index"), "{}", run.output());
        assert_eq!(git(&path, &["rev-parse", "HEAD"]), head);
        assert_eq!(git(&path, &["status", "--porcelain"]), "");
    }
}

#[test]
fn commit_keeps_index_of_other_version_valid() {
    let (_keep, path) = local();
    git(&path, &["config", "core.untrackedCache", "true"]);
    git(&path, &["update-index", "--index-version", "4", "--untracked-cache"]);
    write(&path, "untracked.txt", "mine\n");
    git(&path, &["status"]);
    commits(&path);
    assert_eq!(git(&path, &["status", "--porcelain"]), "?? untracked.txt");
    write(&path, "more.txt", "mine\n");
    assert_eq!(git(&path, &["status", "--porcelain"]), "?? more.txt\n?? untracked.txt");
}

/// A branch that exists only in `packed-refs`, below a folder that doesn't exist.
#[test]
fn commit_works_when_branch_is_packed() {
    let (_keep, path) = local();
    git(&path, &["checkout", "--quiet", "-b", "release/1.0"]);
    git(&path, &["pack-refs", "--all", "--prune"]);
    assert!(!path.join(".git/refs/heads/release").exists());
    commits(&path);
    assert_eq!(git(&path, &["symbolic-ref", "HEAD"]), "refs/heads/release/1.0");
    assert_eq!(git(&path, &["rev-parse", "main"]), git(&path, &["rev-parse", "HEAD~1"]));
    git(&path, &["pack-refs", "--all", "--prune"]);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
}

/// A branch that is a symbolic reference to another: git commits to the other one, so it stays symbolic.
#[test]
fn commit_moves_target_when_branch_is_symbolic() {
    let (_keep, path) = local();
    git(&path, &["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    git(&path, &["symbolic-ref", "HEAD", "refs/heads/alias"]);
    commits(&path);
    assert_eq!(git(&path, &["symbolic-ref", "refs/heads/alias"]), "refs/heads/main");
    assert_eq!(git(&path, &["rev-parse", "main"]), git(&path, &["rev-parse", "HEAD"]));
}

/// An existing reflog gets an entry, and none is created where git keeps none.
#[test]
fn commit_starts_no_reflog_when_git_keeps_none() {
    let (_keep, path) = local();
    git(&path, &["config", "core.logAllRefUpdates", "false"]);
    std::fs::remove_dir_all(path.join(".git/logs")).unwrap();
    commits(&path);
    assert!(!path.join(".git/logs/HEAD").exists());
}

/// `git add --patch` of one of two changes in one file, and the bump between them.
#[test]
fn staged_hunk_beside_reference_stays_after_commit() {
    let (_keep, path) = local();
    let text = kustomization(&[API.into()]);
    write(&path, FILE, &text.replace("images:\n", "images: # staged\n"));
    git(&path, &["add", FILE]);
    write(&path, FILE, &text.replace("images:\n", "images: # staged\n").replace("# by CI", "# by hand"));
    commits(&path);
    let head = git(&path, &["show", &format!("HEAD:{FILE}")]);
    let staged = git(&path, &["show", &format!(":{FILE}")]);
    let work = std::fs::read_to_string(path.join(FILE)).unwrap();
    assert_eq!(head, text.replace("v0", "v1").trim_end());
    assert_eq!(staged, head.replace("images:", "images: # staged"));
    assert_eq!(work.trim_end(), staged.replace("# by CI", "# by hand"));
}

/// An uncommitted entry for the same image isn't part of this commit.
#[test]
fn uncommitted_entry_of_same_image_stays_uncommitted() {
    let (_keep, path) = local();
    let text = kustomization(&[API.into()]);
    write(&path, FILE, &format!("{text}  - name: a/other\n    newTag: v0\n"));
    commits(&path);
    let work = std::fs::read_to_string(path.join(FILE)).unwrap();
    assert_eq!(work, format!("{}  - name: a/other\n    newTag: v0\n", text.replace("v0", "v1")));
}
