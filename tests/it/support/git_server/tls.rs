//! The TLS side of the server, with certificates that are made for it.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::sync::Arc;

pub struct Tls {
    config: Arc<ServerConfig>,
    pub ca_pem: String,
}

impl Tls {
    /// For a server with this certificate, or else one that is signed by an authority made for it. Clients need a
    /// certificate from `clients`, if that is given.
    pub fn new(certificate: Option<ServerCertificate>, clients: Option<&ClientAuthority>) -> Self {
        let ServerCertificate { certificate, key, trusted } =
            certificate.unwrap_or_else(ServerCertificate::from_new_authority);
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions");
        let builder = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).expect("a certificate");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
            None => builder.with_no_client_auth(),
        };
        let config =
            builder.with_single_cert(vec![certificate], key.into()).expect("the key fits the certificate");
        Self { config: config.into(), ca_pem: trusted }
    }

    /// The handshake happens with the first read.
    pub fn accept(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let connection = ServerConnection::new(self.config.clone()).expect("a TLS session");
        StreamOwned::new(connection, stream)
    }
}

pub struct ServerCertificate {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    /// What a client trusts, to trust this.
    trusted: String,
}

impl ServerCertificate {
    fn from_new_authority() -> Self {
        let ca = authority("git test authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = server_params().signed_by(&key, &ca).expect("a certificate");
        ServerCertificate { certificate: certificate.into(), key, trusted: ca.pem() }
    }

    /// As `openssl req -x509` makes one: self-signed, and marked as a CA's. For localhost and 127.0.0.1, until
    /// `change` says otherwise.
    pub fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = server_params();
        params.extended_key_usages.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        ServerCertificate { trusted: certificate.pem(), certificate: certificate.into(), key }
    }
}

/// Signs the certificates of clients.
pub struct ClientAuthority(CertifiedIssuer<'static, KeyPair>);

impl ClientAuthority {
    pub fn new() -> Self {
        ClientAuthority(authority("git client authority"))
    }

    /// A new certificate and its key, each as PEM.
    pub fn client(&self) -> (String, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "deployer");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a self-signed certificate")
}

fn server_params() -> CertificateParams {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("valid names");
    params.distinguished_name.push(DnType::CommonName, "git test server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}
