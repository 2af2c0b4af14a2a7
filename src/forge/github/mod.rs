//! GitHub's API, over octocrab. The only user of it; its types never leave this folder.
//!
//! `client` sends requests and classifies refusals, `graphql` uses the other API. `forge` is GitHub as a forge: `pulls` keeps the pull
//! request of a branch, `finish` sets its labels, reviewers and assignees, `auto_merge` has it merged, `compare` orders commits of other repositories, `statuses`
//! reads those of one. `publisher` publishes commits, with `commit`, which makes commits
//! and moves branches. `wire` is how requests get there. `known_messages` recognises messages of GitHub's.

pub mod answers;
mod auto_merge;
mod client;
mod commit;
mod compare;
mod error;
mod finish;
mod forge;
mod graphql;
mod known_messages;
mod publisher;
mod pulls;
mod response;
mod statuses;
mod wire;

pub use client::{ApiRequest, GitHub};
pub use error::{ApiRefusal, ApiRefusalReason, GitHubError};
pub use forge::GitHubForge;
pub use publisher::GitHubCommits;
