//! Which CI system runs this, and what its variables say about the build: branch, tag, pull request, run, commit.
//!
//! Pure: variables come in, a [`Pipeline`] goes out. Each system is known by its own marker, and only its own variables are
//! read, because others may have been passed on from a job around this one. Values come from anyone who can name a branch or
//! open a pull request, so each is checked for what it should be, and ignored if it isn't that.
//!
//! The variables of GitHub Actions, and of Gitea and Forgejo, which imitate it, are read by `actions`, together with the
//! event's file.

mod names;
mod system;
mod table;

use crate::environment::Environment;
use crate::object_id::CommitId;
use crate::tag::{BuildInfo, Source};

pub use names::is_branch_name;
pub use system::System;

/// What runs tagbump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ci {
    /// A person's own machine.
    #[default]
    None,
    /// A CI system whose variables are not known here.
    Unknown,
    Known(Box<Pipeline>),
    /// The markers of several systems, none of which comes with another.
    Several(Vec<System>),
}

/// A run of a CI system, as far as its variables describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub system: System,
    /// The branch that it runs for. None for a tag or a pull request.
    pub branch: Option<String>,
    /// The branch that was built. For a pull request, the one that it would merge.
    pub built_branch: Option<String>,
    pub git_tag: Option<String>,
    /// The variable or event that shows that this is the build of a pull request. It has no branch to land on, even if its
    /// variables name one: that is the one to merge, or the one to merge into.
    pub request: Option<String>,
    /// The number of the pull request.
    pub number: Option<u64>,
    /// The number of the run.
    pub run: Option<String>,
    /// The commit that the system checks out.
    pub commit: Option<CommitId>,
    /// The commit that the build is about, if something was pushed: not in a run that was started by hand or by the clock.
    pub source: Option<Source>,
    /// The event is about a commit that needn't be checked out, and the file that names it can't be read.
    pub event_is_unread: bool,
    /// The name of the repository that is built: `owner/name`, or a longer path on GitLab.
    pub repository: Option<String>,
}

impl Ci {
    /// Finds the system by its marker, and reads its variables. `remote` is the name of the remote to land on, because Jenkins
    /// puts it before the branch. `actions` is what the variables of GitHub Actions say.
    pub fn read(environment: &Environment, remote: &str, actions: Option<Pipeline>) -> Self {
        match system::found(environment).as_slice() {
            [] if system::is_ci(environment) => Ci::Unknown,
            [] => Ci::None,
            [system] if system.is_actions() => {
                actions.map_or(Ci::Unknown, |run| Ci::Known(Box::new(Pipeline { system: *system, ..run })))
            }
            [system] => match table::read(*system, environment, remote) {
                Some(run) => Ci::Known(Box::new(run)),
                None => Ci::Unknown,
            },
            several => Ci::Several(several.to_vec()),
        }
    }

    pub fn pipeline(&self) -> Option<&Pipeline> {
        match self {
            Ci::Known(pipeline) => Some(pipeline),
            Ci::None | Ci::Unknown | Ci::Several(_) => None,
        }
    }

    /// The commit that the build is about.
    pub fn source(&self) -> Option<Source> {
        self.pipeline()?.source.clone()
    }

    /// The name of the repository that is built.
    pub fn repository(&self) -> Option<&str> {
        self.pipeline()?.repository.as_deref()
    }

    /// The commit that the system checks out.
    pub fn checked_out(&self) -> Option<CommitId> {
        self.pipeline()?.commit
    }

    /// The markers of several systems at once; empty otherwise.
    pub fn rival_markers(&self) -> Vec<&'static str> {
        match self {
            Ci::Several(systems) => systems.iter().map(|system| system.marker()).collect(),
            Ci::None | Ci::Unknown | Ci::Known(_) => Vec::new(),
        }
    }
}

impl Pipeline {
    /// Fills in what the system knows. This takes precedence over the checkout, whose `HEAD` is often detached.
    pub fn improve(&self, facts: &mut BuildInfo) {
        facts.pr = self.number;
        facts.run.clone_from(&self.run);
        if let Some(tag) = &self.git_tag {
            facts.version = Some(tag.clone());
            facts.branch = None;
            facts.reference = Some(tag.clone());
        } else if let Some(branch) = &self.built_branch {
            facts.branch = Some(branch.clone());
            facts.reference = Some(branch.clone());
        }
        if let (Some(number), Some(_)) = (self.number, &self.request) {
            facts.reference = Some(format!("pr-{number}"));
        }
    }
}

#[cfg(test)]
mod tests;
