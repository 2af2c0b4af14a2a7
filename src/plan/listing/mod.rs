//! Lists every reference in some files, and whether tagbump could edit it.
//!
//! `filter` says which files are worth parsing, `files` keeps them, and `parse` parses them and renders the roots beside that.
//! `references` are what rules find in a file, `elsewhere` the rest; `places` is what the roots say about them, and `winners`
//! what wins although no rule finds it. `assembly` puts all of that together.

mod assembly;
mod elsewhere;
mod files;
mod filter;
mod parse;
mod places;
mod references;
mod winners;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::unparsed::{Unparsed, UnparsedReport};
use super::{
    Environments, FileSource, NestedRepository, PlanError, Request, SourceFile, VisitScope, wider_pattern,
};
use crate::file_selection::{MatchLevel, Selection};
use crate::manifest::ScalarPlace;
use assembly::Assembly;
use files::{FileListing, GatheredFiles, Listed, ListedFiles};
use parse::{Parsed, parse_and_render};
use winners::unlisted;

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
    /// Who holds its image, until when, and why; if someone does.
    pub held: Option<String>,
    /// The stronger places that override it.
    pub overridden: Overrides,
    /// It sets what some root runs.
    pub wins: bool,
    /// The other files that the digest of what runs is in.
    pub digest_files: BTreeSet<String>,
    /// The entry files of the roots in which it wins, as far as they are known: they decide which environments these are in.
    pub entries: BTreeSet<String>,
}

/// The roots in which a stronger place overrides a reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The reference wins in no root.
    pub everywhere: bool,
    pub by: Vec<OverriddenBy>,
}

/// A place that overrides a reference in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverriddenBy {
    /// As messages call it: `kustomization apps/prod`.
    pub root: String,
    pub file: String,
    /// 1-based.
    pub line: usize,
}

/// All references of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the order of files and text.
    pub references: Vec<ListedReference>,
    /// Places that set what some root runs, and that aren't among the references by this name: a tag alone, a value
    /// of a patch, a variable.
    pub winning: Vec<ListedReference>,
    /// The number of files that were read.
    pub files: usize,
    pub warnings: Vec<String>,
    /// Files that aren't valid YAML, with position and reason.
    pub unparsable: Vec<String>,
    /// Folders whose files belong to a repository of their own, and were not searched.
    pub nested: BTreeSet<NestedRepository>,
}

/// A reference, and the scalars that it consists of.
#[derive(Clone)]
pub(super) struct PlacedReference {
    pub reference: ListedReference,
    pub nodes: Vec<ScalarPlace>,
}

/// What to list.
pub struct ListingRequest<'a> {
    pub selection: &'a Selection,
    /// The images whose references are listed; empty for all.
    pub images: &'a [String],
    pub environments: &'a Environments,
    /// The URL of the repository, if it has one: Flux and Argo CD name repositories by it.
    pub repository_url: Option<&'a str>,
}

/// Lists references; `looked` is called after each file, from several threads.
///
/// # Errors
/// If a named file isn't valid YAML or takes too much work, and the errors of the file source.
pub fn list(
    source: &dyn FileSource,
    request: &ListingRequest<'_>,
    looked: &(dyn Fn() + Sync),
) -> Result<Listing, PlanError> {
    let ListingRequest { selection, images, environments, .. } = *request;
    let files = ListedFiles::new(images);
    let look = |file: SourceFile<'_>| {
        files.take(&file);
        if file.match_level != MatchLevel::ContextOnly {
            looked();
        }
        ControlFlow::Continue(())
    };
    let mut found = source
        .visit(selection, VisitScope::WithContext, &look)
        .map_err(|error| wider_pattern::with_wider(error.into(), source, selection, &Request::default()))?;
    let GatheredFiles { texts, mut listed, around } = files.finish(std::mem::take(&mut found.other));
    let Parsed { rendered, listed: more } = parse_and_render(source, &around, request, texts)?;
    listed.extend(more);
    listed.sort_by(|a, b| path(a).cmp(path(b)));
    // a file that no root is made from is one of its own
    let is_listed = |path: &str| match rendered.files.get(path) {
        Some(counts) => *counts,
        None => environments.counts(environments.of_file(path)),
    };
    let mut unparsed = UnparsedReport::without_templates(&found.charts);
    let mut assembly = Assembly::new(&rendered);
    for file in listed {
        match file {
            Err(file) => unparsed.add(file)?,
            Ok(file) if environments.is_limited() && !is_listed(&file.path) => {}
            Ok(file) => assembly.take_file(file, &found.charts),
        }
    }
    let (references, named) = assembly.finish(images);
    let mut warnings: Vec<_> =
        found.all_warnings().into_iter().chain(unparsed.too_costly).chain(rendered.cut_off).collect();
    warnings.dedup();
    Ok(Listing {
        references,
        winning: unlisted(rendered.winning, &named),
        files: found.count,
        warnings,
        unparsable: unparsed.not_yaml,
        nested: found.nested,
    })
}

fn path(listed: &Listed) -> &str {
    match listed {
        Ok(FileListing { path, .. }) | Err(Unparsed { path, .. }) => path,
    }
}
