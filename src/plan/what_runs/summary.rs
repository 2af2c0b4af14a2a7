//! What rendered roots say about the images of a request.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::{OtherRoot, Request, TargetIndex, UpdateTarget};
use super::rendered_roots::RenderedRoots;
use super::winners::to_be_set;
use super::{FedImage, FilePlace, FileRoots, Overridden, UnusedEntry, WhatRuns};
use crate::effective::{EffectiveImage, Place, Root, Setting};
use crate::file_selection::file_name;
use crate::image::same_image;
use crate::location::Location;
use crate::manifest::is_compose;
use crate::yaml::NodeId;

/// What rendered roots say about the images of a request.
pub(super) struct Summary<'a> {
    pub roots: &'a RenderedRoots<'a>,
    pub request: &'a Request,
    /// The files outside of the folder are read too, by [`super::outside`].
    pub sees_outside: bool,
    /// The images that get their tag or their digest from a place, or would if it had one.
    pub fed: HashMap<Place, Vec<(&'a Root, &'a EffectiveImage)>>,
}

impl<'a> Summary<'a> {
    pub fn new(roots: &'a RenderedRoots<'a>, request: &'a Request, sees_outside: bool) -> Self {
        let mut fed: HashMap<Place, Vec<_>> = HashMap::new();
        for (root, image) in roots.images() {
            let place = image.feeder().or_else(|| to_be_set(image, request)).and_then(Setting::place);
            let entries = image.entries_without_version().filter_map(Setting::place);
            let places = place.into_iter().chain(image.digest_place()).chain(entries);
            places.for_each(|place| fed.entry(place).or_default().push((root, image)));
        }
        Summary { roots, request, sees_outside, fed }
    }
}

impl Summary<'_> {
    pub fn what_runs(&self) -> WhatRuns {
        let winners = TargetIndex::each(&self.request.targets).flat_map(|(target, _)| self.winners(target));
        let (winners, outside): (Vec<_>, Vec<_>) = winners.partition(|winner| !winner.roots.is_empty());
        WhatRuns {
            winners,
            outside,
            of_renamed: self.of_renamed(),
            file_roots: self.file_roots(),
            environments_of: self.environments_of(),
            conflict: self.roots.conflict.clone(),
            weaker: self.weaker().map(|(place, by)| (self.roots.file_place(place), by)).collect(),
            reported: self.reported(),
            feeds: self.feeds(),
            roots_of: self.roots_of(),
            unmatched: self.unmatched(),
            setting: self.roots.setting(),
            known: self.roots.known(),
            texts: self.texts(),
            covered: self.roots.covered(),
            followed: self.roots.followed(),
            rendered: self.rendered(),
            assigning: self.assigning(),
            projects: self.projects(),
            pinned: self.pinned().collect(),
            unset: self.unset().collect(),
            warnings: self.warnings(),
            notices: self.variables(),
        }
    }

    /// The images without a tag that have a digest: where the name is, and where the digest.
    fn pinned(&self) -> impl Iterator<Item = (FilePlace, FilePlace, Location)> {
        let images = self.roots.images().map(|(_, image)| image);
        let untagged = images.filter(|image| image.winning().is_none() && self.is_wanted(image));
        untagged.filter_map(|image| {
            let (name, digest) = (image.named_at?, image.digest_place()?);
            let places = (self.roots.file_place(name), self.roots.file_place(digest));
            Some((places.0, places.1, self.roots.files.location(digest)))
        })
    }

    /// What the roots run, with whether the request is about the root.
    pub fn with_counts(&self) -> impl Iterator<Item = (&Root, bool, &EffectiveImage)> {
        self.roots.with_counts().flat_map(|(root, counts)| {
            let defaults = root.defaults.iter().filter(|_| self.request.floating);
            root.images.iter().chain(defaults).map(move |image| (root, counts, image))
        })
    }

    pub fn other(&self, root: &Root) -> OtherRoot {
        let environment = self.request.environments.of_root(root).ok().flatten();
        OtherRoot { root: root.name.clone(), environment: environment.map(|found| found.name.clone()) }
    }

    /// Which roots each file is part of, as far as environments matter.
    fn file_roots(&self) -> HashMap<String, FileRoots> {
        let mut file_roots: HashMap<String, FileRoots> = HashMap::new();
        let roots = self.roots.with_counts().filter(|_| self.request.environments.is_limited());
        for (root, counts) in roots {
            for file in &root.files {
                let known = file_roots.entry(self.roots.path(*file)).or_default();
                known.counts |= counts;
                known.outside.extend((!counts).then(|| self.other(root)));
            }
        }
        file_roots
    }

    /// Which environments each file is part of, as far as holds matter.
    fn environments_of(&self) -> HashMap<String, BTreeSet<String>> {
        let mut environments: HashMap<String, BTreeSet<String>> = HashMap::new();
        for root in self.roots.roots.iter().filter(|_| self.request.holds_environments()) {
            let environment = self.other(root).environment;
            for file in &root.files {
                environments.entry(self.roots.path(*file)).or_default().extend(environment.clone());
            }
        }
        environments
    }

    /// The floating defaults of charts, if they are to be set too.
    fn defaults(&self) -> impl Iterator<Item = (&Root, &EffectiveImage)> {
        self.roots.defaults().filter(|_| self.request.floating)
    }

    /// Every place that is overridden in some root and wins in none.
    fn weaker(&self) -> impl Iterator<Item = (Place, Overridden)> {
        let winning = self.roots.winning();
        let defaults: HashSet<Place> = self
            .defaults()
            .filter_map(|(_, image)| image.winning())
            .flat_map(Setting::version_places)
            .collect();
        self.roots.weaker().filter(move |(place, _)| !winning.contains(place) && !defaults.contains(place))
    }

    fn reported(&self) -> Vec<(TargetIndex, Location, Overridden)> {
        let mut seen = HashSet::new();
        let counting: HashSet<&str> = self.roots.counting().map(|root| root.name.as_str()).collect();
        let weaker = self.weaker().filter(|(_, by)| counting.contains(by.root.as_str()));
        let weaker: Vec<_> = weaker.filter(|(place, _)| seen.insert(*place)).collect();
        let targets = TargetIndex::each(&self.request.targets);
        let mut reported: Vec<_> = targets
            .flat_map(|(target, wanted)| {
                let of_target = weaker.iter().filter(|(_, by)| same_image(&by.image, &wanted.name));
                of_target.map(move |(place, by)| (target, self.roots.files.location(*place), by.clone()))
            })
            .collect();
        reported.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        reported
    }

    /// The places that set the tag of an image that another place renames.
    fn feeds(&self) -> HashMap<FilePlace, Vec<FedImage>> {
        let mut feeds: HashMap<FilePlace, Vec<FedImage>> = HashMap::new();
        for (root, image) in self.roots.images() {
            let (winning, feeder) = (image.winning().and_then(Setting::place), image.feeder());
            // an entry without a new name leaves the name that the request is about
            let feeder = feeder.filter(|feeder| feeder.place() != winning && !self.is_wanted(image));
            // the new name can be in an entry that this one is merged with
            let entry = image
                .winning()
                .filter(|setting| matches!(setting, Setting::Entry { .. }) && !self.is_wanted(image));
            // values can rename the image of a chart, whose tag is then that of the other name
            let is_new = |target: &UpdateTarget| image.is_named(target.effective_name());
            let is_meant = self.is_wanted(image) || self.request.targets.iter().any(is_new);
            let renamed = image.winning().filter(|setting| setting.is_of_values() && !is_meant);
            let untagged = image.entries_without_version().filter(|_| !self.is_wanted(image));
            let settings = feeder.into_iter().chain(entry).chain(renamed).chain(untagged);
            for place in settings.flat_map(Setting::version_places) {
                let fed = FedImage { image: image.name.clone(), root: root.name.clone() };
                feeds.entry(self.roots.file_place(place)).or_default().push(fed);
            }
        }
        feeds
    }

    /// Which roots each file is part of. Only needed to add entries, and to say whether that is possible.
    fn roots_of(&self) -> HashMap<String, BTreeSet<usize>> {
        let mut roots_of: HashMap<String, BTreeSet<usize>> = HashMap::new();
        let is_needed = self.request.add || self.request.targets.iter().any(|t| t.scope.is_chosen());
        let roots = self.roots.with_counts().enumerate().filter(|(_, (_, counts))| is_needed && *counts);
        for (nth, (root, _)) in roots {
            for file in &root.files {
                roots_of.entry(self.roots.path(*file)).or_default().insert(nth);
            }
        }
        roots_of
    }

    /// The entries that match no container in any root.
    fn unmatched(&self) -> HashMap<FilePlace, UnusedEntry> {
        let chains = self.roots.images().flat_map(|(_, image)| &image.chain);
        let used: HashSet<Place> = chains.flat_map(|link| link.setting.places()).collect();
        let mut unmatched: HashMap<FilePlace, UnusedEntry> = HashMap::new();
        for root in self.roots.roots {
            for entry in root.unmatched.iter().filter(|entry| !used.contains(&entry.name)) {
                let location = |place| self.roots.files.location(place);
                let known =
                    unmatched.entry(self.roots.file_place(entry.name)).or_insert_with(|| UnusedEntry {
                        at: location(entry.name),
                        may_match: false,
                        running: BTreeSet::new(),
                        renamed_by: entry.renamed_by.map(location),
                    });
                // a kustomization that includes nothing may be a part of something else
                known.may_match |= entry.may_match || root.files.len() == 1;
                known.running.extend(self.running(root));
            }
        }
        unmatched
    }

    /// The targets that run in a root.
    fn running(&self, root: &Root) -> impl Iterator<Item = TargetIndex> {
        let runs = |target: &UpdateTarget| root.images.iter().any(|image| image.is_named(&target.name));
        let targets = TargetIndex::each(&self.request.targets);
        targets.filter(move |(_, target)| runs(target)).map(|(nth, _)| nth).collect::<Vec<_>>().into_iter()
    }

    fn texts(&self) -> HashSet<(String, NodeId)> {
        let places = self.roots.known().into_iter();
        places.filter_map(|place| Some((place.path, place.inside?))).collect()
    }

    fn rendered(&self) -> HashSet<String> {
        let files = self.roots.roots.iter().flat_map(|root| &root.files);
        files.map(|file| self.roots.path(*file)).collect()
    }

    fn assigning(&self) -> HashSet<String> {
        let files = self.roots.files.all().filter(|file| file.assignments.is_some());
        files.map(|file| file.path.clone()).collect()
    }

    fn projects(&self) -> HashSet<String> {
        let files = self.roots.roots.iter().flat_map(|root| &root.files).map(|file| self.roots.path(*file));
        files.filter(|path| is_compose(file_name(path))).collect()
    }

    /// One notice for the variables that would override a winning place if they were exported.
    fn variables(&self) -> Vec<String> {
        let winners = TargetIndex::each(&self.request.targets).flat_map(|(target, _)| self.winners(target));
        let places: HashSet<FilePlace> = winners.flat_map(|winner| winner.nodes).collect();
        let variables = self.roots.roots.iter().flat_map(|root| &root.variables);
        let variables = variables.filter(|(_, place)| places.contains(&self.roots.file_place(*place)));
        let names: BTreeSet<&str> = variables.map(|(name, _)| name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        match names.as_slice() {
            [] => Vec::new(),
            [name] => vec![format!("{name} overrides this if it is exported in the shell or in CI")],
            names => {
                vec![format!("{} override this if they are exported in the shell or in CI", names.join(", "))]
            }
        }
    }

    /// Whether an image is one of the request's.
    pub fn is_wanted(&self, image: &EffectiveImage) -> bool {
        self.request.targets.iter().any(|target| image.is_named(&target.name))
    }

    /// Whether an image is one of the request's, and may be set in the files that the request names: of other roots,
    /// nothing is asked.
    pub fn is_targeted(&self, image: &EffectiveImage) -> bool {
        let named = self.request.targets.iter().filter(|target| image.is_named(&target.name));
        let mut scopes = named.map(|target| &target.scope);
        scopes.any(|scope| {
            let is_in_scope = |place: Place| scope.reaches(&self.roots.path(place.file));
            !scope.is_chosen() || image.places().any(is_in_scope)
        })
    }
}
