//! The places that set the tag of an image, each once, with what the roots run there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Request, TargetIndex, UpdateTarget};
use super::summary::Summary;
use super::{DigestPlace, FedImage, FilePlace, Winner};
use crate::effective::{DigestAt, EffectiveImage, Holds, Place, Root, Setting, TextPart};
use crate::image::{Field, Tag};

/// An image of a root, the setting that wins there, and where that is.
struct WinningSetting<'a> {
    image: &'a EffectiveImage,
    setting: &'a Setting,
    place: Place,
}

impl<'a> WinningSetting<'a> {
    fn of(image: &'a EffectiveImage, request: &Request) -> Option<Self> {
        let setting = to_be_set(image, request)?;
        Some(WinningSetting { image, setting, place: setting.place()? })
    }
}

/// What a request sets to give an image another version: what wins, or an empty tag if missing tags are to be added.
pub(super) fn to_be_set<'a>(image: &'a EffectiveImage, request: &Request) -> Option<&'a Setting> {
    image.winning().or_else(|| image.emptied_by().filter(|_| request.add))
}

impl Summary<'_> {
    /// The places that set a target's image, each once. A rename sets whatever names it.
    pub fn winners(&self, target: TargetIndex) -> Vec<Winner> {
        if self.request.targets[target].new_name == Field::Unspecified {
            self.setting(target)
        } else {
            Vec::new()
        }
    }

    /// The places that set the tag of an image that is renamed, each once.
    pub fn of_renamed(&self) -> Vec<Winner> {
        let targets = TargetIndex::each(&self.request.targets);
        let renamed = targets.filter(|(_, target)| target.new_name != Field::Unspecified);
        let winners = renamed.flat_map(|(target, _)| self.setting(target));
        winners.filter(|winner| !winner.roots.is_empty()).collect()
    }

    /// The places that set the tag of a target's name, each once.
    fn setting(&self, target: TargetIndex) -> Vec<Winner> {
        let wanted = &self.request.targets[target];
        let mut winners: BTreeMap<Place, Winner> = BTreeMap::new();
        let images = self.with_counts().filter(|(_, _, image)| image.is_named(&wanted.name));
        for (root, counts, image) in images {
            let Some(found) = WinningSetting::of(image, self.request) else { continue };
            let winner = winners.entry(found.place).or_insert_with(|| self.winner(target, &found));
            self.note_digest(image, wanted, winner);
            if self.request.holds_environments() {
                winner.environments.extend(self.other(root).environment);
            }
            if counts {
                note_root(root, &found, winner);
            } else {
                let other = self.other(root);
                winner.outside.extend(Some(other).filter(|other| !winner.outside.contains(other)));
            }
        }
        winners.into_values().collect()
    }

    /// A place that sets a target's image, before it is known in which roots.
    fn winner(&self, target: TargetIndex, found: &WinningSetting<'_>) -> Winner {
        let WinningSetting { image, setting, place } = *found;
        let FilePlace { path, inside, .. } = self.roots.file_place(place);
        let nodes = self.roots.places_of_edit(setting).into_iter();
        Winner {
            target,
            path,
            inside,
            line: self.roots.files.location(place).line,
            setting: setting.clone(),
            kind: self.roots.kind(place, setting),
            is_empty_tag: image.winning().is_none(),
            tested_by: self.roots.tested_by(setting),
            nodes: nodes.map(|place| self.roots.file_place(place)).collect(),
            digest_beside: None,
            digests: Vec::new(),
            has_unplaced_digest: false,
            tag: image.tag.clone(),
            digest: image.digest.clone(),
            tags: BTreeSet::new(),
            roots: Vec::new(),
            outside: Vec::new(),
            environments: BTreeSet::new(),
            feeds: self.other_images(place, &self.request.targets[target], Some(setting)),
            second_reader: match setting {
                Setting::Parts { tag, .. } => self.roots.files.second_reader(*tag),
                Setting::Part(part) if part.holds == Holds::whole_tag() => {
                    self.roots.files.second_reader(part.place)
                }
                _ => None,
            },
        }
    }

    /// Notes where a winning tag's digest is. What comes later than values sets both.
    fn note_digest(&self, image: &EffectiveImage, wanted: &UpdateTarget, winner: &mut Winner) {
        if let Setting::Parts { tag, digest: Some(at), .. } = &winner.setting {
            let beside = self.roots.are_in_one_map(*tag, *at).then(|| self.roots.file_place(*at).node);
            winner.digest_beside = beside;
        }
        let at = match image.digest_at.filter(|_| winner.setting.is_of_values()) {
            Some(DigestAt::Place(at)) => at,
            Some(DigestAt::Unplaced) => {
                winner.has_unplaced_digest = true;
                return;
            }
            None => return,
        };
        let place = self.roots.file_place(at);
        if !winner.digests.iter().any(|known| known.place == place) {
            let line = self.roots.files.location(at).line;
            let is_beside = winner.digest_beside == Some(place.node) && winner.is_own(&place);
            let feeds = self.other_images(at, wanted, None);
            winner.digests.push(DigestPlace { place, line, is_beside, feeds });
        }
    }

    /// The other images that get their tag from a place, and for which the request needs another text there. `own` is how the place
    /// sets the wanted image's tag.
    fn other_images(&self, place: Place, wanted: &UpdateTarget, own: Option<&Setting>) -> Vec<FedImage> {
        let fed = self.fed.get(&place).into_iter().flatten();
        let others = fed.filter(|(_, image)| !self.needs_same_text(image, wanted, own));
        let mut others: Vec<_> = others.map(|(root, image)| FedImage::of(root, image)).collect();
        others.sort();
        others.dedup();
        others
    }

    /// Whether the request sets an image so that its place gets the same text as for the wanted one: the same tag, or with other text
    /// around a variable, such as `${V}-a` and `${V}-b`, the same variable.
    fn needs_same_text(&self, image: &EffectiveImage, wanted: &UpdateTarget, own: Option<&Setting>) -> bool {
        let text = |setting, target: &'_ UpdateTarget| {
            let tag = target.tag.as_ref().map(Tag::as_str);
            tag.map(|tag| variable_part(setting, tag).map(str::to_owned))
        };
        let is_same = |target: &UpdateTarget| match own {
            Some(_) => {
                let (other, own) = (text(image.feeder(), target), text(own, wanted));
                other == own && other != Some(None)
            }
            None => target.tag == wanted.tag,
        };
        let named = self.request.targets.iter().filter(|target| image.is_named(&target.name));
        named.filter(|target| target.digest == wanted.digest).any(is_same)
    }
}

/// Notes that a place wins in a root that the request is about. The first of them has the version that is reported.
fn note_root(root: &Root, found: &WinningSetting<'_>, winner: &mut Winner) {
    let WinningSetting { image, setting, .. } = *found;
    if winner.roots.is_empty() {
        (winner.tag, winner.digest) = (image.tag.clone(), image.digest.clone());
    }
    winner.tags.extend(image.tag.clone());
    // the same variable can have other text around it, as in `${V}-a` and `${V}-b`
    let other = (!setting.sets_same_text(&winner.setting)).then(|| FedImage::of(root, image));
    winner.feeds.extend(other.filter(|other| !winner.feeds.contains(other)));
    if !winner.roots.contains(&root.name) {
        winner.roots.push(root.name.clone());
    }
}

/// What a place must hold to give its image this tag. A variable with text around it can't give every tag.
fn variable_part<'t>(setting: Option<&Setting>, tag: &'t str) -> Option<&'t str> {
    match setting {
        Some(Setting::Part(TextPart { holds: Holds::Tag { prefix, suffix }, .. })) => {
            tag.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())
        }
        _ => Some(tag),
    }
}

impl FedImage {
    fn of(root: &Root, image: &EffectiveImage) -> Self {
        let image = match &image.tag {
            Some(tag) => format!("{}:{tag}", image.name),
            None => image.name.clone(),
        };
        FedImage { image, root: root.name.clone() }
    }
}
