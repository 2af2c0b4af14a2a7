//! GitLab's merge requests, by push options: they need only the right to push, and no token for the API.
//!
//! `options` are what is sent along with a push, `answer` reads what GitLab prints in return, `publisher` pushes. `probe` asks a server
//! whether it is GitLab.
//!
//! Source: GitLab's documentation, "Push options for merge requests"; `push_options_handler_service.rb` and `internal_post_receive/response.rb`
//! in its code.

mod answer;
mod options;
mod probe;
mod publisher;

pub use answer::{PushAnswer, merge_request};
pub use options::{MergeRequestSettings, is_about_merge_requests};
pub use probe::is_gitlab;
pub use publisher::GitLabPush;
