//! `tagbump init`: proposes a `tagbump.yaml` and a workflow, based on the references found, unless they exist
//! already.

use crate::commands::scan;
use crate::config::{Config, ConfigError};
use crate::diagnostics::{CommandError, Error};
use crate::environment::Environment;
use crate::file_selection::CONFIG_PATHS;
use crate::git::Checkout;
use crate::location::Location;
use crate::plan::Listing;
use crate::scaffold::{self, NewConfig, workflow};
use crate::settings::InitSettings;
use crate::worktree::Worktree;

/// The paths at which GitHub looks for the workflow. The first one is used for a new file.
const WORKFLOW_PATHS: [&str; 2] = [".github/workflows/tagbump.yml", ".github/workflows/tagbump.yaml"];

/// A file that doesn't exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Relative to the root.
    pub path: &'static str,
    pub text: String,
}

/// The proposed files, and what to report about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitProposal {
    pub files: Vec<NewFile>,
    pub warnings: Vec<String>,
    /// How many files aren't valid YAML.
    pub unparsable: usize,
    pub notices: Vec<String>,
    /// What to do after the files are written.
    pub next: Vec<String>,
}

/// Looks, and writes nothing; `looked` is called after each file, from several threads.
///
/// # Errors
/// Fails as `scan` does, and if the repository has no reference that can be edited.
pub fn propose(settings: &InitSettings, looked: &(dyn Fn() + Sync)) -> Result<InitProposal, Error> {
    let worktree = Worktree::open(&settings.scan.root)?;
    let mut proposal = InitProposal::default();
    let config = proposal.place(&worktree, &CONFIG_PATHS)?;
    let workflow = proposal.place_for_workflow(&worktree, settings)?;
    let example = match config {
        Some(path) => proposal.add_config(path, scan::run(&settings.scan, i64::MAX, looked)?)?,
        None => match Config::load(&worktree) {
            // a link is not followed
            Err(ConfigError::Source(_)) => None,
            config => config?.names().next().map(str::to_owned),
        },
    };
    if let Some(path) = workflow {
        proposal.files.push(NewFile { path, text: workflow::text(example.as_deref()) });
    }
    if let Some(name) = example.filter(|_| !proposal.files.is_empty()) {
        let next = format!("next: read them, try `tagbump bump {name} --tag TAG --dry-run`, and commit them");
        proposal.next.push(next);
    }
    Ok(proposal)
}

/// Writes one of the files, and returns a message about it.
///
/// # Errors
/// The file can't be written.
pub fn write(settings: &InitSettings, file: &NewFile) -> Result<String, Error> {
    let is_new = Worktree::open(&settings.scan.root)?.create(file.path, file.text.as_bytes())?;
    Ok(if is_new { format!("wrote {}", file.path) } else { stays(file.path) })
}

impl InitProposal {
    /// The first of the paths; `None`, with a notice, if one of them exists already.
    fn place(&mut self, worktree: &Worktree, paths: &[&'static str]) -> Result<Option<&'static str>, Error> {
        for path in paths {
            if worktree.has(path)? {
                self.notices.push(stays(path));
                return Ok(None);
            }
        }
        Ok(paths.first().copied())
    }

    fn place_for_workflow(
        &mut self,
        worktree: &Worktree,
        settings: &InitSettings,
    ) -> Result<Option<&'static str>, Error> {
        // files can be searched even if git can't open the repository
        let checkout = Checkout::open(&settings.scan.root, &Environment::default()).ok().flatten();
        if checkout.is_some_and(|checkout| !checkout.prefix().is_empty()) {
            let why = "no workflow was written: GitHub reads workflows only at the root of a repository, and this is a folder inside one";
            self.notices.push(why.to_owned());
            return Ok(None);
        }
        self.place(worktree, &WORKFLOW_PATHS)
    }

    /// Adds the configuration for the references found. Returns a name for examples.
    fn add_config(&mut self, path: &'static str, listing: Listing) -> Result<Option<String>, Error> {
        let config = scaffold::config(&listing, path)?;
        let NewConfig { text, example } = config.ok_or_else(|| nothing(&listing))?;
        self.files.push(NewFile { path, text });
        self.unparsable = listing.unparsable.len();
        self.warnings = listing.warnings;
        Ok(example)
    }
}

fn stays(path: &str) -> String {
    format!("{path} already exists; left unchanged")
}

/// The error if there is nothing to propose.
fn nothing(listing: &Listing) -> CommandError {
    let files = listing.files;
    let Some(first) = listing.references.first() else {
        return CommandError::NoReferences { files, nested: listing.nested.iter().cloned().collect() };
    };
    let reason = first.reason.clone();
    CommandError::NoneEditable {
        files,
        at: Location { file: first.file.clone(), line: first.line, column: None },
        reason: reason.unwrap_or_else(|| "its name can't be the name of a service".to_owned()),
    }
}
