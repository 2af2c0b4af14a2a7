//! `postRenderers`: kustomizations of what the chart renders.

use std::collections::{HashMap, HashSet};

use super::super::files::Files;
use super::super::images::object_images;
use super::super::kustomize::{Build, Object, build_around_chart};
use super::super::place::{FileId, Place};
use super::super::root::UnmatchedEntry;
use super::super::setting::{EffectiveImage, Setting};
use super::super::value::Value;
use super::trail::Trail;
use crate::image::short_name;

/// Whether a release has post-renderers that change more than what `images` lists.
pub fn has_patches(release: &Value) -> bool {
    kustomizations(release).any(|fields| fields.pairs().iter().any(|(key, _)| key != "images"))
}

/// Applies the post-renderers of a release to the images of its chart; gives the entries that match none. Each one is
/// a kustomization of its own. `seen` is what the chart's templates show of its objects. (Flux, `postrender.Kustomize`.)
pub fn apply(
    files: &mut Files<'_>,
    release: &Value,
    seen: Vec<Object>,
    images: &mut Vec<EffectiveImage>,
    trail: &mut Trail,
) -> Vec<UnmatchedEntry> {
    let templates = seen.iter().filter_map(|object| object.file).collect();
    let names = images.iter().filter_map(|image| image.named_at).collect();
    let mut chart = ChartObjects { seen, templates, names, images: std::mem::take(images) };
    let unmatched = kustomizations(release).flat_map(|fields| chart.render(files, fields, trail)).collect();
    *images = chart.images;
    unmatched
}

/// What is known about the objects of a chart while the post-renderers change them.
struct ChartObjects {
    /// Those that the templates show.
    seen: Vec<Object>,
    templates: HashSet<FileId>,
    /// The scalars with the names of the images in the values. In `seen`, they stand for the whole image.
    names: HashSet<Place>,
    images: Vec<EffectiveImage>,
}

impl ChartObjects {
    fn render(
        &mut self,
        files: &mut Files<'_>,
        kustomization: &Value,
        trail: &mut Trail,
    ) -> Vec<UnmatchedEntry> {
        let names: Vec<String> = self.images.iter().map(|image| image.name.clone()).collect();
        let known: HashSet<Place> = self.images.iter().filter_map(|image| image.named_at).collect();
        let (seen, images) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.images));
        let built = build_around_chart(files, kustomization, seen, images);
        let Build { objects, chart_images, unmatched, files: read, unknown, uncertain, .. } = built;
        trail.extend(Trail { files: read, unknown, uncertain });
        let is_seen = |object: &Object| object.file.is_some_and(|file| self.templates.contains(&file));
        let (seen, unseen): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_seen);
        let init: HashSet<Place> = seen.iter().chain(&unseen).flat_map(images_of_init_containers).collect();
        let mut unpatched = Unpatched::new(names, chart_images);
        let (kept, patched): (Vec<_>, Vec<_>) = images_of(&seen)
            .filter(|image| image.named_at.is_some())
            .partition(|image| image.named_at.is_some_and(|place| known.contains(&place)));
        unpatched.keep(&kept);
        for mut patched in patched {
            unpatched.doubt(&patched, &init, trail);
            let replaced = unpatched.take_overridden(&patched);
            patched.overridden.retain(|place| !self.names.contains(place));
            self.images.push(over(patched, &replaced));
        }
        for patched in images_of(&unseen) {
            unpatched.doubt(&patched, &init, trail);
            let replaced = unpatched.take_of_same_name(&patched);
            self.images.push(over(patched, replaced.as_slice()));
        }
        self.images.extend(unpatched.images.into_iter().flatten());
        self.seen = seen;
        unmatched
    }
}

fn images_of(objects: &[Object]) -> impl Iterator<Item = EffectiveImage> {
    objects.iter().flat_map(|object| object_images(&object.value))
}

/// Where the init containers of a workload name their images.
fn images_of_init_containers(object: &Object) -> impl Iterator<Item = Place> {
    let containers = object.value.at(&["spec", "template", "spec", "initContainers"]);
    let containers = containers.map(Value::items).unwrap_or_default().iter();
    containers.filter_map(|container| container.get("image")?.place())
}

fn kustomizations(release: &Value) -> impl Iterator<Item = &Value> {
    let renderers = release.at(&["spec", "postRenderers"]).map(Value::items).unwrap_or_default();
    renderers.iter().filter_map(|renderer| renderer.get("kustomize"))
}

/// The images of a chart that no patch has replaced yet.
struct Unpatched {
    images: Vec<Option<EffectiveImage>>,
    /// By the name before the renderer.
    by_name: HashMap<String, Vec<usize>>,
    /// By the scalar with the name.
    by_place: HashMap<Place, Vec<usize>>,
}

impl Unpatched {
    fn new(names: Vec<String>, images: Vec<EffectiveImage>) -> Self {
        let (mut by_name, mut by_place) = (HashMap::new(), HashMap::new());
        for (at, (name, image)) in names.into_iter().zip(&images).enumerate() {
            by_name.entry(name).or_insert_with(Vec::new).push(at);
            if let Some(place) = image.named_at {
                by_place.entry(place).or_insert_with(Vec::new).push(at);
            }
        }
        Unpatched { images: images.into_iter().map(Some).collect(), by_name, by_place }
    }

    /// Which container gets the image of a patch can only be guessed. An init container with an image that the values don't have, not
    /// even in a mirror, replaces no other image of theirs: the containers that run those are still there.
    fn doubt(&self, patched: &EffectiveImage, init: &HashSet<Place>, trail: &mut Trail) {
        let own = short_name(own_name(patched));
        let is_init = patched.named_at.is_some_and(|place| init.contains(&place));
        let is_added = is_init
            && patched.overridden.is_empty()
            && !self.by_name.keys().any(|name| short_name(name) == own);
        if !is_added {
            trail.uncertain(patched.named_at, "patches a container of the chart");
        }
    }

    /// Remembers that other containers run these too.
    fn keep(&mut self, images: &[EffectiveImage]) {
        for place in images.iter().filter_map(|image| image.named_at) {
            self.by_place.remove(&place);
        }
    }

    /// Takes the images that the container of a patch had before.
    fn take_overridden(&mut self, patched: &EffectiveImage) -> Vec<EffectiveImage> {
        let at = patched.overridden.iter().filter_map(|place| self.by_place.get(place)).flatten();
        at.filter_map(|&at| self.images[at].take()).collect()
    }

    /// Takes the only image that has the name of a patch's. Of several, each may be another container's.
    fn take_of_same_name(&mut self, patched: &EffectiveImage) -> Option<EffectiveImage> {
        match self.by_name.get(own_name(patched))?.as_slice() {
            [only] => self.images[*only].take(),
            _ => None,
        }
    }
}

/// The name that a patch has, before entries change it.
fn own_name(patched: &EffectiveImage) -> &str {
    patched.chain.first().map_or(&patched.name, |link| &link.name)
}

/// The image of a patch, with the places of the images that it replaces as weaker ones.
fn over(mut patched: EffectiveImage, replaced: &[EffectiveImage]) -> EffectiveImage {
    let known = all_places(&patched);
    let mut weaker: Vec<Place> = replaced.iter().flat_map(all_places).collect();
    // entries applied to both
    weaker.retain(|place| !known.contains(place));
    patched.overridden.splice(0..0, weaker);
    patched
}

/// Every place that sets an image, or would set it if it had a tag.
fn all_places(image: &EffectiveImage) -> Vec<Place> {
    let chain = image.chain.iter().filter_map(|link| link.setting.place());
    let empty = image.emptied_by().and_then(Setting::place);
    image.overridden.iter().copied().chain(chain).chain(empty).collect()
}
