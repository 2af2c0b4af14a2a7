//! What the roots run of a request's images, place by place, whether tagbump could edit it or not.

use super::current_references::{CurrentReference, found, listed};
use super::files;
use super::{FileSource, PlanError, Request};
use crate::location::Location;
use crate::manifest::ScalarPlace;

/// A place of an image, with the tag and digest that run because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningReference {
    pub reference: CurrentReference,
    /// Its scalar.
    pub at: Location,
    /// The tags that run: more than one if roots differ. `None` is an image without a tag.
    pub tags: Vec<Option<String>>,
    pub digest: Option<String>,
}

/// The places of a request's images. Targets without one are not among them.
///
/// # Errors
/// If a named file isn't valid YAML, and the errors of the file source.
pub fn running(source: &dyn FileSource, request: &Request) -> Result<Vec<RunningReference>, PlanError> {
    let mut scanned = files::scan_files(source, request)?;
    let (mut matches, _) = found(source, &mut scanned, request)?;
    matches.retain(|m| !m.report_only);
    // what no container uses says nothing about what runs, unless there is nothing else
    let used: Vec<_> = matches.iter().filter(|m| !m.unused).map(|m| m.target).collect();
    matches.retain(|m| !m.unused || !used.contains(&m.target));
    let non_empty = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let references = listed(&scanned, matches.iter());
    let running = matches.iter().zip(references).map(|(m, reference)| {
        let file = &scanned.files[m.file];
        let mut scalar =
            m.nodes.iter().filter(|place| place.inside.is_none()).map(|ScalarPlace { node, .. }| *node);
        let node = scalar.next_back().unwrap_or(m.at);
        let column = (!file.is_assignments()).then(|| file.yaml.node(node).column);
        RunningReference {
            at: Location {
                file: file.path.clone(),
                line: m.line,
                column: column.filter(|_| m.inner_at.is_none()),
            },
            tags: m.all_that_run().into_iter().map(non_empty).collect(),
            digest: non_empty(m.runs_digest()),
            reference,
        }
    });
    Ok(running.collect())
}
