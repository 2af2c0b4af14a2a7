//! Which commit each target's image was built from.

use super::context::DecisionContext;
use super::error::DecisionError;
use super::registry_check::LabelSources;
use crate::config::Config;
use crate::plan::{TargetIndex, UpdateTarget};
use crate::tag::Source;

/// The sources of a request's targets.
#[derive(Clone, Copy)]
pub(super) struct TargetSources<'a> {
    pub context: &'a DecisionContext<'a>,
    pub config: &'a Config,
    pub by_labels: &'a LabelSources,
    /// If the targets get earlier tags: the sources of those, in the order of the targets. The build that runs this says
    /// nothing about them.
    pub earlier: Option<&'a [Option<Source>]>,
}

impl TargetSources<'_> {
    /// The source of a target of the request.
    pub fn of(&self, index: TargetIndex, targets: &[UpdateTarget]) -> Result<Option<Source>, DecisionError> {
        match self.earlier {
            Some(earlier) => {
                let source = index.of(earlier).cloned().flatten();
                source.map(|source| self.context.with_repository(source)).transpose()
            }
            None => self.context.source_of_target(self.config, index.of(targets), self.by_labels),
        }
    }
}
