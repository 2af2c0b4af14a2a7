//! Searches the history for the tags that references had before.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::RollbackPlan;
use super::error::{RollbackError, SearchedHistory};
use super::trace::{ReferenceTrace, joined};
use crate::build_info;
use crate::config::Config;
use crate::decision::base::{BranchFiles, DecisionBase};
use crate::decision::context::DecisionContext;
use crate::decision::error::DecisionError;
use crate::decision::tag_and_digest::TagAndDigest;
use crate::decision::targets;
use crate::history::git::CommitWalk;
use crate::history::{
    self, CommitId, CommitStore, Extent, FirstParents, FollowedReferences, HistoryReach, HistoryStart,
    MAX_MOVES, TagEntry,
};
use crate::image::{Field, Tag, same_tag};
use crate::landing::RolledBack;
use crate::location::Location;
use crate::plan::{
    self, Cancellation, ChangeableReferences, CurrentReference, PlanError, Request, TargetIndex, UpdateTarget,
};
use crate::settings::RollbackOptions;
use crate::tag::Source;
use crate::visible::inline;

pub(in crate::decision) struct RollbackSearch<'a> {
    context: &'a DecisionContext<'a>,
    config: &'a Config,
    pub(super) files: BranchFiles<'a>,
    options: RollbackOptions,
    cancellation: Cancellation,
}

impl<'a> RollbackSearch<'a> {
    pub fn new(
        context: &'a DecisionContext<'a>,
        config: &'a Config,
        base: DecisionBase<'a>,
        options: RollbackOptions,
    ) -> Self {
        let (files, cancellation) = (BranchFiles::new(base), base.cancellation());
        RollbackSearch { context, config, files, options, cancellation }
    }

    /// Finds the tags that the references go back to.
    pub(super) fn find(
        &self,
        typed: &Request,
        untagged: &Request,
        changeable: &ChangeableReferences,
    ) -> Result<RollbackPlan, DecisionError> {
        let current = changeable.references.as_slice();
        let mut traces = traces(typed, current)?;
        let references = FollowedReferences { request: untagged, now: current };
        let HistoryReach { extent, has_merges } = self.walk(references, &mut traces)?;
        if extent == Extent::Complete {
            self.walk_earlier_places(untagged, &mut traces)?;
        }
        if has_merges && traces.iter().any(ReferenceTrace::may_differ_on_branch) {
            self.prefer_own_of_branch(typed, references, &mut traces)?;
        }
        let filled = changeable.placeholders.iter().map(|reference| filled_in(reference, typed));
        let mut rollback = RollbackPlan { warnings: filled.collect(), ..RollbackPlan::default() };
        let mut without_goal = Vec::new();
        for trace in &traces {
            let others = traces.iter().filter(|other| other.target == trace.target);
            let target = &typed.targets[trace.target];
            if let Some((one, other)) = trace.differing().filter(|_| target.tag.is_none()) {
                return Err(two_tags_before(trace, one, other).into());
            }
            let Some(to) = goal(trace, others, target, self.options) else {
                without_goal.push(trace);
                continue;
            };
            let source = trace.found().and_then(|earlier| self.source(&earlier.entry, target));
            let bad = self.taken_away(trace, target, &to);
            rollback.add(trace, target, (to, source), bad)?;
        }
        for trace in without_goal {
            let named = typed.targets[trace.target].tag.as_ref();
            // with --all, the places of an image needn't have one history
            let others_go_back =
                traces.iter().any(|other| other.target == trace.target && other.found().is_some());
            if !(typed.all && named.is_none() && others_go_back) {
                return Err(self.no_earlier_tag(trace, named, extent).into());
            }
            rollback.leave(trace);
        }
        Ok(rollback)
    }

    /// The commit that the image of an entry was built from.
    fn source(&self, entry: &TagEntry, target: &UpdateTarget) -> Option<Source> {
        let service = target.service.as_deref();
        let template = targets::tag_template(self.context.settings, self.config, service);
        let source = build_info::source_of_entry(entry, &target.name, template, self.context.checkout)?;
        Some(self.context.with_repository(source.clone()).unwrap_or(source))
    }

    /// The tags that a rollback to `to` takes away, and those that earlier rollbacks took away.
    fn taken_away(
        &self,
        trace: &ReferenceTrace,
        target: &UpdateTarget,
        to: &TagAndDigest,
    ) -> Vec<RolledBack> {
        let taken = trace.taken_away();
        // a tag that is replaced by one which was rolled back wasn't bad
        let is_forward = taken.iter().any(|bad| same_tag(&bad.tag, &to.joined()));
        let replaced = trace.now.iter().filter(|now| *now != to && !is_forward);
        let source = |now| trace.writer(now).and_then(|entry| self.source(entry, target));
        let replaced = replaced.map(|now| RolledBack { tag: now.joined(), source: source(now) });
        replaced.chain(taken).collect()
    }

    /// Reads the history as far back as necessary.
    fn walk(
        &self,
        references: FollowedReferences<'_>,
        traces: &mut [ReferenceTrace],
    ) -> Result<HistoryReach, DecisionError> {
        let (commits, tip) = match self.commits() {
            Ok(commits) => commits,
            // --force sets a tag that the reference may never have had, so it needs no history
            Err(_) if self.options.force && references.request.targets.len() == self.named_count() => {
                return Ok(HistoryReach { extent: Extent::Complete, has_merges: false });
            }
            Err(error) => return Err(error),
        };
        self.walk_from((&*commits, tip), references, &mut |entry| {
            traces.iter_mut().for_each(|trace| trace.take(&entry, &*commits));
            !traces.iter().all(ReferenceTrace::is_done)
        })
    }

    /// Passes each earlier tag to `take`, newest first, until that is enough.
    fn walk_from(
        &self,
        (commits, tip): (&dyn CommitStore, CommitId),
        references: FollowedReferences<'_>,
        take: &mut dyn FnMut(TagEntry) -> bool,
    ) -> Result<HistoryReach, DecisionError> {
        let prefix = self.context.checkout.map(|checkout| checkout.prefix()).unwrap_or_default();
        let start = HistoryStart { commits, tip, prefix };
        let reach = history::walk_history(start, references, &mut |entry| {
            take(entry) && !self.cancellation.is_cancelled()
        })?;
        if self.cancellation.is_cancelled() { Err(PlanError::Cancelled.into()) } else { Ok(reach) }
    }

    /// A merge can bring several tags at once, of which the branch only had the last one: goes back to what the branch itself had.
    fn prefer_own_of_branch(
        &self,
        typed: &Request,
        references: FollowedReferences<'_>,
        all: &mut [ReferenceTrace],
    ) -> Result<(), DecisionError> {
        let Ok((commits, tip)) = self.commits() else { return Ok(()) };
        let mut own = traces(typed, references.now)?;
        own.iter_mut().zip(all.iter()).for_each(|(own, all)| own.skip_bad_of(all));
        let branch = self.files.branch(self.context);
        let first_parents = FirstParents { commits: &*commits, branch: &branch };
        self.walk_from((&first_parents, tip), references, &mut |entry| {
            own.iter_mut().for_each(|trace| trace.take(&entry, &*commits));
            !own.iter().all(ReferenceTrace::is_done)
        })?;
        let pairs = all.iter_mut().zip(own);
        let mut preferred: Vec<_> = pairs.filter_map(|(all, own)| all.prefer(own).then_some(all)).collect();
        if preferred.is_empty() {
            return Ok(());
        }
        self.walk_from((&*commits, tip), references, &mut |entry| {
            preferred.iter_mut().for_each(|trace| trace.take_writer(&entry));
            preferred.iter().any(|trace| trace.lacks_writer())
        })?;
        Ok(())
    }

    /// For references that had no earlier tag, reads the history of the places that set the tag before them, as `history`
    /// does.
    fn walk_earlier_places(
        &self,
        untagged: &Request,
        traces: &mut [ReferenceTrace],
    ) -> Result<(), DecisionError> {
        let still: HashSet<_> = traces.iter().map(|trace| (trace.target, trace.file.clone())).collect();
        for _ in 0..MAX_MOVES {
            let Some(added_by) = traces.iter().find_map(ReferenceTrace::added_by) else { break };
            let mut of_commit: Vec<_> =
                traces.iter_mut().filter(|trace| trace.added_by() == Some(added_by)).collect();
            let (commits, _) = self.commits()?;
            let links = commits.links(added_by)?;
            let parent = links.as_ref().and_then(|links| links.parents.first().copied());
            let before = parent.and_then(|commit| Some((commit, self.earlier_places(untagged, commit)?)));
            let Some((commit, places)) = before else {
                of_commit.iter_mut().for_each(|trace| trace.go_on_in(std::iter::empty()));
                continue;
            };
            for trace in &mut of_commit {
                trace.go_on_in(earlier_files(trace, &places, &still).into_iter());
            }
            let replaced = links.map_or(0, |links| links.time);
            let references = FollowedReferences { request: untagged, now: &places };
            self.walk_from((&*commits, commit), references, &mut |entry| {
                of_commit.iter_mut().for_each(|trace| trace.take_earlier(&entry, replaced));
                of_commit.iter().any(|trace| trace.found().is_none())
            })?;
        }
        Ok(())
    }

    /// The places that set the tags in a commit; `None` if that isn't known.
    fn earlier_places(&self, untagged: &Request, commit: CommitId) -> Option<Vec<CurrentReference>> {
        let request = Request { all: true, expect: None, ..untagged.clone() };
        plan::matching_references(self.files.at(self.context, commit)?.as_ref(), &request).ok()
    }

    fn commits(&self) -> Result<(Box<dyn CommitStore + '_>, CommitId), DecisionError> {
        let Some((snapshot, tip)) = self.files.tip else {
            let checkout = self.context.checkout.ok_or_else(|| self.no_history())?;
            let (commits, head) = CommitWalk::of_head(checkout)?;
            return Ok((Box::new(commits), head));
        };
        Ok((snapshot.history.past(snapshot.deadline), tip))
    }

    fn no_history(&self) -> DecisionError {
        match &self.context.unopened {
            Some(error) => DecisionError::Unopened(error.clone()),
            None => RollbackError::NoHistory.into(),
        }
    }

    /// How many images have a tag that was named.
    fn named_count(&self) -> usize {
        let settings = self.context.settings;
        let is_named = |tag: &Field<Tag>| matches!(tag, Field::Set(_)) || settings.tag.is_some();
        settings.images.iter().filter(|image| is_named(&image.tag)).count()
    }

    fn no_earlier_tag(&self, trace: &ReferenceTrace, named: Option<&Tag>, extent: Extent) -> RollbackError {
        let (image, seen) = (trace.image.clone(), &trace.tags);
        let at = Location { file: trace.file.clone(), line: trace.line, column: None };
        let history = match (extent, self.files.tip) {
            (Extent::Complete, _) => SearchedHistory::Complete,
            (Extent::Truncated { .. }, None) => SearchedHistory::IncompleteCheckout,
            (Extent::Truncated { .. }, Some(_)) => SearchedHistory::IncompleteFetch,
        };
        match named {
            Some(tag) => {
                RollbackError::NeverHadTag { at, image, tag: tag.to_string(), had: seen.clone(), history }
            }
            None => {
                let skipped = seen.iter().skip(1).cloned().collect();
                RollbackError::NoEarlierTag { at, image, now: joined(&trace.now), skipped, history }
            }
        }
    }
}

/// The files that set the tag of a trace's image before the trace's file did: none of those that still set one, which are other
/// places of the image. If they had several tags, it isn't known which of them was that of this file.
fn earlier_files(
    trace: &ReferenceTrace,
    places: &[CurrentReference],
    still: &HashSet<(TargetIndex, String)>,
) -> BTreeSet<String> {
    let is_earlier = |place: &&CurrentReference| {
        place.target == trace.target && !still.contains(&(place.target, place.file.clone()))
    };
    let earlier: Vec<_> = places.iter().filter(is_earlier).collect();
    let versions: HashSet<TagAndDigest> =
        earlier.iter().map(|place| TagAndDigest::of_reference(place)).collect();
    earlier.into_iter().filter(|_| versions.len() == 1).map(|place| place.file.clone()).collect()
}

/// One trace for each file of each image.
fn traces(typed: &Request, current: &[CurrentReference]) -> Result<Vec<ReferenceTrace>, DecisionError> {
    let mut traces: Vec<ReferenceTrace> = Vec::new();
    let mut positions: HashMap<(TargetIndex, &str), usize> = HashMap::new();
    for reference in current {
        let (target, version) = (&typed.targets[reference.target], TagAndDigest::of_reference(reference));
        let position = positions.entry((reference.target, &reference.file));
        let nth = *position.or_insert(traces.len());
        let Some(trace) = traces.get_mut(nth) else {
            traces.push(ReferenceTrace::new(reference, &target.name, target.tag.clone()));
            continue;
        };
        if target.tag.is_none() && !trace.has_now(&version) {
            return Err(two_tags(trace, reference).into());
        }
        trace.add(version);
    }
    Ok(traces)
}

/// What a warning says about a placeholder, which stays.
fn filled_in(reference: &CurrentReference, typed: &Request) -> String {
    let at = Location { file: reference.file.clone(), line: reference.line, column: None };
    let image = &typed.targets[reference.target].name;
    let tag = reference.tag.as_deref().map(inline).unwrap_or_default();
    format!(
        "{at}: skipped: another tool fills in {tag} as the tag of {image}; roll back the value that it fills in"
    )
}

fn two_tags_before(trace: &ReferenceTrace, one: &TagAndDigest, other: &TagAndDigest) -> RollbackError {
    RollbackError::TwoTagsBefore {
        file: trace.file.clone(),
        image: trace.image.clone(),
        now: joined(&trace.now),
        tags: (one.joined(), other.joined()),
    }
}

fn two_tags(trace: &ReferenceTrace, reference: &CurrentReference) -> RollbackError {
    RollbackError::TwoTags {
        file: trace.file.clone(),
        image: trace.image.clone(),
        tags: (joined(&trace.now), TagAndDigest::of_reference(reference).joined()),
        lines: (trace.line, reference.line),
    }
}

/// The tag that a file goes back to. For a named tag, it is enough that another file had it.
fn goal<'s>(
    trace: &'s ReferenceTrace,
    mut others: impl Iterator<Item = &'s ReferenceTrace>,
    target: &UpdateTarget,
    options: RollbackOptions,
) -> Option<TagAndDigest> {
    let own = trace.found();
    let found = own.or_else(|| others.find_map(ReferenceTrace::found).filter(|_| target.tag.is_some()));
    match (found, &target.tag) {
        (Some(earlier), _) => Some(earlier.version.clone()),
        (None, Some(named)) if options.force => {
            Some(TagAndDigest { tag: Some(named.to_string()), digest: None })
        }
        (None, _) => None,
    }
}
