//! What a plan gives: the edits, and what to report about them.

use super::{
    HeldReference, ImageInTemplates, PlacePath, PlacesElsewhere, PlanError, TargetIndex, UpdateTarget,
    ValuesAbove,
};

/// New content for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    pub path: String,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

/// One reference that gets a new tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChangedReference {
    pub file: String,
    /// 1-based, in the old content of the file.
    pub line: usize,
    pub kind: &'static str,
    /// The image that runs after the bump.
    pub image: String,
    /// The image that ran before, if it is a different one.
    pub renamed_from: Option<String>,
    /// The request's target that it matches.
    pub target: TargetIndex,
    /// `TAG`, `TAG@DIGEST`, or empty if there was none.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
    /// There was no place for the new digest, so only the tag is set.
    pub left_out_digest: bool,
    /// Where it is, if only its field leads to it: it holds a tag whose image is named elsewhere.
    pub field: Option<PlacePath>,
}

/// The edits of a bump, and what to report about them. Empty if every reference is up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The targets of the request.
    pub targets: Vec<UpdateTarget>,
    pub edits: Vec<FileEdit>,
    pub changes: Vec<ChangedReference>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
    /// Places that no rule covers.
    pub elsewhere: Vec<PlacesElsewhere>,
    /// Images that templates of charts give to containers by themselves.
    pub in_templates: Vec<ImageInTemplates>,
    /// Tags in values files that may override those that the plan sets.
    pub values_above: Vec<ValuesAbove>,
    /// How many references were skipped because the request says so.
    pub left: usize,
    /// The references that are held and would change; with [`super::Request::overrides_holds`], those that do.
    pub held: Vec<HeldReference>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether references stay as they are, although they match.
    pub fn leaves_any(&self) -> bool {
        self.left > 0 || !self.held.is_empty()
    }
}

/// A plan, or the error that prevented it, and what to report in either case.
#[derive(Debug)]
pub struct PlanOutcome {
    pub plan: Result<Plan, PlanError>,
    /// Warnings about files that were skipped.
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
}
