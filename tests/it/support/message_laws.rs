//! Laws for commit messages: which trailers are read from any message, and what our own messages contain if they are
//! built from hostile text.

use tagbump::image::{Digest, Tag, same_image};
use tagbump::landing::message::MessageParts;
use tagbump::landing::{RolledBack, claims, images_in_trailers};
use tagbump::plan::{ChangedReference, Plan, TargetIndex};
use tagbump::tag::Source;

/// Marks that make CI systems skip a run: none may come from a file.
const SKIP_MARKS: [&str; 6] =
    ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "***no_ci***"];

/// In any message, only trailers that are in it are read; appended trailers are found again, and no others with them.
pub fn what_is_appended_is_found_again(message: &str, image: &str, tag: &Tag, source: Option<&Source>) {
    let before = names(message);
    assert!(before.iter().all(|name| message.contains(name.as_str())), "{message:?} brings {before:?}");
    for name in &before {
        let claim = claims(message, name, tag.as_str());
        let said = claim.iter().flat_map(|claim| &claim.source).all(|s| says(message, &s.sha));
        assert!(said, "{message:?} has no such source: {claim:?}");
    }
    let source_line = source.map(|source| format!("Tagbump-Source: {source}\n")).unwrap_or_default();
    let whole = format!("{message}\n\nTagbump-Image: {image}:{tag}\n{source_line}");
    let claim = claims(&whole, image, tag.as_str());
    let claim = claim.unwrap_or_else(|| panic!("{whole:?}: {image}:{tag} is not found"));
    assert_eq!(claim.source.as_ref(), source, "{whole:?}");
    assert_eq!(claim.rolled_back, [], "{whole:?}");
    let all: Vec<String> = before.into_iter().chain([image.to_owned()]).collect();
    assert_eq!(names(&whole), all, "{whole:?}");
}

fn names(message: &str) -> Vec<String> {
    images_in_trailers(message).into_iter().map(|image| image.name).collect()
}

fn says(message: &str, sha: &str) -> bool {
    message.to_ascii_lowercase().contains(sha)
}

/// The trailers of our message read back as those that we wrote, and text from files does nothing in it.
pub fn own_message_says_only_ours(words: &MessageParts<'_>, plan: &Plan) {
    let Ok(message) = words.message(plan) else { return };
    let changed = changed(plan);
    let images: Vec<&str> = changed.iter().map(|(_, image, _)| *image).collect();
    assert_eq!(names(&message), images, "{message:?}");
    for (target, image, tag) in &changed {
        let claim = claims(&message, image, tag);
        let claim = claim.unwrap_or_else(|| panic!("{message:?}: {image}:{tag} is not found"));
        assert_eq!(claim.source.as_ref(), words.sources.get(target), "{message:?}");
        let same = |(of, bad): &&(TargetIndex, RolledBack)| {
            of == target && (bad.tag.is_empty() || is_version(&bad.tag))
        };
        let bad: Vec<_> = words.rolled_back.iter().filter(same).map(|(_, bad)| bad.clone()).collect();
        let of_one_image = first_changes(plan).filter(|other| same_image(&other.image, image)).count() == 1;
        assert!(!of_one_image || claim.rolled_back == bad, "{message:?}: {:?}", claim.rolled_back);
    }
    let literal = words.template.map(|template| template.as_str().to_ascii_lowercase());
    let marks = SKIP_MARKS.iter().filter(|mark| !literal.as_ref().is_some_and(|text| text.contains(**mark)));
    let lower = message.to_ascii_lowercase().replacen("[skip ci]", "", usize::from(words.skip_ci));
    for mark in marks {
        assert!(literal.is_some() || !lower.contains(mark), "{message:?} has {mark}");
    }
    if literal.is_none() {
        nothing_does_something(&message);
    }
}

/// Outside of code spans, a forge finds no mention, reference, link or HTML.
fn nothing_does_something(message: &str) {
    let parts = message.rsplit_once("\n\n").filter(|(_, last)| last.starts_with("Tagbump-"));
    let (text, trailers) = parts.unwrap_or((message, ""));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
    for line in text.lines() {
        let plain = outside_of_code(line);
        let active = plain.find(['@', '#', '<', '`', '&', '!', '*', '\\', '|', '~', '$']);
        assert!(active.is_none(), "{line:?} has {:?} outside of code", active.map(|at| &plain[at..]));
        let lower = plain.to_ascii_lowercase();
        assert!(!lower.contains("www.") && !lower.contains("://"), "{line:?} has a link");
    }
    assert!(trailers.lines().all(|line| line.starts_with("Tagbump-")), "{message:?}");
}

/// Removes code spans (CommonMark 0.31, section 6.1: from a run of backticks to the next run of the same length), and the
/// `@` of a digest, which isn't a mention.
fn outside_of_code(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        plain.push_str(&rest[..open]);
        let run = rest[open..].bytes().take_while(|b| *b == b'`').count();
        let inside = &rest[open + run..];
        match closing(inside, run) {
            Some(close) => rest = &inside[close + run..],
            None => {
                plain.push_str(&rest[open..open + run]);
                rest = inside;
            }
        }
    }
    plain.push_str(rest);
    plain.replace("@sha256:", "").replace("@sha512:", "")
}

fn closing(text: &str, run: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let length = text[start..].bytes().take_while(|b| *b == b'`').count();
        if length == run {
            return Some(start);
        }
        at = start + length;
    }
    None
}

/// Target, image and new tag of each image that a message must have a trailer for.
fn changed(plan: &Plan) -> Vec<(TargetIndex, &str, &str)> {
    let valid = first_changes(plan)
        .filter(|change| is_name(&change.image) && (change.to.is_empty() || is_version(&change.to)));
    valid.map(|change| (change.target, change.image.as_str(), change.to.as_str())).collect()
}

/// The first change that each of the plan's targets made.
fn first_changes(plan: &Plan) -> impl Iterator<Item = &ChangedReference> {
    let first = |target| plan.changes.iter().find(move |change| change.target == target);
    TargetIndex::each(&plan.targets).filter_map(move |(target, _)| first(target))
}

/// Whether a registry takes the name.
fn is_name(image: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b"._/:-[]".contains(&b);
    let last = image.rsplit('/').next().unwrap_or_default();
    image.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '[')
        && image.len() <= 512
        && image.bytes().all(word)
        && !last.contains(':')
}

/// `TAG`, `TAG@DIGEST` or `@DIGEST`.
fn is_version(text: &str) -> bool {
    match text.split_once('@') {
        None => Tag::parse(text).is_ok(),
        Some((tag, digest)) => (tag.is_empty() || Tag::parse(tag).is_ok()) && Digest::parse(digest).is_ok(),
    }
}
