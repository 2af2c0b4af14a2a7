//! A bump in a folder of a repository knows nothing of the files around it, and some of them may override what it sets.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use super::super::prefilter::Prefilter;
use super::super::{
    Environments, FileSource, RepositoryFiles, Request, SourceFile, UpdateTarget, VisitScope,
};
use super::doubts::doubt;
use super::rendered_roots::{RenderedRoots, Renderer, read_part};
use super::surroundings::{Names, SurroundingsCollector};
use super::{more_places, some_of};
use crate::effective::{Doubt, EffectiveImage, FileId, Place, Root, Setting};
use crate::file_selection::Selection;
use crate::image::{Digest, Field, Tag, same_image};
use crate::location::Location;
use crate::visible::inline;
use crate::yaml::Cancellation;

/// How many warnings there are at most.
const LISTED: usize = 10;

/// A warning for each place of a request that files of the repository outside of its folder override; if the look at them is
/// cancelled, one that says so.
pub fn overridden_outside(
    files: &dyn FileSource,
    request: &Request,
    cancellation: &Cancellation,
) -> Vec<String> {
    let Some(RepositoryFiles { files, folder }) = files.repository() else { return Vec::new() };
    let (names, around) = (Prefilter::of(request), SurroundingsCollector::default());
    let look = |file: SourceFile<'_>| {
        around.note(&file, if names.lets_pass(file.bytes) { Names::Image } else { Names::Nothing });
        if cancellation.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let everything = Selection::new(&[]).unwrap_or_default();
    let unseen = |why: &str| {
        let folder = inline(&folder);
        vec![format!(
            "{why} the files outside of {folder}, so one of them may override this; check what runs"
        )]
    };
    let Ok(found) = files.visit(&everything, VisitScope::WithContext, &look) else {
        return unseen("could not read all of");
    };
    let renderer = Renderer {
        around: &around.finish(found.other),
        read: &|path| read_part(files.as_ref(), path),
        url: request.repository_url.as_deref(),
        environments: &Environments::default(),
        cancellation,
    };
    let reach = renderer.reach(&|bytes| names.lets_pass(bytes));
    let mut warnings = renderer
        .render(&reach, HashMap::new(), |roots| Outside { roots, folder: &folder, request }.warnings());
    if cancellation.is_cancelled() {
        warnings.extend(unseen("ran out of time to read all of"));
    }
    warnings
}

/// The roots of the whole repository, and what a request in a folder of it is about.
struct Outside<'a> {
    roots: &'a RenderedRoots<'a>,
    folder: &'a str,
    request: &'a Request,
}

impl Outside<'_> {
    fn warnings(&self) -> Vec<String> {
        let mut found: BTreeMap<(Location, String), Vec<String>> = BTreeMap::new();
        for (root, image) in self.roots.images() {
            for (at, what) in self.of_image(image) {
                let names = found.entry((at, what)).or_default();
                names.extend((!names.contains(&root.name)).then(|| root.name.clone()));
            }
        }
        let more = found.len().saturating_sub(LISTED);
        let shown = found.iter().take(LISTED).map(|((at, what), roots)| {
            format!(
                "{at}: {what} in {}; bump in the top folder of the repository instead",
                inline(&some_of(roots))
            )
        });
        let more = (more > 0)
            .then(|| format!("files outside of {} override {}", inline(self.folder), more_places(more)));
        shown.chain(more).chain(self.doubts_about_components()).collect()
    }

    /// A warning for each thing that tagbump can't follow in a component outside of the folder, or beside it, if its root uses a
    /// place of the folder.
    fn doubts_about_components(&self) -> Vec<String> {
        let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for root in self.roots.roots.iter().filter(|root| self.uses_folder(root)) {
            let has_component = root.files.iter().any(|file| self.is_component_outside(*file));
            let is_new = |doubt: &&Doubt| {
                let is_inside = doubt.at.is_some_and(|at| self.is_inside(at));
                doubt.is_of_component() || has_component && !is_inside
            };
            for what in root.doubts().filter(is_new).map(|doubt| self.roots.described(doubt)) {
                found.entry(what).or_default().insert(&root.name);
            }
        }
        found.iter().take(LISTED).map(|(what, roots)| doubt(what, roots)).collect()
    }

    fn is_component_outside(&self, file: FileId) -> bool {
        !self.is_inside(Place { file, node: 0 })
            && self.roots.files.kinds(file).any(|kind| kind == "Component")
    }

    /// Whether a root runs an image of the request that a place of the folder names or sets.
    fn uses_folder(&self, root: &Root) -> bool {
        root.images.iter().any(|image| {
            let names = image.chain.iter().map(|link| &link.name).chain([&image.name]);
            let is_inside = image.places().chain(image.named_at).any(|place| self.is_inside(place));
            is_inside
                && names
                    .into_iter()
                    .any(|name| self.request.targets.iter().any(|t| same_image(&t.name, name)))
        })
    }

    /// The places of the request that a root uses, each with what something outside does about it.
    fn of_image(&self, image: &EffectiveImage) -> Vec<(Location, String)> {
        let feeder = image.feeder().and_then(Setting::place);
        let Some(by) = image.deciding_place() else { return Vec::new() };
        let digest = image.digest_place().filter(|digest| !self.is_inside(*digest));
        let folder = inline(self.folder);
        let sets =
            |by: Place| format!("{}, outside of {folder}, sets what runs", self.roots.files.location(by));
        if self.is_inside(by) {
            let targets = self.targets(by, &image.name).filter(|target| !is_set(image, target));
            return targets.filter_map(|_| Some((self.roots.files.location(by), sets(digest?)))).collect();
        }
        let links = image.chain.iter().filter_map(|link| Some((link.setting.place()?, link.name.as_str())));
        let links = links.chain(image.overridden.iter().map(|place| (*place, image.name.as_str())));
        let used = links.filter(|(place, _)| self.is_inside(*place));
        let meant =
            used.flat_map(|(place, name)| self.targets(place, name).map(move |target| (place, target)));
        let found = meant.filter(|(_, target)| !is_set(image, target)).map(|(place, _)| {
            let what = match feeder == Some(place) {
                true => format!(
                    "also sets the tag of {}, the name that {} gives it",
                    inline(&image.name),
                    self.roots.files.location(by)
                ),
                false => sets(by),
            };
            (self.roots.files.location(place), what)
        });
        found.collect()
    }

    fn is_inside(&self, place: Place) -> bool {
        self.path_in_folder(place).is_some()
    }

    fn path_in_folder(&self, place: Place) -> Option<String> {
        let path = self.roots.path(place.file);
        path.strip_prefix(self.folder)?.strip_prefix('/').map(str::to_owned)
    }

    /// The targets that a place of the folder belongs to.
    fn targets(&self, place: Place, name: &str) -> impl Iterator<Item = &UpdateTarget> {
        let path = self.path_in_folder(place);
        let named = self.request.targets.iter().filter(move |target| same_image(&target.name, name));
        named.filter(move |target| path.as_ref().is_some_and(|path| target.scope.reaches(path)))
    }
}

/// Whether an image already is what a target asks for.
fn is_set(image: &EffectiveImage, target: &UpdateTarget) -> bool {
    let has_tag = target.tag.as_ref().is_none_or(|tag| image.tag.as_deref() == Some(Tag::as_str(tag)));
    let has_digest = match &target.digest {
        Field::Set(digest) => image.digest.as_deref() == Some(Digest::as_str(digest)),
        Field::Unspecified | Field::Keep => true,
    };
    has_tag && has_digest && image.is_named(target.effective_name())
}
