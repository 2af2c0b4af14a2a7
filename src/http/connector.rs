//! How a connection to a server is made: through a proxy or directly, then TLS.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, ConfigBuilder, StreamOwned};
use ureq::config::Config;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    SocksConnector, TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error};
use url::Url;

use super::HttpError;
use super::forward_proxy::ForwardProxyConnector;
use super::server_verifier::ServerVerifier;

/// How TLS connections are made: to a server, and to a proxy that speaks TLS itself.
pub(super) struct TlsConfigs {
    pub server: Arc<ClientConfig>,
    /// Without the client certificate, which is meant for the server.
    pub proxy: Arc<ClientConfig>,
}

/// The cryptography of TLS connections.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Starts the configuration of TLS connections to servers with a certificate that is accepted.
///
/// # Errors
/// Fails if the cryptography lacks all versions of TLS.
pub(super) fn tls_builder(
    verifier: Arc<ServerVerifier>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, HttpError> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(ALL_VERSIONS);
    let builder = builder.map_err(|error| HttpError::UnusableCertificates { reason: error.to_string() })?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
}

/// A client for the server of a URL. Without `tls`, it can't connect to one that needs it.
pub(super) fn agent(
    config: Config,
    direct: Config,
    url: &Url,
    tls: Option<TlsConfigs>,
    resolver: impl Resolver,
) -> Agent {
    let connector =
        ().chain(SocksConnector::default())
            .chain(ForwardProxyConnector::new(direct))
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector { server: url.clone(), tls });
    Agent::with_parts(config, connector, resolver)
}

/// Starts TLS where the URL asks for it. As ureq's own connector, but with our configuration of rustls.
struct TlsConnector {
    server: Url,
    tls: Option<TlsConfigs>,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let (Some(tls), Some(host)) = (&self.tls, details.uri.host()) else { return Err(Error::TlsRequired) };
        let config = if self.is_server(details) { &tls.server } else { &tls.proxy };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(std::io::Error::other)?;
        let connection = ClientConnection::new(Arc::clone(config), name).map_err(std::io::Error::other)?;
        let mut socket = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(time_left(details));
        let mut stream = StreamOwned { conn: connection, sock: socket };
        stream.conn.complete_io(&mut stream.sock)?;
        let sizes = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers: LazyBuffers::new(sizes.0, sizes.1), stream })))
    }
}

impl TlsConnector {
    fn is_server(&self, details: &ConnectionDetails<'_>) -> bool {
        let port = details.uri.port_u16().or(Some(443));
        details.uri.host() == self.server.host_str() && port == self.server.port_or_known_default()
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

/// The time to connect, less what the connection below has taken of it.
fn time_left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(all), Instant::Exact(start)) = (timeout.after, details.now) {
        timeout.after = Duration::Exact(all.saturating_sub(start.elapsed()));
    }
    timeout
}

struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
