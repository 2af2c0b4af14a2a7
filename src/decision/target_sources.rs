//! Which commit each target's image was built from.

use super::context::DecisionContext;
use super::error::DecisionError;
use super::registry_check::LabelSources;
use super::request_origin::RequestOrigin;
use crate::config::Config;
use crate::plan::{TargetIndex, UpdateTarget};
use crate::tag::Source;

/// The sources of a request's targets.
#[derive(Clone, Copy)]
pub(super) struct TargetSources<'a> {
    pub context: &'a DecisionContext<'a>,
    pub config: &'a Config,
    pub by_labels: &'a LabelSources,
    pub origin: &'a RequestOrigin<'a>,
}

impl TargetSources<'_> {
    /// The source of a target of the request.
    pub fn of(&self, index: TargetIndex, targets: &[UpdateTarget]) -> Result<Option<Source>, DecisionError> {
        match self.origin.earlier_sources() {
            Some(earlier) => {
                let source = index.of(earlier).cloned().flatten();
                source.map(|source| self.context.with_repository(source)).transpose()
            }
            None => self.context.source_of_target(self.config, index.of(targets), self.by_labels),
        }
    }
}
