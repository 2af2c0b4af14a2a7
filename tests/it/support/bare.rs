//! Bare repositories, made and changed without a checkout and without a process.

use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, Oid, Repository, RepositoryInitOptions, Signature, Tree};

const MAIN: &str = "refs/heads/main";

/// Makes the empty bare repository `root/name`, on branch main, open to pushes over HTTP.
#[track_caller]
pub fn bare_repo(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false).initial_head("main");
    let repository = Repository::init_opts(&path, &options).unwrap();
    let mut config = repository.config().unwrap();
    config.set_bool("http.receivepack", true).unwrap();
    config.set_bool("receive.autogc", false).unwrap();
    path
}

/// Commits files on main. Gives the commit's name.
#[track_caller]
pub fn commit_on_main(bare: &Path, files: &[(&str, &str)], message: &str) -> String {
    let repository = Repository::open_bare(bare).unwrap();
    let parent = repository.find_reference(MAIN).ok().map(|main| main.peel_to_commit().unwrap());
    let base = parent.as_ref().map(|parent| parent.tree().unwrap());
    let tree = repository.find_tree(tree_with(&repository, base, files)).unwrap();
    let author = Signature::now("Test Author", "author@example.com").unwrap();
    let committer = Signature::now("Test Committer", "committer@example.com").unwrap();
    let parents: Vec<&Commit<'_>> = parent.iter().collect();
    let message = format!("{message}\n");
    repository.commit(Some(MAIN), &author, &committer, &message, &tree, &parents).unwrap().to_string()
}

/// Files are added, and those that are there keep their mode.
fn tree_with(repository: &Repository, base: Option<Tree<'_>>, files: &[(&str, &str)]) -> Oid {
    let empty = || repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
    let base = base.unwrap_or_else(empty);
    let mut update = TreeUpdateBuilder::new();
    for (path, text) in files {
        let is_executable = base.get_path(Path::new(path)).is_ok_and(|entry| entry.filemode() == 0o100_755);
        let mode = if is_executable { FileMode::BlobExecutable } else { FileMode::Blob };
        update.upsert(path, repository.blob(text.as_bytes()).unwrap(), mode);
    }
    update.create_updated(repository, &base).unwrap()
}

/// The commit that the branch main points at.
#[track_caller]
pub fn tip(bare: &Path) -> String {
    Repository::open_bare(bare).unwrap().refname_to_id(MAIN).unwrap().to_string()
}

/// The commit that a checkout's `HEAD` leads to.
#[track_caller]
pub fn head(checkout: &Path) -> String {
    Repository::open(checkout).unwrap().refname_to_id("HEAD").unwrap().to_string()
}

/// How many commits main has.
#[track_caller]
pub fn commits(bare: &Path) -> usize {
    let repository = Repository::open_bare(bare).unwrap();
    let mut walk = repository.revwalk().unwrap();
    walk.push_ref(MAIN).unwrap();
    walk.map(Result::unwrap).count()
}

/// A file on main, without the line end.
#[track_caller]
pub fn file(bare: &Path, path: &str) -> String {
    let repository = Repository::open_bare(bare).unwrap();
    let blob = repository.revparse_single(&format!("{MAIN}:{path}")).unwrap().peel_to_blob().unwrap();
    String::from_utf8_lossy(blob.content()).trim_end().to_owned()
}

/// The whole message of main's last commit, without the line end.
#[track_caller]
pub fn message(bare: &Path) -> String {
    let repository = Repository::open_bare(bare).unwrap();
    let commit = repository.find_reference(MAIN).unwrap().peel_to_commit().unwrap();
    String::from_utf8_lossy(commit.message_bytes()).trim_end().to_owned()
}
