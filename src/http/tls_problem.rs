//! Why a server and tagbump don't get a TLS connection: the server's certificate, or the client's.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

/// How many of a certificate's names are shown, and how much of each.
const MAX_NAMES: usize = 5;
const MAX_NAME: usize = 100;

/// Why there is no TLS connection. Another try won't change it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    #[error("the server's certificate isn't trusted: no CA trusted here signed it")]
    UnknownIssuer,
    #[error("the server's certificate isn't trusted: it is marked as a CA's, and is not itself trusted here")]
    MarkedAsCa,
    #[error(
        "the server's certificate can't be checked: it is of X.509 version 1 or 2, and must be of version 3"
    )]
    OldVersion,
    #[error("the server's certificate {}, and not for {expected}", valid_for(.names))]
    OtherName { expected: String, names: Vec<String> },
    #[error("the server's certificate expired on {until}")]
    Expired { until: String },
    #[error("the server's certificate is not valid before {from}")]
    NotYetValid { from: String },
    /// The library's own words.
    #[error("the server's certificate isn't trusted: {0}")]
    Untrusted(String),
    #[error("the server wants a client certificate")]
    ClientCertificateMissing,
    /// The alert's name.
    #[error("the server refuses the TLS connection, maybe for our client certificate ({0})")]
    ClientRefused(String),
}

fn valid_for(names: &[String]) -> String {
    if names.is_empty() { "is for no host".to_owned() } else { format!("is for {}", names.join(", ")) }
}

impl TlsProblem {
    /// The problem that an error of the HTTP client is about, if it is one of certificates.
    pub fn in_error(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        causes.find_map(|cause| {
            let io = match cause.downcast_ref::<ureq::Error>() {
                Some(ureq::Error::Io(io)) => Some(io),
                Some(_) => None,
                None => cause.downcast_ref::<std::io::Error>(),
            };
            // it is inside, and not the source
            TlsProblem::of(io?.get_ref()?.downcast_ref()?)
        })
    }

    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(error) => Some(of_certificate(error)),
            Error::AlertReceived(alert) => of_alert(*alert),
            _ => None,
        }
    }
}

fn of_certificate(error: &CertificateError) -> TlsProblem {
    match error {
        CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
        CertificateError::ExpiredContext { not_after, .. } => TlsProblem::Expired { until: day(*not_after) },
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsProblem::NotYetValid { from: day(*not_before) }
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            TlsProblem::OtherName { expected: expected.to_str().into_owned(), names: plain_names(presented) }
        }
        error if is_ca_marked(error) => TlsProblem::MarkedAsCa,
        error if webpki_error(error) == Some(&webpki::Error::UnsupportedCertVersion) => {
            TlsProblem::OldVersion
        }
        error => TlsProblem::Untrusted(Error::InvalidCertificate(error.clone()).to_string()),
    }
}

/// Only alerts that are about certificates. TLS 1.2 has none for a missing one, and servers send `HandshakeFailure`.
fn of_alert(alert: AlertDescription) -> Option<TlsProblem> {
    match alert {
        AlertDescription::CertificateRequired => Some(TlsProblem::ClientCertificateMissing),
        AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied
        | AlertDescription::HandshakeFailure => Some(TlsProblem::ClientRefused(format!("{alert:?}"))),
        _ => None,
    }
}

/// Whether a certificate is marked as one of a CA, and so can't be a server's.
pub(super) fn is_ca_marked(error: &CertificateError) -> bool {
    webpki_error(error) == Some(&webpki::Error::CaUsedAsEndEntity)
}

fn webpki_error(error: &CertificateError) -> Option<&webpki::Error> {
    let CertificateError::Other(error) = error else { return None };
    error.0.downcast_ref()
}

fn day(time: UnixTime) -> String {
    let time = Timestamp::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    time.map_or_else(|_| "another day".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// The names as webpki writes them, `DnsName("example.com")`, without what is around them. They come from the server.
fn plain_names(names: &[String]) -> Vec<String> {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner.trim_end_matches(')'));
        inner.chars().filter(|c| c.is_ascii_graphic() && *c != '"').take(MAX_NAME).collect()
    };
    names.iter().take(MAX_NAMES).map(plain).collect()
}
