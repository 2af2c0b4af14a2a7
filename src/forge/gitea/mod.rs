//! Gitea's API, which Forgejo has too. Its types never leave this folder.
//!
//! `client` sends requests, `response` classifies the answers. `forge` is Gitea as a forge: `pulls` keeps the pull request of a branch,
//! `finish` sets labels, reviewers and assignees, `auto_merge` has it merged, `compare` orders commits of other repositories, `statuses` reads those of one.
//!
//! It looks like GitHub's API and isn't: a list of pull requests can't be filtered by their branch, labels have numbers, and a pull
//! request becomes a draft by its title. Source: Gitea's `routers/api/v1`, 1.26.

mod auto_merge;
mod client;
mod compare;
mod error;
mod finish;
mod forge;
mod pulls;
mod response;
mod statuses;

pub use client::Gitea;
pub use error::{GiteaError, GiteaRefusal};
