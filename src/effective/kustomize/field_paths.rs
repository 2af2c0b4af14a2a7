//! Paths to fields, as `configurations` files write them: `spec/containers[]/image`.

use super::super::value::Value;
use super::ResourceId;

/// kustomize's `types.FieldSpec`: a path, and the objects that it is for. An empty text stands for any.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldSpec {
    group: String,
    version: String,
    kind: String,
    path: Vec<String>,
}

/// The way to a value inside an object: which pair or item to take, from the outside in.
pub(super) type Steps = Vec<usize>;

impl FieldSpec {
    pub fn any(path: &str) -> Self {
        FieldSpec {
            group: String::new(),
            version: String::new(),
            kind: String::new(),
            path: split(path, '/'),
        }
    }

    pub fn read(item: &Value) -> Option<Self> {
        let text = |key| item.text_at(&[key]).unwrap_or_default().to_owned();
        let path = split(item.text_at(&["path"])?, '/');
        Some(FieldSpec { group: text("group"), version: text("version"), kind: text("kind"), path })
    }

    /// `fieldspec.isMatchGVK`
    fn applies_to(&self, id: &ResourceId) -> bool {
        let fits = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
        fits(&self.group, &id.group) && fits(&self.version, &id.version) && fits(&self.kind, &id.kind)
    }

    /// Where the path leads to in an object: to all items of every list on the way.
    pub fn find(&self, object: &Value, id: &ResourceId, found: &mut impl FnMut(Steps)) {
        if self.applies_to(id) {
            follow(object, &self.path, &mut Vec::new(), found);
        }
    }
}

/// `fieldspec.Filter.filter`. A path has few parts, and lists take none, so the depth is that of the value.
fn follow(value: &Value, path: &[String], steps: &mut Steps, found: &mut impl FnMut(Steps)) {
    let Some((key, rest)) = path.split_first() else { return found(steps.clone()) };
    match value {
        Value::Map(pairs) => {
            let key = key.strip_suffix("[]").unwrap_or(key);
            let Some(at) = pairs.iter().position(|(k, _)| k == key) else { return };
            steps.push(at);
            follow(&pairs[at].1, rest, steps, found);
            steps.pop();
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                steps.push(at);
                follow(item, path, steps, found);
                steps.pop();
            }
        }
        Value::Scalar(_) => {}
    }
}

/// `utils.PathSplitter`: a backslash before the delimiter keeps it.
pub(super) fn split(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.strip_prefix(delimiter).unwrap_or(path).split(delimiter) {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            None => parts.push(part.to_owned()),
        }
    }
    parts
}

/// The value at the end of the steps.
pub(super) fn value_at<'v>(value: &'v mut Value, steps: &[usize]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, &step| match value {
        Value::Map(pairs) => pairs.get_mut(step).map(|(_, value)| value),
        Value::List(items) => items.get_mut(step),
        Value::Scalar(_) => None,
    })
}
