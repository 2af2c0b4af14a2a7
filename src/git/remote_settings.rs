//! The URLs of remotes and git's settings about them and about pushes: those that count, those that tagbump can't
//! respect, and the protocols that git forbids.
//!
//! Source: `git help config` (`protocol.allow`, `push.gpgSign`, `remote.<name>.*`), git's `transport.c`
//! (`get_protocol_config`).

use std::path::Path;

use git2::{Config, Remote};

use super::checkout::Checkout;
use super::config;
use super::error::{CheckoutError, GitError, GitSettingError, RemoteUrlError, UrlProblem};
use super::remote_url::RemoteUrl;
use super::url_text::without_user;
use crate::environment::Environment;

/// The longest push option: one must fit into a packet of git's protocol.
const MAX_PUSH_OPTION: usize = 65_000;

impl Checkout {
    /// The URLs that a remote fetches from and pushes to, with `insteadOf` applied. `name` is a remote's name, a URL
    /// or a path.
    ///
    /// # Errors
    /// Fails if there is no such remote, or if its URL is not allowed, or if its settings can't be respected.
    pub fn remote(&self, name: &str) -> Result<(RemoteUrl, RemoteUrl), GitError> {
        let (fetch, push) = self.remote_urls(name)?;
        self.check_remote(name, [&fetch, &push])?;
        Ok((fetch, push))
    }

    /// The URL of the repository that a remote is, without the way of access; `None` if that isn't known.
    pub fn repository_url(&self, name: &str) -> Option<String> {
        let (fetch, _) = self.remote(name).ok()?;
        fetch.page().or_else(|| Some(format!("https://{}/{}", fetch.host()?, fetch.repository()?)))
    }

    fn remote_urls(&self, name: &str) -> Result<(RemoteUrl, RemoteUrl), GitError> {
        if let Some(url) = self.stand_in_url() {
            return self.typed_urls(url, &self.folder_of_programs()?);
        }
        if name.starts_with('-') {
            return Err(CheckoutError::DashedRemote { name: without_user(name) }.into());
        }
        match self.repo.find_remote(name) {
            Ok(remote) => {
                self.check_one_push_url(name)?;
                if remote.url().unwrap_or_default().is_empty() {
                    return Err(CheckoutError::RemoteWithoutUrl { name: name.to_owned() }.into());
                }
                urls_of(&remote, &self.workdir)
            }
            Err(_) if name.contains(['/', ':']) => self.typed_urls(name, &self.workdir),
            Err(_) => {
                let remotes = self.repo.remotes().ok();
                let other = remotes.as_ref().and_then(|remotes| remotes.iter().find_map(|name| name.ok()?));
                let other = other.map(str::to_owned);
                Err(CheckoutError::UnknownRemote { name: name.to_owned(), other }.into())
            }
        }
    }

    /// The URLs to fetch from and push to that git makes of one that was typed.
    fn typed_urls(&self, url: &str, base: &Path) -> Result<(RemoteUrl, RemoteUrl), GitError> {
        // libgit2's message may contain the URL
        let remote = self.repo.remote_anonymous(url).map_err(|_| RemoteUrlError {
            url: without_user(url),
            problem: UrlProblem::NotAUrl { meant: None },
        })?;
        urls_of(&remote, base)
    }

    /// git pushes to every push URL of a remote, but tagbump lands on one branch of one repository.
    fn check_one_push_url(&self, name: &str) -> Result<(), GitError> {
        let config = self.config()?;
        for key in ["pushurl", "url"] {
            let mut count = 0;
            if let Ok(values) = config.multivar(&format!("remote.{name}.{key}"), None) {
                // ignore an error while counting: it isn't a second URL
                let _ = values.for_each(|_| count += 1);
            }
            if count > 1 {
                return Err(CheckoutError::SeveralPushUrls { name: name.to_owned(), count }.into());
            }
        }
        Ok(())
    }

    /// The values of `push.pushOption`.
    ///
    /// # Errors
    /// Fails if one has no value or a line break in it, as in git, or is too long for a packet; and where git would sign
    /// the push.
    pub(crate) fn push_options(&self) -> Result<Vec<String>, GitError> {
        self.check_push_signing()?;
        let fits = |option: &String| !option.contains('\n') && option.len() <= MAX_PUSH_OPTION;
        let options = config::list(&self.config()?, "push.pushoption");
        let options = options.filter(|options| options.iter().all(fits));
        options.ok_or_else(|| GitSettingError::PushOption { longest: MAX_PUSH_OPTION }.into())
    }

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

fn urls_of(remote: &Remote<'_>, base: &Path) -> Result<(RemoteUrl, RemoteUrl), GitError> {
    let parse = |url: &str| RemoteUrl::parse(url, base);
    let fetch = parse(remote.url().unwrap_or_default())?;
    let push = remote.pushurl().ok().flatten().map(parse).transpose()?;
    Ok((fetch.clone(), push.unwrap_or(fetch)))
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
