//! Reads git's configuration.

use git2::Config;

/// A text value; `None` if it is not set, empty, or not valid UTF-8.
pub fn text(config: &Config, name: &str) -> Option<String> {
    config.get_string(name).ok().filter(|value| !value.is_empty())
}

/// All settings of the section `http` as name and value, in git's order. A setting without a value is true.
pub fn http(config: &Config) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(entries) = config.entries(Some(r"^http\.")) else { return found };
    // treat what can't be read as not set
    let _ = entries.for_each(|entry| {
        let value = if entry.has_value() { entry.value().ok() } else { Some("true") };
        found.extend(entry.name().ok().zip(value).map(|(name, value)| (name.to_owned(), value.to_owned())));
    });
    found
}
