//! A parsed file as a flat list of nodes in document order.
//!
//! A node knows where it starts, which node it is in, and where its subtree ends, so a whole subtree is
//! a range of the list. Walking is a loop over that range: nesting of any depth costs no stack.

use std::collections::{HashMap, HashSet};

/// Index of a node in its [`Tape`].
pub type NodeId = usize;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// Literal (`|`) or folded (`>`).
    Block,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Map,
    Seq,
    Scalar {
        /// The value as a reader sees it, before any type is given to it.
        value: String,
        style: Style,
        /// Nothing is written at all, as after `tag:`.
        missing: bool,
    },
    /// The anchored node that the alias stands for.
    Alias(NodeId),
}

/// One node of a file.
#[derive(Clone, Debug)]
pub struct Node {
    pub shape: Shape,
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
        match &self.shape {
            Shape::Scalar { value, style: Style::Plain, missing } => {
                *missing || (self.tag.is_none() && ["null", "Null", "NULL", "~"].contains(&value.as_str()))
            }
            _ => false,
        }
    }
}

/// A value found in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub key: NodeId,
    /// The value where it is really written: an alias has been followed.
    pub node: NodeId,
    /// The alias that led there, or the merge key (`<<`): the value is shared with another place.
    pub shared_by: Option<NodeId>,
}

/// A parsed file.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<NodeId>,
    /// Where each document's text starts: at its `---`, or at its first byte.
    pub(super) doc_starts: Vec<usize>,
    /// Of large maps that are merged into others: the last pair of each key.
    merged: HashMap<NodeId, HashMap<String, (NodeId, NodeId)>>,
}

/// Maps of more pairs are indexed where they are merged into others.
const SMALL_MAP: usize = 16;

/// A key is looked for in this many merged maps; no manifest merges as many into one.
const MAX_MERGED: usize = 200;

impl Tape {
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

    /// The node that an alias stands for; any other node is itself.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match self.nodes[id].shape {
            Shape::Alias(target) => target,
            _ => id,
        }
    }

    /// The value of a scalar, following an alias; empty for a missing one and for a null.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        let node = &self.nodes[self.resolve(id)];
        match &node.shape {
            Shape::Scalar { .. } if node.is_null() => Some(""),
            Shape::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn is_map(&self, id: NodeId) -> bool {
        matches!(self.nodes[self.resolve(id)].shape, Shape::Map)
    }

    /// Keys and values of a map, in order; nothing for any other node.
    pub fn pairs(&self, map: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let map = self.resolve(map);
        let is_map = matches!(self.nodes[map].shape, Shape::Map);
        let end = if is_map { self.nodes[map].end } else { map };
        let mut next = map + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
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
        let is_seq = matches!(self.nodes[seq].shape, Shape::Seq);
        let end = if is_seq { self.nodes[seq].end } else { seq };
        let mut next = seq + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let item = next;
                next = self.nodes[item].end;
                item
            })
        })
    }

    /// The value of `key` in a map, as a reader sees it: of a key written twice the last one, and what a
    /// merge key (`<<`, YAML 1.1) brings in where the map itself has no such key.
    pub fn get(&self, map: NodeId, key: &str) -> Option<Found> {
        let (own, merge) = self.get_own(map, key);
        own.or_else(|| self.get_merged(merge?, key))
    }

    /// The value of `key` that is written in this map itself, and the map's merge key with its value.
    fn get_own(&self, map: NodeId, key: &str) -> (Option<Found>, Option<(NodeId, NodeId)>) {
        let (mut own, mut merge) = (None, None);
        if let Some(index) = self.merged.get(&map) {
            own = index.get(key).copied();
            merge = index.get("<<").copied();
        } else {
            for (k, v) in self.pairs(map) {
                match self.own_text(k) {
                    Some(name) if name == key => own = Some((k, v)),
                    Some("<<") => merge = Some((k, v)),
                    _ => {}
                }
            }
        }
        let own = own.map(|(key, value)| {
            let node = self.resolve(value);
            Found { key, node, shared_by: (node != value).then_some(value) }
        });
        (own, merge)
    }

    /// Whether a map without this key would have it still: written twice, or brought in by a merge key.
    pub(super) fn comes_back(&self, key: NodeId) -> bool {
        let (Some(map), Some(name)) = (self.nodes[key].parent, self.own_text(key)) else { return false };
        let twice = self.pairs(map).any(|(k, _)| k != key && self.own_text(k) == Some(name));
        let merge = self.get_own(map, name).1;
        twice || merge.is_some_and(|merge| self.get_merged(merge, name).is_some())
    }

    /// Looks through merged maps, and those merged into them, in order; each map once, however many aliases
    /// lead to it.
    fn get_merged(&self, (merge_key, sources): (NodeId, NodeId), key: &str) -> Option<Found> {
        let mut seen = HashSet::new();
        let mut next = vec![sources];
        while let Some(source) = next.pop().filter(|_| seen.len() < MAX_MERGED) {
            let source = self.resolve(source);
            if !seen.insert(source) {
                continue;
            }
            if self.is_map(source) {
                let (own, merge) = self.get_own(source, key);
                if let Some(found) = own {
                    return Some(Found { shared_by: Some(merge_key), ..found });
                }
                next.extend(merge.map(|(_, sources)| sources));
            } else {
                let items: Vec<_> = self.items(source).take(MAX_MERGED).collect();
                next.extend(items.into_iter().rev());
            }
        }
        None
    }

    /// Indexes large maps that are merged into others: looked through anew for each of many, they would take
    /// for ever.
    pub(super) fn index_merged(&mut self) {
        let merges = (0..self.len()).filter(|&id| self.key_text(id) == Some("<<"));
        let values: HashSet<NodeId> = merges.map(|id| self.resolve(id)).collect();
        let maps: HashSet<NodeId> = values.into_iter().flat_map(|id| self.merge_sources(id)).collect();
        for map in maps {
            if self.pairs(map).nth(SMALL_MAP).is_some() {
                let pairs = self.pairs(map).filter_map(|(k, v)| Some((self.own_text(k)?.to_owned(), (k, v))));
                let pairs = pairs.collect();
                self.merged.insert(map, pairs);
            }
        }
    }

    /// The maps behind a merge key: one, or a list of them.
    fn merge_sources(&self, value: NodeId) -> Vec<NodeId> {
        if self.is_map(value) { vec![value] } else { self.items(value).map(|i| self.resolve(i)).collect() }
    }

    /// The value of a scalar written at this very place.
    fn own_text(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[id].shape {
            Shape::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Follows keys from a node down; nothing where one of them is missing.
    pub fn at(&self, from: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(from, |node, key| self.get(node, key).map(|f| f.node))
    }

    /// Whether a node is a merge key, as [`Found::shared_by`] names it.
    pub fn is_merge_key(&self, id: NodeId) -> bool {
        self.nodes[id].key.is_none() && self.own_text(id) == Some("<<")
    }

    /// The text of the key under which a node stands in its map, if it stands in one.
    pub fn key_text(&self, id: NodeId) -> Option<&str> {
        self.nodes[id].key.and_then(|k| self.own_text(k))
    }
}
