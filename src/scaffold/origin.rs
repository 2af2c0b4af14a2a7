//! Whether an image is most likely third-party.

use crate::image::full_name;

/// Registries and owners of widely used third-party images.
const OTHERS: &[&str] = &[
    "cgr.dev/chainguard/",
    "docker.elastic.co/",
    "docker.io/apache/",
    "docker.io/bitnami/",
    "docker.io/bitnamilegacy/",
    "docker.io/cloudflare/",
    "docker.io/confluentinc/",
    "docker.io/envoyproxy/",
    "docker.io/grafana/",
    "docker.io/hashicorp/",
    "docker.io/jaegertracing/",
    "docker.io/library/",
    "docker.io/minio/",
    "docker.io/otel/",
    "docker.io/prom/",
    "gcr.io/distroless/",
    "ghcr.io/fluxcd/",
    "k8s.gcr.io/",
    "mcr.microsoft.com/",
    "nvcr.io/nvidia/",
    "public.ecr.aws/docker/",
    "quay.io/argoproj/",
    "quay.io/jetstack/",
    "quay.io/minio/",
    "quay.io/prometheus/",
    "registry.access.redhat.com/",
    "registry.k8s.io/",
];

/// Decides by name only. Docker Hub's official images, which have no owner, and images of well-known owners
/// count as third-party.
pub fn is_of_others(image: &str) -> bool {
    let name = full_name(image);
    OTHERS.iter().any(|others| name.starts_with(others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_an_owner_are_of_others() {
        for image in ["postgres", "library/redis", "docker.io/library/nginx", "registry.k8s.io/pause"] {
            assert!(is_of_others(image), "{image}");
        }
        for image in ["acme/api", "ghcr.io/acme/postgres", "localhost:5000/redis", "prometheus/api"] {
            assert!(!is_of_others(image), "{image}");
        }
    }
}
