//! Which images of a bump include the same new commits, for the texts that describe it.

use std::collections::HashMap;

use crate::image::short_name;
use crate::landing::IncludedCommits;
use crate::output::{ChangeOrigin, Comparison};
use crate::plan::Plan;

/// The distinct comparisons of a plan's changes, with the names of their images. `origins` are those of the changes, in their order.
pub(super) fn included_commits<'a>(plan: &'a Plan, origins: &'a [ChangeOrigin]) -> Vec<IncludedCommits<'a>> {
    let mut found: Vec<(&Comparison, Vec<&str>)> = Vec::new();
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (change, origin) in plan.changes.iter().zip(origins) {
        let Some(comparison) = origin.comparison.as_deref() else { continue };
        let service = change.target.of(&plan.targets).and_then(|target| target.service.as_deref());
        let name = service.unwrap_or_else(|| short_name(&change.image));
        let at = *positions.entry(&comparison.url).or_insert(found.len());
        match found.get_mut(at) {
            None => found.push((comparison, vec![name])),
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
        }
    }
    let included = |(comparison, names): (&'a Comparison, Vec<&'a str>)| IncludedCommits {
        names,
        url: &comparison.url,
        goes_back: comparison.goes_back,
        range: comparison.range.as_ref(),
    };
    found.into_iter().map(included).collect()
}
