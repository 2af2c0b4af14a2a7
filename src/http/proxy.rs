//! Finds the proxy for a URL.
//!
//! Follows git's `http.c` (`get_curl_handle`), and curl's documentation of `CURLOPT_NOPROXY`.

use std::net::IpAddr;

use ureq::Proxy;
use url::{Host, Url};

use super::HttpError;
use crate::environment::Environment;

/// The proxy for a URL, if there is one: `set` by `http.proxy`, an empty one for none, else the variable of the scheme,
/// else that of all. `HTTP_PROXY` in capitals does not count: it can be a header of a request to a CGI program.
///
/// Unlike in git, plain http to this machine has none: credentials may go there since they don't leave the machine, and
/// a proxy would read them.
///
/// # Errors
/// For a proxy that is not a URL; it is not shown, as it can have a password in it.
pub(super) fn of(
    set: Option<&str>,
    environment: &Environment,
    url: &Url,
) -> Result<Option<Proxy>, HttpError> {
    if url.scheme() == "http" && is_this_machine(url) {
        return Ok(None);
    }
    let variables: &[&'static str] = if url.scheme() == "https" {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let variable = || variables.iter().find_map(|name| Some((*name, environment.get(name)?)));
    let configured = set.map(|text| ("http.proxy", text));
    let Some((setting, text)) = configured.or_else(variable).filter(|(_, text)| !text.is_empty()) else {
        return Ok(None);
    };
    let direct = environment.get("no_proxy").or_else(|| environment.get("NO_PROXY"));
    if direct.is_some_and(|list| is_direct(list, url)) {
        return Ok(None);
    }
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    Proxy::new(&text).map(Some).map_err(|_| HttpError::BadProxy { setting })
}

/// Whether a URL's host is this machine, by its address or by a name reserved for it (RFC 6761 section 6.3).
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Whether a `no_proxy` list contains the URL's host: as `*`, a domain (which includes its subdomains), an
/// address, or a network (`10.0.0.0/8`), each with or without a port.
fn is_direct(list: &str, url: &Url) -> bool {
    let Some(host) = url.host() else { return false };
    let parts = list.split([',', ' ', '\t']).filter(|part| !part.is_empty());
    parts.into_iter().any(|part| part == "*" || is_meant(part, &host, url.port_or_known_default()))
}

fn is_meant(part: &str, host: &Host<&str>, port: Option<u16>) -> bool {
    let address = match host {
        Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(*ip)),
        Host::Domain(_) => None,
    };
    let (part, wanted) = without_port(part);
    if wanted.is_some_and(|wanted| Some(wanted) != port) {
        return false;
    }
    match (address, host) {
        (Some(address), _) => is_in_network(part, address),
        (None, Host::Domain(name)) => {
            let domain = part.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let rest = name.strip_suffix(&domain).filter(|_| !domain.is_empty());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        (None, _) => false,
    }
}

/// Splits off the port. An IPv6 address can only have one after brackets.
fn without_port(part: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = part.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match part.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, port.parse().ok()),
        _ => (part, None),
    }
}

fn is_in_network(part: &str, address: IpAddr) -> bool {
    let (network, bits) = part.split_once('/').map_or((part, None), |(net, bits)| (net, Some(bits)));
    let Ok(network) = network.parse::<IpAddr>() else { return false };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
        _ => return false,
    };
    match bits.map(str::parse::<u32>) {
        None => network == address,
        Some(Ok(0)) => true,
        Some(Ok(bits)) if bits <= width => network >> (width - bits) == address >> (width - bits),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: &[(&str, &str)], configured: Option<&str>, url: &str) -> Option<String> {
        let variables = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(variables);
        let proxy = of(configured, &environment, &Url::parse(url).unwrap()).unwrap();
        proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_order_is_gits() {
        let all =
            [("https_proxy", "s:1"), ("http_proxy", "p:2"), ("all_proxy", "a:3"), ("HTTP_PROXY", "cgi:4")];
        assert_eq!(chosen(&all, Some("http://c:5"), "https://h/").as_deref(), Some("c:5"));
        assert_eq!(chosen(&all, Some(""), "https://h/"), None);
        assert_eq!(chosen(&all, None, "https://h/").as_deref(), Some("s:1"));
        assert_eq!(chosen(&all, None, "http://h/").as_deref(), Some("p:2"));
        assert_eq!(chosen(&all[2..], None, "http://h/").as_deref(), Some("a:3"));
        assert_eq!(chosen(&all[3..], None, "http://h/"), None);
        assert_eq!(chosen(&all[..1], None, "http://h/"), None);
        assert_eq!(chosen(&[("HTTPS_PROXY", "http://u:p@s:1/")], None, "https://h/").as_deref(), Some("s:1"));
        assert_eq!(chosen(&[("ALL_PROXY", "socks5://s")], None, "https://h/").as_deref(), Some("s:1080"));
    }

    #[test]
    fn loopback_over_http_has_no_proxy() {
        let set = [("http_proxy", "p:2"), ("all_proxy", "a:3"), ("https_proxy", "s:1")];
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "git.localhost",
            "127.0.0.1:9",
            "127.9.9.9",
            "2130706433",
            "[::1]:9",
            "[::ffff:127.0.0.1]",
        ] {
            let url = format!("http://{host}/x");
            assert_eq!((chosen(&set, None, &url), chosen(&set, Some("c:5"), &url)), (None, None), "{url}");
            let tls = format!("https://{host}/x");
            assert_eq!(chosen(&set, None, &tls).as_deref(), Some("s:1"), "{tls}");
        }
        for host in ["localhost.example.com", "notlocalhost", "128.0.0.1", "[::2]", "0.0.0.0"] {
            let url = format!("http://{host}/x");
            assert_eq!(chosen(&set, None, &url).as_deref(), Some("p:2"), "{url}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_not_shown() {
        let environment = Environment::new([("https_proxy".to_owned(), "gopher://u:secret@h".to_owned())]);
        let url = Url::parse("https://h/").unwrap();
        let error = of(None, &environment, &url).unwrap_err();
        assert_eq!(error, HttpError::BadProxy { setting: "https_proxy" });
    }

    #[test]
    fn hosts_that_are_asked_directly() {
        let direct = |list: &str, url: &str| is_direct(list, &Url::parse(url).unwrap());
        for (list, url) in [
            ("*", "https://h/"),
            ("example.com", "https://example.com/"),
            ("x, .Example.com", "https://git.example.com/"),
            (".example.com", "https://example.com/"),
            ("*.example.com", "https://a.b.example.com/"),
            ("example.com:8443", "https://example.com:8443/"),
            ("example.com:443", "https://example.com/"),
            ("127.0.0.1", "http://127.0.0.1:9/"),
            ("10.0.0.0/8 192.168.0.0/16", "http://192.168.7.1/"),
            ("::1", "http://[::1]:9/"),
            ("[::1]:9", "http://[::1]:9/"),
            ("fd00::/8", "http://[fd12::1]/"),
        ] {
            assert!(direct(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("", "https://h/"),
            ("ample.com", "https://example.com/"),
            ("git.example.com", "https://example.com/"),
            ("example.com:8443", "https://example.com/"),
            ("10.0.0.0/8", "http://11.0.0.1/"),
            ("10.0.0.0/99", "http://10.0.0.1/"),
            ("127.0.0.1", "http://localhost/"),
            (".", "https://h/"),
        ] {
            assert!(!direct(list, url), "{list} {url}");
        }
    }
}
