//! Why a server's answer can't be used.

use std::fmt;
use std::io;

use super::limits::{ADVERTISED_BYTES, ADVERTISED_REFS, FETCHED_BYTES, FETCHED_OBJECTS, PUSH_ANSWER_BYTES};

/// An answer that is cut off, too long, or not in git's protocol.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the server's answer is not git's protocol: {0}")]
    Garbled(&'static str),
    #[error("the server sent more than {0}")]
    TooLong(LimitExceeded),
    #[error("the server gave up: {0}")]
    GaveUp(String),
    #[error("the server doesn't support push options, but git's configuration sets push.pushOption")]
    NoPushOptions,
    #[error("the server doesn't take push options, with which tagbump makes merge requests")]
    NoMergeRequestOptions,
}

/// Which limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitExceeded {
    References,
    ReferenceBytes,
    FetchedBytes,
    FetchedObjects,
    PushAnswer,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        match self {
            LimitExceeded::References => write!(f, "{ADVERTISED_REFS} references"),
            LimitExceeded::ReferenceBytes => write!(f, "{} MB of references", megabytes(ADVERTISED_BYTES)),
            LimitExceeded::FetchedBytes => write!(f, "{} MB in one fetch", megabytes(FETCHED_BYTES)),
            LimitExceeded::FetchedObjects => write!(f, "{FETCHED_OBJECTS} objects in one fetch"),
            LimitExceeded::PushAnswer => {
                write!(f, "{} MB in answer to the push", megabytes(PUSH_ANSWER_BYTES))
            }
        }
    }
}
