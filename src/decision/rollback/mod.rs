//! Finds the tag that a rollback goes back to, in the history.
//!
//! It is determined once, on the first tip. If someone else pushes another tag in the meantime, the rollback ends with an error:
//! their bump is not the one to roll back.

mod error;
mod reverts;
mod search;
mod trace;

use std::collections::{BTreeSet, HashSet};

use super::error::DecisionError;
use super::tag_and_digest::TagAndDigest;
use crate::image::{Digest, Field, ImageError, Tag, same_tag};
use crate::landing::RolledBack;
use crate::location::Location;
use crate::plan::{self, CurrentReference, NewDigest, Request, Scope, TargetIndex, UpdateTarget};
use crate::tag::Source;
use trace::{ReferenceTrace, joined};

pub use error::{RollbackError, SearchedHistory};
pub(super) use search::RollbackSearch;

/// What goes back to what.
#[derive(Clone, Debug, Default)]
pub(super) struct RollbackPlan {
    targets: Vec<UpdateTarget>,
    /// The tags that are taken away, by these targets.
    pub rolled_back: Vec<(TargetIndex, RolledBack)>,
    /// The same, for a quick lookup.
    taken: HashSet<(TargetIndex, RolledBack)>,
    /// The commits that the tags which come back were built from, as far as they are known, by target.
    pub sources: Vec<Option<Source>>,
    /// The tags of each file when the rollback began.
    starts: Vec<RollbackStart>,
    /// The references that don't go back, and why.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug)]
struct RollbackStart {
    /// Of the typed request.
    target: TargetIndex,
    file: String,
    from: Vec<TagAndDigest>,
    to: TagAndDigest,
}

impl RollbackSearch<'_> {
    /// The request of a rollback, made from the typed one. The first call determines `known`; the later ones only check
    /// whether someone else has changed these tags.
    pub(super) fn request<'m>(
        &self,
        typed: Request,
        known: &'m mut Option<RollbackPlan>,
    ) -> Result<(Request, &'m RollbackPlan), DecisionError> {
        let targets = typed.targets.iter().map(|target| UpdateTarget { tag: None, ..target.clone() });
        let mut untagged = Request { targets: targets.collect(), ..typed.clone() };
        if known.is_some() {
            // the first tip determined which references are set
            (untagged.all, untagged.expect) = (true, None);
        }
        let changeable = plan::changeable_references(self.files.files, &untagged)?;
        let rollback = match known {
            Some(rollback) => {
                rollback.check_unchanged(&changeable.references, &untagged)?;
                rollback
            }
            None => known.insert(self.find(&typed, &untagged, &changeable)?),
        };
        let request = Request { targets: rollback.targets.clone(), all: true, expect: None, ..typed };
        Ok((request, rollback))
    }
}

impl RollbackPlan {
    /// The commit that a tag which is taken away was built from.
    pub(super) fn source_of(&self, target: TargetIndex, tag: &str) -> Option<Source> {
        let mut taken = self.rolled_back.iter();
        taken
            .find(|(of, bad)| *of == target && same_tag(&bad.tag, tag))
            .and_then(|(_, bad)| bad.source.clone())
    }

    fn add(
        &mut self,
        trace: &ReferenceTrace,
        typed: &UpdateTarget,
        (to, source): (TagAndDigest, Option<Source>),
        bad: Vec<RolledBack>,
    ) -> Result<(), DecisionError> {
        let invalid = |error: ImageError| {
            let (file, image) = (trace.file.clone(), trace.image.clone());
            DecisionError::from(RollbackError::InvalidTag { file, image, tag: to.joined(), error })
        };
        let tag = to.tag.as_deref().map(Tag::parse).transpose().map_err(invalid)?;
        let digest = to.digest.as_deref().map(Digest::parse).transpose().map_err(invalid)?;
        let digest = digest.map_or(Field::Unspecified, Field::Set);
        let new_digest = if tag.is_none() { NewDigest::InsteadOfTag } else { typed.new_digest };
        let is_same = |target: &UpdateTarget| {
            let (one, other) = ((&target.name, &target.service), (&typed.name, &typed.service));
            one == other && (&target.tag, &target.digest) == (&tag, &digest)
        };
        let known = self.targets.iter().position(is_same);
        if let Some(other) = known.and_then(|at| self.sources.get_mut(at)).filter(|other| **other != source) {
            // two commits claim to be the source of one tag
            *other = None;
        }
        let at = known.unwrap_or_else(|| {
            self.sources.push(source);
            let scope = Scope { only: Some(BTreeSet::new()), ..typed.scope.clone() };
            self.targets.push(UpdateTarget { tag, digest, new_digest, scope, ..typed.clone() });
            self.targets.len() - 1
        });
        if let Some(only) = &mut self.targets[at].scope.only {
            only.insert(trace.file.clone());
        }
        for bad in bad.into_iter().map(|bad| (TargetIndex::new(at), bad)) {
            // a tag that is set on purpose isn't bad any more
            let mut is_new = || self.taken.insert(bad.clone());
            if !same_tag(&bad.1.tag, &to.joined()) && is_new() {
                self.rolled_back.push(bad);
            }
        }
        let (file, from) = (trace.file.clone(), trace.now.clone());
        self.starts.push(RollbackStart { target: trace.target, file, from, to });
        Ok(())
    }

    /// Leaves a reference as it is, which had no earlier tag.
    fn leave(&mut self, trace: &ReferenceTrace) {
        let ReferenceTrace { target, file, line, image, now, .. } = trace;
        let at = Location { file: file.clone(), line: *line, column: None };
        let than = error::than(&joined(now));
        self.warnings.push(format!("{at}: skipped: no earlier tag of {image}{than} found"));
        let (from, to) = (now.clone(), now.first().cloned().unwrap_or_default());
        self.starts.push(RollbackStart { target: *target, file: file.clone(), from, to });
    }

    /// Checks that every file still has the tags that it had when the rollback began, or the new one.
    fn check_unchanged(&self, current: &[CurrentReference], untagged: &Request) -> Result<(), DecisionError> {
        let expected = self.starts.iter().flat_map(|start| {
            let versions = start.from.iter().chain([&start.to]);
            versions.map(|version| (start.target, start.file.as_str(), version))
        });
        let expected: HashSet<_> = expected.collect();
        let is_expected = |reference: &&CurrentReference| {
            let version = TagAndDigest::of_reference(reference);
            expected.contains(&(reference.target, reference.file.as_str(), &version))
        };
        match current.iter().find(|reference| !is_expected(reference)) {
            Some(changed) => Err(self.changed_meanwhile(changed, untagged).into()),
            None => Ok(()),
        }
    }

    fn changed_meanwhile(&self, changed: &CurrentReference, untagged: &Request) -> RollbackError {
        let CurrentReference { target, file, line, .. } = changed;
        let mut starts = self.starts.iter().filter(|start| start.target == *target && start.file == *file);
        RollbackError::Moved {
            at: Location { file: file.clone(), line: *line, column: None },
            image: untagged.targets[*target].name.clone(),
            now: TagAndDigest::of_reference(changed).joined(),
            before: starts.next().map_or("nothing".to_owned(), |start| joined(&start.from)),
        }
    }
}
