//! Whether a checkout has no uncommitted changes, judged as git does where no filter runs.
//!
//! A file whose time, size and owner are those in the index is unchanged; any other one is read. Source: git's
//! `read-cache.c` (`ie_match_stat`, `is_racy_stat`).

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use git2::{Index, IndexEntry, IndexTime, ObjectType, Oid};

use super::checkout::Checkout;
use super::index_file::IndexFile;
use super::oid::oid;
use crate::object_id::CommitId;

/// Whether the index equals the commit, and the work tree equals the index. Untracked files don't count. False where
/// only git can decide it, or if something can't be read. `bytes` is the index as it is on disk.
pub fn is_unchanged(checkout: &Checkout, head: CommitId, index: &Index, bytes: &[u8]) -> bool {
    is_index_unchanged(checkout, head, index, bytes).unwrap_or(false)
        && CheckedOutFiles::new(&checkout.workdir, index)
            .is_some_and(|mut files| index.iter().all(|e| files.has(&e)))
}

fn is_index_unchanged(
    checkout: &Checkout,
    head: CommitId,
    index: &Index,
    bytes: &[u8],
) -> Result<bool, git2::Error> {
    let tree = checkout.repo.find_commit(oid(head))?.tree()?;
    // what git notes after a clone saves reading all trees
    if IndexFile::parse(bytes).and_then(|index| index.cached_tree()) == Some(tree.id()) {
        return Ok(true);
    }
    let changes = checkout.repo.diff_tree_to_index(Some(&tree), Some(index), None)?;
    Ok(changes.deltas().len() == 0)
}

/// The files of a work tree.
struct CheckedOutFiles<'a> {
    top: &'a Path,
    /// When the index was written. A file that is not older may have changed without another time.
    index_time: (i64, i64),
    /// Folders that are known to be no symlinks.
    folders: HashSet<PathBuf>,
}

impl<'a> CheckedOutFiles<'a> {
    fn new(top: &'a Path, index: &Index) -> Option<Self> {
        let about = index.path()?.metadata().ok()?;
        let folders = HashSet::from([PathBuf::new()]);
        Some(CheckedOutFiles { top, index_time: (about.mtime(), about.mtime_nsec()), folders })
    }

    /// Whether the file is as the index says.
    fn has(&mut self, entry: &IndexEntry) -> bool {
        let path = Path::new(OsStr::from_bytes(&entry.path));
        let full = self.top.join(path);
        if !self.is_in_real_folder(path) {
            return false;
        }
        let Ok(about) = full.symlink_metadata() else { return false };
        if !is_same_kind(entry.mode, &about) {
            return false;
        }
        let is_older = (about.mtime(), about.mtime_nsec()) < self.index_time;
        (is_older && has_same_stat(entry, &about)) || (about.is_file() && has_content(&full, entry.id))
    }

    fn is_in_real_folder(&mut self, path: &Path) -> bool {
        let Some(folder) = path.parent() else { return true };
        if self.folders.contains(folder) {
            return true;
        }
        let is_real =
            |folder: &&Path| self.top.join(folder).symlink_metadata().is_ok_and(|about| about.is_dir());
        let unknown: Vec<_> = folder.ancestors().take_while(|f| !self.folders.contains(*f)).collect();
        let are_real = unknown.iter().all(is_real);
        if are_real {
            self.folders.extend(unknown.into_iter().map(Path::to_owned));
        }
        are_real
    }
}

/// Whether it is a file or a symlink, and can be executed, as the index says.
fn is_same_kind(mode: u32, about: &Metadata) -> bool {
    match mode {
        0o100_644 => about.is_file() && about.mode() & 0o100 == 0,
        0o100_755 => about.is_file() && about.mode() & 0o100 != 0,
        0o120_000 => about.is_symlink(),
        _ => false,
    }
}

fn has_same_stat(entry: &IndexEntry, about: &Metadata) -> bool {
    // git's index stores only the low 32 bits
    let is_time = |time: &IndexTime, seconds: i64, nanoseconds: i64| {
        (time.seconds(), time.nanoseconds()) == (seconds as i32, nanoseconds as u32)
    };
    is_time(&entry.mtime, about.mtime(), about.mtime_nsec())
        && is_time(&entry.ctime, about.ctime(), about.ctime_nsec())
        && (entry.ino, entry.file_size) == (about.ino() as u32, about.len() as u32)
        && (entry.uid, entry.gid) == (about.uid(), about.gid())
}

fn has_content(file: &Path, id: Oid) -> bool {
    Oid::hash_file(ObjectType::Blob, file).is_ok_and(|found| found == id)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use git2::Repository;

    use super::*;

    struct World {
        folder: tempfile::TempDir,
        index: Index,
    }

    impl World {
        /// Two files in the index, which is younger than they are.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let repo = Repository::init(folder.path()).unwrap();
            fs::create_dir(folder.path().join("apps")).unwrap();
            let past = SystemTime::now() - Duration::from_secs(60);
            for name in ["apps/a.yaml", "b.yaml"] {
                fs::write(folder.path().join(name), "one\n").unwrap();
                set_time(&folder.path().join(name), past);
            }
            let mut index = repo.index().unwrap();
            ["apps/a.yaml", "b.yaml"].iter().for_each(|name| index.add_path(Path::new(name)).unwrap());
            index.write().unwrap();
            World { folder, index }
        }

        fn is_clean(&self) -> bool {
            let mut files = CheckedOutFiles::new(self.folder.path(), &self.index).unwrap();
            self.index.iter().all(|entry| files.has(&entry))
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
    }

    fn set_time(path: &Path, time: SystemTime) {
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn untouched_and_touched_files_are_unchanged() {
        let world = World::new();
        assert!(world.is_clean());
        set_time(&world.path("b.yaml"), SystemTime::now() + Duration::from_secs(60));
        assert!(world.is_clean(), "same content");
        fs::write(world.path("b.yaml"), "one\n").unwrap();
        assert!(world.is_clean(), "written again");
    }

    /// The new content has the same size, and the file has the time that the index has.
    #[test]
    fn file_as_young_as_the_index_is_read() {
        let world = World::new();
        let time = world.index.path().unwrap().metadata().unwrap().modified().unwrap();
        fs::write(world.path("b.yaml"), "two\n").unwrap();
        set_time(&world.path("b.yaml"), time);
        let mut entry = world.index.get_path(Path::new("b.yaml"), 0).unwrap();
        let about = world.path("b.yaml").metadata().unwrap();
        let time = |s: i64, n: i64| IndexTime::new(s as i32, n as u32);
        entry.mtime = time(about.mtime(), about.mtime_nsec());
        entry.ctime = time(about.ctime(), about.ctime_nsec());
        entry.ino = about.ino() as u32;
        assert!(has_same_stat(&entry, &about));
        assert!(!CheckedOutFiles::new(world.folder.path(), &world.index).unwrap().has(&entry));
    }

    #[test]
    fn other_content_mode_or_kind_is_a_change() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let changes: [fn(&Path); 5] = [
            |file| fs::write(file, "two\n").unwrap(),
            |file| fs::remove_file(file).unwrap(),
            |file| fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap(),
            |file| {
                fs::rename(file, file.with_extension("old")).unwrap();
                symlink(file.with_extension("old"), file).unwrap();
            },
            |file| {
                let apps = file.parent().unwrap().join("apps");
                fs::rename(&apps, apps.with_extension("old")).unwrap();
                symlink(apps.with_extension("old"), &apps).unwrap();
            },
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            let world = World::new();
            change(&world.path("b.yaml"));
            assert!(!world.is_clean(), "change {nth}");
        }
    }
}
