//! Errors with HTTP settings and proxies.

use crate::error::{Exit, Failure};
use crate::hint::{Hint, hint};
use crate::http::{ClientFilePart, HttpError, TlsProblem};

pub(super) fn describe(error: &HttpError) -> Failure {
    Failure::new(exit(error), error.to_string()).hinted(advice(error))
}

fn exit(error: &HttpError) -> Exit {
    match error {
        HttpError::BadProxy { .. }
        | HttpError::ChecksOff { .. }
        | HttpError::Unsupported { .. }
        | HttpError::BadValue { .. }
        | HttpError::NoCertificates { .. }
        | HttpError::ClientFileUnreadable { .. }
        | HttpError::ClientFileIncomplete { .. }
        | HttpError::ClientKeyEncrypted { .. }
        | HttpError::ClientCertificateUnusable { .. }
        | HttpError::ClientFileFormat { .. } => Exit::Usage,
        HttpError::NoSystemCertificates { .. } | HttpError::UnusableCertificates { .. } => Exit::Other,
        HttpError::Tls { problem, .. } if is_refusal(problem) => Exit::Refused,
        HttpError::Tls { .. } => Exit::Other,
        HttpError::ProxyAuthentication { .. } | HttpError::ProxyForbids { .. } => Exit::Refused,
    }
}

fn is_refusal(problem: &TlsProblem) -> bool {
    matches!(problem, TlsProblem::ClientCertificateMissing | TlsProblem::ClientRefused(_))
}

fn advice(error: &HttpError) -> Hint {
    match error {
        HttpError::BadProxy { .. } => hint(
            "write it as http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before HOST if the proxy needs them",
        ),
        HttpError::ChecksOff { .. } => {
            hint("name your CA's file in http.sslCAInfo or GIT_SSL_CAINFO instead")
        }
        HttpError::Unsupported { setting } => {
            let key = setting.trim_start_matches("http.");
            hint(format!(
                "if the connection is safe without it, unset it for this server: git config http.URL.{key} \"\""
            ))
        }
        HttpError::BadValue { setting } => {
            hint(format!("git config --show-origin --get-regexp 'http.*' shows where {setting} is set"))
        }
        HttpError::NoCertificates { setting, .. } => {
            hint(format!("{setting} names it; it must be a file of certificates in PEM format"))
        }
        HttpError::NoSystemCertificates { .. } | HttpError::UnusableCertificates { .. } => {
            hint("install ca-certificates, or name a file of them in SSL_CERT_FILE")
        }
        HttpError::ClientFileUnreadable { setting, .. } => hint(format!("{setting} names it")),
        HttpError::ClientFileIncomplete { setting, what, .. } => {
            let key = if *what == ClientFilePart::Key {
                "; a key in a file of its own goes into http.sslKey"
            } else {
                ""
            };
            hint(format!("{setting} names it; it must be in PEM format{key}"))
        }
        HttpError::ClientKeyEncrypted { setting, .. } => hint(format!(
            "{setting} names it; decrypt it into a file that only you can read: openssl pkey -in FILE -out NEW"
        )),
        HttpError::ClientCertificateUnusable { .. } => {
            hint("http.sslCert names the certificate, and http.sslKey its private key")
        }
        HttpError::ClientFileFormat { .. } => {
            hint("convert it, for example: openssl pkcs12 -in FILE -nodes -out NEW; then unset this")
        }
        HttpError::Tls { problem, .. } => hint(tls_advice(problem)),
        HttpError::ProxyAuthentication { .. } => {
            hint("write it as http://USER:PASSWORD@HOST:PORT in http.proxy or https_proxy")
        }
        HttpError::ProxyForbids { .. } => {
            hint("allow the host there, or bypass the proxy: no_proxy, or an empty http.<url>.proxy")
        }
    }
}

fn tls_advice(problem: &TlsProblem) -> &'static str {
    match problem {
        TlsProblem::UnknownIssuer | TlsProblem::Untrusted(_) => {
            "name your CA's file in http.sslCAInfo, GIT_SSL_CAINFO or SSL_CERT_FILE"
        }
        TlsProblem::MarkedAsCa => {
            "name a file with this same certificate in http.sslCAInfo, GIT_SSL_CAINFO or SSL_CERT_FILE, or give the server one that is marked CA:FALSE"
        }
        TlsProblem::OldVersion => {
            "give the server a new one: openssl req -x509 makes version 3, and -addext subjectAltName=DNS:HOST adds the host's name"
        }
        TlsProblem::OtherName { .. } => {
            "use a host name that the certificate covers, or give the server a certificate \
             with this host in its subjectAltName"
        }
        TlsProblem::Expired { .. } | TlsProblem::NotYetValid { .. } => {
            "renew it on the server, or set this machine's clock"
        }
        TlsProblem::ClientCertificateMissing => {
            "name yours in http.sslCert or GIT_SSL_CERT, and its key in http.sslKey or GIT_SSL_KEY"
        }
        TlsProblem::ClientRefused(_) => {
            "check that http.sslCert names a certificate that the server accepts, with its whole chain"
        }
    }
}
