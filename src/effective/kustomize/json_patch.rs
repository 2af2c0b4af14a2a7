//! JSON patches (RFC 6902), as applied by the library that kustomize uses (`evanphx/json-patch` v4).

use super::super::place::Place;
use super::super::root::TestedPlace;
use super::super::value::Value;
use super::merge::inherit;

/// The most values that a patch may look at or copy. `copy` can double an object with every operation.
const MAX_WORK: usize = 300_000;

/// So many items that move in a list are as much work as one value.
const MOVED: usize = 16;

/// A patch can't nest values deeper than this.
pub(super) const MAX_PATH: usize = 200;

/// Why a patch is left out, and at which operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FailedPatch {
    /// It can't be done. kustomize ends with an error then.
    Refused(Option<Place>),
    /// kustomize may well do it.
    TooMuchWork(Option<Place>),
}

/// Applies a patch, a list of operations, to an object. If one of them fails, the object stays as it is. Gives the places that it
/// tests. Adds to `work` how many values it looked at or copied.
pub(super) fn apply(
    object: &mut Value,
    patch: &Value,
    work: &mut usize,
) -> Result<Vec<TestedPlace>, FailedPatch> {
    let mut patched = Patched { value: object.clone(), work: object.size(), tested: Vec::new() };
    let failed = patch.items().iter().find(|operation| patched.run(operation).is_none());
    *work = work.saturating_add(patched.work);
    match failed {
        Some(operation) if patched.work > MAX_WORK => Err(FailedPatch::TooMuchWork(operation.place())),
        Some(operation) => Err(FailedPatch::Refused(operation.place())),
        None => {
            *object = patched.value;
            Ok(patched.tested)
        }
    }
}

/// Applies the operations that can be done, to an object of which only a part is known. Gives the others. Adds to `work` as
/// [`apply`] does.
pub(super) fn apply_known<'p>(object: &mut Value, patch: &'p Value, work: &mut usize) -> Vec<&'p Value> {
    let mut patched = Patched { value: object.clone(), work: object.size(), tested: Vec::new() };
    let mut others = Vec::new();
    for operation in patch.items() {
        let before = patched.value.clone();
        let size = before.size();
        if patched.spend(size).and_then(|()| patched.run(operation)).is_none() {
            patched.value = before;
            others.push(operation);
        }
    }
    *work = work.saturating_add(patched.work);
    *object = patched.value;
    others
}

/// A value while it is patched, and how much work was done.
struct Patched {
    value: Value,
    work: usize,
    tested: Vec<TestedPlace>,
}

impl Patched {
    fn run(&mut self, operation: &Value) -> Option<()> {
        let path = pointer(operation.text_at(&["path"])?)?;
        match operation.text_at(&["op"])? {
            "add" => self.add(&path, new_value(operation)),
            "replace" => self.replace(&path, new_value(operation)),
            "remove" => self.remove(&path).map(drop),
            "move" => {
                let value = self.remove(&pointer(operation.text_at(&["from"])?)?)?;
                self.add(&path, value)
            }
            "copy" => {
                let from = pointer(operation.text_at(&["from"])?)?;
                let value = self.copied(&from)?;
                self.add(&path, value)
            }
            "test" => {
                self.test(&path, operation.get("value"))?;
                self.note_tested(&path, operation.place());
                Some(())
            }
            _ => None,
        }
    }

    fn spend(&mut self, work: usize) -> Option<()> {
        self.work = self.work.saturating_add(work);
        (self.work <= MAX_WORK).then_some(())
    }

    fn find(&mut self, path: &[String]) -> Option<&mut Value> {
        let mut work = self.work;
        let value = path.iter().try_fold(&mut self.value, |value, key| {
            work = work.saturating_add(width(value));
            child(value, key)
        });
        self.work = work;
        value.filter(|_| work <= MAX_WORK)
    }

    fn add(&mut self, path: &[String], new: Value) -> Option<()> {
        if path.len() + depth(&new) > MAX_PATH {
            return None;
        }
        self.spend(new.size())?;
        let Some((key, above)) = path.split_last() else {
            return self.replace(path, new);
        };
        // kustomize notes the origin of each object in its annotations, so they are there
        if matches!(above, [metadata, annotations] if metadata == "metadata" && annotations == "annotations")
            && self.find(above).is_none()
            && let Some(Value::Map(_)) = self.find(&above[..1])
        {
            self.find(&above[..1])?.set("annotations", Value::Map(Vec::new()));
        }
        match self.find(above)? {
            Value::Map(_) => {
                let map = self.find(above)?;
                match map.get_mut(key) {
                    Some(old) => supersede(old, new),
                    None => map.set(key, new),
                }
            }
            Value::List(items) => {
                let at = if key == "-" { items.len() } else { position(key, items.len() + 1)? };
                let moved = items.len() - at;
                items.insert(at, new);
                self.spend(moved / MOVED)?;
            }
            Value::Scalar(_) => return None,
        }
        self.spend(0)
    }

    /// In a map, the key needn't be there (`partialDoc.get`).
    fn replace(&mut self, path: &[String], new: Value) -> Option<()> {
        if let Some((_, above)) = path.split_last()
            && matches!(self.find(above)?, Value::Map(_))
        {
            return self.add(path, new);
        }
        self.spend(new.size())?;
        supersede(self.find(path)?, new);
        Some(())
    }

    /// A copy of a value; null for a key that a map doesn't have.
    fn copied(&mut self, path: &[String]) -> Option<Value> {
        let size = self.find(path).map_or(1, |value| value.size());
        self.spend(size)?;
        if let Some(value) = self.find(path) {
            return Some(value.clone());
        }
        let (_, above) = path.split_last()?;
        matches!(self.find(above)?, Value::Map(_)).then(Value::null)
    }

    fn remove(&mut self, path: &[String]) -> Option<Value> {
        let (key, above) = path.split_last()?;
        match self.find(above)? {
            Value::List(items) => {
                let at = position(key, items.len())?;
                let (removed, moved) = (items.remove(at), items.len() - at);
                self.spend(moved / MOVED)?;
                Some(removed)
            }
            map => map.remove(key),
        }
    }

    fn test(&mut self, path: &[String], wanted: Option<&Value>) -> Option<()> {
        let null = Value::null();
        self.spend(wanted.map_or(1, comparison))?;
        match self.find(path) {
            Some(value) => is_equal(value, wanted.unwrap_or(&null)).then_some(()),
            None => wanted.is_none_or(Value::is_null).then_some(()),
        }
    }
}

impl Patched {
    /// Notes the places that give what a test has found. A test costs more than this.
    fn note_tested(&mut self, path: &[String], by: Option<Place>) {
        let (Some(by), Some(found)) = (by, self.find(path)) else { return };
        let (mut places, mut rest) = (Vec::new(), vec![&*found]);
        while let Some(value) = rest.pop() {
            places.extend(value.scalar().and_then(|scalar| scalar.places().last().copied()));
            rest.extend(value.items());
            rest.extend(value.pairs().iter().map(|(_, value)| value));
        }
        self.tested.extend(places.into_iter().map(|place| TestedPlace { place, by }));
    }
}

fn supersede(old: &mut Value, mut new: Value) {
    inherit(&mut new, old);
    *old = new;
}

/// The value of an operation; null if there is none.
fn new_value(operation: &Value) -> Value {
    operation.get("value").cloned().unwrap_or_else(Value::null)
}

/// The parts of a JSON pointer (RFC 6901).
fn pointer(text: &str) -> Option<Vec<String>> {
    let rest = match text {
        "" => return Some(Vec::new()),
        text => text.strip_prefix('/')?,
    };
    Some(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn child<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::List(items) => {
            let at = position(key, items.len())?;
            items.get_mut(at)
        }
        value => value.get_mut(key),
    }
}

/// A position in a list of a length. A negative one counts from the end.
fn position(key: &str, length: usize) -> Option<usize> {
    let at: isize = key.parse().ok()?;
    let at = if at < 0 { at.checked_add_unsigned(length)? } else { at };
    usize::try_from(at).ok().filter(|&at| at < length)
}

pub(super) fn depth(value: &Value) -> usize {
    let below = value.pairs().iter().map(|(_, value)| value).chain(value.items());
    1 + below.map(depth).max().unwrap_or(0)
}

/// How many values are looked at to find one in a value: a key is looked for, an item is at its position.
fn width(value: &Value) -> usize {
    value.pairs().len().max(1)
}

/// How many values [`is_equal`] looks at: it looks for each key of a map in the other map.
fn comparison(value: &Value) -> usize {
    let (pairs, items) = (value.pairs(), value.items());
    let below = pairs.iter().map(|(_, value)| value).chain(items).map(comparison);
    below.fold(1 + pairs.len().saturating_mul(pairs.len()), usize::saturating_add)
}

/// Whether two values mean the same, wherever they are written.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Scalar(one), Value::Scalar(other)) => one.null == other.null && one.text == other.text,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Map(pairs), Value::Map(others)) => {
            pairs.len() == others.len()
                && pairs.iter().all(|(key, value)| other.get(key).is_some_and(|other| is_equal(value, other)))
        }
        _ => false,
    }
}
