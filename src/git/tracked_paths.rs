//! What git tracks, read from its index. libgit2 takes as long for the index of a large repository as a search takes for
//! all its files, so the usual form of an index is read here.

use std::io::Read;
use std::path::Path;

use git2::Index;

use super::index_file::IndexFile;
use super::submodule::GITLINK;
use crate::file_selection::is_yaml;
use crate::worktree::{TrackedPaths, open_regular_file};

/// The modes of regular files.
const FILES: [u32; 2] = [0o100_644, 0o100_755];

/// The YAML files and submodules below the folder `prefix` that are in an index. Nothing if the index can't be read.
pub(super) fn tracked_paths(index: &Path, prefix: &str) -> TrackedPaths {
    let mut paths = TrackedPaths::default();
    let mut add = |mode: u32, path: &[u8]| add(&mut paths, prefix, mode, path);
    let bytes = read(index).unwrap_or_default();
    match IndexFile::parse(&bytes) {
        Some(index) => index.entries.into_iter().for_each(|(mode, path)| add(mode, path)),
        None => by_libgit2(index, add),
    }
    paths
}

fn read(index: &Path) -> Option<Vec<u8>> {
    let (mut file, _) = open_regular_file(index).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn by_libgit2(index: &Path, mut add: impl FnMut(u32, &[u8])) {
    let Ok(index) = Index::open(index) else { return };
    index.iter().for_each(|entry| add(entry.mode, &entry.path));
}

fn add(paths: &mut TrackedPaths, prefix: &str, mode: u32, path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else { return };
    let below = || match prefix {
        "" => Some(path),
        prefix => path.strip_prefix(prefix)?.strip_prefix('/'),
    };
    if FILES.contains(&mode) {
        paths.files.extend(below().filter(|path| is_yaml(path)).map(str::to_owned));
    } else if mode == GITLINK {
        let is_around =
            prefix.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let below = if is_around { Some(".") } else { below() };
        paths.submodules.extend(below.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::index_file::tests::written;

    #[test]
    fn paths_are_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        for version in [2, 4] {
            written(folder.path(), version);
            let index = folder.path().join(format!("index-{version}"));
            let TrackedPaths { files, submodules } = tracked_paths(&index, "");
            assert_eq!((files.len(), files.last().unwrap().as_str()), (40, "b.yml"));
            assert_eq!(submodules, ["apps/sub"]);
            let TrackedPaths { files, submodules } = tracked_paths(&index, "apps");
            assert_eq!((files.len(), files[0].len()), (39, "a.yaml".len()));
            assert_eq!(submodules, ["sub"]);
            assert_eq!(tracked_paths(&index, "apps/sub/x").submodules, ["."]);
        }
        assert!(tracked_paths(&folder.path().join("none"), "").files.is_empty());
    }
}
