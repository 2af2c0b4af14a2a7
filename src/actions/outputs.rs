//! A step's outputs: the fields of the report in kebab-case, with lists as JSON.
//!
//! The format is described in GitHub's "Workflow commands", "Multiline strings": a name, a delimiter that
//! doesn't occur in the value, the value, and the delimiter again.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::output::Report;

/// A name and its value.
pub type OutputPair = (String, String);

/// The outputs of a bump: every field of its JSON; of an error only the exit code, which a later step's `if` may need.
pub fn of_report(report: &Report) -> Vec<OutputPair> {
    let shown: Value = serde_json::from_str(&crate::output::json(report)).unwrap_or_default();
    let fields = shown.as_object().into_iter().flatten().filter(|(name, _)| *name != "error");
    let mut outputs: Vec<OutputPair> = fields.map(|(name, value)| (kebab(name), plain(value))).collect();
    for part in ["number", "url"] {
        outputs.push((format!("pull-request-{part}"), plain(&shown["pull_request"][part])));
    }
    outputs.push(("error-exit".to_owned(), plain(&shown["error"]["exit"])));
    outputs
}

/// The outputs of `tag`: the first tag, which is the one to deploy, and everything that was printed.
pub fn of_tags(first: &str, lines: &str) -> Vec<OutputPair> {
    vec![("tag".to_owned(), first.to_owned()), ("tags".to_owned(), lines.trim_end().to_owned())]
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// Strings without quotes, null as an empty string, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A file of the runner that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: can't be written: {error}")]
pub struct RunnerFileError {
    file: String,
    error: std::io::Error,
}

/// Appends outputs to the runner's file.
///
/// # Errors
/// The file can't be written.
pub fn write(file: &Path, outputs: &[OutputPair]) -> Result<(), RunnerFileError> {
    let text: String = outputs.iter().map(|output| entry(output, &delimiter())).collect();
    append(file, &text)
}

/// Appends text to the runner's file.
pub fn append(file: &Path, text: &str) -> Result<(), RunnerFileError> {
    let open = std::fs::OpenOptions::new().append(true).create(true).open(file);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| RunnerFileError { file: file.display().to_string(), error })
}

fn delimiter() -> String {
    format!("tagbump_{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

/// Formats one output. Returns an empty string if the value contains the delimiter, which would end it early.
fn entry((name, value): &OutputPair, delimiter: &str) -> String {
    if value.contains(delimiter) {
        String::new()
    } else {
        format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_not_end_itself() {
        let output = |value: &str| ("tag".to_owned(), value.to_owned());
        assert_eq!(entry(&output("a\nb"), "x1"), "tag<<x1\na\nb\nx1\n");
        assert_eq!(entry(&output("a\nx1\nevil=1"), "x1"), "");
    }

    #[test]
    fn every_field_in_kebab_case() {
        let outputs = of_report(&Report::new(Vec::new()));
        let value = |name: &str| outputs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(value("outcome"), Some("already"));
        assert_eq!(
            (value("changed"), value("images"), value("commit")),
            (Some("false"), Some("[]"), Some(""))
        );
        assert_eq!((value("pull-request"), value("pull-request-url")), (Some(""), Some("")));
        assert_eq!((value("error-exit"), value("error")), (Some(""), None));
    }
}
