//! Errors with HTTP settings and proxies.

use crate::error::{Exit, Failure};
use crate::hint::{Hint, hint};
use crate::http::HttpError;

pub(super) fn describe(error: &HttpError) -> Failure {
    Failure::new(exit(error), error.to_string()).hinted(advice(error))
}

fn exit(error: &HttpError) -> Exit {
    match error {
        HttpError::BadProxy { .. } | HttpError::ChecksOff { .. } | HttpError::NoCertificates { .. } => {
            Exit::Usage
        }
        HttpError::NoSystemCertificates { .. } => Exit::Other,
        HttpError::ProxyAuthentication { .. } | HttpError::ProxyForbids { .. } => Exit::Refused,
    }
}

fn advice(error: &HttpError) -> Hint {
    match error {
        HttpError::BadProxy { .. } => hint(
            "write it as http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before HOST if the proxy needs them",
        ),
        HttpError::ChecksOff { .. } => {
            hint("name your CA's file in http.sslCAInfo or GIT_SSL_CAINFO instead")
        }
        HttpError::NoCertificates { setting, .. } => {
            hint(format!("{setting} names it; it must be a file of certificates in PEM format"))
        }
        HttpError::NoSystemCertificates { .. } => {
            hint("install ca-certificates, or name a file of them in SSL_CERT_FILE")
        }
        HttpError::ProxyAuthentication { .. } => {
            hint("write it as http://USER:PASSWORD@HOST:PORT in http.proxy or https_proxy")
        }
        HttpError::ProxyForbids { .. } => {
            hint("allow the host there, or bypass the proxy: no_proxy, or an empty http.<url>.proxy")
        }
    }
}
