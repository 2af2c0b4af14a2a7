//! Reads the answers of GitHub's API, without I/O. Public for the fuzz target.

pub use super::commit::{api_error, made_commit};
pub use super::compare::compare_status;
pub use super::graphql::GraphQlResponse;
pub use super::response::{ApiError, ApiResponse, classify_response};
pub use crate::forge::api_answer::api_text;
