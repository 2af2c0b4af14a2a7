//! Where references live: one file a kind of manifest.
//!
//! A kind looks at one document and says which references are in it, found by place (kind and key), never
//! by text alone. A new kind is a new file and a line in [`KINDS`]. `reference` is what they find, `values`
//! the forms that Helm values share, `rewrite` how each form takes a new tag.
//!
//! Pure. Knows YAML only as a [`Tape`].

pub mod add;
mod field;
mod helm_release;
mod kustomization;
mod reference;
mod rewrite;
mod values;

use crate::yaml::{NodeId, Tape};

pub use field::field_references;
pub use reference::{Form, Reference, Slot};
pub use rewrite::{Refusal, Rewrite, Wanted, rewrite};

/// One document of a file.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    /// The file's path, with `/`.
    pub path: &'a str,
    pub tape: &'a Tape,
    pub root: NodeId,
}

/// Every kind of manifest that is searched.
const KINDS: [fn(&Document<'_>) -> Vec<Reference>; 2] = [kustomization::find, helm_release::find];

/// Every reference in a file, in the order of its text.
pub fn references(path: &str, tape: &Tape) -> Vec<Reference> {
    let documents = tape.roots().iter().map(|&root| Document { path, tape, root });
    let mut found: Vec<_> = documents.flat_map(|doc| KINDS.iter().flat_map(move |find| find(&doc))).collect();
    found.sort_by_key(|reference| reference.at);
    found
}

impl Document<'_> {
    fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.tape.at(self.root, path).and_then(|node| self.tape.text(node))
    }

    fn api_version(&self) -> Option<&str> {
        self.text_at(&["apiVersion"])
    }

    fn kind(&self) -> Option<&str> {
        self.text_at(&["kind"])
    }

    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}
