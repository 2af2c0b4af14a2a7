//! `vars`: `$(NAME)` in the places that `configurations` name (kustomize's `refvar` filter). By default, kustomize
//! looks for them only where no image is.

use std::collections::HashMap;

use super::super::composed::{MAX_LENGTH, own_piece, piece_of, set_pieces};
use super::super::value::{Scalar, Value};
use super::builder::{Builder, Gathered, Level};
use super::field_paths::value_at;
use super::value_paths::{lookup, parts};
use super::{Object, ResourceId};

impl Builder<'_, '_> {
    /// A variable stands for an object that its own kustomization has or includes, whatever becomes of the object's name
    /// further out (`ResAccumulator.MergeVars`).
    pub(super) fn bind_variables(&mut self, level: &Level<'_>, gathered: &mut Gathered) {
        let variables = level.list("vars");
        if !self.can_afford(variables.len().saturating_mul(gathered.objects.len())) {
            return;
        }
        for variable in variables {
            let named: Vec<_> = named_by(variable, &gathered.objects).collect();
            match named.as_slice() {
                [] => {}
                [only] => gathered.objects[*only].variables.push(name_of(variable)),
                _ => self
                    .note_uncertain(variable.place(), "is a variable that could stand for several objects"),
            }
        }
        gathered.variables.extend_from_slice(variables);
    }

    /// After everything else is done (`ResAccumulator.ResolveVars`).
    pub(super) fn resolve_variables(&mut self, gathered: &mut Gathered) {
        if gathered.variables.is_empty() || gathered.variable_paths.is_empty() {
            return;
        }
        let objects = gathered.objects.len();
        if !self.can_afford(objects.saturating_mul(gathered.variables.len() + gathered.variable_paths.len()))
        {
            return;
        }
        let mut values: HashMap<String, Scalar> = HashMap::new();
        for variable in &gathered.variables {
            let name = name_of(variable);
            match value_of(variable, &name, &gathered.objects) {
                // no image is as long
                Some(value) if value.text.len() > MAX_LENGTH => {}
                Some(value) => drop(values.insert(name, value)),
                None => self.note_uncertain(variable.place(), "is a variable whose value can't be found"),
            }
        }
        for object in &mut gathered.objects {
            let id = object.id();
            let mut found = Vec::new();
            for path in &gathered.variable_paths {
                path.find(&object.value, &id, &mut |steps| found.push(steps));
            }
            for steps in found {
                if let Some(Value::Scalar(scalar)) = value_at(&mut object.value, &steps) {
                    replace(scalar, &values);
                }
            }
        }
    }
}

fn name_of(variable: &Value) -> String {
    variable.text_at(&["name"]).unwrap_or_default().to_owned()
}

/// The positions of the objects that a variable names.
fn named_by<'o>(variable: &Value, objects: &'o [Object]) -> impl Iterator<Item = usize> + use<'o> {
    let reference = variable.get("objref");
    let text = |key| reference.and_then(|reference| reference.text_at(&[key])).unwrap_or_default().to_owned();
    let api_version = text("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let (group, version) = match api_version.is_empty() {
        true => (text("group"), text("version")),
        false => (group.to_owned(), version.to_owned()),
    };
    let (kind, name, namespace) = (text("kind"), text("name"), text("namespace"));
    let id = ResourceId { group, version, kind, name, namespace };
    let is_named = move |object: &Object| match id.namespace.is_empty() {
        true => object.ids().any(|other| other.is_same_without_namespace(&id)),
        false => object.ids().any(|other| other.is_same(&id)),
    };
    objects.iter().enumerate().filter(move |(_, object)| is_named(object)).map(|(at, _)| at)
}

/// The scalar that a variable stands for.
fn value_of(variable: &Value, name: &str, objects: &[Object]) -> Option<Scalar> {
    let object = objects.iter().find(|object| object.variables.iter().any(|bound| bound == name))?;
    let path = variable.text_at(&["fieldref", "fieldpath"]).or(variable.text_at(&["fieldref", "fieldPath"]));
    lookup(&object.value, &parts(path.unwrap_or("metadata.name")))?.scalar().cloned()
}

/// `expansion.Expand`: `$$` stands for `$`, and a name without a value stays.
fn replace(scalar: &mut Scalar, values: &HashMap<String, Scalar>) {
    let mut pieces = Vec::new();
    let (mut start, mut at, mut length) = (0, 0, scalar.text.len());
    while length <= MAX_LENGTH
        && let Some(found) = scalar.text[at..].find('$')
    {
        let dollar = at + found;
        let rest = &scalar.text[dollar + 1..];
        let name = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(name, _)| name);
        at = match name {
            _ if rest.starts_with('$') => dollar + 2,
            Some(name) => {
                let end = dollar + 3 + name.len();
                if let Some(value) = values.get(name) {
                    pieces.push(own_piece(scalar, start..dollar));
                    pieces.push(piece_of(value, 0..value.text.len(), name));
                    start = end;
                    length += value.text.len();
                }
                end
            }
            None => dollar + 1,
        };
    }
    if pieces.is_empty() || length > MAX_LENGTH {
        return;
    }
    pieces.push(own_piece(scalar, start..scalar.text.len()));
    set_pieces(scalar, pieces.into_iter().filter(|piece| !piece.text.is_empty()).collect());
}
