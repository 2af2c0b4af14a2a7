//! A parsed file as a flat list of nodes, in document order.
//!
//! Each node knows where it starts, which node it is in, and where its subtree ends, so a subtree is a range of
//! the list. Walking it is a loop over that range, so deep nesting never overflows the stack.

use std::cell::RefCell;

use super::budget::{Budget, ParseAborted};
use super::key_index::{KeyIndex, SMALL_MAP};
use super::merge::{KeyValue, MergedKeys};

/// Index of a node in its [`ParsedYaml`].
pub type NodeId = usize;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarStyle {
    Plain,
    Single,
    Double,
    /// Literal (`|`) or folded (`>`).
    Block,
}

/// The kind of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Map,
    Seq,
    Scalar {
        /// The decoded text, before a reader resolves its type.
        value: String,
        style: ScalarStyle,
        /// The value is not written at all, as after `tag:`.
        missing: bool,
    },
    /// The anchored node that the alias refers to.
    Alias(NodeId),
}

/// One node of a file.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: NodeKind,
    /// Byte offset in the file. For a missing scalar: just after the `:` of its key.
    pub start: usize,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Has an anchor (`&name`).
    pub anchored: bool,
    /// The suffix of its YAML tag (`str` of `!!str`), if it has one.
    pub tag: Option<String>,
    /// Written in flow style, or inside a node that is.
    pub flow: bool,
    /// One past the last node of the subtree.
    pub end: NodeId,
    pub parent: Option<NodeId>,
    /// For a value in a map: its key.
    pub key: Option<NodeId>,
}

impl Node {
    /// A plain `null` or `~` (YAML 1.2.2 section 10.3.2), or a missing value.
    pub fn is_null(&self) -> bool {
        match &self.kind {
            NodeKind::Scalar { value, style: ScalarStyle::Plain, missing } => {
                *missing || (self.tag.is_none() && matches!(value.as_str(), "null" | "Null" | "NULL" | "~"))
            }
            _ => false,
        }
    }
}

/// A value found in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FoundValue {
    pub key: NodeId,
    /// The value itself, after following an alias.
    pub node: NodeId,
    /// The alias or merge key (`<<`) that led there: the value is shared with another place.
    pub shared_by: Option<NodeId>,
}

/// A parsed file.
#[derive(Clone, Debug, Default)]
pub struct ParsedYaml {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<NodeId>,
    /// The offset at which each document's text starts: its `---`, or its first byte.
    pub(super) doc_starts: Vec<usize>,
    large_maps: KeyIndex,
    /// A cache: it changes how long a lookup takes, never its result.
    merged: RefCell<MergedKeys>,
    /// The limit on the work on this file. Once it is spent, maps and lists look empty: see
    /// [`ParsedYaml::check`].
    pub(super) budget: Budget,
}

impl ParsedYaml {
    /// An empty file with room for so many nodes.
    pub(super) fn with_capacity(nodes: usize) -> Self {
        ParsedYaml { nodes: Vec::with_capacity(nodes), ..ParsedYaml::default() }
    }

    /// The root node of each document, in order.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Counts the steps that work on this file may use.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The file with all of its steps, for other work on it. `bytes` is its size.
    #[must_use]
    pub fn with_full_budget(self, bytes: usize) -> Self {
        let budget = Budget::for_file(bytes, self.budget.cancellation().clone());
        ParsedYaml { budget, ..self }
    }

    /// Checks that the work on this file did not end early. If it did, every lookup may be incomplete, so don't
    /// use the results.
    ///
    /// # Errors
    /// Why the work ended early.
    pub fn check(&self) -> Result<(), ParseAborted> {
        self.budget.check()
    }

    /// The node that an alias refers to; any other node is returned as it is.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            NodeKind::Alias(target) => target,
            _ => id,
        }
    }

    /// The value of a scalar, following an alias. A missing or null scalar gives an empty text; a map or list
    /// gives `None`.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        let node = &self.nodes[self.resolve(id)];
        match &node.kind {
            NodeKind::Scalar { .. } if node.is_null() => Some(""),
            NodeKind::Scalar { value, .. } => {
                // through aliases, a long text can be read and copied over and over
                self.budget.spend(value.len());
                Some(value)
            }
            _ => None,
        }
    }

    pub fn is_map(&self, id: NodeId) -> bool {
        matches!(self.nodes[self.resolve(id)].kind, NodeKind::Map)
    }

    /// Keys and values of a map, in order; empty for any other node.
    pub fn pairs(&self, map: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let map = self.resolve(map);
        let is_map = matches!(self.nodes[map].kind, NodeKind::Map);
        let end = if is_map { self.nodes[map].end } else { map };
        let mut next = map + 1;
        std::iter::from_fn(move || {
            (next < end && self.budget.spend(1)).then(|| {
                let key = next;
                let value = self.nodes[key].end;
                next = self.nodes[value].end;
                (key, value)
            })
        })
    }

    /// Items of a sequence, in order; empty for any other node.
    pub fn items(&self, seq: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let seq = self.resolve(seq);
        let is_seq = matches!(self.nodes[seq].kind, NodeKind::Seq);
        let end = if is_seq { self.nodes[seq].end } else { seq };
        let mut next = seq + 1;
        std::iter::from_fn(move || {
            (next < end && self.budget.spend(1)).then(|| {
                let item = next;
                next = self.nodes[item].end;
                item
            })
        })
    }

    /// The value of `key` in a map, as YAML readers see it: the last one wins if the key is written twice, and
    /// a merge key (`<<`, YAML 1.1) provides it if the map itself has no such key.
    pub fn get(&self, map: NodeId, key: &str) -> Option<FoundValue> {
        let (own, merge) = self.own_pair(self.resolve(map), key);
        match own {
            Some((key, value)) => {
                let node = self.resolve(value);
                Some(FoundValue { key, node, shared_by: (node != value).then_some(value) })
            }
            None => self.get_merged(merge?, key),
        }
    }

    /// The pair of `key` that is written in this map itself, and the map's merge key with its value.
    pub(super) fn own_pair(&self, map: NodeId, key: &str) -> (Option<KeyValue>, Option<KeyValue>) {
        if self.large_maps.has(map) {
            return (self.indexed_pair(map, key), self.indexed_pair(map, "<<"));
        }
        let (mut own, mut merge) = (None, None);
        for (k, v) in self.pairs(map) {
            match self.own_text(k) {
                Some(name) if name == key => own = Some((k, v)),
                Some("<<") => merge = Some((k, v)),
                _ => {}
            }
        }
        (own, merge)
    }

    fn indexed_pair(&self, map: NodeId, key: &str) -> Option<KeyValue> {
        self.budget.spend(SMALL_MAP / 2);
        let found = self.large_maps.last(map, key, |id| self.own_text(id))?;
        Some((found, self.nodes[found].end))
    }

    /// Indexes the keys of a map, if it is large. Call it when the map is complete.
    pub(super) fn index_large(&mut self, map: NodeId, pairs: usize) {
        if pairs > SMALL_MAP {
            let mut index = std::mem::take(&mut self.large_maps);
            index.add(map, self.pairs(map).filter_map(|(key, _)| Some((key, self.own_text(key)?))));
            self.large_maps = index;
        }
    }

    /// Whether the map would still have this key after its removal: the key is written twice, or a merge key
    /// brings it in.
    pub(super) fn comes_back(&self, key: NodeId) -> bool {
        let (Some(map), Some(name)) = (self.nodes[key].parent, self.own_text(key)) else { return false };
        let twice = self.pairs(map).any(|(k, _)| k != key && self.own_text(k) == Some(name));
        let merge = self.own_pair(map, name).1;
        twice || merge.is_some_and(|merge| self.get_merged(merge, name).is_some())
    }

    fn get_merged(&self, (merge_key, value): KeyValue, key: &str) -> Option<FoundValue> {
        let (key, value) = self.merged.borrow_mut().find(self, value, key)?;
        Some(FoundValue { key, node: self.resolve(value), shared_by: Some(merge_key) })
    }

    /// The value of a scalar that is written here, without following an alias.
    fn own_text(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[id].kind {
            NodeKind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Follows keys down from a node; `None` if one of them is missing.
    pub fn at(&self, from: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(from, |node, key| self.get(node, key).map(|f| f.node))
    }

    /// Whether a node is a merge key, as [`FoundValue::shared_by`] may name it.
    pub fn is_merge_key(&self, id: NodeId) -> bool {
        self.nodes[id].key.is_none() && self.own_text(id) == Some("<<")
    }

    /// The text of the key of this node, if the node is a value in a map.
    pub fn key_text(&self, id: NodeId) -> Option<&str> {
        self.nodes[id].key.and_then(|k| self.own_text(k))
    }
}
