//! The `http.*` settings that tagbump can't do as git does. None is ignored without a word.
//!
//! A setting that narrows whom git trusts is an error: without it, the connection would be less safe than the user
//! asked for. One that only makes a connection possible is a warning: without it, the connection may fail.

use url::Url;

use super::{HttpError, HttpSettings};

/// Settings about the connection: key, name, and the variable that git prefers.
const REFUSED: [(&str, &str, &str); 4] = [
    ("pinnedpubkey", "http.pinnedPubkey", ""),
    ("curloptresolve", "http.curloptResolve", ""),
    ("sslcipherlist", "http.sslCipherList", "GIT_SSL_CIPHER_LIST"),
    ("proxysslcert", "http.proxySSLCert", "GIT_PROXY_SSL_CERT"),
];

/// Settings about authentication and proxies: key, name, the variable that git prefers, and the values that ask for nothing
/// unusual.
const IGNORED: [(&str, &str, &str, &[&str]); 5] = [
    ("cookiefile", "http.cookieFile", "", &[]),
    ("emptyauth", "http.emptyAuth", "", &["auto", "false"]),
    ("delegation", "http.delegation", "", &["none"]),
    ("proxyauthmethod", "http.proxyAuthMethod", "GIT_HTTP_PROXY_AUTHMETHOD", &["anyauth", "basic"]),
    ("proxysslcainfo", "http.proxySSLCAInfo", "GIT_PROXY_SSL_CAINFO", &[]),
];

/// The versions of TLS, where git takes a version for the oldest that is allowed. tagbump speaks 1.2 and 1.3.
const TLS_VERSIONS: [&str; 6] = ["default", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2", ""];

impl HttpSettings {
    /// Refuses settings without which a connection would be less safe than git's.
    ///
    /// # Errors
    /// Fails for such a setting.
    pub(super) fn refuse_unsupported(&self, url: &Url) -> Result<(), HttpError> {
        let is_set = |(key, _, variable): &&(&str, &str, &str)| self.chosen(key, variable, url).is_some();
        if let Some((_, setting, _)) = REFUSED.iter().find(is_set) {
            return Err(HttpError::Unsupported { setting });
        }
        let version = self.chosen("sslversion", "GIT_SSL_VERSION", url).unwrap_or_default();
        match url.scheme() == "https" && !TLS_VERSIONS.contains(&version) {
            true => Err(HttpError::Unsupported { setting: "http.sslVersion" }),
            false => Ok(()),
        }
    }

    /// Warnings about settings that have no effect here.
    pub fn ignored(&self, url: &Url) -> Vec<String> {
        let is_set = |(key, _, variable, usual): &&(&str, &str, &str, &[&str])| {
            self.chosen(key, variable, url)
                .is_some_and(|value| !usual.contains(&&*value.to_ascii_lowercase()))
        };
        let warning = |(_, setting, _, _): &(&str, &str, &str, &[&str])| {
            format!("{setting} in git's configuration has no effect: tagbump can't do that")
        };
        IGNORED.iter().filter(is_set).map(warning).collect()
    }

    /// The value of a variable, or else of a setting. An empty one asks for nothing.
    fn chosen(&self, key: &str, variable: &str, url: &Url) -> Option<&str> {
        let value = self.variable(variable).or_else(|| self.values(key, url).pop());
        value.filter(|value| !value.is_empty())
    }

    /// The name that git gives itself (`GIT_HTTP_USER_AGENT`, `http.userAgent`), if it is not the usual one.
    ///
    /// # Errors
    /// Fails if HTTP doesn't allow its characters.
    pub fn user_agent(&self, url: &Url) -> Result<Option<&str>, HttpError> {
        let name = self.chosen("useragent", "GIT_HTTP_USER_AGENT", url);
        match name.is_none_or(|name| name.bytes().all(|byte| (0x20..0x7f).contains(&byte))) {
            true => Ok(name),
            false => Err(HttpError::BadValue { setting: "http.userAgent" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn settings(key: &str, value: &str, variables: &[(&str, &str)]) -> (HttpSettings, Url) {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let entries = vec![(format!("http.https://h/.{key}"), value.to_owned())];
        (HttpSettings::new(&Environment::new(variables), entries), Url::parse("https://h/x").unwrap())
    }

    #[test]
    fn setting_that_narrows_trust_is_refused() {
        for (key, name) in [
            ("pinnedpubkey", "http.pinnedPubkey"),
            ("curloptresolve", "http.curloptResolve"),
            ("sslcipherlist", "http.sslCipherList"),
            ("proxysslcert", "http.proxySSLCert"),
            ("sslversion", "http.sslVersion"),
        ] {
            let (set, url) = settings(key, "tlsv1.3", &[]);
            assert_eq!(set.refuse_unsupported(&url), Err(HttpError::Unsupported { setting: name }), "{key}");
            assert_eq!(set.refuse_unsupported(&Url::parse("https://other/").unwrap()), Ok(()), "{key}");
            let (unset, url) = settings(key, "", &[]);
            assert_eq!(unset.refuse_unsupported(&url), Ok(()), "{key}");
        }
        let (set, url) = settings("sslversion", "tlsv1.3", &[("GIT_SSL_VERSION", "tlsv1.2")]);
        assert_eq!(set.refuse_unsupported(&url), Ok(()), "the variable counts, and we speak 1.2 and 1.3");
        let (set, url) = settings("x", "y", &[("GIT_SSL_CIPHER_LIST", "AES256")]);
        assert!(set.refuse_unsupported(&url).is_err());
    }

    #[test]
    fn setting_without_effect_is_named() {
        for (key, value, name) in [
            ("cookiefile", "~/.gitcookies", "http.cookieFile"),
            ("emptyauth", "true", "http.emptyAuth"),
            ("delegation", "always", "http.delegation"),
            ("proxyauthmethod", "ntlm", "http.proxyAuthMethod"),
            ("proxysslcainfo", "/proxy.pem", "http.proxySSLCAInfo"),
        ] {
            let (set, url) = settings(key, value, &[]);
            assert!(set.ignored(&url).iter().any(|warning| warning.contains(name)), "{key}");
            assert_eq!(set.ignored(&Url::parse("https://other/").unwrap()), Vec::<String>::new());
        }
        for (key, value) in [("emptyauth", "Auto"), ("delegation", "none"), ("proxyauthmethod", "basic")] {
            let (set, url) = settings(key, value, &[]);
            assert_eq!(set.ignored(&url), Vec::<String>::new(), "{key}");
        }
    }

    #[test]
    fn user_agent_is_the_variable_or_the_setting() {
        let (set, url) = settings("useragent", "a/1", &[]);
        assert_eq!(set.user_agent(&url), Ok(Some("a/1")));
        let (set, url) = settings("useragent", "a/1", &[("GIT_HTTP_USER_AGENT", "b/2")]);
        assert_eq!(set.user_agent(&url), Ok(Some("b/2")));
        let (set, url) = settings("useragent", "a\nb", &[]);
        assert!(set.user_agent(&url).is_err());
    }
}
