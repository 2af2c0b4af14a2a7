//! Where references live: one file a kind of manifest.
//!
//! A kind looks at one document and says which references are in it, found by place (kind and key), never
//! by text alone. A new kind is a new file and a line in `KINDS`. `reference` is what they find, `forms`
//! the ways in which Helm values write an image, `rewrite` how each form takes a new tag. Two more look at
//! the file as a whole: `image_policy` for marked scalars, `embedded` for YAML inside of block scalars.
//!
//! Pure. Knows YAML only as a [`ParsedYaml`].

pub mod add;
mod argo_cd;
mod compose;
mod embedded;
mod field;
mod flux_kustomization;
mod helm_release;
mod image_policy;
mod kustomization;
mod reference;
mod refusal;
mod rewrite;
mod syntax;
mod values;
mod workload;

use std::collections::HashSet;

use crate::yaml::{NodeId, ParsedYaml};

pub use field::field_references;
pub use kustomization::is_kustomization_file;
pub use reference::{Reference, ReferenceSyntax, ValueLocation};
pub use refusal::{Refusal, RefusalReason};
pub use rewrite::{DesiredImage, Rewrite, rewrite};
pub use values::{CHART, KIND as VALUES, is_values_file, looks_like_values};
pub use workload::KIND as WORKLOAD;

/// A file, parsed.
#[derive(Clone, Copy)]
pub struct ManifestFile<'a> {
    /// With `/`.
    pub path: &'a str,
    pub text: &'a str,
    pub yaml: &'a ParsedYaml,
    /// It holds Helm values, if it is nothing else.
    pub is_values: bool,
}

/// One document of a file, or one item of a `List`.
#[derive(Clone, Copy)]
struct Document<'a> {
    /// The file's path, with `/`.
    path: &'a str,
    yaml: &'a ParsedYaml,
    root: NodeId,
    is_values: bool,
}

/// Every kind of manifest that is searched.
const KINDS: [fn(&Document<'_>) -> Vec<Reference>; 7] = [
    kustomization::find,
    flux_kustomization::find,
    helm_release::find,
    workload::find,
    argo_cd::find,
    compose::find,
    values::find,
];

/// Every reference in a file, in the order of its text.
pub fn references(file: &ManifestFile<'_>) -> Vec<Reference> {
    let mut found = in_documents(file);
    let marked = image_policy::find(file, &found);
    found.extend(marked);
    found.extend(embedded::find(file));
    found.sort_by_key(|reference| (reference.at, reference.position(file.yaml)));
    // one place can be reached twice, as a container and through an alias to it
    let mut places = HashSet::new();
    found.retain(|r| places.insert((r.at, r.position(file.yaml))));
    found
}

/// Whether a reference sets the image of workloads, whatever they say themselves. (A HelmRelease's entries are
/// for what its chart makes.)
pub fn is_override(reference: &Reference) -> bool {
    match reference.syntax {
        ReferenceSyntax::Override(_) => true,
        ReferenceSyntax::Entry { .. } => {
            [kustomization::KIND, flux_kustomization::KIND].contains(&reference.kind)
        }
        _ => false,
    }
}

/// References where they stand as YAML.
fn in_documents(file: &ManifestFile<'_>) -> Vec<Reference> {
    let documents = documents(file);
    documents.iter().flat_map(|doc| KINDS.iter().flat_map(move |find| find(doc))).collect()
}

/// The file's documents, with the items of each `List` in its place.
fn documents<'a>(file: &ManifestFile<'a>) -> Vec<Document<'a>> {
    let ManifestFile { path, yaml, is_values, .. } = *file;
    let mut roots: Vec<NodeId> = yaml.roots().to_vec();
    let mut seen = HashSet::new();
    let mut documents = Vec::new();
    while let Some(root) = roots.pop().map(|root| yaml.resolve(root)) {
        let doc = Document { path, yaml, root, is_values };
        if !seen.insert(root) {
            continue;
        }
        match yaml.at(root, &["items"]).filter(|_| doc.kind() == Some("List")) {
            Some(items) => roots.extend(yaml.items(items)),
            None => documents.push(doc),
        }
    }
    documents
}

impl Document<'_> {
    fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.yaml.at(self.root, path).and_then(|node| self.yaml.text(node))
    }

    fn api_version(&self) -> Option<&str> {
        self.text_at(&["apiVersion"])
    }

    fn kind(&self) -> Option<&str> {
        self.text_at(&["kind"])
    }

    /// Whether it is of this kind, of any version of this API group.
    fn is_of(&self, group: &str, kind: &str) -> bool {
        let version = self.api_version().and_then(|version| version.strip_prefix(group));
        self.kind() == Some(kind) && version.is_some_and(|rest| rest.starts_with('/'))
    }

    fn file_name(&self) -> &str {
        file_name(self.path)
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
