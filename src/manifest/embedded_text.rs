//! Edits of YAML that a literal block scalar holds as text.

use super::reference::Reference;
use super::refusal::{Refusal, RefusalReason};
use super::rewrite::{DesiredImage, Rewrite, rewrite};
use crate::yaml::{
    Change, EditBlocker, NodeId, NodeKind, ParsedYaml, ReadError, check, scan_until, text_blocker,
};

/// The YAML that a scalar holds as text.
pub struct EmbeddedText {
    block: NodeId,
    text: String,
    pub yaml: ParsedYaml,
    /// Why the lines of the text can't be edited.
    blocker: Option<EditBlocker>,
    has_aliases: bool,
}

impl EmbeddedText {
    /// Reads the text of a scalar of a file; `None` if it isn't YAML.
    pub fn read(text: &str, yaml: &ParsedYaml, block: NodeId) -> Option<Self> {
        let NodeKind::Scalar { value, .. } = &yaml.node(block).kind else { return None };
        let budget = yaml.budget();
        let inner = scan_until(value.as_bytes(), budget.cancellation());
        if let Err(ReadError::Stopped(stopped)) = &inner {
            budget.stop(*stopped);
        }
        let inner = inner.ok()?;
        budget.charge(inner.budget());
        let has_aliases = (0..inner.len()).any(|id| matches!(inner.node(id).kind, NodeKind::Alias(_)));
        let blocker = text_blocker(text, yaml, block);
        Some(EmbeddedText { block, text: value.clone(), yaml: inner, blocker, has_aliases })
    }

    /// Plans the changes to a reference in the text. The line is one of the file.
    ///
    /// # Errors
    /// Why the reference can't be edited safely.
    pub fn rewrite(
        &self,
        line: usize,
        reference: &Reference,
        wanted: &DesiredImage<'_>,
    ) -> Result<Rewrite, Refusal> {
        self.placed(line, rewrite(&self.yaml, reference, wanted))
    }

    /// Turns changes of the text into changes of the file.
    ///
    /// # Errors
    /// Why the changes can't be made.
    pub fn placed(&self, line: usize, made: Result<Rewrite, Refusal>) -> Result<Rewrite, Refusal> {
        let refused = |refusal: Refusal| {
            let reason = Box::new(refusal.reason);
            Refusal::new(self.block, RefusalReason::InText { line, reason })
        };
        let rewrite = made.map_err(refused)?;
        if let Some(blocker) = rewrite.changes.iter().find_map(|change| self.obstacle(change)) {
            return Err(Refusal::in_text(self.block, line, blocker));
        }
        let inside = |change| Change::Inside { block: self.block, change: Box::new(change) };
        Ok(Rewrite { changes: rewrite.changes.into_iter().map(inside).collect(), ..rewrite })
    }

    fn obstacle(&self, change: &Change) -> Option<EditBlocker> {
        if !matches!(change, Change::Set { .. } | Change::SetPart { .. }) {
            return Some(EditBlocker::Lines);
        }
        let shared = self.is_shared(change.node()).then_some(EditBlocker::Shared);
        self.blocker.or(shared)
    }

    /// Whether an alias may lead to a node.
    fn is_shared(&self, node: NodeId) -> bool {
        let mut around = std::iter::successors(Some(node), |&node| self.yaml.node(node).parent);
        self.has_aliases && around.any(|node| self.yaml.node(node).anchored)
    }

    /// Whether the lines of the text can be edited.
    pub fn is_editable(&self) -> bool {
        self.blocker.is_none()
    }

    /// Whether a change of the text can be made, without making it.
    ///
    /// # Errors
    /// What prevents the edit.
    pub fn check(&self, change: &Change) -> Result<(), EditBlocker> {
        check(&self.text, &self.yaml, change)
    }
}
