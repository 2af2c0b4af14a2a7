//! What GitHub reports in words alone, without a status or a code of its own. Nothing else matches GitHub's text.

/// A message of GitHub's whose meaning is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownMessage {
    /// There is an open pull request of the branch.
    AlreadyExists,
    /// The head branch of a pull request has nothing that the base lacks.
    NoCommitsBetween,
    /// The object of a request isn't known yet.
    UnknownNode,
    /// Actions may not create pull requests in the repository.
    MayNotCreatePulls,
    /// The branch isn't at the commit that the request expects.
    BranchMoved,
    RateLimit,
    /// Auto-merge has nothing to wait for.
    ReadyToMerge,
}

/// The known meanings, each with a part of its messages.
const KNOWN: [(&str, KnownMessage); 9] = [
    ("already exists", KnownMessage::AlreadyExists),
    ("No commits between", KnownMessage::NoCommitsBetween),
    ("Could not resolve to a node", KnownMessage::UnknownNode),
    ("not permitted to create", KnownMessage::MayNotCreatePulls),
    ("Expected branch to point to", KnownMessage::BranchMoved),
    ("in clean status", KnownMessage::ReadyToMerge),
    ("in unstable status", KnownMessage::ReadyToMerge),
    ("rate limit", KnownMessage::RateLimit),
    ("RATE_LIMIT", KnownMessage::RateLimit),
];

/// Which known meaning a message has.
pub fn classify(message: &str) -> Option<KnownMessage> {
    KNOWN.iter().find(|(part, _)| message.contains(part)).map(|(_, known)| *known)
}
