//! Helm: charts, Flux's HelmRelease, and charts that a kustomization inflates.
//!
//! Templates are not rendered. What a chart runs is what its merged values name. Which tags the images get, and which container
//! a post-renderer patches, is read from the templates as far as they show it.

mod chart;
mod inflated;
pub(super) mod maps;
pub(super) mod merge;
mod post_renderers;
mod release;
mod source;
mod templates;
#[cfg(test)]
mod tests;
mod trail;
mod values_files;
mod values_from;

pub use chart::Chart;
pub use inflated::{RenderedChart, inflated};
pub use release::{Release, release};
pub use source::{Around, Objects};
pub use templates::ChartTemplates;
pub use trail::Trail;
pub use values_files::{UsedCharts, chart_roots, is_floating};
