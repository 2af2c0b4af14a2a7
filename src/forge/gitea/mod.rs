//! Gitea's API, which Forgejo has too. Its types never leave this folder.
//!
//! `client` sends requests, `response` classifies the answers. `forge` is Gitea as a forge: `pulls` keeps the pull request of a branch,
//! `labels` finds its labels, `compare` orders commits of other repositories.
//!
//! It looks like GitHub's API and isn't: a list of pull requests can't be filtered by their branch, labels have numbers, and a pull
//! request becomes a draft by its title. Source: Gitea's `routers/api/v1`, 1.26.

mod client;
mod compare;
mod error;
mod forge;
mod labels;
mod pulls;
mod response;

pub use client::Gitea;
pub use error::{GiteaError, GiteaRefusal};
