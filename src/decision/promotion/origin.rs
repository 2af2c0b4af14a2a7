//! Where a version comes from: the commit that set it in the environment before, and the one that it was built from.

use std::collections::HashMap;

use super::Candidate;
use super::reading::EnvironmentReader;
use super::soak::Choice;
use crate::build_info;
use crate::config::Config;
use crate::decision::base::BranchFiles;
use crate::decision::context::DecisionContext;
use crate::decision::error::DecisionError;
use crate::decision::tag_and_digest::TagAndDigest;
use crate::decision::targets;
use crate::history::{self, CommitStore, FollowedReferences, HistoryStart, TagEntry};
use crate::image::same_tag;
use crate::object_id::CommitId;
use crate::plan::{Cancellation, CurrentReference, PlanError, TargetIndex, UpdateTarget};
use crate::tag::Source;

/// How many changes of the references are looked at.
const MAX_ENTRIES: usize = 1000;

/// Walks through the history of an environment.
pub(super) struct OriginWalk<'a> {
    pub context: &'a DecisionContext<'a>,
    pub config: &'a Config,
    pub files: BranchFiles<'a>,
    pub cancellation: Cancellation,
}

/// What the history says about a version.
#[derive(Clone, Debug, Default)]
pub(super) struct VersionOrigin {
    pub source: Option<Source>,
    /// When the environment got it: seconds since the epoch.
    pub since: Option<i64>,
}

impl OriginWalk<'_> {
    /// The origin of each candidate's version: of the chosen one, or of the one that runs now.
    pub fn origins(
        &self,
        reader: &EnvironmentReader<'_>,
        candidates: &[Candidate],
        chosen: &[Choice],
    ) -> Result<Vec<VersionOrigin>, DecisionError> {
        let versions: Vec<TagAndDigest> = candidates
            .iter()
            .zip(chosen)
            .map(|(candidate, choice)| match choice {
                Ok(soaked) => soaked.version.clone(),
                Err(_) => candidate.running.version.clone(),
            })
            .collect();
        let written = self.written(reader, candidates, &versions)?;
        let each = candidates.iter().zip(versions).zip(chosen).enumerate();
        let origins = each.map(|(nth, ((candidate, version), choice))| {
            let entry = written.get(&nth);
            let since = choice.as_ref().ok().and_then(|soaked| soaked.since);
            let by_commit = entry.and_then(|entry| entry.written.as_ref()).map(|by| by.time);
            VersionOrigin {
                source: self.source(&candidate.target, &version, entry),
                since: since.or(by_commit),
            }
        });
        Ok(origins.collect())
    }

    /// The commit that an image was built from: by the trailers of the commit that set its tag in the environment, else by the
    /// tag.
    fn source(
        &self,
        target: &UpdateTarget,
        version: &TagAndDigest,
        entry: Option<&TagEntry>,
    ) -> Option<Source> {
        let (context, service) = (self.context, target.service.as_deref());
        let template = targets::tag_template(context.settings, self.config, service);
        let source = match entry {
            Some(entry) => build_info::source_of_entry(entry, &target.name, template, context.checkout)?,
            None => context.source_in_tag(version.tag.as_deref()?, template)?,
        };
        Some(context.with_repository(source.clone()).unwrap_or(source))
    }

    /// The entries of the commits that set the versions, by candidate.
    fn written(
        &self,
        reader: &EnvironmentReader<'_>,
        candidates: &[Candidate],
        versions: &[TagAndDigest],
    ) -> Result<HashMap<usize, TagEntry>, DecisionError> {
        let mut found: HashMap<usize, TagEntry> = HashMap::new();
        let Some((commits, tip)) = self.files.commits(self.context)? else { return Ok(found) };
        self.walk(&*commits, tip, reader, candidates, &mut |nth, entry| {
            let version = &versions[nth];
            if is_version(entry, version) && entry.written.is_some() {
                found.entry(nth).or_insert_with(|| entry.clone());
            }
            found.len() < candidates.len()
        })?;
        Ok(found)
    }

    /// Passes each change of a candidate's places to `take`, newest first, until that is enough.
    pub fn walk(
        &self,
        commits: &dyn CommitStore,
        tip: CommitId,
        reader: &EnvironmentReader<'_>,
        candidates: &[Candidate],
        take: &mut dyn FnMut(usize, &TagEntry) -> bool,
    ) -> Result<(), DecisionError> {
        let places = CandidatePlaces::of(candidates);
        let request = reader.request(places.targets);
        let prefix = self.context.checkout.map(|checkout| checkout.prefix()).unwrap_or_default();
        let mut left = MAX_ENTRIES;
        let references = FollowedReferences { request: &request, now: &places.now };
        history::walk_history(HistoryStart { commits, tip, prefix }, references, &mut |entry| {
            left -= 1;
            let meant =
                places.positions.iter().enumerate().filter(|(_, position)| entry.target == **position);
            let is_wanted = meant.fold(true, |goes_on, (nth, _)| take(nth, &entry) && goes_on);
            is_wanted && left > 0 && !self.cancellation.is_cancelled()
        })?;
        if self.cancellation.is_cancelled() { Err(PlanError::Cancelled.into()) } else { Ok(()) }
    }
}

/// The places of all candidates, as a request finds them.
struct CandidatePlaces {
    /// Each once: two targets that match one place would be an error.
    targets: Vec<UpdateTarget>,
    /// The target of each candidate.
    positions: Vec<TargetIndex>,
    now: Vec<CurrentReference>,
}

impl CandidatePlaces {
    fn of(candidates: &[Candidate]) -> Self {
        let mut places = CandidatePlaces { targets: Vec::new(), positions: Vec::new(), now: Vec::new() };
        for Candidate { running, .. } in candidates {
            let known = |target: &UpdateTarget| {
                (&target.name, &target.scope) == (&running.read_as.name, &running.read_as.scope)
            };
            let position = places.targets.iter().position(known).unwrap_or_else(|| {
                let target = TargetIndex::new(places.targets.len());
                let own = running.places.iter();
                places
                    .now
                    .extend(own.map(|running| CurrentReference { target, ..running.reference.clone() }));
                places.targets.push(running.read_as.clone());
                places.targets.len() - 1
            });
            places.positions.push(TargetIndex::new(position));
        }
        places
    }
}

/// Whether an entry has this version. A digest or tag that comes from another place isn't part of the entry.
pub(super) fn is_version(entry: &TagEntry, version: &TagAndDigest) -> bool {
    let once = TagAndDigest::of_entry(entry);
    !once.joined().is_empty() && same_tag(&once.joined(), &version.joined())
}
