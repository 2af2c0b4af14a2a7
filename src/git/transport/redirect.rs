//! Decides whether to follow a redirect of the first request.
//!
//! A server may move a repository on its own host, as GitHub does when one is renamed. Another host, port or scheme
//! is another server, which the user did not name: the repository there is not the user's remote. The only exception is
//! a change from http to https.

use url::{Origin, Url};

use super::TransportError;
use crate::git::error::ServerError;
use crate::git::remote_url::shown_url;

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// The end of the first request's path.
const INFO_REFS: &str = "/info/refs";

/// Returns the repository's new URL, if the answer to a request for `from` is a redirect.
///
/// # Errors
/// Fails if the redirect leads to another server, or doesn't lead to a repository.
pub fn redirect_target(
    from: &Url,
    status: u16,
    location: Option<&str>,
) -> Option<Result<Url, TransportError>> {
    if !REDIRECTS.contains(&status) {
        return None;
    }
    let target = location.and_then(|location| from.join(location).ok()).and_then(repository);
    Some(match target {
        None => Err(ServerError::RedirectedToPage { from: shown_url(from) }.into()),
        Some(target) if is_same_server(from, &target) => Ok(target),
        Some(target) => Err(elsewhere(from, &target).into()),
    })
}

/// The repository's URL, from the URL of its reference list.
fn repository(mut url: Url) -> Option<Url> {
    if !["http", "https"].contains(&url.scheme()) {
        return None;
    }
    let path = url.path().strip_suffix(INFO_REFS)?.to_owned();
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    // a redirect can't choose the user; removing it fails only for a URL without a host
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(url)
}

/// Whether the origin is the same, or http became https on the same host and both use default ports.
fn is_same_server(from: &Url, to: &Url) -> bool {
    let usual_port = |url: &Url| url.port().is_none();
    let upgraded = from.scheme() == "http" && to.scheme() == "https" && from.host() == to.host();
    from.origin() == to.origin() || (upgraded && usual_port(from) && usual_port(to))
}

fn elsewhere(from: &Url, to: &Url) -> ServerError {
    let origin = |url: &Url| match url.origin() {
        Origin::Tuple(..) => url.origin().ascii_serialization(),
        Origin::Opaque(_) => "another server".to_owned(),
    };
    ServerError::RedirectedAway { from: origin(from), to: origin(to), url: shown_url(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(from: &str, location: &str) -> Result<String, String> {
        let from = Url::parse(&format!("{from}/info/refs?service=git-receive-pack")).unwrap();
        let target = redirect_target(&from, 301, Some(location)).unwrap();
        target.map(|url| url.to_string()).map_err(|error| match error {
            TransportError::Final(error) => error.to_string(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn redirect_is_followed_on_the_same_server() {
        for (from, location, to) in [
            ("https://h/a/x", "/b/x/info/refs?service=git-receive-pack", "https://h/b/x"),
            ("https://h/a/x", "https://u:p@H:443/b/x.git/info/refs", "https://h/b/x.git"),
            ("http://127.0.0.1:7/a/x", "http://127.0.0.1:7/b/x/info/refs#f", "http://127.0.0.1:7/b/x"),
            ("http://h/a/x", "https://h/a/x/info/refs", "https://h/a/x"),
        ] {
            assert_eq!(target(from, location).as_deref(), Ok(to), "{from} {location}");
        }
    }

    #[test]
    fn redirect_is_refused_to_another_server() {
        for (from, location, to) in [
            ("https://h/a/x", "https://evil.example/a/x/info/refs", "https://evil.example"),
            ("https://h/a/x", "//evil.example/a/x/info/refs", "https://evil.example"),
            ("https://h/a/x", "http://h/a/x/info/refs", "http://h"),
            ("https://h/a/x", "https://h:8443/a/x/info/refs", "https://h:8443"),
            ("http://h:80/a/x", "https://h:8443/a/x/info/refs", "https://h:8443"),
            ("http://h:8080/a/x", "https://h/a/x/info/refs", "https://h"),
            ("https://h/a/x", "https://h.evil.example/a/x/info/refs", "https://h.evil.example"),
        ] {
            let error = target(from, location).unwrap_err();
            let here = Url::parse(from).unwrap().origin().ascii_serialization();
            assert!(error.contains(&here) && error.ends_with(to), "{error}");
        }
    }

    #[test]
    fn redirect_is_refused_to_what_is_no_repository() {
        for location in ["/login", "file:///a/info/refs", "javascript:alert(1)/info/refs", "https://"] {
            assert!(
                target("https://h/a", location).unwrap_err().contains("not a git repository"),
                "{location}"
            );
        }
        let from = Url::parse("https://h/a/info/refs").unwrap();
        assert!(redirect_target(&from, 200, Some("/b/info/refs")).is_none());
        assert!(redirect_target(&from, 302, None).unwrap().is_err());
    }
}
