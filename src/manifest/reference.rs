//! A reference: one place that says which tag of an image to run.

use crate::image::{Part, same_image};
use crate::yaml::{Found, NodeId, Tape};

/// A scalar that holds a part of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub key: NodeId,
    /// Where the value is really written.
    pub node: NodeId,
    /// The alias or merge key through which it is reached: the value is written elsewhere.
    pub shared_by: Option<NodeId>,
}

impl Slot {
    /// The node at which the value is used: the value itself, or the alias or merge key that brings it.
    pub fn place(&self) -> NodeId {
        self.shared_by.unwrap_or(self.node)
    }
}

impl Slot {
    /// What a merge key brings in is a place of its own: where it is written.
    pub fn where_written(tape: &Tape, found: Found) -> Self {
        let merged = found.shared_by.is_some_and(|by| tape.is_merge_key(by));
        let slot = Slot::from(found);
        if merged { Slot { shared_by: None, ..slot } } else { slot }
    }
}

impl From<Found> for Slot {
    fn from(found: Found) -> Self {
        Slot { key: found.key, node: found.node, shared_by: found.shared_by }
    }
}

/// How a reference is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// One string: `name[:tag][@digest]`.
    Text(Slot),
    /// Helm values: the tag (or `TAG@DIGEST`) in a key of its own.
    Block { repository: Slot, registry: Option<String>, tag: Slot, digest: Option<Slot> },
    /// Helm values: a repository and no key for a tag.
    Untagged { repository: Slot, registry: Option<String>, digest: Option<Slot> },
    /// An entry of kustomize's `images:`.
    Entry {
        name: Slot,
        new_name: Option<Slot>,
        new_tag: Option<Slot>,
        digest: Option<Slot>,
        tag_suffix: bool,
    },
    /// A string beside a block with a tag of its own: told, and never edited.
    BesideBlock(Slot),
    /// kustomize's `name[=newName][:tag][@digest]` in one string.
    Override(Slot),
    /// A field that the user named, which holds a tag and nothing else.
    Field(Slot),
    /// In YAML inside of a block scalar, at this place of the file: told, and never edited.
    Embedded { line: usize, column: usize },
}

/// One place in a file that says which tag (and digest) of an image to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind of manifest, as it is reported.
    pub kind: &'static str,
    /// The node that the report points at.
    pub at: NodeId,
    /// The image that runs.
    pub image: String,
    /// In a kustomization, the `name` that workloads use.
    pub original: Option<String>,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub form: Form,
}

impl Reference {
    /// Whether an IMAGE means this reference: a bare one by the image that runs, `A=B` by a kustomization's
    /// `name`, and elsewhere by A, or by B where the renaming has been done.
    pub fn is_meant_by(&self, name: &str, new_name: &Part<String>) -> bool {
        match (&self.original, new_name) {
            (_, Part::Unsaid) => same_image(&self.image, name),
            (Some(original), _) => same_image(original, name),
            (None, Part::Set(new)) => same_image(&self.image, name) || same_image(&self.image, new),
            (None, Part::Keep) => same_image(&self.image, name),
        }
    }

    /// Every scalar that the reference is made of.
    pub fn slots(&self) -> Vec<Slot> {
        match &self.form {
            Form::Text(slot) | Form::Field(slot) | Form::Override(slot) | Form::BesideBlock(slot) => {
                vec![*slot]
            }
            Form::Embedded { .. } => Vec::new(),
            Form::Block { repository, tag, digest, .. } => {
                [Some(*repository), Some(*tag), *digest].into_iter().flatten().collect()
            }
            Form::Untagged { repository, digest, .. } => {
                [Some(*repository), *digest].into_iter().flatten().collect()
            }
            Form::Entry { name, new_name, new_tag, digest, .. } => {
                [Some(*name), *new_name, *new_tag, *digest].into_iter().flatten().collect()
            }
        }
    }

    /// The node that holds the tag, where there is one.
    pub fn tag_slot(&self) -> Option<Slot> {
        match &self.form {
            Form::Text(slot) | Form::Field(slot) | Form::Override(slot) | Form::Block { tag: slot, .. } => {
                Some(*slot)
            }
            Form::Entry { new_tag, .. } => *new_tag,
            Form::Untagged { .. } | Form::Embedded { .. } | Form::BesideBlock(_) => None,
        }
    }

    /// Line and column in the file, both 1-based.
    pub fn position(&self, tape: &Tape) -> (usize, usize) {
        match self.form {
            Form::Embedded { line, column } => (line, column),
            _ => (tape.node(self.at).line, tape.node(self.at).column),
        }
    }
}
