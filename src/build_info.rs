//! Collects the facts about the commit that was built: from `--source`, an explicit tag, the event, or `HEAD`.

use regex::Regex;

use crate::git::Checkout;
use crate::history::TagEntry;
use crate::landing::claims_of;
use crate::object_id::CommitId;
use crate::settings::RunContext;
use crate::tag::{BuildInfo, Source, highest, same_repository};
use crate::template::{Template, Variable};

/// The facts for computing a tag. The commit is the source of the build; if it isn't known, `HEAD`.
pub fn tag_facts(run_context: &RunContext, checkout: Option<&Checkout>) -> BuildInfo {
    let source = run_context.source.clone().or_else(|| run_context.ci.source());
    let given = source.map(|source| source.sha);
    let in_full =
        |sha: String| checkout.and_then(|c| c.resolve(&sha)).map_or(sha, |commit| commit.to_string());
    let event_is_unread = given.is_none() && run_context.ci.pipeline().is_some_and(|run| run.event_is_unread);
    let here =
        || built_here(run_context, checkout).filter(|_| !event_is_unread).map(|commit| commit.to_string());
    let sha = given.map(in_full).or_else(here);
    let branch = checkout.and_then(Checkout::branch);
    let commit = sha.as_deref().and_then(CommitId::parse);
    let version = checkout.zip(commit).and_then(|(checkout, commit)| highest(checkout.tags_at(commit)));
    let mut facts = BuildInfo {
        sha,
        event_is_unread,
        reference: branch.clone().or_else(|| version.clone()),
        branch,
        version,
        pr: None,
        run: None,
        now: Some(run_context.now),
    };
    if let Some(pipeline) = run_context.ci.pipeline() {
        pipeline.improve(&mut facts);
    }
    facts
}

/// The commit that is built if no event names one. On a laptop, that is `HEAD`. In a manual or scheduled run, it is the
/// run's own commit, even if an earlier step landed commits on top; but if the job checked out an older commit or
/// another branch, `HEAD` counts.
fn built_here(run_context: &RunContext, checkout: Option<&Checkout>) -> Option<CommitId> {
    let (head, run) = (checkout.and_then(Checkout::head), run_context.ci.checked_out());
    match (checkout, head, run) {
        (Some(checkout), Some(head), Some(run)) if is_ahead(run_context, checkout, head, run) => Some(run),
        _ => head.or(run),
    }
}

/// Whether the checkout is on top of the run's commit, and not because the job checked out another branch.
fn is_ahead(run_context: &RunContext, checkout: &Checkout, head: CommitId, run: CommitId) -> bool {
    let branch = run_context.ci.pipeline().and_then(|pipeline| pipeline.branch.clone());
    let is_other = branch.zip(checkout.branch()).is_some_and(|(run, here)| run != here);
    !is_other && checkout.is_descendant(head, run)
}

/// The checkout, unless it belongs to a repository other than the one that is being built. Such a checkout says nothing
/// about the build.
pub fn checkout_of_build<'c>(
    run_context: &RunContext,
    checkout: Option<&'c Checkout>,
    remote: &str,
) -> Option<&'c Checkout> {
    checkout.filter(|checkout| {
        let own = checkout.remote(remote).ok().and_then(|(fetch, _)| fetch.repository());
        own.as_deref().zip(run_context.ci.repository()).is_none_or(|(own, built)| same_repository(own, built))
    })
}

/// The commit that an image with this tag was built from: `--source`, or the commit in the tag, or the one in its labels, or the
/// event's.
pub fn source(
    run_context: &RunContext,
    checkout: Option<&Checkout>,
    tag: Option<&str>,
    template: &Template,
    labelled: Option<&Source>,
) -> Option<Source> {
    let event = run_context.ci.source();
    let repository = || {
        let of_event = event.as_ref().and_then(|event| event.repository.clone());
        of_event.or_else(|| run_context.ci.repository().map(str::to_owned))
    };
    if let Some(Source { repository: own, sha }) = run_context.source.clone() {
        return Some(Source { repository: own.or_else(repository), sha });
    }
    let in_tag = tag.and_then(|tag| commit_in_tag(tag, template, event.as_ref(), checkout));
    in_tag.map(|sha| Source { repository: repository(), sha }).or(labelled.cloned()).or(event)
}

/// The commit that an existing tag names, independent of our own build.
pub fn commit_named(tag: &str, template: &Template, checkout: Option<&Checkout>) -> Option<Source> {
    commit_in_tag(tag, template, None, checkout).map(|sha| Source { repository: None, sha })
}

/// The commit that an earlier tag of an image was built from: from the trailers of the commit that set the tag,
/// or else from the tag itself.
pub fn source_of_entry(
    entry: &TagEntry,
    image: &str,
    template: &Template,
    checkout: Option<&Checkout>,
) -> Option<Source> {
    let by_trailer = claims_of(entry, image).source;
    by_trailer.or_else(|| commit_named(entry.tag.as_deref()?, template, checkout))
}

/// The commit that a tag names: at the place of the template's `{sha}`, or a separate run of hex digits.
fn commit_in_tag(
    tag: &str,
    template: &Template,
    event: Option<&Source>,
    checkout: Option<&Checkout>,
) -> Option<String> {
    let known = |short: &str| {
        let event = event.map(|e| &e.sha).filter(|sha| sha.starts_with(short)).cloned();
        event.or_else(|| checkout.and_then(|c| c.resolve(short)).map(|commit| commit.to_string()))
    };
    if let Some(sha) = by_template(tag, template) {
        return Some(known(&sha).unwrap_or(sha));
    }
    let alone = || tag.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_hash(word));
    // digits only may be a date or a number, letters only a word, so these must be known commits
    let mixed = |text: &&str| {
        text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_alphabetic())
    };
    alone().find_map(known).or_else(|| alone().find(mixed).map(str::to_owned))
}

/// Whether a word can be a commit's hash, or the start of one.
fn is_hash(word: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (7..=40).contains(&word.len()) && word.bytes().all(is_digit)
}

/// If the template has a `{sha}`, the part of the tag at its place: 40 hex digits, or N for `{sha:N}`.
fn by_template(tag: &str, template: &Template) -> Option<String> {
    let digits = |v: &Variable| v.argument.as_deref().map_or("40".to_owned(), regex::escape);
    let group = |v: &Variable| (v.name == "sha").then(|| format!("[0-9a-f]{{{}}}", digits(v)));
    template.variables().find(|v| v.name == "sha")?;
    let pattern = Regex::new(&template.pattern(group)).ok()?;
    Some(pattern.captures(tag)?.get(1)?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tag: &str, template: &str, event: &str) -> Option<String> {
        let event = Source { repository: None, sha: event.to_owned() };
        commit_in_tag(tag, &Template::parse(template).unwrap(), Some(&event), None)
    }

    #[test]
    fn the_commit_in_a_tag() {
        let event = "abc1234def5678abc1234def5678abc1234def56";
        assert_eq!(found("main-abc1234", "{sha:7}", event).as_deref(), Some(event));
        assert_eq!(found("abc1234", "{sha:7}", event).as_deref(), Some(event));
        assert_eq!(found("1111111", "{sha:7}", event).as_deref(), Some("1111111"));
        assert_eq!(found("main-1111111", "{branch}-{sha:7}", event).as_deref(), Some("1111111"));
        assert_eq!(found("v1.2.3", "{sha:7}", event), None);
        assert_eq!(found("xabc1234", "{sha:7}", event), None);
        assert_eq!(found("main-1a2b3c4", "{sha:7}", event).as_deref(), Some("1a2b3c4"));
        assert_eq!(found("nightly-20261121", "{sha:7}", event), None);
    }
}
