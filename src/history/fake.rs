//! Commits in memory, for tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::{CommitId, CommitLinks, CommitMessage, CommitStore, HistoryError, ObjectId};
use crate::file_selection::{MatchLevel, Selection};
use crate::image::Field;
use crate::plan::{
    FileContent, FileSource, FoundFiles, Request, Scope, SourceError, SourceFile, UpdateTarget, VisitScope,
    Visitor,
};

/// The text of each file, by path.
type FileTexts = BTreeMap<String, String>;

/// Commits in memory. A file's object ID is its text; a tree's is the ID of its commit.
#[derive(Default)]
pub struct FakeCommits {
    pub commits: RefCell<BTreeMap<CommitId, (CommitLinks, FileTexts)>>,
    /// Commits that are missing until `deepen` restores them.
    pub cut: RefCell<Vec<CommitId>>,
    pub deepened: Cell<usize>,
    /// Commit messages. The default message is the commit's ID.
    messages: RefCell<BTreeMap<CommitId, String>>,
}

pub fn id(number: usize) -> CommitId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ObjectId(bytes).into()
}

impl FakeCommits {
    /// Adds a commit. Its time is also its ID.
    pub fn commit(&self, time: usize, parents: &[usize], files: &[(&str, &str)]) -> usize {
        let links = CommitLinks {
            time: time as i64,
            tree: id(time).into(),
            parents: parents.iter().copied().map(id).collect(),
        };
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        self.commits.borrow_mut().insert(id(time), (links, files));
        time
    }

    /// Sets the message of a commit.
    pub fn says(&self, commit: usize, message: &str) {
        self.messages.borrow_mut().insert(id(commit), message.to_owned());
    }

    fn text(&self, tree: ObjectId, path: &str) -> Option<String> {
        self.commits.borrow().get(&tree.into())?.1.get(path).cloned()
    }
}

impl CommitStore for FakeCommits {
    fn links(&self, commit: CommitId) -> Result<Option<CommitLinks>, HistoryError> {
        let here = !self.cut.borrow().contains(&commit);
        Ok(self.commits.borrow().get(&commit).filter(|_| here).map(|(links, _)| links.clone()))
    }

    fn file(&self, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, HistoryError> {
        // the first bytes of the text, which is short
        let blob = |text: String| {
            let mut bytes = [0; 20];
            bytes.iter_mut().zip(text.bytes()).for_each(|(to, byte)| *to = byte);
            ObjectId(bytes)
        };
        Ok(self.text(tree, path).map(blob))
    }

    fn read(&self, file: ObjectId) -> Result<Vec<u8>, HistoryError> {
        let tags = String::from_utf8(file.0.to_vec()).unwrap();
        let images = tags.trim_end_matches('\0').split(' ').filter(|tag| !tag.is_empty());
        let documents = images.map(|tag| format!("spec:\n  values:\n    a:\n      image: acme/api:{tag}\n"));
        let documents =
            documents.map(|d| format!("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n{d}"));
        Ok(documents.collect::<Vec<_>>().join("---\n").into_bytes())
    }

    fn old_name(&self, tree: ObjectId, older: ObjectId, path: &str) -> Result<Option<String>, HistoryError> {
        let text = self.text(tree, path);
        let commits = self.commits.borrow();
        let (_, files) = commits.get(&older.into()).unwrap();
        Ok(files.iter().find(|(_, old)| Some(*old) == text.as_ref()).map(|(name, _)| name.clone()))
    }

    fn message(&self, commit: CommitId) -> Result<CommitMessage, HistoryError> {
        let message = self.messages.borrow().get(&commit).cloned();
        let message = message.unwrap_or_else(|| commit.to_string());
        Ok(CommitMessage { author: "a".into(), email: "a@b".into(), text: message })
    }

    fn resolve(&self, sha: &str) -> Option<CommitId> {
        self.commits.borrow().keys().find(|commit| commit.to_string().starts_with(sha)).copied()
    }

    fn depth(&self) -> usize {
        self.cut.borrow().len()
    }

    fn deepen(&self) -> bool {
        self.deepened.set(self.deepened.get() + 1);
        self.cut.borrow_mut().pop().is_some()
    }
}

/// The files of a tip.
pub struct FakeTip<'a>(pub &'a FakeCommits, pub CommitId);

impl FileSource for FakeTip<'_> {
    fn visit(
        &self,
        selection: &Selection,
        _: VisitScope,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let commits = self.0.commits.borrow();
        let files = commits[&self.1].1.keys();
        for path in files.filter(|path| selection.match_level(path).is_some()) {
            let bytes = self.0.read(self.0.file(self.1.into(), path).unwrap().unwrap()).unwrap();
            if look(SourceFile { path, bytes: &bytes, match_level: MatchLevel::Discovered }).is_break() {
                break;
            }
        }
        Ok(FoundFiles::default())
    }

    fn read(&self, _: &str, _: usize) -> Result<Option<FileContent>, SourceError> {
        Ok(None)
    }
}

/// A request for the image `acme/api` in all files.
pub fn request() -> Request {
    let target = UpdateTarget {
        name: "acme/api".into(),
        new_name: Field::Unspecified,
        tag: None,
        digest: Field::Unspecified,
        new_digest: crate::plan::NewDigest::default(),
        service: None,
        scope: Scope::of_files(&Selection::new(&[]).unwrap()),
    };
    Request { targets: vec![target], ..Request::default() }
}
