//! Who makes a commit.

use git2::{Config, Signature};

use super::config;
use crate::error::{Failure, Result};

/// Name and address, as in `N <E>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub email: String,
}

impl Identity {
    /// Reads `N <E>`, as git's `--author` takes it.
    ///
    /// # Errors
    /// Exit 2 for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.strip_suffix('>').and_then(|rest| rest.split_once('<'));
        let parts = parts.map(|(name, email)| (name.trim(), email.trim()));
        match parts.filter(|(name, email)| !name.is_empty() && !email.contains(['<', '>'])) {
            Some((name, email)) => Ok(Identity { name: name.to_owned(), email: email.to_owned() }),
            None => Err(Failure::usage(format!("--author {text:?} is not NAME <EMAIL>"))
                .hinted("write it as --author 'Ada <ada@example.com>'")),
        }
    }

    /// git's `user.name` and `user.email`.
    pub(super) fn of_config(config: &Config, role: &str) -> Option<Self> {
        let value = |key: &str| {
            config::text(config, &format!("{role}.{key}"))
                .or_else(|| config::text(config, &format!("user.{key}")))
        };
        Some(Identity { name: value("name")?, email: value("email")? })
    }

    pub(super) fn signature(&self) -> Result<Signature<'static>> {
        Signature::now(&self.name, &self.email).map_err(|e| {
            Failure::usage(format!("{} <{}> can't sign a commit: {}", self.name, self.email, e.message()))
                .hinted("set git's user.name and user.email, or --author")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors() {
        let ada = Identity::parse("Ada L <ada@example.com>").unwrap();
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada L", "ada@example.com"));
        for wrong in ["Ada", "<a@b>", "Ada <a", "Ada <a> <b>"] {
            assert!(Identity::parse(wrong).is_err(), "{wrong}");
        }
    }
}
