//! The message of a commit: subject, body, trailers, and the mark that keeps CI from running.
//!
//! Pure. Trailers follow git's rules (`git help interpret-trailers`); `skip_mark` has the marks. Text from files goes through `shown`.

use std::collections::BTreeMap;

use super::brought::{BroughtCommits, paragraphs};
use super::skip_mark::{self, marked};
use super::{MessageError, RolledBack, trailers};
use crate::image::{Field, is_version, same_image, short_name, split_tag};
use crate::markdown;
use crate::plan::{ChangedReference, Plan, TargetIndex, UpdateTarget};
use crate::tag::{BuildInfo, Source, VariableError};
use crate::template::{Template, Variable};
use crate::visible::inline;

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
    /// The commits that the plan brings. A template says what it wants instead.
    pub brought: Vec<BroughtCommits<'a>>,
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
        let parts = [subject, lines.join("\n")].into_iter().chain(paragraphs(&self.brought));
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
        if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) }
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

/// An image that a commit changes, as it is after it.
struct ChangedImage<'a> {
    index: TargetIndex,
    target: &'a UpdateTarget,
    image: &'a str,
    /// `TAG@DIGEST`, or only one of both.
    version: &'a str,
}

/// How many hex digits of a digest a subject shows.
const SHORT_DIGEST: usize = "sha256:".len() + 12;

impl ChangedImage<'_> {
    /// The service, or the last part of the image's name.
    fn name(&self) -> &str {
        self.target.service.as_deref().unwrap_or_else(|| short_name(self.image))
    }

    /// The tag, or the shortened digest if only that was requested.
    fn short_version(&self) -> String {
        match (&self.target.tag, &self.target.digest) {
            (None, Field::Set(digest)) => {
                let digest = digest.as_str();
                digest.get(..SHORT_DIGEST).unwrap_or(digest).to_owned()
            }
            _ => shown_version(split_tag(self.version).0),
        }
    }

    /// `NAME:TAG@DIGEST`; tag or digest may be missing.
    fn full_reference(&self) -> String {
        let colon = if self.version.is_empty() || self.version.starts_with('@') { "" } else { ":" };
        format!("{}{colon}{}", shown(self.image), shown_version(self.version))
    }
}

fn updated(targets: &[ChangedImage<'_>]) -> String {
    match targets {
        [target] => format!("{} image to {}", shown(target.name()), target.short_version()),
        _ => format!("{} images", targets.len()),
    }
}

/// A rollback can set the places of one image to different tags.
fn rolled_back(targets: &[ChangedImage<'_>]) -> String {
    match targets {
        [first, rest @ ..] if rest.iter().all(|other| same_image(other.image, first.image)) => {
            let tags = joined(targets.iter().map(ChangedImage::short_version));
            format!("{} image to {tags}", shown(first.name()))
        }
        _ => updated(targets),
    }
}

fn joined(values: impl Iterator<Item = String>) -> String {
    let mut values: Vec<_> = values.collect();
    values.dedup();
    values.join(", ")
}

/// Shows a name or path from a file so that it can't notify people, close an issue, skip CI, or pass for our trailer.
pub(super) fn shown(text: &str) -> String {
    let is_plain = markdown::is_plain(text) && !trailers::is_ours(text);
    if is_plain { text.to_owned() } else { code_span(text) }
}

/// The algorithms that OCI registers (image-spec 1.1, "Registered algorithms"). After the `@` of a digest, any other name
/// would mention the user who has it.
const KNOWN_DIGESTS: [&str; 2] = ["sha256:", "sha512:"];

/// Shows a tag or digest as it is, and anything else in a code span.
fn shown_version(text: &str) -> String {
    let (tag, digest) = split_tag(text);
    let is_known = |digest: &str| KNOWN_DIGESTS.iter().any(|algorithm| digest.starts_with(algorithm));
    let is_plain =
        is_version(text) && digest.is_none_or(is_known) && (tag.is_empty() || markdown::is_plain(tag));
    if is_plain || text.is_empty() { text.to_owned() } else { code_span(text) }
}

/// CI systems look for marks such as `[skip ci]` and `***NO_CI***` in the whole text, even in code: their characters are
/// escaped.
pub(super) fn code_span(text: &str) -> String {
    markdown::code_span(text).replace('[', "\\u{5b}").replace('*', "\\u{2a}")
}

/// Removes lines that read as our trailers: people pass the message of another commit. All line breaks become git's own, `\n`.
fn without_own_trailers(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: Vec<&str> = text.lines().filter(|line| !trailers::is_ours(line)).collect();
    kept.join("\n").trim().to_owned()
}

/// Trailers join the last block of trailers, or become one. A sign-off that is there is not repeated. `skip-checks` counts
/// only as the last trailer.
fn with_trailers(text: &str, paragraphs: &[Vec<String>], joins: bool) -> String {
    let text = text.trim_end();
    let trailers = match paragraphs {
        [] => return format!("{text}\n"),
        [only] => only,
        several => return with_paragraphs(text, several, joins),
    };
    if trailers.is_empty() {
        return format!("{text}\n");
    }
    let there = |trailer: &&String| joins && text.lines().any(|line| line == *trailer);
    let new: Vec<&str> = trailers.iter().filter(|t| !there(t)).map(String::as_str).collect();
    match text.rsplit_once('\n') {
        Some((above, last)) if joins && skip_mark::is_trailer(last) => {
            format!("{above}\n{}\n{last}\n", new.join("\n"))
        }
        _ => {
            let between = if joins { "\n" } else { "\n\n" };
            format!("{text}{between}{}\n", new.join("\n"))
        }
    }
}

/// Several paragraphs of trailers join nothing. Git itself reads only the last one, so that gets what must be a trailer.
fn with_paragraphs(text: &str, paragraphs: &[Vec<String>], joins: bool) -> String {
    let mark = text.rsplit_once('\n').filter(|(_, last)| joins && skip_mark::is_trailer(last));
    let (text, mark) = mark.map_or((text, None), |(above, mark)| (above.trim_end(), Some(mark)));
    let paragraphs: Vec<String> = paragraphs.iter().map(|lines| lines.join("\n")).collect();
    let mark = mark.map(|mark| format!("{mark}\n")).unwrap_or_default();
    format!("{text}\n\n{}\n{mark}", paragraphs.join("\n\n"))
}

/// Whether git reads the last paragraph after the subject as trailers: all of its lines are trailers, or a quarter of them
/// if git itself wrote one (`git help interpret-trailers`).
fn ends_in_trailers(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once("\n\n") else { return false };
    let by_git =
        |line: &str| line.starts_with("(cherry picked from commit ") || line.starts_with("Signed-off-by: ");
    let is_trailer = |line: &str| {
        let key = line.split_once(':').map(|(key, _)| key.trim_end_matches([' ', '\t']));
        let token =
            |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        by_git(line) || key.is_some_and(token)
    };
    let own_lines = || last.lines().filter(|line| !line.starts_with([' ', '\t']));
    let trailers = own_lines().filter(|line| is_trailer(line)).count();
    let others = own_lines().count() - trailers;
    trailers > 0 && (others == 0 || (own_lines().any(by_git) && trailers * 3 >= others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Tag;
    use crate::plan::{ChangedReference, FileEdit, NewDigest};

    fn target(name: &str) -> UpdateTarget {
        UpdateTarget {
            name: name.to_owned(),
            new_name: Field::Unspecified,
            tag: Some(Tag::parse("main-abc1234").unwrap()),
            digest: Field::Unspecified,
            new_digest: NewDigest::default(),
            service: None,
            scope: crate::plan::Scope::default(),
        }
    }

    fn plan(images: &[&str]) -> Plan {
        let change = |(target, image): (usize, &&str)| ChangedReference {
            file: "k8s/kustomization.yaml".into(),
            line: 5,
            kind: "kustomization",
            image: (*image).to_owned(),
            renamed_from: None,
            target: TargetIndex::new(target),
            from: "v1".into(),
            to: "main-abc1234".into(),
            dropped_digest: false,
            left_out_digest: false,
            field: None,
        };
        let edit = FileEdit { path: "k8s/kustomization.yaml".into(), before: vec![], after: vec![] };
        Plan {
            changes: images.iter().enumerate().map(change).collect(),
            edits: vec![edit],
            ..Plan::default()
        }
    }

    /// One source for all.
    fn of_each(targets: &[UpdateTarget]) -> BTreeMap<TargetIndex, Source> {
        let source = Source::parse("acme/api@0123456789").unwrap();
        TargetIndex::each(targets).map(|(index, _)| (index, source.clone())).collect()
    }

    fn message(targets: &[UpdateTarget], template: Option<&str>, skip_ci: bool) -> String {
        let template = template.map(|t| Template::parse(t).unwrap());
        let facts = BuildInfo { sha: Some("0123456789".into()), ..BuildInfo::default() };
        let words = MessageParts {
            template: template.as_ref(),
            facts: &facts,
            verb: SubjectVerb::Update,
            skip_ci,
            brought: Vec::new(),
            sources: of_each(targets),
            promoted_from: None,
            signoff: None,
            rolled_back: Vec::new(),
            overridden_holds: Vec::new(),
            prefix: "",
        };
        let images: Vec<_> = targets.iter().map(|w| w.name.as_str()).collect();
        words.message(&Plan { targets: targets.to_vec(), ..plan(&images) }).unwrap()
    }

    #[test]
    fn one_image() {
        assert_eq!(
            message(&[target("ghcr.io/acme/api")], None, true),
            "chore: update api image to main-abc1234 [skip ci]\n\n\
             ghcr.io/acme/api: v1 -> main-abc1234 (k8s/kustomization.yaml)\n\n\
             Tagbump-Image: ghcr.io/acme/api:main-abc1234\nTagbump-Source: acme/api@0123456789\n"
        );
    }

    #[test]
    fn several_images() {
        let text = message(&[target("a"), target("b"), target("c")], None, true);
        assert!(text.starts_with("chore: update 3 images [skip ci]\n\na: v1 -> "), "{text}");
        assert_eq!(text.matches("Tagbump-Image: ").count(), 3);
    }

    #[test]
    fn own_words_keep_their_mark_and_trailers() {
        let text = message(&[target("a/b")], Some("deploy {name} {old_tag}>{tag} {sha:4} [ci skip]"), true);
        assert!(text.starts_with("deploy b v1>main-abc1234 0123 [ci skip]\n\nTagbump-Image: "), "{text}");
        let text = message(&[target("a/b")], Some("subject\n\nbody\n\nRefs: #1\nX-Y: z"), true);
        assert!(text.starts_with("subject [skip ci]\n\nbody\n\nRefs: #1\nX-Y: z\nTagbump-Image: "), "{text}");
        let text = message(&[target("a/b")], Some("Fix: subject"), false);
        assert!(text.starts_with("Fix: subject\n\nTagbump-Image: "), "{text}");
    }

    #[test]
    fn skip_checks_stays_the_last_trailer() {
        for (start, joined) in [("\n\n\n", "\n\n\n"), ("\n\nRefs: #1\n", "\n\nRefs: #1\n")] {
            let text = message(&[target("a/b")], Some(&format!("deploy{start}skip-checks: true")), true);
            assert_eq!(
                text,
                format!(
                    "deploy{joined}Tagbump-Image: a/b:main-abc1234\nTagbump-Source: acme/api@0123456789\nskip-checks: true\n"
                )
            );
        }
    }

    #[test]
    fn line_breaks_of_other_systems_become_gits() {
        let text = message(&[target("a/b")], Some("deploy\r\n\r\nbody\rmore\r\n"), false);
        assert!(text.starts_with("deploy\n\nbody\nmore\n\nTagbump-Image: "), "{text:?}");
    }

    /// git leaves blank lines at the start of a message out: the first line is the first one with words.
    #[test]
    fn blank_lines_at_start_of_own_message_are_removed() {
        let text = message(&[target("a/b")], Some("\n\ndeploy\n\nbody\n\n"), true);
        assert_eq!(
            text,
            "deploy [skip ci]\n\nbody\n\nTagbump-Image: a/b:main-abc1234\nTagbump-Source: acme/api@0123456789\n"
        );
    }

    #[test]
    fn digest_mentions_no_user() {
        assert_eq!(
            shown_version(&format!("v1@sha256:{}", "0".repeat(64))),
            format!("v1@sha256:{}", "0".repeat(64))
        );
        assert_eq!(shown_version("v1@octocat:0123abcd"), "`v1@octocat:0123abcd`");
        assert_eq!(shown_version("@octocat:0123abcd"), "`@octocat:0123abcd`");
    }

    #[test]
    fn images_of_different_sources_have_paragraphs_of_their_own() {
        let source = |text: &str| Source::parse(text).unwrap();
        let sources = [
            (0, source("acme/api@1111111")),
            (2, source("acme/web@2222222")),
            (3, source("acme/api@1111111")),
        ];
        let names = ["api", "db", "web", "worker", "cache"];
        let plan = Plan { targets: names.map(target).to_vec(), ..plan(&names) };
        let template = Template::parse("deploy\n\nskip-checks: true").unwrap();
        let words = MessageParts {
            template: None,
            facts: &BuildInfo::default(),
            verb: SubjectVerb::Update,
            skip_ci: false,
            brought: Vec::new(),
            sources: sources.map(|(target, source)| (TargetIndex::new(target), source)).into_iter().collect(),
            promoted_from: Some("staging@3333333".to_owned()),
            overridden_holds: Vec::new(),
            signoff: Some("Ada <ada@example.com>".to_owned()),
            rolled_back: vec![(TargetIndex::new(2), RolledBack { tag: "v9".to_owned(), source: None })],
            prefix: "",
        };
        let text = words.message(&plan).unwrap();
        let trailers = "\n\nTagbump-Image: api:main-abc1234\nTagbump-Image: worker:main-abc1234\n\
                        Tagbump-Source: acme/api@1111111\nTagbump-Promoted-From: staging@3333333\n\n\
                        Tagbump-Image: db:main-abc1234\nTagbump-Image: cache:main-abc1234\n\
                        Tagbump-Promoted-From: staging@3333333\n\n\
                        Tagbump-Image: web:main-abc1234\nTagbump-Rollback: web:v9\n\
                        Tagbump-Source: acme/web@2222222\nTagbump-Promoted-From: staging@3333333\n\
                        Signed-off-by: Ada <ada@example.com>\n";
        assert!(text.ends_with(trailers), "{text}");
        let source_of = |image: &str| trailers::claims(&text, image, "main-abc1234").unwrap().source;
        assert_eq!(
            names.map(|name| source_of(name).map(|source| source.sha)),
            ["1", "", "2", "1", ""].map(|digit| { (!digit.is_empty()).then(|| digit.repeat(7)) })
        );
        let marked = MessageParts { template: Some(&template), ..words }.message(&plan).unwrap();
        assert!(marked.ends_with("Signed-off-by: Ada <ada@example.com>\nskip-checks: true\n"), "{marked}");
        assert!(marked.starts_with("deploy\n\nTagbump-Image: api"), "{marked}");
    }

    #[test]
    fn rollback_has_a_subject_of_its_own() {
        let subject = |targets: &[UpdateTarget], plan: Plan| {
            let words = MessageParts {
                template: None,
                facts: &BuildInfo::default(),
                verb: SubjectVerb::RollBack,
                skip_ci: true,
                brought: Vec::new(),
                sources: BTreeMap::new(),
                promoted_from: None,
                signoff: None,
                rolled_back: Vec::new(),
                overridden_holds: Vec::new(),
                prefix: "",
            };
            let text = words.message(&Plan { targets: targets.to_vec(), ..plan }).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        let one = subject(&[target("ghcr.io/acme/api")], plan(&["ghcr.io/acme/api"]));
        assert_eq!(one, "revert: roll back api image to main-abc1234 [skip ci]");
        let two = subject(&[target("a/api"), target("b/api")], plan(&["a/api", "b/api"]));
        assert_eq!(two, "revert: roll back 2 images [skip ci]");
        let mut two_tags = plan(&["api", "api"]);
        two_tags.changes[1].to = "v2".to_owned();
        let two_tags = subject(&[target("api"), target("api")], two_tags);
        assert_eq!(two_tags, "revert: roll back api image to main-abc1234, v2 [skip ci]");
    }

    #[test]
    fn unknown_variables_are_reported() {
        let template = Template::parse("{foo}").unwrap();
        let words = MessageParts {
            template: Some(&template),
            facts: &BuildInfo::default(),
            verb: SubjectVerb::Update,
            skip_ci: false,
            brought: Vec::new(),
            sources: BTreeMap::new(),
            promoted_from: None,
            signoff: None,
            rolled_back: Vec::new(),
            overridden_holds: Vec::new(),
            prefix: "",
        };
        let plan = Plan { targets: vec![target("a")], ..plan(&["a"]) };
        let error = words.message(&plan).unwrap_err();
        assert!(matches!(error, MessageError::Variable { option: "message", .. }), "{error:?}");
        assert!(error.to_string().contains("unknown variable {foo}"), "{error}");
    }

    #[test]
    fn kept_name_and_rename_are_in_the_message() {
        let target = UpdateTarget { new_name: Field::Keep, ..target("app") };
        let mut plan = plan(&["ghcr.io/acme/api"]);
        plan.changes[0].renamed_from = Some("ghcr.io/acme/old".to_owned());
        plan.targets = vec![target];
        let words = MessageParts {
            template: None,
            facts: &BuildInfo::default(),
            verb: SubjectVerb::Update,
            skip_ci: false,
            brought: Vec::new(),
            sources: BTreeMap::new(),
            promoted_from: None,
            signoff: None,
            rolled_back: Vec::new(),
            overridden_holds: Vec::new(),
            prefix: "",
        };
        let text = words.message(&plan).unwrap();
        assert!(text.starts_with("chore: update api image to main-abc1234\n"), "{text}");
        assert!(text.contains("\nghcr.io/acme/api: ghcr.io/acme/old:v1 -> main-abc1234 ("), "{text}");
        assert!(text.contains("\nTagbump-Image: ghcr.io/acme/api:main-abc1234\n"), "{text}");
    }

    /// Only what a reader would take for a trailer of ours.
    #[test]
    fn own_trailers_are_removed_and_other_lines_stay() {
        let text = "tagbump-bot: deploy v2\n\nTagbump-Image: a:v1\n tagbump-source : abc\ntagbump-holds.yaml was ended";
        assert_eq!(without_own_trailers(text), "tagbump-bot: deploy v2\n\ntagbump-holds.yaml was ended");
    }

    #[test]
    fn message_of_nothing_but_trailers_is_empty() {
        for text in ["", " ", "Tagbump-Image: a:v1"] {
            assert_eq!(
                subject_and_body(text, true, None),
                Err(MessageError::Empty { option: "message" }),
                "{text:?}"
            );
        }
    }
}
