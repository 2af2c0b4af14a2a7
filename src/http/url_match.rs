//! Decides which `http.<url>.KEY` applies to a URL, and which of several is the most specific.
//!
//! Follows `git help config` (`http.<url>.*`) and git's `urlmatch.c` (`url_normalize_1`, `match_urls`, `cmp_matches`).

use percent_encoding::percent_decode_str;
use url::Url;

/// Characters that are never left as they are (git's `URL_UNSAFE_CHARS`).
const UNSAFE: &str = " <>\"%{}|\\^`";
/// Characters that stay escaped if they were (git's `URL_RESERVED`).
const RESERVED: &str = ":/?#[]@!$&'()*+,;=";

/// A URL in parts that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MatchedUrl {
    scheme: String,
    /// Without escapes. The password never counts.
    user: Option<String>,
    host: String,
    /// `None` for the scheme's default.
    port: Option<String>,
    /// The path, and a query if there is one.
    path: String,
}

/// How specific a match is. A longer host beats a longer path, which beats a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    host: usize,
    path: usize,
    user: bool,
}

impl MatchedUrl {
    /// A URL to send a request to, and the user that the remote's URL names.
    pub fn of_request(url: &Url, user: Option<&str>) -> Option<Self> {
        let parsed = parse(url.as_str(), false)?;
        let user = parsed.user.or_else(|| user.map(str::to_owned));
        Some(MatchedUrl { user, ..parsed })
    }

    /// How specific a pattern, the `<url>` of a key, is for this URL; `None` if it doesn't match. In its host, `*`
    /// stands for any one label.
    pub fn specificity(&self, pattern: &str) -> Option<Specificity> {
        let pattern = parse(pattern, true)?;
        let same_user = pattern.user.is_none() || pattern.user == self.user;
        let same_server = pattern.scheme == self.scheme && pattern.port == self.port;
        if !same_user || !same_server || !is_host(&pattern.host, &self.host) {
            return None;
        }
        let path = prefix_length(&pattern.path, &self.path)?;
        Some(Specificity { host: pattern.host.len(), path, user: pattern.user.is_some() })
    }
}

/// Compares hosts label by label.
fn is_host(pattern: &str, host: &str) -> bool {
    let (pattern, host): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern.len() == host.len() && pattern.iter().zip(&host).all(|(p, h)| *p == "*" || p == h)
}

/// The length of a path that is another's beginning, ending at a slash.
fn prefix_length(prefix: &str, path: &str) -> Option<usize> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len() + 1)
}

fn parse(text: &str, is_pattern: bool) -> Option<MatchedUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, server) = match authority.split_once('@') {
        Some((user, server)) => (Some(user.split(':').next().unwrap_or_default()), server),
        None => (None, authority),
    };
    let (host, port) = split_port(server);
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_[:]".contains(c) || (is_pattern && c == '*');
    if host.is_empty() || !host.chars().all(is_host) {
        return None;
    }
    let user = match user {
        Some(user) => Some(decoded(user)?),
        None => None,
    };
    let port = normal_port(port, &scheme)?;
    Some(MatchedUrl { user, host: host.to_ascii_lowercase(), port, path: normal_path(path)?, scheme })
}

fn decoded(text: &str) -> Option<String> {
    normal_escapes(text).map(|text| percent_decode_str(&text).decode_utf8_lossy().into_owned())
}

/// Splits off the port. The colons of an IPv6 address are in brackets.
fn split_port(server: &str) -> (&str, &str) {
    match server.rfind([':', ']']) {
        Some(at) if server[at..].starts_with(':') => (&server[..at], &server[at + 1..]),
        _ => (server, ""),
    }
}

/// The port, unless it is the scheme's default. `None` if it is not a port.
#[expect(clippy::option_option, reason = "a missing port and a wrong one are different")]
fn normal_port(text: &str, scheme: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port: u16 = text.parse().ok().filter(|port| *port != 0)?;
    let is_default = matches!((scheme, port), ("http", 80) | ("https", 443));
    Some((!is_default).then(|| port.to_string()))
}

/// Resolves `.` and `..`, and escapes each character in one way only. `None` if the path is not valid.
fn normal_path(text: &str) -> Option<String> {
    let (path, query) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let mut parts: Vec<String> = Vec::new();
    let mut ends_with_slash = true;
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        let part = normal_escapes(part)?;
        ends_with_slash = ["", ".", ".."].contains(&part.as_str());
        match part.as_str() {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    if ends_with_slash && parts.last().is_none_or(|last| !last.is_empty()) {
        parts.push(String::new());
    }
    Some(format!("/{}{}", parts.join("/"), normal_escapes(query)?))
}

/// git's `append_normalized_escapes`. `None` for an escape that is not two hexadecimal digits.
fn normal_escapes(text: &str) -> Option<String> {
    let mut normal = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%';
        let byte = if escaped {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        };
        let c = char::from(byte);
        let is_special = !(0x20..0x7f).contains(&byte) || UNSAFE.contains(c);
        if is_special || (escaped && RESERVED.contains(c)) {
            normal.push_str(&format!("%{byte:02X}"));
        } else {
            normal.push(c);
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specificity(pattern: &str, url: &str, user: Option<&str>) -> Option<(usize, usize, bool)> {
        let url = MatchedUrl::of_request(&Url::parse(url).unwrap(), user).unwrap();
        url.specificity(pattern).map(|found| (found.host, found.path, found.user))
    }

    #[test]
    fn patterns_match_whole_parts_of_the_path() {
        let url = "https://github.com/acme/gitops.git";
        for (pattern, found) in [
            ("https://github.com/", Some((10, 1, false))),
            ("https://github.com", Some((10, 1, false))),
            ("https://github.com/acme", Some((10, 6, false))),
            ("https://github.com/acme/", Some((10, 6, false))),
            ("https://github.com/x/../%61cme/.", Some((10, 6, false))),
            ("https://github.com/ac", None),
            ("https://github.com:0443", Some((10, 1, false))),
            ("https://github.com:8443", None),
            ("https://github.com:0", None),
            ("http://github.com/", None),
            ("https://evil.com/", None),
            ("https://*.com/", Some((5, 1, false))),
            ("https://*/", None),
            ("HTTPS://GitHub.com/", Some((10, 1, false))),
            ("https:github.com", None),
            ("github.com", None),
            ("https://github.com/%zz", None),
            ("https://github.com/..", None),
            ("", None),
        ] {
            assert_eq!(specificity(pattern, url, None), found, "{pattern}");
        }
    }

    #[test]
    fn user_in_pattern_must_be_the_remotes() {
        let url = "https://dev.azure.com/acme/p/_git/gitops";
        let pattern = "https://acme@dev.azure.com/acme/p/_git/gitops";
        assert_eq!(specificity(pattern, url, Some("acme")), Some((13, 20, true)));
        for user in [None, Some("ACME"), Some("acm")] {
            assert_eq!(specificity(pattern, url, user), None, "{user:?}");
        }
        assert_eq!(specificity("https://a%40b:x@dev.azure.com", url, Some("a@b")), Some((13, 1, true)));
        assert_eq!(specificity("https://dev.azure.com", url, Some("acme")), Some((13, 1, false)));
    }
}
