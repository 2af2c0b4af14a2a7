//! `--commit` when it isn't possible: the message gives the reason, and nothing has changed.

use std::path::{Path, PathBuf};

use crate::support::cli::{Run, command};
use crate::support::files::snapshot;
use crate::support::git::{git, try_git};
use crate::support::repo::{self, API, FILE, commit, ended, failed, kustomization, write};
use tempfile::TempDir;

const OTHER: &str = "b/kustomization.yaml";

/// A repository with two kustomizations that contain the image.
fn local() -> (TempDir, PathBuf) {
    let (folder, path) = repo::local();
    let text = format!("# first\n{}", kustomization(&[API.into()]));
    commit(&path, OTHER, &text);
    commit(&path, FILE, &text);
    (folder, path)
}

fn bump(folder: &Path, more: &[&str]) -> Run {
    let image = format!("{API}:v1");
    Run::of(
        &command(folder).args(["bump", &image, "--commit", "--format", "json"]).args(more).output().unwrap(),
    )
}

/// Work tree, index, references and `HEAD`; unreachable objects don't count.
fn state(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = snapshot(folder);
    files.retain(|(path, _)| !path.starts_with(".git/objects/"));
    files
}

/// The bump fails, and everything is unchanged.
#[track_caller]
fn refused(folder: &Path, exit: i32) -> String {
    let before = state(folder);
    let told = failed(&bump(folder, &[]), exit);
    let after = state(folder);
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    for (was, is) in before.iter().zip(&after) {
        assert!(was == is, "{} has changed", was.0);
    }
    told
}

fn replace(folder: &Path, path: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.join(path)).unwrap();
    assert!(text.contains(from), "{text}");
    write(folder, path, &text.replace(from, to));
}

#[test]
fn commit_is_refused_when_reference_changed_in_work_tree() {
    for (from, to) in [
        ("newTag: v0", "newTag: mine"),
        ("newTag: v0", "newTag: v1"),
        (
            "newTag: v0",
            "newTag: v0\n    digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
        (API, "ghcr.io/acme/other"),
        ("images:", "images: ["),
    ] {
        let (_keep, path) = local();
        replace(&path, FILE, from, to);
        let told = refused(&path, 6);
        assert!(told.contains(FILE), "{told}");
    }
}

#[test]
fn commit_is_refused_when_reference_changed_in_index() {
    let (_keep, path) = local();
    replace(&path, FILE, "newTag: v0", "newTag: mine");
    git(&path, &["add", FILE]);
    assert!(refused(&path, 6).contains(FILE));
    // even if the work tree has the committed version
    replace(&path, FILE, "newTag: mine", "newTag: v0");
    let told = refused(&path, 6);
    assert!(told.contains(FILE) && told.contains("index"), "{told}");
}

#[test]
fn commit_is_refused_when_file_was_removed() {
    let (_keep, path) = local();
    std::fs::remove_file(path.join(FILE)).unwrap();
    assert!(refused(&path, 6).contains(FILE));
    git(&path, &["add", FILE]);
    assert!(refused(&path, 6).contains(FILE));
}

#[cfg(unix)]
#[test]
fn commit_is_refused_when_file_became_symlink() {
    let (_keep, path) = local();
    let outside = path.parent().unwrap().join("outside.yaml");
    std::fs::rename(path.join(FILE), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, path.join(FILE)).unwrap();
    assert!(refused(&path, 6).contains(FILE));
    assert!(std::fs::read_to_string(&outside).unwrap().contains("newTag: v0"));
    assert!(std::fs::symlink_metadata(path.join(FILE)).unwrap().is_symlink());
}

/// The folder of the file leads out of the work tree.
#[cfg(unix)]
#[test]
fn commit_is_refused_when_folder_became_symlink() {
    let (_keep, path) = local();
    let outside = path.parent().unwrap().join("outside");
    std::fs::rename(path.join("k8s"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, path.join("k8s")).unwrap();
    refused(&path, 6);
    assert!(std::fs::read_to_string(outside.join("kustomization.yaml")).unwrap().contains("newTag: v0"));
}

#[test]
fn commit_is_refused_during_merge() {
    let (_keep, path) = local();
    git(&path, &["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    commit(&path, "README.md", "theirs\n");
    git(&path, &["checkout", "--quiet", "main"]);
    git(&path, &["merge", "--quiet", "--no-commit", "--no-ff", "other"]);
    let told = refused(&path, 1);
    assert!(told.contains("merge"), "{told}");
    failed(&bump(&path, &["--dry-run"]), 1);
    git(&path, &["merge", "--abort"]);
    ended(&bump(&path, &[]), 0, "committed");
}

#[test]
fn commit_is_refused_during_rebase_cherry_pick_and_bisect() {
    let (_keep, path) = local();
    git(&path, &["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    commit(&path, "README.md", "theirs\n");
    git(&path, &["checkout", "--quiet", "main"]);
    commit(&path, "README.md", "ours\n");
    for arguments in [&["rebase", "other"][..], &["cherry-pick", "other"]] {
        assert!(!try_git(&path, arguments).status.success());
        refused(&path, 1);
        git(&path, &[arguments[0], "--abort"]);
    }
    ended(&bump(&path, &[]), 0, "committed");
}

#[test]
fn commit_is_refused_before_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["config", "user.name", "Ada"]);
    git(folder.path(), &["config", "user.email", "ada@example.com"]);
    write(folder.path(), FILE, &kustomization(&[API.into()]));
    let told = refused(folder.path(), 2);
    assert!(told.contains("no commit"), "{told}");
    git(folder.path(), &["add", FILE]);
    refused(folder.path(), 2);
}

#[test]
fn commit_is_refused_outside_of_repository() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), FILE, &kustomization(&[API.into()]));
    let told = refused(folder.path(), 2);
    assert!(told.contains("git repository"), "{told}");
    let push = Run::of(
        &command(folder.path())
            .args(["bump", &format!("{API}:v1"), "--push", "--format", "json"])
            .output()
            .unwrap(),
    );
    assert!(failed(&push, 2).contains("git repository"), "{}", push.output());
}

/// A bare repository inside a work tree is never used, nor is a folder that only looks like one.
#[test]
fn commit_is_refused_in_bare_repository() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "bare.git"]);
    let bare = folder.path().join("bare.git");
    write(&bare, FILE, &kustomization(&[API.into()]));
    refused(&bare, 2);
}

#[test]
fn commit_is_refused_when_file_is_untracked() {
    let (_keep, path) = local();
    write(&path, "new/kustomization.yaml", &kustomization(&["a/new".into()]));
    let run =
        Run::of(&command(&path).args(["bump", "a/new:v1", "--commit", "--format", "json"]).output().unwrap());
    failed(&run, 3);
    failed(&bump(&path, &["-f", "new/kustomization.yaml"]), 3);
    assert_eq!(git(&path, &["status", "--porcelain"]), "?? new/");
}

#[test]
fn commit_is_refused_when_index_is_locked() {
    let (_keep, path) = local();
    let before = git(&path, &["rev-parse", "HEAD"]);
    write(&path, ".git/index.lock", "");
    let told = refused(&path, 1);
    assert!(told.contains("lock"), "{told}");
    std::fs::remove_file(path.join(".git/index.lock")).unwrap();
    assert_eq!(git(&path, &["rev-parse", "HEAD"]), before);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    git(&path, &["fsck", "--strict", "--no-dangling"]);
    ended(&bump(&path, &[]), 0, "committed");
}

#[test]
fn commit_is_refused_when_branch_is_locked() {
    let (_keep, path) = local();
    for lock in ["refs/heads/main.lock", "HEAD.lock"] {
        if lock == "HEAD.lock" {
            git(&path, &["checkout", "--quiet", "--detach"]);
        }
        write(&path, &format!(".git/{lock}"), "");
        let told = refused(&path, 1);
        assert!(told.contains("lock"), "{told}");
        std::fs::remove_file(path.join(".git").join(lock)).unwrap();
        assert_eq!(git(&path, &["status", "--porcelain"]), "");
    }
    git(&path, &["fsck", "--strict", "--no-dangling"]);
    ended(&bump(&path, &[]), 0, "committed");
}

/// The branch is written last: if that fails, index and work tree are restored.
#[test]
fn nothing_changes_when_branch_is_not_writable() {
    let (_keep, path) = local();
    std::fs::remove_dir_all(path.join(".git/logs")).unwrap();
    write(&path, ".git/logs", "no folder\n");
    let rights = std::fs::metadata(path.join(".git/index")).unwrap().permissions();
    refused(&path, 1);
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    assert_eq!(std::fs::metadata(path.join(".git/index")).unwrap().permissions(), rights);
}

/// A line break in a name would make a commit that git can't read.
#[test]
fn commit_is_refused_when_author_flag_is_invalid() {
    for name in ["B\nob <b@example.com>", "Bob <b@example.com\n>", "Bob"] {
        let (_keep, path) = local();
        let before = state(&path);
        failed(&bump(&path, &["--author", name]), 2);
        assert!(state(&path) == before, "{}", git(&path, &["status"]));
        git(&path, &["fsck", "--strict", "--no-dangling"]);
    }
}

/// The same in git's configuration and in the environment: git removes the line break.
#[test]
fn line_breaks_are_removed_from_configured_names() {
    let (_keep, path) = local();
    git(&path, &["config", "user.name", "A\nda"]);
    ended(&bump(&path, &[]), 0, "committed");
    assert_eq!(git(&path, &["log", "-1", "--format=%an <%ae>"]), "Ada <ada@example.com>");
    git(&path, &["fsck", "--strict", "--no-dangling"]);
}

/// Everything that the commit needs is checked before the first file is written.
#[test]
fn nothing_is_written_when_message_is_invalid() {
    let (_keep, path) = local();
    let before = state(&path);
    failed(&bump(&path, &["-m", "{pr}"]), 2);
    failed(&bump(&path, &["-m", " \n"]), 2);
    assert!(state(&path) == before, "{}", git(&path, &["status"]));
}

/// A dry run fails where the commit would fail.
#[test]
fn dry_run_is_refused_when_commit_would_be() {
    let (_keep, path) = local();
    let text = std::fs::read_to_string(path.join(FILE)).unwrap();
    write(&path, FILE, &text.replace("v0", "v7"));
    failed(&bump(&path, &["--dry-run"]), 6);
    failed(&bump(&path, &[]), 6);
}

#[test]
fn commit_is_refused_when_sparse_checkout_lacks_file() {
    let (_folder, path) = local();
    git(&path, &["sparse-checkout", "set", "--cone", "b"]);
    let told = refused(&path, 6);
    let why =
        format!("{FILE}: is left out of the work tree, which is a sparse checkout; nothing was written");
    assert!(told.contains(&why) && told.contains("git sparse-checkout add"), "{told}");
}

/// As hosts of large repositories advise: only the contents that are needed.
#[test]
fn commit_is_refused_when_partial_clone_lacks_content() {
    let (folder, path) = local();
    git(&path, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", path.display());
    git(folder.path(), &["clone", "--quiet", "--no-checkout", "--filter=blob:none", &url, "partial"]);
    let partial = folder.path().join("partial");
    let told = failed(&bump(&partial, &[]), 1);
    assert!(told.contains("this clone doesn't have its content"), "{told}");
    // what the hint says
    git(&partial, &["fetch", "--quiet", "--refetch", "--no-filter"]);
    git(&partial, &["checkout", "--quiet"]);
    ended(&bump(&partial, &["--all", "--author", "Ada <ada@example.com>"]), 0, "committed");
}
