//! Reads values: from files, and from text in scalars.

use super::super::files::Files;
use super::super::place::FileId;
use super::super::value::{Scalar, Value};
use super::merge::overlay;
use super::trail::Trail;
use crate::yaml::scan;

/// The map in a file. Several documents count as one map, as in Helm 4; Helm 3 reads the first only. `None` if
/// there is no such file.
pub fn load_map(files: &mut Files<'_>, path: &str, trail: &mut Trail) -> Option<Value> {
    let id = files.load(path)?;
    trail.files.insert(id);
    Some(maps_of(files, id))
}

/// As [`load_map`], for a file that is already read.
fn maps_of(files: &mut Files<'_>, id: FileId) -> Value {
    let mut map = Value::default();
    for document in files.documents(id) {
        if matches!(document, Value::Map(_)) {
            overlay(&mut map, document);
        }
    }
    map
}

/// The map in the text of a scalar; `None` if it can't be read.
pub fn embedded_map(files: &mut Files<'_>, scalar: &Scalar, trail: &mut Trail) -> Option<Value> {
    let Some(place) = scalar.place else {
        return holds_nothing(&scalar.text).then(Value::default);
    };
    let id = match whole_file(files, scalar) {
        Some(id) => id,
        None => files.load_embedded(place)?,
    };
    trail.files.insert(id);
    files.file(id).yaml.as_ref()?;
    Some(maps_of(files, id))
}

/// Whether a text is YAML without a document, such as that of an empty file. No place in it can be edited.
fn holds_nothing(text: &str) -> bool {
    scan(text.as_bytes()).is_ok_and(|yaml| yaml.roots().is_empty())
}

/// The file whose content the text is, if a generator took it from a file. The place is then its root.
pub fn whole_file(files: &Files<'_>, scalar: &Scalar) -> Option<FileId> {
    let place = scalar.place?;
    let yaml = files.file(place.file).yaml.as_ref();
    yaml.is_none_or(|yaml| yaml.roots().contains(&place.node)).then_some(place.file)
}
