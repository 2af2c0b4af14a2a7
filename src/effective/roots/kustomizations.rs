//! What kustomize builds: every kustomization that no other one includes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::files::{Files, folder_of, join};
use super::super::kustomize::{Additions, Build, build, kustomization_file};
use super::super::root::Root;
use super::super::value::Value;
use super::Deployment;
use super::scene::{KUSTOMIZATION_FILES, Scene, file_name};

/// What the kustomizations around an image deploy.
pub(super) fn deployments(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Deployment> {
    let found = Kustomizations::among(files, scene);
    let roots: Vec<&String> = found.roots().collect();
    roots.into_iter().map(|folder| deployment(files, folder)).collect()
}

/// The kustomizations that have to do with an image.
struct Kustomizations {
    /// By folder; whether it is a Component.
    folders: BTreeMap<String, bool>,
    /// The folders that another kustomization includes.
    included: BTreeSet<String>,
}

impl Kustomizations {
    fn among(files: &mut Files<'_>, scene: &Scene<'_>) -> Self {
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

    /// Those that nothing includes. A Component is none: only what includes it deploys it.
    fn roots(&self) -> impl Iterator<Item = &String> {
        let alone = self.folders.iter().filter(|(folder, _)| !self.included.contains(*folder));
        alone.filter(|(_, is_component)| !**is_component).map(|(folder, _)| folder)
    }
}

/// The folders that a kustomization includes, as they are written there.
fn includes(folder: &str, kustomization: &Value) -> Vec<String> {
    let lists = ["resources", "bases", "components"].into_iter().filter_map(|key| kustomization.get(key));
    lists.flat_map(Value::items).filter_map(|item| join(folder, item.text()?)).collect()
}

fn deployment(files: &mut Files<'_>, folder: &str) -> Deployment {
    let name = if folder.is_empty() { "." } else { folder };
    let Build { objects, unmatched, files, unknown, uncertain, .. } =
        build(files, folder, &Additions::default());
    let root = Root {
        name: format!("kustomization {name}"),
        unmatched,
        files,
        unknown,
        uncertain,
        ..Root::default()
    };
    Deployment { root, objects: objects.into_iter().map(|object| object.value).collect() }
}
