//! Templates of charts that make Applications, Flux Kustomizations or HelmReleases, and that aren't valid YAML themselves.

use memchr::memmem::find;

use super::super::files::Files;
use super::super::folder_pattern::FolderPattern;
use super::super::root::{Doubt, Root};
use super::scene::Scene;

/// The API groups of what such a template makes, and how a message calls it.
const GROUPS: [(&[u8], &str); 3] = [
    (b"argoproj.io/", "Applications"),
    (b"helm.toolkit.fluxcd.io/", "HelmReleases"),
    (b"kustomize.toolkit.fluxcd.io/", "Flux Kustomizations"),
];

/// What changes the images of the folder that it deploys.
const CHANGES: [&[u8]; 7] =
    [b"helm:", b"kustomize:", b"plugin:", b"values:", b"valuesFrom:", b"patches:", b"images:"];

/// More folders of one template aren't looked at.
const MAX_FOLDERS: usize = 100;

/// A root for each such template that may change what other roots run.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>) -> Vec<Root> {
    scene.reached.iter().filter_map(|path| root(files, path)).collect()
}

fn root(files: &mut Files<'_>, path: &str) -> Option<Root> {
    let id = files.load(path)?;
    let file = files.file(id);
    let has = |text: &[u8]| find(&file.bytes, text).is_some();
    if file.yaml.is_some() || !has(b"{{") || !CHANGES.into_iter().any(has) {
        return None;
    }
    let (_, kinds) = GROUPS.into_iter().find(|(group, _)| has(group))?;
    let may_render: Vec<FolderPattern> = folders(&file.bytes).take(MAX_FOLDERS).collect();
    let what = format!("{path}: is a template of {kinds}");
    (!may_render.is_empty()).then(|| Root {
        name: format!("the {kinds} that it makes"),
        may_render,
        uncertain: vec![Doubt { at: None, what }],
        ..Root::default()
    })
}

/// The folders behind `path:` and `chart:`. A path that is nothing but a placeholder, or the root of any repository, says nothing.
fn folders(bytes: &[u8]) -> impl Iterator<Item = FolderPattern> {
    let lines = std::str::from_utf8(bytes).unwrap_or_default().lines();
    let paths = lines.filter_map(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        let path = line.strip_prefix("path:").or_else(|| line.strip_prefix("chart:"))?;
        Some(path.trim().trim_matches(['"', '\'']))
    });
    let patterns =
        paths.filter(|path| !path.is_empty() && !path.starts_with("{{")).filter_map(FolderPattern::new);
    patterns.filter(|pattern| pattern.text() != "*")
}
