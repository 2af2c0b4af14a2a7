//! Flux's HelmRelease.

use std::collections::BTreeSet;

use super::super::files::Files;
use super::super::folder_pattern::FolderPattern;
use super::super::images::values_images;
use super::super::place::{FileId, Place};
use super::super::root::{Doubt, StaleChart, UnmatchedEntry};
use super::super::setting::EffectiveImage;
use super::super::unfilled::{UNFILLED, has_unquoted, is_unfilled, may_set_image};
use super::super::value::Value;
use super::chart::Chart;
use super::maps::load_map;
use super::merge::overlay;
use super::post_renderers;
use super::source::{Around, LocalChart, local_chart, local_spec};
use super::templates;
use super::trail::Trail;
use super::values_from::{ReleaseValues, release_values};

/// A rendered HelmRelease.
#[derive(Clone, Debug, Default)]
pub struct Release {
    pub images: Vec<EffectiveImage>,
    /// Entries of its post-renderers that matched no image. The chart's templates may still use them.
    pub unmatched: Vec<UnmatchedEntry>,
    pub files: BTreeSet<FileId>,
    pub unknown: Vec<Doubt>,
    pub uncertain: Vec<Doubt>,
    /// The folder of its chart, if that is in this repository.
    pub chart: Option<String>,
    /// The values files that it uses.
    pub values_files: Vec<String>,
    pub stale: Vec<StaleChart>,
    /// The folders of charts that it may use, if its chart's path has a variable.
    pub may_render: Option<FolderPattern>,
}

/// Renders a HelmRelease: the chart's values, those of the release, then its post-renderers.
pub fn release(files: &mut Files<'_>, release: &Value, around: &Around<'_>) -> Release {
    let mut trail = Trail::default();
    let own = release_values(files, release, around, &mut trail);
    let spec = local_spec(release, around);
    let local = spec.and_then(|spec| local_chart(files, spec));
    let chart = local.as_ref().and_then(|local| load(files, local, &mut trail));
    let mut images = match &chart {
        Some((chart, _)) if !files.spend(chart.cost(&own.values)) => {
            trail.uncertain(release.place(), "is too large");
            Vec::new()
        }
        Some((chart, _)) => chart.images(own.values.clone(), &mut trail.uncertain),
        None => values_images(&own.values),
    };
    if chart.is_none() {
        trail.unknown(
            release.at(&["spec"]).and_then(Value::place),
            "uses a chart that is not in this repository",
        );
    }
    if may_be_filled(release) {
        trail.uncertain(release.at(&["spec"]).and_then(Value::place), UNFILLED);
    }
    let may_render = spec.and_then(|spec| chart_with_variable(spec, &mut trail));
    doubt_missing(&own, &images, &mut trail);
    // the tag's own place says that by itself
    let is_tag =
        |doubt: &&Doubt| doubt.at.is_some() && images.iter().any(|image| image.deciding_place() == doubt.at);
    trail.uncertain.extend(own.unread.iter().filter(|doubt| !is_tag(doubt)).cloned());
    let seen = match &chart {
        Some((chart, _)) if post_renderers::has_patches(release) => {
            templates::objects(files, chart, own.values, &images, &release_name(release))
        }
        _ => Vec::new(),
    };
    let unmatched = post_renderers::apply(files, release, seen, &mut images, &mut trail);
    let packed = chart.as_ref().map(|(_, packed)| packed);
    let stale = match (&local, packed) {
        (Some(local), Some(packed)) if !local.each_revision => stale(local, packed, &images),
        _ => Vec::new(),
    };
    let Trail { files, unknown, uncertain } = trail;
    let (chart, values_files) = match local {
        Some(local) => (Some(local.folder), local.values_files.into_iter().map(|(path, _)| path).collect()),
        None => (None, Vec::new()),
    };
    Release { images, unmatched, files, unknown, uncertain, chart, values_files, stale, may_render }
}

/// The charts that a release may use, if its chart's path has a variable.
fn chart_with_variable(spec: &Value, trail: &mut Trail) -> Option<FolderPattern> {
    let path = spec.get("chart").filter(|path| path.text().is_some_and(|path| path.contains("${")))?;
    trail.uncertain(path.place(), "has a path with a variable");
    FolderPattern::new(path.text()?)
}

/// Whether placeholders may change the images of a release, as in a chart's template.
fn may_be_filled(release: &Value) -> bool {
    let is_at = |key, test: fn(&Value) -> bool| release.at(&["spec", key]).is_some_and(test);
    is_at("values", |values| is_unfilled(values) || may_set_image(values))
        || ["valuesFrom", "postRenderers"]
            .iter()
            .any(|key| is_at(key, |list| is_unfilled(list) || has_unquoted(list)))
}

/// `.Release.Name` (Flux, `release.ShortenName` of `HelmRelease.GetReleaseName`).
fn release_name(release: &Value) -> String {
    let text = |path: &[&str]| release.text_at(path).filter(|text| !text.is_empty());
    if let Some(name) = text(&["spec", "releaseName"]) {
        return name.to_owned();
    }
    let name = text(&["metadata", "name"]).unwrap_or_default();
    text(&["spec", "targetNamespace"]).map_or(name.to_owned(), |namespace| format!("{namespace}-{name}"))
}

/// The chart with the values that Flux packs into it, and the files that they are from. `valuesFiles` replace
/// values.yaml. (Flux, `chart.localChartBuilder.Build`.)
fn load(files: &mut Files<'_>, local: &LocalChart, trail: &mut Trail) -> Option<(Chart, BTreeSet<FileId>)> {
    let mut own = Trail::default();
    let mut chart = Chart::load(files, &local.folder, &mut own)?;
    if !local.values_files.is_empty() {
        let mut values = Value::default();
        for (path, at) in &local.values_files {
            match load_map(files, path, &mut own) {
                Some(map) => overlay(&mut values, map),
                None if local.ignore_missing => {}
                None => own.uncertain(*at, format!("names {path}, which does not exist")),
            }
        }
        chart.set_values(values);
    }
    let packed = own.files.clone();
    trail.extend(own);
    Some((chart, packed))
}

/// Values that can't be read here may set an image that nothing stronger sets.
fn doubt_missing(own: &ReleaseValues, images: &[EffectiveImage], trail: &mut Trail) {
    let is_strongest = |image: &EffectiveImage| {
        let place = image.winning().and_then(|setting| setting.place());
        place.is_some_and(|place| own.strongest.contains(&place))
    };
    let all_set = images.iter().all(is_strongest);
    for (at, why) in &own.missing {
        let doubt = Doubt { at: *at, what: format!("takes values from {why}") };
        if all_set { trail.unknown.push(doubt) } else { trail.uncertain.push(doubt) }
    }
}

fn stale(local: &LocalChart, packed: &BTreeSet<FileId>, images: &[EffectiveImage]) -> Vec<StaleChart> {
    let winning = images.iter().filter_map(|image| image.winning()?.place());
    // a digest decides what runs, whatever sets the tag
    let digests = images.iter().filter_map(EffectiveImage::digest_place);
    let places: BTreeSet<Place> = winning.chain(digests).collect();
    places
        .into_iter()
        .filter(|place| packed.contains(&place.file))
        .map(|place| StaleChart { place, chart: local.folder.clone() })
        .collect()
}
