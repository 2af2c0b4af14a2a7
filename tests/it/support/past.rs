//! A repository whose history a test writes down while it makes it, to hold what is told against.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::Command;

use git2::{Commit, IndexAddOption, Oid, Repository, RepositoryState, Signature, Time, message_prettify};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::cli::{self, Run};
use super::files::write;
use super::git;
use super::repo::local;

/// When the first commit is made, and how long it is to the next one.
pub const START: i64 = 1_700_000_000;
pub const STEP: i64 = 3600;

/// A tag that a commit wrote.
#[derive(Clone, Debug)]
pub struct Wrote {
    pub image: String,
    /// As it is called now.
    pub file: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub commit: String,
    pub author: String,
    pub time: i64,
}

/// Such a repository.
pub struct Past {
    pub path: PathBuf,
    clock: Cell<i64>,
    wrote: RefCell<Vec<Wrote>>,
    _folder: Option<TempDir>,
}

impl Past {
    /// Of its own, without a commit.
    pub fn new() -> Self {
        let (folder, path) = local();
        Past { _folder: Some(folder), ..Past::of(path) }
    }

    /// One that is there.
    pub fn of(path: PathBuf) -> Self {
        Past { path, clock: Cell::new(START - STEP), wrote: RefCell::default(), _folder: None }
    }

    /// When the last commit was made: seconds since the epoch.
    pub fn now(&self) -> i64 {
        self.clock.get()
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        self.clock.set(self.clock.get() + seconds);
    }

    /// The environment of who makes a commit now.
    pub fn by<'a>(&self, who: &str, command: &'a mut Command) -> &'a mut Command {
        let (date, email) = (format!("{} +0000", self.now()), format!("{who}@example.com"));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), who).env(format!("GIT_{role}_EMAIL"), &email);
            command.env(format!("GIT_{role}_DATE"), &date);
        }
        command
    }

    /// git, with a commit of the last moment.
    #[track_caller]
    pub fn git(&self, who: &str, arguments: &[&str]) -> String {
        let output = self.by(who, git::command(&self.path).args(arguments)).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {}\n{stderr}", output.status);
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        write(&self.path, path, text);
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap()
    }

    /// Commits all that was changed, a step later. Gives the commit's name.
    #[track_caller]
    pub fn commit(&self, who: &str, message: &str) -> String {
        self.wait(STEP);
        let repository = Repository::open(&self.path).unwrap();
        if repository.state() != RepositoryState::Clean {
            self.git(who, &["add", "--all"]);
            self.git(who, &["commit", "--quiet", "--message", message]);
            return repository.refname_to_id("HEAD").unwrap().to_string();
        }
        let tree = repository.find_tree(staged(&repository)).unwrap();
        let time = Time::new(self.now(), 0);
        let who = Signature::new(who, &format!("{who}@example.com"), &time).unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<&Commit<'_>> = parent.iter().collect();
        assert!(parent.as_ref().is_none_or(|parent| parent.tree_id() != tree.id()), "nothing has changed");
        let message = message_prettify(message, None).unwrap();
        repository.commit(Some("HEAD"), &who, &who, &message, &tree, &parents).unwrap().to_string()
    }

    /// A file that gives an image `TAG`, `TAG@DIGEST` or `@DIGEST` from now on, committed and written down.
    #[track_caller]
    pub fn puts(&self, who: &str, path: &str, text: &str, image: &str, said: &str) -> String {
        self.write(path, text);
        let commit = self.commit(who, &format!("{image} {said} in {path}"));
        self.note(who, path, image, said, &commit);
        commit
    }

    /// Writes down what the last commit wrote.
    pub fn note(&self, who: &str, path: &str, image: &str, said: &str, commit: &str) {
        let (tag, digest) = said.split_once('@').map_or((said, None), |(tag, digest)| (tag, Some(digest)));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.wrote.borrow_mut().push(Wrote {
            image: image.to_owned(),
            file: path.to_owned(),
            tag: text(tag),
            digest: digest.and_then(text),
            commit: commit.to_owned(),
            author: who.to_owned(),
            time: self.now(),
        });
    }

    /// A file, or what is in a folder, has another name now.
    pub fn moved(&self, from: &str, to: &str) {
        for wrote in self.wrote.borrow_mut().iter_mut().filter(|wrote| wrote.file.starts_with(from)) {
            wrote.file = format!("{to}{}", &wrote.file[from.len()..]);
        }
    }

    /// `tagbump history …` at the moment of the last commit.
    pub fn history(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cli::command(&self.path);
        command.arg("history").args(arguments).env("SOURCE_DATE_EPOCH", self.now().to_string());
        command
    }

    /// What `tagbump history … --format json` says.
    #[track_caller]
    pub fn told(&self, arguments: &[&str]) -> Value {
        let run = self.history(&[arguments, &["--format", "json"]].concat());
        assert_eq!(run.exit, 0, "{}", run.output());
        super::repo::json(&run)
    }

    /// What it must say of an image, as far as it was written down: newest first, and of one commit by files.
    pub fn wanted(&self, image: &str) -> Vec<Value> {
        let wrote = self.wrote.borrow();
        let mut of_image: Vec<&Wrote> = wrote.iter().filter(|wrote| wrote.image == image).collect();
        of_image.sort_by_key(|wrote| (-wrote.time, wrote.file.clone()));
        let each = of_image.iter().enumerate().map(|(nth, wrote)| {
            let next = of_image[..nth].iter().rfind(|later| later.file == wrote.file);
            let deadline = next.map(|next| next.time);
            json!({
                "tag": wrote.tag,
                "digest": wrote.digest,
                "commit": wrote.commit,
                "author": wrote.author,
                "file": wrote.file,
                "since": moment(wrote.time),
                "until": deadline.map(moment),
                "seconds": deadline.unwrap_or(self.now()) - wrote.time,
            })
        });
        each.collect()
    }
}

/// Adds all that was changed to the index, and writes it as a tree.
fn staged(repository: &Repository) -> Oid {
    let mut index = repository.index().unwrap();
    index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
    index.update_all(["*"], None).unwrap();
    index.write().unwrap();
    index.write_tree().unwrap()
}

/// The fields of [`Past::wanted`] in what was told.
pub fn main_fields(told: &Value) -> Vec<Value> {
    let fields = ["tag", "digest", "commit", "author", "file", "since", "until", "seconds"];
    let entries = told["entries"].as_array().unwrap().iter();
    let each =
        entries.map(|entry| fields.iter().map(|field| ((*field).to_owned(), entry[field].clone())).collect());
    each.map(Value::Object).collect()
}

/// Tags with their files, newest first: `TAG FILE`.
pub fn tags_and_files(told: &Value) -> Vec<String> {
    let entries = told["entries"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    entries.map(|entry| format!("{} {}", text(&entry["tag"]), text(&entry["file"]))).collect()
}

/// Tags alone, newest first.
pub fn tags(told: &Value) -> Vec<&str> {
    told["entries"].as_array().unwrap().iter().map(|entry| entry["tag"].as_str().unwrap_or("-")).collect()
}

/// As a report says it.
pub fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap().to_string()
}

/// Every reference, HEAD, the list of shallow commits, and the names of all objects.
pub fn state(folder: &Path) -> [String; 4] {
    let shallow = std::fs::read_to_string(folder.join(".git/shallow")).unwrap_or_default();
    [
        git::git(folder, &["for-each-ref"]),
        git::git(folder, &["rev-parse", "HEAD"]) + &git::git(folder, &["status", "--porcelain"]),
        shallow,
        git::git(folder, &["cat-file", "--batch-all-objects", "--batch-check", "--unordered"]),
    ]
}
