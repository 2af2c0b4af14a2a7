//! A reference: one place that says which tag of an image to run.

use crate::image::{Field, same_image};
use crate::yaml::{FoundValue, NodeId, ParsedYaml};

/// A scalar that holds a part of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLocation {
    pub key: NodeId,
    /// Where the value is really written.
    pub node: NodeId,
    /// The alias or merge key through which it is reached: the value is written elsewhere.
    pub shared_by: Option<NodeId>,
}

impl ValueLocation {
    /// The node at which the value is used: the value itself, or the alias or merge key that brings it.
    pub fn place(&self) -> NodeId {
        self.shared_by.unwrap_or(self.node)
    }
}

impl ValueLocation {
    /// What a merge key brings in is a place of its own: where it is written.
    pub fn where_written(yaml: &ParsedYaml, found: FoundValue) -> Self {
        let merged = found.shared_by.is_some_and(|by| yaml.is_merge_key(by));
        let slot = ValueLocation::from(found);
        if merged { ValueLocation { shared_by: None, ..slot } } else { slot }
    }
}

impl From<FoundValue> for ValueLocation {
    fn from(found: FoundValue) -> Self {
        ValueLocation { key: found.key, node: found.node, shared_by: found.shared_by }
    }
}

/// How a reference is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceSyntax {
    /// One string: `name[:tag][@digest]`.
    Text(ValueLocation),
    /// Helm values: the tag (or `TAG@DIGEST`) in a key of its own.
    Block {
        repository: ValueLocation,
        registry: Option<String>,
        tag: ValueLocation,
        digest: Option<ValueLocation>,
    },
    /// Helm values: a repository and no key for a tag.
    BlockWithoutTag { repository: ValueLocation, registry: Option<String>, digest: Option<ValueLocation> },
    /// An entry of kustomize's `images:`.
    Entry {
        name: ValueLocation,
        new_name: Option<ValueLocation>,
        new_tag: Option<ValueLocation>,
        digest: Option<ValueLocation>,
        tag_suffix: bool,
    },
    /// A string beside a block with a tag of its own: told, and never edited.
    BesideBlock(ValueLocation),
    /// kustomize's `name[=newName][:tag][@digest]` in one string.
    Override(ValueLocation),
    /// A field that the user named, which holds a tag and nothing else.
    Field(ValueLocation),
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
    pub kustomize_name: Option<String>,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub syntax: ReferenceSyntax,
}

impl Reference {
    /// Whether an IMAGE means this reference: a bare one by the image that runs, `A=B` by a kustomization's
    /// `name`, and elsewhere by A, or by B where the renaming has been done.
    pub fn matches(&self, name: &str, new_name: &Field<String>) -> bool {
        match (&self.kustomize_name, new_name) {
            (_, Field::Unspecified) => same_image(&self.image, name),
            (Some(original), _) => same_image(original, name),
            (None, Field::Set(new)) => same_image(&self.image, name) || same_image(&self.image, new),
            (None, Field::Keep) => same_image(&self.image, name),
        }
    }

    /// Every scalar that the reference is made of.
    pub fn slots(&self) -> Vec<ValueLocation> {
        match &self.syntax {
            ReferenceSyntax::Text(slot)
            | ReferenceSyntax::Field(slot)
            | ReferenceSyntax::Override(slot)
            | ReferenceSyntax::BesideBlock(slot) => {
                vec![*slot]
            }
            ReferenceSyntax::Embedded { .. } => Vec::new(),
            ReferenceSyntax::Block { repository, tag, digest, .. } => {
                [Some(*repository), Some(*tag), *digest].into_iter().flatten().collect()
            }
            ReferenceSyntax::BlockWithoutTag { repository, digest, .. } => {
                [Some(*repository), *digest].into_iter().flatten().collect()
            }
            ReferenceSyntax::Entry { name, new_name, new_tag, digest, .. } => {
                [Some(*name), *new_name, *new_tag, *digest].into_iter().flatten().collect()
            }
        }
    }

    /// The node that holds the tag, where there is one.
    pub fn tag_slot(&self) -> Option<ValueLocation> {
        match &self.syntax {
            ReferenceSyntax::Text(slot)
            | ReferenceSyntax::Field(slot)
            | ReferenceSyntax::Override(slot)
            | ReferenceSyntax::Block { tag: slot, .. } => Some(*slot),
            ReferenceSyntax::Entry { new_tag, .. } => *new_tag,
            ReferenceSyntax::BlockWithoutTag { .. }
            | ReferenceSyntax::Embedded { .. }
            | ReferenceSyntax::BesideBlock(_) => None,
        }
    }

    /// Line and column in the file, both 1-based.
    pub fn position(&self, yaml: &ParsedYaml) -> (usize, usize) {
        match self.syntax {
            ReferenceSyntax::Embedded { line, column } => (line, column),
            _ => (yaml.node(self.at).line, yaml.node(self.at).column),
        }
    }
}
