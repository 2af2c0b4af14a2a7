//! Reads the usual form of an index from its bytes, as git's gitformat-index(5) describes it.

use git2::Oid;

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

/// An index without anything that a reader must understand, apart from its entries.
pub struct IndexFile<'a> {
    /// The mode and path of each entry.
    pub entries: Vec<(u32, &'a [u8])>,
    /// Each with its name.
    extensions: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> IndexFile<'a> {
    /// `None` for an index in another form than version 2 or 3, or with an extension that a reader must understand,
    /// such as a split index.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, version) = (bytes.get(..HEADER)?, number(bytes, 4)?);
        if !header.starts_with(b"DIRC") || ![2, 3].contains(&version) {
            return None;
        }
        let body = bytes.get(..bytes.len().checked_sub(CHECKSUM)?)?;
        let count = number(bytes, 8)?;
        let mut entries = Vec::new();
        let mut at = HEADER;
        for _ in 0..count {
            let entry = body.get(at..)?;
            let flags = u16::from_be_bytes(entry.get(FLAGS..NAME)?.try_into().ok()?);
            let start = if flags & EXTENDED == 0 { NAME } else { NAME + 2 };
            let length = memchr::memchr(0, entry.get(start..)?)?;
            entries.push((number(entry, MODE)?, &entry[start..start + length]));
            // one to eight NULs follow, so that the length is a multiple of eight
            at += (start + length) / 8 * 8 + 8;
        }
        Some(IndexFile { entries, extensions: extensions(body, at)? })
    }

    /// The tree of all entries, if git has noted it ("Cache tree").
    #[cfg_attr(not(unix), allow(dead_code, reason = "only a fast-forward without git needs it"))]
    pub fn cached_tree(&self) -> Option<Oid> {
        let (_, content) = self.extensions.iter().find(|(name, _)| name == b"TREE")?;
        // the root has an empty path; -1 entries mean that the tree isn't known
        let counts = content.strip_prefix(b"\0")?;
        let (counts, rest) = counts.split_at_checked(memchr::memchr(b'\n', counts)?)?;
        let is_known = counts.first().is_some_and(u8::is_ascii_digit);
        Oid::from_bytes(rest.get(1..21).filter(|_| is_known)?).ok()
    }
}

/// The extensions after the entries; `None` if there is one that a reader may not skip: its name starts with a small
/// letter.
fn extensions(body: &[u8], mut at: usize) -> Option<Vec<(&[u8], &[u8])>> {
    let mut found = Vec::new();
    while at < body.len() {
        let size = usize::try_from(number(body, at.checked_add(4)?)?).ok()?;
        let content = at + 8;
        let next = content.checked_add(size)?;
        let name = body.get(at..at + 4).filter(|name| name[0].is_ascii_uppercase())?;
        found.push((name, body.get(content..next)?));
        at = next;
    }
    (at == body.len()).then_some(found)
}

/// A number of four bytes.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use git2::{Index, IndexEntry, IndexTime, Repository};

    use super::*;
    use crate::git::submodule::GITLINK;

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
    pub fn written(folder: &Path, version: u32) -> Vec<u8> {
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
            let found = IndexFile::parse(&bytes)
                .unwrap()
                .entries
                .into_iter()
                .map(|(mode, path)| (mode, path.to_vec()));
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn other_forms_are_left_to_libgit2() {
        let folder = tempfile::tempdir().unwrap();
        assert!(IndexFile::parse(&written(folder.path(), 4)).is_none());
        let bytes = written(folder.path(), 2);
        let with = |extension: &[u8]| {
            let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
            [body, extension, checksum].concat()
        };
        assert!(IndexFile::parse(&with(b"TREE\0\0\0\x02xx")).is_some());
        for other in [&b"link\0\0\0\0"[..], b"TREE\0\0\0\x09xx", b"TREE", b"TREE\xff\xff\xff\xff"] {
            assert!(IndexFile::parse(&with(other)).is_none());
        }
        for cut in 0..bytes.len() {
            assert!(IndexFile::parse(&bytes[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn cached_tree_is_that_of_all_entries() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init(folder.path()).unwrap();
        let mut index = repo.index().unwrap();
        let cached = |index: &mut Index| {
            index.write().unwrap();
            let bytes = std::fs::read(index.path().unwrap()).unwrap();
            IndexFile::parse(&bytes).unwrap().cached_tree()
        };
        let put = |index: &mut Index, path: &str| {
            let blob = repo.blob(b"one").unwrap();
            index.add(&IndexEntry { id: blob, ..entry(path, 0o100_644) }).unwrap();
        };
        put(&mut index, "apps/a.yaml");
        assert_eq!(cached(&mut index), None, "not noted yet");
        let tree = index.write_tree().unwrap();
        assert_eq!(cached(&mut index), Some(tree));
        put(&mut index, "apps/b.yaml");
        assert_eq!(cached(&mut index), None, "not known any more");
    }
}
