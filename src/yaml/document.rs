//! A parsed file as a flat list of nodes in document order.
//!
//! A node knows where it starts, which node it is in, and where its subtree ends, so a whole subtree is
//! a range of the list. Walking is a loop over that range: nesting of any depth costs no stack.

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

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Map,
    Seq,
    Scalar {
        /// The value as a reader sees it, before any type is given to it.
        value: String,
        style: ScalarStyle,
        /// Nothing is written at all, as after `tag:`.
        missing: bool,
    },
    /// The anchored node that the alias stands for.
    Alias(NodeId),
}

/// One node of a file.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: NodeKind,
    /// Byte offset in the file. For a missing scalar: just behind the `:` of its key.
    pub start: usize,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Has an anchor (`&name`).
    pub anchored: bool,
    /// Has a tag (`!!str`), with its suffix.
    pub tag: Option<String>,
    /// Written in flow style, or inside of something that is.
    pub flow: bool,
    /// One past the last node of the subtree.
    pub end: NodeId,
    pub parent: Option<NodeId>,
    /// The key of a value in a map.
    pub key: Option<NodeId>,
}

impl Node {
    /// A plain `null` or `~` (YAML 1.2.2 section 10.3.2), or nothing at all.
    pub fn is_null(&self) -> bool {
        match &self.kind {
            NodeKind::Scalar { value, style: ScalarStyle::Plain, missing } => {
                *missing || (self.tag.is_none() && ["null", "Null", "NULL", "~"].contains(&value.as_str()))
            }
            _ => false,
        }
    }
}

/// A value found in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FoundValue {
    pub key: NodeId,
    /// The value where it is really written: an alias has been followed.
    pub node: NodeId,
    /// The alias that led there, or the merge key (`<<`): the value is shared with another place.
    pub shared_by: Option<NodeId>,
}

/// A parsed file.
#[derive(Clone, Debug, Default)]
pub struct ParsedYaml {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<NodeId>,
    /// Where each document's text starts: at its `---`, or at its first byte.
    pub(super) doc_starts: Vec<usize>,
    large_maps: KeyIndex,
    /// A cache: it changes how long a lookup takes, never its result.
    merged: RefCell<MergedKeys>,
    /// What work on this file may cost. Once it is spent, maps and lists look empty: see [`ParsedYaml::check`].
    pub(super) budget: Budget,
}

impl ParsedYaml {
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

    /// The steps that work on this file may take.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whatever was found in a file that took too many steps is incomplete, and counts for nothing.
    ///
    /// # Errors
    /// Why the work ended early.
    pub fn check(&self) -> Result<(), ParseAborted> {
        self.budget.check()
    }

    /// The node that an alias stands for; any other node is itself.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            NodeKind::Alias(target) => target,
            _ => id,
        }
    }

    /// The value of a scalar, following an alias; empty for a missing one and for a null.
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

    /// Keys and values of a map, in order; nothing for any other node.
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

    /// Items of a sequence, in order; nothing for any other node.
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

    /// The value of `key` in a map, as a reader sees it: of a key written twice the last one, and what a
    /// merge key (`<<`, YAML 1.1) brings in where the map itself has no such key.
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

    /// The pair of `key` that is written in this map itself, and the pair of its merge key.
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

    /// Makes the keys of a map that has ended quick to find, if it is a large one.
    pub(super) fn index_large(&mut self, map: NodeId, pairs: usize) {
        if pairs > SMALL_MAP {
            let mut index = std::mem::take(&mut self.large_maps);
            index.add(map, self.pairs(map).filter_map(|(key, _)| Some((key, self.own_text(key)?))));
            self.large_maps = index;
        }
    }

    /// Whether a map without this key would have it still: written twice, or brought in by a merge key.
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

    /// The value of a scalar written at this very place.
    fn own_text(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[id].kind {
            NodeKind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Follows keys from a node down; nothing where one of them is missing.
    pub fn at(&self, from: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(from, |node, key| self.get(node, key).map(|f| f.node))
    }

    /// Whether a node is a merge key, as [`FoundValue::shared_by`] names it.
    pub fn is_merge_key(&self, id: NodeId) -> bool {
        self.nodes[id].key.is_none() && self.own_text(id) == Some("<<")
    }

    /// The text of the key under which a node stands in its map, if it stands in one.
    pub fn key_text(&self, id: NodeId) -> Option<&str> {
        self.nodes[id].key.and_then(|k| self.own_text(k))
    }
}
