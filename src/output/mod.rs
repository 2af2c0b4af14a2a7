//! The outcome of a command as one value, and the formats to show it in. All output is made from this value.

mod diff;
mod json;
mod listing;
mod mermaid;
mod origin;
mod promotion;
mod secret;
mod skipped;
mod text;
mod timeline;
mod wait;

use std::time::Duration;

use serde::Serialize;

use crate::error::{Exit, Failure};
use crate::object_id::CommitId;
use crate::plan::{ChangedReference, FileEdit};

pub use diff::diff;
pub use json::json;
pub use listing::{listing_json, listing_text};
pub use mermaid::timeline_mermaid;
pub use origin::{ChangeOrigin, Comparison};
pub use promotion::{CommitCount, PromotedFrom, Promotion, PromotionRow};
pub use secret::Secret;
pub use skipped::{SkipReason, SkippedReference};
pub use text::{failure, new_file, text};
pub use timeline::{HistoryEntry, HistoryOrigin, HistoryReport, timeline_json, timeline_text};
pub use wait::{WaitInfo, WaitStatus};

/// How a bump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Planned,
    Edited,
    Committed,
    Landed,
    Proposed,
    Already,
    /// Every reference has a newer tag already. For `wait`: the branch has another tag by now.
    Superseded,
    /// The change runs.
    Live,
    /// Every reference is held, or nothing has soaked.
    Held,
    Failed,
}

impl Outcome {
    /// The word that appears in the output. It is part of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Planned => "planned",
            Outcome::Edited => "edited",
            Outcome::Committed => "committed",
            Outcome::Landed => "landed",
            Outcome::Proposed => "proposed",
            Outcome::Already => "already",
            Outcome::Superseded => "superseded",
            Outcome::Live => "live",
            Outcome::Held => "held",
            Outcome::Failed => "failed",
        }
    }
}

/// The pull request that carries the bump, or carried it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullRequestInfo {
    pub number: u64,
    pub url: String,
    /// Whether the forge merges it when the base's rules are met, or has merged it.
    pub auto_merge: bool,
}

/// An image as the user requested it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BumpedImage {
    pub name: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Whether it is in its registry; `None` if that isn't known.
    pub verified: Option<bool>,
}

/// The warning about files that aren't valid YAML, if there are any.
pub fn unparsable_warning(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("skipped 1 file that isn't valid YAML (-v lists it)".to_owned()),
        n => Some(format!("skipped {n} files that aren't valid YAML (-v lists them)")),
    }
}

/// Everything that a bump reports.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub images: Vec<BumpedImage>,
    pub changes: Vec<ChangedReference>,
    /// Those of the changes, in their order. Empty if they were not looked for.
    pub origins: Vec<ChangeOrigin>,
    pub edits: Vec<FileEdit>,
    /// References that keep their tags.
    pub skipped: Vec<SkippedReference>,
    /// What a promotion found.
    pub promotion: Option<Promotion>,
    pub commit: Option<CommitId>,
    /// A web page that shows the commit.
    pub commit_url: Option<String>,
    pub branch: Option<String>,
    pub pull_request: Option<PullRequestInfo>,
    /// Whether an earlier run has done all of it: the pull request stays as it was.
    pub is_repeated: bool,
    /// How waiting went, if this is the report of `wait`.
    pub wait: Option<WaitInfo>,
    pub attempts: u32,
    /// How long landing took.
    pub elapsed: Option<Duration>,
    pub warnings: Vec<String>,
    /// Things that went as they should but are good to know.
    pub notices: Vec<String>,
    /// Shown with `-v`.
    pub details: Vec<String>,
    /// What was sent to registries or came from them and must stay secret, in every form that was used. The report
    /// contains none of it; a CI system is asked to hide it in the rest of the log.
    pub secrets: Vec<Secret>,
    pub failure: Option<Failure>,
}

impl Report {
    pub fn new(images: Vec<BumpedImage>) -> Self {
        Report {
            outcome: Outcome::Already,
            images,
            changes: Vec::new(),
            origins: Vec::new(),
            edits: Vec::new(),
            skipped: Vec::new(),
            promotion: None,
            commit: None,
            commit_url: None,
            branch: None,
            pull_request: None,
            is_repeated: false,
            wait: None,
            attempts: 0,
            elapsed: None,
            warnings: Vec::new(),
            notices: Vec::new(),
            details: Vec::new(),
            secrets: Vec::new(),
            failure: None,
        }
    }

    /// Adds a failure. The outcome becomes `failed`, except that `superseded` and `held` stay.
    pub fn failed(mut self, failure: Failure) -> Self {
        if !matches!(self.outcome, Outcome::Superseded | Outcome::Held) {
            self.outcome = Outcome::Failed;
        }
        self.failure = Some(failure);
        self
    }

    /// Whether the run changed something, or in a dry run, would change it.
    pub fn changed(&self) -> bool {
        !self.edits.is_empty() && !self.is_repeated
    }

    /// The tag that was requested; `None` if the images have different tags.
    pub fn tag(&self) -> Option<&str> {
        let first = self.images.first()?.tag.as_deref()?;
        self.images.iter().all(|image| image.tag.as_deref() == Some(first)).then_some(first)
    }

    /// The process's exit code. With `when_planned`, it is 10 if a dry run found something to change.
    pub fn exit_code(&self, when_planned: bool) -> u8 {
        match (&self.failure, self.outcome) {
            (Some(failure), _) => failure.exit as u8,
            (None, Outcome::Planned) if when_planned && self.changed() => 10,
            (None, Outcome::Failed) => Exit::Other as u8,
            (None, _) => 0,
        }
    }
}
