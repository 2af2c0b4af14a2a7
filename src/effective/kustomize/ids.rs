//! What kustomize knows an object by: group, version, kind, name and namespace.

use super::super::value::Value;
use super::Object;

/// kustomize's `resid.ResId`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    /// Empty if the object names none.
    pub namespace: String,
}

/// Kinds without a namespace, as far as kustomizations use them (`openapi.IsCertainlyClusterScoped`).
const CLUSTER_SCOPED: [&str; 17] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

impl ResourceId {
    pub fn of(value: &Value) -> Self {
        let text = |path: &[&str]| value.text_at(path).unwrap_or_default().to_owned();
        let api_version = text(&["apiVersion"]);
        // `resid.ParseGroupVersion`
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        ResourceId {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(&["kind"]),
            name: text(&["metadata", "name"]),
            namespace: text(&["metadata", "namespace"]),
        }
    }

    pub fn is_cluster_scoped(&self) -> bool {
        CLUSTER_SCOPED.contains(&self.kind.as_str())
    }

    /// `ResId.EffectiveNamespace`
    pub fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_cluster_scoped() => "_non_namespaceable_",
            "" => "default",
            namespace => namespace,
        }
    }

    /// `ResId.Equals`
    pub fn is_same(&self, other: &ResourceId) -> bool {
        self.is_same_without_namespace(other) && self.effective_namespace() == other.effective_namespace()
    }

    /// `ResId.GvknEquals`
    pub fn is_same_without_namespace(&self, other: &ResourceId) -> bool {
        let parts = |id: &'_ ResourceId| [&id.group, &id.version, &id.kind, &id.name].map(String::clone);
        parts(self) == parts(other)
    }
}

impl Object {
    /// The ID that the object has now.
    pub fn id(&self) -> ResourceId {
        ResourceId::of(&self.value)
    }

    /// The ID that the object had in its file.
    pub fn original_id(&self) -> ResourceId {
        self.previous.first().map_or_else(|| self.id(), |id| self.in_current_version(id))
    }

    /// Every ID that the object has or had, the current one last (`GetMatchingResourcesByAnyId`).
    pub fn ids(&self) -> impl Iterator<Item = ResourceId> + '_ {
        let previous = self.previous.iter().map(|id| self.in_current_version(id));
        previous.chain(std::iter::once(self.id()))
    }

    /// Group and version aren't remembered: `utils.PrevIds` takes the current ones.
    fn in_current_version(&self, id: &ResourceId) -> ResourceId {
        let now = self.id();
        ResourceId { group: now.group, version: now.version, ..id.clone() }
    }

    /// Remembers the current ID before it changes (`Resource.StorePreviousId`).
    pub(super) fn store_id(&mut self) {
        let id = self.id();
        let namespace = id.effective_namespace().to_owned();
        self.previous.push(ResourceId { namespace, ..id });
    }
}
