//! What a plan reports besides its changes: weaker places, entries without effect, roots that tagbump can't follow.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::error::WithoutEffect;
use super::super::files::ScannedFiles;
use super::super::matched::Match;
use super::super::{
    EnvironmentLimit, OtherPlace, Plan, PlanError, ReplacedImage, Request, TargetIndex, UpdateTarget,
};
use super::{FilePlace, Overridden, UnsetTag, WhatRuns};
use crate::file_selection::MatchLevel;
use crate::image::{Tag, same_image};
use crate::location::Location;
use crate::manifest::{WORKLOAD, add, is_kustomization_file};
use crate::visible::inline;

/// How many places a notice lists.
const LISTED: usize = 10;

/// A target, a weaker place of it, and what overrides that.
pub(super) type WeakerPlace = (TargetIndex, Location, Overridden);

/// What a plan reports besides its changes.
#[derive(Default)]
pub struct Reports {
    notices: Vec<String>,
    warnings: Vec<String>,
    /// For a target without matches: the places that name it, and what runs instead.
    replaced: Vec<WeakerPlace>,
    /// The same for places in values that stronger ones replace.
    replaced_values: Vec<(TargetIndex, Location)>,
    /// Places in environments that the request isn't about.
    elsewhere: Vec<(TargetIndex, OtherPlace)>,
    what_runs: WhatRuns,
}

impl Reports {
    /// `weaker` are matches that were dropped, `entries` the notices about entries without effect, `kept` the matches
    /// that are left.
    pub fn new(
        request: &Request,
        scanned: &ScannedFiles,
        what_runs: WhatRuns,
        weaker: Vec<WeakerPlace>,
        entries: Vec<String>,
        kept: &[Match],
    ) -> Self {
        let (mut warnings, notices) = (what_runs.warnings.clone(), what_runs.notices.clone());
        warnings.extend(unset_tags(scanned, &what_runs, kept));
        let notices = entries.into_iter().chain(notices).collect();
        let mut by_target: BTreeMap<TargetIndex, BTreeMap<Location, Overridden>> = BTreeMap::new();
        for (target, at, by) in what_runs.reported.iter().cloned().chain(weaker.iter().cloned()) {
            by_target.entry(target).or_default().entry(at).or_insert(by);
        }
        let mut reports = Reports { notices, warnings, what_runs, ..Reports::default() };
        for (target, places) in by_target {
            if kept.iter().any(|m| m.target == target) {
                reports.add_weaker(&request.targets[target], places.into_iter().collect());
            }
        }
        let is_gone = |(target, ..): &WeakerPlace| !kept.iter().any(|m| m.target == *target);
        reports.replaced = weaker.into_iter().filter(is_gone).collect();
        reports
    }

    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Reports places in values that stronger ones replace.
    #[must_use]
    pub fn with_replaced_values(mut self, places: Vec<(TargetIndex, Location)>, kept: &[Match]) -> Self {
        let is_kept = |(target, _): &(TargetIndex, Location)| kept.iter().any(|m| m.target == *target);
        let (beside, alone): (BTreeSet<_>, BTreeSet<_>) = places.into_iter().partition(is_kept);
        self.replaced_values = alone.into_iter().collect();
        self.notices.extend(beside.iter().map(|(_, at)| {
            format!("{at}: left unchanged, because nothing that tagbump renders uses this value")
        }));
        self
    }

    /// Notes places in environments that the request isn't about. A notice names environments that are left out although
    /// nothing excludes them but their `from`.
    #[must_use]
    pub fn with_other_environments(
        mut self,
        request: &Request,
        elsewhere: Vec<(TargetIndex, OtherPlace)>,
        kept: &[Match],
    ) -> Self {
        self.elsewhere = elsewhere;
        if request.environments.limit != EnvironmentLimit::NotPromoted {
            return self;
        }
        let left = self.elsewhere.iter().filter(|(target, _)| kept.iter().any(|m| m.target == *target));
        let names: BTreeSet<&str> = left.filter_map(|(_, place)| place.environment.as_deref()).collect();
        for environment in
            request.environments.all.iter().filter(|environment| names.contains(environment.name.as_str()))
        {
            let (name, from) = (&environment.name, environment.from.as_deref().unwrap_or_default());
            self.notices.push(format!(
                "left environment {name} unchanged, because it takes its tags from {from}; to set it, run tagbump promote {name}"
            ));
        }
        self
    }

    /// The error if nothing is left of a target because only other environments have it.
    pub fn only_elsewhere(&self, request: &Request, missing: &[TargetIndex]) -> Option<PlanError> {
        let of = |target: TargetIndex| {
            let places = self.elsewhere.iter().filter(move |(other, _)| *other == target);
            places.map(|(_, place)| place.clone()).collect::<Vec<_>>()
        };
        let (target, mut places) =
            missing.iter().map(|target| (*target, of(*target))).find(|(_, p)| !p.is_empty())?;
        let UpdateTarget { name, service, scope, .. } = &request.targets[target];
        // where a service has no files, it can't be set
        if scope.is_chosen() && places.iter().any(|place| scope.reaches(&place.at.file)) {
            places.retain(|place| scope.reaches(&place.at.file));
        }
        places.sort_by(|one, other| one.at.cmp(&other.at));
        let service = service.clone().filter(|_| scope.is_chosen());
        let limit = request.environments.limit.clone();
        Some(PlanError::OtherEnvironments { image: name.clone(), service, limit, places })
    }

    /// Reports weaker places: in a notice, or if the stronger place isn't among the files that may be written, in a
    /// warning, since the bump then has no effect there.
    fn add_weaker(&mut self, target: &UpdateTarget, places: Vec<(Location, Overridden)>) {
        let is_outside = |(_, by): &(Location, Overridden)| {
            let file = by.by.as_ref().map(|by| by.file.as_str());
            file.is_some_and(|file| target.scope.match_level_of_any(file).is_none())
        };
        let (outside, inside): (Vec<_>, Vec<_>) = places.into_iter().partition(is_outside);
        let outside =
            outside.into_iter().filter(|(at, _)| target.scope.match_level_of_any(&at.file).is_some());
        for (at, by) in outside {
            let stronger = by.by.map(|by| by.to_string()).unwrap_or_default();
            self.warnings.push(format!(
                "{at}: {stronger} sets what runs in {}, and isn't among the files to write",
                inline(&by.root)
            ));
        }
        if !inside.is_empty() {
            self.notices.push(notice(target, &inside));
        }
    }

    /// The error if nothing is left of a target because other images run in its place.
    pub fn replaced(&self, request: &Request, missing: &[TargetIndex]) -> Option<PlanError> {
        let is_other =
            |target: TargetIndex, by: &Overridden| !same_image(&request.targets[target].name, &by.image);
        let of_missing =
            self.replaced.iter().filter(|(target, _, by)| missing.contains(target) && is_other(*target, by));
        let places: Vec<ReplacedImage> = of_missing
            .map(|(target, at, overridden)| ReplacedImage {
                name: request.targets[*target].name.clone(),
                at: at.clone(),
                by: overridden.renamed_at.clone().or(overridden.by.clone()),
                is_by_entry: overridden.renamed_at.is_some(),
                image: overridden.image.clone(),
                root: overridden.root.clone(),
            })
            .collect();
        let first = *missing.first()?;
        let target = &request.targets[first];
        let (image, tag) = (target.name.clone(), target.tag.as_ref().map(Tag::to_string));
        if !places.is_empty() {
            return Some(PlanError::Replaced { image, tag, places });
        }
        let weaker = self.replaced.iter().filter(|(target, ..)| *target == first);
        let why = |by: &Overridden| by.by.clone().map_or(WithoutEffect::Default, WithoutEffect::OverriddenBy);
        let weaker = weaker.map(|(_, at, by)| (at.clone(), why(by)));
        let winning = self.what_runs.winners.iter().filter(|winner| winner.target == first);
        let winning = winning.map(|winner| {
            let can_add = !request.add && self.is_in_root_of_kustomization(&winner.path, target);
            (winner.location(), WithoutEffect::NotSearched { can_add })
        });
        let empty: Vec<_> =
            self.empty_tags(target).into_iter().map(|at| (at, WithoutEffect::Empty)).collect();
        let values = self.replaced_values.iter().filter(|(target, _)| *target == first);
        let values = values.map(|(_, at)| (at.clone(), WithoutEffect::ReplacedValue));
        let mut places: Vec<_> = weaker.chain(values).collect();
        if places.is_empty() {
            places.extend(winning);
        }
        match (places.as_slice(), empty.as_slice()) {
            ([], _) => return None,
            ([(_, WithoutEffect::NotSearched { .. }), ..], [_, ..]) => places = empty,
            _ => places.extend(empty),
        }
        Some(PlanError::OnlyWeaker { image, places })
    }

    /// The empty tags of a target in the files that may be written.
    fn empty_tags(&self, target: &UpdateTarget) -> BTreeSet<Location> {
        let unset = self.what_runs.unset.iter().filter(|unset| same_image(&unset.image, &target.name));
        let places = unset.filter_map(|unset| Some(unset.empty_tag.as_ref()?.1.clone()));
        places.filter(|at| target.scope.match_level_of_any(&at.file).is_some()).collect()
    }

    /// Whether a kustomization that a target may set is part of a root that a file is part of.
    fn is_in_root_of_kustomization(&self, path: &str, target: &UpdateTarget) -> bool {
        let Some(roots) = self.what_runs.roots_of.get(path) else { return false };
        let files = self.what_runs.roots_of.iter().filter(|(_, of_file)| !of_file.is_disjoint(roots));
        let mut kustomizations = files.filter(|(file, _)| is_kustomization_file(file));
        kustomizations.any(|(file, _)| target.scope.reaches(file))
    }

    /// The environments that a file is part of, if a hold is about an environment, and a root is made from the file.
    pub fn environments_of(&self, path: &str) -> Option<&BTreeSet<String>> {
        self.what_runs.environments_of.get(path)
    }

    /// Whether some root is made from a file.
    pub fn is_rendered(&self, path: &str) -> bool {
        self.what_runs.rendered.contains(path)
    }

    /// Whether a file is part of nothing but what the request is about.
    pub fn is_only_here(&self, path: &str, request: &Request) -> bool {
        let environments = &request.environments;
        match self.what_runs.file_roots.get(path) {
            Some(roots) => roots.counts && roots.outside.is_empty(),
            None => !environments.is_limited() || environments.counts(environments.of_file(path)),
        }
    }

    /// Drops the workloads, and the entries that other environments use too, whose tag an added entry sets from now on.
    pub fn drop_overridden_by_added(
        &mut self,
        scanned: &ScannedFiles,
        request: &Request,
        matches: &mut Vec<Match>,
    ) {
        let files = &scanned.files;
        let roots_of =
            |m: &Match| self.what_runs.roots_of.get(&files[m.file].path).cloned().unwrap_or_default();
        let mut added: BTreeMap<TargetIndex, (BTreeSet<usize>, Location)> = BTreeMap::new();
        for m in matches.iter().filter(|m| m.added) {
            added.entry(m.target).or_insert_with(|| (BTreeSet::new(), files[m.file].place(m.at)));
        }
        // in other roots, an entry that was there already may set the workload's tag
        for m in matches.iter().filter(|m| m.overrides && m.outside.is_empty()) {
            added.entry(m.target).and_modify(|(roots, _)| roots.extend(roots_of(m)));
        }
        let mut dropped = Vec::new();
        matches.retain(|m| {
            let own = roots_of(m);
            let is_reached = m.kind == WORKLOAD && add::in_container(&files[m.file].yaml, m.at);
            let is_workload = is_reached && m.match_level != MatchLevel::Explicit;
            // what other environments use too stays, and the added entry sets what runs here
            let is_shared = m.is_of_kustomization() && !m.outside.is_empty();
            let may_drop = (is_workload || is_shared) && !own.is_empty();
            let by = added.get(&m.target).filter(|(roots, _)| own.is_subset(roots));
            match by.filter(|_| may_drop) {
                None => true,
                Some((_, by)) => {
                    let image = request.targets[m.target].name.clone();
                    let by = Some(by.clone());
                    let overridden = Overridden { root: String::new(), by, renamed_at: None, image };
                    dropped.push((m.target, files[m.file].place_of(m), overridden));
                    false
                }
            }
        });
        let mut by_target: BTreeMap<TargetIndex, Vec<_>> = BTreeMap::new();
        dropped.into_iter().for_each(|(target, at, by)| by_target.entry(target).or_default().push((at, by)));
        self.notices
            .extend(by_target.iter().map(|(target, places)| notice(&request.targets[*target], places)));
    }

    /// Adds the reports to a plan.
    pub fn on(self, plan: Plan) -> Plan {
        let warnings = self.warnings.into_iter().chain(plan.warnings).collect();
        Plan { notices: self.notices, warnings, ..plan }
    }
}

/// The warnings about images that run without a tag of their own, and that no match gives one.
fn unset_tags(scanned: &ScannedFiles, what_runs: &WhatRuns, kept: &[Match]) -> Vec<String> {
    let set = || kept.iter().filter(|m| m.result.is_ok());
    let places = |m: &Match| scanned.files[m.file].places_of(m).collect::<Vec<_>>();
    let edited: HashSet<FilePlace> = set().flat_map(places).collect();
    let added: HashSet<FilePlace> = set().filter(|m| m.added).flat_map(places).collect();
    let has_tag_now = |unset: &UnsetTag| match (&unset.empty_tag, &unset.named_at) {
        (Some((place, _)), _) => edited.contains(place),
        (None, named_at) => named_at.as_ref().is_some_and(|place| added.contains(place)),
    };
    let is_field = |unset: &UnsetTag| unset.app_version.as_ref().is_some_and(|place| edited.contains(place));
    let unset = what_runs.unset.iter().filter(|unset| !has_tag_now(unset) && !is_field(unset));
    let warnings: BTreeSet<&String> = unset.map(|unset| &unset.warning).collect();
    warnings.into_iter().cloned().collect()
}

fn notice(target: &UpdateTarget, places: &[(Location, Overridden)]) -> String {
    let shown = places.iter().take(LISTED).map(|(at, overridden)| match &overridden.by {
        Some(by) => format!("{at} (by {by})"),
        None => at.to_string(),
    });
    let shown: Vec<String> = shown.collect();
    let more = match places.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "left unchanged, because a stronger place sets {}: {}{more}",
        inline(&target.name),
        shown.join(", ")
    )
}
