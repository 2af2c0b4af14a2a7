//! Whether a token server may get credentials. Pure.
//!
//! A registry names its token server in an answer, so a hostile or broken one could name any address. It must not make
//! tagbump send a password in the clear, or call a service that only this machine or its network can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::TokenServerProblem;
use crate::http::is_loopback;

/// The token server that a registry names, if it may be asked for a token.
///
/// # Errors
/// Fails unless it is an https URL without a user, outside of this machine and its network. What has host and port
/// of the registry itself may be anywhere, since the registry is; on this machine also over http.
pub(super) fn checked(realm: &str, registry: &Url) -> Result<Url, TokenServerProblem> {
    let url = Url::parse(realm).map_err(|_| TokenServerProblem::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TokenServerProblem::HasUser);
    }
    let is_the_registrys = is_same_server(&url, registry);
    let is_encrypted = url.scheme() == "https";
    if !is_encrypted && !(url.scheme() == "http" && is_the_registrys && is_loopback(&url)) {
        return Err(TokenServerProblem::NotHttps);
    }
    if !is_the_registrys && !is_public_host(&url) {
        return Err(TokenServerProblem::NotPublic);
    }
    Ok(url)
}

/// Whether two URLs have the same host and port.
pub(super) fn is_same_server(one: &Url, other: &Url) -> bool {
    one.host() == other.host() && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a host may be outside of this machine's network, as far as its text tells. What a name resolves to is
/// checked when the connection is made.
fn is_public_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            !name.is_empty() && name != "localhost" && !name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Whether an address is on the internet: not this machine's, not one of a private network, of a link, or of nobody.
///
/// Source: IANA's registries of special-purpose addresses (RFC 6890), as far as they name networks that a machine can
/// be in.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => embedded_v4(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second); // RFC 6598
    let is_nobodys = first == 0 || first >= 224;
    !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared || is_nobodys)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let is_unique_local = ip.segments()[0] & 0xfe00 == 0xfc00; // RFC 4193
    let is_link_local = ip.segments()[0] & 0xffc0 == 0xfe80; // RFC 4291
    let is_site_local = ip.segments()[0] & 0xffc0 == 0xfec0; // RFC 3879: out of use, and still routed by some
    let is_nobodys = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
    !(is_unique_local || is_link_local || is_site_local || is_nobodys)
}

/// The IPv4 address that packets to an IPv6 address end up at: mapped and compatible addresses (RFC 4291), those of
/// translators (RFC 6052), and of 6to4 (RFC 3056).
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(realm: &str, registry: &str) -> Result<(), TokenServerProblem> {
        checked(realm, &Url::parse(registry).unwrap()).map(|_| ())
    }

    #[test]
    fn public_https_servers_get_credentials() {
        for realm in
            ["https://auth.docker.io/token", "https://8.8.8.8/token", "https://[2606:4700::1111]:8443/t"]
        {
            assert_eq!(judge(realm, "https://registry-1.docker.io/v2/"), Ok(()), "{realm}");
        }
    }

    #[test]
    fn others_get_none() {
        let registry = "https://ghcr.io/v2/";
        for (realm, problem) in [
            ("http://ghcr.io/token", TokenServerProblem::NotHttps),
            ("http://auth.docker.io/token", TokenServerProblem::NotHttps),
            ("ftp://ghcr.io/token", TokenServerProblem::NotHttps),
            ("https://user@ghcr.io/token", TokenServerProblem::HasUser),
            ("https://u:p@auth.docker.io/token", TokenServerProblem::HasUser),
            ("/token", TokenServerProblem::NotAUrl),
            ("", TokenServerProblem::NotAUrl),
        ] {
            assert_eq!(judge(realm, registry), Err(problem), "{realm}");
        }
        for host in [
            "127.0.0.1",
            "127.8.8.8",
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "169.254.169.254",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[fec0::1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::127.0.0.1]",
            "0x7f.1",
            "2130706433",
            "255.255.255.255",
            "224.0.0.1",
            "[ff02::1]",
        ] {
            let realm = format!("https://{host}/token");
            assert_eq!(judge(&realm, registry), Err(TokenServerProblem::NotPublic), "{realm}");
        }
    }

    #[test]
    fn the_registrys_own_server_may_be_anywhere() {
        assert_eq!(judge("https://10.0.0.5:5000/token", "https://10.0.0.5:5000/v2/"), Ok(()));
        assert_eq!(judge("https://10.0.0.5/token", "https://10.0.0.5:443/v2/"), Ok(()));
        assert_eq!(judge("http://127.0.0.1:3000/v2/token", "http://127.0.0.1:3000/v2/"), Ok(()));
        let private = Err(TokenServerProblem::NotPublic);
        assert_eq!(judge("https://10.0.0.5:5001/token", "https://10.0.0.5:5000/v2/"), private);
        assert_eq!(judge("https://127.0.0.1:3001/token", "http://127.0.0.1:3000/v2/"), private);
        let plain = Err(TokenServerProblem::NotHttps);
        assert_eq!(judge("http://127.0.0.1:3001/token", "http://127.0.0.1:3000/v2/"), plain);
        assert_eq!(judge("http://10.0.0.5:5000/token", "http://10.0.0.5:5000/v2/"), plain);
    }
}
