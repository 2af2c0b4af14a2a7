//! ConfigMaps and Secrets that a kustomization generates. Their names get no hash here.

use std::collections::HashSet;

use super::super::files::join;
use super::super::place::Place;
use super::super::setting::{Holds, Link, Setting, TextPart};
use super::super::value::{Scalar, Value};
use super::Object;
use super::builder::{Builder, Gathered, Level};

const MISSING: &str = "reads a file that isn't in this repository";

impl Builder<'_, '_> {
    pub(super) fn generate(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for item in level.list(key) {
                if !self.can_afford(gathered.objects.len()) {
                    return;
                }
                let object = self.generated(level, item, kind);
                absorb(&mut gathered.objects, object, item.text_at(&["behavior"]));
            }
        }
    }

    fn generated(&mut self, level: &Level<'_>, item: &Value, kind: &str) -> Object {
        let list = |key: &str| item.get(key).map_or(&[][..], Value::items).iter();
        let mut data: Vec<_> =
            list("files").filter_map(|source| self.file_source(level, source, kind)).collect();
        // what takes an image from a secret has a doubt of its own, unless another file has the value that this one overrides
        let may_be_missing = kind == "Secret" && matches!(item.text_at(&["behavior"]), None | Some("create"));
        for path in list("envs").chain(item.get("env")) {
            if self.env_file(level, path, &mut data).is_none() && !may_be_missing {
                self.note_uncertain(path.place(), MISSING);
            }
        }
        let literals = list("literals").filter_map(Value::scalar).filter_map(literal_source);
        let literals = Value::Map(literals.map(|(key, value)| (key.to_owned(), value)).collect());
        // a Secret's `data` is encoded, but its literals aren't
        let literals_key = if kind == "Secret" { "stringData" } else { "data" };
        let mut value = head(item, kind);
        value.set("data", Value::Map(data));
        let mut all = value.remove(literals_key).unwrap_or_default();
        all.merge(literals);
        value.set(literals_key, all);
        Object { value, file: level.file, ..Object::default() }
    }

    /// `[KEY=]PATH`: the value is the file (`generators.ParseFileSource`). Its place is the whole file, the root of
    /// its YAML. Something else applies the objects in it, such as the Pods of a scheduler, and as they are in the file: they
    /// aren't part of this build.
    fn file_source(&mut self, level: &Level<'_>, source: &Value, kind: &str) -> Option<(String, Value)> {
        let text = source.text()?;
        let (key, path) = match text.split_once('=') {
            Some((key, path)) => (key, path),
            None => (text.rsplit('/').next().unwrap_or(text), text),
        };
        let Some(file) = join(level.folder, path).and_then(|path| self.files.load(&path)) else {
            // git often ignores secrets; what takes an image from one has a doubt of its own
            if kind != "Secret" {
                self.note_uncertain(source.place(), MISSING);
            }
            return Some((key.to_owned(), Value::null()));
        };
        if !self.files.holds_objects(file) {
            self.build.files.insert(file);
        }
        let loaded = self.files.file(file);
        let node = loaded.yaml.as_ref().and_then(|yaml| yaml.roots().first().copied());
        let text = String::from_utf8_lossy(&loaded.bytes).into_owned();
        let place = node.map(|node| Place { file, node });
        Some((key.to_owned(), Value::Scalar(Scalar { place, ..Scalar::generated(text) })))
    }

    /// Lines of `NAME=VALUE` (`kv.loader.keyValuesFromEnvFiles`); `None` if the file is missing.
    fn env_file(&mut self, level: &Level<'_>, path: &Value, data: &mut Vec<(String, Value)>) -> Option<()> {
        let local = join(level.folder, path.text()?)?;
        let file = self.files.load_dotenv(&local)?;
        self.build.files.insert(file);
        let assignments = self.files.file(file).assignments.iter().flatten().flatten();
        for (node, assignment) in assignments.enumerate() {
            let text = &assignment.value;
            data.push((assignment.name.clone(), part_of(Place { file, node }, 0, text)));
        }
        Some(())
    }
}

fn head(item: &Value, kind: &str) -> Value {
    let mut value = Value::default();
    value.set("apiVersion", Value::Scalar(Scalar::generated("v1")));
    value.set("kind", Value::Scalar(Scalar::generated(kind)));
    let metadata = ["name", "namespace"].into_iter();
    let metadata = metadata.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone())));
    value.set("metadata", Value::Map(metadata.collect()));
    value
}

/// `KEY=VALUE`, perhaps with quotes around the value (`kv.parseLiteralSource`).
fn literal_source(literal: &Scalar) -> Option<(&str, Value)> {
    let (key, value) = literal.text.split_once('=')?;
    let quote = ['"', '\'']
        .into_iter()
        .find(|&quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote));
    let (start, value) = match quote {
        Some(_) => (key.len() + 2, &value[1..value.len() - 1]),
        None => (key.len() + 1, value),
    };
    let scalar = literal.place.map(|place| part_of(place, start, value));
    Some((key, scalar.unwrap_or_else(|| Value::Scalar(Scalar::generated(value)))))
}

/// A text that is only a part of a scalar: an image, or a tag by itself.
fn part_of(place: Place, start: usize, text: &str) -> Value {
    let setting = Setting::Part(TextPart { place, range: start..start + text.len(), holds: Holds::Image });
    Value::Scalar(Scalar { links: vec![Link::new(setting, text)], ..Scalar::generated(text) })
}

/// `resWrangler.appendReplaceOrMerge`
fn absorb(objects: &mut Vec<Object>, new: Object, behavior: Option<&str>) {
    let id = new.id();
    let old = objects.iter_mut().find(|object| object.ids().any(|other| other.is_same(&id)));
    let Some(old) = old.filter(|_| matches!(behavior, Some("merge" | "replace"))) else {
        return objects.push(new);
    };
    for key in ["data", "stringData"] {
        let over = new.value.get(key).cloned().unwrap_or_default();
        let own: HashSet<String> = over.pairs().iter().map(|(key, _)| key.clone()).collect();
        // each text replaces the whole text of its key
        let mut merged = old.value.remove(key).unwrap_or_default();
        merged.merge(over);
        if let (Value::Map(pairs), Some("replace")) = (&mut merged, behavior) {
            pairs.retain(|(key, _)| own.contains(key));
        }
        old.value.set(key, merged);
    }
}
