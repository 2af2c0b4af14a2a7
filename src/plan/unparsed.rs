//! Files that could not be parsed, because they aren't YAML or would take too much work.

use crate::error::{Exit, Failure, Result, inline};
use crate::yaml::{ParseAborted, ReadError, YamlError};

/// A file that could not be parsed, and why.
pub(super) struct Unparsed {
    pub path: String,
    pub error: ReadError,
    /// Named by `-f` without a wildcard.
    pub named: bool,
}

/// The reports about files that could not be parsed.
#[derive(Default)]
pub(super) struct UnparsedReport {
    /// Files that aren't valid YAML, with position and reason.
    pub not_yaml: Vec<String>,
    /// A warning for each file that takes too much work.
    pub too_costly: Vec<String>,
}

impl UnparsedReport {
    /// # Errors
    /// The file was named by the user, or the work was cancelled.
    pub fn add(&mut self, Unparsed { path, error, named }: Unparsed) -> Result<()> {
        match error {
            ReadError::Stopped(stopped @ ParseAborted::Cancelled) => return Err(stopped_at(&path, stopped)),
            ReadError::Stopped(stopped) if named => return Err(stopped_at(&path, stopped)),
            ReadError::Syntax(fault) if named => return Err(no_yaml(&path, &fault)),
            ReadError::Stopped(stopped) => {
                self.too_costly.push(format!("{}: skipped: it {stopped}", inline(&path)))
            }
            ReadError::Syntax(fault) => self.not_yaml.push(format!("{}:{fault}", inline(&path))),
        }
        Ok(())
    }
}

/// The error for a file that was given up and can't be skipped.
pub(super) fn stopped_at(path: &str, stopped: ParseAborted) -> Failure {
    match stopped {
        ParseAborted::Cancelled => out_of_time(),
        ParseAborted::Values(_) | ParseAborted::Steps(_) => {
            Failure::new(Exit::NotEditable, format!("{}: {stopped}; nothing was written", inline(path)))
                .hinted("split the file, or leave it out with -f")
        }
    }
}

/// The error if a landing's deadline passes before there is a plan.
pub fn out_of_time() -> Failure {
    Failure::new(Exit::NotLanded, "not landed: the time ran out while files were read")
        .hinted("run again, give it longer with --timeout, or name the files with -f")
}

/// The error for a named file that isn't valid YAML.
fn no_yaml(path: &str, fault: &YamlError) -> Failure {
    Failure::new(Exit::Other, format!("{}:{fault} (no YAML)", inline(path)))
        .hinted("mend the file; without its name in -f it would only be a warning")
}
