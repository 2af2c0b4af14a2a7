//! How a registry wants to be authenticated to: its `WWW-Authenticate` headers. Pure.
//!
//! Source: RFC 9110 section 11.6.1; "Token Authentication Specification" of Docker's registry.

use http_auth::{ChallengeRef, parse_challenges};

/// One way to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer(BearerChallenge),
}

/// Whom to ask for a token, and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BearerChallenge {
    /// The address of the token server.
    pub realm: String,
    pub service: Option<String>,
    pub scope: Option<String>,
}

impl Challenge {
    /// The way to use of those that the headers offer: a token rather than the password. `None` if there is none
    /// that is known here.
    pub fn choose<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<Self> {
        let offered = headers.into_iter().filter_map(|header| parse_challenges(header).ok()).flatten();
        let mut known: Vec<Challenge> = offered.filter_map(|challenge| Challenge::read(&challenge)).collect();
        let bearer = known.iter().position(|challenge| matches!(challenge, Challenge::Bearer(_)));
        let at = bearer.or_else(|| (!known.is_empty()).then_some(0))?;
        Some(known.swap_remove(at))
    }

    fn read(challenge: &ChallengeRef<'_>) -> Option<Self> {
        if challenge.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        let parameter = |wanted: &str| {
            let mut parameters = challenge.params.iter();
            let found = parameters.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.to_unescaped())
        };
        if !challenge.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let realm = parameter("realm")?;
        let (service, scope) = (parameter("service"), parameter("scope"));
        Some(Challenge::Bearer(BearerChallenge { realm, service, scope }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_preferred_to_password() {
        let bearer = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#;
        let expected = Challenge::Bearer(BearerChallenge {
            realm: "https://auth.docker.io/token".to_owned(),
            service: Some("registry.docker.io".to_owned()),
            scope: Some("repository:a/b:pull".to_owned()),
        });
        assert_eq!(Challenge::choose([bearer]), Some(expected.clone()));
        assert_eq!(Challenge::choose([r#"Basic realm="x""#, bearer]), Some(expected.clone()));
        assert_eq!(Challenge::choose([format!(r#"basic realm="x", {bearer}"#).as_str()]), Some(expected));
    }

    #[test]
    fn what_is_unknown_or_broken_is_skipped() {
        assert_eq!(Challenge::choose([r#"Negotiate, Basic realm="x""#]), Some(Challenge::Basic));
        assert_eq!(Challenge::choose(["Bearer service=\"x\""]), None, "a token server must be named");
        assert_eq!(Challenge::choose(["Digest realm=\"x\"", "\u{1}", "Bearer realm=\"", ""]), None);
        assert_eq!(Challenge::choose([]), None);
    }
}
