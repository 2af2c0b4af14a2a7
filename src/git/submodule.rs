//! Finds out whether a checkout is a submodule, and whether `TAGBUMP_TOKEN` may go to its remotes.
//!
//! git takes the URL of a submodule's remote from `.gitmodules`, which is repository content: anyone who can push to
//! the superproject, or open a pull request that a job checks out, decides where it leads. The superproject's own URL
//! is the user's choice. So the token goes to a submodule's remote only if that is on the superproject's host. For
//! nested submodules, the outermost superproject counts. A user who types the URL (`--remote URL`) has chosen the
//! host.
//!
//! All other credentials are bound to a host anyway: GitHub's token, configured headers, and helpers' answers.

use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryOpenFlags};
use url::Url;

use super::RemoteUrl;
use super::checkout::Checkout;

/// The mode of a submodule in an index (`S_IFGITLINK`).
pub(super) const GITLINK: u32 = 0o160_000;

/// How deep submodules may be nested. A deeper one counts as having an unknown superproject.
const MAX_DEPTH: usize = 16;

/// Who chose a remote's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlOrigin {
    /// The user, by typing the URL, or by cloning it.
    User,
    /// `.gitmodules`.
    Gitmodules {
        /// The remote of the same name in the outermost superproject, if there is one.
        superproject: Option<RemoteUrl>,
    },
}

impl UrlOrigin {
    /// Why `TAGBUMP_TOKEN` must not be sent to a remote, and what to do; `None` if it may be sent.
    pub fn objection(&self, url: &RemoteUrl) -> Option<String> {
        let (UrlOrigin::Gitmodules { superproject }, RemoteUrl::Http { url, .. }) = (self, url) else {
            return None;
        };
        if superproject.as_ref().is_some_and(|superproject| is_same_host(superproject, url)) {
            return None;
        }
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        let compared = match superproject {
            Some(superproject) => format!("is not the host of the superproject's remote ({superproject})"),
            None => "can't be compared with the superproject's, which has no remote of that name".to_owned(),
        };
        Some(format!(
            "TAGBUMP_TOKEN was not sent to {host}: the URL of this submodule comes from .gitmodules, and its host \
             {compared}; if the URL is right, name it with --remote {url}"
        ))
    }
}

/// Whether a submodule's remote has the same scheme, host and port as its superproject's. If the superproject's is an
/// ssh URL, https on the default port of the same host counts.
fn is_same_host(superproject: &RemoteUrl, url: &Url) -> bool {
    match superproject {
        RemoteUrl::Http { url: superproject, .. } => superproject.origin() == url.origin(),
        RemoteUrl::Ssh(superproject) => {
            let host = url.host_str().unwrap_or_default();
            url.scheme() == "https" && url.port().is_none() && superproject.host().eq_ignore_ascii_case(host)
        }
        RemoteUrl::Path(_) => false,
    }
}

impl Checkout {
    /// Who chose the URL of a remote, given by name or URL.
    pub fn url_origin(&self, remote: &str) -> UrlOrigin {
        if self.is_stand_in() || !self.has_remote(remote) {
            return UrlOrigin::User;
        }
        match outermost(&self.repo, &self.workdir) {
            OutermostRepository::Itself => UrlOrigin::User,
            OutermostRepository::Superproject(superproject) => {
                UrlOrigin::Gitmodules { superproject: remote_url(&superproject, remote) }
            }
            OutermostRepository::Unknown => UrlOrigin::Gitmodules { superproject: None },
        }
    }
}

fn remote_url(repo: &Repository, name: &str) -> Option<RemoteUrl> {
    let remote = repo.find_remote(name).ok()?;
    RemoteUrl::parse(remote.url().ok()?, repo.workdir().unwrap_or(repo.path())).ok()
}

enum OutermostRepository {
    /// The repository is not a submodule.
    Itself,
    Superproject(Repository),
    /// The repository is a submodule, but its outermost superproject can't be determined.
    Unknown,
}

fn outermost(repo: &Repository, workdir: &Path) -> OutermostRepository {
    let mut found = None;
    let mut next = superproject(repo, workdir);
    for _ in 0..MAX_DEPTH {
        let Some(git_dir) = next else {
            return found.map_or(OutermostRepository::Itself, OutermostRepository::Superproject);
        };
        let none: [&Path; 0] = [];
        let Ok(opened) = Repository::open_ext(git_dir, RepositoryOpenFlags::NO_SEARCH, none) else { break };
        next = opened.workdir().and_then(|workdir| superproject(&opened, workdir));
        found = Some(opened);
    }
    OutermostRepository::Unknown
}

/// The superproject: the repository that holds this one's git directory, or lists it in its index.
fn superproject(repo: &Repository, workdir: &Path) -> Option<PathBuf> {
    holder(repo.commondir()).or_else(|| lister(workdir))
}

/// The repository whose `modules` folder holds this git directory. It stays there even if a later commit of the
/// superproject no longer has the submodule. A submodule's name may contain slashes.
fn holder(git_dir: &Path) -> Option<PathBuf> {
    let git_dir = dunce::canonicalize(git_dir).ok()?;
    let modules = git_dir.ancestors().skip(1).filter(|folder| folder.ends_with("modules"));
    let mut holders = modules.filter_map(Path::parent).filter(|holder| holder.join("HEAD").is_file());
    holders.next().map(Path::to_owned)
}

/// The repository whose work tree contains this one and lists it as a submodule. A submodule that wasn't cloned by
/// `git submodule` has its own `.git` folder.
fn lister(workdir: &Path) -> Option<PathBuf> {
    let outer = workdir.ancestors().skip(1).find(|folder| folder.join(".git").exists())?;
    let none: [&Path; 0] = [];
    let repo = Repository::open_ext(outer.join(".git"), RepositoryOpenFlags::NO_SEARCH, none).ok()?;
    let path = workdir.strip_prefix(outer).ok()?;
    let entry = repo.index().ok()?.get_path(path, 0)?;
    (entry.mode == GITLINK).then(|| repo.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(text: &str) -> RemoteUrl {
        RemoteUrl::parse(text, Path::new("/srv/w")).unwrap()
    }

    fn objection(superproject: Option<&str>, url: &str) -> Option<String> {
        UrlOrigin::Gitmodules { superproject: superproject.map(remote) }.objection(&remote(url))
    }

    #[test]
    fn token_goes_to_the_superprojects_host_alone() {
        for (superproject, url) in [
            ("https://github.com/acme/super", "https://github.com/acme/gitops.git"),
            ("https://u:p@github.com/acme/super", "https://GitHub.com:443/acme/gitops"),
            ("https://git.example:8443/a/b", "https://git.example:8443/c/d"),
            ("git@github.com:acme/super.git", "https://github.com/acme/gitops"),
            ("ssh://git@GitHub.com:22/acme/super.git", "https://github.com/acme/gitops"),
            ("http://127.0.0.1:80/a/b", "http://127.0.0.1/c/d"),
        ] {
            assert_eq!(objection(Some(superproject), url), None, "{superproject} {url}");
        }
        for (superproject, url) in [
            ("https://github.com/acme/super", "https://evil.example/acme/gitops"),
            ("https://github.com/acme/super", "https://github.com.evil.example/acme/gitops"),
            ("https://github.com/acme/super", "https://github.com@evil.example/acme/gitops"),
            ("https://github.com/acme/super", "https://github.com:8443/acme/gitops"),
            ("https://github.com/acme/super", "http://github.com/acme/gitops"),
            ("https://github.com/acme/super", "https://api.github.com/acme/gitops"),
            ("git@github.com:acme/super.git", "http://github.com/acme/gitops"),
            ("git@github.com:acme/super.git", "https://github.com:8443/acme/gitops"),
            ("git@work:acme/super.git", "https://github.com/acme/gitops"),
            ("/srv/super", "https://github.com/acme/gitops"),
        ] {
            let text = objection(Some(superproject), url).unwrap_or_else(|| panic!("{superproject} {url}"));
            assert!(text.contains("TAGBUMP_TOKEN was not sent to "), "{text}");
        }
        assert!(objection(None, "https://github.com/acme/gitops").is_some());
    }

    #[test]
    fn objection_names_the_host_and_what_to_do_without_a_password() {
        let text = objection(Some("https://u:p4ss@a.example/x"), "https://v:s3cret@b.example:7/y").unwrap();
        for word in ["b.example:7", "https://a.example/x", ".gitmodules", "--remote https://b.example:7/y"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains("p4ss") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn remotes_that_take_no_token_need_no_objection() {
        for url in ["git@evil.example:a/b", "/srv/x"] {
            assert_eq!(objection(None, url), None, "{url}");
        }
        assert_eq!(UrlOrigin::User.objection(&remote("https://evil.example/a/b")), None);
    }
}
