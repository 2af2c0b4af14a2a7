//! What the server remembers of a request.

use super::http::{Headers, Request, is_authorization};

#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// The connection it came on: 0 for the first one the server accepted, then 1, 2…
    pub connection: usize,
    pub method: String,
    pub path: String,
    pub query: String,
    /// The status answered; `None` while there is none, and for good after a close or a hang.
    pub status: Option<u16>,
    /// The first Authorization header.
    pub authorization: Option<String>,
    pub authorization_count: usize,
    /// All other headers.
    pub headers: Headers,
}

impl LoggedRequest {
    pub fn new(connection: usize, request: &Request) -> Self {
        let (authorization, headers): (Headers, Headers) =
            (request.headers.iter().cloned()).partition(is_authorization);
        Self {
            connection,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            status: None,
            authorization_count: authorization.len(),
            authorization: authorization.into_iter().next().map(|(_, value)| value),
            headers,
        }
    }
}
