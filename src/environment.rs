//! The environment variables. They are read once at the start and passed to the modules that need them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Environment variables with valid UTF-8. Empty ones count as unset, because a workflow's `env:` sets unused
/// ones to empty.
#[derive(Clone, Default)]
pub struct Environment {
    set: HashMap<String, String>,
    empty: HashSet<String>,
    /// On Windows, upper and lower case don't matter in names. All names here are upper case then.
    windows: bool,
}

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Environment::of_system(variables, cfg!(windows))
    }

    fn of_system(variables: impl IntoIterator<Item = (String, String)>, windows: bool) -> Self {
        let named =
            |(name, value): (String, String)| (if windows { name.to_ascii_uppercase() } else { name }, value);
        let (set, empty): (HashMap<_, _>, HashMap<_, _>) =
            variables.into_iter().map(named).partition(|(_, value)| !value.is_empty());
        Environment { set, empty: empty.into_keys().collect(), windows }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.set.get(&*self.key(name)).map(String::as_str)
    }

    /// Whether a variable is set but blank. Messages distinguish that from a variable that isn't set.
    pub fn is_blank(&self, name: &str) -> bool {
        self.empty.contains(&*self.key(name)) || self.get(name).is_some_and(|value| value.trim().is_empty())
    }

    fn key<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.windows { name.to_ascii_uppercase().into() } else { name.into() }
    }

    /// The names of all variables that are set; on Windows in upper case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.set.keys().map(String::as_str)
    }

    /// The user's home folder, which `~/` stands for. On Windows, git looks for it in this order
    /// (`setup_windows_environment` in git's `compat/mingw.c`).
    pub fn home(&self) -> Option<PathBuf> {
        let named = self.get("HOME").map(PathBuf::from);
        if !self.windows {
            return named;
        }
        let share = || Some(PathBuf::from(self.get("HOMEDRIVE")?.to_owned() + self.get("HOMEPATH")?));
        let profile = || self.get("USERPROFILE").map(PathBuf::from);
        named.or_else(|| share().filter(|folder| folder.is_dir())).or_else(profile)
    }

    /// Expands `~/` in a path, as git does in its configuration.
    pub fn expand_home(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => Path::new(text).to_owned(),
        }
    }
}

/// Shows only the names, since values can be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.set.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(windows: bool, variables: &[(&str, &str)]) -> Environment {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::of_system(owned, windows)
    }

    #[test]
    fn upper_and_lower_case_are_the_same_only_on_windows() {
        let variables = [("Https_Proxy", "http://p"), ("Path", "x"), ("GIT_DIR", "")];
        let windows = environment(true, &variables);
        assert_eq!(windows.get("https_proxy"), Some("http://p"));
        assert_eq!(windows.get("HTTPS_PROXY"), Some("http://p"));
        assert_eq!(windows.get("git_dir"), None);
        let mut names: Vec<_> = windows.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["HTTPS_PROXY", "PATH"]);
        let unix = environment(false, &variables);
        assert_eq!((unix.get("https_proxy"), unix.get("Https_Proxy")), (None, Some("http://p")));
    }

    #[test]
    fn home_is_the_profile_only_on_windows() {
        let folder = tempfile::tempdir().unwrap();
        let share = folder.path().to_str().unwrap();
        let profile = [("USERPROFILE", "/profile"), ("HOMEDRIVE", "/nowhere"), ("HOMEPATH", "/x")];
        assert_eq!(environment(true, &profile).home(), Some("/profile".into()));
        assert_eq!(environment(false, &profile).home(), None);
        let shared = [("UserProfile", "/profile"), ("HOMEDRIVE", share), ("HOMEPATH", "/")];
        assert_eq!(environment(true, &shared).home(), Some(folder.path().into()));
        let named = [("HOME", "/home/ada"), shared[0], shared[1], shared[2]];
        assert_eq!(environment(true, &named).expand_home("~/ca.pem"), Path::new("/home/ada/ca.pem"));
        assert_eq!(environment(false, &named).expand_home("a/~/b"), Path::new("a/~/b"));
        assert_eq!(environment(false, &[]).expand_home("~/b"), Path::new("~/b"));
    }
}
