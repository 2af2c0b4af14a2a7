//! The error messages for a plan that can't be made. Each one names the place and ends with what to do.

use super::files::ScannedFiles;
use super::image_inventory::ImageInventory;
use super::matched::Match;
use super::parsed_file::ParsedFile;
use super::{FieldTarget, Request, UpdateTarget};
use crate::error::{Exit, Failure, inline};
use crate::image::{NAME_LENGTH, same_image, short_name};
use crate::manifest::Refusal;

/// How many pairs of characters to compare when looking for similar names: about a second of work.
const MAX_COMPARISONS: usize = 20_000_000;

/// How many places or names a message lists.
const LISTED: usize = 10;

pub(super) fn meant_twice(one: &UpdateTarget, other: &UpdateTarget, place: &str) -> Failure {
    Failure::usage(format!("{} and {} both mean the reference at {place}", one.label(), other.label()))
        .hinted("name each image once; services of one image need files of their own")
}

pub(super) fn no_field(field: &FieldTarget) -> Failure {
    let path = field.path.as_str();
    let message = format!("no document of {} has a field {path}; nothing was written", field.files);
    Failure::new(Exit::NoMatch, message)
        .hinted("paths start at the top of a document: spec.values.image.tag, list[0].tag")
}

pub(super) fn nothing(seen: &ImageInventory, request: &Request, missing: &[usize]) -> Failure {
    let mut message = String::new();
    let mut hint = None;
    for &target in missing {
        let name = &request.targets[target].name;
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(&format!("nothing matches {name} in {}", files(seen.count)));
        hint = hint.or_else(|| advise(seen, name, &mut message));
    }
    if !request.services.is_empty() {
        message.push_str(&format!("\nservices of tagbump.yaml: {}", request.services.join(", ")));
    }
    let no_files = (seen.count == 0).then(|| "no YAML file is there to look at; check -C and -f".to_owned());
    let hint = no_files
        .or(hint)
        .unwrap_or_else(|| "names are compared whole; check the spelling, -C and -f".to_owned());
    Failure::new(Exit::NoMatch, message).hinted(hint)
}

/// Adds to the message what was found instead, and returns a hint.
fn advise(seen: &ImageInventory, name: &str, message: &mut String) -> Option<String> {
    if let Some((_, place)) = seen.untagged.iter().find(|(image, _)| same_image(image, name)) {
        message.push_str(&format!("\n  {place}: names it, but has no key for a tag"));
        return Some("--add writes a tag there".to_owned());
    }
    if let Some((_, place, path)) = seen.values.iter().find(|(image, ..)| same_image(image, name)) {
        message.push_str(&format!("\n  {place}: names it, in what may be Helm values without a chart"));
        return Some(format!("-f {path} takes the file for Helm values"));
    }
    let nearest = nearest(seen, name);
    if !nearest.is_empty() {
        message.push_str("\nnearest images seen:");
        for (image, place) in nearest {
            message.push_str(&format!("\n  {} ({place})", inline(image)));
        }
    }
    if !seen.nameless.is_empty() {
        message.push_str("\ntags without a name (their image is in the chart); to set one:");
        for place in &seen.nameless {
            message.push_str(&format!("\n  {place}"));
        }
    }
    None
}

/// The images most similar to a name, comparing both the whole names and their last parts.
fn nearest<'a>(seen: &'a ImageInventory, name: &str) -> Vec<(&'a str, &'a str)> {
    let likeness = |image: &str| {
        let whole = strsim::normalized_damerau_levenshtein(image, name);
        let last = strsim::jaro_winkler(short_name(image), short_name(name));
        whole.max(last)
    };
    let untagged = seen.untagged.iter().map(|(image, place)| (image, place));
    let all = seen.images.iter().chain(untagged).filter(|(image, _)| image.len() <= NAME_LENGTH);
    let mut work = 0;
    let all = all.take_while(|(image, _)| {
        work += image.len() * name.len();
        work <= MAX_COMPARISONS
    });
    let mut scored: Vec<_> = all.map(|(image, place)| (likeness(image), image, place)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = scored.into_iter().take(3).filter(|(score, ..)| *score > 0.6);
    near.map(|(_, image, place)| (image.as_str(), place.as_str())).collect()
}

pub(super) fn refused(survey: &ScannedFiles, matches: &[&Match]) -> Failure {
    let refusals = matches.iter().filter_map(|m| Some((&survey.files[m.file], m.result.as_ref().err()?)));
    let mut failures = refusals.map(|(parsed, refusal)| refusal_at(parsed, refusal));
    let Some((message, hint)) = failures.next() else {
        return Failure::new(Exit::NotEditable, "nothing can be edited safely");
    };
    let more = failures.take(LISTED).map(|(message, _)| format!("\n{message}")).collect::<String>();
    Failure::new(Exit::NotEditable, format!("{message}{more}")).hinted(hint)
}

pub(super) fn refusal(parsed: &ParsedFile, refusal: &Refusal) -> Failure {
    let (message, hint) = refusal_at(parsed, refusal);
    Failure::new(Exit::NotEditable, message).hinted(hint)
}

fn refusal_at(parsed: &ParsedFile, refusal: &Refusal) -> (String, String) {
    let written_at = refusal.written_at.map(|node| format!(" ({})", parsed.exact_place(node)));
    let written_at = written_at.unwrap_or_default();
    let place = parsed.exact_place(refusal.at);
    let message = format!("{place}: {}{written_at}; nothing was written", refusal.why);
    (message, refusal.hint.clone())
}

pub(super) fn left_alone(parsed: &ParsedFile, refusal: &Refusal) -> String {
    let place = parsed.exact_place(refusal.at);
    format!("{place}: left alone: {}; {}", refusal.why, refusal.hint)
}

/// The notice about workloads that were skipped because a kustomization overrides their tag.
pub(super) fn overridden(survey: &ScannedFiles, target: &UpdateTarget, by: &str, left: &[Match]) -> String {
    let places: Vec<_> = left.iter().map(|m| survey.files[m.file].place(m.at)).take(LISTED).collect();
    let more = if left.len() > LISTED { format!(" and {} more", left.len() - LISTED) } else { String::new() };
    let (places, name) = (places.join(", "), inline(&target.name));
    format!(
        "left alone, since {by} says which tag of {name} runs: {places}{more}; name a file with -f to edit it too"
    )
}

pub(super) fn unproved(parsed: &ParsedFile) -> Failure {
    let message =
        format!("{}: the edit would change more than the tag; nothing was written", inline(&parsed.path));
    Failure::new(Exit::NotEditable, message)
        .hinted("please report this file's layout as a bug; edit it by hand")
}

pub(super) fn unexpected(survey: &ScannedFiles, matches: &[Match], expected: usize) -> Failure {
    let live: Vec<_> = matches.iter().filter(|m| m.result.is_ok()).collect();
    let message = format!(
        "expected {}, found {}; nothing was written{}",
        references(expected),
        live.len(),
        list(survey, &live)
    );
    Failure::new(Exit::NoMatch, message).hinted("narrow the search with -f, or correct --expect")
}

pub(super) fn different_tags(survey: &ScannedFiles, target: &UpdateTarget, matches: &[&Match]) -> Failure {
    let message = format!(
        "{} has different tags in {}: which are meant{}? nothing was written{}",
        target.name,
        places(matches.len()),
        target.tag.as_ref().map(|tag| format!(" to be {tag}")).unwrap_or_default(),
        list(survey, matches)
    );
    Failure::new(Exit::NoMatch, message)
        .hinted("choose files with -f, or say --all (every place) or --expect N (that many)")
}

fn list(survey: &ScannedFiles, matches: &[&Match]) -> String {
    let line = |m: &&Match| {
        let place = survey.files[m.file].place(m.at);
        format!("\n  {place}  {}  {}", inline(&m.image), inline(shown(m.tag.as_deref())))
    };
    let more = matches.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    format!("{}{rest}", matches.iter().take(LISTED).map(line).collect::<String>())
}

fn files(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}

fn places(n: usize) -> String {
    if n == 1 { "1 place".to_owned() } else { format!("{n} places") }
}

fn references(n: usize) -> String {
    if n == 1 { "1 reference".to_owned() } else { format!("{n} references") }
}

/// The tag as it appears in messages.
fn shown(tag: Option<&str>) -> &str {
    tag.unwrap_or("(no tag)")
}
