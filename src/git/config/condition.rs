//! Decides whether an `includeIf` holds.
//!
//! Source: git's `config.c` (`include_by_gitdir`, `include_by_branch`, `include_by_remote_url`) and `git help config`,
//! "Conditional includes".

use std::path::{MAIN_SEPARATOR, Path, PathBuf, is_separator};

use git2::Repository;

use super::wildmatch::matches;
use crate::environment::Environment;
use crate::git::error::{GitSettingError, IncludeProblem};
use crate::git::real_path::real_path;

/// An `includeIf`'s condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    GitDir {
        pattern: &'a str,
        ignores_case: bool,
    },
    Branch(&'a str),
    RemoteUrl(&'a str),
    /// Never holds, as in git.
    Unknown,
}

impl<'a> Condition<'a> {
    /// The condition in a key: `includeif.CONDITION.path`, its section and name in lower case. `None` for another key.
    pub fn of_key(key: &'a str) -> Option<Self> {
        let condition = key.strip_prefix("includeif.")?.strip_suffix(".path")?;
        let git_dir = |pattern, ignores_case| Condition::GitDir { pattern, ignores_case };
        Some(if let Some(pattern) = condition.strip_prefix("gitdir:") {
            git_dir(pattern, false)
        } else if let Some(pattern) = condition.strip_prefix("gitdir/i:") {
            git_dir(pattern, true)
        } else if let Some(pattern) = condition.strip_prefix("onbranch:") {
            Condition::Branch(pattern)
        } else if let Some(pattern) = condition.strip_prefix("hasconfig:remote.*.url:") {
            Condition::RemoteUrl(pattern)
        } else {
            Condition::Unknown
        })
    }
}

/// What conditions are about.
pub struct Subject {
    /// The git directory: with symbolic links resolved, and as the user named it.
    git_dirs: [String; 2],
    branch: Option<String>,
    home: Option<PathBuf>,
}

impl Subject {
    pub fn new(repo: &Repository, git_dir: &Path, environment: &Environment) -> Self {
        let text = |path: &Path| path.to_string_lossy().trim_end_matches(is_separator).to_owned();
        let head = repo.find_reference("HEAD").ok();
        let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
        Subject {
            git_dirs: [text(&real_path(repo.path())), text(git_dir)],
            branch: target.and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned),
            home: environment.home(),
        }
    }

    /// Whether `HEAD` is a branch that the pattern matches.
    pub fn is_on(&self, pattern: &str) -> bool {
        let pattern = with_everything_below(pattern.to_owned());
        self.branch.as_deref().is_some_and(|branch| matches(&pattern, branch, false))
    }

    /// Whether the pattern matches the git directory. `file` is the file that the condition is in.
    ///
    /// # Errors
    /// Fails if the pattern is relative, but the condition is in no file.
    pub fn is_in(
        &self,
        pattern: &str,
        ignores_case: bool,
        file: Option<&Path>,
    ) -> Result<bool, GitSettingError> {
        let (folder, pattern) = self.expanded(pattern, file)?;
        let pattern = with_everything_below(pattern);
        Ok(self.git_dirs.iter().any(|git_dir| {
            let below = git_dir.get(..folder.len()).filter(|start| match ignores_case {
                true => start.eq_ignore_ascii_case(&folder),
                false => *start == folder,
            });
            below.is_some() && matches(&pattern, &slashes(&git_dir[folder.len()..]), ignores_case)
        }))
    }

    /// The folder that the pattern starts with, to be compared as it is, and the rest of the pattern.
    fn expanded(&self, pattern: &str, file: Option<&Path>) -> Result<(String, String), GitSettingError> {
        if let Some(rest) = pattern.strip_prefix('~').filter(|rest| rest.starts_with(is_separator)) {
            let home = self.home.as_deref().map(real_path).unwrap_or_default();
            return Ok((String::new(), format!("{}{rest}", slashes(&home.to_string_lossy()))));
        }
        if let Some(rest) = pattern.strip_prefix('.').filter(|rest| rest.starts_with(is_separator)) {
            let problem = |()| GitSettingError::Include {
                file: pattern.to_owned(),
                problem: IncludeProblem::NotFromFile,
            };
            let file = file.ok_or(()).map_err(problem)?;
            let folder = real_path(file).parent().map(|folder| folder.to_string_lossy().into_owned());
            return Ok((folder.unwrap_or_default(), rest.to_owned()));
        }
        let is_absolute = Path::new(pattern).is_absolute() || pattern.starts_with(is_separator);
        Ok((String::new(), if is_absolute { pattern.to_owned() } else { format!("**/{pattern}") }))
    }

    /// Expands `~/` in the path of an include, and makes it relative to the file that it is in.
    ///
    /// # Errors
    /// Fails if the path is relative, but the setting is in no file, and for `~USER/`.
    pub fn included(&self, path: &str, file: Option<&Path>) -> Result<PathBuf, GitSettingError> {
        let error = |problem| GitSettingError::Include { file: path.to_owned(), problem };
        if let Some(rest) = path.strip_prefix('~') {
            let rest = rest.strip_prefix(is_separator).ok_or_else(|| error(IncludeProblem::OtherHome))?;
            let home = self.home.as_deref().ok_or_else(|| error(IncludeProblem::NoHome))?;
            return Ok(home.join(rest));
        }
        if path.starts_with("%(prefix)") {
            return Err(error(IncludeProblem::Prefix));
        }
        match file.and_then(Path::parent) {
            _ if Path::new(path).is_absolute() => Ok(PathBuf::from(path)),
            Some(folder) => Ok(folder.join(path)),
            None => Err(error(IncludeProblem::NotFromFile)),
        }
    }
}

/// A pattern that ends with a slash matches everything below.
fn with_everything_below(mut pattern: String) -> String {
    if pattern.ends_with(is_separator) {
        pattern.push_str("**");
    }
    pattern
}

/// Windows' separators as slashes, as patterns have them.
fn slashes(path: &str) -> String {
    if MAIN_SEPARATOR == '/' { path.to_owned() } else { path.replace(MAIN_SEPARATOR, "/") }
}
