//! The files that a runner reads after the step.

use std::path::{Path, PathBuf};

use super::outputs::{self, OutputPair, RunnerFileError};
use super::summary;
use crate::environment::Environment;
use crate::output::Report;

/// Where to write outputs and the summary, and how the runner's paths start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
    /// The path of the root below the workspace, separated by `/`; empty if the root is the workspace itself.
    pub prefix: String,
}

impl Channels {
    /// The runner's files; `None` outside of GitHub Actions.
    pub fn read(environment: &Environment, root: &Path) -> Option<Self> {
        if environment.get("GITHUB_ACTIONS") != Some("true") {
            return None;
        }
        let path = |name| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let prefix = path("GITHUB_WORKSPACE").and_then(|workspace| below(&workspace, root));
        Some(Channels {
            outputs: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
            prefix: prefix.unwrap_or_default(),
        })
    }

    /// Writes a bump's outputs and summary. `scrub` removes secrets from them.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn report(&self, report: &Report, scrub: &dyn Fn(&str) -> String) -> Result<(), RunnerFileError> {
        self.outputs(outputs::of_report(report), scrub)?;
        let summary = scrub(&summary::of_report(report));
        self.summary.as_ref().map_or(Ok(()), |file| outputs::append(file, &summary))
    }

    /// Writes outputs.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn outputs(
        &self,
        outputs: Vec<OutputPair>,
        scrub: &dyn Fn(&str) -> String,
    ) -> Result<(), RunnerFileError> {
        let clean: Vec<OutputPair> = outputs.into_iter().map(|(name, value)| (name, scrub(&value))).collect();
        self.outputs.as_ref().map_or(Ok(()), |file| outputs::write(file, &clean))
    }
}

fn below(workspace: &Path, root: &Path) -> Option<String> {
    let (workspace, root) = (dunce::canonicalize(workspace).ok()?, dunce::canonicalize(root).ok()?);
    let parts: Option<Vec<_>> = root.strip_prefix(workspace).ok()?.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}
