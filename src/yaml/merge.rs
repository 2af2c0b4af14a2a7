//! Resolves merge keys (`<<`, YAML 1.1).
//!
//! Maps can be merged in chains and lists of any length. So each map, and each list of maps, is searched once
//! per key, without recursion, and the result is cached.

use std::collections::HashMap;

use super::document::{NodeId, NodeKind, ParsedYaml};

/// A key and its value.
pub(super) type KeyValue = (NodeId, NodeId);

/// Per key, the result for each map and each list of maps.
#[derive(Clone, Debug, Default)]
pub(super) struct MergedKeys(HashMap<String, HashMap<NodeId, Option<KeyValue>>>);

/// Caching a result costs more than reading a pair.
const STEPS_TO_REMEMBER: usize = 4;

impl MergedKeys {
    /// Finds `key` in the value of a merge key: a map, or a list of maps in order of precedence.
    pub fn find(&mut self, yaml: &ParsedYaml, value: NodeId, key: &str) -> Option<KeyValue> {
        if !self.0.contains_key(key) {
            self.0.insert(key.to_owned(), HashMap::new());
        }
        let known = self.0.get_mut(key)?;
        let source = source(yaml, value)?;
        KeySearch { yaml, key, known, open: Vec::new() }.find(source)
    }
}

/// The node to merge. An alias to an enclosing node would merge a map into itself, so it gives `None`.
fn source(yaml: &ParsedYaml, value: NodeId) -> Option<NodeId> {
    let source = yaml.resolve(value);
    (source == value || yaml.node(source).end <= value).then_some(source)
}

struct KeySearch<'a> {
    yaml: &'a ParsedYaml,
    key: &'a str,
    known: &'a mut HashMap<NodeId, Option<KeyValue>>,
    open: Vec<PendingNode>,
}

/// A map or list that doesn't have the key itself, and the range of nodes still to be searched for it.
struct PendingNode {
    source: NodeId,
    next: NodeId,
    end: NodeId,
}

impl KeySearch<'_> {
    fn find(mut self, source: NodeId) -> Option<KeyValue> {
        self.enter(source);
        while let Some(&PendingNode { source, next, end }) = self.open.last() {
            if !self.yaml.budget().spend(1) {
                return None;
            }
            if next >= end {
                self.leave(source, None);
                continue;
            }
            let inner = self::source(self.yaml, next);
            match inner.map(|inner| (inner, self.known.get(&inner).copied())) {
                Some((inner, None)) => self.enter(inner),
                Some((_, Some(Some(found)))) => self.leave(source, Some(found)),
                Some((_, Some(None))) | None => self.advance(),
            }
        }
        self.known.get(&source).copied().flatten()
    }

    fn enter(&mut self, source: NodeId) {
        if self.known.contains_key(&source) {
            return;
        }
        let end_of = |id: NodeId| self.yaml.node(id).end;
        match self.yaml.node(source).kind {
            NodeKind::Map => {
                let (own, merge) = self.yaml.own_pair(source, self.key);
                match (own, merge) {
                    (None, Some((_, value))) => {
                        self.open.push(PendingNode { source, next: value, end: end_of(value) })
                    }
                    _ => self.remember(source, own),
                }
            }
            NodeKind::Seq => self.open.push(PendingNode { source, next: source + 1, end: end_of(source) }),
            NodeKind::Scalar { .. } | NodeKind::Alias(_) => self.remember(source, None),
        }
    }

    fn advance(&mut self) {
        if let Some(visit) = self.open.last_mut() {
            visit.next = self.yaml.node(visit.next).end;
        }
    }

    fn leave(&mut self, source: NodeId, found: Option<KeyValue>) {
        self.remember(source, found);
        self.open.pop();
    }

    fn remember(&mut self, source: NodeId, found: Option<KeyValue>) {
        self.yaml.budget().spend(STEPS_TO_REMEMBER);
        self.known.insert(source, found);
    }
}
