//! The HTTP settings from git's configuration and the environment, and the client that they result in.
//!
//! Follows `git help config` (`http.*`, `http.<url>.*`), and git's `http.c` for the precedence of variables.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::{Agent, Proxy, ProxyProtocol};
use url::Url;

use super::checked_resolver::CheckedResolver;
use super::client_certificate::{ClientCertificate, NamedFile};
use super::connector::{self, TlsConfigs};
use super::server_verifier::ServerVerifier;
use super::url_match::{MatchedUrl, Specificity};
use super::{CONNECT_TIMEOUT, HttpError, proxy};
use crate::environment::Environment;

/// For what a server sends, in bytes. All its headers must fit, of which ureq takes 64 KiB.
const INPUT_BUFFER: usize = 72 * 1024;
/// For what is sent, in bytes. Each connection clears its buffers before the first request, so larger ones cost time.
const OUTPUT_BUFFER: usize = 16 * 1024;

/// All HTTP settings. Which of them apply depends on the URL.
#[derive(Clone, Default)]
pub struct HttpSettings {
    environment: Environment,
    /// Git's `http.*` settings in their order, lower-case except for the URLs in them.
    entries: Vec<(String, String)>,
    /// The user in the remote's URL, which is not in the URLs that requests are sent to.
    user: Option<String>,
}

impl HttpSettings {
    /// `entries` is the section `http` of git's configuration, with the names that libgit2 uses.
    pub fn new(environment: &Environment, entries: Vec<(String, String)>) -> Self {
        HttpSettings { environment: environment.clone(), entries, user: None }
    }

    /// The settings for a remote whose URL names this user.
    #[must_use]
    pub fn with_user(self, user: Option<&str>) -> Self {
        HttpSettings { user: user.map(str::to_owned), ..self }
    }

    /// The values of `http.KEY` and `http.<url>.KEY` that git would use for a URL, in its order: each that is at
    /// least as specific as those before it. Where only one value can count, it is the last. `key` is lower-case.
    ///
    /// Source: git's `urlmatch.c` (`urlmatch_config_entry`).
    pub fn values(&self, key: &str, url: &Url) -> Vec<&str> {
        let Some(url) = MatchedUrl::of_request(url, self.user.as_deref()) else { return Vec::new() };
        let mut best = Specificity::default();
        let mut values = Vec::new();
        for (name, value) in &self.entries {
            let found = match pattern(name, key) {
                Some("") => Some(Specificity::default()),
                Some(pattern) => url.specificity(pattern),
                None => None,
            };
            if let Some(found) = found.filter(|found| *found >= best) {
                best = found;
                values.push(value.as_str());
            }
        }
        values
    }

    /// The value of an environment variable.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name)
    }

    /// The value that applies, which may be empty.
    fn value(&self, key: &str, url: &Url) -> Option<&str> {
        self.values(key, url).pop()
    }

    /// Whether the first request to a URL may be redirected (`http.followRedirects`).
    pub fn follows_redirects(&self, url: &Url) -> bool {
        !self.value("followredirects", url).is_some_and(is_off)
    }

    /// A client for the server of a URL: with its proxy and its client certificate, and trusting whom git would trust
    /// there.
    ///
    /// # Errors
    /// For a proxy that is not a URL, a file without certificates, a client certificate that can't be used, and where
    /// git is to skip the check of certificates; and where the machine has no root certificates.
    pub fn agent(&self, url: &Url) -> Result<Agent, HttpError> {
        self.agent_with(url, DefaultResolver::default())
    }

    /// As [`HttpSettings::agent`], for a server whose name must lead to an address that is allowed.
    ///
    /// # Errors
    /// As [`HttpSettings::agent`].
    pub fn agent_for_public_server(
        &self,
        url: &Url,
        is_allowed: fn(IpAddr) -> bool,
    ) -> Result<Agent, HttpError> {
        self.agent_with(url, CheckedResolver::new(url.host_str().unwrap_or_default(), is_allowed))
    }

    /// As [`HttpSettings::agent`], for a server that gets no client certificate.
    ///
    /// # Errors
    /// As [`HttpSettings::agent`].
    pub fn agent_without_certificate(&self, url: &Url) -> Result<Agent, HttpError> {
        self.agent_showing(url, DefaultResolver::default(), None)
    }

    fn agent_with(&self, url: &Url, resolver: impl Resolver) -> Result<Agent, HttpError> {
        let client = if url.scheme() == "https" { self.client_certificate(url)? } else { None };
        self.agent_showing(url, resolver, client)
    }

    fn agent_showing(
        &self,
        url: &Url,
        resolver: impl Resolver,
        client: Option<ClientCertificate>,
    ) -> Result<Agent, HttpError> {
        self.refuse_unsupported(url)?;
        let proxy = proxy::of(self.value("proxy", url), &self.environment, url)?;
        let proxy_has_tls = proxy.as_ref().is_some_and(|proxy| proxy.protocol() == ProxyProtocol::Https);
        let needs_tls = url.scheme() == "https" || proxy_has_tls;
        let tls = if needs_tls { Some(self.tls(url, client)?) } else { None };
        Ok(connector::agent(config(proxy), config(None), url, tls, resolver))
    }

    fn tls(&self, url: &Url, client: Option<ClientCertificate>) -> Result<TlsConfigs, HttpError> {
        self.check_verifies(url)?;
        let verifier = Arc::new(self.verifier(url)?);
        let builder = || connector::tls_builder(Arc::clone(&verifier));
        let proxy = Arc::new(builder()?.with_no_client_auth());
        let server = match client {
            Some(client) => Arc::new(client.authenticate(builder()?)?),
            None => Arc::clone(&proxy),
        };
        Ok(TlsConfigs { server, proxy })
    }

    /// The certificate to show to the server. A key alone counts for nothing, as in git.
    fn client_certificate(&self, url: &Url) -> Result<Option<ClientCertificate>, HttpError> {
        let file = |variable, key, name| {
            self.named(variable, key, name, url).map(|(setting, path)| NamedFile { setting, path })
        };
        let Some(certificate) = file("GIT_SSL_CERT", "sslcert", "http.sslCert") else { return Ok(None) };
        self.check_is_pem("GIT_SSL_CERT_TYPE", "sslcerttype", "http.sslCertType", url)?;
        self.check_is_pem("GIT_SSL_KEY_TYPE", "sslkeytype", "http.sslKeyType", url)?;
        let key = file("GIT_SSL_KEY", "sslkey", "http.sslKey");
        ClientCertificate::read(certificate, key).map(Some)
    }

    fn check_is_pem(
        &self,
        variable: &'static str,
        key: &str,
        name: &'static str,
        url: &Url,
    ) -> Result<(), HttpError> {
        match self.setting(variable, key, name, url) {
            Some((setting, format)) if !format.eq_ignore_ascii_case("PEM") => {
                Err(HttpError::ClientFileFormat { setting, format: format.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn verifier(&self, url: &Url) -> Result<ServerVerifier, HttpError> {
        let trusted = match self.named_roots(url)? {
            Some(certificates) => certificates,
            None => self.system_roots()?,
        };
        ServerVerifier::new(trusted, &connector::provider())
            .map_err(|error| HttpError::UnusableCertificates { reason: error.to_string() })
    }

    /// Refuses to skip the verification of certificates: tagbump never opens a connection that others can
    /// intercept.
    fn check_verifies(&self, url: &Url) -> Result<(), HttpError> {
        let setting = if self.environment.get("GIT_SSL_NO_VERIFY").is_some_and(|text| !is_off(text)) {
            "GIT_SSL_NO_VERIFY"
        } else if self.value("sslverify", url).is_some_and(is_off) {
            "http.sslVerify"
        } else {
            return Ok(());
        };
        Err(HttpError::ChecksOff { setting })
    }

    /// The root certificates that git's settings name, if any. They replace the system's.
    fn named_roots(&self, url: &Url) -> Result<Option<Vec<CertificateDer<'static>>>, HttpError> {
        let file = self.named("GIT_SSL_CAINFO", "sslcainfo", "http.sslCAInfo", url);
        let folder = self.named("GIT_SSL_CAPATH", "sslcapath", "http.sslCAPath", url);
        let Some((setting, shown)) = file.as_ref().or(folder.as_ref()) else { return Ok(None) };
        let path = |named: &Option<(&str, PathBuf)>| named.as_ref().map(|(_, path)| path.clone());
        let found = load_certs_from_paths(path(&file).as_deref(), path(&folder).as_deref());
        let error = |reason| HttpError::NoCertificates { path: shown.display().to_string(), setting, reason };
        certificates(found).map(Some).map_err(error)
    }

    /// The system's root certificates, or those that OpenSSL's variables name.
    fn system_roots(&self) -> Result<Vec<CertificateDer<'static>>, HttpError> {
        let variable = |name: &str| self.environment.get(name).map(Path::new);
        let (file, folder) = (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR"));
        let found = if file.is_none() && folder.is_none() {
            load_native_certs()
        } else {
            load_certs_from_paths(file, folder)
        };
        certificates(found).map_err(|reason| HttpError::NoSystemCertificates { reason })
    }

    /// The value of a variable, or else of a setting, unless that is empty; and which of them it is.
    fn setting(
        &self,
        variable: &'static str,
        key: &str,
        name: &'static str,
        url: &Url,
    ) -> Option<(&'static str, &str)> {
        let set = self.environment.get(variable).map(|value| (variable, value));
        set.or_else(|| self.value(key, url).map(|value| (name, value))).filter(|(_, value)| !value.is_empty())
    }

    /// The path that a variable or a setting names.
    fn named(
        &self,
        variable: &'static str,
        key: &str,
        name: &'static str,
        url: &Url,
    ) -> Option<(&'static str, PathBuf)> {
        self.setting(variable, key, name, url).map(|(name, path)| (name, self.environment.expand_home(path)))
    }
}

fn config(proxy: Option<Proxy>) -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .proxy(proxy)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .build()
}

/// Git's spellings of false.
fn is_off(text: &str) -> bool {
    ["false", "no", "off", "0", ""].contains(&text.to_ascii_lowercase().as_str())
}

/// The certificates that were found, or if there are none, the reason.
fn certificates(found: CertificateResult) -> Result<Vec<CertificateDer<'static>>, Option<String>> {
    match found.errors.first() {
        _ if !found.certs.is_empty() => Ok(found.certs),
        error => Err(error.map(ToString::to_string)),
    }
}

/// The `<url>` of an `http.<url>.KEY`, empty for `http.KEY`; `None` if it is another key.
fn pattern<'a>(name: &'a str, key: &str) -> Option<&'a str> {
    let inner = name.strip_prefix("http.")?.strip_suffix(key)?;
    if inner.is_empty() { Some("") } else { inner.strip_suffix('.').filter(|pattern| !pattern.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_value_counts_then_the_last() {
        let entry = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let entries = [
            ("http.proxy", "a"),
            ("http.https://h/.proxy", "b"),
            ("http.https://h/.proxy", ""),
            ("http.proxy", "c"),
        ];
        let settings = HttpSettings::new(&Environment::default(), entries.iter().map(entry).collect());
        let value = |url: &str| settings.value("proxy", &Url::parse(url).unwrap());
        assert_eq!(value("https://h/x"), Some(""));
        assert_eq!(value("http://h/x"), Some("c"));
        assert_eq!(settings.value("sslcainfo", &Url::parse("https://h/").unwrap()), None);
        assert_eq!(pattern("http.xproxy", "proxy"), None);
        let url = Url::parse("https://h/x").unwrap();
        assert_eq!(settings.values("proxy", &url), ["a", "b", ""], "git collects a list while it reads");
    }
}
