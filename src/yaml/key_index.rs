//! The keys of maps with many pairs. Aliases can lead to such a map over and over, and reading it from the start each time
//! would take forever.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::document::NodeId;

/// Maps with at most so many pairs are read from the start.
pub(super) const SMALL_MAP: usize = 16;

/// For each large map, its keys ordered by hash, and by position where hashes are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyIndex {
    maps: HashMap<NodeId, Vec<(u64, NodeId)>>,
    /// Its keys are random, so that no file can be made of texts with the same hash.
    hasher: RandomState,
}

impl KeyIndex {
    pub fn add<'a>(&mut self, map: NodeId, keys: impl Iterator<Item = (NodeId, &'a str)>) {
        let mut keys: Vec<_> = keys.map(|(key, text)| (self.hasher.hash_one(text), key)).collect();
        keys.sort_unstable();
        self.maps.insert(map, keys);
    }

    pub fn has(&self, map: NodeId) -> bool {
        self.maps.contains_key(&map)
    }

    /// The last key of a map that is `text`, by the text that each key has.
    pub fn last<'a>(
        &self,
        map: NodeId,
        text: &str,
        text_of: impl Fn(NodeId) -> Option<&'a str>,
    ) -> Option<NodeId> {
        let keys = self.maps.get(&map)?;
        let hash = self.hasher.hash_one(text);
        let end = keys.partition_point(|&(other, _)| other <= hash);
        let same_hash = keys[..end].iter().rev().take_while(|&&(other, _)| other == hash);
        same_hash.map(|&(_, key)| key).find(|&key| text_of(key) == Some(text))
    }
}
