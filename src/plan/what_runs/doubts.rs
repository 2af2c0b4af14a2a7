//! Warnings about roots that run one of a request's images, and that tagbump can't follow or can't set everywhere.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::naming_files::NamingFiles;
use super::rendered_roots::RenderedRoots;
use super::summary::Summary;
use super::{UnsetTag, more_places};
use crate::effective::{
    Doubt, EffectiveImage, FedPlace, FileId, Fixed, LoadedFile, Place, Root, Setting, StaleChart,
};
use crate::image::{ParsedReference, same_image, without_registry};
use crate::visible::inline;

/// A repository whose bases include each other in so many ways that tagbump gives up.
const TOO_LARGE: &str =
    "the repository is too large to work out everything that runs; check what the roots run";

/// How many places that tagbump can't follow get a warning of their own.
const DOUBTS: usize = 10;

/// As [`DOUBTS`], for images with names that aren't known.
const NAMELESS: usize = 3;

/// How many roots such a warning names.
const ROOTS: usize = 5;

impl Summary<'_> {
    /// A warning for each root that runs one of the images and does something that tagbump can't follow.
    pub fn warnings(&self) -> Vec<String> {
        // what tagbump can't follow may hide an image that the root's files name
        let mut naming = NamingFiles::default();
        let mut runs = |root: &Root| {
            root.images.iter().any(|image| self.is_targeted(image))
                || root.files.iter().any(|file| self.names_targeted(self.roots.files.file(*file)))
                || root.unmatched.iter().any(|entry| entry.may_match && self.is_for_target(entry.name))
                || root.may_render.iter().any(|folders| naming.are_in(folders, self))
        };
        let doubts = self
            .roots
            .counting()
            .filter(|root| root.doubts().next().is_some() && runs(root))
            .flat_map(|root| root.doubts().map(move |d| (root, d)))
            .filter(|(root, doubt)| self.is_about_targets(root, doubt))
            .filter(|(_, doubt)| !(self.sees_outside && doubt.is_of_component_outside()));
        let mut warnings = self.listed(doubts, DOUBTS);
        let nameless = self.roots.counting().flat_map(|root| {
            let may_be = root.nameless_images().next().is_some() && self.holds_parts_of_name(root);
            root.nameless_images().filter(move |_| may_be).map(move |doubt| (root, doubt))
        });
        warnings.extend(self.listed(nameless, NAMELESS));
        warnings.extend(self.stale());
        warnings.extend(self.also_fed());
        warnings.extend(self.generated());
        warnings.extend(self.roots.cut_off());
        warnings.extend(self.roots.files.is_exhausted().then(|| TOO_LARGE.to_owned()));
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// A warning for each of the first doubts, with the roots that have it.
    fn listed<'r>(&self, doubts: impl Iterator<Item = (&'r Root, &'r Doubt)>, most: usize) -> Vec<String> {
        let mut by_doubt: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (root, doubt) in doubts {
            by_doubt.entry(self.roots.described(doubt)).or_default().insert(&root.name);
        }
        let more = by_doubt.len().saturating_sub(most);
        let mut warnings: Vec<_> =
            by_doubt.iter().take(most).map(|(what, roots)| doubt(what, roots)).collect();
        if more > 0 {
            let roots: BTreeSet<&str> = by_doubt.values().skip(most).flatten().copied().collect();
            warnings.push(doubt(&format!("{} of this kind", more_places(more)), &roots));
        }
        warnings
    }

    /// Whether a doubt isn't at the name or the tag of other images.
    fn is_about_targets(&self, root: &Root, doubt: &Doubt) -> bool {
        let is_at = |image: &&EffectiveImage| {
            image.named_at == doubt.at || image.winning().and_then(Setting::place) == doubt.at
        };
        let mut images = root.images.iter().filter(|_| doubt.at.is_some()).filter(is_at).peekable();
        images.peek().is_none() || images.any(|image| self.is_targeted(image))
    }

    /// The files that only roots of other environments are made from.
    pub fn of_other_environments(&self) -> HashSet<String> {
        let roots = self.roots.with_counts().filter(|_| self.request.environments.is_limited());
        let (counting, others): (Vec<_>, Vec<_>) = roots.partition(|(_, counts)| *counts);
        let files = |roots: Vec<(&Root, bool)>| -> HashSet<FileId> {
            roots.iter().flat_map(|(root, _)| root.files.iter().copied()).collect()
        };
        let (counting, others) = (files(counting), files(others));
        others.difference(&counting).map(|file| self.roots.path(*file)).collect()
    }

    /// Whether a file that may be set names one of the request's images, perhaps without its registry.
    pub fn names_targeted(&self, LoadedFile { path, bytes, .. }: &LoadedFile) -> bool {
        let mut targets = self.request.targets.iter();
        targets.any(|target| {
            let may_be_set = !target.scope.is_chosen() || target.scope.reaches(path);
            may_be_set && names_image(bytes, without_registry(&target.name))
        })
    }

    /// Whether none of a root's images is known to be one of the request, but its files hold the parts of one's name: a registry,
    /// perhaps with a path, and the rest.
    fn holds_parts_of_name(&self, root: &Root) -> bool {
        if root.images.iter().any(|image| self.is_targeted(image)) {
            return false;
        }
        let holds =
            |part: &str| root.files.iter().any(|file| holds_value(&self.roots.files.file(*file).bytes, part));
        let splits = self.request.targets.iter().flat_map(|target| {
            target.name.match_indices('/').map(|(at, _)| (&target.name[..at], &target.name[at + 1..]))
        });
        // other words, such as the name of a user, are in too many files
        splits
            .filter(|(registry, _)| registry.contains(['.', ':']))
            .any(|(registry, rest)| holds(registry) && holds(rest))
    }

    /// Whether the entry that a scalar names is for one of the request's images, and may be set.
    fn is_for_target(&self, entry: Place) -> bool {
        let text = self.roots.text(entry).unwrap_or_default();
        let mut names = text.split('=').map(|image| ParsedReference::parse(image).name);
        names.any(|name| {
            let mut targets = self.request.targets.iter().filter(|target| same_image(name, &target.name));
            targets
                .any(|target| !target.scope.is_chosen() || target.scope.reaches(&self.roots.path(entry.file)))
        })
    }

    /// The images of the request that run without a tag of their own.
    pub fn unset(&self) -> impl Iterator<Item = UnsetTag> {
        self.roots.counting().flat_map(|root| {
            // an anchored block with the name is used where a tag is beside it
            let tagged = root.images.iter().filter(|image| image.winning().is_some());
            let tagged: HashSet<Place> = tagged.filter_map(|image| image.named_at).collect();
            let is_used = move |place: Place| tagged.contains(&place);
            let images =
                root.images.iter().filter(|image| self.is_targeted(image) && image.winning().is_none());
            images
                .filter(move |image| image.emptied_by().is_some() || !image.named_at.is_some_and(&is_used))
                .filter_map(|image| self.unset_in(root, image))
        })
    }

    fn unset_in(&self, root: &Root, image: &EffectiveImage) -> Option<UnsetTag> {
        // what the limit on its work left of the file says nothing
        if image.named_at.is_some_and(|place| !self.roots.files.is_whole(place.file)) {
            return None;
        }
        let empty_tag = image.emptied_by().and_then(Setting::place);
        let app_version = image.app_version.as_ref().and_then(|version| version.place);
        let what = self.instead_of_tag(image);
        Some(UnsetTag {
            image: image.name.clone(),
            named_at: image.named_at.map(|place| self.roots.file_place(place)),
            empty_tag: empty_tag
                .map(|place| (self.roots.file_place(place), self.roots.files.location(place))),
            app_version: app_version.map(|place| self.roots.file_place(place)),
            warning: format!("{} {what}", self.runs(root, image)),
        })
    }

    /// What decides the version of an image without a tag, and how to set one: the end of a sentence.
    fn instead_of_tag(&self, image: &EffectiveImage) -> String {
        if image.digest.is_some() {
            let at = image.digest_place().map(|place| format!(" at {}", self.roots.files.location(place)));
            return format!("by the digest{} alone; add a tag to set it", at.unwrap_or_default());
        }
        let tag = match image.app_version.as_ref().and_then(|version| version.text.as_ref()) {
            Some(_) => "with the appVersion of its chart as the tag",
            None => "with the default tag of its chart",
        };
        let is_apart = |empty: &Place| {
            !image.overridden.is_empty() || image.named_at.is_none_or(|name| name.file != empty.file)
        };
        match image.emptied_by().and_then(Setting::place).filter(is_apart) {
            Some(empty) => {
                let at = self.roots.files.location(empty);
                format!("{tag}, because {at} leaves it without one; add a tag there to set it")
            }
            None => format!("{tag}; add a tag to set it"),
        }
    }

    /// A warning for each root that runs one of the images with a tag that no file holds.
    fn generated(&self) -> impl Iterator<Item = String> {
        let images =
            self.roots.counting().flat_map(|root| root.images.iter().map(move |image| (root, image)));
        let images = images.filter(|(_, image)| self.is_targeted(image));
        let generated = images.filter(|(_, image)| image.winning().is_some_and(|s| s.place().is_none()));
        generated.map(|(root, image)| match image.winning() {
            Some(Setting::Fixed { reason: Fixed::Unread { what }, .. }) => {
                format!("{}, and {what}; change it there", self.runs(root, image))
            }
            _ => {
                format!(
                    "{}, and a generator or plugin writes its tag; change it there",
                    self.runs(root, image)
                )
            }
        })
    }

    /// `FILE:LINE: ROOT runs NAME`
    fn runs(&self, root: &Root, image: &EffectiveImage) -> String {
        let at = image.named_at.map(|place| format!("{}: ", self.roots.files.location(place)));
        format!("{}{} runs {}", at.unwrap_or_default(), inline(&root.name), inline(&image.name))
    }

    /// A warning for each place that takes a variable that the request sets, unless it is a known image.
    fn also_fed(&self) -> Vec<String> {
        let images = self.roots.counting().flat_map(|root| &root.images);
        let images = images.filter(|image| self.changes(image) && self.is_targeted(image));
        let set: HashSet<Place> = images.filter_map(|image| image.winning()?.place()).collect();
        let fed =
            || self.roots.counting().flat_map(|root| &root.fed).filter(|fed| set.contains(&fed.variable));
        if fed().next().is_none() {
            return Vec::new();
        }
        let known: HashSet<Place> =
            self.roots.images().flat_map(|(_, image)| image.weaker().chain(image.named_at)).collect();
        let unknown = fed().filter(|fed| !known.contains(&fed.at) && !self.names_wanted(fed.at));
        let described = unknown.map(|FedPlace { variable, name, at }| {
            let [at, variable] = [at, variable].map(|place| self.roots.files.location(*place));
            format!("{at}: takes {} from {variable} too, so it changes as well", inline(name))
        });
        let mut described: Vec<String> = described.collect();
        let more = described.len().saturating_sub(DOUBTS);
        described.truncate(DOUBTS);
        described.extend(match more {
            0 => None,
            1 => Some(format!("{} takes the same variables, so it changes as well", more_places(more))),
            _ => Some(format!("{} take the same variables, so they change as well", more_places(more))),
        });
        described
    }

    /// Whether the request gives an image another tag.
    fn changes(&self, image: &EffectiveImage) -> bool {
        self.request
            .targets
            .iter()
            .filter(|target| image.is_named(&target.name))
            .any(|target| target.tag.as_ref().is_some_and(|tag| image.tag.as_deref() != Some(tag.as_str())))
    }

    /// Whether a place that no rule knows names one of the request's images: then it is meant to change.
    fn names_wanted(&self, place: Place) -> bool {
        let name = ParsedReference::parse(self.roots.text(place).unwrap_or_default()).name;
        self.request.targets.iter().any(|target| same_image(name, &target.name))
    }

    /// A warning for each place of a request's image in a chart that Flux doesn't pack again by itself.
    fn stale(&self) -> impl Iterator<Item = String> {
        let runs = |place: Place, root: &Root| {
            let at_place = |image: &&EffectiveImage| {
                [image.winning().and_then(Setting::place), image.digest_place()].contains(&Some(place))
            };
            root.images.iter().filter(at_place).any(|image| self.is_targeted(image))
        };
        let stale = self.roots.counting().flat_map(|root| root.stale.iter().map(move |stale| (root, stale)));
        stale.filter(move |(root, stale)| runs(stale.place, root)).map(|(_, StaleChart { place, chart })| {
            let at = self.roots.files.location(*place);
            format!(
                "{at}: Flux ignores this until the version in {chart}/Chart.yaml changes; change that too, or set \
                 reconcileStrategy: Revision"
            )
        })
    }
}

impl RenderedRoots<'_> {
    /// `FILE:LINE: includes a remote base`
    pub fn described(&self, doubt: &Doubt) -> String {
        let at = doubt.at.map(|place| format!("{}: ", self.files.location(place)));
        format!("{}{}", at.unwrap_or_default(), doubt.what)
    }

    /// A warning for each file that is too much work to read to its end, such as one of aliases that multiply.
    pub fn cut_off(&self) -> impl Iterator<Item = String> {
        let files = self.files.cut_off();
        files.map(|(path, reason)| format!("{}: {reason}; check what runs from there", inline(path)))
    }
}

/// The key of a name is at most so many bytes before it.
const MAX_BEFORE: usize = 256;

/// Whether a text names an image: with a tag or digest behind the name, or as the value of a key for names.
fn names_image(text: &[u8], name: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    memchr::memmem::find_iter(text, name.as_bytes()).any(|at| {
        // a line can be as long as the file
        let near = at.saturating_sub(MAX_BEFORE);
        let start = memchr::memrchr(b'\n', &text[near..at]).map_or(near, |end| near + end + 1);
        let (before, behind) = (&text[start..at], &text[at + name.len()..]);
        let is_whole =
            !before.last().is_some_and(is_part) && !behind.first().is_some_and(|b| is_part(b) || *b == b'/');
        let is_tagged =
            behind.first().is_some_and(|b| b":@".contains(b)) && behind.get(1).is_some_and(is_part);
        let keys = ["mage:", "mage\":", "newName:", "epository:", "epo:"];
        is_whole
            && (is_tagged || keys.iter().any(|key| memchr::memmem::find(before, key.as_bytes()).is_some()))
    })
}

/// Whether a text holds a word that can be a whole value.
fn holds_value(text: &[u8], word: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(byte);
    memchr::memmem::find_iter(text, word.as_bytes()).any(|at| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        !before.last().is_some_and(is_part) && !behind.first().is_some_and(is_part)
    })
}

pub(super) fn doubt(what: &str, roots: &BTreeSet<&str>) -> String {
    let named: Vec<String> = roots.iter().take(ROOTS).map(|root| inline(root)).collect();
    let more = match roots.len().saturating_sub(ROOTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}; tagbump can't follow that, so check what runs in {}{more}", named.join(", "))
}
