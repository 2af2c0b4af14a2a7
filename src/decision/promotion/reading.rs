//! What an environment runs of each target of a promotion.

use std::collections::HashMap;

use super::PromotionError;
use crate::decision::error::DecisionError;
use crate::decision::tag_and_digest::TagAndDigest;
use crate::file_selection::Selection;
use crate::plan::{
    self, EnvironmentLimit, Environments, FileSource, PlanError, Request, RunningReference, Scope,
    TargetIndex, UpdateTarget,
};
use crate::visible::inline;

/// Reads the environment that tags are promoted from.
pub(super) struct EnvironmentReader<'a> {
    pub files: &'a dyn FileSource,
    /// Limited to that environment.
    pub environments: Environments,
    pub typed: &'a Request,
}

/// The places of one target there.
#[derive(Clone, Debug)]
pub(super) struct RunningPlaces {
    pub places: Vec<RunningReference>,
    /// The target that they were looked for with.
    pub read_as: UpdateTarget,
}

/// The version that all places of a target run.
#[derive(Clone, Debug)]
pub(super) struct RunningVersion {
    pub version: TagAndDigest,
    pub places: Vec<RunningReference>,
    pub read_as: UpdateTarget,
}

impl EnvironmentReader<'_> {
    /// The places of each target. A service's files usually select both environments; if they select nothing here, all files
    /// count.
    pub fn read(&self) -> Result<Vec<Option<RunningPlaces>>, DecisionError> {
        let own: Vec<UpdateTarget> = self.typed.targets.iter().map(without_version).collect();
        let mut found = self.read_as(&own)?;
        let is_missing = |nth: &usize| found[*nth].is_none() && own[*nth].scope != everywhere();
        let missing: Vec<usize> = (0..own.len()).filter(is_missing).collect();
        let anywhere = |nth: &usize| UpdateTarget { scope: everywhere(), ..own[*nth].clone() };
        let more = self.read_as(&missing.iter().map(anywhere).collect::<Vec<_>>())?;
        for (nth, places) in missing.into_iter().zip(more) {
            found[nth] = places;
        }
        Ok(found)
    }

    fn read_as(&self, targets: &[UpdateTarget]) -> Result<Vec<Option<RunningPlaces>>, DecisionError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        // two targets that match one place would be an error
        let mut distinct: Vec<UpdateTarget> = Vec::new();
        let mut positions = Vec::new();
        for target in targets {
            let is_same = |known: &UpdateTarget| (&known.name, &known.scope) == (&target.name, &target.scope);
            positions.push(distinct.iter().position(is_same).unwrap_or_else(|| {
                distinct.push(target.clone());
                distinct.len() - 1
            }));
        }
        let mut places: HashMap<TargetIndex, Vec<RunningReference>> = HashMap::new();
        for one in plan::running(self.files, &self.request(distinct.clone()))? {
            places.entry(one.reference.target).or_default().push(one);
        }
        let found = positions.into_iter().map(|nth| {
            let places = places.get(&TargetIndex::new(nth))?.clone();
            Some(RunningPlaces { places, read_as: distinct.get(nth)?.clone() })
        });
        Ok(found.collect())
    }

    /// The environment's name, for messages.
    pub fn environment(&self) -> String {
        match &self.environments.limit {
            EnvironmentLimit::Only(name) => inline(name),
            _ => String::new(),
        }
    }

    /// A request for the places of some targets.
    pub fn request(&self, targets: Vec<UpdateTarget>) -> Request {
        let environments = self.environments.clone();
        Request { targets, environments, all: true, add: false, expect: None, ..self.typed.clone() }
    }

    /// The error that a target is nowhere in the environment.
    pub fn missing(&self, target: &UpdateTarget) -> DecisionError {
        let anywhere = UpdateTarget { scope: everywhere(), ..without_version(target) };
        match plan::matching_references(self.files, &self.request(vec![anywhere])) {
            Err(error @ PlanError::OtherEnvironments { .. }) => {
                let (from, message) = (self.environment(), error.to_string());
                PromotionError::NotRun { from, message }.into()
            }
            Err(error) => error.into(),
            Ok(_) => {
                let (from, image) = (self.environment(), target.name.clone());
                PromotionError::OnlyInText { from, image }.into()
            }
        }
    }
}

impl RunningPlaces {
    /// The version that all of them run.
    pub fn version(self, from: &str, image: &str) -> Result<RunningVersion, DecisionError> {
        let RunningPlaces { places, read_as } = self;
        let of_place = |one: &RunningReference| {
            let version =
                |tag: &Option<String>| TagAndDigest { tag: tag.clone(), digest: one.digest.clone() };
            let at = one.at.clone();
            one.tags.iter().map(move |tag| (at.clone(), version(tag))).collect::<Vec<_>>()
        };
        let all: Vec<_> = places.iter().flat_map(of_place).collect();
        let first = all.first().map(|(_, version)| version.clone()).unwrap_or_default();
        if all.iter().any(|(_, version)| *version != first) {
            let found = all.into_iter().map(|(at, version)| (at, version.joined())).collect();
            let (from, image) = (from.to_owned(), image.to_owned());
            return Err(PromotionError::TwoTags { from, image, found }.into());
        }
        Ok(RunningVersion { version: first, places, read_as })
    }
}

fn without_version(target: &UpdateTarget) -> UpdateTarget {
    UpdateTarget { tag: None, ..target.clone() }
}

fn everywhere() -> Scope {
    Selection::new(&[]).map(|files| Scope::of_files(&files)).unwrap_or_default()
}
