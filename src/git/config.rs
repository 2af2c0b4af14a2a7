//! What tagbump reads from git's configuration.

use git2::Config;

/// A text value; nothing where it is not set or no text.
pub fn text(config: &Config, name: &str) -> Option<String> {
    config.get_string(name).ok().filter(|value| !value.is_empty())
}

/// All of the section `http`, in git's order: name and value. What stands there without a value is true.
pub fn http(config: &Config) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(entries) = config.entries(Some(r"^http\.")) else { return found };
    // what can't be read is not set
    let _ = entries.for_each(|entry| {
        let value = if entry.has_value() { entry.value().ok() } else { Some("true") };
        found.extend(entry.name().ok().zip(value).map(|(name, value)| (name.to_owned(), value.to_owned())));
    });
    found
}
