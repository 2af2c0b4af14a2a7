//! Changes of YAML that a literal block scalar holds as text: made in the text by itself, and verified there, so that
//! only the new text is left to write into the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::change::Change;
use super::document::{NodeId, NodeKind, ParsedYaml};
use super::edit::{EditError, apply};
use super::scan::{ReadError, scan_until};
use super::span::EditBlocker;

/// The changes with one new text for each block scalar that some of them are in.
pub(super) fn with_texts<'c>(
    yaml: &ParsedYaml,
    changes: &'c [Change],
) -> Result<Cow<'c, [Change]>, EditError> {
    let mut blocks: BTreeMap<NodeId, Vec<Change>> = BTreeMap::new();
    let mut others = Vec::new();
    for change in changes {
        match change {
            Change::Inside { block, change } => blocks.entry(*block).or_default().push((**change).clone()),
            other => others.push(other),
        }
    }
    if blocks.is_empty() {
        return Ok(Cow::Borrowed(changes));
    }
    let mut made: Vec<Change> = others.into_iter().cloned().collect();
    for (node, inner) in blocks {
        let value = changed_text(yaml, node, &inner).map_err(|error| match error {
            EditError::Refused { obstacle, .. } => EditError::Refused { node, obstacle },
            EditError::Overlap { .. } => EditError::Overlap { node },
            EditError::VerificationFailed => EditError::VerificationFailed,
        })?;
        made.push(Change::SetText { node, value });
    }
    Ok(Cow::Owned(made))
}

/// The text of a block scalar after some changes in it. Nodes in errors are those of the text.
pub(super) fn changed_text(
    yaml: &ParsedYaml,
    block: NodeId,
    changes: &[Change],
) -> Result<String, EditError> {
    let NodeKind::Scalar { value, .. } = &yaml.node(block).kind else {
        return Err(EditError::Refused { node: block, obstacle: EditBlocker::NotScalar });
    };
    let inner = scan_until(value.as_bytes(), yaml.budget().cancellation()).map_err(|error| {
        if let ReadError::Stopped(stopped) = error {
            yaml.budget().stop(stopped);
        }
        EditError::VerificationFailed
    })?;
    let made = apply(value.as_bytes(), &inner, changes)?;
    String::from_utf8(made).map_err(|_| EditError::VerificationFailed)
}
