//! Files of registry credentials, as `docker login` and `podman login` write them. Reading them is pure.
//!
//! Source: docker's `config.json` (docs.docker.com, "docker login"), and `containers-auth.json(5)`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::{AuthFileError, ImageRepository};

/// The other hosts that Docker Hub's credentials are kept under.
const HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// How Docker Hub is called in these files, and by helpers.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// What a file says about a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AuthEntry {
    /// A helper knows; it is asked about `server`.
    Helper {
        name: String,
        server: String,
    },
    Secret(RegistrySecret),
}

/// A secret for a registry. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum RegistrySecret {
    Password {
        user: String,
        password: String,
    },
    /// Exchanged for a token at the token server, by OAuth 2.
    IdentityToken(String),
    /// Sent to the registry as it is.
    RegistryToken(String),
}

impl RegistrySecret {
    /// The secret as it is, and as it is sent: in base64 (RFC 7617), or in a form (WHATWG URL, section 5.2).
    pub fn spellings(&self) -> Vec<String> {
        let form = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        match self {
            RegistrySecret::Password { user, password } => {
                vec![password.clone(), form(password), STANDARD.encode(format!("{user}:{password}"))]
            }
            RegistrySecret::IdentityToken(token) | RegistrySecret::RegistryToken(token) => {
                vec![token.clone(), form(token)]
            }
        }
    }
}

impl std::fmt::Debug for RegistrySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RegistrySecret::Password { .. } => "Password",
            RegistrySecret::IdentityToken(_) => "IdentityToken",
            RegistrySecret::RegistryToken(_) => "RegistryToken",
        })
    }
}

/// A file of credentials.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AuthFile {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    /// `user:password` in base64.
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl AuthFile {
    /// `source_name` is how messages call it.
    ///
    /// # Errors
    /// Fails if it isn't JSON of this form. The message contains none of it.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, AuthFileError> {
        serde_json::from_str(text).map_err(|error| AuthFileError::Invalid {
            source_name: source_name.to_owned(),
            reason: format!("line {}, column {}", error.line(), error.column()),
        })
    }

    /// What to try for a repository, in this order: the helper for its registry, the helper for all, and what the file
    /// itself has.
    pub fn entries(&self, repository: &ImageRepository) -> Vec<AuthEntry> {
        let server = if repository.is_on_hub() { HUB_KEY } else { repository.host() };
        let helper = |name: &String| AuthEntry::Helper { name: name.clone(), server: server.to_owned() };
        let own = find(&self.cred_helpers, repository).map(helper);
        let general = self.creds_store.as_ref().filter(|name| own.is_none() && !name.is_empty()).map(helper);
        let secret = find(&self.auths, repository).and_then(Auth::secret).map(AuthEntry::Secret);
        own.into_iter().chain(general).chain(secret).collect()
    }
}

/// The entry for a repository: the one with the longest part of its path, down to its host alone.
fn find<'m, V>(map: &'m BTreeMap<String, V>, repository: &ImageRepository) -> Option<&'m V> {
    let hosts = if repository.is_on_hub() { &HUB_HOSTS[..] } else { &[repository.host()][..] };
    let mut path = Some(repository.path());
    while let Some(part) = path {
        let keys = hosts.iter().map(|host| format!("{host}/{part}"));
        if let Some(found) = keys.into_iter().find_map(|key| by_key(map, &key)) {
            return Some(found);
        }
        path = part.rsplit_once('/').map(|(shorter, _)| shorter);
    }
    hosts.iter().find_map(|host| by_key(map, host))
}

fn by_key<'m, V>(map: &'m BTreeMap<String, V>, wanted: &str) -> Option<&'m V> {
    map.iter().find(|(key, _)| plain_key(key) == wanted).map(|(_, value)| value)
}

/// A key without the parts that older versions of docker wrote: `https://index.docker.io/v1/`.
fn plain_key(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

impl Auth {
    /// `None` for an entry that only says that a helper knows.
    fn secret(&self) -> Option<RegistrySecret> {
        if !self.registrytoken.is_empty() {
            return Some(RegistrySecret::RegistryToken(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Some(RegistrySecret::IdentityToken(self.identitytoken.clone()));
        }
        let decoded = STANDARD.decode(self.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        // docker pads with zero bytes
        let (user, password) = pair.map_or((&*self.username, &*self.password), |(user, password)| {
            (user, password.trim_end_matches('\0'))
        });
        (!password.is_empty())
            .then(|| RegistrySecret::Password { user: user.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(file: &str, image: &str) -> Vec<AuthEntry> {
        AuthFile::parse(file, "test").unwrap().entries(&ImageRepository::of_image(image).unwrap())
    }

    fn password(user: &str, password: &str) -> AuthEntry {
        AuthEntry::Secret(RegistrySecret::Password { user: user.to_owned(), password: password.to_owned() })
    }

    #[test]
    fn the_longest_path_wins() {
        let file = r#"{"auths": {
            "ghcr.io": {"auth": "YTox"},
            "ghcr.io/acme": {"auth": "YToy"},
            "ghcr.io/acme/api": {"auth": "YToz"}
        }}"#;
        assert_eq!(entries(file, "ghcr.io/acme/api"), [password("a", "3")]);
        assert_eq!(entries(file, "ghcr.io/acme/web"), [password("a", "2")]);
        assert_eq!(entries(file, "ghcr.io/acmes/web"), [password("a", "1")]);
        assert_eq!(entries(file, "quay.io/acme/api"), []);
    }

    #[test]
    fn docker_hub_has_several_names() {
        for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            let file = format!(r#"{{"auths": {{"{key}": {{"username": "a", "password": "1"}}}}}}"#);
            assert_eq!(entries(&file, "nginx"), [password("a", "1")], "{key}");
        }
        assert_eq!(
            entries(r#"{"auths": {"https://ghcr.io/v2/": {"auth": "YTox"}}}"#, "ghcr.io/x/y"),
            [password("a", "1")]
        );
    }

    #[test]
    fn helpers_come_before_the_file() {
        let file = r#"{"auths": {"gcr.io": {}, "ghcr.io": {"auth": "YTox"}}, "credHelpers": {"gcr.io": "gcr"}, "credsStore": "desktop"}"#;
        let helper =
            |name: &str, server: &str| AuthEntry::Helper { name: name.to_owned(), server: server.to_owned() };
        assert_eq!(entries(file, "gcr.io/x/y"), [helper("gcr", "gcr.io")]);
        assert_eq!(entries(file, "ghcr.io/x/y"), [helper("desktop", "ghcr.io"), password("a", "1")]);
        assert_eq!(entries(file, "nginx"), [helper("desktop", "https://index.docker.io/v1/")]);
    }

    #[test]
    fn tokens_are_told_from_passwords() {
        let file = r#"{"auths": {"a.io": {"auth": "YTox", "identitytoken": "t"}, "b.io": {"registrytoken": "r"}, "c.io": {"auth": "%"}}}"#;
        let secret = |image: &str| entries(file, image);
        assert_eq!(secret("a.io/x"), [AuthEntry::Secret(RegistrySecret::IdentityToken("t".to_owned()))]);
        assert_eq!(secret("b.io/x"), [AuthEntry::Secret(RegistrySecret::RegistryToken("r".to_owned()))]);
        assert_eq!(secret("c.io/x"), []);
    }

    #[test]
    fn secrets_are_known_in_every_form_in_which_they_are_sent() {
        let password = RegistrySecret::Password { user: "a".to_owned(), password: "1&2".to_owned() };
        assert_eq!(password.spellings(), ["1&2", "1%262", "YToxJjI="]);
        assert_eq!(RegistrySecret::IdentityToken("a=".to_owned()).spellings(), ["a=", "a%3D"]);
    }

    #[test]
    fn errors_show_none_of_the_file() {
        let error = AuthFile::parse(r#"{"auths": {"a.io": {"auth": 5, "s3cret": "#, "$REGISTRY_AUTH_FILE")
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "the registry credentials in $REGISTRY_AUTH_FILE are not valid: line 1, column 29"
        );
    }
}
