//! Reads git configuration from environment variables that libgit2 ignores: `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_SYSTEM`,
//! `GIT_CONFIG_NOSYSTEM`, `GIT_CONFIG_COUNT` with its keys and values, and `GIT_CONFIG_PARAMETERS`, through which
//! `git -c` passes on its settings.
//!
//! Sources: `git help config` (FILES, ENVIRONMENT), git's `config.c` (`git_config_from_parameters`) and `quote.c`
//! (`sq_dequote_step`). One thing differs from git: `safe.directory` is read only from where libgit2 looks itself when
//! it opens the repository.

use super::error::GitSettingError;
use super::url_text::without_user;
use crate::environment::Environment;

const COUNT: &str = "GIT_CONFIG_COUNT";
const PARAMETERS: &str = "GIT_CONFIG_PARAMETERS";

/// Whether variables replace configuration files.
pub fn replaces_files(environment: &Environment) -> bool {
    let is_set = |name| environment.get(name).is_some();
    skips_system(environment) || is_set("GIT_CONFIG_SYSTEM") || is_set("GIT_CONFIG_GLOBAL")
}

/// Whether the system's configuration doesn't count.
pub fn skips_system(environment: &Environment) -> bool {
    environment.get("GIT_CONFIG_NOSYSTEM").is_some_and(is_true)
}

/// A key and its value; a key without a value means true.
pub type ConfigItem = (String, Option<String>);

/// The settings in the variables, in git's order.
///
/// # Errors
/// Fails if git would not accept a variable either.
pub fn items(environment: &Environment) -> Result<Vec<ConfigItem>, GitSettingError> {
    let mut items = Vec::new();
    if let Some(text) = environment.get(COUNT) {
        let count: usize = text
            .trim()
            .parse()
            .ok()
            .filter(|count| *count <= 10_000)
            .ok_or(GitSettingError::Count { variable: COUNT })?;
        for nth in 0..count {
            let name = format!("GIT_CONFIG_KEY_{nth}");
            let missing = || GitSettingError::MissingKey { variable: COUNT, count, missing: name.clone() };
            let key = environment.get(&name).ok_or_else(missing)?;
            // `Environment` treats empty variables as unset; here, unset means an empty value
            let value = environment.get(&format!("GIT_CONFIG_VALUE_{nth}")).unwrap_or_default();
            items.push((checked(key, &name)?, Some(value.to_owned())));
        }
    }
    if let Some(text) = environment.get(PARAMETERS) {
        let read = parameters(text).ok_or(GitSettingError::Parameters { variable: PARAMETERS })?;
        for (key, value) in read {
            items.push((checked(&key, PARAMETERS)?, value));
        }
    }
    Ok(items)
}

/// Checks that git would accept a key: a section, a name, and anything but line breaks in between.
fn checked(key: &str, variable: &str) -> Result<String, GitSettingError> {
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits = key.split_once('.').zip(key.rsplit_once('.')).is_some_and(|((section, _), (_, name))| {
        word(section)
            && !section.is_empty()
            && word(name)
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && !key.contains(['\n', '\0'])
    });
    if fits {
        return Ok(key.to_owned());
    }
    // a key may contain a URL
    Err(GitSettingError::Key { variable: variable.to_owned(), key: without_user(key) })
}

/// Parses `'KEY'='VALUE'` and `'KEY'=`, or in git's older format `'KEY=VALUE'` and `'KEY'`, separated by spaces.
fn parameters(text: &str) -> Option<Vec<ConfigItem>> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (first, after) = unquoted(rest)?;
        let item = match after.strip_prefix('=') {
            Some(after) if after.starts_with('\'') => {
                let (value, after) = unquoted(after)?;
                rest = after;
                (first, Some(value))
            }
            Some(after) => {
                rest = after;
                (first, None)
            }
            None => {
                rest = after;
                match first.split_once('=') {
                    Some((key, value)) => (key.trim().to_owned(), Some(value.to_owned())),
                    None => (first, None),
                }
            }
        };
        items.push(item);
        if !rest.is_empty() && !rest.starts_with([' ', '\t', '\n']) {
            return None;
        }
        rest = rest.trim_start();
    }
    Some(items)
}

/// Unquotes a word in single quotes as a shell would. Also returns the rest of the text.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (inner, after) = rest.split_once('\'')?;
        word.push_str(inner);
        // only these two may occur outside the quotes, and another quoted part must follow
        let escaped = ["\\''", "\\!'"].iter().find(|escaped| after.starts_with(**escaped));
        let Some(escaped) = escaped else { return Some((word, after)) };
        word.push_str(&escaped[1..2]);
        rest = &after[escaped.len()..];
    }
}

/// Whether git reads this as true. Any number but zero is true.
pub fn is_true(text: &str) -> bool {
    let number = text.parse::<i64>().is_ok_and(|number| number != 0);
    number || ["true", "yes", "on"].contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_git_writes_them() {
        let item = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(
            parameters(r"'a.b'='c d' 'e.f'=  'g.h=i=j' 'k.l' 'm.n'='it'\''s'\!''").unwrap(),
            [
                item("a.b", Some("c d")),
                item("e.f", None),
                item("g.h", Some("i=j")),
                item("k.l", None),
                item("m.n", Some("it's!"))
            ]
        );
        for wrong in ["a.b=c", "'a.b", "'a.b'x", "'a.b'='c", "'a''b'"] {
            assert_eq!(parameters(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys() {
        for right in ["a.b", "http.https://h/x.y.extraheader", "url.a b\"c.insteadOf", "a-1.b2"] {
            assert!(checked(right, "V").is_ok(), "{right}");
        }
        for wrong in ["", "a", ".b", "a.", "a.1", "a b.c", "a.x\ny.c", "a.b c"] {
            assert!(checked(wrong, "V").is_err(), "{wrong}");
        }
    }
}
