//! Patches: where they are written, which objects they are for, and what they do there.

use super::super::files::join;
use super::super::place::Place;
use super::super::value::{Scalar, Value};
use super::builder::{Builder, Gathered, Level};
use super::json_patch::{self, FailedPatch};
use super::merge::merge_object;
use super::merge_shape::Shape;
use super::selector::{ObjectSelector, cost_of_patterns};
use super::{Object, ResourceId, resources};

/// A text that isn't a list of operations.
const NOT_A_PATCH: &str = "uses a patch that can't be read";

/// Whether a strategic merge may change the name and the kind of its target (`types.PatchArgs`).
#[derive(Clone, Copy, Default)]
struct MergeOptions {
    name: bool,
    kind: bool,
}

impl Builder<'_, '_> {
    /// An item of `patchesStrategicMerge`: a path, or the patch itself.
    pub(super) fn strategic_merge(&mut self, level: &Level<'_>, item: &Value, gathered: &mut Gathered) {
        let is_inline =
            item.text().is_none_or(|text| text.contains('\n') || text.trim_start().starts_with('{'));
        let documents = if is_inline { self.inline(item) } else { self.patch_file(level, item) };
        self.merge_each(&documents, MergeOptions::default(), gathered);
    }

    /// An item of `patches` or `patchesJson6902`.
    pub(super) fn patch(&mut self, level: &Level<'_>, item: &Value, gathered: &mut Gathered) {
        if !self.can_afford(gathered.objects.len() + item.get("target").map_or(0, cost_of_patterns)) {
            return;
        }
        let documents = match (item.get("patch"), item.get("path")) {
            (Some(patch), _) if patch.text() != Some("") => self.inline(patch),
            (_, Some(path)) => self.patch_file(level, path),
            _ => return,
        };
        let selector = match item.get("target").filter(|target| !target.is_null()) {
            Some(target) => match ObjectSelector::read(target) {
                Some(selector) => Some(selector),
                None => return self.note_uncertain(item.place(), "has a target that can't be evaluated"),
            },
            None => None,
        };
        let option = |key| item.text_at(&["options", key]) == Some("true");
        let options = MergeOptions { name: option("allowNameChange"), kind: option("allowKindChange") };
        match (documents.as_slice(), selector) {
            ([operations @ Value::List(_)], Some(selector)) => {
                self.json_patch(operations, &selector, item.get("target"), gathered);
            }
            ([Value::List(_)], None) => {
                self.note_uncertain(item.place(), "has a JSON patch without a target")
            }
            ([patch], Some(selector)) => self.merge_selected(patch, &selector, options, gathered),
            (documents, _) => self.merge_each(documents, options, gathered),
        }
    }

    /// A patch that is written where it is used: YAML in a text, or, for Flux, values.
    fn inline(&mut self, patch: &Value) -> Vec<Value> {
        let Value::Scalar(text) = patch else { return vec![patch.clone()] };
        let file = text.place.and_then(|place| self.files.load_embedded(place));
        match file.filter(|&file| self.files.file(file).yaml.is_some()) {
            Some(file) => self.files.documents(file),
            None => {
                self.note_uncertain(text.place, NOT_A_PATCH);
                Vec::new()
            }
        }
    }

    fn patch_file(&mut self, level: &Level<'_>, path: &Value) -> Vec<Value> {
        let local = path.text().and_then(|path| join(level.folder, path));
        let file = local.and_then(|local| self.files.load(&local));
        self.build.files.extend(file);
        match file.filter(|&file| self.files.file(file).yaml.is_some()) {
            Some(file) => self.files.documents(file),
            None => {
                self.note_uncertain(path.place(), NOT_A_PATCH);
                Vec::new()
            }
        }
    }

    /// Patches that name their target themselves (`PatchTransformerPlugin.transformStrategicMerge`).
    fn merge_each(&mut self, patches: &[Value], options: MergeOptions, gathered: &mut Gathered) {
        for patch in patches {
            if !self.can_afford(gathered.objects.len() + patch.size()) {
                return;
            }
            let id = ResourceId::of(patch);
            let mut is_used = false;
            for object in resources::with_id(&mut gathered.objects, &id) {
                is_used = true;
                merge_into(object, patch, options);
            }
            if !is_used {
                self.patch_of_unknown(patch.clone(), gathered);
            }
            gathered.objects.retain(|object| !object.value.pairs().is_empty());
        }
    }

    fn merge_selected(
        &mut self,
        patch: &Value,
        selector: &ObjectSelector,
        options: MergeOptions,
        gathered: &mut Gathered,
    ) {
        let mut is_used = false;
        for object in gathered.objects.iter_mut().filter(|object| selector.selects(object)) {
            if !self.can_afford(object.value.size() + patch.size()) {
                return;
            }
            is_used = true;
            merge_into(object, patch, options);
        }
        if !is_used {
            self.patch_of_unknown(patch.clone(), gathered);
        }
        gathered.objects.retain(|object| !object.value.pairs().is_empty());
    }

    /// `PatchTransformerPlugin.transformJson6902`
    fn json_patch(
        &mut self,
        operations: &Value,
        selector: &ObjectSelector,
        target: Option<&Value>,
        gathered: &mut Gathered,
    ) {
        let (mut is_used, mut others, mut work) = (false, Vec::new(), 0);
        for object in gathered.objects.iter_mut().filter(|object| selector.selects(object)) {
            // copies can multiply what is there
            if !self.can_afford(object.value.size() + operations.size() + std::mem::take(&mut work)) {
                return;
            }
            is_used = true;
            object.store_id();
            if object.is_partial {
                others.extend(json_patch::apply_known(&mut object.value, operations, &mut work));
                continue;
            }
            match json_patch::apply(&mut object.value, operations, &mut work) {
                Ok(tested) => self.build.tested.extend(tested),
                Err(FailedPatch::Refused(at)) => {
                    self.note_uncertain(at, "can't be applied, and kustomize refuses that");
                }
                Err(FailedPatch::TooMuchWork(at)) => {
                    self.note_uncertain(at, "takes more work than tagbump does");
                }
            }
        }
        self.can_afford(work);
        if !is_used {
            others = operations.items().iter().collect();
        }
        if let Some(target) = target.filter(|_| !others.is_empty()) {
            let images = others.into_iter().filter_map(new_container).collect();
            self.patch_of_unknown(object_with_containers(target, images), gathered);
        }
    }

    /// What a patch sets in an object that can't be rendered: the base may be remote.
    fn patch_of_unknown(&mut self, value: Value, gathered: &mut Gathered) {
        let is_deleted = value.text_at(&["$patch"]) == Some("delete");
        if gathered.has_unknown && !is_deleted && value.text_at(&["kind"]).is_some() {
            let file = value.place().map(|place: Place| place.file);
            gathered.objects.push(Object { value, file, is_partial: true, ..Object::default() });
        }
    }
}

/// `Resource.ApplySmPatch`: name, kind and namespace stay. An object that is deleted becomes empty.
fn merge_into(object: &mut Object, patch: &Value, options: MergeOptions) {
    if options.name || options.kind {
        object.store_id();
    }
    let before = object.value.clone();
    let shape = Shape::of(&object.id());
    if !merge_object(&mut object.value, patch, shape) {
        object.value = Value::default();
        return;
    }
    keep(&mut object.value, &before, "apiVersion");
    if !options.kind {
        keep(&mut object.value, &before, "kind");
    }
    if let Some((metadata, before)) = object.value.get_mut("metadata").zip(before.get("metadata")) {
        keep(metadata, before, "namespace");
        if !options.name {
            keep(metadata, before, "name");
        }
    }
}

/// Sets a key to what it was before.
fn keep(value: &mut Value, before: &Value, key: &str) {
    match before.get(key) {
        Some(old) => value.set(key, old.clone()),
        None => drop(value.remove(key)),
    }
}

/// The container that a JSON patch sets, as far as the operation shows.
fn new_container(operation: &Value) -> Option<Value> {
    let path = operation.text_at(&["path"])?;
    let value = operation.get("value").filter(|_| operation.text_at(&["op"]) != Some("test"))?;
    match value {
        Value::Scalar(_) if path.ends_with("/image") => {
            Some(Value::Map(vec![("image".to_owned(), value.clone())]))
        }
        Value::Map(_) if value.get("image").is_some() => Some(value.clone()),
        _ => None,
    }
}

/// An object of which only some containers are known.
fn object_with_containers(target: &Value, containers: Vec<Value>) -> Value {
    let mut object = Value::default();
    if containers.is_empty() {
        return object;
    }
    let text = |key| target.text_at(&[key]).unwrap_or_default();
    let version = if text("version").is_empty() { "v1" } else { text("version") };
    let api_version = match text("group") {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let kind = if text("kind").is_empty() { "Pod" } else { text("kind") };
    let generated = |text: &str| Value::Scalar(Scalar::generated(text));
    object.set("apiVersion", generated(&api_version));
    object.set("kind", generated(kind));
    let under = |key: &str, value: Value| Value::Map(vec![(key.to_owned(), value)]);
    object.set("metadata", under("name", generated(text("name"))));
    let pod = under("containers", Value::List(containers));
    object.set("spec", under("template", under("spec", pod)));
    object
}
