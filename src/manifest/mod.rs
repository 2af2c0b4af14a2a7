//! Finds references. Each kind of manifest has its own file.
//!
//! A kind looks at one document and returns the references in it. It finds them by place (kind and key), never
//! by text alone. To add a kind, add a file and a line in `KINDS`. `reference` defines what the kinds return,
//! `syntax` the ways in which Helm values write an image, and `rewrite` how each of these takes a new tag. Two
//! modules look at the whole file: `image_policy` for marked scalars, `embedded` for YAML inside block scalars.
//!
//! Pure. Sees YAML only as a [`ParsedYaml`].

pub mod add;
mod argo_cd;
mod compose;
mod elsewhere;
mod embedded;
mod embedded_text;
mod encrypted;
mod field;
mod flux_kustomization;
mod helm_release;
mod image_policy;
mod kustomization;
mod reference;
mod refusal;
mod rewrite;
mod syntax;
mod text_part;
mod values;
mod walk;
mod workload;

use std::collections::HashSet;

use crate::file_selection::file_name;
use crate::yaml::{NodeId, ParsedYaml};

pub use compose::{KIND as COMPOSE, is_compose, is_stack};
pub use elsewhere::{NamingLine, UnknownPlace, WantedImage, unknown_places, unparsed_places};
pub use embedded::embedded_reference;
pub use embedded_text::EmbeddedText;
pub use encrypted::{has_mac, is_encrypted};
pub use field::{assignment_reference, field_references};
pub use helm_release::KIND as HELM_RELEASE;
pub use kustomization::KIND as KUSTOMIZATION;
pub use kustomization::is_kustomization_file;
pub use reference::{Holds, Reference, ReferenceSyntax, ScalarPlace, ValueLocation};
pub use refusal::{Refusal, RefusalReason, SharedUser};
pub use rewrite::{DesiredImage, NewDigest, Rewrite, rewrite};
pub use text_part::PartOfText;
pub use values::{CHART, KIND as VALUES, is_values_file, looks_like_values};
pub use workload::KIND as WORKLOAD;

/// A parsed file.
#[derive(Clone, Copy)]
pub struct ManifestFile<'a> {
    /// Separated by `/`.
    pub path: &'a str,
    pub text: &'a str,
    pub yaml: &'a ParsedYaml,
    /// Whether the file holds Helm values, unless it turns out to be something else.
    pub is_values: bool,
}

/// One document of a file, or one item of a `List`.
#[derive(Clone, Copy)]
struct Document<'a> {
    /// The file's path, separated by `/`.
    path: &'a str,
    yaml: &'a ParsedYaml,
    root: NodeId,
    is_values: bool,
}

/// The search function of every kind of manifest.
const KINDS: [fn(&Document<'_>) -> Vec<Reference>; 7] = [
    kustomization::find,
    flux_kustomization::find,
    helm_release::find,
    workload::find,
    argo_cd::find,
    compose::find,
    values::find,
];

/// Every reference in a file, in document order.
pub fn references(file: &ManifestFile<'_>) -> Vec<Reference> {
    let mut found = in_documents(file);
    let marked = image_policy::find(file, &found);
    found.extend(marked);
    found.extend(embedded::find(file));
    found.sort_by_key(|reference| (reference.at, reference.position(file.yaml)));
    // the same place can be found twice: as a container, and through an alias to it
    let mut places = HashSet::new();
    found.retain(|r| places.insert((r.at, r.position(file.yaml))));
    found
}

/// Whether a reference overrides the images of workloads. (The entries of a HelmRelease don't: they apply to
/// what its chart renders.)
pub fn is_override(reference: &Reference) -> bool {
    match reference.syntax {
        ReferenceSyntax::Override(_) => true,
        ReferenceSyntax::Entry { .. } => {
            [kustomization::KIND, flux_kustomization::KIND].contains(&reference.kind)
        }
        _ => false,
    }
}

/// References that are YAML themselves, not text inside a block scalar.
fn in_documents(file: &ManifestFile<'_>) -> Vec<Reference> {
    let documents = documents(file);
    documents.iter().flat_map(|doc| KINDS.iter().flat_map(move |find| find(doc))).collect()
}

/// The file's documents. A `List` is replaced by its items.
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

    /// Whether the document has this kind, in any version of this API group.
    fn is_of(&self, group: &str, kind: &str) -> bool {
        let version = self.api_version().and_then(|version| version.strip_prefix(group));
        self.kind() == Some(kind) && version.is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether a node with this key runs nothing: annotations, and the `status` of an object.
    fn is_aside(&self, id: NodeId, key: &str) -> bool {
        let is_of_object = || {
            let parent = self.yaml.node(id).parent;
            parent.is_some_and(|map| map == self.root || self.yaml.get(map, "kind").is_some())
        };
        syntax::is_annotations(key) || (key == "status" && is_of_object())
    }

    fn file_name(&self) -> &str {
        file_name(self.path)
    }
}
