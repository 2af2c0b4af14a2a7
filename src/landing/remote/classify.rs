//! Classifies failed fetches and pushes: one table for libgit2, git's servers and the hosts' own messages.

use git2::ErrorClass;

use super::error::{BranchRule, HttpRefusal, RemoteError, with_message};
use super::known_messages;
use crate::git::answers::server_text;
use crate::git::transport::{Endpoint, TransferError, TransportError};
use crate::landing::{FetchError, PublishOutcome};
use crate::object_id::CommitId;

/// Messages of git and of the hosts which mean that the branch moved.
const RACES: [&str; 9] = [
    "cannot lock ref",
    "but expected",
    "non-fast-forward",
    "not present locally",
    "fetch first",
    "incorrect old value provided",
    "stale info",
    "reference already exists",
    "cannot push non-fastforwardable reference",
];

/// Messages which mean that another process holds the lock on the branch.
const LOCKS: [&str; 2] = [".lock': File exists", "Unable to create"];

/// Of a server that failed to unpack the push, such as on a full disk.
const UNPACK_FAILED: &str = "unpacker error";

/// Of a server that got only the beginning of the pack: the connection broke, and the next try may work.
const CUT: [&str; 2] = ["early EOF", "hung up unexpectedly"];

/// Messages which mean that a rule forbids the push; `known_messages` has those that say which rule.
const RULES: [&str; 5] =
    ["hook declined", "protected branch", "not allowed to push", "prohibited", "deny updating"];

/// Classifies the server's status of the pushed reference, with the text that it sent on the side.
pub fn of_status(status: &str, message: &str, url: &str) -> PublishOutcome<RemoteError> {
    let has = |known: &[&str]| known.iter().any(|k| status.contains(k) || message.contains(k));
    // a hook that accepts the push may print anything, so its text is checked last
    let refused =
        RULES.iter().any(|rule| status.contains(rule)) || !known_messages::rules(status, "").is_empty();
    let text = if message.is_empty() { status.to_owned() } else { format!("{status}\n{message}") };
    // also "cannot lock ref", but it lasts as long as the other branch exists
    let in_the_way = message.contains("cannot create") && message.contains("exists;");
    if in_the_way {
        PublishOutcome::Refused(RemoteError::BranchInTheWay { url: url.to_owned(), message: text })
    } else if refused {
        PublishOutcome::Refused(declined(status, text, url))
    } else if status.contains(UNPACK_FAILED) && CUT.iter().any(|cut| message.contains(cut)) {
        let what = format!("{url}: the connection broke before the server had the whole push: {text}");
        PublishOutcome::Unknown { what, retry_after: None }
    } else if status.contains(UNPACK_FAILED) {
        PublishOutcome::UnpackFailed { message: text }
    } else if has(&LOCKS) {
        PublishOutcome::RefLocked { what: format!("the branch is locked on the server: {text}") }
    } else if has(&RACES) {
        PublishOutcome::NonFastForward { what: format!("the branch moved: {status}") }
    } else if has(&RULES) || !known_messages::rules(status, message).is_empty() {
        PublishOutcome::Refused(declined(status, text, url))
    } else {
        PublishOutcome::RejectedUnclear { message: text }
    }
}

fn declined(status: &str, message: String, url: &str) -> RemoteError {
    let known = known_messages::rules(status, &message);
    let rules = if known.is_empty() { vec![BranchRule::Hook] } else { known };
    RemoteError::Declined { url: url.to_owned(), rules, message }
}

/// Why the tip could not be read.
pub fn of_fetch(stopped: TransferError, endpoint: &Endpoint, url: &str) -> FetchError<RemoteError> {
    match stopped {
        TransferError::Fault(error) => {
            of_fetch_fault(shown(error, endpoint), endpoint.credential_label().as_deref(), url)
        }
        TransferError::Git(error) => {
            let reason = shown_text(error.message(), endpoint);
            let not_read = RemoteError::NotRead { url: url.to_owned(), reason };
            if is_network(&error) {
                FetchError::Transient { what: not_read.to_string(), retry_after: None }
            } else {
                FetchError::Permanent(not_read)
            }
        }
    }
}

/// The fetch did not bring the tip that the server had listed: the branch moved between the two.
pub fn without_tip(url: &str, tip: CommitId) -> FetchError<RemoteError> {
    let what = format!("{url}: the fetch didn't include the tip {tip}");
    FetchError::Transient { what, retry_after: None }
}

/// The outcome of a push that ended with an error.
pub fn of_push(stopped: TransferError, endpoint: &Endpoint, url: &str) -> PublishOutcome<RemoteError> {
    match stopped {
        TransferError::Fault(error) => {
            of_push_fault(shown(error, endpoint), endpoint.credential_label().as_deref(), url)
        }
        TransferError::Git(error) => of_libgit2(&error, &shown_text(error.message(), endpoint), url),
    }
}

/// The outcome of a push that ended with an error, if the credential with this label was used.
pub fn of_push_fault(
    error: TransportError,
    credential: Option<&str>,
    url: &str,
) -> PublishOutcome<RemoteError> {
    match of_fetch_fault(error, credential, url) {
        FetchError::Permanent(error) => PublishOutcome::Refused(error),
        // it may have happened after the push landed
        FetchError::Unreachable { what } => PublishOutcome::Unknown { what, retry_after: None },
        FetchError::Transient { what, retry_after } => PublishOutcome::Unknown { what, retry_after },
    }
}

fn shown(error: TransportError, endpoint: &Endpoint) -> TransportError {
    error.with_texts(|text| shown_text(text, endpoint))
}

/// Removes secrets first and control characters second: escaping those first could hide a secret.
fn shown_text(text: &str, endpoint: &Endpoint) -> String {
    server_text(endpoint.scrub(text).as_bytes())
}

/// A network error may have come after the push landed; any other error came before anything was sent.
fn of_libgit2(error: &git2::Error, text: &str, url: &str) -> PublishOutcome<RemoteError> {
    if is_network(error) {
        return PublishOutcome::Unknown { what: format!("{url}: {text}"), retry_after: None };
    }
    PublishOutcome::Refused(RemoteError::NotPushed { url: url.to_owned(), reason: text.to_owned() })
}

/// Whether it came from the server or the network.
fn is_network(error: &git2::Error) -> bool {
    matches!(error.class(), ErrorClass::Net | ErrorClass::Http)
}

/// Why the tip could not be read, if the credential with this label was used.
pub fn of_fetch_fault(error: TransportError, credential: Option<&str>, url: &str) -> FetchError<RemoteError> {
    let passing = |what: String| FetchError::Transient { what: format!("{url}: {what}"), retry_after: None };
    match error {
        TransportError::Status { code, retry_after, message, proxy } => {
            let through = proxy.map(|proxy| format!(" (through the proxy {proxy})")).unwrap_or_default();
            let url = format!("{url}{through}");
            let credential = credential.map(str::to_owned);
            match code {
                408 | 425 | 429 | 500.. => FetchError::Transient {
                    what: with_message(format!("{url} answered {code}"), &message),
                    retry_after,
                },
                _ => FetchError::Permanent(RemoteError::Http(HttpRefusal {
                    url,
                    status: code,
                    credential,
                    has_withheld: false,
                    message,
                })),
            }
        }
        TransportError::Unreachable(why) => FetchError::Unreachable { what: format!("{url}: {why}") },
        TransportError::Broken(why) => passing(why),
        TransportError::TimedOut => passing("no answer in time".to_owned()),
        TransportError::Final(error) => FetchError::Permanent(RemoteError::Server(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_locks_and_rules_are_distinguished() {
        let verdict = |status: &str, message: &str| of_status(status, message, "u");
        for status in ["failed to update ref", "anything"] {
            let message = "error: cannot lock ref 'refs/heads/main': is at 1 but expected 2";
            assert!(matches!(verdict(status, message), PublishOutcome::NonFastForward { .. }));
        }
        for race in ["non-fast-forward", "fetch first", "incorrect old value provided", "stale info"] {
            assert!(matches!(verdict(race, ""), PublishOutcome::NonFastForward { .. }), "{race}");
        }
        let lock = "error: cannot lock ref 'refs/heads/main': Unable to create 'x/main.lock': File exists.";
        assert!(matches!(verdict("failed to update ref", lock), PublishOutcome::RefLocked { .. }));
        for rule in ["pre-receive hook declined", "hook declined", "protected branch hook declined"] {
            let PublishOutcome::Refused(RemoteError::Declined { message, .. }) =
                verdict(rule, "remote: no deploys on Friday")
            else {
                panic!("{rule} is a refusal");
            };
            assert!(message.contains("no deploys on Friday"));
        }
        let full = "error: cannot lock ref: Unable to create temporary file: No space left on device";
        assert!(matches!(verdict("unpacker error", full), PublishOutcome::UnpackFailed { .. }));
        let cut = verdict("unpacker error: unpack-objects abnormal exit", "fatal: early EOF");
        assert!(matches!(cut, PublishOutcome::Unknown { .. }));
        assert!(matches!(verdict("failed to update ref", ""), PublishOutcome::RejectedUnclear { .. }));
    }
}
