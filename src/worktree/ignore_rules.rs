//! Which files git ignores, by the rules in `.gitignore` files, in `.git/info/exclude` and in the user's own file.
//!
//! The `ignore` crate reads the user's file and matches the rules. Source: `git help gitignore`, `git help
//! gitrepository-layout` (`info/exclude`, `commondir`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::entry_kind::EntryKind;
use super::folder::{Folder, open_regular_file};
use super::open_error::OpenError;

const GITIGNORE: &str = ".gitignore";
const MAX_SIZE: u64 = 1_000_000;
/// More of a `.git` file, or of `commondir`, isn't a path.
const MAX_POINTER: u64 = 4096;

/// Why an ignore file isn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreFileProblem {
    #[error("is not a regular file")]
    NotRegular,
    #[error("is larger than 1 MB")]
    TooLarge,
}

/// The rules that apply in a folder: its own, and those of the folders above, which count less.
#[derive(Clone)]
pub struct FolderRules {
    own: Option<Arc<OwnRules>>,
    around: Arc<RulesAround>,
}

/// The rules of a folder's ignore file, and the next ones above it.
struct OwnRules {
    rules: Gitignore,
    above: Option<Arc<OwnRules>>,
}

/// The rules from outside of the root: those of the folders above it, up to the repository's top level, and then those of
/// the repository and of the user.
#[derive(Default)]
struct RulesAround {
    rules: Vec<Gitignore>,
    /// What they match is below this folder. `None`: it is relative to the root.
    base: Option<PathBuf>,
}

impl FolderRules {
    /// The rules that apply to a root, without those of the ignore files in it and below it.
    ///
    /// # Errors
    /// With the first file that isn't safe to read.
    pub fn around(root: &Path) -> Result<Self, (PathBuf, IgnoreFileProblem)> {
        let around = Arc::new(RulesAround::of(root)?);
        Ok(FolderRules { own: None, around })
    }

    /// The rules in a folder below, in which there are these entries. `path` is relative to the root.
    ///
    /// # Errors
    /// If the folder's ignore file isn't safe to read.
    pub fn in_folder(
        &self,
        folder: &Folder,
        path: &OsStr,
        entries: &[(OsString, EntryKind)],
    ) -> Result<Self, IgnoreFileProblem> {
        let listed = entries.iter().find(|(name, _)| name == GITIGNORE);
        // like git, don't follow a symlink
        if listed.is_none_or(|(_, kind)| *kind == EntryKind::Symlink) {
            return Ok(self.clone());
        }
        let text = match folder.file(GITIGNORE) {
            Ok((_, about)) if about.size > MAX_SIZE => return Err(IgnoreFileProblem::TooLarge),
            Ok((file, _)) => text_of(file),
            Err(OpenError::NotRegular) => return Err(IgnoreFileProblem::NotRegular),
            // like git, go on without rules that can't be read
            Err(_) => return Ok(self.clone()),
        };
        let base = if path.is_empty() { OsStr::new(".") } else { path };
        let rules = rules_of(Path::new(base), &text);
        Ok(FolderRules { own: Some(Arc::new(OwnRules { rules, above: self.own.clone() })), ..self.clone() })
    }

    /// Whether an entry is ignored. `path` is relative to the root.
    pub fn ignore(&self, path: &Path, is_folder: bool) -> bool {
        let own = std::iter::successors(self.own.as_deref(), |own| own.above.as_deref());
        let matched = own.map(|own| own.rules.matched(path, is_folder)).find(|found| !found.is_none());
        matched.map_or_else(|| self.around.ignore(path, is_folder), |found| found.is_ignore())
    }
}

impl RulesAround {
    fn of(root: &Path) -> Result<Self, (PathBuf, IgnoreFileProblem)> {
        let whole = dunce::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        let Some(top) = whole.ancestors().find(|folder| folder.join(".git").exists()) else {
            return Ok(RulesAround { rules: users_own(Path::new(".")), base: None });
        };
        let base = (top != whole).then(|| whole.clone());
        let mut rules = Vec::new();
        for folder in whole.ancestors().skip(1).take_while(|folder| folder.starts_with(top)) {
            rules.extend(read(&folder.join(GITIGNORE), folder)?);
        }
        let start = if base.is_some() { top } else { Path::new(".") };
        if let Some(exclude) = exclude_file(top)? {
            rules.extend(read(&exclude, start)?);
        }
        rules.extend(users_own(start));
        rules.retain(|rules| !rules.is_empty());
        Ok(RulesAround { rules, base })
    }

    fn ignore(&self, path: &Path, is_folder: bool) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let whole = self.base.as_ref().map(|base| base.join(path));
        let path = whole.as_deref().unwrap_or(path);
        let found = self.rules.iter().map(|rules| rules.matched(path, is_folder));
        found.into_iter().find(|found| !found.is_none()).is_some_and(|found: Match<_>| found.is_ignore())
    }
}

/// The rules of the user's own file, `core.excludesFile`.
fn users_own(base: &Path) -> Vec<Gitignore> {
    // like git, go on without it if it can't be read
    let (rules, _) = GitignoreBuilder::new(base).build_global();
    if rules.is_empty() { Vec::new() } else { vec![rules] }
}

/// The rules of a file outside of the root, if it exists.
fn read(file: &Path, base: &Path) -> Result<Option<Gitignore>, (PathBuf, IgnoreFileProblem)> {
    let problem = |problem| Err((file.to_owned(), problem));
    match open_regular_file(file) {
        Ok((_, about)) if about.len() > MAX_SIZE => problem(IgnoreFileProblem::TooLarge),
        Ok((opened, _)) => Ok(Some(rules_of(base, &text_of(opened)))),
        Err(OpenError::NotRegular) => problem(IgnoreFileProblem::NotRegular),
        Err(_) => Ok(None),
    }
}

/// The file with a repository's own rules. In a linked worktree, `.git` is a file that leads there.
fn exclude_file(top: &Path) -> Result<Option<PathBuf>, (PathBuf, IgnoreFileProblem)> {
    let dot_git = top.join(".git");
    let about = fs::metadata(&dot_git).ok();
    if about.as_ref().is_none_or(fs::Metadata::is_dir) {
        return Ok(Some(dot_git.join("info/exclude")));
    }
    if about.is_some_and(|about| !about.is_file()) {
        return Err((dot_git, IgnoreFileProblem::NotRegular));
    }
    let folder = pointer(&dot_git).and_then(|line| Some(top.join(line.strip_prefix("gitdir: ")?)));
    Ok(folder.map(|folder| {
        let common = pointer(&folder.join("commondir")).map_or_else(|| folder.clone(), |to| folder.join(to));
        common.join("info/exclude")
    }))
}

/// The line of a file that leads elsewhere.
fn pointer(file: &Path) -> Option<String> {
    let (opened, _) = open_regular_file(file).ok()?;
    let mut line = String::new();
    opened.take(MAX_POINTER).read_to_string(&mut line).ok()?;
    Some(line.trim_end().to_owned())
}

fn text_of(file: fs::File) -> String {
    let mut bytes = Vec::new();
    // like git, go on without what can't be read
    let _ = file.take(MAX_SIZE).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The rules of a text, for paths below `base`. Those that can't be parsed are left out.
fn rules_of(base: &Path, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(base);
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
