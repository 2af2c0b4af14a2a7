//! Manifests of images: what a registry stores under a tag or digest. Pure.
//!
//! Source: OCI image specification 1.1 (`image-index.md`, `manifest.md`, `descriptor.md`, `annotations.md`), and Docker's
//! "Image Manifest V2, Schema 2", which have the same fields.

use ring::digest::{Algorithm, SHA256, SHA512, digest};
use serde::Deserialize;

use crate::image::Digest;

/// The media types of indexes and manifests, OCI's and Docker's.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The labels that name what an image was built from.
const REVISION: &str = "org.opencontainers.image.revision";
const SOURCE: &str = "org.opencontainers.image.source";

/// What leads from a manifest to the image's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Manifest {
    /// The manifest of the first platform of an index.
    Index { first: Digest },
    /// The configuration of an image.
    Image { config: Digest },
}

#[derive(Deserialize)]
struct RawManifest {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
}

impl Descriptor {
    /// Attestations are listed beside images, for the platform `unknown/unknown`.
    fn is_image(&self) -> bool {
        self.platform.as_ref().is_none_or(|p| p.os != "unknown" && p.architecture != "unknown")
    }
}

impl Manifest {
    /// `None` if it names neither images nor a configuration, as an artifact of another kind.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let raw: RawManifest = serde_json::from_slice(body).ok()?;
        match raw.config {
            Some(config) => Some(Manifest::Image { config: Digest::parse(&config.digest).ok()? }),
            None => {
                let first = raw.manifests.iter().find(|manifest| manifest.is_image())?;
                Some(Manifest::Index { first: Digest::parse(&first.digest).ok()? })
            }
        }
    }
}

/// The commit and the repository that an image's labels name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLabels {
    pub revision: String,
    pub source: String,
}

impl SourceLabels {
    /// From an image's configuration. `None` unless both labels are there.
    pub fn parse(config: &[u8]) -> Option<Self> {
        let config: serde_json::Value = serde_json::from_slice(config).ok()?;
        let label = |name: &str| config["config"]["Labels"][name].as_str().map(str::to_owned);
        Some(SourceLabels { revision: label(REVISION)?, source: label(SOURCE)? })
    }
}

/// The digest of what a registry sent, by the algorithm of `like`. `None` if that is none of the two that the
/// specification registers.
pub(super) fn digest_like(like: &Digest, body: &[u8]) -> Option<Digest> {
    match like.as_str().split_once(':')?.0 {
        "sha256" => sha256(body),
        "sha512" => hashed("sha512", &SHA512, body),
        _ => None,
    }
}

/// The digest by which a manifest is pinned.
pub(super) fn sha256(body: &[u8]) -> Option<Digest> {
    hashed("sha256", &SHA256, body)
}

fn hashed(name: &str, algorithm: &'static Algorithm, body: &[u8]) -> Option<Digest> {
    let hex: String = digest(algorithm, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::parse(&format!("{name}:{hex}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    #[test]
    fn first_platform_of_an_index_is_a_real_one() {
        let entry = |c: char, os: &str| {
            format!(
                r#"{{"digest": "{}", "platform": {{"os": "{os}", "architecture": "{os}"}}}}"#,
                digest_of(c)
            )
        };
        let index = format!(r#"{{"manifests": [{}, {}]}}"#, entry('a', "unknown"), entry('b', "linux"));
        let first = Digest::parse(&digest_of('b')).unwrap();
        assert_eq!(Manifest::parse(index.as_bytes()), Some(Manifest::Index { first }));
        let only_attestations = format!(r#"{{"manifests": [{}]}}"#, entry('a', "unknown"));
        assert_eq!(Manifest::parse(only_attestations.as_bytes()), None);
    }

    #[test]
    fn image_has_a_configuration() {
        let image = format!(r#"{{"config": {{"digest": "{}"}}, "layers": []}}"#, digest_of('c'));
        let config = Digest::parse(&digest_of('c')).unwrap();
        assert_eq!(Manifest::parse(image.as_bytes()), Some(Manifest::Image { config }));
        for other in ["", "[]", "{}", r#"{"config": {"digest": "x"}}"#, r#"{"manifests": 1}"#] {
            assert_eq!(Manifest::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn both_labels_are_needed() {
        let config =
            |labels: &str| SourceLabels::parse(format!(r#"{{"config": {{"Labels": {labels}}}}}"#).as_bytes());
        let both =
            format!(r#"{{"{REVISION}": "1a2b", "{SOURCE}": "https://github.com/acme/api", "x": "y"}}"#);
        let labels =
            SourceLabels { revision: "1a2b".to_owned(), source: "https://github.com/acme/api".to_owned() };
        assert_eq!(config(&both), Some(labels));
        assert_eq!(config(&format!(r#"{{"{REVISION}": "1a2b"}}"#)), None);
        assert_eq!(config("null"), None);
    }

    #[test]
    fn digests_are_computed_by_the_algorithm_of_the_other() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").unwrap().as_str(), empty);
        assert_eq!(digest_like(&Digest::parse(empty).unwrap(), b"").unwrap().as_str(), empty);
        let long = Digest::parse(&format!("sha512:{}", "0".repeat(128))).unwrap();
        assert!(digest_like(&long, b"").unwrap().as_str().starts_with("sha512:cf83e1357eefb8bd"));
        let other = Digest::parse(&format!("blake3:{}", "0".repeat(64))).unwrap();
        assert_eq!(digest_like(&other, b""), None);
    }
}
