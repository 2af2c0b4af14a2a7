//! GitLab. Merge requests are made by push options: they need only the right to push, and no token for the API.
//!
//! `options` are what is sent along with a push, `answer` reads what GitLab prints in return, `publisher` pushes. `probe` asks a server
//! whether it is GitLab. With a token that may read the API, `client` asks it about commits: `compare` orders them, and lists those between two,
//! `statuses` reads the statuses of one.
//!
//! Source: GitLab's documentation, "Push options for merge requests"; `push_options_handler_service.rb` and `internal_post_receive/response.rb`
//! in its code.

mod answer;
mod client;
mod compare;
mod error;
mod forge;
mod options;
mod probe;
mod publisher;
mod statuses;

pub use answer::{PushAnswer, merge_request};
pub use client::GitLab;
pub use error::{GitLabError, GitLabRefusal};
pub use options::{MergeRequestSettings, is_about_merge_requests};
pub use probe::is_gitlab;
pub use publisher::GitLabPush;
