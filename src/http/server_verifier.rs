//! Which server certificates are accepted.
//!
//! The rules are webpki's (RFC 5280), with one addition: a certificate that is byte for byte one of the trusted ones
//! needs no issuer, and may be marked as a CA's. `openssl req -x509` makes such certificates for servers, and curl
//! accepts them (OpenSSL's `X509_V_FLAG_PARTIAL_CHAIN`). Its name and dates are still checked.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::tls_problem::is_ca_marked;

#[derive(Debug)]
pub(super) struct ServerVerifier {
    chains: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerVerifier {
    /// Trusts these certificates, and what they sign.
    ///
    /// # Errors
    /// Fails if none of them can be read.
    pub fn new(
        trusted: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trusted.iter().cloned());
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        Ok(ServerVerifier { chains: builder.build()?, trusted })
    }

    /// Whether webpki checks this certificate's dates before its issuer. An error about the issuer then means that
    /// the dates are right; webpki has no function that checks the dates alone.
    fn checks_dates_first(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
        let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        let verdict = self.chains.verify_server_cert(certificate, &[], name, &[], end_of_time);
        matches!(verdict, Err(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })))
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.trusted.iter().any(|trusted| trusted == certificate) {
            return self.chains.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        }
        // without the intermediates: an error about one of them says nothing about the dates of this one
        match self.chains.verify_server_cert(certificate, &[], name, ocsp_response, now) {
            Err(error) if is_about_issuer(&error) && self.checks_dates_first(certificate, name) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

fn is_about_issuer(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(error) => is_ca_marked(error),
        _ => false,
    }
}
