//! What a failed fetch or push means: one table for libgit2, git's servers and the hosts' own words.

use git2::ErrorClass;

use crate::error::{Exit, Failure};
use crate::git::answers::server_text;
use crate::git::transport::{Endpoint, TransferError, TransportError};
use crate::landing::{FetchError, PublishOutcome};

/// Words that mean that somebody was faster, of git and of the hosts.
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

/// Words that mean that somebody holds the lock on the branch.
const LOCKS: [&str; 2] = [".lock': File exists", "Unable to create"];

/// Of a server that could not take in the pack, as on a full disk.
const SPOILT: &str = "unpacker error";

/// Words that mean a rule: a hook, or a protected branch.
const RULES: [&str; 9] = [
    "hook declined",
    "protected branch",
    "GH006",
    "GH013",
    "not allowed to push",
    "prohibited",
    "denyCurrentBranch",
    "branch is currently checked out",
    "deny updating",
];

/// What the server said of the one reference that was pushed, with its words on the side.
pub fn of_status(status: &str, words: &str, url: &str) -> PublishOutcome {
    let said = |known: &[&str]| known.iter().any(|k| status.contains(k) || words.contains(k));
    // a hook that lets the push pass may say anything: its words are the last to be believed
    let refused = RULES.iter().any(|rule| status.contains(rule));
    let told = if words.is_empty() { status.to_owned() } else { format!("{status}\n{words}") };
    // "cannot lock ref" too, but for as long as the other branch is there
    let in_the_way = words.contains("cannot create") && words.contains("exists;");
    if in_the_way {
        let message = format!("{url}: the branch can't be made: {told}");
        PublishOutcome::Refused(
            Failure::new(Exit::Refused, message).hinted(
                "a branch of that name is in the way; take it away, or name another with --pr-branch",
            ),
        )
    } else if refused {
        PublishOutcome::Refused(by_rule(status, &told, url))
    } else if status.contains(SPOILT) {
        PublishOutcome::UnpackFailed { words: told }
    } else if said(&LOCKS) {
        PublishOutcome::RefLocked { what: format!("the branch is locked on the server: {told}") }
    } else if said(&RACES) {
        PublishOutcome::NonFastForward { what: format!("somebody was faster: {status}") }
    } else if said(&RULES) {
        PublishOutcome::Refused(by_rule(status, &told, url))
    } else {
        PublishOutcome::RejectedUnclear { words: told }
    }
}

fn by_rule(status: &str, told: &str, url: &str) -> Failure {
    let message = format!("{url} declines the push: {told}");
    let hint = if status.contains("protected") || told.contains("GH006") || told.contains("GH013") {
        "the branch is protected: propose the change with --pr, let this identity bypass the rule, or land on \
         another branch with --branch"
    } else if told.contains("checked out") || told.contains("denyCurrentBranch") {
        "the remote has that branch checked out; push to a bare repository"
    } else {
        "a hook on the server says no, in the words above; it would say so again"
    };
    Failure::new(Exit::Refused, message).hinted(hint)
}

/// Why the tip could not be read.
pub fn of_fetch(stopped: TransferError, endpoint: &Endpoint, url: &str) -> FetchError {
    match stopped {
        TransferError::Fault(fault) => {
            of_fetch_fault(shown(fault, endpoint), endpoint.credential_label().as_deref(), url)
        }
        TransferError::Git(error) => {
            let what = format!("{url} can't be read: {}", shown_text(error.message(), endpoint));
            if is_network(&error) {
                FetchError::Transient { what, retry_after: None }
            } else {
                FetchError::Permanent(Failure::other(what))
            }
        }
    }
}

/// Why the tip could not be read, where the credential with this label was used.
pub fn of_fetch_fault(fault: TransportError, credential: Option<&str>, url: &str) -> FetchError {
    match of_fault(fault, credential, url) {
        FailureKind::Final(failure) => FetchError::Permanent(failure),
        FailureKind::Unreachable(what) => FetchError::Unreachable { what },
        FailureKind::Passing { what, retry_after } => FetchError::Transient { what, retry_after },
    }
}

/// What became of a push that was ended by a fault.
pub fn of_push(stopped: TransferError, endpoint: &Endpoint, url: &str) -> PublishOutcome {
    match stopped {
        TransferError::Fault(fault) => {
            of_push_fault(shown(fault, endpoint), endpoint.credential_label().as_deref(), url)
        }
        TransferError::Git(error) => of_libgit2(&error, &shown_text(error.message(), endpoint), url),
    }
}

/// What became of a push that was ended by a fault, where the credential with this label was used.
pub fn of_push_fault(fault: TransportError, credential: Option<&str>, url: &str) -> PublishOutcome {
    match of_fault(fault, credential, url) {
        FailureKind::Final(failure) => PublishOutcome::Refused(failure),
        // in the middle of a push nobody knows whether it was before or after it landed
        FailureKind::Unreachable(what) => PublishOutcome::Unknown { what, retry_after: None },
        FailureKind::Passing { what, retry_after } => PublishOutcome::Unknown { what, retry_after },
    }
}

fn shown(fault: TransportError, endpoint: &Endpoint) -> TransportError {
    fault.with_texts(|text| shown_text(text, endpoint))
}

/// Without secrets, and then without control characters: to write these out first could hide a secret.
fn shown_text(text: &str, endpoint: &Endpoint) -> String {
    server_text(endpoint.scrub(text).as_bytes())
}

/// A fault of the conversation may have come after the end; all else was before anything was sent.
fn of_libgit2(error: &git2::Error, text: &str, url: &str) -> PublishOutcome {
    if is_network(error) {
        return PublishOutcome::Unknown { what: format!("{url}: {text}"), retry_after: None };
    }
    PublishOutcome::Refused(Failure::other(format!("{url}: the push failed: {text}")))
}

/// Whether it came from the other side, or from the way there.
fn is_network(error: &git2::Error) -> bool {
    matches!(error.class(), ErrorClass::Net | ErrorClass::Http)
}

enum FailureKind {
    Passing { what: String, retry_after: Option<std::time::Duration> },
    Unreachable(String),
    Final(Failure),
}

fn of_fault(fault: TransportError, credential: Option<&str>, url: &str) -> FailureKind {
    let passing = |what: String| FailureKind::Passing { what: format!("{url}: {what}"), retry_after: None };
    match fault {
        TransportError::Status { code, retry_after, words } => match code {
            408 | 425 | 429 | 500.. => FailureKind::Passing {
                what: with_words(&format!("{url} answered {code}"), &words),
                retry_after,
            },
            _ => FailureKind::Final(of_status_code(code, credential, url, &words)),
        },
        TransportError::Unreachable(why) => FailureKind::Unreachable(format!("{url}: {why}")),
        TransportError::Broken(why) => passing(why),
        TransportError::TimedOut => passing("no answer in time".to_owned()),
        TransportError::Certificate(why) => FailureKind::Final(
            Failure::other(format!("{url}: the server's certificate is not accepted: {why}"))
                .hinted("name your CA's file in http.sslCAInfo, GIT_SSL_CAINFO or SSL_CERT_FILE"),
        ),
        TransportError::Final(failure) => FailureKind::Final(failure),
    }
}

fn of_status_code(code: u16, used: Option<&str>, url: &str, words: &str) -> Failure {
    let (what, hint) = match (code, used) {
        (401, Some(label)) => (
            format!("{url} does not accept {label} (401)"),
            "the token may be wrong, expired, or for another host; set TAGBUMP_TOKEN".to_owned(),
        ),
        (401, None) => (
            format!("{url} asks who we are (401), and there is no credential for it"),
            "set TAGBUMP_TOKEN (sent over https, or to this machine, only), or let actions/checkout keep its own"
                .to_owned(),
        ),
        (403, label) => (
            format!("{url} forbids it (403{})", label.map(|l| format!(", with {l}")).unwrap_or_default()),
            "the token has no right to write: in Actions give the job permissions: contents: write".to_owned(),
        ),
        (404, _) => (
            format!("{url} was not found (404)"),
            "mend the remote's URL; hosts also say so of a repository that the token may not see".to_owned(),
        ),
        (code, _) => (format!("{url} answered {code}"), "mend the remote's URL".to_owned()),
    };
    Failure::new(Exit::Refused, with_words(&what, words)).hinted(hint)
}

fn with_words(what: &str, words: &str) -> String {
    if words.is_empty() { what.to_owned() } else { format!("{what}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_locks_and_rules_are_told_apart() {
        let verdict = |status: &str, words: &str| of_status(status, words, "u");
        for status in ["failed to update ref", "anything"] {
            let words = "error: cannot lock ref 'refs/heads/main': is at 1 but expected 2";
            assert!(matches!(verdict(status, words), PublishOutcome::NonFastForward { .. }));
        }
        for race in ["non-fast-forward", "fetch first", "incorrect old value provided", "stale info"] {
            assert!(matches!(verdict(race, ""), PublishOutcome::NonFastForward { .. }), "{race}");
        }
        let lock = "error: cannot lock ref 'refs/heads/main': Unable to create 'x/main.lock': File exists.";
        assert!(matches!(verdict("failed to update ref", lock), PublishOutcome::RefLocked { .. }));
        for rule in ["pre-receive hook declined", "hook declined", "protected branch hook declined"] {
            let PublishOutcome::Refused(failure) = verdict(rule, "remote: no deploys on Friday") else {
                panic!("{rule} is a no");
            };
            assert_eq!(failure.exit, Exit::Refused);
            assert!(failure.message.contains("no deploys on Friday"));
        }
        let full = "error: cannot lock ref: Unable to create temporary file: No space left on device";
        assert!(matches!(verdict("unpacker error", full), PublishOutcome::UnpackFailed { .. }));
        assert!(matches!(verdict("failed to update ref", ""), PublishOutcome::RejectedUnclear { .. }));
    }
}
