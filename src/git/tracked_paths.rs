//! What git tracks, read from its index. libgit2 takes as long for the index of a large repository as a search takes for
//! all its files, so the usual form of an index is read here.

use std::io::Read;
use std::path::Path;

use git2::Index;

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
    match entries(&bytes) {
        Some(entries) => entries.into_iter().for_each(|(mode, path)| add(mode, path)),
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

/// Bytes of the signature, the version and the number of entries.
const HEADER: usize = 12;
/// Where the parts of an entry are.
const MODE: usize = 24;
const FLAGS: usize = 60;
const NAME: usize = 62;
/// An entry has two more bytes of flags.
const EXTENDED: u16 = 0x4000;
/// SHA-1 of everything before.
const CHECKSUM: usize = 20;

/// Mode and path of each entry, as git's gitformat-index(5) describes them; `None` for an index in another form than
/// version 2 or 3, or with an extension that a reader must understand, such as a split index.
fn entries(bytes: &[u8]) -> Option<Vec<(u32, &[u8])>> {
    let (header, version) = (bytes.get(..HEADER)?, number(bytes, 4)?);
    if !header.starts_with(b"DIRC") || ![2, 3].contains(&version) {
        return None;
    }
    let body = bytes.get(..bytes.len().checked_sub(CHECKSUM)?)?;
    let count = number(bytes, 8)?;
    let mut found = Vec::new();
    let mut at = HEADER;
    for _ in 0..count {
        let entry = body.get(at..)?;
        let flags = u16::from_be_bytes(entry.get(FLAGS..NAME)?.try_into().ok()?);
        let start = if flags & EXTENDED == 0 { NAME } else { NAME + 2 };
        let length = memchr::memchr(0, entry.get(start..)?)?;
        found.push((number(entry, MODE)?, &entry[start..start + length]));
        // one to eight NULs follow, so that the length is a multiple of eight
        at += (start + length) / 8 * 8 + 8;
    }
    has_only_optional(body, at).then_some(found)
}

/// Whether what follows the entries are extensions that a reader may skip: their names start with a capital letter.
fn has_only_optional(body: &[u8], mut at: usize) -> bool {
    while at < body.len() {
        let size = number(body, at + 4).and_then(|size| usize::try_from(size).ok());
        let is_optional = body[at].is_ascii_uppercase();
        let (true, Some(next)) = (is_optional, size.and_then(|size| (at + 8).checked_add(size))) else {
            return false;
        };
        at = next;
    }
    at == body.len()
}

/// A number of four bytes.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::{IndexEntry, IndexTime, Oid};

    fn entry(path: &str, mode: u32) -> IndexEntry {
        let time = IndexTime::new(0, 0);
        IndexEntry {
            ctime: time,
            mtime: time,
            dev: 0,
            ino: 0,
            mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: Oid::ZERO_SHA1,
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        }
    }

    /// An index as libgit2 writes it.
    fn written(folder: &Path, version: u32) -> Vec<u8> {
        let path = folder.join(format!("index-{version}"));
        let mut index = Index::open(&path).unwrap();
        index.set_version(version).unwrap();
        // paths of all lengths, so that there is each number of NULs
        for length in 1..40 {
            index.add(&entry(&format!("apps/{}.yaml", "a".repeat(length)), 0o100_644)).unwrap();
        }
        for (path, mode) in
            [("apps/sub", GITLINK), ("apps/link.yaml", 0o120_000), ("b.yml", 0o100_755), ("c", 0o100_644)]
        {
            index.add(&entry(path, mode)).unwrap();
        }
        index.write().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn entries_are_those_that_libgit2_reads() {
        let folder = tempfile::tempdir().unwrap();
        for version in [2, 3] {
            let bytes = written(folder.path(), version);
            let index = Index::open(&folder.path().join(format!("index-{version}"))).unwrap();
            let expected: Vec<_> = index.iter().map(|entry| (entry.mode, entry.path)).collect();
            let found = entries(&bytes).unwrap().into_iter().map(|(mode, path)| (mode, path.to_vec()));
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn other_forms_are_left_to_libgit2() {
        let folder = tempfile::tempdir().unwrap();
        assert!(entries(&written(folder.path(), 4)).is_none());
        let bytes = written(folder.path(), 2);
        let with = |extension: &[u8]| {
            let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
            [body, extension, checksum].concat()
        };
        assert!(entries(&with(b"TREE\0\0\0\x02xx")).is_some());
        for other in [&b"link\0\0\0\0"[..], b"TREE\0\0\0\x09xx", b"TREE", b"TREE\xff\xff\xff\xff"] {
            assert!(entries(&with(other)).is_none());
        }
        for cut in 0..bytes.len() {
            assert!(entries(&bytes[..cut]).is_none(), "{cut}");
        }
    }

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
