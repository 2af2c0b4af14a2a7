//! A promotion: an environment gets the tags and digests that the environment before it runs.
//!
//! They are read again for every tip that the bump is made on, from the files of that tip: `reading` finds what runs. With a
//! soak time, `soak` takes the newest version that ran long enough instead. `origin` finds the commit that each version was built
//! from, which the order guard compares with what the environment runs now.

mod error;
mod origin;
mod reading;
mod soak;

use std::collections::BTreeSet;

use crate::config::{Config, ConfiguredEnvironment};
use crate::image::{Digest, Field, ImageError, Tag, is_floating};
use crate::location::Location;
use crate::output::{
    BumpedImage, CommitCount, PromotedFrom, Promotion, PromotionRow, SkipReason, SkippedReference,
};
use crate::plan::{
    self, Cancellation, EnvironmentLimit, NewDigest, Request, RunningReference, TargetIndex, UpdateTarget,
};
use crate::settings::PromotionOptions;
use crate::tag::Source;
use crate::visible::inline;

use super::DecisionBase;
use super::base::BranchFiles;
use super::context::DecisionContext;
use super::error::DecisionError;
use super::tag_and_digest::TagAndDigest;
use super::targets::environment;
use origin::{OriginWalk, VersionOrigin};
use reading::{EnvironmentReader, RunningVersion};

pub use error::PromotionError;

/// What is promoted, on one tip.
#[derive(Clone, Debug)]
pub(super) struct PromotionPlan {
    /// The environment to set.
    pub env: String,
    pub from: PromotedFrom,
    /// The commits that the images were built from, by the request's targets.
    pub sources: Vec<Option<Source>>,
    /// One for each target that was looked at; without the target if that stays as it is.
    pub rows: Vec<(Option<TargetIndex>, PromotionRow)>,
    /// What keeps its tag, because nothing has soaked.
    pub soaking: Vec<SkippedReference>,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
}

impl PromotionPlan {
    /// The images that keep their tags, each once.
    pub fn soaking_images(&self) -> Vec<BumpedImage> {
        let names: BTreeSet<&String> = self.soaking.iter().map(|reference| &reference.image).collect();
        let image =
            |name: &String| BumpedImage { name: name.clone(), tag: None, digest: None, verified: None };
        names.into_iter().map(image).collect()
    }

    /// The promotion as it is reported; `count` counts the commits between the old and the new image of a target, and `stays` is why
    /// it keeps its tags.
    pub fn reported(
        &self,
        count: &dyn Fn(TargetIndex) -> Option<CommitCount>,
        stays: &dyn Fn(TargetIndex) -> Option<SkipReason>,
    ) -> Promotion {
        let row = |(target, row): &(Option<TargetIndex>, PromotionRow)| PromotionRow {
            commits: target.and_then(count),
            stays: target.and_then(stays).filter(|_| row.becomes.as_ref() != Some(&row.now)),
            ..row.clone()
        };
        Promotion {
            env: self.env.clone(),
            from: self.from.clone(),
            rows: self.rows.iter().map(row).collect(),
        }
    }

    /// The value of the trailer; none without a commit.
    pub fn trailer(&self) -> Option<String> {
        let commit = self.from.commit.as_ref()?;
        Some(format!("{}@{commit}", self.from.env))
    }
}

/// Finds what an environment gets.
pub(super) struct PromotionSearch<'a> {
    context: &'a DecisionContext<'a>,
    config: &'a Config,
    files: BranchFiles<'a>,
    cancellation: Cancellation,
    options: &'a PromotionOptions,
}

/// A target with what it runs now, and what the environment before runs.
struct Candidate {
    target: UpdateTarget,
    now: Vec<RunningReference>,
    running: RunningVersion,
}

impl<'a> PromotionSearch<'a> {
    pub fn new(
        context: &'a DecisionContext<'a>,
        config: &'a Config,
        base: DecisionBase<'a>,
        options: &'a PromotionOptions,
    ) -> Self {
        let (files, cancellation) = (BranchFiles::new(base), base.cancellation());
        PromotionSearch { context, config, files, cancellation, options }
    }

    /// The request of a promotion, made from the typed one, which has no tags.
    pub fn request(&self, typed: &Request) -> Result<(Request, PromotionPlan), DecisionError> {
        let ConfiguredEnvironment { environment, soak } = environment(self.config, &self.options.env)?;
        let (at, env) = (environment.at.clone(), self.options.env.clone());
        let from = environment.from.clone().ok_or(PromotionError::NoFrom { at, env: env.clone() })?;
        if typed.targets.is_empty() {
            return Err(PromotionError::NoServices.into());
        }
        let commit = self.files.commit(self.context).map(|commit| commit.to_string());
        let plan = PromotionPlan {
            env,
            from: PromotedFrom { env: from.clone(), commit },
            sources: Vec::new(),
            rows: Vec::new(),
            soaking: Vec::new(),
            warnings: Vec::new(),
            notices: Vec::new(),
        };
        let environments = self.config.limited_to(EnvironmentLimit::Only(from));
        let reader = EnvironmentReader { files: self.files.files, environments, typed };
        let soak = self.options.soak.or(*soak).filter(|soak| *soak > 0);
        self.find(&reader, soak, plan)
    }

    /// Chooses a version for each target; with a soak time, in seconds, only one that ran that long.
    fn find(
        &self,
        reader: &EnvironmentReader<'_>,
        soak: Option<u64>,
        mut plan: PromotionPlan,
    ) -> Result<(Request, PromotionPlan), DecisionError> {
        let candidates = self.candidates(reader, &mut plan)?;
        let walk = OriginWalk {
            context: self.context,
            config: self.config,
            files: self.files,
            cancellation: self.cancellation.clone(),
        };
        let mut targets = Vec::new();
        let chosen = soak::choose(&walk, reader, &candidates, soak)?;
        let origins = walk.origins(reader, &candidates, &chosen)?;
        for ((candidate, chosen), origin) in candidates.into_iter().zip(chosen).zip(origins) {
            let index = TargetIndex::new(targets.len());
            let becomes = chosen.as_ref().ok().map(|soaked| soaked.version.clone());
            let row = self.row(&candidate, becomes.as_ref(), &origin);
            match chosen {
                Err(why) => {
                    plan.soaking.extend(self.soaking(&candidate, &why));
                    plan.rows.push((None, row));
                }
                Ok(soaked) => {
                    let target = self.target(&candidate, &soaked.version, &mut plan)?;
                    targets.push(target);
                    plan.sources.push(origin.source);
                    plan.rows.push((Some(index), row));
                }
            }
        }
        Ok((Request { targets, ..reader.typed.clone() }, plan))
    }

    /// The targets that can be promoted. Without names, a service counts if both environments have it.
    fn candidates(
        &self,
        reader: &EnvironmentReader<'_>,
        plan: &mut PromotionPlan,
    ) -> Result<Vec<Candidate>, DecisionError> {
        let (from, typed) = (&plan.from.env, reader.typed);
        let is_named = !self.context.settings.images.is_empty();
        let lenient = Request { all: true, expect: None, ..typed.clone() };
        let now = plan::running(self.files.files, &lenient)?;
        let mut candidates = Vec::new();
        for ((index, target), found) in TargetIndex::each(&typed.targets).zip(reader.read()?) {
            let now: Vec<_> =
                now.iter().filter(|running| running.reference.target == index).cloned().collect();
            let label = inline(target.label());
            match found {
                None if is_named => return Err(reader.missing(target)),
                None if now.is_empty() => {}
                None => plan
                    .warnings
                    .push(format!("left {label} unchanged, because {} doesn't run it", inline(from))),
                Some(_) if now.is_empty() && !is_named => {
                    plan.notices.push(format!(
                        "skipped {label}, because {} doesn't run it",
                        inline(&self.options.env)
                    ));
                }
                Some(found) => {
                    let running = found.version(from, &target.name)?;
                    candidates.push(Candidate { target: target.clone(), now, running });
                }
            }
        }
        if candidates.is_empty() {
            let (env, from) = (self.options.env.clone(), from.clone());
            return Err(PromotionError::NothingInBoth { env, from }.into());
        }
        Ok(candidates)
    }

    /// A target that gets a version, exactly as the environment before has it.
    fn target(
        &self,
        candidate: &Candidate,
        version: &TagAndDigest,
        plan: &mut PromotionPlan,
    ) -> Result<UpdateTarget, DecisionError> {
        let Candidate { target, running, .. } = candidate;
        let from = &plan.from.env;
        let at = || running.places.first().map_or_else(unknown_place, |place| place.at.clone());
        let invalid = |error: ImageError| PromotionError::InvalidTag {
            at: at(),
            from: from.clone(),
            image: target.name.clone(),
            error,
        };
        let tag = version.tag.as_deref().map(Tag::parse).transpose().map_err(invalid)?;
        let digest = version.digest.as_deref().map(Digest::parse).transpose().map_err(invalid)?;
        if tag.is_none() && digest.is_none() {
            let (from, image) = (from.clone(), target.name.clone());
            return Err(PromotionError::NoTag { at: at(), from, image }.into());
        }
        if let Some(tag) = tag.as_ref().filter(|tag| digest.is_none() && is_floating(tag.as_str())) {
            let (image, env) = (inline(&target.name), inline(&self.options.env));
            let (at, from) = (at(), inline(from));
            plan.warnings.push(format!(
                "{at}: the tag {image}:{tag} moves, so {env} may run a different image than {from}; \
                 deploy tags that don't move, or digests"
            ));
        }
        let new_digest = match (&tag, &digest) {
            (_, None) => NewDigest::Never,
            (None, Some(_)) => NewDigest::InsteadOfTag,
            (Some(_), Some(_)) => target.new_digest,
        };
        let digest = digest.map_or(Field::Unspecified, Field::Set);
        Ok(UpdateTarget { tag, digest, new_digest, ..target.clone() })
    }

    fn row(
        &self,
        candidate: &Candidate,
        becomes: Option<&TagAndDigest>,
        origin: &VersionOrigin,
    ) -> PromotionRow {
        let mut now: Vec<String> = candidate.now.iter().map(|running| shown(running).joined()).collect();
        now.sort();
        now.dedup();
        PromotionRow {
            name: candidate.target.label().to_owned(),
            now: now.join(", "),
            becomes: becomes.map(TagAndDigest::joined),
            stays: None,
            since: origin.since,
            commits: None,
        }
    }

    /// The references that stay, because no version of the environment before has soaked.
    fn soaking(&self, candidate: &Candidate, why: &str) -> Vec<SkippedReference> {
        let skipped = |running: &RunningReference| {
            let now = shown(running).joined();
            let now = if now.is_empty() { "as it is".to_owned() } else { format!("at {}", inline(&now)) };
            SkippedReference {
                file: running.reference.file.clone(),
                line: running.reference.line,
                image: candidate.target.name.clone(),
                reason: SkipReason::Soaking,
                detail: format!("stays {now}, because {why}"),
            }
        };
        candidate.now.iter().map(skipped).collect()
    }
}

/// What a place runs, for a report.
fn shown(running: &RunningReference) -> TagAndDigest {
    TagAndDigest { tag: running.tags.first().cloned().flatten(), digest: running.digest.clone() }
}

fn unknown_place() -> Location {
    Location { file: String::new(), line: 1, column: None }
}
