//! Values with their origin: after any number of merges, each scalar still knows where it was written.

use std::collections::HashSet;

use super::place::{FileId, Place};
use super::setting::{Link, Setting};
use super::unique_pairs::UniquePairs;
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ScalarStyle, SyntheticDocument};

/// Values that are nested deeper are cut off. No real manifest comes close.
const MAX_DEPTH: usize = 128;

/// A scalar remembers at most this many places that it replaced.
const MAX_OVERRIDDEN: usize = 256;

/// A YAML value with the places that its scalars were written at.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// In order; each key once.
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
    Scalar(Scalar),
}

/// A scalar, and what is known about where it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scalar {
    /// As a reader sees it; empty for null.
    pub text: String,
    /// Written without quotes, so it may be a number, a boolean or null.
    pub plain: bool,
    pub null: bool,
    /// Where it is written; `None` if a tool generates it.
    pub place: Option<Place>,
    /// Where the values were written that this one replaced, weakest first.
    pub overridden: Vec<Place>,
    /// What changed the scalar after it was read, if it holds an image: kustomize's entries, replacements,
    /// substituted variables. The last one gives the text.
    pub links: Vec<Link>,
}

impl Scalar {
    /// A text that a tool generates.
    pub fn generated(text: impl Into<String>) -> Self {
        Scalar { text: text.into(), ..Scalar::default() }
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::Map(Vec::new())
    }
}

impl Value {
    /// Reads a node of a parsed file. Aliases and merge keys are resolved: the values keep the place where they
    /// are written.
    pub fn read(yaml: &ParsedYaml, node: NodeId, file: FileId) -> Self {
        ValueReader { yaml, file }.value(node, 0)
    }

    pub fn null() -> Self {
        Value::Scalar(Scalar { null: true, plain: true, ..Scalar::default() })
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            Value::List(_) | Value::Scalar(_) => None,
        }
    }

    /// As [`Value::get`], to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match self {
            Value::Map(pairs) => pairs.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value),
            Value::List(_) | Value::Scalar(_) => None,
        }
    }

    /// Follows keys down.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text at the end of a path; `None` if there is no scalar, or it is null.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }

    /// The text of a scalar that isn't null.
    pub fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.null).map(|scalar| scalar.text.as_str())
    }

    pub fn scalar(&self) -> Option<&Scalar> {
        match self {
            Value::Scalar(scalar) => Some(scalar),
            Value::Map(_) | Value::List(_) => None,
        }
    }

    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.null)
    }

    /// The items of a list; empty for any other value.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            Value::Map(_) | Value::Scalar(_) => &[],
        }
    }

    /// The pairs of a map; empty for any other value.
    pub fn pairs(&self) -> &[(String, Value)] {
        match self {
            Value::Map(pairs) => pairs,
            Value::List(_) | Value::Scalar(_) => &[],
        }
    }

    /// Sets a key of a map. Anything else becomes a map.
    pub fn set(&mut self, key: &str, new: Value) {
        if !matches!(self, Value::Map(_)) {
            *self = Value::default();
        }
        let Value::Map(pairs) = self else { return };
        match pairs.iter_mut().find(|(k, _)| k == key) {
            Some((_, value)) => *value = new,
            None => pairs.push((key.to_owned(), new)),
        }
    }

    /// Removes a key of a map.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let Value::Map(pairs) = self else { return None };
        let at = pairs.iter().position(|(k, _)| k == key)?;
        Some(pairs.remove(at).1)
    }

    /// Where the first scalar of the value is written.
    pub fn place(&self) -> Option<Place> {
        match self {
            Value::Scalar(scalar) => scalar.place,
            Value::List(items) => items.iter().find_map(Value::place),
            Value::Map(pairs) => pairs.iter().find_map(|(_, value)| value.place()),
        }
    }

    /// Merges as Helm merges values: maps are merged, lists and scalars replace, null deletes.
    /// (Helm, "Values Files"; `chartutil.CoalesceTables`.)
    pub fn merge(&mut self, over: Value) {
        match (self, over) {
            (Value::Map(pairs), Value::Map(over)) => {
                let mut unique = UniquePairs::of(std::mem::take(pairs));
                unique.merge(over);
                *pairs = unique.pairs;
            }
            (Value::Scalar(weaker), Value::Scalar(mut scalar)) => {
                scalar.override_scalar(weaker);
                *weaker = scalar;
            }
            (weaker, over) => *weaker = over,
        }
    }

    /// The number of values in it.
    pub fn size(&self) -> usize {
        1 + match self {
            Value::Scalar(_) => 0,
            Value::List(items) => items.iter().map(Value::size).sum(),
            Value::Map(pairs) => pairs.iter().map(|(_, value)| value.size()).sum(),
        }
    }
}

impl Scalar {
    /// Changes the image that the scalar holds, and remembers what did: the last link gives the text.
    pub fn set_image(&mut self, setting: Setting, text: String) {
        if self.links.is_empty() {
            let own = self.place.map_or_else(Setting::generated, Setting::Image);
            self.links.push(Link::new(own, &self.text));
        }
        self.links.push(Link::new(setting, &text));
        self.text = text;
    }

    /// Remembers what this scalar replaces.
    pub fn override_scalar(&mut self, weaker: &Scalar) {
        let mut places = weaker.places();
        places.retain(|place| !self.overridden.contains(place));
        self.overridden.splice(0..0, places);
        self.overridden.truncate(MAX_OVERRIDDEN);
    }

    /// Every place that set it, weakest first.
    pub fn places(&self) -> Vec<Place> {
        let linked = self.links.iter().filter_map(|link| link.setting.place());
        let own = self.place.filter(|_| self.links.is_empty());
        self.overridden.iter().copied().chain(linked).chain(own).collect()
    }
}

struct ValueReader<'a> {
    yaml: &'a ParsedYaml,
    file: FileId,
}

impl ValueReader<'_> {
    fn value(&self, node: NodeId, depth: usize) -> Value {
        let node = self.yaml.resolve(node);
        if depth > MAX_DEPTH || !self.yaml.budget().spend(1) {
            return Value::Scalar(Scalar { null: true, ..Scalar::default() });
        }
        match &self.yaml.node(node).kind {
            NodeKind::Map => Value::Map(self.pairs(node, depth)),
            NodeKind::Seq => {
                Value::List(self.yaml.items(node).map(|item| self.value(item, depth + 1)).collect())
            }
            NodeKind::Scalar { style, .. } => Value::Scalar(Scalar {
                text: self.yaml.text(node).unwrap_or_default().to_owned(),
                plain: *style == ScalarStyle::Plain,
                null: self.yaml.node(node).is_null(),
                place: Some(Place { file: self.file, node }),
                ..Scalar::default()
            }),
            NodeKind::Alias(_) => Value::default(),
        }
    }

    /// The pairs of a map. The last of equal keys counts, and a merge key brings in only keys that are missing. Merge
    /// keys can lead from map to map in a chain of any length.
    fn pairs(&self, map: NodeId, depth: usize) -> Vec<(String, Value)> {
        let (mut pairs, mut next) = self.own_pairs(map, depth);
        if next.is_empty() {
            return pairs.pairs;
        }
        next.reverse();
        let mut seen = HashSet::from([map]);
        while let Some(map) = next.pop().map(|map| self.yaml.resolve(map)) {
            if !self.yaml.is_map(map) {
                next.extend(self.yaml.items(map).collect::<Vec<_>>().into_iter().rev());
            } else if seen.insert(map) {
                let (own, merged) = self.own_pairs(map, depth);
                own.pairs.into_iter().for_each(|(key, value)| pairs.set_missing(key, value));
                next.extend(merged.into_iter().rev());
            }
        }
        pairs.pairs
    }

    /// The pairs that a map has itself, and what its merge keys lead to.
    fn own_pairs(&self, map: NodeId, depth: usize) -> (UniquePairs, Vec<NodeId>) {
        let (mut own, mut merged) = (UniquePairs::default(), Vec::new());
        for (key, node) in self.yaml.pairs(map) {
            match self.yaml.text(key) {
                Some("<<") => merged.push(node),
                Some(key) => own.set(key.to_owned(), self.value(node, depth + 1)),
                None if self.yaml.is_map(key) => own.set(self.placeholder(key), Value::null()),
                None => {}
            }
        }
        (own, merged)
    }

    /// A key that is a map. `{{ .Values.tag }}` without quotes is a map with such a key.
    fn placeholder(&self, key: NodeId) -> String {
        let inside = self.yaml.pairs(key).next().and_then(|(inner, _)| self.yaml.text(inner));
        format!("{{{{ {} }}}}", inside.unwrap_or_default())
    }
}

/// A value as a document that the search for references can read.
pub struct Rendered<'a> {
    pub yaml: ParsedYaml,
    /// The scalar of each node.
    scalars: Vec<Option<&'a Scalar>>,
}

impl<'a> Rendered<'a> {
    pub fn new(value: &'a Value) -> Self {
        let mut writer = Writer { document: SyntheticDocument::default(), scalars: Vec::new() };
        writer.value(value);
        Rendered { yaml: writer.document.finish(), scalars: writer.scalars }
    }

    /// The scalar that a node was made from.
    pub fn scalar(&self, node: NodeId) -> Option<&'a Scalar> {
        self.scalars.get(node).copied().flatten()
    }
}

struct Writer<'a> {
    document: SyntheticDocument,
    scalars: Vec<Option<&'a Scalar>>,
}

impl<'a> Writer<'a> {
    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Scalar(scalar) => {
                let text = if scalar.null { "null" } else { scalar.text.as_str() };
                self.document.scalar(text, scalar.plain || scalar.null);
                self.scalars.push(Some(scalar));
            }
            Value::List(items) => {
                self.document.open_list();
                self.scalars.push(None);
                items.iter().for_each(|item| self.value(item));
                self.document.close();
            }
            Value::Map(pairs) => {
                self.document.open_map();
                self.scalars.push(None);
                for (key, value) in pairs {
                    self.document.key(key);
                    self.scalars.push(None);
                    self.value(value);
                }
                self.document.close();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::scan;

    fn read(text: &str) -> Value {
        let yaml = scan(text.as_bytes()).unwrap();
        Value::read(&yaml, yaml.roots()[0], FileId::new(0))
    }

    #[test]
    fn merge_replaces_scalars_and_lists_and_null_deletes() {
        let mut base = read("image: {repository: api, tag: v1}\nlist: [1, 2]\ngone: 1\n");
        base.merge(read("image: {tag: v2}\nlist: [3]\ngone: null\nnew: 4\n"));
        assert_eq!(base.text_at(&["image", "repository"]), Some("api"));
        assert_eq!(base.text_at(&["image", "tag"]), Some("v2"));
        assert_eq!(base.get("list").map(|list| list.items().len()), Some(1));
        assert!(base.get("gone").is_none());
        assert_eq!(base.text_at(&["new"]), Some("4"));
        let tag = base.at(&["image", "tag"]).and_then(Value::scalar).unwrap();
        assert_eq!(tag.overridden.len(), 1);
    }

    #[test]
    fn alias_and_merge_key_keep_the_place_where_the_value_is_written() {
        let value = read("a: &a {tag: v1}\nb: *a\nc: {<<: *a, name: c}\n");
        let place = |path: &[&str]| value.at(path).and_then(Value::place);
        assert_eq!(place(&["a", "tag"]), place(&["b", "tag"]));
        assert_eq!(place(&["a", "tag"]), place(&["c", "tag"]));
        assert_eq!(value.text_at(&["c", "name"]), Some("c"));
    }

    #[test]
    fn rendered_document_knows_the_scalar_of_each_node() {
        let value = read("a: [x, {b: y}]\n");
        let rendered = Rendered::new(&value);
        let found: Vec<_> = (0..rendered.yaml.len()).filter_map(|node| rendered.scalar(node)).collect();
        assert_eq!(found.iter().map(|scalar| scalar.text.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    }
}
