//! Whether two URLs name the same repository.

/// Whether two URLs of git remotes lead to the same repository, whatever the protocol: `git@host:a/b.git`,
/// `ssh://git@host/a/b` and `https://host/a/b` do. (Argo CD, `git.NormalizeGitURL`.)
pub fn same_repository(one: &str, other: &str) -> bool {
    normalised(one) == normalised(other)
}

/// Whether two URLs end with the same name, as those of a repository and its mirror or fork do.
pub fn same_name(one: &str, other: &str) -> bool {
    let name = |url: &str| normalised(url).rsplit('/').next().unwrap_or_default().to_owned();
    !name(one).is_empty() && name(one) == name(other)
}

/// Whether two URLs surely lead to different repositories: those of one host with different names. A repository with the same
/// name may be a fork, and another host may have a mirror.
pub fn are_different(one: &str, other: &str) -> bool {
    let host = |url: &str| normalised(url).split('/').next().unwrap_or_default().to_owned();
    host(one) == host(other) && !same_name(one, other)
}

/// `host/path` in lower case, without user, port and `.git`.
fn normalised(url: &str) -> String {
    let url = url.trim();
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        // `user@host:path`; a path with a colon but without a slash before it is one too
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => (host, path),
            _ => ("", url),
        },
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(':').next().unwrap_or(host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    format!("{host}/{path}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_of_one_host_with_other_names_are_different() {
        let own = "https://github.com/acme/infra";
        assert!(are_different(own, "git@github.com:other/thing.git"));
        for maybe in
            ["https://github.com/me/infra", "http://127.0.0.1:3000/ci/copy.git", "git@work:acme/infra"]
        {
            assert!(!are_different(own, maybe), "{maybe}");
        }
    }

    #[test]
    fn urls_of_one_repository_are_the_same_whatever_the_protocol() {
        let https = "https://github.com/Acme/infra";
        for same in [
            "https://github.com/acme/infra.git",
            "https://token@github.com/acme/infra/",
            "ssh://git@github.com/acme/infra",
            "ssh://git@github.com:22/acme/infra.git",
            "git@github.com:acme/infra.git",
        ] {
            assert!(same_repository(https, same), "{same}");
        }
        for other in [
            "https://github.com/acme/infra2",
            "https://gitlab.com/acme/infra",
            "git@github.com:other/infra.git",
            "/srv/acme/infra",
            "",
        ] {
            assert!(!same_repository(https, other), "{other}");
        }
    }

    #[test]
    fn mirror_has_the_same_name() {
        assert!(same_name("https://github.com/acme/infra", "git@git.acme.example:mirror/infra.git"));
        assert!(!same_name("https://github.com/acme/infra", "https://github.com/acme/app"));
        assert!(!same_name("", ""));
    }
}
