//! Settings of git about remotes and pushes that tagbump can't respect, and the protocols that git forbids.
//!
//! Source: `git help config` (`protocol.allow`, `push.gpgSign`, `remote.<name>.*`), git's `transport.c`
//! (`get_protocol_config`).

use git2::Config;

use super::checkout::Checkout;
use super::config;
use super::error::{CheckoutError, GitError};
use super::remote_url::RemoteUrl;
use crate::environment::Environment;

impl Checkout {
    /// Checks the settings of a remote, given by name or URL, and of the protocols to its two URLs.
    ///
    /// # Errors
    /// Fails if git would not talk to one of the URLs, or would do it in a way that tagbump can't.
    pub(super) fn check_remote(&self, name: &str, urls: [&RemoteUrl; 2]) -> Result<(), GitError> {
        let config = self.config()?;
        for url in urls {
            check_protocol(protocol(url), &config, self.environment())?;
        }
        let is_http = urls.iter().all(|url| matches!(url, RemoteUrl::Http { .. }));
        let keys: &[&str] = if is_http { &["vcs", "proxy"] } else { &["vcs", "uploadpack", "receivepack"] };
        let settings = keys.iter().map(|key| format!("remote.{name}.{key}"));
        match settings.into_iter().find(|setting| config::text(&config, setting).is_some()) {
            Some(setting) => Err(CheckoutError::UnsupportedSetting { setting }.into()),
            None => Ok(()),
        }
    }

    /// Refuses to push where git would sign the push.
    ///
    /// # Errors
    /// Fails if `push.gpgSign` is true.
    pub(super) fn check_push_signing(&self) -> Result<(), GitError> {
        match self.config()?.get_bool("push.gpgsign") {
            Ok(true) => Err(CheckoutError::UnsupportedSetting { setting: "push.gpgSign".to_owned() }.into()),
            // unset, or if-asked
            _ => Ok(()),
        }
    }

    /// Warnings about settings that have no effect on a landing.
    pub fn ignored_settings(&self) -> Vec<String> {
        let Ok(config) = self.config() else { return Vec::new() };
        let is_true = |key: &str| config.get_bool(key).unwrap_or(false);
        let mut ignored = Vec::new();
        if config::text(&config, "push.gpgsign").is_some_and(|value| value.eq_ignore_ascii_case("if-asked")) {
            ignored.push("push.gpgSign");
        }
        ignored.extend(["fetch.fsckObjects", "transfer.fsckObjects"].into_iter().filter(|key| is_true(key)));
        let warning =
            |setting| format!("{setting} in git's configuration has no effect: tagbump can't do that");
        ignored.into_iter().map(warning).collect()
    }
}

/// git's name of the protocol.
fn protocol(url: &RemoteUrl) -> &str {
    match url {
        RemoteUrl::Http { url, .. } => url.scheme(),
        RemoteUrl::Ssh(_) => "ssh",
        RemoteUrl::Path(_) => "file",
    }
}

fn check_protocol(protocol: &str, config: &Config, environment: &Environment) -> Result<(), CheckoutError> {
    let forbidden = |setting: &str| {
        Err(CheckoutError::ForbiddenProtocol { protocol: protocol.to_owned(), setting: setting.to_owned() })
    };
    if let Some(allowed) = environment.get("GIT_ALLOW_PROTOCOL") {
        return if allowed.split(':').any(|name| name == protocol) {
            Ok(())
        } else {
            forbidden("GIT_ALLOW_PROTOCOL")
        };
    }
    let own = format!("protocol.{protocol}.allow");
    let set =
        [own.as_str(), "protocol.allow"].into_iter().find_map(|key| Some((key, config::text(config, key)?)));
    match set {
        Some((setting, value)) if value.eq_ignore_ascii_case("never") => forbidden(setting),
        Some((setting, value)) if value.eq_ignore_ascii_case("user") => {
            let is_user = environment.get("GIT_PROTOCOL_FROM_USER").is_none_or(super::env_config::is_true);
            if is_user { Ok(()) } else { forbidden(setting) }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(settings: &[(&str, &str)], variables: &[(&str, &str)], protocol: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::open(&folder.path().join("config")).unwrap();
        settings.iter().for_each(|(key, value)| config.set_str(key, value).unwrap());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        check_protocol(protocol, &config, &Environment::new(variables)).is_ok()
    }

    #[test]
    fn protocols_are_allowed_as_in_git() {
        assert!(allowed(&[], &[], "file"));
        assert!(!allowed(&[("protocol.allow", "never")], &[], "https"));
        assert!(allowed(&[("protocol.allow", "never"), ("protocol.https.allow", "always")], &[], "https"));
        assert!(!allowed(&[("protocol.http.allow", "Never")], &[], "http"));
        assert!(allowed(&[("protocol.http.allow", "never")], &[], "https"));
        assert!(allowed(&[("protocol.ssh.allow", "user")], &[], "ssh"));
        assert!(!allowed(&[("protocol.ssh.allow", "user")], &[("GIT_PROTOCOL_FROM_USER", "0")], "ssh"));
        assert!(!allowed(&[], &[("GIT_ALLOW_PROTOCOL", "https:ssh")], "http"));
        assert!(allowed(&[("protocol.ssh.allow", "never")], &[("GIT_ALLOW_PROTOCOL", "https:ssh")], "ssh"));
    }
}
