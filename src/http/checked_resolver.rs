//! Resolves the host of a server only to addresses that the caller allows.

use std::fmt;
use std::net::IpAddr;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// All addresses of the host are ones that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address that tagbump may connect to")]
struct NoAllowedAddress;

/// Whether a request failed because of the addresses of its host.
pub fn is_not_public(error: &Error) -> bool {
    let Error::Io(error) = error else { return false };
    error.get_ref().is_some_and(|inner| inner.is::<NoAllowedAddress>())
}

/// Leaves out addresses of one host; a proxy may be anywhere.
pub(super) struct CheckedResolver {
    resolver: DefaultResolver,
    /// The host whose addresses are checked.
    host: String,
    is_allowed: fn(IpAddr) -> bool,
}

impl CheckedResolver {
    pub fn new(host: &str, is_allowed: fn(IpAddr) -> bool) -> Self {
        CheckedResolver { resolver: DefaultResolver::default(), host: host.to_owned(), is_allowed }
    }
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        if uri.host() != Some(&self.host) {
            return Ok(found);
        }
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| (self.is_allowed)(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(std::io::Error::other(NoAllowedAddress).into()) } else { Ok(allowed) }
    }
}

impl fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedResolver").field("host", &self.host).finish_non_exhaustive()
    }
}
