//! What becomes of a match, by what runs.

use std::collections::{HashMap, HashSet};

use super::super::files::ScannedFiles;
use super::super::indexes::FileIndex;
use super::super::matched::Match;
use super::super::{OtherRoot, Request, TargetIndex, UpdateTarget};
use super::winning_place::WinningPlace;
use super::{FedImage, FilePlace, FileRoots, Overridden, UnusedEntry, WhatRuns, Winner};
use crate::effective::{SecondReader, Setting};
use crate::image::{Field, Tag};
use crate::location::Location;
use crate::manifest::{COMPOSE, HELM_RELEASE, KUSTOMIZATION, Refusal, RefusalReason, VALUES, WORKLOAD};
use crate::visible::inline;

/// What becomes of a match.
pub(super) enum Verdict {
    Keep,
    /// An entry that no container uses, with a notice about it.
    KeepUnused(String),
    /// Its value is also the tag of these images, which a stronger place renames.
    SetsOthers(Vec<FedImage>),
    /// An entry that has no effect, with a notice about it.
    Unused(String),
    /// An empty tag: the chart's `appVersion` runs, which a warning says.
    EmptyTag,
    /// A stronger place overrides it.
    Weaker(Overridden),
    /// Stronger values replace the list or map that it is in.
    ReplacedValue,
}

impl Verdict {
    /// Whether the match stays, whatever the environment.
    pub fn keeps(&self) -> bool {
        matches!(self, Verdict::Keep | Verdict::KeepUnused(_) | Verdict::SetsOthers(_))
    }
}

/// Whether the environments that a request is about have a match.
pub(super) enum Membership {
    /// They do, and so do these roots of others.
    Counts {
        outside: Vec<OtherRoot>,
    },
    Outside {
        environment: Option<String>,
    },
    /// It is a winning place there.
    WinsOutside,
}

pub(super) struct Judge<'a> {
    pub scanned: &'a ScannedFiles,
    pub what_runs: &'a WhatRuns,
    /// The winning place that a scalar belongs to.
    winners: HashMap<(TargetIndex, &'a FilePlace), &'a Winner>,
    /// The scalars of winning places in other environments.
    outside: HashSet<(TargetIndex, FilePlace)>,
    files: HashMap<&'a str, FileIndex>,
    /// Empty tags, for which the chart's `appVersion` runs.
    empty_tags: HashSet<&'a FilePlace>,
    /// Missing tags are to be added.
    adds: bool,
}

impl<'a> Judge<'a> {
    pub fn new(scanned: &'a ScannedFiles, request: &Request, what_runs: &'a WhatRuns) -> Self {
        let winners = what_runs.winners.iter();
        let winners =
            winners.flat_map(|winner| winner.own_nodes().map(move |at| ((winner.target, at), winner)));
        let outside = what_runs.outside.iter();
        let outside =
            outside.flat_map(|winner| winner.nodes.iter().map(|at| (winner.target, at.clone()))).collect();
        let files = FileIndex::each(&scanned.files).map(|(index, file)| (file.path.as_str(), index));
        let empty_tags =
            what_runs.unset.iter().filter_map(|unset| Some(&unset.empty_tag.as_ref()?.0)).collect();
        let (winners, files) = (winners.collect(), files.collect());
        Judge { scanned, what_runs, winners, outside, files, empty_tags, adds: request.add }
    }

    pub fn places<'m>(&'m self, m: &'m Match) -> impl Iterator<Item = FilePlace> + 'm {
        self.scanned.files[m.file].places_of(m)
    }

    /// The winning place that a match is.
    pub fn winner(&self, m: &Match) -> Option<&'a Winner> {
        self.places(m).find_map(|place| self.winners.get(&(m.target, &place)).copied())
    }

    /// Whether the match is in a block scalar of which a root uses the text. Then the places in the text count.
    pub fn is_in_known_text(&self, m: &Match) -> bool {
        let path = &self.scanned.files[m.file].path;
        m.report_only && self.what_runs.texts.contains(&(path.clone(), m.at))
    }

    /// Whether the match is a text with placeholders, of which another part, or another file, sets the version.
    pub fn is_replaced_by_part(&self, m: &Match, winner: Option<&Winner>) -> bool {
        match winner {
            Some(winner) => matches!(winner.setting, Setting::Part(_)),
            None => {
                let sets_target = |winner: &Winner| winner.target == m.target;
                let in_project = self.what_runs.projects.contains(&self.scanned.files[m.file].path);
                m.kind == COMPOSE && in_project && self.what_runs.winners.iter().any(sets_target)
            }
        }
    }

    /// Refuses the tags that Flux would misread. A warning is about those that Helm would misread, which most charts
    /// turn into the same text again.
    pub fn check_second_readers(&self, request: &Request, kept: &mut [Match]) -> Vec<String> {
        let mut warnings = Vec::new();
        for m in kept {
            let Some(winner) = self.winner(m) else { continue };
            let tag = request.targets[m.target].tag.as_ref().map(Tag::as_str);
            let is_new = |tag: &&str| winner.tag.as_deref() != Some(*tag);
            let misread = |tag: &str| winner.second_reader.filter(|reader| reader.misreads(tag));
            let Some((tag, reader)) = tag.filter(is_new).and_then(|tag| Some((tag, misread(tag)?))) else {
                continue;
            };
            match reader {
                SecondReader::PostBuild => {
                    let reason = RefusalReason::Misread { reader: "Flux", tag: tag.to_owned() };
                    m.result = Err(Refusal::new(m.at, reason));
                }
                SecondReader::HelmSet => warnings.push(misread_by_helm(&winner.location(), tag)),
            }
        }
        warnings
    }

    pub fn verdict(&self, m: &Match, wins: bool, target: &UpdateTarget) -> Verdict {
        let by_name = target.new_name == Field::Unspecified;
        // a field that the user named; a file that is named only limits what may be written
        let is_field = m.field.is_some();
        let weaker = || self.places(m).find_map(|place| self.what_runs.weaker.get(&place)).cloned();
        if wins || is_field {
            return Verdict::Keep;
        }
        if !by_name && m.overrides {
            // a new name must be in every entry of the old one, but a tag only in those that have an effect
            return match target.new_name {
                Field::Keep => {
                    weaker().map(Verdict::Weaker).or_else(|| self.unused(m)).unwrap_or(Verdict::Keep)
                }
                _ => Verdict::Keep,
            };
        }
        if let Some(others) = self.places(m).find_map(|place| self.what_runs.feeds.get(&place)) {
            return Verdict::SetsOthers(others.clone());
        }
        if let Some(overridden) = weaker() {
            return Verdict::Weaker(overridden);
        }
        if !self.adds && self.places(m).any(|place| self.empty_tags.contains(&place)) {
            return Verdict::EmptyTag;
        }
        if let Some(verdict) = self.unused(m) {
            return verdict;
        }
        if self.is_replaced(m) {
            let at = self.scanned.files[m.file].place_of(m);
            return Verdict::Unused(format!(
                "{at}: left unchanged, because nothing here runs this container"
            ));
        }
        match self.is_replaced_value(m) {
            true => Verdict::ReplacedValue,
            false => Verdict::Keep,
        }
    }

    /// Whether a match is in Helm values that stronger ones replace: lists, and maps in place of which there is something
    /// else, are not merged.
    fn is_replaced_value(&self, m: &Match) -> bool {
        let (parsed, WhatRuns { followed, known, .. }) = (&self.scanned.files[m.file], self.what_runs);
        is_in_values(m.kind, parsed.has_chart())
            && m.result.is_ok()
            && m.kustomize_name.is_none()
            && followed.contains(&parsed.path)
            && !self.places(m).any(|place| known.contains(&place))
    }

    /// What becomes of an entry that matches no container; `None` if it isn't one.
    fn unused(&self, m: &Match) -> Option<Verdict> {
        let entry = self.places(m).find_map(|place| self.what_runs.unmatched.get(&place))?;
        Some(unused_entry(entry, m))
    }

    /// Whether a match that isn't a winning place belongs to the request's environments: by the roots that its file is part
    /// of, or else by the file.
    pub fn membership(&self, m: &Match, request: &Request) -> Membership {
        let environments = &request.environments;
        let path = &self.scanned.files[m.file].path;
        if !environments.is_limited() {
            return Membership::Counts { outside: Vec::new() };
        }
        if self.places(m).any(|place| self.outside.contains(&(m.target, place))) {
            return Membership::WinsOutside;
        }
        let environment = match self.what_runs.file_roots.get(path) {
            Some(FileRoots { counts: true, outside }) => {
                return Membership::Counts { outside: outside.clone() };
            }
            Some(FileRoots { outside, .. }) => outside.iter().find_map(|other| other.environment.clone()),
            None => {
                let environment = environments.of_file(path);
                if environments.counts(environment) {
                    return Membership::Counts { outside: Vec::new() };
                }
                environment.map(|found| found.name.clone())
            }
        };
        Membership::Outside { environment }
    }

    pub fn is_unmatched(&self, m: &Match) -> bool {
        let path = &self.scanned.files[m.file].path;
        // a Component that nothing includes
        let is_alone = m.kind == KUSTOMIZATION && !self.what_runs.rendered.contains(path);
        is_alone || self.places(m).any(|place| self.what_runs.unmatched.contains_key(&place))
    }

    /// Whether a workload is part of a root in which it has no effect, such as a container that a patch removes, while
    /// other places set the image.
    fn is_replaced(&self, m: &Match) -> bool {
        let WhatRuns { covered, known, winners, .. } = self.what_runs;
        m.kind == WORKLOAD
            && m.inner_at.is_none()
            && covered.contains(&self.scanned.files[m.file].path)
            && !self.places(m).any(|place| known.contains(&place))
            && winners.iter().any(|winner| winner.target == m.target)
    }

    /// The winning places that no match covers.
    pub fn new_winners(&self, kept: &[Match]) -> impl Iterator<Item = &'a Winner> {
        let known: HashSet<(TargetIndex, FilePlace)> =
            kept.iter().flat_map(|m| self.places(m).map(move |place| (m.target, place))).collect();
        let what_runs = self.what_runs;
        what_runs.winners.iter().filter(move |winner| {
            !winner.own_nodes().any(|place| known.contains(&(winner.target, place.clone())))
        })
    }

    /// The index of a winning place's file; `None` if tagbump couldn't read it.
    pub fn file_of(&self, winner: &Winner) -> Option<FileIndex> {
        self.file_at(&winner.path)
    }

    pub fn file_at(&self, path: &str) -> Option<FileIndex> {
        self.files.get(path).copied()
    }

    /// A winning place as a match; `None` if its file isn't among those to write.
    pub fn addition(&self, request: &Request, winner: &Winner) -> Option<Match> {
        let target = winner.target_of_tag(&request.targets[winner.target]);
        let file = self.file_of(winner)?;
        let parsed = &self.scanned.files[file];
        let match_level = target.scope.match_level_of_any(&parsed.path)?;
        let place = WinningPlace { parsed, file, match_level, winner, target: &target };
        place.as_any_match()
    }
}

/// Whether a reference of a kind is in Helm values of which tagbump knows what uses them.
pub(in crate::plan) fn is_in_values(kind: &str, has_chart: bool) -> bool {
    kind == HELM_RELEASE || kind == VALUES && has_chart
}

fn misread_by_helm(at: &Location, tag: &str) -> String {
    format!(
        "{at}: Helm reads {tag} as a number here, and a chart may need text; give an Argo CD parameter forceString: true, \
         move a helmfile's value to setString, or put quotes inside a ConfigMap's value"
    )
}

fn unused_entry(UnusedEntry { at, may_match, running, renamed_by }: &UnusedEntry, m: &Match) -> Verdict {
    let image = inline(m.kustomize_name.as_deref().unwrap_or(&m.image));
    match renamed_by {
        Some(by) => Verdict::Unused(format!("{at}: has no effect, because {by} renames {image} first")),
        None if *may_match && !(m.sets_nothing() && running.contains(&m.target)) => Verdict::Keep,
        None if running.contains(&m.target) => {
            Verdict::Unused(format!("{at}: has no effect, because no container here uses the name {image}"))
        }
        None => Verdict::KeepUnused(format!("{at}: no workload here uses {image}; the entry is set anyway")),
    }
}
