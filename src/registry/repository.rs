//! Where an image is: its registry, and its path there. Pure.

use url::Url;

use super::RegistryError;
use crate::http::is_loopback;
use crate::image::{full_name, is_possible_name};

/// The name under which Docker Hub's images are known, and the host that serves them.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// A repository of a registry: what an image name means without a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRepository {
    /// Host and port as the image name has them: `docker.io`, `localhost:5000`.
    host: String,
    path: String,
    /// Where its API is; ends with `/v2/`.
    api: Url,
}

impl ImageRepository {
    /// Reads an image name as docker does: one without a host is on Docker Hub.
    ///
    /// # Errors
    /// Fails if the name is no host and path.
    pub fn of_image(name: &str) -> Result<Self, RegistryError> {
        ImageRepository::parse(name).ok_or_else(|| RegistryError::NotAName { image: name.to_owned() })
    }

    /// The error that its host doesn't answer as a registry does.
    pub(super) fn not_a_registry(&self, problem: &str) -> RegistryError {
        RegistryError::NotARegistry { registry: self.host().to_owned(), problem: problem.to_owned() }
    }

    fn parse(name: &str) -> Option<Self> {
        if !is_possible_name(name) {
            return None;
        }
        let full = full_name(name);
        let (host, path) = full.split_once('/')?;
        let server = if host == HUB.0 { HUB.1 } else { host };
        let api = Url::parse(&format!("https://{server}/v2/")).ok()?;
        let is_host = api.username().is_empty() && api.password().is_none() && api.path() == "/v2/";
        let is_whole = api.query().is_none() && api.fragment().is_none();
        if !is_host || !is_whole || !path.split('/').all(is_component) {
            return None;
        }
        Some(ImageRepository { host: host.to_owned(), path: path.to_owned(), api })
    }

    /// The registry as the image name has it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path in the registry, such as `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether this is on Docker Hub, which has several names.
    pub fn is_on_hub(&self) -> bool {
        self.host == HUB.0
    }

    /// Whether the registry is on this machine, where it may speak plain http, as docker allows.
    pub fn is_on_this_machine(&self) -> bool {
        is_loopback(&self.api)
    }

    /// Where the API is, over https.
    pub fn api(&self) -> &Url {
        &self.api
    }
}

/// Whether a text is a component of a path, by the OCI distribution specification:
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`. The separators in it are not checked further: the registry does that.
fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|&b| word(b))
        && bytes.last().is_some_and(|&b| word(b))
        && bytes.iter().all(|&b| word(b) || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_docker_reads_them() {
        for (name, api, path) in [
            ("nginx", "https://registry-1.docker.io/v2/", "library/nginx"),
            ("docker.io/nginx", "https://registry-1.docker.io/v2/", "library/nginx"),
            ("index.docker.io/acme/api", "https://registry-1.docker.io/v2/", "acme/api"),
            ("ghcr.io/acme/api", "https://ghcr.io/v2/", "acme/api"),
            ("localhost:5000/x", "https://localhost:5000/v2/", "x"),
            ("[::1]:5000/x", "https://[::1]:5000/v2/", "x"),
            ("registry.gitlab.com/a/b/c_d/e-f", "https://registry.gitlab.com/v2/", "a/b/c_d/e-f"),
        ] {
            let repository = ImageRepository::of_image(name).unwrap();
            assert_eq!((repository.api.as_str(), repository.path()), (api, path), "{name}");
        }
    }

    #[test]
    fn what_would_lead_elsewhere_is_not_a_name() {
        for name in [
            "",
            "/",
            "ghcr.io/",
            "ghcr.io//x",
            "user@ghcr.io:1/x",
            "u:p@ghcr.io:1/x",
            "ghcr.io/../x",
            "ghcr.io/x?y",
            "ghcr.io/x#y",
            "ghcr.io/X",
            "a.b\\c/x",
            "ghcr.io:99999/x",
            "ghcr.io/a%2f",
            "ghcr.io/x/",
            "h.i?q/x",
        ] {
            assert!(ImageRepository::of_image(name).is_err(), "{name}");
        }
    }
}
