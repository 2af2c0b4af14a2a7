//! GitHub's API, over octocrab. The only user of it; its types never leave this room.
//!
//! `client` asks and understands what a refusal means, `pulls` keeps the pull request of a branch.

mod client;
mod pulls;

pub use client::GitHub;
pub use pulls::{PullRequest, Wish, close, propose};
