//! The author or committer of a commit.

use git2::{Config, Signature};

use super::config;
use super::date::CommitDate;
use super::error::{CommitError, GitError};
use crate::environment::Environment;

/// A name and an address, as in `NAME <EMAIL>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub email: String,
    /// The commit's date; `None` means now.
    when: Option<CommitDate>,
}

/// An author that is not `NAME <EMAIL>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("author {text:?} is not NAME <EMAIL>")]
pub struct AuthorError {
    pub text: String,
}

impl Identity {
    /// An identity without a date of its own.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Identity { name: name.into(), email: email.into(), when: None }
    }

    /// Sets the date from an environment variable, if it is set.
    ///
    /// # Errors
    /// Fails if its value is not a date.
    pub fn at(self, environment: &Environment, variable: &str) -> Result<Self, GitError> {
        let when = environment.get(variable).map(|text| CommitDate::parse(text, variable)).transpose()?;
        Ok(Identity { when, ..self })
    }

    /// Parses `NAME <EMAIL>`, as git's `--author` does.
    ///
    /// # Errors
    /// Fails for anything else.
    pub fn parse(text: &str) -> Result<Self, AuthorError> {
        let parts = text.trim().strip_suffix('>').and_then(|rest| rest.split_once('<'));
        let parts = parts.map(|(name, email)| (name.trim(), email.trim()));
        let fits = |(name, email): &(&str, &str)| {
            !name.is_empty() && !email.contains(['<', '>']) && !text.contains(char::is_control)
        };
        match parts.filter(fits) {
            Some((name, email)) => Ok(Identity::new(name, email)),
            None => Err(AuthorError { text: text.to_owned() }),
        }
    }

    /// Makes an identity from a configured name and address, cleaned as git does. `None` if either is missing, or if
    /// nothing is left of the name.
    pub fn configured(name: Option<String>, email: Option<String>) -> Option<Self> {
        let (name, email) = (cleaned(&name?), cleaned(&email?));
        (!name.is_empty()).then_some(Identity::new(name, email))
    }

    /// The identity as libgit2 takes it, with its date or the current time.
    ///
    /// # Errors
    /// Fails if git doesn't allow the name or the address.
    pub(crate) fn signature(&self) -> Result<Signature<'static>, GitError> {
        let now = Signature::now(&self.name, &self.email);
        let signature = match self.when {
            None => now,
            Some(when) => now.and_then(|now| {
                Signature::new(&self.name, &self.email, &when.time(now.when().offset_minutes()))
            }),
        };
        let error = |e: git2::Error| CommitError::BadIdentity {
            name: self.name.clone(),
            email: self.email.clone(),
            reason: e.message().to_owned(),
        };
        Ok(signature.map_err(error)?)
    }
}

/// The configured name and address of a role (`author`, `committer`), each falling back to `user.name` and
/// `user.email`.
pub(super) fn of_config(config: &Config, role: &str) -> (Option<String>, Option<String>) {
    let value = |key: &str| {
        config::text(config, &format!("{role}.{key}"))
            .or_else(|| config::text(config, &format!("user.{key}")))
    };
    (value("name"), value("email"))
}

/// Removes `<`, `>` and control characters, and trims whitespace, quotes and punctuation (git's ident.c,
/// `strbuf_addstr_without_crud`).
fn cleaned(text: &str) -> String {
    let crud = |c: char| c.is_whitespace() || c.is_control() || ".,:;<>\"\\'".contains(c);
    let inner = text.trim_matches(crud).chars();
    inner.filter(|c| !c.is_control() && *c != '<' && *c != '>').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors() {
        let ada = Identity::parse("Ada L <ada@example.com>").unwrap();
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada L", "ada@example.com"));
        for wrong in ["Ada", "<a@b>", "Ada <a", "Ada <a> <b>", "A\nb <a@b>"] {
            assert!(Identity::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn configured_names_are_cleaned() {
        let one = |name: &str| Identity::configured(Some(name.to_owned()), Some("a@b".to_owned()));
        assert_eq!(one(" <A\nda>, ").map(|who| who.name), Some("Ada".to_owned()));
        assert_eq!(one(".,"), None);
    }
}
