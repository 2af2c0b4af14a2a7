//! GitHub's API, over octocrab. The only user of it; its types never leave this room.
//!
//! `client` asks and understands what a refusal means, `graphql` asks the other API. `pulls` keeps the pull
//! request of a branch, `commit` makes commits and moves branches, `place` implements the landing room's
//! trait with it. `compare` knows the order of commits that are not here, `wire` is how requests get there.

pub mod answers;
mod client;
mod commit;
mod compare;
mod graphql;
mod place;
mod pull_answer;
mod pulls;
mod response;
mod wire;

pub use client::{ApiRequest, GitHub};
pub use compare::order;
pub use place::GitHubBranch;
pub use pull_answer::PullRequest;
pub use pulls::{PullRequestSpec, close, find, propose};
