//! The pairs of a map while it is put together.

use std::collections::{HashMap, HashSet};

use super::value::Value;

/// Pairs of a map, each key once. An index keeps maps with many keys fast.
#[derive(Default)]
pub(super) struct UniquePairs {
    pub pairs: Vec<(String, Value)>,
    /// Empty for a few pairs.
    index: HashMap<String, usize>,
}

/// Up to this many pairs, looking at them one by one is about as fast as an index.
const FEW_PAIRS: usize = 16;

impl UniquePairs {
    pub fn of(pairs: Vec<(String, Value)>) -> Self {
        let mut unique = UniquePairs { pairs, index: HashMap::new() };
        unique.index();
        unique
    }

    fn index(&mut self) {
        if self.pairs.len() > FEW_PAIRS {
            self.index = self.pairs.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        match self.pairs.len() {
            0..=FEW_PAIRS => self.pairs.iter().position(|(other, _)| other == key),
            _ => self.index.get(key).copied(),
        }
    }

    pub fn set(&mut self, key: String, value: Value) {
        match self.find(&key) {
            Some(at) => self.pairs[at].1 = value,
            None => self.push(key, value),
        }
    }

    pub fn set_missing(&mut self, key: String, value: Value) {
        if self.find(&key).is_none() {
            self.push(key, value);
        }
    }

    fn push(&mut self, key: String, value: Value) {
        if self.pairs.len() > FEW_PAIRS {
            self.index.insert(key.clone(), self.pairs.len());
        }
        self.pairs.push((key, value));
        if self.pairs.len() == FEW_PAIRS + 1 {
            self.index();
        }
    }

    /// As [`Value::merge`].
    pub fn merge(&mut self, over: Vec<(String, Value)>) {
        let mut deleted = HashSet::new();
        for (key, value) in over {
            match self.find(&key) {
                Some(at) if value.is_null() => drop(deleted.insert(at)),
                Some(at) => {
                    deleted.remove(&at);
                    self.pairs[at].1.merge(value);
                }
                None => self.push(key, value),
            }
        }
        let mut at = 0..;
        self.pairs.retain(|_| at.next().is_none_or(|at| !deleted.contains(&at)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::Scalar;
    use super::*;

    fn value(text: String) -> Value {
        Value::Scalar(Scalar::generated(text))
    }

    /// A map in which every other key is set twice, then merged with one that deletes the first key and sets the last.
    fn merged(count: usize) -> Vec<(String, Option<String>)> {
        let mut pairs = UniquePairs::default();
        for key in (0..count).chain((0..count).step_by(2)) {
            pairs.set(format!("k{key}"), value(format!("{}", pairs.pairs.len())));
            pairs.set_missing(format!("k{key}"), value("not taken".to_owned()));
        }
        let mut pairs = UniquePairs::of(pairs.pairs);
        pairs.merge(vec![
            ("k0".to_owned(), Value::null()),
            (format!("k{}", count - 1), value("last".to_owned())),
            ("new".to_owned(), value("new".to_owned())),
        ]);
        pairs.pairs.into_iter().map(|(key, value)| (key, value.text().map(str::to_owned))).collect()
    }

    #[test]
    fn keys_are_unique_in_maps_of_any_size() {
        for count in [2, 3, FEW_PAIRS - 1, FEW_PAIRS, FEW_PAIRS + 1, FEW_PAIRS + 2, 5 * FEW_PAIRS] {
            let expected = (1..count).map(|key| match key {
                _ if key == count - 1 => (format!("k{key}"), Some("last".to_owned())),
                _ if key % 2 == 0 => (format!("k{key}"), Some(count.to_string())),
                _ => (format!("k{key}"), Some(key.to_string())),
            });
            let expected: Vec<_> = expected.chain([("new".to_owned(), Some("new".to_owned()))]).collect();
            assert_eq!(merged(count), expected, "{count}");
        }
    }
}
