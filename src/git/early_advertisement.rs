//! Asks for the list of references that starts a push while the branch is still being fetched.
//!
//! Over HTTP, the list is a request of its own (git's `Documentation/gitprotocol-http.txt`), which needs nothing from
//! the fetch. So it goes out on a second connection, and a landing takes one round trip less. By the time of the push,
//! the list may be older than the fetched tip. That is safe, because the server compares again when it moves the branch.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use super::answers::{RefAdvertisement, read_advertisement};
use super::transport::Endpoint;

/// How long a push waits for the list, before it asks again on the connection of the fetch.
const PATIENCE: Duration = Duration::from_secs(5);

/// A list of references that was asked for, and may not have come yet.
pub struct EarlyAdvertisement(Receiver<RefAdvertisement>);

impl EarlyAdvertisement {
    /// Asks what the list says about a branch. Returns `None` if the server isn't reached over HTTP: then the list and
    /// the push are one conversation.
    pub fn request(endpoint: &Arc<Endpoint>, branch: &str, deadline: Instant) -> Option<Self> {
        if !endpoint.is_stateless() {
            return None;
        }
        let (endpoint, reference) = (Arc::clone(endpoint), format!("refs/heads/{branch}"));
        let (sender, answer) = sync_channel(1);
        let ask = move || {
            let listed = endpoint.list_before_push(deadline);
            // after any error the push asks again, and reports it
            if let Some(found) = listed.and_then(|mut list| read_advertisement(&mut list, &reference).ok()) {
                let _ = sender.send(found);
            }
        };
        std::thread::Builder::new().spawn(ask).ok()?;
        Some(EarlyAdvertisement(answer))
    }

    /// The list's answer about the branch, if it comes soon.
    pub fn wait(self) -> Option<RefAdvertisement> {
        self.0.recv_timeout(PATIENCE).ok()
    }
}
