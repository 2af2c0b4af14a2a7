//! The commits of a git repository, as the history reads them.

mod commit_walk;
mod renames;

pub use commit_walk::{CommitWalk, Deepen, thoroughly};
