//! ConfigMaps and Secrets that a kustomization generates. Their names get no hash here.

use super::super::files::join;
use super::super::place::Place;
use super::super::setting::{Holds, Link, Setting, TextPart};
use super::super::value::{Scalar, Value};
use super::Object;
use super::builder::{Builder, Gathered, Level};

impl Builder<'_, '_> {
    pub(super) fn generate(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for item in level.list(key) {
                let object = self.generated(level, item, kind);
                absorb(&mut gathered.objects, object, item.text_at(&["behavior"]));
            }
        }
    }

    fn generated(&mut self, level: &Level<'_>, item: &Value, kind: &str) -> Object {
        let list = |key: &str| item.get(key).map_or(&[][..], Value::items).iter();
        let mut data = Value::default();
        for source in list("files") {
            if let Some((key, value)) = self.file_source(level, source) {
                data.set(&key, value);
            }
        }
        for path in list("envs").chain(item.get("env")) {
            self.env_file(level, path, &mut data);
        }
        let mut literals = Value::default();
        for literal in list("literals").filter_map(Value::scalar) {
            if let Some((key, value)) = literal_source(literal) {
                literals.set(key, value);
            }
        }
        // a Secret's `data` is encoded, but its literals aren't
        let literals_key = if kind == "Secret" { "stringData" } else { "data" };
        let mut value = head(item, kind);
        value.set("data", data);
        for (key, literal) in literals.pairs() {
            let mut all = value.get(literals_key).cloned().unwrap_or_default();
            all.set(key, literal.clone());
            value.set(literals_key, all);
        }
        Object { value, file: level.file, ..Object::default() }
    }

    /// `[KEY=]PATH`: the value is the file (`generators.ParseFileSource`). Its place is the whole file, the root of
    /// its YAML.
    fn file_source(&mut self, level: &Level<'_>, source: &Value) -> Option<(String, Value)> {
        let text = source.text()?;
        let (key, path) = match text.split_once('=') {
            Some((key, path)) => (key, path),
            None => (text.rsplit('/').next().unwrap_or(text), text),
        };
        let Some(file) = join(level.folder, path).and_then(|path| self.files.load(&path)) else {
            self.is_uncertain(source.place(), "reads a file that isn't in this repository");
            return None;
        };
        self.build.files.insert(file);
        let loaded = self.files.file(file);
        let node = loaded.yaml.as_ref().and_then(|yaml| yaml.roots().first().copied());
        let text = String::from_utf8_lossy(&loaded.bytes).into_owned();
        let place = node.map(|node| Place { file, node });
        Some((key.to_owned(), Value::Scalar(Scalar { place, ..Scalar::generated(text) })))
    }

    /// Lines of `NAME=VALUE` (`kv.loader.keyValuesFromEnvFiles`)
    fn env_file(&mut self, level: &Level<'_>, path: &Value, data: &mut Value) {
        let local = path.text().and_then(|path| join(level.folder, path));
        let Some(file) = local.and_then(|local| self.files.load_dotenv(&local)) else {
            return self.is_uncertain(path.place(), "reads a file that isn't in this repository");
        };
        self.build.files.insert(file);
        let assignments = self.files.file(file).assignments.iter().flatten().flatten();
        for (node, assignment) in assignments.enumerate() {
            let text = &assignment.value;
            data.set(&assignment.name, part_of(Place { file, node }, 0, text));
        }
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

/// A text that is only a part of a scalar.
fn part_of(place: Place, start: usize, text: &str) -> Value {
    let holds = Holds::Tag { prefix: String::new(), suffix: String::new() };
    let setting = Setting::Part(TextPart { place, range: start..start + text.len(), holds });
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
        let weaker = old.value.get(key).cloned().unwrap_or_default();
        old.value.set(key, merged(weaker, over, behavior == Some("merge")));
    }
}

/// Texts over other texts: each replaces the whole text of its key.
fn merged(mut weaker: Value, mut over: Value, keeps_others: bool) -> Value {
    if let Value::Map(pairs) = &mut over {
        for (key, value) in pairs {
            if let (Value::Scalar(new), Some(Value::Scalar(old))) = (value, weaker.get(key)) {
                new.override_scalar(old);
            }
        }
    }
    if !keeps_others {
        return over;
    }
    over.pairs().iter().for_each(|(key, value)| weaker.set(key, value.clone()));
    weaker
}
