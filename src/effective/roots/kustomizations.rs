//! The kustomizations around an image, and which of them something else includes or points to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::files::{Files, folder_of, join};
use super::super::kustomize::kustomization_file;
use super::super::value::Value;
use super::scene::{KUSTOMIZATION_FILES, Scene};
use crate::file_selection::file_name;

/// The kustomizations that have to do with an image.
pub(super) struct Kustomizations {
    /// By folder; whether it is a Component.
    folders: BTreeMap<String, bool>,
    /// The folders that another kustomization includes.
    included: BTreeSet<String>,
}

impl Kustomizations {
    pub fn among(files: &mut Files<'_>, scene: &Scene<'_>) -> Self {
        let (mut folders, mut included) = (BTreeMap::new(), BTreeSet::new());
        let paths = scene.reached.iter().filter(|path| KUSTOMIZATION_FILES.contains(&file_name(path)));
        for folder in paths.map(|path| folder_of(path)) {
            let Some(file) = kustomization_file(files, folder) else { continue };
            let Some(value) = files.documents(file).into_iter().next() else { continue };
            included.extend(includes(folder, &value));
            folders.insert(folder.to_owned(), value.text_at(&["kind"]) == Some("Component"));
        }
        Kustomizations { folders, included }
    }

    /// The folders of those that nothing includes and nothing points to. A Component is none: only what includes it
    /// deploys it.
    pub fn alone<'a>(&'a self, pointed_to: &'a BTreeSet<String>) -> impl Iterator<Item = &'a String> {
        let alone = self.folders.iter().filter(|(_, is_component)| !**is_component).map(|(folder, _)| folder);
        alone.filter(|folder| !self.included.contains(*folder) && !pointed_to.contains(*folder))
    }
}

/// The folders that a kustomization includes, as they are written there.
fn includes(folder: &str, kustomization: &Value) -> Vec<String> {
    let lists = ["resources", "bases", "components"].into_iter().filter_map(|key| kustomization.get(key));
    lists.flat_map(Value::items).filter_map(|item| join(folder, item.text()?)).collect()
}
