//! An index over the keys of large maps. Aliases can lead to such a map over and over, and a linear search each
//! time would take far too long.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::document::NodeId;

/// Maps with at most this many pairs are searched linearly.
pub(super) const SMALL_MAP: usize = 16;

/// For each large map, its keys ordered by hash, then by position.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyIndex {
    maps: HashMap<NodeId, Vec<(u64, NodeId)>>,
    /// Seeded at random, so that nobody can craft a file of keys with the same hash.
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

    /// The last key of a map that equals `text`. `text_of` gives the text of a key.
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
