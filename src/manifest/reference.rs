//! A reference: one place that says which tag of an image to run.

use std::ops::Range;

use crate::image::{Field, same_image};
use crate::yaml::{FoundValue, NodeId, ParsedYaml};

/// The location of a scalar that holds a part of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLocation {
    pub key: NodeId,
    /// The node that holds the value.
    pub node: NodeId,
    /// The alias or merge key that leads to the value, if it is written elsewhere.
    pub shared_by: Option<NodeId>,
}

impl ValueLocation {
    /// The node at which the value is used: the value itself, or the alias or merge key that brings it in.
    pub fn place(&self) -> NodeId {
        self.shared_by.unwrap_or(self.node)
    }
}

impl ValueLocation {
    /// Like `from`, but a value that a merge key brings in counts at the place where it is written.
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
    /// Helm values: the tag (or `TAG@DIGEST`) has its own key.
    Block {
        repository: ValueLocation,
        registry: Option<String>,
        tag: ValueLocation,
        digest: Option<ValueLocation>,
    },
    /// Helm values: the tag and digest of a block whose repository is elsewhere.
    TagAndDigest { tag: ValueLocation, digest: ValueLocation },
    /// Helm values: the digest of a block whose tag is elsewhere.
    Digest(ValueLocation),
    /// Helm values: a repository without a key for the tag.
    BlockWithoutTag { repository: ValueLocation, registry: Option<String>, digest: Option<ValueLocation> },
    /// An entry of kustomize's `images:`.
    Entry {
        name: ValueLocation,
        new_name: Option<ValueLocation>,
        new_tag: Option<ValueLocation>,
        digest: Option<ValueLocation>,
        tag_suffix: bool,
    },
    /// A string next to a block that has its own tag: reported, never edited.
    BesideBlock(ValueLocation),
    /// kustomize's `name[=newName][:tag][@digest]` in one string.
    Override(ValueLocation),
    /// A field that the user named, which holds only a tag.
    Field(ValueLocation),
    /// A part of a scalar, in bytes of its text, such as the default in `${TAG:-v1}`.
    Part { slot: ValueLocation, range: Range<usize>, holds: Holds },
    /// Inside YAML in a block scalar, at this position of the file. `inner` is the reference in that YAML.
    Embedded { line: usize, column: usize, inner: Box<Reference> },
}

/// What a part of a text holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holds {
    /// `name[:tag][@digest]`.
    Image,
    /// The tag without the text that surrounds the variable: in `${VERSION}-ad`, the suffix is `-ad`.
    Tag { prefix: String, suffix: String },
    /// The digest of an image that has no tag.
    Digest,
    /// Nothing yet: the end of an image's name, behind which the tag goes.
    NoTag,
}

impl Holds {
    /// A tag without any text around it.
    pub fn whole_tag() -> Self {
        Holds::Tag { prefix: String::new(), suffix: String::new() }
    }

    /// Whether a digest follows the tag, and decides what runs.
    pub fn is_pinned(&self) -> bool {
        matches!(self, Holds::Tag { suffix, .. } if suffix.contains('@'))
    }
}

/// Where a scalar is that a reference consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScalarPlace {
    /// The block scalar that it is in; `node` is then a node of the YAML in it.
    pub inside: Option<NodeId>,
    pub node: NodeId,
}

/// One place in a file that says which tag (and digest) of an image to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind of manifest, as it appears in reports.
    pub kind: &'static str,
    /// The node that reports point at.
    pub at: NodeId,
    /// The name of the image that runs.
    pub image: String,
    /// For kustomize: the `name` that workloads use.
    pub kustomize_name: Option<String>,
    pub tag: Option<String>,
    pub digest: Option<String>,
    pub syntax: ReferenceSyntax,
}

impl Reference {
    /// Whether an IMAGE argument matches this reference. A plain name is compared with the image that runs. In
    /// `A=B`, A is compared with the `name` of a kustomize entry; elsewhere, A must be the image that runs, or
    /// B if it is already renamed.
    pub fn matches(&self, name: &str, new_name: &Field<String>) -> bool {
        match (&self.kustomize_name, new_name) {
            (_, Field::Unspecified) => same_image(&self.image, name),
            (Some(original), _) => same_image(original, name),
            (None, Field::Set(new)) => same_image(&self.image, name) || same_image(&self.image, new),
            (None, Field::Keep) => same_image(&self.image, name),
        }
    }

    /// Whether it has neither tag nor digest.
    pub fn has_no_version(&self) -> bool {
        [&self.tag, &self.digest].into_iter().all(|part| part.as_deref().is_none_or(str::is_empty))
    }

    /// The scalar that holds nothing but its tag, if there is one.
    pub fn tag_place(&self) -> Option<NodeId> {
        match &self.syntax {
            ReferenceSyntax::Block { tag, .. } | ReferenceSyntax::TagAndDigest { tag, .. } => {
                Some(tag.place())
            }
            ReferenceSyntax::Entry { new_tag, .. } => new_tag.map(|tag| tag.place()),
            _ => None,
        }
    }

    /// Every scalar that is part of the reference.
    pub fn slots(&self) -> Vec<ValueLocation> {
        match &self.syntax {
            ReferenceSyntax::Text(slot)
            | ReferenceSyntax::Field(slot)
            | ReferenceSyntax::Override(slot)
            | ReferenceSyntax::BesideBlock(slot)
            | ReferenceSyntax::Digest(slot)
            | ReferenceSyntax::Part { slot, .. } => {
                vec![*slot]
            }
            ReferenceSyntax::Embedded { .. } => Vec::new(),
            ReferenceSyntax::Block { repository, tag, digest, .. } => {
                [Some(*repository), Some(*tag), *digest].into_iter().flatten().collect()
            }
            ReferenceSyntax::TagAndDigest { tag, digest } => vec![*tag, *digest],
            ReferenceSyntax::BlockWithoutTag { repository, digest, .. } => {
                [Some(*repository), *digest].into_iter().flatten().collect()
            }
            ReferenceSyntax::Entry { name, new_name, new_tag, digest, .. } => {
                [Some(*name), *new_name, *new_tag, *digest].into_iter().flatten().collect()
            }
        }
    }

    /// The place of every scalar that is part of the reference.
    pub fn places(&self) -> Vec<ScalarPlace> {
        let (inside, reference) = match &self.syntax {
            ReferenceSyntax::Embedded { inner, .. } => (Some(self.at), inner.as_ref()),
            _ => (None, self),
        };
        reference.slots().iter().map(|slot| ScalarPlace { inside, node: slot.node }).collect()
    }

    /// In YAML in a block scalar: the reference there.
    pub fn inner(&self) -> Option<&Reference> {
        match &self.syntax {
            ReferenceSyntax::Embedded { inner, .. } => Some(inner),
            _ => None,
        }
    }

    /// In YAML in a block scalar: the node there that reports point at.
    pub fn inner_at(&self) -> Option<NodeId> {
        self.inner().map(|inner| inner.at)
    }

    /// The location of the tag, if the reference has one.
    pub fn tag_slot(&self) -> Option<ValueLocation> {
        match &self.syntax {
            ReferenceSyntax::Text(slot)
            | ReferenceSyntax::Field(slot)
            | ReferenceSyntax::Override(slot)
            | ReferenceSyntax::Part { slot, .. }
            | ReferenceSyntax::TagAndDigest { tag: slot, .. }
            | ReferenceSyntax::Block { tag: slot, .. } => Some(*slot),
            ReferenceSyntax::Entry { new_tag, .. } => *new_tag,
            ReferenceSyntax::BlockWithoutTag { .. }
            | ReferenceSyntax::Digest(_)
            | ReferenceSyntax::Embedded { .. }
            | ReferenceSyntax::BesideBlock(_) => None,
        }
    }

    /// Line and column in the file, both 1-based.
    pub fn position(&self, yaml: &ParsedYaml) -> (usize, usize) {
        match self.syntax {
            ReferenceSyntax::Embedded { line, column, .. } => (line, column),
            _ => (yaml.node(self.at).line, yaml.node(self.at).column),
        }
    }
}
