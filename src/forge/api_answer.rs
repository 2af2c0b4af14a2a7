//! What is the same for the API of every forge: where a token may go, and how much of an answer is read and shown.

use url::Url;

use crate::git::answers::short_server_text;
use crate::http::{self, HeaderValue};

/// Answers to our requests are smaller than this.
pub const MAX_ANSWER: usize = 10_000_000;
/// How much of a message of the API's is shown.
const MESSAGE_BYTES: usize = 4 * 1024;

/// Text from the API, for a message of one line.
pub fn api_text(text: &str) -> String {
    short_server_text(text.as_bytes(), MESSAGE_BYTES).replace('\n', " ")
}

/// A token goes over https only, or stays on this machine.
pub fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && http::is_loopback(url))
}

/// The value of a header that authorises us; it is never shown.
///
/// # Errors
/// If it has characters that a header can't have.
pub fn sensitive(header: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(header)
        .map_err(|_| "the token has characters that aren't allowed in an HTTP header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
