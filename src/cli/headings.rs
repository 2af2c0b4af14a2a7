//! The groups of flags in `--help`, in the order in which they are printed.

pub const IMAGE_AND_TAG: &str = "Image and tag";
pub const FILES: &str = "Files";
pub const HOLD: &str = "Hold";
pub const DESTINATION: &str = "Destination";
pub const COMMIT: &str = "Commit";
pub const PULL_REQUEST: &str = "Pull request";
pub const ORDER_AND_RETRIES: &str = "Order and retries";
/// Used by `tagbump wait` only.
pub const WHAT_IS_LIVE: &str = "What is live";
pub const OUTPUT: &str = "Output";

/// Used by `tagbump history` only, for the branch that it reads.
pub const REMOTE_BRANCH: &str = "Remote branch";
