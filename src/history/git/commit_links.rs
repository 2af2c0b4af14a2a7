//! Time, tree and parents of a commit, read from the object's bytes. libgit2 would also parse and copy names and message.

use git2::{ObjectType, Repository};

use crate::git::oid::{object_id, oid};
use crate::history::{CommitId, CommitLinks, ObjectId};

/// Reads a commit's time, tree and parents.
///
/// # Errors
/// It isn't here, or it isn't a commit.
pub fn read_links(repo: &Repository, commit: CommitId) -> Result<CommitLinks, git2::Error> {
    let odb = repo.odb()?;
    let object = odb.read(oid(commit))?;
    let found = match object.kind() {
        ObjectType::Commit => links(object.data()),
        _ => None,
    };
    found.map_or_else(|| parsed_links(repo, commit), Ok)
}

/// Reads a commit of another form than git writes, or fails because it isn't one.
fn parsed_links(repo: &Repository, commit: CommitId) -> Result<CommitLinks, git2::Error> {
    let commit = repo.find_commit(oid(commit))?;
    // from the header: libgit2 omits parents that a shallow clone lacks, even after more was fetched
    let header = commit.raw_header_bytes();
    let parents = header.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"parent "));
    let parents = parents.filter_map(|hex| CommitId::parse(std::str::from_utf8(hex).ok()?));
    Ok(CommitLinks {
        time: commit.time().seconds(),
        tree: object_id(commit.tree_id()),
        parents: parents.collect(),
    })
}

/// Time, tree and parents of a commit; `None` if it isn't as git writes it ("Commit Objects" in "Pro Git").
fn links(commit: &[u8]) -> Option<CommitLinks> {
    let mut lines = HeaderLines(commit);
    let tree = id(lines.next()?.strip_prefix(b"tree ")?)?;
    let mut parents = Vec::with_capacity(1);
    let author = loop {
        let line = lines.next()?;
        match line.strip_prefix(b"parent ") {
            Some(parent) => parents.push(CommitId::from(id(parent)?)),
            None => break line,
        }
    };
    author.strip_prefix(b"author ")?;
    let committer = lines.next()?.strip_prefix(b"committer ")?;
    Some(CommitLinks { time: time(committer)?, tree, parents })
}

/// The lines of a header. It ends with an empty one.
struct HeaderLines<'a>(&'a [u8]);

impl<'a> HeaderLines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = self.0.split_at_checked(memchr::memchr(b'\n', self.0)?)?;
        self.0 = rest.get(1..)?;
        Some(line)
    }
}

fn id(hex: &[u8]) -> Option<ObjectId> {
    ObjectId::parse(std::str::from_utf8(hex).ok()?)
}

/// The seconds in `NAME <EMAIL> SECONDS ZONE`.
fn time(person: &[u8]) -> Option<i64> {
    let behind = person.get(memchr::memrchr(b'>', person)?..)?.strip_prefix(b"> ")?;
    let seconds = behind.get(..memchr::memchr(b' ', behind)?)?;
    let is_number = (1..=18).contains(&seconds.len()) && seconds.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(seconds).ok().filter(|_| is_number)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree 1111111111111111111111111111111111111111\n";
    const PARENT: &str = "parent 2222222222222222222222222222222222222222\n";
    const AUTHOR: &str = "author A <a@b> 1 +0000\n";

    fn time_of(committer: &str) -> Option<i64> {
        links(format!("{TREE}{AUTHOR}committer {committer}\n\nsubject\n").as_bytes()).map(|links| links.time)
    }

    #[test]
    fn time_tree_and_parents_are_read() {
        let rest = "committer C <c@d> 1600000000 -0330\ngpgsig x\n\nparent 3\n";
        let found = |parents: &str| links(format!("{TREE}{parents}{AUTHOR}{rest}").as_bytes()).unwrap();
        let (root, merge) = (found(""), found(&PARENT.repeat(2)));
        assert_eq!((root.time, root.tree, root.parents.len()), (1_600_000_000, ObjectId([0x11; 20]), 0));
        assert_eq!(merge.parents, [CommitId::from(ObjectId([0x22; 20])); 2]);
    }

    #[test]
    fn names_and_addresses_may_contain_anything() {
        assert_eq!(time_of("> <> 5 6 > <c> 7 +0000"), Some(7));
        assert_eq!(time_of("<> 7 +0000"), Some(7));
    }

    #[test]
    fn what_git_does_not_write_is_left_to_libgit2() {
        for committer in ["C <c> 7", "C <c>7 +0000", "C <c> -7 +0000", "C <c> x +0000", "C <c>  7 +0000", "C"]
        {
            assert_eq!(time_of(committer), None, "{committer}");
        }
        let cut = format!("{TREE}{PARENT}{AUTHOR}committer C <c> 7 +0000");
        assert_eq!((0..cut.len()).find(|&to| links(&cut.as_bytes()[..to]).is_some()), None);
        assert_eq!(links(format!("{PARENT}{TREE}").as_bytes()), None);
        assert_eq!(links(b"tree 1\n"), None);
    }
}
