//! The edits: by their meaning ([`Change`]), and as bytes to replace ([`Splice`]).

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
    /// Replaces a scalar with this string.
    Set { node: NodeId, value: String },
    /// Replaces a part of a scalar, given in bytes of its text. The rest stays as it is, placeholders too.
    SetPart { node: NodeId, range: Range<usize>, value: String },
    /// Replaces the text of a literal block scalar by one with as many lines.
    SetText { node: NodeId, value: String },
    /// Changes the YAML that a literal block scalar holds as text.
    Inside { block: NodeId, change: Box<Change> },
    /// Removes a key and its scalar; in block style, the whole line.
    Remove { key: NodeId },
    /// Inserts new keys after this key and its scalar, in the same map.
    InsertAfter { key: NodeId, pairs: Vec<NewPair> },
    /// Adds a new map at the end of a sequence.
    Append { seq: NodeId, pairs: Vec<NewPair> },
    /// Gives a key without a value a list with one map.
    FillList { value: NodeId, pairs: Vec<NewPair> },
    /// Adds a new key at the end of a document's map, with a list of one map as its value.
    AddList { map: NodeId, key: &'static str, pairs: Vec<NewPair> },
}

impl Change {
    /// The nodes that lead to what the change is about: the block scalars around it, and the node itself.
    pub fn path(&self) -> Vec<NodeId> {
        let mut path = vec![self.node()];
        let mut change = self;
        while let Change::Inside { change: inner, .. } = change {
            path.push(inner.node());
            change = inner;
        }
        path
    }

    /// The node of the file that the change is about.
    pub fn node(&self) -> NodeId {
        match self {
            Change::Set { node, .. } | Change::SetPart { node, .. } | Change::SetText { node, .. } => *node,
            Change::Inside { block, .. } => *block,
            Change::Remove { key } | Change::InsertAfter { key, .. } => *key,
            Change::Append { seq, .. } => *seq,
            Change::FillList { value, .. } => *value,
            Change::AddList { map, .. } => *map,
        }
    }
}

/// New text for a range of bytes.
pub(super) struct Splice {
    pub range: Range<usize>,
    pub text: String,
}
