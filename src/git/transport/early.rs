//! Lists of references that are asked for before they are needed: the server answers while this program works on
//! something else.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use git2::transport::Service;
use ureq::Body;
use ureq::http::Response;

use super::{Endpoint, Server, TransportError, program};

/// An older list is asked for again, since the branch may have moved.
const FRESH: Duration = Duration::from_secs(1);

/// The answer to a request for a list, whatever its status.
pub(super) type ListAnswer = Result<Response<Body>, TransportError>;

/// An answer, and whether a credential was sent for it.
pub(super) struct EarlyAnswer {
    pub answer: ListAnswer,
    pub had_credential: bool,
}

/// The list that was asked for early, if there is one.
#[derive(Default)]
pub(super) struct EarlyList(Mutex<Option<Asked>>);

struct Asked {
    service: &'static str,
    at: Instant,
    answer: JoinHandle<EarlyAnswer>,
}

impl EarlyList {
    /// The answer to an early request for the list of this service, once it is there; `None` if there
    /// was no such request, or if it was too long ago.
    pub fn take(&self, service: &str, now: Instant) -> Option<EarlyAnswer> {
        let asked = self.asked().take_if(|asked| asked.service == service)?;
        let is_fresh = now.saturating_duration_since(asked.at) < FRESH;
        is_fresh.then(|| asked.answer.join().ok()).flatten()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Option<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    /// Asks for the list of references that the next conversation with a service begins with; gives up at `deadline`. The
    /// answer is used if that conversation begins soon, and its errors are those of the conversation.
    ///
    /// Only HTTP has requests that can be sent ahead. Over ssh, this does nothing.
    pub fn ask_early(self: &Arc<Self>, service: Service, deadline: Instant) {
        let Server::Http(_) = &self.server else { return };
        let (endpoint, service) = (Arc::clone(self), program(service));
        let at = Instant::now();
        let ask = move || match &endpoint.server {
            Server::Http(http) => http.ask_for_list(service, deadline),
            Server::Ssh(_) | Server::Local(_) => unreachable!("only HTTP is asked early"),
        };
        // without another thread, the list is asked for when it is needed
        if let Ok(answer) = std::thread::Builder::new().spawn(ask) {
            *self.early.asked() = Some(Asked { service, at, answer });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: &'static str, at: Instant) -> EarlyList {
        let answer = || EarlyAnswer { answer: Err(TransportError::TimedOut), had_credential: false };
        let answer = std::thread::spawn(answer);
        EarlyList(Mutex::new(Some(Asked { service, at, answer })))
    }

    #[test]
    fn early_answer_is_taken_once_and_only_for_its_service() {
        let now = Instant::now();
        let early = asked("receive-pack", now);
        assert!(early.take("upload-pack", now).is_none());
        let taken = early.take("receive-pack", now).map(|early| early.answer);
        assert!(matches!(taken, Some(Err(TransportError::TimedOut))));
        assert!(early.take("receive-pack", now).is_none());
    }

    #[test]
    fn early_answer_is_dropped_when_it_is_old() {
        let now = Instant::now();
        let early = asked("receive-pack", now);
        assert!(early.take("receive-pack", now + FRESH).is_none());
    }
}
