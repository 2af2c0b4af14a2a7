//! The releases of helmfiles.

use super::super::entry_files::EntryFiles;
use super::super::files::Files;
use super::super::helm::{Trail, UsedCharts};
use super::super::helmfile::{HelmfileRelease, charts_of_template, is_helmfile, releases};
use super::super::root::{Doubt, Root};
use super::scene::Scene;

/// A root for each release of the reached helmfiles. Adds the charts that they use to `used`.
pub(super) fn roots(files: &mut Files<'_>, scene: &Scene<'_>, used: &mut UsedCharts) -> Vec<Root> {
    let mut roots = Vec::new();
    for path in scene.reached.iter().filter(|path| is_helmfile(path)) {
        for release in releases(files, path) {
            used.charts.extend(release.chart.clone());
            used.values_files.extend(release.values_files.clone());
            roots.push(root(path, release));
        }
        roots.extend(template(files, path));
    }
    roots
}

fn root(path: &str, release: HelmfileRelease) -> Root {
    let HelmfileRelease { name, images, values_files, trail, may_render, .. } = release;
    let Trail { files, unknown, uncertain } = trail;
    Root {
        name: format!("release {name} in {path}"),
        entry: EntryFiles::of_pointer(&values_files, &EntryFiles::default(), Some(path)),
        images,
        files,
        unknown,
        uncertain,
        may_render: may_render.into_iter().collect(),
        ..Root::default()
    }
}

/// A root for a helmfile that isn't YAML before Helmfile has filled it in.
fn template(files: &mut Files<'_>, path: &str) -> Option<Root> {
    let id = files.load(path)?;
    let file = files.file(id);
    let text = std::str::from_utf8(&file.bytes).ok().filter(|_| file.yaml.is_none())?;
    let may_render = charts_of_template(text, path);
    let doubt = Doubt { at: None, what: format!("{path}: is a template of releases") };
    let name = "the releases that it makes".to_owned();
    (!may_render.is_empty()).then(|| Root { name, may_render, uncertain: vec![doubt], ..Root::default() })
}
