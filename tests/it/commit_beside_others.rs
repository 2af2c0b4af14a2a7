//! `--commit` while other programs, and other runs, work in the same checkout: nothing of theirs is lost.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::cli::{Run, command};
use crate::support::git::git;
use crate::support::registry::FakeRegistry;
use crate::support::repo::{FILE, commit, ended, kustomization, script_at, write};
use crate::support::verify::has_tag;
use tempfile::TempDir;

/// A repository on this machine with these images at v0.
fn local(images: &[String]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "w"]);
    let path = folder.path().join("w");
    git(&path, &["config", "user.name", "Ada"]);
    git(&path, &["config", "user.email", "ada@example.com"]);
    commit(&path, "x.txt", "1\n");
    commit(&path, FILE, &kustomization(images));
    (folder, path)
}

fn bump(path: &Path, image: &str, more: &[&str]) -> Run {
    let mut command = command(path);
    command.args(["bump", image, "--commit", "--format", "json"]).args(more);
    crate::support::repo::run(&mut command)
}

#[test]
fn commit_that_someone_makes_while_the_registry_is_asked_is_kept() {
    let (folder, image) = (tempfile::tempdir().unwrap(), "acme/api");
    let path = folder.path().join("w");
    let (theirs, once) = (path.clone(), AtomicBool::new(false));
    let registry = FakeRegistry::start(move |asked, _| {
        if !once.swap(true, Ordering::SeqCst) {
            let text = std::fs::read_to_string(theirs.join(FILE)).unwrap();
            commit(&theirs, FILE, &text.replace("# theirs: 1", "# theirs: 2"));
        }
        has_tag(asked)
    });
    let image = registry.image(image);
    git(folder.path(), &["init", "--quiet", "w"]);
    git(&path, &["config", "user.name", "Ada"]);
    git(&path, &["config", "user.email", "ada@example.com"]);
    commit(&path, FILE, &format!("# theirs: 1\n{}", kustomization(std::slice::from_ref(&image))));
    ended(&bump(&path, &format!("{image}:v2"), &["--verify"]), 0, "committed");
    let text = git(&path, &["show", &format!("HEAD:{FILE}")]);
    assert!(text.contains("# theirs: 2") && text.contains("newTag: v2"), "{text}");
    assert_eq!(git(&path, &["rev-list", "--count", "HEAD"]), "3");
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    let asked = registry.asked();
    assert_eq!(asked.iter().filter(|asked| asked.method == "HEAD").count(), 1, "{asked:?}");
}

#[test]
fn what_someone_stages_while_a_commit_is_signed_stays_staged() {
    let images = ["ghcr.io/acme/api".to_owned()];
    let (folder, path) = local(&images);
    let program = folder.path().join("gpg");
    let stage = format!("git -C '{}' add x.txt new.txt", path.display());
    script_at(
        &program,
        &format!("cat > /dev/null; {stage}; echo '[GNUPG:] SIG_CREATED ' >&2; echo signature"),
    );
    git(&path, &["config", "gpg.program", program.to_str().unwrap()]);
    write(&path, "x.txt", "2\n");
    write(&path, "new.txt", "new\n");
    ended(&bump(&path, "ghcr.io/acme/api:v1", &["--sign"]), 0, "committed");
    assert_eq!(git(&path, &["diff", "--cached", "--name-only"]), "new.txt\nx.txt");
    assert_eq!(git(&path, &["show", "--format=", "--name-only", "HEAD"]), FILE);
}

#[test]
fn runs_at_the_same_moment_all_commit() {
    let images: Vec<String> = (0..8).map(|nth| format!("ghcr.io/acme/api{nth}")).collect();
    let (_folder, path) = local(&images);
    let path = path.as_path();
    std::thread::scope(|scope| {
        for image in &images {
            scope.spawn(move || ended(&bump(path, &format!("{image}:v1"), &[]), 0, "committed"));
        }
    });
    let text = git(path, &["show", &format!("HEAD:{FILE}")]);
    assert_eq!(text.matches("newTag: v1").count(), images.len(), "{text}");
    assert_eq!(git(path, &["rev-list", "--count", "HEAD"]), "10");
    assert_eq!(git(path, &["status", "--porcelain"]), "");
}

/// Nobody enters a passphrase, or touches a key, in vain.
#[test]
fn nothing_is_signed_while_another_program_has_the_index() {
    let (folder, path) = local(&["ghcr.io/acme/api".to_owned()]);
    let program = folder.path().join("gpg");
    script_at(&program, "touch \"$0.ran\"; exit 1");
    git(&path, &["config", "gpg.program", program.to_str().unwrap()]);
    write(&path, ".git/index.lock", "");
    let told = ended(&bump(&path, "ghcr.io/acme/api:v1", &["--sign"]), 1, "failed");
    assert!(told["error"]["message"].as_str().unwrap().contains("index.lock exists"), "{told}");
    assert!(!folder.path().join("gpg.ran").exists());
}
