//! `helmCharts`: charts that kustomize renders while it builds.

use std::collections::BTreeSet;

use super::super::files::{Files, join};
use super::super::images::values_images;
use super::super::place::{FileId, Place};
use super::super::root::Doubt;
use super::super::setting::EffectiveImage;
use super::super::value::Value;
use super::chart::Chart;
use super::maps::load_map;
use super::merge::overlay;
use super::trail::Trail;

/// A chart of a kustomization, rendered.
#[derive(Clone, Debug, Default)]
pub struct RenderedChart {
    pub images: Vec<EffectiveImage>,
    /// The values files that it uses. The chart's folder is known before.
    pub values_files: Vec<String>,
    pub files: BTreeSet<FileId>,
    pub unknown: Vec<Doubt>,
    pub uncertain: Vec<Doubt>,
}

/// Renders an item of `helmCharts` of the kustomization in a folder. `chart` is the chart's folder, if it is in the
/// repository. First come the chart's values, then `valuesFile` and `valuesInline` as `valuesMerge` orders them, then `additionalValuesFiles`. (kustomize, `HelmChartInflationGeneratorPlugin`.)
pub fn inflated(files: &mut Files<'_>, folder: &str, chart: Option<&str>, item: &Value) -> RenderedChart {
    let mut reader = ChartValuesReader { files, folder, trail: Trail::default(), values_files: Vec::new() };
    let mut user = reader.values(item, chart);
    for path in item.get("additionalValuesFiles").map(Value::items).unwrap_or_default() {
        overlay(&mut user, path.text().map(|text| reader.file(text, path.place())).unwrap_or_default());
    }
    let ChartValuesReader { files, mut trail, values_files, .. } = reader;
    let chart = chart.and_then(|chart| Chart::load(files, chart, &mut trail));
    let cost = chart.as_ref().map_or_else(|| user.size(), |chart| chart.cost(&user));
    let images = if !files.spend(cost) {
        trail.uncertain(item.place(), "is too large");
        Vec::new()
    } else {
        match chart {
            Some(chart) => chart.images(user, &mut trail.uncertain),
            None => values_images(&user),
        }
    };
    let Trail { files, unknown, uncertain } = trail;
    RenderedChart { images, values_files, files, unknown, uncertain }
}

/// Reads values files relative to a kustomization.
struct ChartValuesReader<'r, 'f> {
    files: &'r mut Files<'f>,
    folder: &'r str,
    trail: Trail,
    values_files: Vec<String>,
}

impl ChartValuesReader<'_, '_> {
    /// `valuesFile` and `valuesInline`. Without a `valuesFile`, the chart's values.yaml counts as one.
    /// (`createNewMergedValuesFile`, `replaceValuesInline`.)
    fn values(&mut self, item: &Value, chart: Option<&str>) -> Value {
        let inline = item.get("valuesInline").filter(|inline| !inline.pairs().is_empty()).cloned();
        let mode = item.text_at(&["valuesMerge"]).filter(|mode| !mode.is_empty()).unwrap_or("override");
        if let (Some(inline), "replace") = (&inline, mode) {
            return inline.clone();
        }
        let named = item.get("valuesFile").filter(|path| path.text().is_some_and(|text| !text.is_empty()));
        let file = match (named.and_then(|path| Some((path.text()?, path.place()))), chart) {
            (Some((path, at)), _) => self.file(path, at),
            (None, Some(chart)) => self.default_values(chart),
            (None, None) => Value::default(),
        };
        let Some(inline) = inline else { return file };
        let (mut weaker, stronger) = if mode == "merge" { (inline, file) } else { (file, inline) };
        weaker.merge(stronger);
        weaker
    }

    fn default_values(&mut self, chart: &str) -> Value {
        let path = join(chart, "values.yaml");
        path.and_then(|path| load_map(self.files, &path, &mut self.trail)).unwrap_or_default()
    }

    fn file(&mut self, path: &str, at: Option<Place>) -> Value {
        let local = join(self.folder, path);
        let read = local.and_then(|path| Some((load_map(self.files, &path, &mut self.trail)?, path)));
        let Some((values, path)) = read else {
            self.trail.uncertain(at, "names a values file that does not exist");
            return Value::default();
        };
        self.values_files.push(path);
        values
    }
}
