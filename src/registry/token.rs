//! Gets a token from the server that a registry names.
//!
//! Source: "Token Authentication Specification" and "OAuth2 Token Authentication" of Docker's registry.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::auth_file::RegistrySecret;
use super::challenge::BearerChallenge;
use super::session::failed;
use super::{ImageRepository, RegistryError, token_server};
use crate::http::{self, HeaderValue, HttpSettings, Request, Response, header};
use crate::landing::FetchError;

/// The longest answer that is read.
const MAX_ANSWER: u64 = 1024 * 1024;

/// What a token is asked for.
pub(super) struct TokenRequest<'a> {
    pub repository: &'a ImageRepository,
    /// Where the registry's API is.
    pub api: &'a Url,
    pub bearer: &'a BearerChallenge,
    pub secret: Option<&'a RegistrySecret>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenAnswer {
    token: Option<String>,
    /// The name of the same thing in OAuth 2.
    access_token: Option<String>,
    /// Not used, but secret.
    refresh_token: Option<String>,
}

/// What a token server gave.
pub(super) struct FetchedToken {
    /// The value of the Authorization header.
    pub authorization: HeaderValue,
    /// Every secret in the answer.
    pub secrets: Vec<String>,
}

/// The authorization that a registry takes without a token server. An identity token needs one.
pub(super) fn direct(secret: &RegistrySecret) -> Option<HeaderValue> {
    match secret {
        RegistrySecret::Password { user, password } => {
            sensitive(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        }
        RegistrySecret::RegistryToken(token) => sensitive(&format!("Bearer {token}")),
        RegistrySecret::IdentityToken(_) => None,
    }
}

/// A token that may read the repository. `label` is where the secret comes
/// from.
///
/// # Errors
/// Fails if the token server may not be asked, or refuses.
pub(super) fn fetch(
    asked: &TokenRequest<'_>,
    label: Option<&str>,
    http: &HttpSettings,
    deadline: Instant,
) -> Result<FetchedToken, FetchError<RegistryError>> {
    if let Some(token @ RegistrySecret::RegistryToken(_)) = asked.secret {
        let authorization = direct(token);
        let unusable = || FetchError::Permanent(asked.repository.not_a_registry("its token can't be sent"));
        return Ok(FetchedToken { authorization: authorization.ok_or_else(unusable)?, secrets: Vec::new() });
    }
    let server = asked.server().map_err(FetchError::Permanent)?;
    let agent = match token_server::is_same_server(&server, asked.api) {
        true => http.agent(&server),
        false => http.agent_for_public_server(&server, token_server::is_public),
    };
    let agent = agent.map_err(|error| FetchError::Permanent(error.into()))?;
    let request = asked.request(&server).map_err(FetchError::Permanent)?;
    let name = format!("the token server of {}", asked.repository.host());
    let answer = http::exchange(&agent, request, deadline, MAX_ANSWER + 1);
    let answer = answer.map_err(|error| match http::is_not_public(&error) {
        true => FetchError::Permanent(asked.refused(&server, super::TokenServerProblem::NotPublic)),
        false => failed(&error, &agent, &name),
    })?;
    asked.token(&answer, label)
}

impl TokenRequest<'_> {
    fn server(&self) -> Result<Url, RegistryError> {
        token_server::checked(&self.bearer.realm, self.api).map_err(|problem| RegistryError::TokenServer {
            registry: self.repository.host().to_owned(),
            server: shown(&self.bearer.realm),
            problem,
        })
    }

    fn refused(&self, server: &Url, problem: super::TokenServerProblem) -> RegistryError {
        let registry = self.repository.host().to_owned();
        RegistryError::TokenServer { registry, server: shown(server.as_str()), problem }
    }

    /// By GET with a password or nothing; by OAuth's POST with an identity token.
    fn request(&self, server: &Url) -> Result<Request<Vec<u8>>, RegistryError> {
        let mut url = server.clone();
        let mut request = Request::builder().header(header::USER_AGENT, http::USER_AGENT);
        let mut body = Vec::new();
        if let Some(RegistrySecret::IdentityToken(token)) = self.secret {
            let mut form = Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", "tagbump");
            form.append_pair("refresh_token", token);
            form.extend_pairs(self.question());
            body = form.finish().into_bytes();
            let kind = "application/x-www-form-urlencoded";
            request = request.method("POST").header(header::CONTENT_TYPE, kind);
        } else {
            url.query_pairs_mut().extend_pairs(self.question());
            if let Some(authorization) = self.secret.and_then(direct) {
                request = request.header(header::AUTHORIZATION, authorization);
            }
        }
        request
            .uri(url.as_str())
            .body(body)
            .map_err(|_| self.repository.not_a_registry("its token server's address can't be used"))
    }

    /// Our own scope: a registry may ask for more than reading.
    fn question(&self) -> Vec<(&'static str, String)> {
        let scope = format!("repository:{}:pull", self.repository.path());
        let service = self.bearer.service.clone().map(|service| ("service", service));
        service.into_iter().chain([("scope", scope)]).collect()
    }

    fn token(
        &self,
        answer: &Response<Vec<u8>>,
        label: Option<&str>,
    ) -> Result<FetchedToken, FetchError<RegistryError>> {
        let status = answer.status().as_u16();
        let wrong = |problem: &str| FetchError::Permanent(self.repository.not_a_registry(problem));
        match status {
            200 => {}
            401 | 403 => return Err(FetchError::Permanent(self.denied(status, label))),
            429 | 500.. => {
                let retry_after =
                    answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after =
                    retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                let what = format!("the token server of {} answered {status}", self.repository.host());
                return Err(FetchError::Transient { what, retry_after });
            }
            300..=399 => return Err(wrong("its token server redirects, and tagbump doesn't follow it")),
            _ => return Err(wrong(&format!("its token server answered {status}"))),
        }
        let read: TokenAnswer = serde_json::from_slice(answer.body()).unwrap_or_default();
        let all = [read.token, read.access_token, read.refresh_token];
        let [token, access_token, _] = all.each_ref().map(|token| token.as_ref().filter(|t| !t.is_empty()));
        let bearer = token.or(access_token).and_then(|token| sensitive(&format!("Bearer {token}")));
        let authorization = bearer.ok_or_else(|| wrong("its token server sent no token"))?;
        Ok(FetchedToken { authorization, secrets: all.into_iter().flatten().collect() })
    }

    fn denied(&self, status: u16, label: Option<&str>) -> RegistryError {
        let registry = self.repository.host().to_owned();
        match label {
            Some(label) => RegistryError::WrongCredential { registry, credential: label.to_owned(), status },
            None => RegistryError::Denied {
                image: self.repository.path().to_owned(),
                registry,
                status,
                credential: None,
            },
        }
    }
}

/// Scheme, host and port of an address. The rest of it may be anything.
fn shown(realm: &str) -> String {
    Url::parse(realm).map_or_else(|_| "its address".to_owned(), |url| url.origin().ascii_serialization())
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
