//! YAML as bytes: where each scalar is, how it is written, and how to change it in place.
//!
//! `scan` parses a file into a [`ParsedYaml`] (a flat list of nodes, without a tree or recursion), `span` finds
//! the bytes of one scalar, `scalar` decides how a new value must be quoted, and `edit` splices in the new
//! bytes and parses again to verify that nothing else changed.
//!
//! Pure: text in, text out. Knows nothing about images, manifests or files. The only user of `yaml_rust2`.

mod budget;
mod change;
mod cursor;
mod document;
mod edit;
mod field;
mod indent_workaround;
mod insert;
mod inside;
mod key_index;
mod literal;
mod merge;
mod scalar;
mod scan;
mod span;
mod synthetic;
mod tab_workaround;
mod type_error;

pub use budget::{Budget, Cancellation, ParseAborted};
pub use change::{Change, NewPair};
pub use document::{FoundValue, Node, NodeId, NodeKind, ParsedYaml, ScalarStyle};
pub use edit::{EditError, apply, check};
pub use field::{FieldError, FieldPath};
pub use literal::{is_literal, text_blocker};
pub use scalar::{needs_quotes, render};
pub use scan::{ReadError, YamlError, scan, scan_until, without_bom};
pub use span::{EditBlocker, edit_blocker, is_placeholder, part_blocker, span};
pub use synthetic::SyntheticDocument;
pub use type_error::{SECOND_DOCUMENT, TypeError};

#[cfg(test)]
mod tests;
