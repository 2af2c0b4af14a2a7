//! Reads git's configuration as git does.
//!
//! libgit2 has a reader of its own, but it knows neither the settings in variables nor all conditions of `includeIf`.
//! Where these are in use, `files` reads everything in git's order, and [`apply`] gives the result to libgit2. So
//! there is one configuration, for libgit2 and for tagbump. `condition` judges an `includeIf`, and `wildmatch` its
//! pattern; `unmet` names those that don't hold where they may explain an error.

mod condition;
mod files;
mod unmet;
mod wildmatch;

use std::fmt::Write as _;
use std::path::Path;

use git2::{Config, ConfigLevel, Repository};

use super::env_config::{self, ConfigItem};
use super::error::GitError;
use super::temporary_folder::temporary_folder;
use crate::environment::Environment;

pub use unmet::{UnmetInclude, explanations};

/// Makes libgit2, and so all of tagbump, see a repository's configuration as git does. `git_dir` is the git directory
/// as the user named it: symbolic links are not resolved. Returns the conditions that don't hold.
///
/// # Errors
/// Fails if git would not accept the configuration either.
pub fn apply(
    repo: &Repository,
    git_dir: &Path,
    environment: &Environment,
) -> Result<Vec<UnmetInclude>, GitError> {
    let given = env_config::items(environment)?;
    let of_variables = !given.is_empty() || env_config::replaces_files(environment);
    if !of_variables && !has_conditions(&repo.config().map_err(|e| unreadable(&e))?) {
        return Ok(Vec::new());
    }
    let (items, unmet) = files::read(repo, git_dir, environment, given)?;
    replace(repo, &items)?;
    Ok(unmet)
}

fn unreadable(error: &git2::Error) -> GitError {
    GitError::library("git's configuration can't be read", error)
}

/// Whether an `includeIf` is anywhere, whether libgit2 followed it or not. It never follows some of them, and with a
/// detached `HEAD` it decides about `onbranch` by chance.
fn has_conditions(config: &Config) -> bool {
    !starting_with(config, "includeif.").is_empty()
}

/// Replaces a repository's configuration. libgit2 can't take it from memory. Once it has read the file, it doesn't
/// need it any more, so that no copy of a token stays there.
fn replace(repo: &Repository, items: &[ConfigItem]) -> Result<(), GitError> {
    let folder = temporary_folder()?;
    let file = folder.path().join("config");
    std::fs::write(&file, written(items)).map_err(GitError::Temporary)?;
    let config = Config::new().and_then(|mut config| {
        config.add_file(&file, ConfigLevel::App, true)?;
        repo.set_config(&config)
    });
    config.map_err(|e| unreadable(&e))
}

/// Writes settings as a git configuration file.
fn written(items: &[ConfigItem]) -> String {
    let mut text = String::new();
    for (key, value) in items {
        let (section, _) = key.split_once('.').unwrap_or((key, ""));
        let (head, name) = key.rsplit_once('.').unwrap_or((key, ""));
        let subsection = head.get(section.len() + 1..);
        let subsection = subsection.map(|s| format!(" \"{}\"", s.replace('\\', "\\\\").replace('"', "\\\"")));
        let value = value.as_ref().map(|value| format!(" = \"{}\"", escaped(value)));
        // writing to a string can't fail
        let _ = writeln!(
            text,
            "[{section}{}]\n\t{name}{}",
            subsection.unwrap_or_default(),
            value.unwrap_or_default()
        );
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
}

/// A text value; `None` if it is not set, empty, or not valid UTF-8.
pub fn text(config: &Config, name: &str) -> Option<String> {
    config.get_string(name).ok().filter(|value| !value.is_empty())
}

/// All values of a setting, in git's order. An empty value discards those before it. `None` if the setting is there
/// without a value, which is an error in git.
pub fn list(config: &Config, name: &str) -> Option<Vec<String>> {
    let mut values = Some(Vec::new());
    let Ok(entries) = config.multivar(name, None) else { return values };
    // treat what can't be read as not set
    let _ = entries.for_each(|entry| {
        // asking for a value where there is none is a panic
        if !entry.has_value() {
            values = None;
        }
        let (Some(values), true) = (&mut values, entry.has_value()) else { return };
        match entry.value() {
            Ok("") => values.clear(),
            Ok(value) => values.push(value.to_owned()),
            Err(_) => {}
        }
    });
    values
}

/// All settings of the section `http` as name and value, in git's order. A setting without a value is true.
pub fn http(config: &Config) -> Vec<(String, String)> {
    let settings = starting_with(config, "http.").into_iter();
    settings.map(|(name, value)| (name, value.unwrap_or_else(|| "true".to_owned()))).collect()
}

/// All settings whose names start like this, in git's order, each with its value if it has one. libgit2 could select
/// them by a regular expression, but that takes it longer than reading the files.
pub fn starting_with(config: &Config, start: &str) -> Vec<ConfigItem> {
    let mut found = Vec::new();
    let Ok(entries) = config.entries(None) else { return found };
    // treat what can't be read as not set
    let _ = entries.for_each(|entry| {
        let Some(name) = entry.name().ok().filter(|name| name.starts_with(start)) else { return };
        // asking for a value where there is none is a panic
        let value = if entry.has_value() { entry.value().map(Some) } else { Ok(None) };
        found.extend(value.ok().map(|value| (name.to_owned(), value.map(str::to_owned))));
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let values = ["", " x ", "a\"b\\c", "# no; comment", "two\nlines\tand", "ü"];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        for value in values {
            let items = [
                ("A.x\"y\\z.W.k".to_owned(), Some(value.to_owned())),
                ("a.plain".to_owned(), Some(value.to_owned())),
                ("a.bare".to_owned(), None),
            ];
            std::fs::write(&file, written(&items)).unwrap();
            let config = git2::Config::open(&file).unwrap();
            assert_eq!(config.get_string("a.x\"y\\z.W.k").unwrap(), value);
            assert_eq!(config.get_string("a.plain").unwrap(), value);
            assert!(config.get_bool("a.bare").unwrap());
        }
    }

    #[test]
    fn settings_are_found_by_the_start_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "[A]\nB = x\nc\n[a \"S.t\"]\nd =\n[ab]\ne = y\n[http]\nsslVerify\n").unwrap();
        let config = git2::Config::open(&file).unwrap();
        let found = starting_with(&config, "a.");
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(found, [("a.b", Some("x")), ("a.c", None), ("a.S.t.d", Some(""))]);
        assert_eq!(http(&config), [("http.sslverify".to_owned(), "true".to_owned())]);
    }

    #[test]
    fn empty_value_discards_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "[push]\npushOption = a\npushOption =\npushOption = b\npushOption = c d\n")
            .unwrap();
        let config = git2::Config::open(&file).unwrap();
        assert_eq!(list(&config, "push.pushoption").unwrap(), ["b", "c d"]);
        assert_eq!(list(&config, "push.other"), Some(Vec::new()));
    }
}
