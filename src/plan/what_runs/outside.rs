//! A bump in a folder of a repository knows nothing of the files around it, and some of them may override what it sets.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::super::prefilter::Prefilter;
use super::super::{Environments, FileSource, Plan, RepositoryFiles, Request, SourceFile, UpdateTarget};
use super::rendered_roots::{RenderedRoots, Renderer, read_part};
use super::some_of;
use super::surroundings::{Names, SurroundingsCollector};
use crate::effective::{EffectiveImage, Setting};
use crate::file_selection::Selection;
use crate::image::{Tag, same_image};
use crate::location::Location;
use crate::visible::inline;

/// How many warnings there are at most.
const LISTED: usize = 10;

/// A warning for each change of a plan that a file of the repository outside of its folder overrides. Files that can't
/// be read override nothing.
pub fn overridden_outside(files: &dyn FileSource, request: &Request, plan: &Plan) -> Vec<String> {
    let Some(RepositoryFiles { files, folder }) = files.repository().filter(|_| !plan.changes.is_empty())
    else {
        return Vec::new();
    };
    let (names, around) = (Prefilter::of(request), SurroundingsCollector::default());
    let look = |file: SourceFile<'_>| {
        around.note(&file, if names.lets_pass(file.bytes) { Names::Image } else { Names::Nothing });
        if request.cancellation.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let everything = Selection::new(&[]).unwrap_or_default();
    if files.visit(&everything, true, &look).is_err() || request.cancellation.is_cancelled() {
        return Vec::new();
    }
    let renderer = Renderer {
        around: &around.finish(),
        read: &|path| read_part(files.as_ref(), path),
        url: request.repository_url.as_deref(),
        environments: &Environments::default(),
        cancellation: &request.cancellation,
    };
    let reach = renderer.reach(&|bytes| names.lets_pass(bytes));
    renderer.render(&reach, HashMap::new(), |roots| warnings(roots, &folder, plan))
}

fn warnings(roots: &RenderedRoots<'_>, folder: &str, plan: &Plan) -> Vec<String> {
    let below = format!("{folder}/");
    let own = |at: &Location| Some((at.file.strip_prefix(&below)?.to_owned(), at.line));
    let changes: HashMap<(String, usize), &UpdateTarget> = plan
        .changes
        .iter()
        .filter_map(|change| Some(((change.file.clone(), change.line), change.target.of(&plan.targets)?)))
        .collect();
    let mut found: BTreeMap<((String, usize), Location), Vec<String>> = BTreeMap::new();
    for (root, image) in roots.images() {
        let winning = image.winning().and_then(Setting::place).map(|place| roots.files.location(place));
        let is_outside = |at: &Location| own(at).is_none();
        let (by, weaker): (_, Vec<_>) = match winning {
            Some(by) if is_outside(&by) => {
                (by, image.weaker().filter_map(|place| own(&roots.files.location(place))).collect())
            }
            // the digest decides what runs, whatever the tag is
            Some(tag) => {
                match image.digest_place().map(|place| roots.files.location(place)).filter(is_outside) {
                    Some(by) => (by, own(&tag).into_iter().collect()),
                    None => continue,
                }
            }
            None => continue,
        };
        for at in weaker.into_iter().filter(|at| changes.get(at).is_some_and(|target| !is_set(image, target)))
        {
            let names = found.entry((at, by.clone())).or_default();
            names.extend((!names.contains(&root.name)).then(|| root.name.clone()));
        }
    }
    let more = found.len().saturating_sub(LISTED);
    let shown = found.iter().take(LISTED).map(|(((file, line), by), roots)| {
        let (file, folder, roots) = (inline(file), inline(folder), inline(&some_of(roots)));
        format!(
            "{file}:{line}: {by}, outside of {folder}, sets what runs in {roots}; bump in the top folder of the \
             repository to set it"
        )
    });
    let more = (more > 0).then(|| format!("files outside of {} override {more} more places", inline(folder)));
    shown.chain(more).collect()
}

/// Whether an image already is what a target asks for.
fn is_set(image: &EffectiveImage, target: &UpdateTarget) -> bool {
    same_image(&image.name, target.effective_name())
        && target.tag.as_ref().is_some_and(|tag| image.tag.as_deref() == Some(Tag::as_str(tag)))
}
