//! `postRenderers`: kustomizations of what the chart renders.

use super::super::files::Files;
use super::super::images::object_images;
use super::super::kustomize::{Build, build_around_chart};
use super::super::place::Place;
use super::super::root::UnmatchedEntry;
use super::super::setting::EffectiveImage;
use super::super::value::Value;
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
    let names: Vec<String> = images.iter().map(|image| image.name.clone()).collect();
    let built = build_around_chart(files, kustomization, std::mem::take(images));
    let Build { objects, chart_images, unmatched, files: read, unknown, uncertain, .. } = built;
    trail.extend(Trail { files: read, unknown, uncertain });
    let mut rest: Vec<(String, EffectiveImage)> = names.into_iter().zip(chart_images).collect();
    for patched in objects.iter().flat_map(|object| object_images(&object.value)) {
        // which of the chart's containers the patch changes can't be seen
        trail.uncertain(patched.named_at, "patches a container of the chart");
        images.push(take_over(patched, &mut rest));
    }
    images.extend(rest.into_iter().map(|(_, image)| image));
    unmatched
}

/// The image of a patch takes the place of the chart's images that had the same name.
fn take_over(mut patched: EffectiveImage, rest: &mut Vec<(String, EffectiveImage)>) -> EffectiveImage {
    let own = patched.chain.first().map_or(&patched.name, |link| &link.name).clone();
    let (replaced, kept): (Vec<_>, Vec<_>) =
        std::mem::take(rest).into_iter().partition(|(name, _)| *name == own);
    *rest = kept;
    let all_places = |image: &EffectiveImage| {
        let chain = image.chain.iter().filter_map(|link| link.setting.place());
        image.overridden.iter().copied().chain(chain).collect::<Vec<_>>()
    };
    let known = all_places(&patched);
    let mut weaker: Vec<Place> = replaced.iter().flat_map(|(_, image)| all_places(image)).collect();
    // entries applied to both
    weaker.retain(|place| !known.contains(place));
    patched.overridden.splice(0..0, weaker);
    patched
}
