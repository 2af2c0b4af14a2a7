//! Collects a bump's report: the decision, once, and its outcome.

use std::ops::{Deref, DerefMut};

use crate::cli::{IfHeld, IfOlder};
use crate::decision::{Decision, DecisionError, PlanFacts, Undecided};
use crate::diagnostics::{self, BumpError};
use crate::error::Failure;
use crate::git::Secrets;
use crate::hint::{Audience, Hint, flag, hint, setting, switch};
use crate::image::{Field, ImageArg, Tag};
use crate::output::{BumpedImage, Outcome, Report, Secret, SkipReason, SkippedReference, unparsable_warning};
use crate::plan::ChangedReference;
use crate::settings::BumpSettings;
use crate::visible::inline;

/// A report, and the facts of the last decision, which come into it at the end.
pub(super) struct BumpReport {
    report: Report,
    facts: PlanFacts,
    dry_run: bool,
    if_older: IfOlder,
    if_held: IfHeld,
    audience: Audience,
}

impl Deref for BumpReport {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.report
    }
}

impl DerefMut for BumpReport {
    fn deref_mut(&mut self) -> &mut Report {
        &mut self.report
    }
}

impl BumpReport {
    pub fn new(settings: &BumpSettings) -> Self {
        let audience = diagnostics::audience(&settings.run_context.environment);
        let mut report = Report::new(requested_images(settings));
        let flags = &settings.delivery.without_effect;
        report.warnings.extend(no_pull_request(flags).map(|warning| warning.for_audience(audience)));
        BumpReport {
            report,
            facts: PlanFacts::default(),
            dry_run: settings.delivery.dry_run,
            if_older: settings.delivery.landing.if_older,
            if_held: settings.if_held,
            audience,
        }
    }

    /// Keeps the facts of a decision, or of a failed one.
    pub fn decided(&mut self, decided: Result<Decision, Box<Undecided>>) -> Result<Decision, DecisionError> {
        let (facts, secrets, skipped, decided) = match decided {
            Ok(decision) => {
                let Decision { facts, secrets, skipped, .. } = &decision;
                (facts.clone(), secrets.clone(), skipped.clone(), Ok(decision))
            }
            Err(undecided) => {
                let Undecided { error, secrets, skipped, facts } = *undecided;
                (facts, secrets, skipped, Err(error))
            }
        };
        (self.report.secrets, self.report.skipped) = (secrets, skipped);
        if let Err(DecisionError::Held { all: true, .. }) = decided {
            self.report.outcome = Outcome::Held;
        }
        if facts.images.is_some() {
            self.facts = facts;
        }
        decided
    }

    /// How the run ends if the decision is carried out; `done` is the word for that.
    pub fn outcome(&self, decision: &Decision, done: Outcome) -> Outcome {
        match (decision.plan.is_empty(), self.dry_run) {
            (true, _)
                if decision.skipped.iter().any(|reference| reference.reason == SkipReason::Superseded) =>
            {
                Outcome::Superseded
            }
            (true, _) if !decision.skipped.is_empty() => Outcome::Held,
            (true, _) if decision.plan.left > 0 => Outcome::Superseded,
            (true, _) => Outcome::Already,
            (false, true) => Outcome::Planned,
            (false, false) => done,
        }
    }

    /// Reports a decision and how it ended.
    ///
    /// # Errors
    /// Exit 4 with `--if-older fail`, if a newer build is current, and with `--if-held fail`, if nothing has soaked.
    pub fn end(&mut self, decision: Decision, outcome: Outcome) -> Result<(), BumpError> {
        let Decision { plan, origins, skipped, promotion, notices, unrecorded_source, .. } = decision;
        let unrecorded = unrecorded_source.map(|sha| source_unrecorded(&sha, self.audience));
        let left_out = plan.changes.iter().filter(|change| change.left_out_digest);
        let left_out: Vec<_> = left_out.map(|change| digest_left_out(change, self.audience)).collect();
        self.report.warnings.extend(left_out);
        let sentences = |reason: SkipReason| -> Vec<String> {
            skipped
                .iter()
                .filter(|reference| reference.reason == reason)
                .map(SkippedReference::to_string)
                .collect()
        };
        let (references, soaking) = (sentences(SkipReason::Superseded), sentences(SkipReason::Soaking));
        let kept = references.iter().chain(&soaking).cloned();
        let elsewhere =
            plan.elsewhere.iter().map(|found| diagnostics::places_elsewhere(found, self.audience));
        let elsewhere: Vec<_> = elsewhere.collect();
        let above = plan.values_above.iter().map(|found| diagnostics::values_above(found, self.audience));
        self.report.outcome = outcome;
        let in_templates = plan.in_templates.iter().map(diagnostics::image_in_templates);
        self.report.warnings.splice(0..0, plan.warnings.into_iter().chain(above).chain(in_templates));
        self.report.notices.splice(
            0..0,
            plan.notices.into_iter().chain(elsewhere).chain(kept).chain(notices).chain(unrecorded),
        );
        self.report.promotion = promotion;
        self.report.skipped = skipped;
        self.report.changes = plan.changes;
        self.report.origins = origins;
        self.report.edits = plan.edits;
        if outcome == Outcome::Superseded && self.if_older == IfOlder::Fail {
            return Err(BumpError::Superseded { references });
        }
        if outcome == Outcome::Held && self.if_held == IfHeld::Fail && !soaking.is_empty() {
            return Err(BumpError::Soaking { references: soaking });
        }
        Ok(())
    }

    /// The whole report.
    pub fn finish(self, done: Result<(), Failure>) -> Report {
        let PlanFacts { images, warnings, unparsable } = self.facts;
        let mut report = self.report;
        if let Some(images) = images {
            report.images = images;
        }
        report.warnings.splice(0..0, warnings);
        report.warnings.extend(unparsable_warning(unparsable.len()));
        report.details.extend(unparsable.iter().map(|file| format!("not valid YAML: {file}")));
        let report = match done {
            Ok(()) => report,
            Err(failure) => report.failed(failure),
        };
        without_secrets(report)
    }
}

/// Removes the secrets of registries from the whole report, because registries may repeat what they were sent.
fn without_secrets(mut report: Report) -> Report {
    let secrets = Secrets::of(report.secrets.iter().map(Secret::as_str));
    let scrub = |text: &mut String| *text = secrets.scrub(text);
    let texts = [&mut report.warnings, &mut report.notices, &mut report.details];
    texts.into_iter().flatten().for_each(scrub);
    report.failure = report.failure.map(|failure| failure.map_texts(|text| secrets.scrub(text)));
    report
}

/// The warning about flags for a pull request that isn't made.
fn no_pull_request(flags: &[&'static str]) -> Option<Hint> {
    let mut named: Vec<Hint> = flags.iter().map(|&name| flag(name)).collect();
    let last = named.pop()?;
    let (all, verb) = match named.into_iter().reduce(|all, next| all + ", " + next) {
        Some(others) => (others + " and " + last, " have"),
        None => (last, " has"),
    };
    Some(all + verb + " no effect without " + switch("pr"))
}

/// The notice that no trailer names the source.
fn source_unrecorded(sha: &str, audience: Audience) -> String {
    let notice = hint(format!("the source {sha} isn't recorded, because its repository is unknown: write "));
    (notice + setting("source", format!("REPOSITORY@{sha}"))).for_audience(audience)
}

/// The warning that a block got the tag alone.
fn digest_left_out(change: &ChangedReference, audience: Audience) -> String {
    let place = format!("{}:{}", inline(&change.file), change.line);
    let warning =
        hint(format!("{place}: only the tag was set, because the block has no digest key; add one with "));
    (warning + switch("add")).for_audience(audience)
}

/// The images as far as they are known before a file is read.
fn requested_images(settings: &BumpSettings) -> Vec<BumpedImage> {
    let requested = |image: &ImageArg| BumpedImage {
        name: match &image.new_name {
            Field::Set(new) => new.clone(),
            Field::Unspecified | Field::Keep => image.name.clone(),
        },
        tag: match &image.tag {
            Field::Set(tag) => Some(tag.to_string()),
            Field::Keep => None,
            Field::Unspecified => settings.tag.as_ref().map(Tag::to_string),
        },
        digest: match &image.digest {
            Field::Set(digest) => Some(digest.to_string()),
            Field::Unspecified | Field::Keep => None,
        },
        verified: None,
    };
    settings.images.iter().map(requested).collect()
}
