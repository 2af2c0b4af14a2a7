use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::*;
use crate::image::Part;
use crate::plan::{Found, Look, Request, Scope, Shelf, SourceFile, Want, some_mentions};
use crate::select::{Selection, Standing};

/// What is in each file.
type Files = BTreeMap<String, String>;

/// Commits in memory. What a file holds is its name in the database; so is a tree's.
#[derive(Default)]
struct Fake {
    commits: RefCell<BTreeMap<Id, (Links, Files)>>,
    /// Commits that `deepen` brings.
    cut: RefCell<Vec<Id>>,
    deepened: Cell<usize>,
}

fn id(number: usize) -> Id {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Id(bytes)
}

impl Fake {
    /// A commit at a time, which is its name too.
    fn commit(&self, time: usize, parents: &[usize], files: &[(&str, &str)]) -> usize {
        let links =
            Links { time: time as i64, tree: id(time), parents: parents.iter().copied().map(id).collect() };
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        self.commits.borrow_mut().insert(id(time), (links, files));
        time
    }

    fn text(&self, tree: Id, path: &str) -> Option<String> {
        self.commits.borrow().get(&tree)?.1.get(path).cloned()
    }
}

impl Commits for Fake {
    fn links(&self, commit: Id) -> Result<Option<Links>> {
        let here = !self.cut.borrow().contains(&commit);
        Ok(self.commits.borrow().get(&commit).filter(|_| here).map(|(links, _)| links.clone()))
    }

    fn file(&self, tree: Id, path: &str) -> Result<Option<Id>> {
        // the first bytes of a text that is short
        let blob = |text: String| {
            let mut bytes = [0; 20];
            bytes.iter_mut().zip(text.bytes()).for_each(|(to, byte)| *to = byte);
            Id(bytes)
        };
        Ok(self.text(tree, path).map(blob))
    }

    fn read(&self, file: Id) -> Result<Vec<u8>> {
        let tags = String::from_utf8(file.0.to_vec()).unwrap();
        let images = tags.trim_end_matches('\0').split(' ').filter(|tag| !tag.is_empty());
        let documents = images.map(|tag| format!("spec:\n  values:\n    a:\n      image: acme/api:{tag}\n"));
        let documents =
            documents.map(|d| format!("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n{d}"));
        Ok(documents.collect::<Vec<_>>().join("---\n").into_bytes())
    }

    fn old_name(&self, tree: Id, older: Id, path: &str) -> Result<Option<String>> {
        let text = self.text(tree, path);
        let commits = self.commits.borrow();
        let (_, files) = commits.get(&older).unwrap();
        Ok(files.iter().find(|(_, old)| Some(*old) == text.as_ref()).map(|(name, _)| name.clone()))
    }

    fn words(&self, commit: Id) -> Result<Words> {
        Ok(Words { author: "a".into(), email: "a@b".into(), message: commit.to_string() })
    }

    fn deepen(&self) -> bool {
        self.deepened.set(self.deepened.get() + 1);
        self.cut.borrow_mut().pop().is_some()
    }
}

/// The files of a tip.
struct Tip<'a>(&'a Fake, Id);

impl Shelf for Tip<'_> {
    fn each(&self, _: &Selection, _: bool, look: Look<'_>) -> Result<Found> {
        for path in self.0.commits.borrow()[&self.1].1.keys() {
            let bytes = self.0.read(self.0.file(self.1, path)?.unwrap())?;
            if look(SourceFile { path, bytes: &bytes, standing: Standing::Found }).is_break() {
                break;
            }
        }
        Ok(Found::default())
    }

    fn one(&self, _: &str, _: usize) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// `FILE TAG SINCE-UNTIL` of every entry, newest first, and how far it goes.
fn told(fake: &Fake, tip: usize) -> (Vec<String>, Reach) {
    let want = Want {
        name: "acme/api".into(),
        new_name: Part::Unsaid,
        tag: None,
        digest: Part::Unsaid,
        service: None,
        scope: Scope::of_files(&Selection::new(&[]).unwrap()),
    };
    let request = Request { wants: vec![want], ..Request::default() };
    let now = some_mentions(&Tip(fake, id(tip)), &request).unwrap();
    let mut entries = Vec::new();
    let reach = tell(fake, id(tip), (&request, &now), "", &mut |entry: Entry| {
        let since = entry.written.map_or("?".to_owned(), |by| by.time.to_string());
        let until = entry.until.map(|time| time.to_string()).unwrap_or_default();
        entries.push(format!("{} {} {since}-{until}", entry.file, entry.tag.unwrap_or_default()));
        true
    });
    (entries, reach.unwrap())
}

fn all(fake: &Fake, tip: usize) -> Vec<String> {
    let (entries, reach) = told(fake, tip);
    assert_eq!(reach, Reach::Enough);
    entries
}

#[test]
fn each_tag_from_its_commit_to_the_next() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("b.yaml", "v0")]);
    fake.commit(2, &[1], &[("a.yaml", "v1"), ("b.yaml", "v0")]);
    fake.commit(3, &[2], &[("a.yaml", "v1"), ("b.yaml", "v1")]);
    fake.commit(4, &[3], &[("a.yaml", "v2"), ("b.yaml", "v1"), ("c.txt", "")]);
    fake.commit(5, &[4], &[("a.yaml", "v1"), ("b.yaml", "v1")]);
    let entries = ["a.yaml v1 5-", "a.yaml v2 4-5", "b.yaml v1 3-", "a.yaml v1 2-4", "b.yaml v0 1-3"];
    assert_eq!(all(&fake, 5), entries);
}

#[test]
fn a_moved_file_is_the_same_file() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("old.yaml", "v1")]);
    fake.commit(2, &[1], &[("old.yaml", "v2")]);
    fake.commit(3, &[2], &[("new/name.yaml", "v2")]);
    fake.commit(4, &[3], &[("new/name.yaml", "v3")]);
    assert_eq!(all(&fake, 4), ["new/name.yaml v3 4-", "new/name.yaml v2 2-4", "new/name.yaml v1 1-2"]);
}

#[test]
fn a_file_that_a_merge_moves_has_its_past_on_the_other_side() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("old.yaml", "v1")]);
    fake.commit(2, &[1], &[("new.yaml", "v1")]);
    fake.commit(3, &[1], &[("old.yaml", "v2")]);
    fake.commit(4, &[3], &[("old.yaml", "v3")]);
    for parents in [[2, 4], [4, 2]] {
        fake.commit(5, &parents, &[("new.yaml", "v3")]);
        assert_eq!(all(&fake, 5), ["new.yaml v3 4-", "new.yaml v2 3-4", "new.yaml v1 1-3"]);
    }
}

#[test]
fn a_merge_is_followed_to_where_the_tag_comes_from() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2")]);
    fake.commit(3, &[1], &[("a.yaml", "v1"), ("x", "y")]);
    fake.commit(4, &[3, 2], &[("a.yaml", "v2"), ("x", "y")]);
    fake.commit(5, &[4], &[("a.yaml", "v3"), ("x", "y")]);
    assert_eq!(all(&fake, 5), ["a.yaml v3 5-", "a.yaml v2 2-5", "a.yaml v1 1-2"]);
}

#[test]
fn a_merge_can_bring_a_tag_from_each_side() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("a.yaml", "v1 w1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2 w1")]);
    fake.commit(3, &[1], &[("a.yaml", "v1 w2")]);
    fake.commit(4, &[2, 3], &[("a.yaml", "v2 w2")]);
    let entries = ["a.yaml w2 3-", "a.yaml v2 2-", "a.yaml v1 1-2", "a.yaml w1 1-3"];
    assert_eq!(all(&fake, 4), entries);
}

#[test]
fn references_come_and_go() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "w1 v1")]);
    fake.commit(3, &[2], &[("a.yaml", "w1 v2")]);
    fake.commit(4, &[3], &[("a.yaml", "v2")]);
    fake.commit(5, &[4], &[("a.yaml", "v3")]);
    let entries = ["a.yaml v3 5-", "a.yaml v2 3-5", "a.yaml w1 2-4", "a.yaml v1 1-3"];
    assert_eq!(all(&fake, 5), entries);
}

#[test]
fn what_was_no_reference_for_a_while_begins_anew() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "")]);
    fake.commit(3, &[2], &[("a.yaml", "v1")]);
    assert_eq!(all(&fake, 3), ["a.yaml v1 3-", "a.yaml v1 1-2"]);
}

#[test]
fn clocks_may_be_wrong() {
    let fake = Fake::default();
    fake.commit(9, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[9], &[("a.yaml", "v2")]);
    fake.commit(5, &[2], &[("a.yaml", "v3")]);
    assert_eq!(all(&fake, 5), ["a.yaml v3 5-", "a.yaml v2 2-5", "a.yaml v1 9-2"]);
}

#[test]
fn what_is_cut_off_is_asked_for_and_else_told() {
    let fake = Fake::default();
    fake.commit(1, &[], &[("a.yaml", "v1"), ("b.yaml", "w1")]);
    fake.commit(2, &[1], &[("a.yaml", "v1"), ("b.yaml", "w2")]);
    fake.commit(3, &[2], &[("a.yaml", "v2"), ("b.yaml", "w2")]);
    fake.cut.borrow_mut().push(id(1));
    let whole = ["a.yaml v2 3-", "b.yaml w2 2-", "a.yaml v1 1-3", "b.yaml w1 1-2"];
    assert_eq!(all(&fake, 3), whole);
    assert_eq!(fake.deepened.get(), 1);
    fake.commits.borrow_mut().remove(&id(1));
    let (entries, reach) = told(&fake, 3);
    assert_eq!(entries, ["a.yaml v2 3-", "a.yaml v1 ?-3", "b.yaml w2 ?-"]);
    assert_eq!(reach, Reach::Cut { commit: id(2), time: 2 });
}
