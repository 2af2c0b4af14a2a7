//! Remote URLs: which are allowed, and where they lead.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::ssh_url::{self, SshUrl};
use super::url_text::{misspelt_url, without_user};
use crate::error::{Failure, Result};

/// A remote that tagbump can talk to. Its text never shows user or password.
#[derive(Clone, PartialEq, Eq)]
pub enum RemoteUrl {
    Http {
        /// Without user and password.
        url: Url,
        user: Option<String>,
        password: Option<String>,
    },
    Ssh(SshUrl),
    /// A repository on this machine.
    Path(PathBuf),
}

impl RemoteUrl {
    /// Reads a remote's URL, as git does; relative paths are relative to `base`.
    ///
    /// # Errors
    /// Exit 2 for what is not http, https, ssh, file or a path, and for hosts and paths that start with a dash.
    pub fn parse(text: &str, base: &Path) -> Result<Self> {
        let shown = without_user(text);
        let refuse =
            |why: &str, hint: &str| Err(Failure::usage(format!("remote {shown}: {why}")).hinted(hint));
        let is_helper =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if text.split_once("::").is_some_and(|(name, _)| is_helper(name)) {
            return refuse("remote helpers (x::) are not run", "use an https URL");
        }
        if text.chars().any(char::is_control) {
            return refuse("has control characters in it", "mend the remote's URL");
        }
        if let Some(right) = misspelt_url(text) {
            return refuse("is not a URL", &format!("write it as {}", without_user(&right)));
        }
        match text.split_once("://") {
            Some(("http" | "https", _)) => http(text, &shown),
            Some(("file", path)) => local(path, &shown, base),
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => ssh(SshUrl::of_url(rest), &shown),
            Some(_) => refuse("its scheme is not supported", "use https, ssh, file or a path"),
            None if ssh_url::is_scp(text) => ssh(SshUrl::of_scp(text), &shown),
            None => local(text, &shown, base),
        }
    }

    /// `owner/name`: the last two parts of the path, without `.git`.
    pub fn slug(&self) -> Option<String> {
        let path = match self {
            RemoteUrl::Http { url, .. } => url.path().to_owned(),
            RemoteUrl::Ssh(url) => url.path.clone(),
            RemoteUrl::Path(path) => path.to_string_lossy().replace('\\', "/"),
        };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
        let name = parts.next()?;
        parts.next().map(|owner| format!("{owner}/{name}"))
    }

    /// The host that it leads to.
    pub fn host(&self) -> Option<&str> {
        match self {
            RemoteUrl::Http { url, .. } => url.host_str(),
            RemoteUrl::Ssh(url) => Some(url.host()),
            RemoteUrl::Path(_) => None,
        }
    }

    /// The repository's page, where the host shows it under the same path.
    pub fn page(&self) -> Option<String> {
        let RemoteUrl::Http { url, .. } = self else { return None };
        let text = shown_url(url);
        let text = text.trim_end_matches('/');
        // links to it are put into Markdown, where these would end them
        let encoded = |text: &str| text.replace('(', "%28").replace(')', "%29").replace('|', "%7C");
        Some(encoded(text.strip_suffix(".git").unwrap_or(text)))
    }
}

fn ssh(read: Result<SshUrl, &'static str>, shown: &str) -> Result<RemoteUrl> {
    read.map(RemoteUrl::Ssh).map_err(|why| {
        Failure::usage(format!("remote {shown}: {why}"))
            .hinted("write it as ssh://USER@HOST/PATH or USER@HOST:PATH; for a file, put ./ before it")
    })
}

fn http(text: &str, shown: &str) -> Result<RemoteUrl> {
    let fault =
        |why: String| Failure::usage(format!("remote {shown}: {why}")).hinted("mend the remote's URL");
    if text.contains('\\') {
        // to some it ends the host, to others it is a part of the user
        return Err(fault("has a backslash in it".to_owned()));
    }
    let mut url = Url::parse(text).map_err(|e| fault(e.to_string()))?;
    let authority = text.split('/').nth(2).unwrap_or_default();
    if authority.contains(':') && !authority.contains('@') && url.path().contains('@') {
        return Err(fault(
            "has an @ after the host: write it as %40, and a / in a password as %2F".to_owned(),
        ));
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.starts_with('-') {
        return Err(fault("has no host, or one that starts with a dash".to_owned()));
    }
    let decode = |text: &str| percent_decode(text);
    let user = Some(url.username()).filter(|u| !u.is_empty()).map(decode);
    let password = url.password().map(decode);
    // a URL with a host can always do without a user
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(RemoteUrl::Http { url, user, password })
}

fn local(path: &str, shown: &str, base: &Path) -> Result<RemoteUrl> {
    if path.is_empty() || path.starts_with('-') {
        return Err(Failure::usage(format!("remote {shown}: is no path, or starts with a dash"))
            .hinted("write ./ before it"));
    }
    let has_password = |part: &str| part.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    if !path.starts_with(['.', '/']) && path.split('/').any(has_password) {
        return Err(Failure::usage(format!("remote {shown}: has a password in it, but is not a URL"))
            .hinted("write it as https://HOST/PATH, with the password in TAGBUMP_TOKEN; for a path, put ./ before it"));
    }
    Ok(RemoteUrl::Path(base.join(path)))
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A URL without what may be secret in it.
pub fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    // a URL with a host can always do without a user
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteUrl::Http { url, .. } => f.write_str(&shown_url(url)),
            RemoteUrl::Ssh(url) => write!(f, "{url}"),
            RemoteUrl::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RemoteUrl> {
        RemoteUrl::parse(text, Path::new("/srv/w"))
    }

    #[test]
    fn what_is_allowed() {
        let remote = parse("https://u:p%40ss@example.com:8443/acme/gitops.git").unwrap();
        assert_eq!(remote.to_string(), "https://example.com:8443/acme/gitops.git");
        assert_eq!(remote.slug().unwrap(), "acme/gitops");
        let RemoteUrl::Http { user, password, .. } = &remote else { panic!("http") };
        assert_eq!((user.as_deref(), password.as_deref()), (Some("u"), Some("p@ss")));
        assert!(!format!("{remote:?}").contains("p@ss"));
        assert_eq!(parse("../x.git").unwrap(), RemoteUrl::Path("/srv/w/../x.git".into()));
        for ssh in ["git@github.com:acme/gitops.git", "git+ssh://git@github.com:22/acme/gitops.git/"] {
            let remote = parse(ssh).unwrap();
            assert_eq!((remote.slug().as_deref(), remote.page()), (Some("acme/gitops"), None), "{ssh}");
            assert!(!format!("{remote:?}").contains("git@"));
        }
        assert_eq!(parse("file:///srv/a/x.git").unwrap().slug().unwrap(), "a/x");
        assert_eq!(parse("/srv/x:y.git").unwrap(), RemoteUrl::Path("/srv/x:y.git".into()));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "ext::sh -c x",
            "ssh://-oProxyCommand=x/y",
            "git@-h:x",
            "git://h/x",
            "-x",
            "file://-x",
            "",
            "https://-h/x",
            "https://h/\nx",
        ] {
            assert_eq!(parse(text).unwrap_err().exit, crate::error::Exit::Usage, "{text}");
        }
        for text in [
            "ftp://u:secret@h/x",
            "https://u:secret/more@h:1/x",
            "https://u:80/secret@h/x",
            "https://u:443/secret@h/x",
            "https:/u:secret@h/x",
            "https:u:secret@h/x",
            "https//u:secret@h/x",
            "https:///u:secret@h/x",
            "HTTPS://u:secret@h/x",
            "https:\\\\u:secret@h",
            "https://u:secret\\@h/x",
            "ssh:/u:secret@h/x",
            "ssh://u:secret@h/x",
            "u:secret@h/x",
            "x/u:secret@h/x",
            "ext::https://u:secret@h/x",
        ] {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.exit, crate::error::Exit::Usage, "{text}");
            let said = format!("{failure:?}");
            assert!(!said.contains("secret") && !said.contains("more@"), "{said}");
        }
    }

    #[test]
    fn misspelt_url_is_refused_with_the_right_one() {
        let failure = parse("https:/u:secret@h/acme/x").unwrap_err();
        assert_eq!(failure.message, "remote https:/h/acme/x: is not a URL");
        assert_eq!(failure.hint, Some("write it as https://h/acme/x".into()));
        // a host that ssh knows by this name
        assert_eq!(parse("git:acme/x.git").unwrap().slug().as_deref(), Some("acme/x"));
    }

    #[test]
    fn page_can_be_put_into_markdown() {
        let page = parse("https://h/a)b|c/x.git").unwrap().page();
        assert_eq!(page.as_deref(), Some("https://h/a%29b%7Cc/x"));
    }

    #[test]
    fn query_is_not_shown() {
        let remote = parse("https://h/acme/x.git?token=secret").unwrap();
        assert_eq!(
            (remote.to_string(), remote.page()),
            ("https://h/acme/x.git".into(), Some("https://h/acme/x".into()))
        );
    }
}
