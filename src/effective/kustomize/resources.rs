//! What a kustomization includes: files, folders, components, and what is out of reach.

use super::super::files::{Files, join};
use super::super::place::FileId;
use super::super::value::Value;
use super::{Object, ResourceId, kustomization_file};

/// The way that an item of `resources` or `components` leads.
pub(super) enum Included {
    File(FileId),
    /// A folder with a kustomization.
    Folder(String),
    /// A URL, or a repository somewhere else.
    Remote,
    Missing,
}

/// Follows a path (`KustTarget.accumulateResources`: first as a file, then as a folder, then as a repository).
pub(super) fn follow(files: &mut Files<'_>, folder: &str, path: &str) -> Included {
    let Some(local) = join(folder, path) else { return Included::Missing };
    if let Some(file) = files.load(&local) {
        return Included::File(file);
    }
    if kustomization_file(files, &local).is_some() {
        return Included::Folder(local);
    }
    if is_remote(path) { Included::Remote } else { Included::Missing }
}

/// Whether a path looks like a URL or like a repository on a host (`git.NewRepoSpecFromURL`).
pub(super) fn is_remote(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("git::")
        || (!first.starts_with('.') && first.contains(['.', ':']) && path.contains('/'))
}

/// The objects in a file. Lists are replaced by their items (`Factory.inlineAnyEmbeddedLists`).
pub(super) fn objects(files: &mut Files<'_>, file: FileId) -> Vec<Object> {
    let mut waiting = files.documents(file);
    waiting.reverse();
    let mut objects = Vec::new();
    while let Some(mut value) = waiting.pop() {
        let is_list = value.text_at(&["kind"]).is_some_and(|kind| kind.ends_with("List"));
        match is_list.then(|| value.remove("items")).flatten() {
            Some(Value::List(items)) => waiting.extend(items.into_iter().rev()),
            Some(_) => {}
            None if value.text_at(&["kind"]).is_some() => {
                objects.push(Object { value, file: Some(file), ..Object::default() });
            }
            None => {}
        }
    }
    objects
}

/// Whether kustomize leaves an object out of its output (`Factory.DropLocalNodes`).
pub(super) fn is_local_config(object: &Object) -> bool {
    let annotation = ["metadata", "annotations", "config.kubernetes.io/local-config"];
    object.value.at(&annotation).is_some() && object.value.text_at(&annotation) != Some("false")
}

/// The objects that an ID in a patch means (`resWrangler.GetById`): now, or before their names changed.
pub(super) fn with_id<'o>(
    objects: &'o mut [Object],
    id: &'o ResourceId,
) -> impl Iterator<Item = &'o mut Object> + 'o {
    objects.iter_mut().filter(|object| object.ids().any(|other| other.is_same(id)))
}
