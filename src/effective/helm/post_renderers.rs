//! `postRenderers`: kustomizations of what the chart renders.

use std::collections::HashSet;

use super::super::files::Files;
use super::super::images::object_images;
use super::super::kustomize::{Build, build_around_unseen, entries};
use super::super::place::Place;
use super::super::root::UnmatchedEntry;
use super::super::setting::{EffectiveImage, Link, Setting};
use super::super::value::{Scalar, Value};
use super::trail::Trail;

/// Applies the post-renderers of a release to the images of its chart; gives the entries that match none. Each one is
/// a kustomization of its own. (Flux, `postrender.Kustomize`.)
pub fn apply(
    files: &mut Files<'_>,
    release: &Value,
    images: &mut Vec<EffectiveImage>,
    trail: &mut Trail,
) -> Vec<UnmatchedEntry> {
    let renderers = release.at(&["spec", "postRenderers"]).map(Value::items).unwrap_or_default();
    let kustomizations = renderers.iter().filter_map(|renderer| renderer.get("kustomize"));
    kustomizations.flat_map(|kustomization| one(files, kustomization, images, trail)).collect()
}

fn one(
    files: &mut Files<'_>,
    kustomization: &Value,
    images: &mut Vec<EffectiveImage>,
    trail: &mut Trail,
) -> Vec<UnmatchedEntry> {
    let Build { objects, unmatched, files: read, unknown, uncertain, .. } =
        build_around_unseen(files, kustomization);
    trail.extend(Trail { files: read, unknown, uncertain });
    let patched: Vec<_> = objects.iter().flat_map(|object| object_images(&object.value)).collect();
    // which of the chart's containers a patch changes can't be seen
    for image in &patched {
        trail.uncertain(image.named_at, "patches a container of the chart");
    }
    let mut patched: Vec<EffectiveImage> =
        patched.into_iter().map(|image| take_over(image, images)).collect();
    let matched = apply_entries(files, kustomization, images, trail);
    images.append(&mut patched);
    unmatched.into_iter().filter(|entry| !matched.contains(&entry.name)).collect()
}

/// The image of a patch takes the place of the chart's image with the same name.
fn take_over(mut image: EffectiveImage, images: &mut Vec<EffectiveImage>) -> EffectiveImage {
    let name = image.chain.first().map_or(image.name.clone(), |link| link.name.clone());
    let (replaced, kept): (Vec<_>, Vec<_>) =
        std::mem::take(images).into_iter().partition(|other| other.name == name);
    *images = kept;
    let places = |image: &EffectiveImage| {
        let winning = image.winning().and_then(Setting::place);
        image.weaker().chain(winning).collect::<Vec<_>>()
    };
    let weaker: Vec<Place> = replaced.iter().flat_map(places).collect();
    image.overridden.splice(0..0, weaker);
    image
}

/// Gives the entries that matched an image.
fn apply_entries(
    files: &mut Files<'_>,
    kustomization: &Value,
    images: &mut [EffectiveImage],
    trail: &mut Trail,
) -> HashSet<Place> {
    let mut matched = HashSet::new();
    let entries = entries(kustomization);
    if entries.is_empty() || !files.spend(entries.len().saturating_mul(images.len())) {
        if !entries.is_empty() {
            trail.uncertain(kustomization.place(), "is too large");
        }
        return matched;
    }
    for image in images {
        let mut scalar = as_scalar(image);
        let has_matched = entries.iter().filter(|entry| entry.apply(&mut scalar));
        let names: Vec<Place> = has_matched.filter_map(|entry| entry.place).collect();
        if !names.is_empty() {
            changed(image, scalar);
        }
        matched.extend(names);
    }
    matched
}

/// The image as a container's scalar.
fn as_scalar(image: &EffectiveImage) -> Scalar {
    let EffectiveImage { name, tag, digest, chain, .. } = image;
    let (name, tag, digest) = (name.clone(), tag.clone(), digest.clone());
    let text = Link { setting: Setting::generated(), name, tag, digest }.text();
    Scalar { links: chain.clone(), ..Scalar::generated(text) }
}

fn changed(image: &mut EffectiveImage, scalar: Scalar) {
    let Some(Link { name, tag, digest, .. }) = scalar.links.last().cloned() else { return };
    // an image that only has a name has no chain, but the first change makes a link for what was there
    let had_none = usize::from(image.chain.is_empty());
    image.chain = scalar.links.into_iter().skip(had_none).collect();
    image.app_version = None;
    (image.name, image.tag, image.digest) = (name, tag, digest);
}
