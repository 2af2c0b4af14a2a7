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
use crate::output::{BumpedImage, PromotedFrom, PromotionRow, SkipReason, SkippedReference};
use crate::plan::{self, EnvironmentLimit, NewDigest, Request, RunningReference, TargetIndex, UpdateTarget};
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
        let names: BTreeSet<&String> = self.soaking.iter().map(|one| &one.image).collect();
        let image =
            |name: &String| BumpedImage { name: name.clone(), tag: None, digest: None, verified: None };
        names.into_iter().map(image).collect()
    }

    /// The value of the trailer; none without a commit.
    pub fn trailer(&self) -> Option<String> {
        let commit = self.from.commit.as_ref()?;
        Some(format!("{}@{commit}", self.from.env))
    }
}

/// The request of a promotion, made from the typed one, which has no tags.
pub(super) fn request(
    context: &DecisionContext<'_>,
    config: &Config,
    base: DecisionBase<'_>,
    (options, typed): (&PromotionOptions, Request),
) -> Result<(Request, PromotionPlan), DecisionError> {
    let configured = environment(config, &options.env)?;
    let ConfiguredEnvironment { environment, soak } = configured;
    let (at, env) = (environment.at.clone(), options.env.clone());
    let from = environment.from.clone().ok_or(PromotionError::NoFrom { at, env })?;
    if typed.targets.is_empty() {
        return Err(PromotionError::NoServices.into());
    }
    let files = BranchFiles::new(base);
    let commit = files.commit(context).map(|commit| commit.to_string());
    let plan = PromotionPlan {
        from: PromotedFrom { env: from.clone(), commit },
        sources: Vec::new(),
        rows: Vec::new(),
        soaking: Vec::new(),
        warnings: Vec::new(),
        notices: Vec::new(),
    };
    let environments = config.limited_to(EnvironmentLimit::Only(from));
    let reader = EnvironmentReader { files: files.files, environments, typed: &typed };
    let soak = options.soak.or(*soak).filter(|soak| *soak > 0);
    let search = PromotionSearch { context, config, files, base, options, soak };
    search.find(&typed, &reader, plan)
}

struct PromotionSearch<'a> {
    context: &'a DecisionContext<'a>,
    config: &'a Config,
    files: BranchFiles<'a>,
    base: DecisionBase<'a>,
    options: &'a PromotionOptions,
    /// In seconds.
    soak: Option<u64>,
}

/// A target with what it runs now, and what the environment before runs.
struct Candidate {
    target: UpdateTarget,
    now: Vec<RunningReference>,
    running: RunningVersion,
}

impl PromotionSearch<'_> {
    fn find(
        &self,
        typed: &Request,
        reader: &EnvironmentReader<'_>,
        mut plan: PromotionPlan,
    ) -> Result<(Request, PromotionPlan), DecisionError> {
        let candidates = self.candidates(typed, reader, &mut plan)?;
        let walk = OriginWalk {
            context: self.context,
            config: self.config,
            files: self.files,
            cancellation: self.base.cancellation(),
        };
        let mut targets = Vec::new();
        let chosen = soak::choose(&walk, reader, &candidates, self.soak)?;
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
        Ok((Request { targets, ..typed.clone() }, plan))
    }

    /// The targets that can be promoted. Without names, a service counts if both environments have it.
    fn candidates(
        &self,
        typed: &Request,
        reader: &EnvironmentReader<'_>,
        plan: &mut PromotionPlan,
    ) -> Result<Vec<Candidate>, DecisionError> {
        let from = &plan.from.env;
        let is_named = !self.context.settings.images.is_empty();
        let lenient = Request { all: true, expect: None, ..typed.clone() };
        let now = plan::running(self.files.files, &lenient)?;
        let mut candidates = Vec::new();
        for ((index, target), found) in TargetIndex::each(&typed.targets).zip(reader.read()?) {
            let now: Vec<_> = now.iter().filter(|one| one.reference.target == index).cloned().collect();
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
        let new_digest = if digest.is_some() { target.new_digest } else { NewDigest::Never };
        let digest = digest.map_or(Field::Unspecified, Field::Set);
        Ok(UpdateTarget { tag, digest, new_digest, ..target.clone() })
    }

    fn row(
        &self,
        candidate: &Candidate,
        becomes: Option<&TagAndDigest>,
        origin: &VersionOrigin,
    ) -> PromotionRow {
        let mut now: Vec<String> = candidate.now.iter().map(|one| shown(one).joined()).collect();
        now.sort();
        now.dedup();
        PromotionRow {
            name: candidate.target.label().to_owned(),
            now: now.join(", "),
            becomes: becomes.map(TagAndDigest::joined),
            since: origin.since,
            commits: None,
        }
    }

    /// The references that stay, because no version of the environment before has soaked.
    fn soaking(&self, candidate: &Candidate, why: &str) -> Vec<SkippedReference> {
        let skipped = |one: &RunningReference| {
            let now = shown(one).joined();
            let now = if now.is_empty() { "as it is".to_owned() } else { format!("at {}", inline(&now)) };
            SkippedReference {
                file: one.reference.file.clone(),
                line: one.reference.line,
                image: candidate.target.name.clone(),
                reason: SkipReason::Soaking,
                detail: format!("stays {now}, because {why}"),
            }
        };
        candidate.now.iter().map(skipped).collect()
    }
}

/// What a place runs, for a report.
fn shown(one: &RunningReference) -> TagAndDigest {
    TagAndDigest { tag: one.tags.first().cloned().flatten(), digest: one.digest.clone() }
}

fn unknown_place() -> Location {
    Location { file: String::new(), line: 1, column: None }
}
