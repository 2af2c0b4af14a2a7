//! What tagbump reads from git's configuration.

use git2::Config;
use url::Url;

/// A text value; nothing where it is not set or no text.
pub fn text(config: &Config, name: &str) -> Option<String> {
    config.get_string(name).ok().filter(|value| !value.is_empty())
}

/// The values of `http.extraHeader` and `http.<url>.extraHeader` that hold for a URL, by git's rules: of all
/// URLs that match the most specific one counts, and an empty value takes back what came before.
///
/// Source: `git help config`, `http.<url>.*`.
pub fn extra_headers(config: &Config, url: &Url) -> Vec<String> {
    let mut best = 0;
    let mut headers = Vec::new();
    let Ok(mut entries) = config.entries(Some(r"^http\..*extraheader$")) else {
        return headers;
    };
    while let Some(Ok(entry)) = entries.next() {
        let (Ok(name), Ok(value)) = (entry.name(), entry.value()) else { continue };
        let Some(score) = specificity(name, url).filter(|score| *score >= best) else { continue };
        if score > best || value.is_empty() {
            headers.clear();
        }
        best = score;
        if !value.is_empty() {
            headers.push(value.to_owned());
        }
    }
    headers
}

/// How specific a `http.<url>.extraheader` key is for a URL; nothing where it is for another one.
fn specificity(name: &str, url: &Url) -> Option<usize> {
    let inner = name.strip_prefix("http.")?.strip_suffix("extraheader")?;
    let Some(pattern) = inner.strip_suffix('.').filter(|p| !p.is_empty()) else {
        return Some(1);
    };
    let pattern = Url::parse(pattern).ok()?;
    let same_place = pattern.scheme() == url.scheme()
        && pattern.port_or_known_default() == url.port_or_known_default()
        && same_host(pattern.host_str()?, url.host_str()?);
    // a user in the pattern asks for that user; the URL here has none
    if !same_place || !pattern.username().is_empty() {
        return None;
    }
    let prefix = pattern.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(2 + prefix.len())
}

/// Hosts are compared by label; `*` stands for one.
fn same_host(pattern: &str, host: &str) -> bool {
    let (pattern, host): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern.len() == host.len()
        && pattern.iter().zip(&host).all(|(p, h)| *p == "*" || p.eq_ignore_ascii_case(h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(key: &str, url: &str) -> Option<usize> {
        specificity(key, &Url::parse(url).unwrap())
    }

    #[test]
    fn keys_match_as_in_git() {
        let url = "https://github.com/acme/gitops.git";
        assert_eq!(score("http.extraheader", url), Some(1));
        assert_eq!(score("http.https://github.com/.extraheader", url), Some(2));
        assert_eq!(score("http.https://github.com/acme.extraheader", url), Some(7));
        assert_eq!(score("http.https://github.com/ac.extraheader", url), None);
        assert_eq!(score("http.https://github.com:443.extraheader", url), Some(2));
        assert_eq!(score("http.http://github.com/.extraheader", url), None);
        assert_eq!(score("http.https://evil.com/.extraheader", url), None);
        assert_eq!(score("http.https://*.com/.extraheader", url), Some(2));
    }
}
