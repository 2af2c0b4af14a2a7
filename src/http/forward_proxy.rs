//! Plain http through an HTTP proxy: the proxy gets each request with the whole URL in its first line, as curl sends
//! it and as RFC 9112 section 3.2.2 ("absolute-form") wants it. Many proxies open tunnels for https only.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport};
use ureq::{Error, Proxy, ProxyProtocol, http::Uri};

/// Connects to the proxy if there is one and the URL is plain http; leaves everything else to the next connector.
#[derive(Debug)]
pub(super) struct ForwardProxyConnector {
    /// The configuration without a proxy, for the connection to the proxy itself.
    direct: Config,
}

impl ForwardProxyConnector {
    pub fn new(direct: Config) -> Self {
        ForwardProxyConnector { direct }
    }
}

impl<In: Transport> Connector<In> for ForwardProxyConnector {
    type Out = Either<In, ForwardTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let Some(proxy) = forwarding(details) else { return Ok(None) };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: details.resolver.resolve(proxy.uri(), details.config, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let transport = (details.run_connector)(&to_proxy)?;
        let forwarded = ForwardTransport {
            transport,
            origin: origin(details.uri),
            authorization: authorization(proxy),
            starts_request: true,
        };
        Ok(Some(Either::B(forwarded)))
    }
}

/// The proxy that gets the requests themselves.
fn forwarding<'a>(details: &ConnectionDetails<'a>) -> Option<&'a Proxy> {
    let is_http = |proxy: &&Proxy| matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    details.config.proxy().filter(is_http).filter(|_| !details.needs_tls())
}

/// The URL without its path, and without a user.
fn origin(uri: &Uri) -> String {
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}", uri.host().unwrap_or_default())
}

/// The header line for the proxy's user, if it has one.
fn authorization(proxy: &Proxy) -> Option<String> {
    if proxy.username().is_none() && proxy.password().is_none() {
        return None;
    }
    let (user, password) = (proxy.username().unwrap_or_default(), proxy.password().unwrap_or_default());
    Some(format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

/// A connection to the proxy. What is written to it is for the server; the first line of each request is changed.
pub(super) struct ForwardTransport {
    transport: Box<dyn Transport>,
    origin: String,
    authorization: Option<String>,
    /// Whether the next bytes begin a request: they do on a new connection, and after an answer.
    starts_request: bool,
}

impl ForwardTransport {
    /// Sends bytes that can be more than fit into the buffer.
    fn send(&mut self, bytes: &[u8], timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let output = self.transport.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            output[..now.len()].copy_from_slice(now);
            self.transport.transmit_output(now.len(), timeout)?;
            rest = later;
        }
        Ok(())
    }
}

impl Transport for ForwardTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::take(&mut self.starts_request) {
            return self.transport.transmit_output(amount, timeout);
        }
        let written = &self.transport.buffers().output()[..amount];
        let request = absolute_form(written, &self.origin, self.authorization.as_deref());
        let request =
            request.ok_or_else(|| std::io::Error::other("the request's first line is not whole"))?;
        self.send(&request, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.starts_request = true;
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}

/// It can hold the proxy's password.
impl std::fmt::Debug for ForwardTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForwardTransport").finish_non_exhaustive()
    }
}

/// The start of a request, with the whole URL in its first line, and a header line after that. `None` if the first
/// line is incomplete.
fn absolute_form(request: &[u8], origin: &str, header: Option<&str>) -> Option<Vec<u8>> {
    let target = request.iter().position(|byte| *byte == b' ')? + 1;
    let line_end = request.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let line = request.get(target..line_end)?;
    let header = header.unwrap_or_default().as_bytes();
    Some([&request[..target], origin.as_bytes(), line, header, &request[line_end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_gets_whole_url_and_header() {
        let request = b"POST /a/b?c HTTP/1.1\r\nHost: h:8\r\n\r\nbody /x \r\n";
        let text = |header| String::from_utf8(absolute_form(request, "http://h:8", header).unwrap()).unwrap();
        assert_eq!(text(None), "POST http://h:8/a/b?c HTTP/1.1\r\nHost: h:8\r\n\r\nbody /x \r\n");
        assert_eq!(
            text(Some("Proxy-Authorization: Basic x\r\n")),
            "POST http://h:8/a/b?c HTTP/1.1\r\nProxy-Authorization: Basic x\r\nHost: h:8\r\n\r\nbody /x \r\n"
        );
        for cut in [&b""[..], b"GET", b"GET /", b"GET / HTTP/1.1\r"] {
            assert_eq!(absolute_form(cut, "http://h", None), None);
        }
    }

    #[test]
    fn origin_has_no_user() {
        for (uri, expected) in [
            ("http://u:p@h/x", "http://h"),
            ("http://h:81/x?y", "http://h:81"),
            ("http://[2001:db8::1]:9/", "http://[2001:db8::1]:9"),
        ] {
            assert_eq!(origin(&uri.parse().unwrap()), expected);
        }
    }
}
