//! The environment variables. They are read once at the start and passed to the modules that need them.

use std::collections::{HashMap, HashSet};
use std::fmt;

/// Environment variables with valid UTF-8. Empty ones count as unset, because a workflow's `env:` sets unused
/// ones to empty.
#[derive(Clone, Default)]
pub struct Environment {
    set: HashMap<String, String>,
    empty: HashSet<String>,
}

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let (set, empty): (HashMap<_, _>, HashMap<_, _>) =
            variables.into_iter().partition(|(_, value)| !value.is_empty());
        Environment { set, empty: empty.into_keys().collect() }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    /// Whether a variable is there, but has no text other than blanks: messages tell it from one that is not there.
    pub fn is_blank(&self, name: &str) -> bool {
        self.empty.contains(name) || self.get(name).is_some_and(|value| value.trim().is_empty())
    }

    /// The names of all variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.set.keys().map(String::as_str)
    }
}

/// Shows only the names, since values can be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.set.keys()).finish()
    }
}
