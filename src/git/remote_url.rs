//! Remote URLs: which are allowed, and where they lead.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::ssh_url::{self, SshUrl};
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
        let text = url.as_str().trim_end_matches('/');
        Some(text.strip_suffix(".git").unwrap_or(text).to_owned())
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
    let mut url = Url::parse(text).map_err(|e| fault(e.to_string()))?;
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
    Ok(RemoteUrl::Path(base.join(path)))
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The text with user and password left out, also where it is no URL at all.
pub fn without_user(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(s, r)| (s, r));
    // a password can hold a slash: whatever stands before the last @ is taken for one
    let shown = rest.rsplit('@').next().unwrap_or(rest);
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    let shown = format!("{scheme}{shown}");
    shown.chars().filter(|c| !c.is_control()).collect()
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteUrl::Http { url, .. } => write!(f, "{url}"),
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
        for text in ["ftp://u:secret@h/x", "https://u:secret/more@h:1/x"] {
            let message = parse(text).unwrap_err().message;
            assert!(!message.contains("cret") && !message.contains("more"), "{message}");
        }
    }
}
