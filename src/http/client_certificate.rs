//! The certificate with which tagbump identifies itself to a server, and its key (`http.sslCert`, `http.sslKey`).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ConfigBuilder, Error, InconsistentKeys};

use super::HttpError;
use super::error::ClientFilePart;

/// Longer files are cut; a chain of certificates takes a few kilobytes.
const MAX_FILE: u64 = 1024 * 1024;

/// A file, and the setting or variable that names it.
#[derive(Clone, Debug)]
pub(super) struct NamedFile {
    pub setting: &'static str,
    pub path: PathBuf,
}

impl NamedFile {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self) -> Result<Vec<u8>, HttpError> {
        read(&self.path).map_err(|error| HttpError::ClientFileUnreadable {
            path: self.shown(),
            setting: self.setting,
            reason: error.to_string(),
        })
    }

    fn lacks(&self, what: ClientFilePart) -> HttpError {
        HttpError::ClientFileIncomplete { path: self.shown(), setting: self.setting, what }
    }

    fn unusable(&self, reason: String) -> HttpError {
        HttpError::ClientCertificateUnusable { path: self.shown(), setting: self.setting, reason }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A certificate with those that lead to its CA, and its key.
pub(super) struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    file: NamedFile,
}

impl ClientCertificate {
    /// Reads the files, in PEM format. As in git and curl, the key is in the certificate's file unless it has its own.
    ///
    /// # Errors
    /// Fails if a file can't be read, or lacks the certificate or its key, or if the key is encrypted.
    pub fn read(certificate: NamedFile, key: Option<NamedFile>) -> Result<Self, HttpError> {
        let bytes = certificate.read()?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let chain = chain.map_err(|error| certificate.unusable(error.to_string()))?;
        if chain.is_empty() {
            return Err(certificate.lacks(ClientFilePart::Certificate));
        }
        let key = match key {
            Some(file) => private_key(&file, &file.read()?)?,
            None => private_key(&certificate, &bytes)?,
        };
        Ok(ClientCertificate { chain, key, file: certificate })
    }

    /// Completes a configuration that shows this certificate to servers that ask for one.
    ///
    /// # Errors
    /// Fails if the key is not the certificate's, or of an unknown kind.
    pub fn authenticate(
        self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, HttpError> {
        let signer = builder.crypto_provider().key_provider.load_private_key(self.key);
        let certified = CertifiedKey::new(self.chain, signer.map_err(|e| self.file.unusable(e.to_string()))?);
        // webpki can't read certificates of X.509 version 1, and many clients have one: the server decides
        if let Err(error @ Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) = certified.keys_match() {
            return Err(self.file.unusable(error.to_string()));
        }
        Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))))
    }
}

/// The first private key of PEM text (PKCS#8, PKCS#1 or SEC 1).
fn private_key(file: &NamedFile, pem: &[u8]) -> Result<PrivateKeyDer<'static>, HttpError> {
    if is_encrypted(pem) {
        return Err(HttpError::ClientKeyEncrypted { path: file.shown(), setting: file.setting });
    }
    match PrivateKeyDer::pem_slice_iter(pem).next() {
        Some(Ok(key)) => Ok(key),
        Some(Err(error)) => Err(file.unusable(error.to_string())),
        None => Err(file.lacks(ClientFilePart::Key)),
    }
}

/// Whether a key in PEM text needs a password: in PKCS#8 (RFC 7468 section 11), or in OpenSSL's older form (RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let mut lines = pem.split(|byte| *byte == b'\n');
    lines.any(|line| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    })
}
