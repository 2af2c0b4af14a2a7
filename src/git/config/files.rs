//! Reads git's configuration files in git's order, with everything that they include.
//!
//! libgit2 parses each file. What it includes is read here, because a condition can depend on the whole
//! configuration. Source: git's `config.c` (`do_git_config_sequence`, `git_config_include`, `populate_remote_urls`).

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::{Config, Repository};

use super::condition::{Condition, Subject};
use super::unmet::UnmetInclude;
use super::wildmatch;
use crate::environment::Environment;
use crate::git::env_config::{self, ConfigItem};
use crate::git::error::{GitError, GitSettingError, IncludeProblem};

/// How deep files may include each other, as in git.
const MAX_DEPTH: usize = 10;
/// How many files may be read: files that include each other twice would be read a thousand times.
const MAX_FILES: usize = 1_000;

/// All settings, in git's order, and the conditions that don't hold.
type Settings = (Vec<ConfigItem>, Vec<UnmetInclude>);

/// Reads all settings. `given` are those in variables, which come last.
///
/// # Errors
/// Fails if a file can't be read, and where git would stop too.
pub fn read(
    repo: &Repository,
    git_dir: &Path,
    environment: &Environment,
    given: Vec<ConfigItem>,
) -> Result<Settings, GitError> {
    let sources =
        Sources { files: files(repo, environment), subject: Subject::new(repo, git_dir, environment), given };
    sources.read(RemoteUrls::Unread)
}

/// The files of each level: the system, the user, the repository, the work tree. Missing ones are skipped later.
fn files(repo: &Repository, environment: &Environment) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !env_config::skips_system(environment) {
        match environment.get("GIT_CONFIG_SYSTEM") {
            Some(path) => files.push(path.into()),
            None => {
                let program_data = environment.get("PROGRAMDATA").filter(|_| cfg!(windows));
                files.extend(program_data.map(|folder| Path::new(folder).join("Git").join("config")));
                files.extend(Config::find_system());
            }
        }
    }
    match environment.get("GIT_CONFIG_GLOBAL") {
        Some(path) => files.push(path.into()),
        None => files.extend(Config::find_xdg().into_iter().chain(Config::find_global())),
    }
    let shared = repo.commondir().join("config");
    let has_own = Config::open(&shared).and_then(|config| config.get_bool("extensions.worktreeconfig"));
    files.push(shared);
    if has_own.unwrap_or(false) {
        files.push(repo.path().join("config.worktree"));
    }
    files
}

struct Sources {
    files: Vec<PathBuf>,
    subject: Subject,
    given: Vec<ConfigItem>,
}

/// What is known about the URLs of remotes.
enum RemoteUrls {
    Unread,
    /// They are being collected: every condition on them counts as true.
    Collecting,
    Read(Vec<String>),
}

impl Sources {
    fn read(&self, remote_urls: RemoteUrls) -> Result<Settings, GitError> {
        let mut reader = GitConfigReader {
            sources: self,
            remote_urls,
            items: Vec::new(),
            unmet: Vec::new(),
            read: 0,
            conditional: false,
        };
        for file in &self.files {
            reader.file(file, 0)?;
        }
        for (key, value) in &self.given {
            reader.item(lower_case(key), value.clone(), None, 0)?;
        }
        Ok((reader.items, reader.unmet))
    }

    /// The URLs of all remotes. A file that is included on a condition may not set one, as in git: the condition
    /// could depend on it.
    fn remote_urls(&self) -> Result<Vec<String>, GitError> {
        let (items, _) = self.read(RemoteUrls::Collecting)?;
        let urls = items.into_iter().filter(|(key, _)| is_remote_url(key));
        Ok(urls.filter_map(|(_, url)| url).collect())
    }
}

struct GitConfigReader<'a> {
    sources: &'a Sources,
    remote_urls: RemoteUrls,
    items: Vec<ConfigItem>,
    unmet: Vec<UnmetInclude>,
    /// How many files were read.
    read: usize,
    /// Whether a condition led to the current file.
    conditional: bool,
}

impl GitConfigReader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<(), GitError> {
        if !is_readable(path)? {
            return Ok(());
        }
        self.read += 1;
        if depth > MAX_DEPTH {
            return Err(include_error(path, IncludeProblem::TooDeep).into());
        }
        if self.read > MAX_FILES {
            return Err(include_error(path, IncludeProblem::TooMany).into());
        }
        for (key, value) in parsed(path)? {
            self.item(key, value, Some(path), depth)?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        key: String,
        value: Option<String>,
        file: Option<&Path>,
        depth: usize,
    ) -> Result<(), GitError> {
        if key == "include.path" {
            return value.map_or(Ok(()), |path| self.include(&path, file, depth));
        }
        if let Some(condition) = Condition::of_key(&key) {
            let Some(path) = value else { return Ok(()) };
            if !self.holds(condition, file)? {
                let included = self.sources.subject.included(&path, file).ok();
                self.unmet.extend(included.map(|included| UnmetInclude::new(&key, file, included)));
                return Ok(());
            }
            let outside = std::mem::replace(&mut self.conditional, true);
            let included = self.include(&path, file, depth);
            self.conditional = outside;
            return included;
        }
        let collects = matches!(self.remote_urls, RemoteUrls::Collecting);
        if collects && self.conditional && is_remote_url(&key) {
            let file = file.unwrap_or(Path::new("the environment"));
            return Err(include_error(file, IncludeProblem::RemoteUrl).into());
        }
        self.items.push((key, value));
        Ok(())
    }

    fn include(&mut self, path: &str, file: Option<&Path>, depth: usize) -> Result<(), GitError> {
        let path = self.sources.subject.included(path, file)?;
        self.file(&path, depth + 1)
    }

    fn holds(&mut self, condition: Condition<'_>, file: Option<&Path>) -> Result<bool, GitError> {
        let subject = &self.sources.subject;
        match condition {
            Condition::GitDir { pattern, ignores_case } => Ok(subject.is_in(pattern, ignores_case, file)?),
            Condition::Branch(pattern) => Ok(subject.is_on(pattern)),
            Condition::RemoteUrl(pattern) => {
                if let RemoteUrls::Unread = self.remote_urls {
                    self.remote_urls = RemoteUrls::Read(self.sources.remote_urls()?);
                }
                Ok(match &self.remote_urls {
                    RemoteUrls::Read(urls) => urls.iter().any(|url| wildmatch::matches(pattern, url, false)),
                    RemoteUrls::Unread | RemoteUrls::Collecting => true,
                })
            }
            Condition::Unknown => Ok(false),
        }
    }
}

/// The settings in one file, without those in the files that it includes.
pub(super) fn parsed(path: &Path) -> Result<Vec<ConfigItem>, GitError> {
    let unreadable = |e: git2::Error| include_error(path, IncludeProblem::Unreadable(e.message().to_owned()));
    let mut items = Vec::new();
    let config = Config::open(path).map_err(unreadable)?;
    let entries = config.entries(None).map_err(unreadable)?;
    let read = entries.for_each(|entry| {
        if entry.include_depth() > 0 {
            return;
        }
        // what is not valid UTF-8 counts as not set
        let value =
            if entry.has_value() { entry.value().ok().map(|v| Some(v.to_owned())) } else { Some(None) };
        items.extend(entry.name().ok().map(str::to_owned).zip(value));
    });
    read.map_err(unreadable)?;
    Ok(items)
}

/// Whether a file is there. Anything but a regular file, such as `/dev/null`, sets nothing.
///
/// # Errors
/// Fails if the file is there but can't be opened: a setting in it may matter.
fn is_readable(path: &Path) -> Result<bool, GitSettingError> {
    if !path.is_file() {
        return Ok(false);
    }
    match File::open(path) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(include_error(path, IncludeProblem::Unreadable(e.to_string()))),
    }
}

fn include_error(file: &Path, problem: IncludeProblem) -> GitSettingError {
    GitSettingError::Include { file: file.display().to_string(), problem }
}

fn is_remote_url(key: &str) -> bool {
    key.strip_prefix("remote.")
        .and_then(|rest| rest.strip_suffix(".url"))
        .is_some_and(|name| !name.is_empty())
}

/// A key as git compares it: section and name in lower case.
fn lower_case(key: &str) -> String {
    let section = key.find('.').unwrap_or(key.len());
    let name = key.rfind('.').unwrap_or(0);
    let lower = |part: &str| part.to_ascii_lowercase();
    format!(
        "{}{}{}",
        lower(&key[..section]),
        &key[section..name.max(section)],
        lower(&key[name.max(section)..])
    )
}
