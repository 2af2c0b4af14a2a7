//! Parses remote URLs, and decides which are allowed.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::error::{RemoteUrlError, UrlProblem};
use super::ssh_url::{self, SshUrl};
use super::url_text::{misspelt_url, without_user};
use crate::tag::repository_at;

/// A remote that tagbump can talk to. Its text never shows the user or the password.
#[derive(Clone, PartialEq, Eq)]
pub enum RemoteUrl {
    Http {
        /// Without the user and the password.
        url: Url,
        user: Option<String>,
        password: Option<String>,
    },
    Ssh(SshUrl),
    /// A repository on this machine.
    Path(PathBuf),
}

impl RemoteUrl {
    /// Parses a remote's URL, as git does. Relative paths are relative to `base`.
    ///
    /// # Errors
    /// Fails for anything but http, https, ssh, file and paths, and if a host or path starts with a dash.
    pub fn parse(text: &str, base: &Path) -> Result<Self, RemoteUrlError> {
        let error = |problem| RemoteUrlError { url: without_user(text), problem };
        RemoteUrl::read(text, base, cfg!(windows)).map_err(error)
    }

    fn read(text: &str, base: &Path, windows: bool) -> Result<Self, UrlProblem> {
        let is_helper =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if text.split_once("::").is_some_and(|(name, _)| is_helper(name)) {
            return Err(UrlProblem::Helper);
        }
        if text.chars().any(char::is_control) {
            return Err(UrlProblem::ControlCharacter);
        }
        if let Some(right) = misspelt_url(text) {
            return Err(UrlProblem::NotAUrl { meant: Some(without_user(&right)) });
        }
        match text.split_once("://") {
            Some(("http" | "https", _)) => http(text),
            Some(("file", path)) => local(file_path(path, windows), base, windows),
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => ssh(SshUrl::of_url(rest)),
            Some(_) => Err(UrlProblem::Scheme),
            None if ssh_url::is_scp_on(text, windows) => ssh(SshUrl::of_scp(text)),
            None => local(text, base, windows),
        }
    }

    /// The repository's name on its host, as far as the URL tells: `OWNER/NAME`, or a longer path on GitLab. Of a path on this
    /// machine, these are the last two parts.
    pub fn repository(&self) -> Option<String> {
        match self {
            RemoteUrl::Http { url, .. } => repository_at(url.path()),
            RemoteUrl::Ssh(url) => repository_at(&url.path),
            RemoteUrl::Path(path) => repository_at(&path.to_string_lossy().replace('\\', "/")).map(last_two),
        }
    }

    /// `OWNER/NAME`: the last two parts of the repository's name, for hosts without nested groups.
    pub fn slug(&self) -> Option<String> {
        self.repository().map(last_two)
    }

    /// The host, unless the repository is on this machine.
    pub fn host(&self) -> Option<&str> {
        match self {
            RemoteUrl::Http { url, .. } => url.host_str(),
            RemoteUrl::Ssh(url) => Some(url.host()),
            RemoteUrl::Path(_) => None,
        }
    }

    /// The URL of the repository's web page, assuming that the host shows it under the same path.
    pub fn page(&self) -> Option<String> {
        let RemoteUrl::Http { url, .. } = self else { return None };
        let text = shown_url(url);
        let text = text.trim_end_matches('/');
        // the URL is used in Markdown links and tables, which these characters would end
        let encoded = |text: &str| text.replace('(', "%28").replace(')', "%29").replace('|', "%7C");
        Some(encoded(text.strip_suffix(".git").unwrap_or(text)))
    }
}

fn last_two(name: String) -> String {
    let start = name.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    name[start..].to_owned()
}

fn ssh(read: Result<SshUrl, &'static str>) -> Result<RemoteUrl, UrlProblem> {
    read.map(RemoteUrl::Ssh).map_err(UrlProblem::Ssh)
}

fn http(text: &str) -> Result<RemoteUrl, UrlProblem> {
    if text.contains('\\') {
        // some parsers end the host at a backslash, others take it for part of the user
        return Err(UrlProblem::Backslash);
    }
    let mut url = Url::parse(text).map_err(|e| UrlProblem::Syntax(e.to_string()))?;
    let authority = text.split('/').nth(2).unwrap_or_default();
    if authority.contains(':') && !authority.contains('@') && url.path().contains('@') {
        return Err(UrlProblem::AtSign);
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.starts_with('-') {
        return Err(UrlProblem::Host);
    }
    let decode = |text: &str| percent_decode(text);
    let user = Some(url.username()).filter(|u| !u.is_empty()).map(decode);
    let password = url.password().map(decode);
    // setting these fails only for a URL without a host
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(RemoteUrl::Http { url, user, password })
}

/// The path of a `file` URL. On Windows, the slash before a drive isn't part of it.
fn file_path(path: &str, windows: bool) -> &str {
    let on_drive = path.strip_prefix('/').filter(|rest| windows && ssh_url::after_drive(rest).is_some());
    on_drive.unwrap_or(path)
}

fn local(path: &str, base: &Path, windows: bool) -> Result<RemoteUrl, UrlProblem> {
    if path.is_empty() || path.starts_with('-') {
        return Err(UrlProblem::Path);
    }
    let is_on_drive = || ssh_url::after_drive(path).is_some_and(|rest| rest.starts_with(['/', '\\']));
    if windows && is_on_drive() {
        return Ok(RemoteUrl::Path(base.join(path)));
    }
    let has_password = |part: &str| part.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    if !path.starts_with(['.', '/']) && path.split('/').any(has_password) {
        return Err(UrlProblem::Password);
    }
    Ok(RemoteUrl::Path(base.join(path)))
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A URL without the parts that may contain secrets.
pub fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    // setting these fails only for a URL without a host
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

    fn parse(text: &str) -> Result<RemoteUrl, RemoteUrlError> {
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
    fn repository_is_named_with_all_its_groups() {
        for (url, name, slug) in [
            ("https://github.com/acme/gitops.git", "acme/gitops", "acme/gitops"),
            ("https://gitlab.com/acme/shop/gitops.git/", "acme/shop/gitops", "shop/gitops"),
            ("git@gitlab.com:acme/shop/eu/gitops.git", "acme/shop/eu/gitops", "eu/gitops"),
            ("ssh://git@gitlab.com:22/acme/shop/gitops", "acme/shop/gitops", "shop/gitops"),
            ("https://acme@dev.azure.com/acme/shop/_git/gitops", "acme/shop/gitops", "shop/gitops"),
            ("https://dev.azure.com/acme/_git/gitops", "acme/gitops", "acme/gitops"),
            ("/srv/git/acme/gitops.git", "acme/gitops", "acme/gitops"),
        ] {
            let remote = parse(url).unwrap();
            assert_eq!(remote.repository().as_deref(), Some(name), "{url}");
            assert_eq!(remote.slug().as_deref(), Some(slug), "{url}");
        }
        assert_eq!(parse("https://h/gitops").unwrap().repository(), None);
    }

    #[test]
    fn drives_are_paths_only_on_windows() {
        let on = |text: &str, windows: bool| RemoteUrl::read(text, Path::new("/srv/w"), windows);
        for text in [r"C:\srv\me@corp\x.git", "c:/srv/x.git"] {
            assert_eq!(on(text, true).unwrap(), RemoteUrl::Path(Path::new("/srv/w").join(text)), "{text}");
            assert!(!matches!(on(text, false), Ok(RemoteUrl::Path(_))), "{text}");
        }
        let path = RemoteUrl::Path(Path::new("/srv/w").join("C:/srv/x.git"));
        assert_eq!(on("file:///C:/srv/x.git", true).unwrap(), path);
        assert_eq!(on("file:///C:/srv/x.git", false).unwrap(), RemoteUrl::Path("/C:/srv/x.git".into()));
        assert_eq!(on("file:///srv/x.git", true).unwrap(), RemoteUrl::Path("/srv/x.git".into()));
        assert_eq!(on("u:secret@h/x", true), Err(UrlProblem::Password));
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
            assert!(parse(text).is_err(), "{text}");
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
            let error = parse(text).unwrap_err();
            let shown = format!("{error:?} {error}");
            assert!(!shown.contains("secret") && !shown.contains("more@"), "{shown}");
        }
    }

    #[test]
    fn misspelt_url_is_refused_with_the_right_one() {
        let error = parse("https:/u:secret@h/acme/x").unwrap_err();
        assert_eq!(error.to_string(), "remote https:/h/acme/x: is not a URL");
        assert_eq!(error.problem, UrlProblem::NotAUrl { meant: Some("https://h/acme/x".to_owned()) });
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
