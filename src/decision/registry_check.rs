//! What the registries of the images say: whether an image is there, its digest, and which commit its labels name.
//!
//! A registry is asked once about an image, by the first decision that would set it; the answer holds for all tries of a
//! run. Only images that the user named are asked about, never one that only a file names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use url::Url;

use super::context::{DecisionContext, same_repository};
use super::error::DecisionError;
use super::targets;
use crate::config::Config;
use crate::image::{Field, Tag, same_image};
use crate::output::{BumpedImage, Secret};
use crate::plan::{ChangedReference, NewDigest, Plan, Request, UpdateTarget};
use crate::registry::{
    FoundImage, ImageQuestion, ManifestReference, RegistryClient, RegistryError, SourceLabels,
};
use crate::tag::Source;
use crate::verify::Verify;
use crate::visible::inline;

/// Shorter waits are not worth a notice, in seconds.
const WORTH_A_NOTICE: u64 = 1;

/// The registries' answers so far.
#[derive(Debug, Default)]
pub(super) struct RegistryMemory {
    client: Option<RegistryClient>,
    answers: HashMap<ImageQuestion, Result<FoundImage, RegistryError>>,
    secrets: BTreeSet<Secret>,
}

impl RegistryMemory {
    /// What was sent or received, and must stay secret.
    pub fn secrets(&self) -> Vec<Secret> {
        self.secrets.iter().cloned().collect()
    }

    /// Asks, and keeps the answers.
    fn look_up(
        &mut self,
        questions: Vec<ImageQuestion>,
        context: &DecisionContext<'_>,
    ) -> Result<Duration, RegistryError> {
        let started = Instant::now();
        let client = match &self.client {
            Some(client) => client,
            None => self.client.insert(RegistryClient::new(&context.settings.run_context.environment)?),
        };
        (context.on_wait)(Some(&waiting_for(&questions)));
        let found = client.look_up(&questions, context.settings.registry.timeout);
        (context.on_wait)(None);
        self.secrets.extend(found.secrets.into_iter().map(Secret::new));
        self.answers.extend(questions.into_iter().zip(found.answers));
        Ok(started.elapsed())
    }
}

/// Whether a change sets an image that the user didn't name: the file says which one runs.
fn is_named_by_file(change: &ChangedReference, plan: &Plan) -> bool {
    let named = change.target.of(&plan.targets).map(UpdateTarget::effective_name);
    change.field.is_none() && named.is_none_or(|named| !same_image(named, &change.image))
}

/// What a person at a terminal reads in the meantime.
fn waiting_for(questions: &[ImageQuestion]) -> String {
    match questions {
        [question] => format!("looking for {}:{} in its registry", inline(&question.name), question.wanted),
        several => format!("looking for {} images in their registries", several.len()),
    }
}

/// Asks the registries for one decision.
pub(super) struct RegistryCheck<'a> {
    context: &'a DecisionContext<'a>,
    config: &'a Config,
    memory: &'a mut RegistryMemory,
    verify: Verify,
    /// How long this decision has waited.
    pub waited: Duration,
    pub warnings: BTreeSet<String>,
    pub notices: BTreeSet<String>,
    pub sources: LabelSources,
}

/// The commits that images were built from, by their labels; by name and tag.
#[derive(Debug, Default)]
pub(super) struct LabelSources(HashMap<(String, Tag), Source>);

impl LabelSources {
    pub fn of(&self, target: &UpdateTarget) -> Option<&Source> {
        self.0.get(&(target.effective_name().to_owned(), target.tag.clone()?))
    }
}

impl<'a> RegistryCheck<'a> {
    pub fn new(context: &'a DecisionContext<'a>, config: &'a Config, memory: &'a mut RegistryMemory) -> Self {
        RegistryCheck {
            context,
            config,
            memory,
            verify: context.settings.registry.verify.or(config.verify).unwrap_or(Verify::Off),
            waited: Duration::ZERO,
            warnings: BTreeSet::new(),
            notices: BTreeSet::new(),
            sources: LabelSources::default(),
        }
    }

    /// How long this decision may wait: first for the digests, then for the images whose digest isn't needed.
    pub fn longest_wait(&self) -> Duration {
        let settings = self.context.settings.registry;
        let mut services = self.config.names().filter_map(|name| self.config.service(name));
        let pins = settings.pins_digests || services.any(|service| service.pins_digest);
        if self.verify == Verify::Off && !pins { Duration::ZERO } else { settings.timeout * 2 }
    }

    /// Gives each target that is to be pinned the digest that its registry has for the tag.
    pub fn pin(&mut self, request: &mut Request) -> Result<(), DecisionError> {
        let place = if request.add { NewDigest::OwnKey } else { NewDigest::LeftOut };
        let questions: Vec<_> = request.targets.iter().map(|target| self.digest_question(target)).collect();
        self.ask(questions.iter().flatten().cloned().collect())?;
        questions.iter().flatten().try_for_each(|question| self.judge(question))?;
        for (target, question) in request.targets.iter_mut().zip(questions) {
            let found =
                question.and_then(|question| self.found(&question)).and_then(|found| found.digest.clone());
            if let Some(digest) = found {
                target.digest = Field::Set(digest);
                target.new_digest = place;
            }
        }
        Ok(())
    }

    /// Looks for the images that a plan would set, and gives the plan back.
    pub fn verified(&mut self, plan: Plan) -> Result<Plan, DecisionError> {
        let by_name = plan.changes.iter().filter(|change| !is_named_by_file(change, &plan));
        let positions: BTreeSet<_> = by_name.map(|change| change.target).collect();
        let targets: Vec<_> = positions.iter().filter_map(|at| at.of(&plan.targets)).collect();
        if self.verify != Verify::Off || plan.targets.iter().any(|target| self.is_pinned(target)) {
            self.warn_of_unknown_names(&plan);
        }
        if self.verify != Verify::Off {
            let questions: Vec<_> = targets.iter().flat_map(|target| self.questions(target)).collect();
            let others = targets.iter().filter_map(|target| self.tag_of_digest(target));
            self.ask(questions.iter().cloned().chain(others).collect())?;
            questions.iter().try_for_each(|question| self.judge(question))?;
        }
        for target in targets {
            self.compare_tag_with_digest(target);
            self.read_source(target);
        }
        Ok(plan)
    }

    /// Notes which images are in their registries, as far as that is known.
    pub fn mark(&self, images: &mut [BumpedImage]) {
        for image in images {
            let is_asked = |question: &&ImageQuestion| match &question.wanted {
                ManifestReference::Tag(tag) | ManifestReference::DigestOf(tag) => {
                    Some(tag.as_str()) == image.tag.as_deref()
                }
                ManifestReference::Digest(digest) => Some(digest.as_str()) == image.digest.as_deref(),
            };
            let asked = self.memory.answers.keys().filter(|question| question.name == image.name);
            let mut answers =
                asked.filter(is_asked).map(|question| self.found(question).is_some()).peekable();
            image.verified = answers.peek().is_some().then(|| answers.all(|found| found));
        }
    }

    /// Asks what was not asked before, all at once.
    fn ask(&mut self, questions: Vec<ImageQuestion>) -> Result<(), DecisionError> {
        let mut asked = HashSet::new();
        let is_new = |question: &ImageQuestion| {
            !self.memory.answers.contains_key(question) && asked.insert(question.clone())
        };
        let new: Vec<_> = questions.into_iter().filter(is_new).collect();
        if !new.is_empty() {
            self.waited += self.memory.look_up(new, self.context)?;
        }
        Ok(())
    }

    /// Without an image, fails or warns.
    fn judge(&mut self, question: &ImageQuestion) -> Result<(), DecisionError> {
        let image = format!("{}:{}", inline(&question.name), question.wanted);
        match self.memory.answers.get(question) {
            Some(Err(error)) if self.verify == Verify::Warn => {
                self.warnings.insert(error.to_string());
            }
            Some(Err(error)) => return Err(error.clone().into()),
            Some(Ok(found)) if found.waited.as_secs() >= WORTH_A_NOTICE => {
                let seconds = found.waited.as_secs();
                self.notices.insert(format!("waited {seconds} s until {image} was in its registry"));
            }
            Some(Ok(_)) | None => {}
        }
        Ok(())
    }

    fn found(&self, question: &ImageQuestion) -> Option<&FoundImage> {
        self.memory.answers.get(question)?.as_ref().ok()
    }

    /// The question for the digest of a target that is to be pinned.
    fn digest_question(&self, target: &UpdateTarget) -> Option<ImageQuestion> {
        // which image runs is known only from files
        let is_named = target.new_name != Field::Keep;
        let is_free = target.digest == Field::Unspecified || target.new_digest != NewDigest::BehindTag;
        let tag = target.tag.as_ref().filter(|_| self.is_pinned(target) && is_named && is_free)?;
        Some(self.question(target, ManifestReference::DigestOf(tag.clone())))
    }

    /// Whether the user wants a target to get its digest from its registry. A rollback restores the one that was there.
    fn is_pinned(&self, target: &UpdateTarget) -> bool {
        let settings = self.context.settings;
        let service = target.service.as_deref().and_then(|name| self.config.service(name));
        let asks = settings.registry.pins_digests || service.is_some_and(|service| service.pins_digest);
        asks && !settings.operation.sets_earlier_tags()
    }

    /// What to ask before a target is set. With a digest, that is what runs; whether the tag is there too is worth a
    /// warning.
    fn questions(&self, target: &UpdateTarget) -> Vec<ImageQuestion> {
        if self.digest_question(target).is_some() {
            return Vec::new();
        }
        let wanted = match (&target.digest, &target.tag) {
            (Field::Set(digest), _) => ManifestReference::Digest(digest.clone()),
            (_, Some(tag)) => ManifestReference::Tag(tag.clone()),
            (_, None) => return Vec::new(),
        };
        vec![self.question(target, wanted)]
    }

    fn question(&self, target: &UpdateTarget, wanted: ManifestReference) -> ImageQuestion {
        let with_labels = self.lacks_source(target);
        ImageQuestion { name: target.effective_name().to_owned(), wanted, with_labels }
    }

    /// Warns about images that only a file names. The file's author chose their registry, so tagbump doesn't contact it.
    fn warn_of_unknown_names(&mut self, plan: &Plan) {
        for change in plan.changes.iter().filter(|change| is_named_by_file(change, plan)) {
            let image = inline(&change.image);
            self.warnings.insert(format!("didn't look for {image} in its registry: only a file names it"));
        }
    }

    /// The question which digest the tag beside a literal digest points to.
    fn tag_of_digest(&self, target: &UpdateTarget) -> Option<ImageQuestion> {
        let (Field::Set(_), Some(tag)) = (&target.digest, &target.tag) else { return None };
        let is_literal = self.digest_question(target).is_none();
        is_literal.then(|| self.question(target, ManifestReference::Tag(tag.clone())))
    }

    /// Warns if a literal digest is not what its tag points to.
    fn compare_tag_with_digest(&mut self, target: &UpdateTarget) {
        let (Field::Set(digest), Some(question)) = (&target.digest, self.tag_of_digest(target)) else {
            return;
        };
        let image = format!("{}:{}", inline(target.effective_name()), question.wanted);
        match self.memory.answers.get(&question) {
            Some(Ok(FoundImage { digest: Some(other), .. })) if other != digest => {
                self.warnings.insert(format!("{image} points to {other} in its registry, not to {digest}"));
            }
            Some(Err(error)) => {
                self.warnings.insert(error.to_string());
            }
            Some(Ok(_)) | None => {}
        }
    }

    /// Whether the labels matter: neither the user nor the tag says which commit the image was built from, and it is known
    /// which repository is being built.
    fn lacks_source(&self, target: &UpdateTarget) -> bool {
        let (settings, run_context) = (self.context.settings, &self.context.settings.run_context);
        let (Some(tag), Some(_), None) = (&target.tag, run_context.ci.repository(), &run_context.source)
        else {
            return false;
        };
        let template = targets::tag_template(settings, self.config, target.service.as_deref());
        !settings.operation.sets_earlier_tags()
            && self.context.source_in_tag(tag.as_str(), template).is_none()
    }

    fn read_source(&mut self, target: &UpdateTarget) {
        let asked = self.digest_question(target).into_iter().chain(self.questions(target));
        let labels = asked.filter_map(|question| self.found(&question)?.labels.clone()).next();
        let source = labels.and_then(|labels| self.source_of(&labels));
        if let (Some(source), Some(tag)) = (source, &target.tag) {
            self.sources.0.insert((target.effective_name().to_owned(), tag.clone()), source);
        }
    }

    /// The commit that labels name, if it is one of the repository that is being built: a base image passes its labels on.
    fn source_of(&self, labels: &SourceLabels) -> Option<Source> {
        let run_context = &self.context.settings.run_context;
        let built = run_context.ci.repository()?;
        let url = Url::parse(&labels.source).ok()?;
        let path = url.path().trim_matches('/');
        let slug = path.strip_suffix(".git").unwrap_or(path);
        let server =
            run_context.environment.get("GITHUB_SERVER_URL").and_then(|server| Url::parse(server).ok());
        let is_here = server.is_none_or(|server| server.host() == url.host());
        if !is_here || !same_repository(Some(slug), Some(built)) {
            return None;
        }
        Source::parse(&format!("{built}@{}", labels.revision))
    }
}
