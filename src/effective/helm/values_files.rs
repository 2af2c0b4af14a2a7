//! The values files beside a chart, and the roots that they make.

use std::collections::{BTreeSet, HashSet};

use super::super::entry_files::EntryFiles;
use super::super::files::{Files, folder_of, join};
use super::super::place::Place;
use super::super::root::Root;
use super::super::setting::{EffectiveImage, Setting};
use super::super::value::Value;
use super::chart::Chart;
use super::maps::load_map;
use super::trail::Trail;
use crate::file_selection::file_name;
use crate::image;

/// The charts and values files that releases, Applications and kustomizations use.
#[derive(Clone, Debug, Default)]
pub struct UsedCharts {
    /// Folders.
    pub charts: BTreeSet<String>,
    pub values_files: BTreeSet<String>,
    /// What is overridden in the charts of Applications that aren't written in this repository.
    pub overridden: HashSet<Place>,
}

impl UsedCharts {
    pub fn extend(&mut self, other: UsedCharts) {
        self.charts.extend(other.charts);
        self.values_files.extend(other.values_files);
        self.overridden.extend(other.overridden);
    }

    /// Whether something else sets what a chart's values say of an image.
    fn overrides(&self, image: &EffectiveImage) -> bool {
        let place = image.winning().and_then(Setting::place).or(image.named_at);
        place.is_some_and(|place| self.overridden.contains(&place))
    }
}

/// The roots of the charts in these folders, each with a Chart.yaml: every values file that nothing uses, together
/// with values.yaml; and values.yaml alone, if nothing uses the chart. [`Root::defaults`] lists what values.yaml
/// sets only as a default.
pub fn chart_roots(files: &mut Files<'_>, folders: &[String], used: &UsedCharts) -> Vec<Root> {
    let charts: Vec<(Chart, Trail)> = folders
        .iter()
        .filter_map(|folder| {
            let mut trail = Trail::default();
            Chart::load(files, folder, &mut trail).map(|chart| (chart, trail))
        })
        .collect();
    let others = |chart: &Chart| {
        let mut folders = chart.contained_folders();
        folders.remove(&chart.folder);
        folders
    };
    let contained: BTreeSet<String> = charts.iter().flat_map(|(chart, _)| others(chart)).collect();
    let usage = |chart: &Chart| match &chart.folder {
        folder if used.charts.contains(folder) => Usage::Deployed,
        folder if contained.contains(folder) => Usage::Contained,
        _ => Usage::None,
    };
    let mut roots = Vec::new();
    for (chart, trail) in &charts {
        let paths = values_files(files, &chart.folder);
        let paths: Vec<&str> = paths.into_iter().filter(|path| !used.values_files.contains(*path)).collect();
        let usage = (usage(chart), used);
        roots.extend(alone(files, chart, trail, usage, !paths.is_empty()));
        roots.extend(paths.into_iter().map(|path| with_file(files, chart, trail, usage, path)));
    }
    roots
}

/// Whether a tag moves, or isn't there at all.
pub fn is_floating(tag: Option<&str>) -> bool {
    tag.is_none_or(|tag| tag.is_empty() || image::is_floating(tag))
}

/// What uses a chart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Usage {
    None,
    /// Another chart contains it.
    Contained,
    /// A release, an Application or a kustomization.
    Deployed,
}

/// The chart with values.yaml alone. A tag that floats is only a default if a values file or a release is there to set
/// it.
fn alone(
    files: &mut Files<'_>,
    chart: &Chart,
    trail: &Trail,
    (usage, used): (Usage, &UsedCharts),
    has_values_files: bool,
) -> Option<Root> {
    let path = join(&chart.folder, "values.yaml").unwrap_or_default();
    let mut root = root(format!("chart {}", shown(&chart.folder)), &path, trail.clone());
    let images = render(files, chart, Value::default(), &mut root).into_iter();
    let (overridden, images): (Vec<_>, Vec<_>) = images.partition(|image| used.overrides(image));
    root.defaults = overridden.into_iter().filter(floats).collect();
    if usage == Usage::None && !has_values_files {
        return Some(Root { images, ..root });
    }
    let (mut defaults, mut real): (Vec<_>, Vec<_>) = images.into_iter().partition(floats);
    if usage == Usage::Contained && !has_values_files {
        defaults.clear();
    }
    if usage != Usage::None {
        real.clear();
    }
    defaults.append(&mut root.defaults);
    (!defaults.is_empty() || !real.is_empty()).then_some(Root { images: real, defaults, ..root })
}

/// The chart with a values file. If something deploys the chart, a floating tag of the chart's own values is only a
/// default here too.
fn with_file(
    files: &mut Files<'_>,
    chart: &Chart,
    trail: &Trail,
    (usage, used): (Usage, &UsedCharts),
    path: &str,
) -> Root {
    let mut trail = trail.clone();
    let user = load_map(files, path, &mut trail).unwrap_or_default();
    let name = file_name(path);
    let mut root = root(format!("chart {} with {name}", shown(&chart.folder)), path, trail);
    let images = render(files, chart, user, &mut root);
    let file = files.load(path);
    let is_default = |image: &EffectiveImage| {
        let place = image.winning().and_then(Setting::place);
        let is_deployed = usage == Usage::Deployed || used.overrides(image);
        is_deployed && floats(image) && place.is_some_and(|place| Some(place.file) != file)
    };
    (root.defaults, root.images) = images.into_iter().partition(is_default);
    root
}

fn floats(image: &EffectiveImage) -> bool {
    image.digest.is_none() && is_floating(image.tag.as_deref())
}

fn render(files: &mut Files<'_>, chart: &Chart, user: Value, root: &mut Root) -> Vec<EffectiveImage> {
    if files.spend(chart.cost(&user)) {
        return chart.images(user, &mut root.uncertain);
    }
    root.uncertain.push(super::super::root::Doubt { at: None, what: "is too large".to_owned() });
    Vec::new()
}

fn root(name: String, entry: &str, trail: Trail) -> Root {
    let Trail { files, unknown, uncertain } = trail;
    Root { name, entry: EntryFiles::of_file(entry), files, unknown, uncertain, ..Root::default() }
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// The values files of environments in a chart's folder, without values.yaml.
pub fn values_files<'a>(files: &Files<'a>, folder: &str) -> Vec<&'a str> {
    files.below(folder).filter(|path| folder_of(path) == folder && is_environment(path)).collect()
}

/// Whether a file is named `values-X`, `values.X`, `values_X` or `X-values`.
fn is_environment(path: &str) -> bool {
    let name = file_name(path);
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
    let after = stem.strip_prefix("values").and_then(|rest| rest.strip_prefix(['-', '.', '_']));
    after.or_else(|| stem.strip_suffix("-values")).is_some_and(|environment| !environment.is_empty())
}
