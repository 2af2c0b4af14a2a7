//! Chooses what to authenticate with to a registry.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::auth_file::{AuthEntry, AuthFile, RegistrySecret};
use super::{AuthFileError, ImageRepository, RegistryError, helper};
use crate::environment::Environment;

/// Longer files are not read.
const MAX_FILE: u64 = 10 * 1024 * 1024;

/// The registry that takes a job's token.
const GITHUBS_REGISTRY: &str = "ghcr.io";

/// The user for a token; GitHub's registry accepts any.
const TOKEN_USER: &str = "x-access-token";

/// The credentials for registries that the environment offers.
pub struct RegistryCredentials {
    environment: Environment,
    files: Vec<(String, AuthFile)>,
}

/// A credential for a registry.
#[derive(Clone, Debug)]
pub(super) struct RegistryCredential {
    pub secret: RegistrySecret,
    /// Where it comes from, for messages.
    pub label: String,
}

impl RegistryCredentials {
    /// Reads the files of credentials: `$REGISTRY_AUTH_FILE`, the text in `$DOCKER_AUTH_CONFIG`, and
    /// `config.json` in `$DOCKER_CONFIG` or `~/.docker`. Those that don't exist don't count.
    ///
    /// # Errors
    /// Fails if one of them can't be read, or isn't valid.
    pub fn read(environment: &Environment) -> Result<Self, AuthFileError> {
        let mut files = Vec::new();
        if let Some(path) = environment.get("REGISTRY_AUTH_FILE") {
            files.extend(read_file("$REGISTRY_AUTH_FILE", &PathBuf::from(path))?);
        }
        if let Some(text) = environment.get("DOCKER_AUTH_CONFIG") {
            let name = "$DOCKER_AUTH_CONFIG";
            files.push((name.to_owned(), AuthFile::parse(text, name)?));
        }
        let folder = environment.get("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| environment.home().map(|home| home.join(".docker")));
        if let Some(path) = folder.map(|folder| folder.join("config.json")) {
            files.extend(read_file(&path.display().to_string(), &path)?);
        }
        Ok(RegistryCredentials { environment: environment.clone(), files })
    }

    /// The first credential for a repository. A helper has `time` to answer.
    ///
    /// # Errors
    /// Fails if a helper does.
    pub(super) fn find(
        &self,
        repository: &ImageRepository,
        time: Duration,
    ) -> Result<Option<RegistryCredential>, RegistryError> {
        for (label, file) in &self.files {
            for entry in file.entries(repository) {
                if let Some(found) = self.of_entry(entry, label, time)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(self.job_token(repository))
    }

    fn of_entry(
        &self,
        entry: AuthEntry,
        label: &str,
        time: Duration,
    ) -> Result<Option<RegistryCredential>, RegistryError> {
        match entry {
            AuthEntry::Secret(secret) => Ok(Some(RegistryCredential { secret, label: label.to_owned() })),
            AuthEntry::Helper { name, server } => {
                let found = helper::ask(&name, &server, &self.environment, time)?;
                let label = format!("docker-credential-{name}");
                Ok(found.map(|secret| RegistryCredential { secret, label }))
            }
        }
    }

    /// The job's token, for GitHub's own registry in a job of github.com. Gitea and Forgejo set variables of the same
    /// names, for their own server.
    fn job_token(&self, repository: &ImageRepository) -> Option<RegistryCredential> {
        let is_set = |name: &str| self.environment.get(name).is_some();
        let server = Url::parse(self.environment.get("GITHUB_SERVER_URL")?).ok()?;
        let is_github = server.origin().ascii_serialization() == "https://github.com";
        if repository.host() != GITHUBS_REGISTRY
            || !is_github
            || is_set("GITEA_ACTIONS")
            || is_set("FORGEJO_ACTIONS")
        {
            return None;
        }
        let password = self.environment.get("GITHUB_TOKEN")?.trim().to_owned();
        let secret = RegistrySecret::Password { user: TOKEN_USER.to_owned(), password };
        Some(RegistryCredential { secret, label: "GITHUB_TOKEN".to_owned() })
    }
}

fn read_file(name: &str, path: &std::path::Path) -> Result<Option<(String, AuthFile)>, AuthFileError> {
    let unreadable = |reason: String| AuthFileError::Unreadable { source_name: name.to_owned(), reason };
    let length = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => found.len(),
        Ok(_) => return Err(unreadable("it is not a file".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    if length > MAX_FILE {
        return Err(unreadable(format!("it has more than {} MB", MAX_FILE / 1024 / 1024)));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(Some((name.to_owned(), AuthFile::parse(&text, name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], image: &str) -> Option<String> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let credentials = RegistryCredentials::read(&Environment::new(owned)).unwrap();
        let found = credentials.find(&ImageRepository::of_image(image).unwrap(), Duration::ZERO).unwrap();
        found.map(|credential| credential.label)
    }

    #[test]
    fn job_token_goes_to_githubs_registry_only() {
        let job = [("GITHUB_SERVER_URL", "https://github.com"), ("GITHUB_TOKEN", "ghs_1")];
        assert_eq!(find(&job, "ghcr.io/acme/api").as_deref(), Some("GITHUB_TOKEN"));
        for image in ["docker.io/acme/api", "ghcr.io.evil.example/acme/api", "ghcr.io:8443/acme/api"] {
            assert_eq!(find(&job, image), None, "{image}");
        }
    }

    #[test]
    fn job_token_of_another_server_stays_there() {
        let image = "ghcr.io/acme/api";
        for server in [
            "https://gitea.example",
            "http://github.com",
            "https://github.com.evil.example",
            "https://github.com:8443",
        ] {
            assert_eq!(
                find(&[("GITHUB_SERVER_URL", server), ("GITHUB_TOKEN", "t")], image),
                None,
                "{server}"
            );
        }
        assert_eq!(find(&[("GITHUB_TOKEN", "t")], image), None, "a laptop's token is for git");
        for other in ["GITEA_ACTIONS", "FORGEJO_ACTIONS"] {
            let job = [("GITHUB_SERVER_URL", "https://github.com"), ("GITHUB_TOKEN", "t"), (other, "true")];
            assert_eq!(find(&job, image), None, "{other}");
        }
    }

    #[test]
    fn files_come_in_order_and_before_the_job_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let auths = |host: &str| format!(r#"{{"auths": {{"{host}": {{"auth": "YTox"}}}}}}"#);
        std::fs::write(path("podman.json"), auths("a.io")).unwrap();
        std::fs::write(path("config.json"), auths("ghcr.io")).unwrap();
        let (podman, docker, text) =
            (path("podman.json"), folder.path().display().to_string(), auths("b.io"));
        let variables = [
            ("REGISTRY_AUTH_FILE", &*podman),
            ("DOCKER_AUTH_CONFIG", &*text),
            ("DOCKER_CONFIG", &*docker),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_TOKEN", "ghs_1"),
        ];
        assert_eq!(find(&variables, "a.io/x").as_deref(), Some("$REGISTRY_AUTH_FILE"));
        assert_eq!(find(&variables, "b.io/x").as_deref(), Some("$DOCKER_AUTH_CONFIG"));
        assert_eq!(find(&variables, "ghcr.io/x/y"), Some(path("config.json")));
        assert_eq!(find(&variables, "c.io/x"), None);
    }

    #[test]
    fn file_that_does_not_exist_counts_for_nothing() {
        assert_eq!(find(&[("REGISTRY_AUTH_FILE", "/nowhere/auth.json")], "ghcr.io/x/y"), None);
    }
}
