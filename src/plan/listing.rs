//! Lists every reference in some files, and whether tagbump could edit it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::indexes::FileIndex;
use super::matched::Match;
use super::parsed_file::ParsedFile;
use super::unparsed::{Unparsed, UnparsedReport};
use super::{FileSource, PlanError, SourceFile, TargetIndex, shared};
use crate::file_selection::{MatchLevel, Selection, folder};
use crate::image::{Field, Tag, same_image};
use crate::manifest::{
    DesiredImage, Reference, ReferenceSyntax, Refusal, RefusalReason, Rewrite, is_override, rewrite,
};
use crate::yaml::{check, scan};

/// One reference, as it is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedReference {
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    pub kind: &'static str,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Why it can't be edited, and what to do; `None` if it can.
    pub reason: Option<String>,
    /// For a kustomization entry that overrides workloads: the name that they use for the image.
    pub sets: Option<String>,
}

/// All references of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of files and text.
    pub references: Vec<ListedReference>,
    /// The number of files that were read.
    pub files: usize,
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
}

/// The references of one file.
struct FileListing {
    path: String,
    references: Vec<ListedReference>,
    /// The references if there is no chart next to the file.
    without_chart: Vec<ListedReference>,
}

/// Lists the references to `images`, or to all where none is given; `looked` is called after each file, from
/// several threads.
///
/// # Errors
/// Where a named file is not valid YAML or takes too much work, and what the file source reports.
pub fn list(
    shelf: &dyn FileSource,
    selection: &Selection,
    images: &[String],
    looked: &(dyn Fn() + Sync),
) -> Result<Listing, PlanError> {
    let all = Mutex::new(Vec::new());
    let look = |file: SourceFile<'_>| {
        let listed = listed(&file, images);
        all.lock().unwrap_or_else(PoisonError::into_inner).push(listed);
        looked();
        ControlFlow::Continue(())
    };
    let found = shelf.visit(selection, false, &look)?;
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by(|a, b| path(a).cmp(path(b)));
    let (mut references, mut left_out) = (Vec::new(), UnparsedReport::default());
    for listed in all {
        match listed {
            Err(unparsed) => left_out.add(unparsed)?,
            Ok(FileListing { path, references: with_chart, without_chart }) => {
                let has_chart = found.charts.contains(folder(&path));
                references.extend(if has_chart { with_chart } else { without_chart });
            }
        }
    }
    let warnings = found.warnings.into_iter().chain(left_out.too_costly).collect();
    Ok(Listing { references, files: found.count, warnings, unparsable: left_out.not_yaml })
}

fn path(listed: &Result<FileListing, Unparsed>) -> &str {
    match listed {
        Ok(FileListing { path, .. }) | Err(Unparsed { path, .. }) => path,
    }
}

fn listed(file: &SourceFile<'_>, images: &[String]) -> Result<FileListing, Unparsed> {
    let path = file.path.to_owned();
    let named = file.match_level == MatchLevel::Explicit;
    let unparsed = |error| Unparsed { path: file.path.to_owned(), error, named };
    let mut parsed = scan(file.bytes).map(|yaml| ParsedFile::of(file, yaml)).map_err(unparsed)?;
    let without_chart = references(&parsed, file.match_level, images);
    parsed.settle_chart(true);
    let matters = parsed.is_values(file.match_level);
    let references =
        if matters { references(&parsed, file.match_level, images) } else { without_chart.clone() };
    parsed.yaml.check().map_err(|stopped| unparsed(stopped.into()))?;
    Ok(FileListing { path, references, without_chart })
}

fn references(parsed: &ParsedFile, standing: MatchLevel, images: &[String]) -> Vec<ListedReference> {
    let wanted = |r: &&Reference| images.is_empty() || images.iter().any(|image| same_image(image, &r.image));
    // a block without a tag runs the chart's default tag, so there is no tag to list
    let told = |r: &&Reference| !matches!(r.syntax, ReferenceSyntax::BlockWithoutTag { .. }) && wanted(r);
    let all = parsed.references(standing);
    if !all.iter().any(|r| told(&r)) {
        return Vec::new();
    }
    let both = all.iter().zip(tried(parsed, all));
    both.filter(|(reference, _)| told(reference)).map(|(reference, m)| one(parsed, reference, m)).collect()
}

/// Tries a bump of each reference's image, to see what would happen.
fn tried(parsed: &ParsedFile, references: &[Reference]) -> Vec<Match> {
    let mut targets: HashMap<&str, TargetIndex> = HashMap::new();
    // the text was parsed, so it is valid UTF-8
    let text = std::str::from_utf8(&parsed.bytes).unwrap_or_default();
    let mut matches: Vec<Match> = references
        .iter()
        .map(|reference| {
            let next = TargetIndex::new(targets.len());
            let target = *targets.entry(&reference.image).or_insert(next);
            Match {
                file: FileIndex::FIRST,
                target,
                match_level: MatchLevel::Discovered,
                at: reference.at,
                kind: reference.kind,
                image: reference.image.clone(),
                tag: reference.tag.clone(),
                digest: reference.digest.clone(),
                added: false,
                overrides: false,
                only_told: false,
                by_new_name: false,
                result: try_one(parsed, text, reference),
            }
        })
        .collect();
    shared::resolve_shared_values(parsed, &mut matches);
    matches
}

fn try_one(parsed: &ParsedFile, text: &str, reference: &Reference) -> Result<Rewrite, Refusal> {
    if reference.image.is_empty() {
        return Err(Refusal::new(reference.at, RefusalReason::NoImage));
    }
    let tag = Tag::parse("other-tag").ok();
    let (name, new_name, digest) = (&reference.image, &Field::Unspecified, &Field::Unspecified);
    let wanted = DesiredImage { name, new_name, tag: tag.as_ref(), digest };
    let rewrite = rewrite(&parsed.yaml, reference, &wanted)?;
    for change in &rewrite.changes {
        check(text, &parsed.yaml, change)
            .map_err(|obstacle| Refusal::blocked(change.node(), "the value", obstacle))?;
    }
    Ok(rewrite)
}

fn one(parsed: &ParsedFile, reference: &Reference, tried: Match) -> ListedReference {
    let (line, column) = reference.position(&parsed.yaml);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    ListedReference {
        file: parsed.path.clone(),
        line,
        column,
        kind: reference.kind,
        image: reference.image.clone(),
        tag: text(&reference.tag),
        digest: text(&reference.digest),
        reason: tried.result.err().map(|refusal| format!("{}; {}", refusal.reason, refusal.reason.advice())),
        sets: reference.kustomize_name.clone().filter(|_| is_override(reference)),
    }
}
