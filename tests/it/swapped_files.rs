//! Files and folders that change between the moment when tagbump checks them and the moment when it uses them:
//! nothing outside the root is read or written, and a file is replaced only if it is the one that was planned on.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, mpsc};
use std::time::Duration;

use crate::support::files::{copy, snapshot, write};
use tagbump::file_selection::Selection;
use tagbump::plan::{FileEdit, FileSource, SourceFile, VisitScope};
use tagbump::worktree::{Worktree, WorktreeError};
use tempfile::TempDir;

const FILE: &str = "k8s/app.yaml";
const OLD: &str = "image: app:v0\n";
const NEW: &str = "image: app:v1\n";
/// Only a failsafe: a run that waits for a pipe would wait forever.
const FAILSAFE: Duration = Duration::from_secs(120);

/// A root with some files, and next to it a folder that belongs to another user.
struct Scene {
    folder: TempDir,
    worktree: Worktree,
}

impl Scene {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            write(&folder.path().join("root"), file, OLD);
        }
        write(folder.path(), "outside/secret", "secret\n");
        let worktree = Worktree::open(&folder.path().join("root")).unwrap();
        Scene { folder, worktree }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// Where a folder is moved to.
    fn moved(&self) -> PathBuf {
        self.folder.path().join("moved")
    }

    /// The staged file next to `FILE`.
    fn staged(&self) -> PathBuf {
        let names = fs::read_dir(self.at("k8s")).unwrap().map(|entry| entry.unwrap().path());
        let mut staged = names.filter(|path| name(path).starts_with(".tagbump-"));
        staged.next().expect("a staged file is there")
    }

    /// Stages the edits, lets `swap` act, and replaces, which must fail and name `blamed`. Returns all files
    /// below the folder as `swap` left them; afterwards only the staged files may differ.
    #[track_caller]
    fn fails_after(&self, files: &[&str], blamed: &str, swap: impl FnOnce(&Scene)) {
        let edits: Vec<_> = files.iter().map(|file| edit(file)).collect();
        let staged = self.worktree.stage(&edits).unwrap();
        swap(self);
        let before = without_staged(&snapshot(self.folder.path()));
        let failure = staged.replace().expect_err("the swap is noticed");
        assert!(matches!(&failure, WorktreeError::Changed { path, .. } if path == blamed), "{failure}");
        assert!(failure.to_string().contains("nothing was written"), "{failure}");
        assert_eq!(snapshot(self.folder.path()), before, "{failure}");
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn edit(path: &str) -> FileEdit {
    FileEdit { path: path.to_owned(), before: OLD.into(), after: NEW.into() }
}

/// Outside the root, a file with such a name isn't ours.
fn without_staged(files: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let is_ours = |name: &str| name.contains("/.tagbump-") && !name.starts_with("outside/");
    files.iter().filter(|(name, _)| !is_ours(name)).cloned().collect()
}

#[test]
fn files_are_replaced_when_nothing_was_swapped() {
    let files = ["app.yaml", FILE, "k8s/deep/er/app.yaml"];
    let scene = Scene::new(&files);
    let edits = files.map(edit);
    scene.worktree.replace(&edits).unwrap();
    let found: Vec<_> = snapshot(&scene.root()).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(found, [NEW.as_bytes(); 3]);
}

#[test]
fn replacing_fails_when_file_became_symlink() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| {
        fs::remove_file(scene.at(FILE)).unwrap();
        write(&scene.outside(), "app.yaml", OLD);
        symlink(scene.outside().join("app.yaml"), scene.at(FILE)).unwrap();
    });
}

#[test]
fn replacing_fails_when_file_was_replaced_by_its_copy() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| {
        fs::copy(scene.at(FILE), scene.at("copy")).unwrap();
        fs::rename(scene.at("copy"), scene.at(FILE)).unwrap();
    });
}

#[test]
fn replacing_fails_when_content_changed() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| write(&scene.root(), FILE, "image: app:v7\n"));
}

#[test]
fn replacing_fails_when_rights_changed() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| {
        fs::set_permissions(scene.at(FILE), Permissions::from_mode(0o600)).unwrap();
    });
}

#[test]
fn replacing_fails_when_file_is_gone() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| fs::remove_file(scene.at(FILE)).unwrap());
}

/// The folder behind the symlink has everything that replacing by path would need.
#[test]
fn replacing_fails_when_folder_became_symlink() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| {
        copy(&scene.at("k8s"), &scene.outside().join("k8s"));
        fs::rename(scene.at("k8s"), scene.moved()).unwrap();
        symlink(scene.outside().join("k8s"), scene.at("k8s")).unwrap();
    });
}

#[test]
fn replacing_fails_when_folder_above_was_replaced() {
    let scene = Scene::new(&["a/b/c/app.yaml"]);
    scene.fails_after(&["a/b/c/app.yaml"], "a/b/c/app.yaml", |scene| {
        fs::rename(scene.at("a/b"), scene.moved()).unwrap();
        copy(&scene.moved(), &scene.at("a/b"));
        let copied = fs::read_dir(scene.at("a/b/c")).unwrap().map(|entry| entry.unwrap().path());
        copied.filter(|path| name(path) != "app.yaml").for_each(|path| fs::remove_file(path).unwrap());
    });
}

#[test]
fn replacing_fails_when_staged_file_became_symlink() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| {
        let staged = scene.staged();
        fs::remove_file(&staged).unwrap();
        symlink(scene.outside().join("secret"), &staged).unwrap();
    });
}

#[test]
fn replacing_fails_when_staged_file_was_changed() {
    let scene = Scene::new(&[FILE]);
    scene.fails_after(&[FILE], FILE, |scene| fs::write(scene.staged(), "image: evil:v1\n").unwrap());
}

#[test]
fn no_file_is_replaced_when_last_of_three_was_swapped() {
    let files = ["a.yaml", FILE, "z/app.yaml"];
    let scene = Scene::new(&files);
    scene.fails_after(&files, "z/app.yaml", |scene| {
        fs::rename(scene.at("z"), scene.moved()).unwrap();
        symlink(scene.moved(), scene.at("z")).unwrap();
    });
}

/// The second edit of a file finds what the first one wrote.
#[test]
fn replaced_files_are_put_back_when_later_one_fails() {
    let files = ["a.yaml", FILE];
    let scene = Scene::new(&files);
    let before = snapshot(scene.folder.path());
    let failure = scene.worktree.replace(&[edit("a.yaml"), edit(FILE), edit(FILE)]).unwrap_err();
    assert!(failure.to_string().starts_with("k8s/app.yaml: changed since it was read"), "{failure}");
    assert_eq!(snapshot(scene.folder.path()), before);
}

#[test]
fn staged_file_is_removed_from_folder_that_was_moved() {
    let scene = Scene::new(&[FILE]);
    let edits = [edit(FILE)];
    let staged = scene.worktree.stage(&edits).unwrap();
    fs::rename(scene.at("k8s"), scene.moved()).unwrap();
    drop(staged);
    assert_eq!(snapshot(&scene.moved()), [("app.yaml".to_owned(), OLD.into())]);
}

#[test]
fn replaced_file_keeps_its_rights_without_setuid() {
    let scene = Scene::new(&[FILE]);
    for (mode, kept) in [(0o6755, 0o755), (0o1644, 0o644), (0o640, 0o640), (0o751, 0o751)] {
        write(&scene.root(), FILE, OLD);
        fs::set_permissions(scene.at(FILE), Permissions::from_mode(mode)).unwrap();
        scene.worktree.replace(&[edit(FILE)]).unwrap();
        let found = fs::metadata(scene.at(FILE)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, kept, "{mode:o} became {found:o}");
    }
}

/// What a search reads while `swap` acts at the first file: at most what was there, and which files are skipped.
fn searched(scene: &Scene, swap: impl Fn(&Scene) + Sync) -> (Vec<Vec<u8>>, Vec<String>) {
    let (swapped, read) = (Once::new(), Mutex::new(Vec::new()));
    let look = |file: SourceFile<'_>| {
        swapped.call_once(|| swap(scene));
        read.lock().unwrap().push(file.bytes.to_vec());
        ControlFlow::Continue(())
    };
    let found = scene.worktree.visit(&Selection::new(&[]).unwrap(), VisitScope::Selected, &look).unwrap();
    (read.into_inner().unwrap(), found.warnings)
}

fn many() -> Scene {
    let files: Vec<_> = (0..400).map(|nth| format!("k8s/{nth:03}.yaml")).collect();
    Scene::new(&files.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn search_stays_inside_when_folder_becomes_symlink() {
    let scene = many();
    for nth in 0..400 {
        write(&scene.outside(), &format!("k8s/{nth:03}.yaml"), "secret\n");
    }
    let (read, warnings) = searched(&scene, |scene| {
        fs::rename(scene.at("k8s"), scene.moved()).unwrap();
        symlink(scene.outside().join("k8s"), scene.at("k8s")).unwrap();
    });
    assert!(read.iter().all(|bytes| bytes == OLD.as_bytes()), "a file outside the root was read");
    assert_eq!(read.len() + warnings.len(), 400, "{warnings:?}");
}

#[test]
fn search_stays_inside_when_files_become_symlinks() {
    let scene = many();
    let (read, warnings) = searched(&scene, |scene| {
        for nth in 0..400 {
            let path = scene.at(&format!("k8s/{nth:03}.yaml"));
            fs::remove_file(&path).unwrap();
            symlink(scene.outside().join("secret"), path).unwrap();
        }
    });
    assert!(read.iter().all(|bytes| bytes == OLD.as_bytes()), "a file outside the root was read");
    // for a moment, neither the file nor the symlink is there
    let is_known = |warning: &String| warning.contains("symlink") || warning.contains("No such file");
    assert!(warnings.iter().all(is_known), "{warnings:?}");
    assert_eq!(read.len() + warnings.len(), 400, "{warnings:?}");
}

#[test]
fn search_ends_when_files_become_pipes() {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let scene = many();
        let found = searched(&scene, |scene| {
            for nth in 0..400 {
                let path = scene.at(&format!("k8s/{nth:03}.yaml"));
                fs::remove_file(&path).unwrap();
                let pipe = rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into());
                pipe.unwrap();
            }
        });
        // the receiver is gone if the failsafe was faster
        let _ = done.send(found);
    });
    let (read, warnings) = ended.recv_timeout(FAILSAFE).expect("the search waits for a pipe");
    assert_eq!(read.len() + warnings.len(), 400, "{warnings:?}");
}
