//! What an edit means, and what it becomes: bytes in the place of others.

use std::ops::Range;

use super::document::NodeId;

/// A key with its value, both strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewPair {
    pub key: &'static str,
    pub value: String,
}

/// One change to a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The scalar becomes this string.
    Set { node: NodeId, value: String },
    /// The key and its scalar go, in block style with their line.
    Remove { key: NodeId },
    /// New keys behind this key and its scalar, in the same map.
    InsertAfter { key: NodeId, pairs: Vec<NewPair> },
    /// A new map at the end of the sequence.
    Append { seq: NodeId, pairs: Vec<NewPair> },
    /// A key without a value gets a list with one map.
    FillList { value: NodeId, pairs: Vec<NewPair> },
    /// A new key at the end of a document's map, whose value is a list with one map.
    AddList { map: NodeId, key: &'static str, pairs: Vec<NewPair> },
}

impl Change {
    /// The node that the change is about.
    pub fn node(&self) -> NodeId {
        match self {
            Change::Set { node, .. } => *node,
            Change::Remove { key } | Change::InsertAfter { key, .. } => *key,
            Change::Append { seq, .. } => *seq,
            Change::FillList { value, .. } => *value,
            Change::AddList { map, .. } => *map,
        }
    }
}

/// New text in the place of a range of bytes.
pub(super) struct Splice {
    pub range: Range<usize>,
    pub text: String,
}
