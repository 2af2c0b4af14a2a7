//! The environment variables. They are read once at the start and passed to the modules that need them.

use std::collections::HashMap;
use std::fmt;

/// Environment variables with valid UTF-8. Empty ones count as unset, because a workflow's `env:` sets unused
/// ones to empty.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Environment(variables.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Shows only the names, since values can be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
