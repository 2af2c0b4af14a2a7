//! The references of one file of a listing, each with the reason why a bump can't edit it.

use std::collections::{BTreeSet, HashMap};

use super::super::indexes::FileIndex;
use super::super::matched::{Match, MatchOwner};
use super::super::parsed_file::ParsedFile;
use super::super::{TargetIndex, shared};
use super::{ListedReference, Overrides, PlacedReference};
use crate::file_selection::MatchLevel;
use crate::image::{Field, Tag, same_image};
use crate::manifest::{
    DesiredImage, NewDigest, Reference, ReferenceSyntax, Refusal, RefusalReason, Rewrite, VALUES, is_override,
};

pub(super) fn references(
    parsed: &ParsedFile,
    match_level: MatchLevel,
    images: &[String],
) -> Vec<PlacedReference> {
    let wanted = |r: &&Reference| images.is_empty() || images.iter().any(|image| same_image(image, &r.image));
    // without a tag or digest, a block runs the chart's default tag, which this file doesn't have
    let has_version =
        |r: &&Reference| !matches!(r.syntax, ReferenceSyntax::BlockWithoutTag { .. }) || r.digest.is_some();
    let is_listed = |r: &&Reference| has_version(r) && wanted(r);
    let all = parsed.references(match_level);
    if !all.iter().any(|r| is_listed(&r)) {
        return Vec::new();
    }
    let both = all.iter().zip(tried(parsed, all));
    let listed = both.filter(|(reference, _)| is_listed(reference));
    listed
        .map(|(reference, m)| PlacedReference {
            nodes: reference.places(),
            reference: listed_reference(parsed, reference, m),
        })
        .collect()
}

/// Tries a bump of each reference's image, to see what would happen.
fn tried(parsed: &ParsedFile, references: &[Reference]) -> Vec<Match> {
    let mut targets: HashMap<&str, TargetIndex> = HashMap::new();
    let mut matches: Vec<Match> = references
        .iter()
        .map(|reference| {
            let next = TargetIndex::new(targets.len());
            let target = *targets.entry(&reference.image).or_insert(next);
            let owner = MatchOwner { file: FileIndex::FIRST, target, match_level: MatchLevel::Discovered };
            Match::of_reference(parsed, owner, reference, try_one(parsed, reference))
        })
        .collect();
    shared::resolve_shared_values(parsed, &mut matches, &|one, other| one == other);
    matches
}

fn try_one(parsed: &ParsedFile, reference: &Reference) -> Result<Rewrite, Refusal> {
    if reference.image.is_empty() {
        return Err(Refusal::new(reference.at, RefusalReason::NoImage));
    }
    let tag = Tag::parse("other-tag").ok();
    let (name, new_name, digest) = (&reference.image, &Field::Unspecified, &Field::Unspecified);
    let wanted = DesiredImage { name, new_name, tag: tag.as_ref(), digest, new_digest: NewDigest::default() };
    let rewrite = parsed.rewrite(reference, &wanted)?;
    if parsed.has_mac() && rewrite.is_edit() {
        return Err(Refusal::new(reference.at, RefusalReason::HasMac));
    }
    for change in &rewrite.changes {
        parsed.check(change).map_err(|obstacle| Refusal::blocked(change.node(), "the value", obstacle))?;
    }
    Ok(rewrite)
}

/// Why a bump leaves an empty tag unchanged.
const EMPTY_TAG: &str = "is empty, so the chart's appVersion is the tag";

/// Why a bump leaves a digest unchanged.
const ONLY_DIGEST: &str = "has a digest and no tag, so a bump sets it only if it adds the tag";

/// Why a bump without further flags leaves a reference unchanged.
fn left_unchanged(parsed: &ParsedFile, reference: &Reference) -> Option<&'static str> {
    match reference.syntax {
        ReferenceSyntax::BlockWithoutTag { .. } => Some(ONLY_DIGEST),
        _ => means_app_version(parsed, reference).then_some(EMPTY_TAG),
    }
}

/// Whether a block in a chart's values has a tag that is empty.
fn means_app_version(parsed: &ParsedFile, reference: &Reference) -> bool {
    let is_block = matches!(reference.syntax, ReferenceSyntax::Block { .. });
    parsed.has_chart() && reference.kind == VALUES && is_block && reference.has_no_version()
}

fn listed_reference(parsed: &ParsedFile, reference: &Reference, tried: Match) -> ListedReference {
    let (line, column) = reference.position(&parsed.yaml);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let refusal =
        tried.result.err().map(|refusal| format!("{}; {}", refusal.reason, refusal.reason.advice()));
    ListedReference {
        file: parsed.path.clone(),
        line,
        column,
        kind: reference.kind,
        image: reference.image.clone(),
        tag: text(&reference.tag),
        digest: text(&reference.digest),
        reason: refusal.or_else(|| left_unchanged(parsed, reference).map(str::to_owned)),
        sets: reference.kustomize_name.clone().filter(|_| is_override(reference)),
        held: None,
        overridden: Overrides::default(),
        wins: false,
        digest_files: BTreeSet::new(),
        entries: BTreeSet::new(),
    }
}
