//! Conditions of `includeIf` that don't hold. An error about a missing setting names those whose file has it: the condition
//! may be wrong.

use std::path::{Path, PathBuf};

use super::files::parsed;
use crate::git::url_text::without_user;
use crate::visible::inline;

/// How many are named.
const NAMED: usize = 3;

/// An `includeIf` whose condition doesn't hold.
#[derive(Clone, Debug)]
pub struct UnmetInclude {
    condition: String,
    /// Where it is; `None` for a variable.
    file: Option<PathBuf>,
    included: PathBuf,
}

impl UnmetInclude {
    /// `key` is `includeif.CONDITION.path`.
    pub fn new(key: &str, file: Option<&Path>, included: PathBuf) -> Self {
        let condition = key.strip_prefix("includeif.").and_then(|rest| rest.strip_suffix(".path"));
        let condition = condition.unwrap_or(key).to_owned();
        UnmetInclude { condition, file: file.map(Path::to_owned), included }
    }

    /// Names a setting that the file would bring.
    fn explanation(&self, is_wanted: &dyn Fn(&str) -> bool) -> Option<String> {
        let items = parsed(&self.included).ok()?;
        let (key, _) = items.iter().find(|(key, _)| is_wanted(key))?;
        // what is between may be a URL with a password
        let (section, name) = (key.split('.').next()?, key.rsplit('.').next()?);
        let place = self.file.as_ref().map_or("a variable".to_owned(), |file| file.display().to_string());
        Some(format!(
            "{} sets {section}.{name}, but is not included: includeIf {:?} in {} doesn't hold",
            inline(&self.included.display().to_string()),
            without_password(&self.condition),
            inline(&place)
        ))
    }
}

/// A condition may be a pattern for URLs.
fn without_password(condition: &str) -> String {
    match condition.split_once("url:") {
        Some((kind, url)) => format!("{kind}url:{}", without_user(url)),
        None => inline(condition),
    }
}

/// Names the settings among those wanted that files would bring, if their conditions held.
pub fn explanations(unmet: &[UnmetInclude], is_wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    unmet.iter().filter_map(|include| include.explanation(is_wanted)).take(NAMED).collect()
}
