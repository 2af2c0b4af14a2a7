//! The story of `tagbump init`: what is found, made a `tagbump.yaml` and a workflow, where there is none yet.

use crate::commands::scan;
use crate::config::Config;
use crate::environment::Environment;
use crate::error::{Exit, Failure, Result, inline};
use crate::file_selection::CONFIG_PATHS;
use crate::git::Checkout;
use crate::plan::Listing;
use crate::scaffold::{self, NewConfig, workflow};
use crate::settings::InitSettings;
use crate::worktree::Worktree;

/// Where GitHub looks for workflows; the first is ours.
const WORKFLOW_PATHS: [&str; 2] = [".github/workflows/tagbump.yml", ".github/workflows/tagbump.yaml"];

/// A file that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Relative to the root.
    pub path: &'static str,
    pub text: String,
}

/// What could be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitProposal {
    pub files: Vec<NewFile>,
    pub warnings: Vec<String>,
    /// Files that could not be read as YAML.
    pub unparsable: usize,
    pub notices: Vec<String>,
    /// What to do when they are written.
    pub next: Vec<String>,
}

/// Looks, and writes nothing; `looked` is called after each file, from several threads.
///
/// # Errors
/// What `scan` says; exit 3 where there is no reference, exit 6 where none can be edited.
pub fn propose(settings: &InitSettings, looked: &(dyn Fn() + Sync)) -> Result<InitProposal> {
    let worktree = Worktree::open(&settings.scan.root)?;
    let mut proposal = InitProposal::default();
    let config = proposal.place(&worktree, &CONFIG_PATHS)?;
    let workflow = proposal.place_for_workflow(&worktree, settings)?;
    let example = match config {
        Some(path) => proposal.add_config(path, scan::run(&settings.scan, looked)?)?,
        // one that can't be read is not for us to mend
        None => Config::load(&worktree).ok().and_then(|config| config.names().next().map(str::to_owned)),
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

/// Writes one of the files, and says what became of it.
///
/// # Errors
/// Where it can't be written.
pub fn write(settings: &InitSettings, file: &NewFile) -> Result<String> {
    let is_new = Worktree::open(&settings.scan.root)?.create(file.path, file.text.as_bytes())?;
    Ok(if is_new { format!("wrote {}", file.path) } else { stays(file.path) })
}

impl InitProposal {
    /// The first of the paths; nothing where one of them is taken, which is noted.
    fn place(&mut self, worktree: &Worktree, paths: &[&'static str]) -> Result<Option<&'static str>> {
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
    ) -> Result<Option<&'static str>> {
        // what git itself can't open is no reason not to look at files
        let checkout = Checkout::open(&settings.scan.root, &Environment::default()).ok().flatten();
        if checkout.is_some_and(|checkout| !checkout.prefix().is_empty()) {
            let why = "no workflow is made: GitHub looks for them at the root of a repository, and this is a folder in one";
            self.notices.push(why.to_owned());
            return Ok(None);
        }
        self.place(worktree, &WORKFLOW_PATHS)
    }

    /// Adds the configuration that was found; gives a name for examples.
    fn add_config(&mut self, path: &'static str, listing: Listing) -> Result<Option<String>> {
        let config = scaffold::config(&listing, path)?;
        let NewConfig { text, example } = config.ok_or_else(|| nothing(&listing))?;
        self.files.push(NewFile { path, text });
        self.unparsable = listing.unparsable.len();
        self.warnings = listing.warnings;
        Ok(example)
    }
}

fn stays(path: &str) -> String {
    format!("{path} is there already, and stays as it is")
}

/// Why nothing can be proposed.
fn nothing(listing: &Listing) -> Failure {
    let files = if listing.files == 1 { "1 file".to_owned() } else { format!("{} files", listing.files) };
    let Some(first) = listing.references.first() else {
        let hint =
            "tagbump scan lists what is found; -f '**/values*.yaml' looks at Helm values without a chart too";
        let message = format!("no reference to an image was found in {files}");
        return Failure::new(Exit::NoMatch, message).hinted(hint);
    };
    let why = first.reason.as_deref().unwrap_or("its name is none that a service can have");
    let place = format!("{}:{}: {}", inline(&first.file), first.line, inline(why));
    let message = format!("none of the references that were found in {files} can be edited\n  {place}");
    Failure::new(Exit::NotEditable, message).hinted("tagbump scan lists them, each with the reason")
}
