//! `postRenderers`: kustomizations of what the chart renders.

use super::super::files::Files;
use super::super::root::UnmatchedEntry;
use super::super::setting::EffectiveImage;
use super::super::value::Value;
use super::trail::Trail;

/// Applies the post-renderers of a release to the images of its chart; gives the entries that match none.
pub fn apply(
    _files: &mut Files<'_>,
    _release: &Value,
    _images: &mut Vec<EffectiveImage>,
    _trail: &mut Trail,
) -> Vec<UnmatchedEntry> {
    Vec::new()
}
