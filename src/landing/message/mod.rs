//! The message of a commit: subject, body, trailers, and the mark that keeps CI from running.
//!
//! Pure. `shown` makes text from files safe, `trailer_block` puts the trailers where git finds them, and `skip_mark` has the
//! marks.

mod changed_image;
mod shown;
#[cfg(test)]
mod tests;
mod trailer_block;

use std::collections::BTreeMap;

use super::included_commits::{IncludedCommits, paragraphs};
use super::skip_mark::marked;
use super::{MessageError, RolledBack, trailers};
use crate::file_selection::in_folder;
use crate::image::same_image;
use crate::plan::{ChangedReference, Plan, TargetIndex, UpdateTarget};
use crate::tag::{BuildInfo, Source, VariableError};
use crate::template::{Template, Variable};
use crate::visible::inline;
use changed_image::{ChangedImage, joined, rolled_back, updated};
use shown::shown_version;
use trailer_block::{ends_in_trailers, with_trailers, without_own_trailers};

pub(super) use shown::{code_span, shown};

/// What a subject says that the commit does to its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectVerb {
    Update,
    /// In `git log`, a rollback must not look like a bump.
    RollBack,
}

/// Everything that a message is made from.
#[derive(Clone, Debug)]
pub struct MessageParts<'a> {
    /// Replaces subject and body.
    pub template: Option<&'a Template>,
    pub facts: &'a BuildInfo,
    pub verb: SubjectVerb,
    pub skip_ci: bool,
    /// The commits that the plan includes. A template says what it wants instead.
    pub included: Vec<IncludedCommits<'a>>,
    /// The commits that the images were built from, by the plan's targets.
    pub sources: BTreeMap<TargetIndex, Source>,
    /// `ENV@COMMIT`, for a promotion.
    pub promoted_from: Option<String>,
    /// What a rollback takes away, by the plan's targets.
    pub rolled_back: Vec<(TargetIndex, RolledBack)>,
    /// The holds that are not respected: images, or the file of holds if it can't be read.
    pub overridden_holds: Vec<String>,
    /// `N <E>`.
    pub signoff: Option<String>,
    /// The prefix of each file's path: the root below the repository's top.
    pub prefix: &'a str,
}

impl MessageParts<'_> {
    /// The message for the commit that makes a plan's changes.
    ///
    /// # Errors
    /// If the template has a variable without a value, or makes no text.
    pub fn message(&self, plan: &Plan) -> Result<String, MessageError> {
        self.text_of("message", plan)
    }

    /// The same for the template of another option, which errors name.
    ///
    /// # Errors
    /// As [`Self::message`].
    pub fn text_of(&self, option: &'static str, plan: &Plan) -> Result<String, MessageError> {
        let targets = self.changed_targets(plan);
        let text = match self.template {
            Some(template) => self.templated((option, template), plan, &targets)?,
            None => self.plain(plan, &targets),
        };
        let text = if self.skip_ci { marked(&text, ends_in_trailers(&text)) } else { text };
        let trailers = self.trailers(&targets);
        // the lines of our own body look like trailers if an image's name is one word
        let joins = self.template.is_some() && ends_in_trailers(&text);
        Ok(with_trailers(&text, &trailers, joins))
    }

    /// The images that this commit changes: on a retry another push may have bumped one already.
    fn changed_targets<'p>(&self, plan: &'p Plan) -> Vec<ChangedImage<'p>> {
        let changed = |(index, target): (TargetIndex, &'p UpdateTarget)| {
            let change = plan.changes.iter().find(|change| change.target == index)?;
            Some(ChangedImage { index, target, image: &change.image, version: &change.to })
        };
        TargetIndex::each(&plan.targets).filter_map(changed).collect()
    }

    fn plain(&self, plan: &Plan, targets: &[ChangedImage<'_>]) -> String {
        let subject = match self.verb {
            SubjectVerb::Update => format!("chore: update {}", updated(targets)),
            SubjectVerb::RollBack => format!("revert: roll back {}", rolled_back(targets)),
        };
        let lines: Vec<_> = plan.changes.iter().map(|change| self.line(change)).collect();
        let parts = [subject, lines.join("\n")].into_iter().chain(paragraphs(&self.included));
        parts.collect::<Vec<_>>().join("\n\n")
    }

    /// `IMAGE: OLD -> NEW (file)`
    fn line(&self, change: &ChangedReference) -> String {
        let ChangedReference { image, renamed_from, from, to, .. } = change;
        let file = shown(&self.path(&change.file));
        let old_name = renamed_from.as_ref().map(|name| format!("{}:", shown(name))).unwrap_or_default();
        let from = if from.is_empty() { "(none)".to_owned() } else { shown_version(from) };
        format!("{}: {old_name}{from} -> {} ({file})", shown(image), shown_version(to))
    }

    fn path(&self, file: &str) -> String {
        in_folder(self.prefix, file)
    }

    fn templated(
        &self,
        (option, template): (&'static str, &Template),
        plan: &Plan,
        targets: &[ChangedImage<'_>],
    ) -> Result<String, MessageError> {
        let filled = template.fill(|variable| self.value(variable, plan, targets));
        let text = filled.map_err(|error| {
            let template = template.as_str().to_owned();
            MessageError::Variable { option, template, error }
        })?;
        let text = without_own_trailers(&text);
        if text.is_empty() { Err(MessageError::Empty { option }) } else { Ok(text) }
    }

    fn value(
        &self,
        variable: &Variable,
        plan: &Plan,
        targets: &[ChangedImage<'_>],
    ) -> Result<String, VariableError> {
        let each = |value: &dyn Fn(&ChangedImage<'_>) -> String| joined(targets.iter().map(value));
        Ok(match variable.name.as_str() {
            "name" => each(&|target| shown(target.name())),
            "image" => each(&|target| shown(target.image)),
            "tag" => each(&|target| target.short_version()),
            "images" => each(&|target| target.full_reference()),
            "old_tag" => joined(plan.changes.iter().map(|change| shown_version(&change.from))),
            "files" => {
                let files: Vec<_> = plan.edits.iter().map(|edit| shown(&self.path(&edit.path))).collect();
                files.join(", ")
            }
            // the author of a pull request or tag chooses its name
            "branch" | "ref" | "version" | "semver" => shown(&self.facts.value(variable)?),
            _ => inline(&self.facts.value(variable)?),
        })
    }

    /// The paragraphs of trailers, one for each source: a reader takes the source of an image from its own paragraph.
    fn trailers(&self, targets: &[ChangedImage<'_>]) -> Vec<Vec<String>> {
        let mut groups: Vec<(Option<&Source>, Vec<&ChangedImage<'_>>)> = Vec::new();
        for target in targets {
            let source = self.sources.get(&target.index);
            match groups.iter_mut().find(|(known, _)| *known == source) {
                Some((_, group)) => group.push(target),
                None => groups.push((source, vec![target])),
            }
        }
        let paragraphs = groups.iter().map(|(source, group)| self.paragraph(*source, group, targets));
        let mut paragraphs: Vec<Vec<String>> = paragraphs.collect();
        let signoff = self.signoff.iter().map(|who| inline(&format!("Signed-off-by: {who}")));
        match paragraphs.last_mut() {
            Some(last) => last.extend(signoff),
            None => paragraphs.push(signoff.collect()),
        }
        paragraphs
    }

    /// The trailers of the images with one source; `all` are those of the whole message.
    fn paragraph(
        &self,
        source: Option<&Source>,
        targets: &[&ChangedImage<'_>],
        all: &[ChangedImage<'_>],
    ) -> Vec<String> {
        let mut trailers: Vec<_> =
            targets.iter().filter_map(|target| trailers::image(target.image, target.version)).collect();
        for target in targets {
            let bad = self.rolled_back.iter().filter(|(index, _)| *index == target.index);
            let others = all.iter().filter(|other| same_image(other.image, target.image));
            let to = (others.count() > 1).then_some(target.version);
            trailers.extend(bad.filter_map(|(_, bad)| bad.trailer(target.image, to)));
        }
        trailers.extend(source.map(trailers::source));
        trailers.extend(self.promoted_from.iter().map(|from| trailers::promoted_from(from)));
        trailers.extend(self.overridden_holds.iter().map(|hold| trailers::overridden_hold(hold)));
        trailers
    }
}

/// Subject and body of the commit that holds images, or ends that. `names` are for people.
pub fn hold_message(verb: &str, names: &[&str], images: &[&str], reason: Option<&str>) -> String {
    let subject = match names {
        [name] => format!("chore: {verb} {} image", shown(name)),
        _ => format!("chore: {verb} {} images", names.len()),
    };
    let why = reason.map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
    let lines: Vec<String> = images.iter().map(|image| format!("{}{why}", shown(image))).collect();
    format!("{subject}\n\n{}", lines.join("\n"))
}

/// A message that isn't about a plan, with the mark that keeps CI from running, and a sign-off (`N <E>`).
///
/// # Errors
/// If the text is empty.
pub fn subject_and_body(text: &str, skip_ci: bool, signoff: Option<&str>) -> Result<String, MessageError> {
    let text = without_own_trailers(text);
    if text.is_empty() {
        return Err(MessageError::Empty { option: "message" });
    }
    let text = if skip_ci { marked(&text, ends_in_trailers(&text)) } else { text };
    let signoff: Vec<_> = signoff.iter().map(|who| inline(&format!("Signed-off-by: {who}"))).collect();
    Ok(with_trailers(&text, &[signoff], false))
}
